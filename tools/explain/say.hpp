// A report in sentences, and its cycle as a picture.
#pragma once

#include <string>

#include "explain/report.hpp"

namespace wedge::explain {

/// What happened, who held what and wanted what, and what to do: text of several lines. Blanks of
/// the input that a terminal would obey are shown as spaces.
std::string text_of(const report& found);

/// Returns one line about it: the cycle as `a -> b -> a`, or the first sentence of the text.
std::string what_of(const report& found);

/// The cycle as a digraph for Graphviz: a box for each lock, an arrow for each edge.
std::string dot_of(const report& found);

/// What tells a report from others: kind and locks of the cycle, wherever that begins. The same
/// report twice, also quoted or cut, has the same one.
std::string signature_of(const report& found);

}  // namespace wedge::explain
