// The kinds of reports of Linux: their headings and what stands below them.
#pragma once

#include <span>
#include <string_view>

#include "explain/flat_text.hpp"
#include "explain/report.hpp"

namespace wedge::explain::kernel {

/// A kind of report. `heading` begins it; `body` is what comes soon behind a real heading, while a
/// mail's subject or a sentence that only mentions it has no body.
struct kind_entry {
    std::string_view kind;
    std::string_view heading;
    std::string_view body;
};

std::span<const kind_entry> all_kinds();

/// What is known of a report before its body is read.
struct report_text {
    flat_text text;
    std::string_view kind;
    std::size_t heading_begin = 0;
    std::size_t heading_end = 0;  ///< 0: the heading is missing
};

/// Reads the body of a report of one kind.
report read_body(const report_text& from);

/// The kind of a report whose heading is missing; empty: it is none that is known.
std::string_view kind_without_heading(const flat_text& text);

/// Reads a dump of hung tasks.
report read_hang(const report_text& from);

}  // namespace wedge::explain::kernel
