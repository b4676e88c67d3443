#include "explain/flat_text.hpp"

#include <algorithm>

namespace wedge::explain {

void flat_text::add(const line& one) {
    starts_.push_back({text_.size(), one.number});
    bool was_space = true;
    for (const char c : one.text) {
        const bool is_space = c == ' ' || c == '\t' || c == '\f';
        if (!is_space)
            text_ += c;
        else if (!was_space)
            text_ += ' ';
        was_space = is_space;
    }
    if (text_.size() > starts_.back().at && text_.back() != ' ') text_ += ' ';
}

std::size_t flat_text::find(std::string_view phrase, std::size_t from, std::size_t to) const {
    if (from > text_.size()) return none;
    to = std::min(to, text_.size());
    const std::size_t found = std::string_view(text_).substr(0, to).find(phrase, from);
    return found;
}

std::size_t flat_text::line_index(std::size_t at) const {
    const auto behind =
        std::upper_bound(starts_.begin(), starts_.end(), at,
                         [](std::size_t wanted, const start& each) { return wanted < each.at; });
    return behind == starts_.begin() ? 0 : static_cast<std::size_t>(behind - starts_.begin()) - 1;
}

std::size_t flat_text::line_number(std::size_t at) const {
    return starts_.empty() ? 0 : starts_[line_index(at)].number;
}

std::size_t flat_text::line_start(std::size_t at) const {
    return starts_.empty() ? 0 : starts_[line_index(at)].at;
}

std::size_t flat_text::line_end(std::size_t at) const {
    const std::size_t next = line_index(at) + 1;
    return next < starts_.size() ? starts_[next].at : text_.size();
}

}  // namespace wedge::explain
