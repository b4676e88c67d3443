// Prints a scenario as its canonical text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/scenario/words.hpp"

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
    template <class Enum, class Words>
    static std::string word(Enum value, const Words& words) {
        return std::string(words[static_cast<std::size_t>(value)]);
    }
    static std::string times(std::uint32_t count) {
        return count == 1 ? "" : " x" + std::to_string(count);
    }

    static std::string head_of(const declaration& each) {
        std::string text = word(each.what, declaration_words);
        const auto number = [](std::int64_t n) { return std::to_string(n); };
        if (!each.name.empty()) text += " " + each.name;
        switch (each.what) {
            case declares::lock:
                text += " " + word(each.kind, lock_kind_words) + times(each.count);
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
            case declares::thread: text += times(each.count); break;
            case declares::shrinker:
                if (each.needs != needs::nothing)
                    text += each.needs == needs::fs ? " needs fs" : " needs io";
                break;
            case declares::handler:
                text += std::string(each.is_hard ? " hardirq" : " softirq") + threaded(each);
                break;
            case declares::order:
                for (const reference& next : each.chain)
                    text += (&next == &each.chain.front() ? " " : " -> ") + next.name;
                break;
            case declares::expect:
                text += " " + word(each.expected, expect_words);
                if (each.expected == expects::finding)
                    text += std::string(" ") + name_of(each.kind_expected);
                break;
            default: break;
        }
        return text;
    }

    static std::string use(const reference& of) {
        if (of.indexed == reference::index_sort::none) return of.name;
        std::string index = std::to_string(of.index);
        if (of.indexed == reference::index_sort::self)
            index = of.index == 0 ? "self" : "self+" + index;
        return of.name + "[" + index + "]";
    }
    static std::string value(const operand& of) {
        return of.counter.empty() ? std::to_string(of.number) : of.counter;
    }
    static std::string test(const statement& each) {
        return value(each.left) + " " + word(each.compared, comparison_words) + " " +
               value(each.right);
    }
    static std::string gfp(const gfp_flags& flags) {
        std::string text = word(flags.base, gfp_words);
        for (std::size_t i = 0; i < gfp_modifier_words.size(); ++i)
            if ((flags.modifiers >> i & 1U) != 0) text += "|" + std::string(gfp_modifier_words[i]);
        return text;
    }

    template <class Node>
    static std::string threaded(const Node& each) {
        return each.is_threaded ? " threaded" : "";
    }

    static std::string acquire(const statement& each) {
        std::string text = each.is_tried ? "try " : "";
        text += (each.is_read ? "read " : "lock ") + use(each.on);
        if (each.is_slow) text += " slow";
        if (!each.ticket.name.empty())
            text += " with " + each.ticket.name + (each.blocks.empty() ? "" : " else");
        if (each.is_recursive) text += " recursive";
        if (!each.other.name.empty()) text += " nest " + use(each.other);
        if (each.has_subclass) text += " subclass " + std::to_string(each.number);
        return text + (each.is_timed ? " timed" : "");
    }

    static std::string all(const statement& each) { return each.is_all ? " all" : ""; }

    /// Returns a statement up to its first block.
    static std::string head_of(const statement& each) {
        const std::string number = std::to_string(each.number);
        switch (each.what) {
            case action::acquire: return acquire(each);
            case action::release: return "unlock " + use(each.on);
            case action::downgrade: return "downgrade " + use(each.on);
            case action::alloc:
                return "alloc " + number + " " + gfp(each.gfp) +
                       (each.blocks.empty() ? "" : " else");
            case action::free: return "free " + number;
            case action::might_alloc: return "might alloc " + gfp(each.gfp);
            case action::might_lock: return "might lock " + use(each.on);
            case action::reclaim: return "reclaim";
            case action::scope: return "scope " + word(each.scopes, scope_words);
            case action::set: return "set " + use(each.on) + " = " + value(each.right);
            case action::add: return "add " + use(each.on) + " " + value(each.right);
            case action::assert_that: return "assert " + test(each);
            case action::if_that: return "if " + test(each);
            case action::if_held: return "if held " + use(each.on);
            case action::while_that: return "while " + test(each);
            case action::until: return "until " + test(each);
            case action::yield: return "yield";
            case action::progress: return "progress";
            case action::break_loop: return "break";
            case action::return_run: return "return";
            case action::repeat: return "repeat " + number;
            case action::choose: return "choose";
            case action::wait:
                return "wait " + use(each.on) +
                       (each.other.name.empty() ? "" : " " + use(each.other)) +
                       (each.is_timed ? " timeout" : "");
            case action::notify: return "notify " + use(each.on) + all(each);
            case action::join: return "join " + use(each.on);
            case action::ticket_begin:
                return "ww begin " + each.on.name +
                       (each.class_name.empty() ? "" : " class " + each.class_name) +
                       (each.is_wait_die ? " wait_die" : "");
            case action::ticket_done: return "ww done " + each.on.name;
            case action::ticket_end: return "ww end " + each.on.name;
            case action::transaction: return "transaction " + each.on.name;
            case action::invalidate: return "invalidate";
            case action::signal: return "signal " + use(each.on);
            case action::signalling: return "signalling";
            case action::complete: return "complete " + use(each.on) + all(each);
            case action::down: return "down " + use(each.on);
            case action::up: return "up " + use(each.on);
            case action::queue: return "queue " + use(each.on);
            case action::flush: return "flush " + use(each.on);
            case action::cancel: return "cancel " + use(each.on);
            case action::interrupt: return (each.is_hard ? "hardirq" : "softirq") + threaded(each);
            case action::mask:
                return std::string(each.is_hard ? "irq" : "bh") + (each.is_on ? " on" : " off");
            case action::assert_held: return "assert held " + use(each.on);
            case action::pin: return "pin " + use(each.on);
            case action::unpin: return "unpin " + use(each.on);
            case action::init: return "init " + use(each.on);
            case action::sync: return "sync " + use(each.on);
        }
        return {};
    }

    void print(const statement& each) {
        lines(each.before);
        text_ += indent_ + head_of(each);
        for (std::size_t i = 0; i < each.blocks.size(); ++i) {
            if (i > 0) {
                const bool own_line = with_comments_ && !each.blocks[i - 1].closing.empty();
                if (own_line) closing(each.blocks[i - 1].closing);
                text_ += own_line ? indent_ : " ";
                text_ += each.what == action::choose ? "or" : "else";
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
