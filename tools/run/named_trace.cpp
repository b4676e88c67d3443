// Replaces the addresses of a recorded trace by names.
#include <charconv>
#include <string_view>
#include <vector>

#include "run/run_report.hpp"

namespace wedge::run {
namespace {

/// Returns the address in `/path/file+0x12`.
code_address address_in(std::string_view text) {
    const std::size_t plus = text.rfind("+0x");
    if (plus == text.npos) return {"?", 0};
    code_address made{std::string(text.substr(0, plus)), 0};
    std::from_chars(text.data() + plus + 3, text.data() + text.size(), made.offset, 16);
    return made;
}

/// Visits each line. `visit(line, place)` gets where its address begins; npos: it has none.
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        std::size_t place = line.npos;
        if (line.starts_with("site ")) place = line.find(' ', 5);
        if (line.starts_with("lock ")) place = line.find(' ', line.find(' ', 5) + 1);
        visit(line, place == line.npos ? place : place + 1);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
}

}  // namespace

std::string named_trace(const std::string& raw) {
    symbols names;
    for_each_line(raw, [&](std::string_view line, std::size_t place) {
        if (place == line.npos) return;
        const code_address where = address_in(line.substr(place));
        line.starts_with("site") ? names.want_code(where) : names.want_data(where);
    });
    names.look_up();
    std::string text;
    for_each_line(raw, [&](std::string_view line, std::size_t place) {
        const code_address where =
            place == line.npos ? code_address{"?", 0} : address_in(line.substr(place));
        if (where.file == "?") {
            text += line;
        } else {
            text += line.substr(0, place);
            text +=
                line.starts_with("site") ? names.call_at(where).call() : names.variable_at(where);
        }
        text += '\n';
    });
    return text;
}

}  // namespace wedge::run
