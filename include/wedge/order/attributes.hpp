// The order that clang's thread-safety attributes state: ACQUIRED_BEFORE and ACQUIRED_AFTER.
#pragma once

#include <cctype>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"

namespace wedge {

/// "Locks of the class `first` are taken before those of the class `then`."
struct stated_pair {
    std::string first;
    std::string then;
    unsigned line = 0;  ///< of the attribute

    friend bool operator==(const stated_pair&, const stated_pair&) = default;
};

namespace detail {

/// Reads C++ declarations as far as their attributes need it, and what `wedge graph --annotations`
/// prints. All else is passed over.
class attribute_reader {
public:
    attribute_reader(std::string_view text, std::string file)
        : text_(text), file_(std::move(file)) {}

    std::vector<stated_pair> read() {
        while (skip_blanks()) take();
        for (stated_pair& each : all_)
            for (std::string* const name : {&each.first, &each.then})
                if (const auto known = classes_.find(*name); known != classes_.end())
                    *name = known->second;
        return std::move(all_);
    }

private:
    static bool is_word(char c) noexcept {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    }
    char at(std::size_t ahead = 0) const noexcept {
        return here_ + ahead < text_.size() ? text_[here_ + ahead] : '\0';
    }
    void step() noexcept {
        const bool is_end = text_[here_++] == '\n';
        column_ = is_end ? 1 : column_ + 1;
        line_ += is_end ? 1 : 0;
    }

    /// Passes over blanks and comments. Returns whether text is left.
    bool skip_blanks() {
        while (here_ < text_.size()) {
            if (std::isspace(static_cast<unsigned char>(at())) != 0) {
                step();
            } else if (at() == '/' && at(1) == '/') {
                while (here_ < text_.size() && at() != '\n') step();
            } else if (at() == '/' && at(1) == '*') {
                while (here_ < text_.size() && !(at() == '*' && at(1) == '/')) step();
                for (int i = 0; i < 2 && here_ < text_.size(); ++i) step();
            } else {
                return true;
            }
        }
        return false;
    }
    std::string word() {
        std::string found;
        for (; is_word(at()); step()) found += at();
        return found;
    }
    std::string literal() {
        std::string found;
        for (step(); here_ < text_.size() && at() != '"' && at() != '\n'; step()) found += at();
        if (at() == '"') step();
        return found;
    }

    void take() {
        if (is_word(at())) return take_word();
        if (at() == '"') {
            // `mutex savings{"savings account"}`: reports know the lock by the text.
            const std::string name = literal();
            if (is_initialiser_ && !lock_.empty()) classes_.emplace(lock_, name);
            is_initialiser_ = false;
            return;
        }
        is_initialiser_ = at() == '{' || at() == '(';
        if (at() == ';' || at() == '}') lock_.clear();
        step();
    }
    void take_word() {
        const unsigned line = line_;
        const unsigned column = column_;
        const std::string found = word();
        is_initialiser_ = false;
        const bool is_after = found.ends_with("ACQUIRED_AFTER") || found == "acquired_after";
        const bool is_before = found.ends_with("ACQUIRED_BEFORE") || found == "acquired_before";
        if (!is_after && !is_before) {
            if (found != "__attribute__" && found != "clang" && found != "gnu") lock_ = found;
            return;
        }
        skip_blanks();
        if (at() != '(') return;
        const std::vector<std::string> others = arguments();
        if (lock_.empty() || others.empty())
            throw error(file_ + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
                        found + " " + (lock_.empty() ? "stands behind no lock" : "names no lock") +
                        "; expected `LOCK " + found + "(OTHER, ...)`");
        for (const std::string& each : others)
            all_.push_back(is_after ? stated_pair{each, lock_, line}
                                    : stated_pair{lock_, each, line});
    }

    /// Reads `(a, this->b, "c")`: the last word of each argument.
    std::vector<std::string> arguments() {
        std::vector<std::string> names;
        std::string last;
        for (step(); skip_blanks() && at() != ')';) {
            if (at() == '"') {
                last = literal();
            } else if (is_word(at())) {
                last = word();
            } else {
                if (at() == ',' && !last.empty()) names.push_back(std::exchange(last, {}));
                step();
            }
        }
        if (here_ == text_.size())
            throw error(file_ + ":" + std::to_string(line_) + ":" + std::to_string(column_) +
                        ": expected ')' at the end of the attribute");
        step();
        if (!last.empty()) names.push_back(last);
        return names;
    }

    const std::string_view text_;
    const std::string file_;
    std::size_t here_ = 0;
    unsigned line_ = 1;
    unsigned column_ = 1;
    std::string lock_;  // the last name, which an attribute would be about
    bool is_initialiser_ = false;
    std::map<std::string, std::string> classes_;  // of variables with a text in their initialiser
    std::vector<stated_pair> all_;
};

}  // namespace detail

/// Returns the orders that the attributes in a text state, in the order of the text. A lock has the
/// class of the text in its initialiser, else that of its name.
///
///     wedge::mutex savings WEDGE_ACQUIRED_AFTER(checking){"savings"};    // in a source
///     savings: WEDGE_ACQUIRED_AFTER(checking)                            // in a list
///
/// State them to a checker: `checker.prime({{lock_class(each.first.c_str())}, …})`.
///
/// @param file  its name, for messages
/// @throws error  FILE:LINE:COLUMN: what is wrong
inline std::vector<stated_pair> stated_by_attributes(std::string_view text, std::string file) {
    return detail::attribute_reader(text, std::move(file)).read();
}

}  // namespace wedge
