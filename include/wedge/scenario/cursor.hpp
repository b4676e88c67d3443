// The position of the parser: the next word, what was expected, and the comments around it.
#pragma once

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/nearest.hpp"
#include "wedge/scenario/lex.hpp"
#include "wedge/scenario/words.hpp"

namespace wedge::scenario::detail {

/// Reads words one by one. Each error is one line: `FILE:LINE:COLUMN: found …, expected …`.
class cursor {
public:
    /// @param is_keyword  whether a word belongs to the language, so that it cannot be a name
    cursor(std::string_view text, const std::string& path, bool (*is_keyword)(std::string_view))
        : path_(path), tokens_(lexer(text).read()), is_keyword_(is_keyword) {}

    const token& peek() const noexcept { return tokens_[at_]; }
    bool is(std::string_view word) const noexcept { return peek().is(word); }
    bool is_end() const noexcept { return peek().what == token::sort::end; }
    token take() { return is_end() ? peek() : tokens_[at_++]; }

    /// Takes the word if it comes next; returns whether it did.
    bool accept(std::string_view word) {
        if (!is(word)) return false;
        ++at_;
        return true;
    }
    void expect(std::string_view word) {
        if (accept(word)) return;
        const std::vector<std::string_view> only{word};
        fail("'" + std::string(word) + "'", only);
    }

    template <class Words = std::vector<std::string_view>>
    [[noreturn]] void fail(const std::string& expected, const Words& words = {}) const {
        std::string text = "found " + shown(peek());
        if (peek().what == token::sort::word && is_keyword_(peek().text)) text += " (a keyword)";
        text += ", expected " + expected;
        if (peek().what == token::sort::word) {
            const std::string near = nearest_name(peek().text, words);
            if (!near.empty() && near != peek().text) text += " (did you mean '" + near + "'?)";
        }
        fail_at(path_, peek().at, text);
    }
    [[noreturn]] void fail_here(place at, const std::string& text) const {
        fail_at(path_, at, text);
    }

    /// Takes a word of a table and returns its place there.
    template <class Words>
    std::size_t one_of(const Words& words, const std::string& expected) {
        if (peek().what == token::sort::word || peek().what == token::sort::symbol) {
            const std::size_t i = place_among(peek().text, words);
            if (i < words.size()) {
                ++at_;
                return i;
            }
        }
        fail(expected, words);
    }

    /// Returns whether the next word can be a name. A keyword can, where a name is expected.
    bool is_name() const noexcept { return peek().what == token::sort::word; }
    /// Returns the token behind the next one.
    const token& peek_second() const noexcept { return is_end() ? peek() : tokens_[at_ + 1]; }
    std::string name(const std::string& expected) {
        const token& found = peek();
        if (!is_name()) fail(expected);
        if (found.text.find('-') != std::string_view::npos)
            fail_at(
                path_, found.at,
                "found " + shown(found) + ", expected " + expected + ": letters, digits and '_'");
        return std::string(take().text);
    }

    /// Larger numbers are typing errors. Sums of such numbers cannot overflow.
    static constexpr std::int64_t number_max = 1'000'000'000;

    bool is_number() const noexcept { return peek().what == token::sort::number; }
    std::int64_t number(const std::string& expected, std::int64_t least, std::int64_t most) {
        if (!is_number()) fail(expected);
        const std::string_view digits = peek().text;
        std::int64_t value = 0;
        const auto [end, status] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (status != std::errc{} || value < least || value > most)
            fail(expected + " from " + std::to_string(least) + " to " + std::to_string(most));
        ++at_;
        return value;
    }
    std::int64_t number(const std::string& expected) {
        return number(expected, -number_max, number_max);
    }

    /// Reads `xN`; returns 1 if there is none.
    std::uint32_t count(std::uint32_t most) {
        if (!is_count(peek())) return 1;
        std::uint32_t value = 0;
        const std::string_view digits = peek().text.substr(1);
        const auto [end, status] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (status != std::errc{} || value == 0 || value > most)
            fail("xN, N from 1 to " + std::to_string(most));
        ++at_;
        return value;
    }
    static bool is_count(const token& word) noexcept {
        return word.what == token::sort::word && word.text.size() > 1 && word.text[0] == 'x' &&
               word.text.find_first_not_of("0123456789", 1) == std::string_view::npos;
    }

    /// Moves behind a statement or declaration with a mistake: to the end of its line, or of a
    /// block that begins there.
    ///
    /// @param from  the token that it began with
    void skip_statement(const token& from) {
        if (&peek() == &from && !is_end() && !is("{") && !is("}")) ++at_;
        for (unsigned open = 0; !is_end(); ++at_) {
            if (is("{")) ++open;
            if (is("}") && open-- == 0) return;
            const bool is_over =
                peek().what == token::sort::newline || peek().what == token::sort::semicolon;
            if (open == 0 && is_over && !is_block_next()) return;
        }
    }
    /// Takes a token that belongs nowhere.
    void skip_token() { static_cast<void>(take()); }

    error_list errors;

    /// Moves to the next statement. Returns the comment lines before it; a blank line is "".
    std::vector<std::string> lines_before() {
        std::vector<std::string> lines;
        unsigned newlines = 0;
        for (;; ++at_) {
            const token& next = peek();
            if (next.what == token::sort::newline) {
                if (++newlines == 2) lines.emplace_back();
            } else if (next.what == token::sort::comment) {
                lines.emplace_back(next.text);
                newlines = 0;
            } else if (next.what != token::sort::semicolon) {
                break;
            }
        }
        return lines;
    }

    /// Returns the comment on this line; empty if there is none.
    std::string comment() {
        if (peek().what != token::sort::comment) return {};
        return std::string(take().text);
    }

    /// Reads the end of a statement and returns the comment after it.
    std::string end_of_statement(const std::string& or_else = {}) {
        std::string behind = comment();
        if (behind.empty()) {
            if (peek().what == token::sort::semicolon) {
                ++at_;
                behind = comment();
            } else if (peek().what != token::sort::newline && !is_end() && !is("}")) {
                fail(or_else + "the end of the statement");
            }
        }
        return behind;
    }

    /// Returns whether the word follows a `}`, possibly on a later line. Adds the comments in
    /// between.
    bool continues(std::string_view word, std::vector<std::string>& comments) {
        const std::string behind = comment();
        if (!behind.empty()) comments.push_back(behind);
        const std::size_t before = at_;
        std::vector<std::string> between;
        while (peek().what == token::sort::newline || peek().what == token::sort::comment) {
            const token found = take();
            if (found.what == token::sort::comment) between.emplace_back(found.text);
        }
        if (!is(word)) {
            at_ = before;
            return false;
        }
        comments.insert(comments.end(), between.begin(), between.end());
        return true;
    }

private:
    /// Returns whether the next line begins a block.
    bool is_block_next() const noexcept {
        std::size_t i = at_;
        while (tokens_[i].what == token::sort::newline || tokens_[i].what == token::sort::comment)
            ++i;
        return tokens_[i].is("{");
    }

    const std::string& path_;
    std::vector<token> tokens_;
    bool (*const is_keyword_)(std::string_view);
    std::size_t at_ = 0;
};

/// Removes blank lines at the start of a block, which mean nothing.
inline void trim_front(std::vector<std::string>& lines) {
    while (!lines.empty() && lines.front().empty()) lines.erase(lines.begin());
}
inline void trim_back(std::vector<std::string>& lines) {
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
}

}  // namespace wedge::scenario::detail
