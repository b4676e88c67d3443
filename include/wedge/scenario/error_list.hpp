// All mistakes of a file, which are reported at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/scenario/ast.hpp"

namespace wedge::scenario::detail {

/// A mistake in a text. Its message is one line: `FILE:LINE:COLUMN: …`.
class text_error : public error {
public:
    text_error(const std::string& path, place where, const std::string& text)
        : error(path + ":" + std::to_string(where.line) + ":" + std::to_string(where.column) +
                ": " + text),
          in(path),
          at(where) {}

    std::string in;  ///< the path of the text
    place at;
};

/// Collects mistakes, so that one of them does not hide the others.
class error_list {
public:
    /// Calls a function, and keeps the mistake that it throws. Returns whether there was none.
    template <class Do>
    bool attempt(Do act) {
        try {
            act();
            return true;
        } catch (const text_error& wrong) {
            add(wrong);
            return false;
        }
    }

    bool is_empty() const noexcept { return all_.empty(); }

    /// @throws error  a line for each mistake, in the order of the text. If there are more than
    ///     20, the last line counts the others
    void throw_if_any() {
        if (all_.empty()) return;
        std::ranges::stable_sort(all_, [](const text_error& a, const text_error& b) {
            return a.at.line != b.at.line ? a.at.line < b.at.line : a.at.column < b.at.column;
        });
        std::string text;
        for (const text_error& each : all_)
            text += (text.empty() ? "" : "\n") + std::string(each.what());
        if (const std::size_t others = places_.size() - all_.size(); others != 0)
            text += "\n" + all_.front().in + ": " + std::to_string(others) + " more mistake" +
                    (others == 1 ? "" : "s");
        throw error(text);
    }

private:
    static constexpr std::size_t most = 20;  // more are consequences of the first ones

    /// Keeps one mistake per place, and counts those that do not fit.
    void add(const text_error& wrong) {
        if (!places_.emplace(wrong.at.line, wrong.at.column).second) return;
        if (all_.size() < most) all_.push_back(wrong);
    }

    std::vector<text_error> all_;
    std::set<std::pair<unsigned, unsigned>> places_;  // of all mistakes
};

}  // namespace wedge::scenario::detail
