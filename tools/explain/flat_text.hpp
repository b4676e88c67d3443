// Lines joined into one text, so that a pattern matches across the line breaks of a mail.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "explain/lines.hpp"

namespace wedge::explain {

/// Lines joined by single spaces. All white space is one space, so patterns need not care for it.
class flat_text {
public:
    static constexpr std::size_t none = std::string_view::npos;

    void add(const line& one);

    std::string_view text() const noexcept { return text_; }
    std::size_t size() const noexcept { return text_.size(); }

    /// The place of `phrase` at or behind `from` and before `to`; `none`: it is not there.
    std::size_t find(std::string_view phrase, std::size_t from = 0, std::size_t to = none) const;

    /// The number in the file of the line at a place.
    std::size_t line_number(std::size_t at) const;
    /// Where the line at a place begins.
    std::size_t line_start(std::size_t at) const;
    /// Where the line at a place ends.
    std::size_t line_end(std::size_t at) const;
    /// Where an added line begins.
    std::size_t line_begin(std::size_t index) const { return starts_[index].at; }
    /// Which of the added lines is at a place.
    std::size_t line_index(std::size_t at) const;

private:
    struct start {
        std::size_t at = 0;
        std::size_t number = 0;
    };

    std::string text_;
    std::vector<start> starts_;
};

/// No place in a text.
inline constexpr std::size_t none = flat_text::none;

}  // namespace wedge::explain
