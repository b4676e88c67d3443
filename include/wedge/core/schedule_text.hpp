// The text of a schedule: printing and parsing.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "wedge/core/check.hpp"
#include "wedge/core/schedule.hpp"

namespace wedge {

inline std::string to_hex(std::uint64_t value) {
    std::string text(16, '0');
    for (std::size_t i = text.size(); i-- > 0; value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    return text;
}

/// Prints a schedule with one line per switch:
///
///     wedge schedule 2
///     workload transfer 5f3a00d2c1b40a17
///     program deposit | withdraw(3)
///     options spurious-wakeups
///     signature cycle checking/EE savings/EE
///     run 0 x2
///     choose 1 of 3
///     circle
///     run 1 x4
///
/// The decisions after `circle` repeat forever; only a livelock has that line. Lines without a
/// value are left out. `parse_schedule(to_string(s)) == s`.
inline std::string to_string(const schedule& s) {
    std::string text = "wedge schedule " + std::to_string(schedule::version) + "\n";
    if (!s.workload.empty()) text += "workload " + s.workload + " " + to_hex(s.fingerprint) + "\n";
    if (!s.program.empty()) text += "program " + s.program + "\n";
    if (s.open != model_options{})
        text += std::string("options") + (s.open.all_policies ? " all-policies" : "") +
                (s.open.spurious_wakeups ? " spurious-wakeups" : "") + "\n";
    if (!s.signature.empty()) text += "signature " + s.signature + "\n";
    const std::size_t circle_from = s.decisions.size() - s.circle;
    for (std::size_t i = 0; i < s.decisions.size();) {
        if (s.circle != 0 && i == circle_from) text += "circle\n";
        const decision& d = s.decisions[i];
        if (d.what == decision::sort::choose) {
            text += "choose " + std::to_string(d.value) + " of " + std::to_string(d.of) + "\n";
            ++i;
            continue;
        }
        std::size_t end = i;
        const std::size_t last = i < circle_from ? circle_from : s.decisions.size();
        while (end < last && s.decisions[end] == d) ++end;
        text += "run " + std::to_string(d.value) + " x" + std::to_string(end - i) + "\n";
        i = end;
    }
    return text;
}

namespace detail {

/// Reads a schedule's text line by line. Each error names its file, line and column.
class schedule_reader {
public:
    schedule_reader(std::string_view text, std::string_view name) : text_(text), name_(name) {}

    schedule read() {
        schedule result;
        while (next_line() && line_.empty()) {
        }
        expect("wedge");
        expect("schedule");
        const std::uint64_t found = number("the version", 10);
        if (found == 0 || found > schedule::version)
            fail("unknown version " + std::to_string(found) + "; this build reads versions 1 to " +
                 std::to_string(schedule::version));
        end_of_line();
        while (next_line()) line_of(result);
        if (circle_from_) result.circle = result.decisions.size() - *circle_from_;
        if (circle_from_ && result.circle == 0) fail("expected a decision after 'circle'");
        return result;
    }

private:
    // A longer run means that the file is damaged.
    static constexpr std::uint64_t repeats_max = 10'000'000;

    void line_of(schedule& result) {
        const std::string_view key = word();
        if (key.empty()) return;
        if (key == "workload") {
            result.workload = word();
            if (result.workload.empty()) fail("expected the workload's name");
            result.fingerprint = number("the fingerprint", 16);
        } else if (key == "program") {
            result.program = rest();
        } else if (key == "options") {
            options_of(result.open);
        } else if (key == "signature") {
            result.signature = rest();
        } else if (key == "run") {
            const decision d{decision::sort::run, number32("a task's number"), 0};
            if (column_ >= line_.size() || line_[column_] != 'x')
                fail("expected xN, the number of steps");
            ++column_;
            const std::uint64_t times = number("the number of steps", 10);
            if (times == 0 || times > repeats_max - result.decisions.size())
                fail("a run of " + std::to_string(times) + " steps; all runs together have 1 to " +
                     std::to_string(repeats_max));
            result.decisions.insert(result.decisions.end(), times, d);
        } else if (key == "choose") {
            decision d{decision::sort::choose, number32("a choice"), 0};
            expect("of");
            d.of = number32("the number of alternatives");
            if (d.value >= d.of) fail("the choice is not below the number of alternatives");
            result.decisions.push_back(d);
        } else if (key == "circle") {
            if (circle_from_) fail("a second 'circle'; a schedule has at most one");
            circle_from_ = result.decisions.size();
        } else {
            column_ = start_;
            fail("expected workload, program, options, signature, run, choose or circle, found '" +
                 std::string(key) + "'");
        }
        end_of_line();
    }

    void options_of(model_options& open) {
        for (std::string_view option = word(); !option.empty(); option = word()) {
            if (option == "all-policies") {
                open.all_policies = true;
            } else if (option == "spurious-wakeups") {
                open.spurious_wakeups = true;
            } else {
                column_ = start_;
                fail("expected all-policies or spurious-wakeups, found '" + std::string(option) +
                     "'");
            }
        }
    }

    bool next_line() {
        if (at_ >= text_.size()) {
            line_ = {};
            column_ = start_ = 0;
            ++line_number_;
            return false;
        }
        std::size_t end = text_.find('\n', at_);
        if (end == std::string_view::npos) end = text_.size();
        line_ = text_.substr(at_, end - at_);
        if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
        if (line_.starts_with('#')) line_ = {};
        at_ = end + 1;
        column_ = start_ = 0;
        ++line_number_;
        return true;
    }
    void blanks() {
        while (column_ < line_.size() && (line_[column_] == ' ' || line_[column_] == '\t'))
            ++column_;
    }
    std::string_view word() {
        blanks();
        start_ = column_;
        while (column_ < line_.size() && line_[column_] != ' ' && line_[column_] != '\t') ++column_;
        const std::string_view found = line_.substr(start_, column_ - start_);
        blanks();
        return found;
    }
    std::string rest() {
        blanks();
        const std::string found(line_.substr(column_));
        column_ = line_.size();
        return found;
    }
    std::uint64_t number(const char* what, int base) {
        blanks();
        std::uint64_t value = 0;
        const char* const first = line_.data() + column_;
        const auto [end, status] = std::from_chars(first, line_.data() + line_.size(), value, base);
        if (status != std::errc{}) fail(std::string("expected ") + what);
        column_ += static_cast<std::size_t>(end - first);
        blanks();
        return value;
    }
    std::uint32_t number32(const char* what) {
        const std::size_t start = column_;
        const std::uint64_t value = number(what, 10);
        if (value > 0xffffffffU) {
            column_ = start;
            fail("the number is too large; the maximum is 4294967295");
        }
        return static_cast<std::uint32_t>(value);
    }
    void expect(std::string_view wanted) {
        const std::string_view found = word();
        if (found == wanted) return;
        column_ = start_;
        fail("expected '" + std::string(wanted) + "', found '" + std::string(found) + "'");
    }
    void end_of_line() {
        blanks();
        if (column_ < line_.size()) fail("unexpected '" + std::string(line_.substr(column_)) + "'");
    }
    /// Throws an error that quotes the text. Quotes no more than fits on a line, and no control
    /// characters.
    [[noreturn]] void fail(std::string why) const {
        constexpr std::size_t shown_max = 160;
        if (why.size() > shown_max) why.replace(shown_max, std::string::npos, "...");
        for (char& c : why)
            if (c < ' ' || c > '~') c = '?';
        throw error(std::string(name_) + ":" + std::to_string(line_number_) + ":" +
                    std::to_string(column_ + 1) + ": schedule: " + why);
    }

    std::string_view text_;
    std::string_view name_;
    std::string_view line_;
    std::size_t at_ = 0;
    std::size_t line_number_ = 0;
    std::size_t column_ = 0;
    std::size_t start_ = 0;                   // where the last word starts
    std::optional<std::size_t> circle_from_;  // the first decision of the part that repeats
};

}  // namespace detail

/// Reads what `to_string` printed.
///
/// @param name  of the file, for messages
/// @throws error  `name:line:column: …` when the text is not a schedule of a version known here
inline schedule parse_schedule(std::string_view text, std::string_view name = "schedule") {
    return detail::schedule_reader(text, name).read();
}

}  // namespace wedge
