// The text of a fuzzer's input, for people: printing and parsing.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/fuzz/design.hpp"

namespace wedge {

/// Prints an input with one call per line, each after its task:
///
///     wedge program 1
///     workload device<upstream>
///     tasks 2
///     0 fault(1)
///     1 evict
///     answers 0 0 1
///
/// `parse_input(input_text(p, d), d) == p`. The bytes have no version: the meaning of a byte never
/// changes, and new meanings use bits that were 0.
inline std::string input_text(const action_program& what, std::span<const fuzz_design> designs) {
    const fuzz_design& design = designs[what.design];
    std::string text =
        "wedge program 1\nworkload " + design.name + "\ntasks " + std::to_string(what.tasks) + "\n";
    for (const action_record& each : what.records) {
        text += std::to_string(each.task) + " " + design.actions[each.action];
        if (each.argument != 0) text += "(" + std::to_string(each.argument) + ")";
        text += "\n";
    }
    if (!what.answers.empty()) {
        text += "answers";
        for (const std::uint8_t each : what.answers) text += " " + std::to_string(each);
        text += "\n";
    }
    return text;
}

namespace detail {

class input_reader {
public:
    input_reader(std::string_view text, std::span<const fuzz_design> designs, std::string_view name)
        : text_(text), designs_(designs), name_(name) {}

    action_program read() {
        if (!next_line() || line_ != "wedge program 1")
            fail("expected 'wedge program 1' (this build reads version 1)");
        action_program made;
        if (!next_line() || word() != "workload") fail("expected 'workload NAME'");
        made.design = design_of(word());
        end_line();
        if (!next_line() || word() != "tasks") fail("expected 'tasks N'");
        made.tasks = static_cast<std::uint8_t>(number(word(), 1, action_program::tasks_max));
        end_line();
        while (next_line()) {
            const std::string_view first = word();
            if (first == "answers") {
                while (!line_.empty())
                    made.answers.push_back(static_cast<std::uint8_t>(number(word(), 0, 255)));
                continue;
            }
            if (made.records.size() == action_program::records_max)
                fail("more than " + std::to_string(action_program::records_max) + " calls");
            made.records.push_back(record(first, made));
            end_line();
        }
        return made;
    }

private:
    static constexpr std::string_view blanks = " \t\r";

    bool next_line() {
        while (!text_.empty()) {
            const std::size_t end = text_.find('\n');
            line_ = text_.substr(0, end);
            text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
            ++number_;
            line_begin_ = at_ = line_.data();
            skip_blanks();
            line_ = line_.substr(0, line_.find_last_not_of(blanks) + 1);
            if (!line_.empty() && !line_.starts_with('#')) return true;
        }
        line_ = {};
        return false;
    }
    void skip_blanks() {
        line_.remove_prefix(std::min(line_.size(), line_.find_first_not_of(blanks)));
    }
    std::string_view word() {
        const std::string_view found = line_.substr(0, line_.find_first_of(blanks));
        at_ = found.data();
        line_.remove_prefix(found.size());
        skip_blanks();
        return found;
    }
    void end_line() {
        if (line_.empty()) return;
        const std::string_view more = word();
        fail("expected the end of the line, found '" + std::string(more) + "'");
    }
    unsigned number(std::string_view digits, unsigned least, unsigned most) {
        at_ = digits.data();
        unsigned value = 0;
        const char* const end = digits.data() + digits.size();
        const auto [behind, status] = std::from_chars(digits.data(), end, value);
        if (status != std::errc{} || behind != end || value < least || value > most)
            fail("expected a number from " + std::to_string(least) + " to " + std::to_string(most) +
                 ", found '" + std::string(digits) + "'");
        return value;
    }
    std::uint8_t design_of(std::string_view wanted) const {
        std::string all;
        for (std::size_t i = 0; i < designs_.size(); ++i) {
            if (designs_[i].name == wanted) return static_cast<std::uint8_t>(i);
            all += (i == 0 ? "" : ", ") + designs_[i].name;
        }
        fail("there is no workload '" + std::string(wanted) + "'; there is " + all);
    }
    action_record record(std::string_view task, const action_program& in) {
        action_record made;
        made.task = static_cast<std::uint8_t>(number(task, 0, in.tasks - 1U));
        std::string_view called = word();
        const std::size_t open = called.find('(');
        if (open != std::string_view::npos) {
            if (!called.ends_with(')')) fail("expected ')'");
            made.argument = static_cast<std::uint8_t>(
                number(called.substr(open + 1, called.size() - open - 2), 0, 255));
            at_ = called.data();
            called = called.substr(0, open);
        }
        std::string all;
        const std::vector<std::string>& actions = designs_[in.design].actions;
        for (std::size_t i = 0; i < actions.size(); ++i) {
            made.action = static_cast<std::uint8_t>(i);
            if (actions[i] == called) return made;
            all += (i == 0 ? "" : ", ") + actions[i];
        }
        fail("there is no action '" + std::string(called) + "'; there is " + all);
    }
    /// Throws an error at the last word that was read.
    [[noreturn]] void fail(const std::string& why) const {
        throw error(std::string(name_) + ":" + std::to_string(std::max(number_, 1U)) + ":" +
                    std::to_string(at_ - line_begin_ + 1) + ": " + why);
    }

    std::string_view text_;
    std::span<const fuzz_design> designs_;
    std::string_view name_;
    std::string_view line_;  // the rest of the line
    const char* line_begin_ = nullptr;
    const char* at_ = nullptr;  // the last word
    unsigned number_ = 0;
};

}  // namespace detail

/// Parses the text that `input_text` makes. Lines that begin with `#` are ignored.
///
/// @param name  of the file, for messages
/// @throws error  `name:line:column: …`
inline action_program parse_input(std::string_view text, std::span<const fuzz_design> designs,
                                  std::string_view name = "program") {
    return detail::input_reader(text, designs, name).read();
}

}  // namespace wedge
