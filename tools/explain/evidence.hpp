// `wedge explain` of traces: the lock order that they show, and what is wrong with it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "explain/trace.hpp"

namespace wedge::explain {

/// What to tell of traces.
struct evidence_options {
    std::string around;       ///< part of a name: only what is near such classes. Empty: all
    std::uint32_t depth = 1;  ///< how many steps are near
    std::string order;        ///< as `a -> b -> c`; empty: none is stated
    std::size_t most = 10;    ///< how many cycles, locks and so on are listed
};

/// What traces say, ready to print.
struct evidence {
    std::string text;
    bool has_findings = false;         ///< a cycle, tasks that hang, or a path against the order
    std::vector<std::string> unknown;  ///< names of the order, or of `around`, that no class has
};

/// Returns the classes that a name stands for: those of exactly this name, else those of which it
/// is a part made of whole words, as `mmap_lock` of `&mm->mmap_lock`.
std::vector<std::uint32_t> classes_named(const lock_graph& order, std::string_view name);

/// Tells what traces show: how much, the cycles, what hangs, what breaks the stated order, and
/// which locks tasks waited for most.
///
/// @param title  of the files
evidence tell(const observations& seen, const std::string& title, const evidence_options& options);

/// Tells what has changed from one set of traces to another, by the names of the classes. A cycle
/// of the new one that the old one does not have is a finding.
evidence compare(const observations& before, const observations& after,
                 const evidence_options& options);

/// Returns the order as a digraph for Graphviz; what is on a cycle is red. Of a large graph without
/// `around` only the classes with the most dependencies are drawn.
std::string dot_of(const observations& seen, const evidence_options& options);

/// Returns one JSON object on a line: the numbers, cycles, paths against the order, and what is
/// around a class.
std::string json_of(const observations& seen, const std::string& title,
                    const evidence_options& options);

/// Returns what `compare` tells as one JSON object on a line. Its lists are complete.
std::string json_of_change(const observations& before, const observations& after,
                           const std::string& title, const evidence_options& options);

}  // namespace wedge::explain
