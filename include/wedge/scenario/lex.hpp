// Splits the text of a scenario into words with their positions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/scenario/error_list.hpp"

namespace wedge::scenario {

struct token {
    enum class sort : std::uint8_t {
        word,     ///< letters, digits, `_`, and `-` before a letter
        number,   ///< digits, possibly with a minus
        symbol,   ///< braces, `->`, `==` …; also characters that no scenario has
        comment,  ///< `#` to the end of the line
        newline,
        semicolon,
        end,
    };

    sort what = sort::end;
    std::string_view text;
    place at{};

    bool is(std::string_view wanted) const noexcept {
        return (what == sort::word || what == sort::symbol) && text == wanted;
    }
};

namespace detail {

class lexer {
public:
    explicit lexer(std::string_view text) : text_(text) {}

    /// Returns all words of the text; the last one is `end`.
    std::vector<token> read() {
        std::vector<token> all;
        for (;;) {
            all.push_back(next());
            if (all.back().what == token::sort::end) return all;
        }
    }

private:
    using sort = token::sort;

    static bool is_letter(char c) noexcept {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    }
    static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

    char peek(std::size_t ahead = 0) const noexcept {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    token next() {
        while (at_ < text_.size() && (peek() == ' ' || peek() == '\t' || peek() == '\r')) step();
        here_ = {line_, column_};
        start_ = at_;
        if (at_ == text_.size()) return made(sort::end);
        const char c = peek();
        if (c == '\n') return newline();
        if (c == '#') return comment();
        if (is_letter(c)) return word();
        if (is_digit(c) || (c == '-' && is_digit(peek(1)))) return number();
        step();
        if (c == ';') return made(sort::semicolon);
        const bool is_pair = (c == '-' && peek() == '>') || (c == '=' && peek() == '=') ||
                             (c == '!' && peek() == '=');
        if (is_pair) step();
        // A character of several bytes is one symbol, which no scenario has.
        while (at_ < text_.size() && (static_cast<unsigned char>(peek()) & 0xc0U) == 0x80U) step();
        return made(sort::symbol);
    }

    token newline() {
        step();
        const token made_one = made(sort::newline);
        ++line_;
        column_ = 1;
        return made_one;
    }
    token comment() {
        while (at_ < text_.size() && peek() != '\n') step();
        token made_one = made(sort::comment);
        while (is_blank(made_one.text.back())) made_one.text.remove_suffix(1);
        return made_one;
    }
    static bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }

    token word() {
        while (is_letter(peek()) || is_digit(peek()) || (peek() == '-' && is_letter(peek(1))))
            step();
        return made(sort::word);
    }
    /// Reads a number. `12ab` is one symbol, so that the message can show it.
    token number() {
        step();
        sort what = sort::number;
        for (; is_letter(peek()) || is_digit(peek()); step())
            if (is_letter(peek())) what = sort::symbol;
        return made(what);
    }

    /// Moves by one byte. Columns count characters.
    void step() noexcept {
        if ((static_cast<unsigned char>(text_[at_]) & 0xc0U) != 0x80U) ++column_;
        ++at_;
    }
    token made(sort what) const { return {what, text_.substr(start_, at_ - start_), here_}; }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t start_ = 0;
    unsigned line_ = 1;
    unsigned column_ = 1;
    place here_{};
};

/// Returns the token as a message shows it.
inline std::string shown(const token& found) {
    constexpr std::size_t size_max = 40;
    switch (found.what) {
        case token::sort::end: return "the end of the file";
        case token::sort::newline: return "the end of the line";
        case token::sort::semicolon: return "';'";
        case token::sort::comment: return "a comment";
        default: break;
    }
    std::string text;
    for (const char c : found.text.substr(0, size_max)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            text += c;
        } else {
            text += "\\x";
            text += "0123456789abcdef"[byte >> 4];
            text += "0123456789abcdef"[byte & 15];
        }
    }
    return "'" + text + (found.text.size() > size_max ? "…'" : "'");
}

[[noreturn]] inline void fail_at(const std::string& path, place at, const std::string& text) {
    throw text_error(path, at, text);
}

}  // namespace detail
}  // namespace wedge::scenario
