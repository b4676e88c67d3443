// The text of a mail or a log as lines without their dress.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wedge::explain {

/// One line of a text, or a part of it if an archive has joined lines.
struct line {
    std::string_view
        text;              ///< without quoting, stamps and trailing white space; indented as it was
    std::string_view raw;  ///< the line of the file; the parts of a joined line have the same one
    std::string_view
        caller;  ///< the task or CPU that printed it, as `T123` or `C1`; empty: not known
    std::size_t number = 0;  ///< in the file, from 1
};

/// Splits a text into lines and takes off what mail and logs put before them.
///
/// That is quoting (`> `, `| `), the priority `<4>`, dates of syslog with host and `kernel:`,
/// stamps of dmesg with the caller's id, carriage returns and the entities of HTML. Lines that an
/// archive has joined are split again. Takes time in proportion to the text. A copy of the text
/// lives here, and the lines point into it.
class text_lines {
public:
    explicit text_lines(std::string text);
    text_lines(const text_lines&) = delete;
    text_lines& operator=(const text_lines&) = delete;

    std::span<const line> all() const noexcept { return lines_; }

private:
    std::string raw_;
    std::string clean_;
    std::vector<line> lines_;
};

}  // namespace wedge::explain
