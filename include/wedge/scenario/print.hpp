// Prints a scenario as its canonical text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/scenario/statements.hpp"

namespace wedge::scenario {

namespace detail {

class printer {
public:
    explicit printer(bool with_comments) : with_comments_(with_comments) {}

    std::string print(const document& all) {
        for (const declaration& each : all.all) {
            lines(each.before);
            text_ += head_of(each);
            if (has_body(each.what)) {
                text_ += " ";
                braces(each.body);
            }
            end_line(each.after);
        }
        lines(all.ending);
        return std::move(text_);
    }

private:
    static std::string times(std::uint32_t count) {
        return count == 1 ? "" : " x" + std::to_string(count);
    }

    static std::string head_of(const declaration& each) {
        std::string text = word_of(each.what, declaration_words);
        const auto number = [](std::int64_t n) { return std::to_string(n); };
        if (!each.name.empty()) text += " " + each.name;
        switch (each.what) {
            case declares::lock:
                text += " " +
                        (each.kind_name.empty() ? word_of(each.kind, lock_kind_words)
                                                : each.kind_name) +
                        times(each.count);
                if (!each.class_name.empty()) text += " class " + each.class_name;
                if (each.is_ordered) text += " ordered";
                if (each.is_unchecked) text += " unchecked";
                break;
            case declares::memory:
                text += " " + number(each.pages) + " pages";
                if (each.min != 0) text += " min " + number(each.min);
                text += " low " + number(each.low) + " high " + number(each.high);
                break;
            case declares::counter:
                text += " = " + number(each.value) + (each.is_local ? " local" : "");
                break;
            case declares::semaphore: text += " = " + number(each.value); break;
            case declares::refcount:
                if (each.value != 1) text += " = " + number(each.value);
                break;
            case declares::thread:
                text += times(each.count);
                if (each.has_cpu) text += " cpu " + number(each.cpu);
                if (each.fifo != 0) text += " fifo " + number(each.fifo);
                break;
            case declares::shrinker:
                if (each.needs != needs::nothing)
                    text += each.needs == needs::fs ? " needs fs" : " needs io";
                break;
            case declares::handler:
                text += std::string(each.is_nmi    ? " nmi"
                                    : each.is_hard ? " hardirq"
                                                   : " softirq") +
                        (each.is_threaded ? " threaded" : "");
                break;
            case declares::order:
                for (const reference& next : each.chain)
                    text += (&next == &each.chain.front() ? " " : " -> ") + next.name;
                break;
            case declares::expect:
                text += " " + word_of(each.expected, expect_words);
                if (each.expected == expects::finding)
                    text += std::string(" ") + name_of(each.kind_expected);
                break;
            default: break;
        }
        return text;
    }

    void print(const statement& each) {
        lines(each.before);
        text_ += indent_ + detail::head_of(each);
        for (std::size_t i = 0; i < each.blocks.size(); ++i) {
            if (i > 0) {
                const bool own_line = with_comments_ && !each.blocks[i - 1].closing.empty();
                if (own_line) closing(each.blocks[i - 1].closing);
                text_ += own_line ? indent_ : " ";
                text_ += row_of(each.what).has(traits::alternatives) ? "or" : "else";
            }
            text_ += " ";
            braces(each.blocks[i]);
        }
        const bool has_closing = !each.blocks.empty() && !each.blocks.back().closing.empty();
        end_line(has_closing ? each.blocks.back().closing.front() : each.after);
    }

    void closing(const std::vector<std::string>& comments) {
        end_line(comments.front());
        for (std::size_t i = 1; i < comments.size(); ++i) text_ += indent_ + comments[i] + "\n";
    }

    void braces(const block& of) {
        const bool is_empty =
            of.body.empty() && (!with_comments_ || (of.opening.empty() && of.ending.empty()));
        text_ += "{";
        if (is_empty) {
            text_ += "}";
            return;
        }
        end_line(of.opening);
        indent_ += "    ";
        for (const statement& each : of.body) print(each);
        lines(of.ending);
        indent_.resize(indent_.size() - 4);
        text_ += indent_ + "}";
    }

    void lines(const std::vector<std::string>& all) {
        if (!with_comments_) return;
        for (const std::string& line : all) text_ += line.empty() ? "\n" : indent_ + line + "\n";
    }
    void end_line(const std::string& comment) {
        if (with_comments_ && !comment.empty()) text_ += "  " + comment;
        text_ += "\n";
    }

    const bool with_comments_;
    std::string text_;
    std::string indent_;
};

}  // namespace detail

/// Returns the canonical text: four columns per level, one statement per line, with comments and
/// single blank lines. `parse(to_string(x)) == x`.
inline std::string to_string(const document& all) {
    return detail::printer(true).print(all);
}

/// Returns the text without comments and blank lines: what the scenario does.
inline std::string essence_of(const document& all) {
    return detail::printer(false).print(all);
}

}  // namespace wedge::scenario
