// Programs: which task calls which actions with which arguments.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/core/check.hpp"

namespace wedge {

struct call {
    std::string action;
    std::uint32_t arg = 0;

    friend bool operator==(const call&, const call&) = default;
};

/// One list of calls per task.
using program = std::vector<std::vector<call>>;

/// Returns `deposit | withdraw(3), deposit`. An argument of 0 is left out.
inline std::string to_string(const program& tasks) {
    std::string text;
    for (const std::vector<call>& calls : tasks) {
        if (&calls != &tasks.front()) text += " | ";
        for (const call& c : calls) {
            if (&c != &calls.front()) text += ", ";
            text += c.action;
            if (c.arg != 0) text.append("(").append(std::to_string(c.arg)).append(")");
        }
    }
    return text;
}

namespace detail {

class program_reader {
public:
    explicit program_reader(std::string_view text) : text_(text) {}

    program read() {
        program result(1);
        for (;;) {
            result.back().push_back(one_call());
            blanks();
            if (at_ == text_.size()) return result;
            if (text_[at_] == '|')
                result.emplace_back();
            else if (text_[at_] != ',')
                fail("expected ',' or '|'");
            ++at_;
        }
    }

private:
    call one_call() {
        blanks();
        const std::size_t start = at_;
        while (at_ < text_.size() && is_name(text_[at_])) ++at_;
        if (at_ == start) fail("expected the name of an action");
        call c{std::string(text_.substr(start, at_ - start)), 0};
        blanks();
        if (at_ == text_.size() || text_[at_] != '(') return c;
        ++at_;
        blanks();
        const char* const first = text_.data() + at_;
        const auto [end, status] = std::from_chars(first, text_.data() + text_.size(), c.arg);
        if (status != std::errc{}) fail("expected a number below 2^32");
        at_ += static_cast<std::size_t>(end - first);
        blanks();
        if (at_ == text_.size() || text_[at_] != ')') fail("expected ')'");
        ++at_;
        return c;
    }
    static bool is_name(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    }
    void blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    }
    [[noreturn]] void fail(const char* why) const {
        const std::string found =
            at_ < text_.size() ? "'" + std::string(1, text_[at_]) + "'" : "the end";
        detail::raise<error>("program:" + std::to_string(at_ + 1) + ": " + why + ", found " +
                             found);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace detail

/// Parses the text that `to_string` makes.
///
/// @throws error  `program:COLUMN: …`
inline program parse_program(std::string_view text) {
    return detail::program_reader(text).read();
}

}  // namespace wedge
