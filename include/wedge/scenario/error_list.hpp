// All mistakes of a file, which are reported at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
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
          at(where) {}

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

    /// @throws error  a line for each mistake, in the order of the text
    void throw_if_any() {
        if (all_.empty()) return;
        std::ranges::stable_sort(all_, [](const text_error& a, const text_error& b) {
            return a.at.line != b.at.line ? a.at.line < b.at.line : a.at.column < b.at.column;
        });
        std::string text;
        for (const text_error& each : all_)
            text += (text.empty() ? "" : "\n") + std::string(each.what());
        throw error(text);
    }

private:
    static constexpr std::size_t most = 20;  // more are consequences of the first ones

    /// Keeps one mistake per place. The last one that fits ends the search for others.
    void add(const text_error& wrong) {
        for (const text_error& each : all_)
            if (each.at.line == wrong.at.line && each.at.column == wrong.at.column) return;
        all_.push_back(wrong);
        if (all_.size() == most) throw_if_any();
    }

    std::vector<text_error> all_;
};

}  // namespace wedge::scenario::detail
