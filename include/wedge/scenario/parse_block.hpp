// Parses blocks, and what several statements consist of.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/scenario/cursor.hpp"

namespace wedge::scenario::detail {

/// Reads the text of blocks. The rows of statements.hpp call its functions.
class block_parser {
public:
    using read_statement = statement (*)(block_parser&);

    /// @param next  reads one statement, up to its end of line
    block_parser(cursor& text, read_statement next) : at(text), next_(next) {}

    /// Parses a block from `{` to `}`.
    block braces() {
        constexpr unsigned depth_max = 64;  // the stack of a task suffices for that in every build
        block made;
        if (depth_ == depth_max)
            at.fail_here(at.peek().at, "blocks nest deeper than " + std::to_string(depth_max));
        ++depth_;
        const place opened = at.peek().at;
        at.expect("{");
        made.opening = at.comment();
        for (;;) {
            std::vector<std::string> before = at.lines_before();
            if (made.body.empty()) trim_front(before);
            if (at.is("}") || at.is_end()) {
                trim_back(before);
                made.ending = std::move(before);
                break;
            }
            const token& from = at.peek();
            const unsigned depth = depth_;
            const bool is_read = at.errors.attempt([&] { made.body.push_back(next_(*this)); });
            if (!is_read) {
                depth_ = depth;
                may_follow({});
                at.skip_statement(from);
                continue;
            }
            std::vector<std::string>& own = made.body.back().before;
            own.insert(own.begin(), before.begin(), before.end());
        }
        if (at.is_end()) at.fail("'}' for the '{' of line " + std::to_string(opened.line));
        at.expect("}");
        --depth_;
        may_follow({});
        return made;
    }

    /// Parses a block, and possibly another block after `else`.
    void branches(statement& made) {
        made.blocks.push_back(braces());
        if (at.continues("else", made.blocks.back().closing)) {
            at.expect("else");
            made.blocks.push_back(braces());
        } else {
            may_follow({"else"});
        }
    }
    /// Parses the block after `else` only.
    void else_branch(statement& made) {
        std::vector<std::string> between;
        if (at.continues("else", between)) {
            at.expect("else");
            made.blocks.push_back(braces());
            made.before = std::move(between);
        } else if (!between.empty()) {
            made.after = between.front();
        }
    }

    reference used(const std::string& expected) {
        reference made = named(expected);
        if (!at.accept("[")) return made;
        if (at.accept("self")) {
            made.indexed = reference::index_sort::self;
            if (at.accept("+")) made.index = index();
        } else {
            made.indexed = reference::index_sort::number;
            made.index = index();
        }
        at.expect("]");
        return made;
    }
    reference named(const std::string& expected) {
        reference made;
        made.at = at.peek().at;
        made.name = at.name(expected);
        return made;
    }
    operand value() {
        const char* const expected = "a counter or a number";
        operand made;
        made.at = at.peek().at;
        if (at.is_number())
            made.number = at.number(expected);
        else
            made.counter = at.name(expected);
        return made;
    }

    /// Sets the words that could continue the statement here, for messages.
    void may_follow(std::initializer_list<std::string_view> words) { may_follow_ = words; }
    /// Adds a word that could also continue the statement here.
    void may_also_follow(std::string_view word) { may_follow_.push_back(word); }

    /// Reads the end of a statement.
    void end(statement& made) {
        if (made.blocks.empty()) {
            if (std::string behind = at.end_of_statement(or_else()); !behind.empty())
                made.after = std::move(behind);
        } else if (made.blocks.back().closing.empty()) {
            if (std::string behind = at.end_of_statement(or_else()); !behind.empty())
                made.blocks.back().closing.push_back(std::move(behind));
        }
        may_follow({});
    }

    cursor& at;

private:
    std::uint32_t index() {
        return static_cast<std::uint32_t>(at.number("an index or 'self'", 0, 1'000'000));
    }
    std::string or_else() const {
        std::string text;
        for (const std::string_view each : may_follow_)
            text += (text.empty() ? "'" : ", '") + std::string(each) + "'";
        return text.empty() ? text : text + " or ";
    }

    const read_statement next_;
    std::vector<std::string_view> may_follow_;
    unsigned depth_ = 0;
};

}  // namespace wedge::scenario::detail
