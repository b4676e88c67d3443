// What reads reports of one tool.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "explain/lines.hpp"
#include "explain/report.hpp"

namespace wedge::explain {

/// How many locks of one cycle a reader takes. ThreadSanitizer prints at most 20.
inline constexpr std::size_t cycle_limit = 64;

/// Reads the reports of one tool. It has no state, so threads may share it.
///
/// A new one is a source file `NAME_reader.cpp` with a class and the function `NAME_reader()`, and
/// a line in `readers.cpp`. A reader takes time in proportion to the text, however odd that is. It
/// never throws for what the text holds. What it is not sure of it leaves out, and says so by
/// `report::lacks`: an incomplete report is right, a wrong one misleads.
class reader {
public:
    reader() = default;
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;
    virtual ~reader() = default;

    virtual const char* name() const = 0;

    /// Adds the reports of this tool to `found`, in the order of the text.
    virtual void find(std::span<const line> text, std::vector<report>& found) const = 0;
};

/// All readers, in the order in which they are asked.
std::span<const reader* const> all_readers();

/// What all readers find in a text, in the order of the text.
std::vector<report> read_reports(const text_lines& text);

}  // namespace wedge::explain
