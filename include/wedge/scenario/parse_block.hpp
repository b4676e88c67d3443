// Parses blocks, and the statements on control flow, counters and memory.
#pragma once

#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/scenario/parse_sync.hpp"

namespace wedge::scenario::detail {

/// Parses blocks. resolve.hpp checks the names later.
class block_parser final : public sync_statements {
public:
    explicit block_parser(cursor& at) : sync_statements(at) {}

    block braces() override {
        constexpr unsigned depth_max = 64;  // the stack of a task suffices for that in every build
        block made;
        if (depth_ == depth_max)
            at_.fail_here(at_.peek().at, "blocks nest deeper than " + std::to_string(depth_max));
        ++depth_;
        const place opened = at_.peek().at;
        at_.expect("{");
        made.opening = at_.comment();
        for (;;) {
            std::vector<std::string> before = at_.lines_before();
            if (made.body.empty()) trim_front(before);
            if (at_.is("}") || at_.is_end()) {
                trim_back(before);
                made.ending = std::move(before);
                break;
            }
            made.body.push_back(one());
            std::vector<std::string>& own = made.body.back().before;
            own.insert(own.begin(), before.begin(), before.end());
        }
        if (at_.is_end()) at_.fail("'}' for the '{' of line " + std::to_string(opened.line));
        at_.expect("}");
        --depth_;
        return made;
    }

private:
    statement one() {
        const token first = at_.peek();
        const std::size_t word = at_.one_of(statement_words, "a statement");
        statement made;
        made.at = first.at;
        (this->*rows[word])(made);
        if (!made.blocks.empty())
            end_of_blocks(made);
        else if (std::string behind = at_.end_of_statement(or_else_); !behind.empty())
            made.after = std::move(behind);
        or_else_.clear();
        return made;
    }

    /// Reads the end after the last `}` of a statement.
    void end_of_blocks(statement& made) {
        if (!made.blocks.back().closing.empty()) return;
        const std::string behind = at_.end_of_statement(or_else_);
        if (!behind.empty()) made.blocks.back().closing.push_back(behind);
    }

    // One function per row of the table in docs/scenarios.md.

    gfp_flags gfp() {
        gfp_flags made;
        made.base = static_cast<gfp_base>(at_.one_of(gfp_words, "GFP flags as GFP_KERNEL"));
        while (at_.accept("|"))
            made.modifiers = static_cast<std::uint8_t>(
                made.modifiers | (1U << at_.one_of(gfp_modifier_words,
                                                   "NORETRY, RETRY_MAYFAIL, NOFAIL or "
                                                   "NOLOCKDEP")));
        or_else_ = "'|' or ";
        return made;
    }
    void alloc(statement& made) {
        made.what = action::alloc;
        made.number = at_.number("a number of pages", 0, cursor::number_max);
        made.gfp = gfp();
        or_else_ = "'|', 'else' or ";
        else_branch(made);
    }
    void free(statement& made) {
        made.what = action::free;
        made.number = at_.number("a number of pages", 0, cursor::number_max);
    }
    void might(statement& made) {
        if (at_.accept("lock")) {
            made.what = action::might_lock;
            made.on = used("the name of a lock");
            return;
        }
        if (!at_.accept("alloc")) at_.fail("'alloc' or 'lock'");
        made.what = action::might_alloc;
        made.gfp = gfp();
    }
    void reclaim(statement& made) { made.what = action::reclaim; }
    void invalidate(statement& made) { made.what = action::invalidate; }
    void scope(statement& made) {
        made.what = action::scope;
        made.scopes =
            static_cast<std::uint8_t>(at_.one_of(scope_words, "'nofs', 'noio' or 'noreclaim'"));
        made.blocks.push_back(braces());
    }

    operand value(const std::string& expected) {
        operand made;
        made.at = at_.peek().at;
        if (at_.is_number())
            made.number = at_.number(expected);
        else
            made.counter = at_.name(expected);
        return made;
    }
    void test(statement& made) {
        made.left = value("a counter or a number");
        made.compared =
            static_cast<comparison>(at_.one_of(comparison_words, "'==', '!=', '<' or '>'"));
        made.right = value("a counter or a number");
    }
    void set(statement& made) {
        made.what = action::set;
        made.on = used("the name of a counter");
        at_.expect("=");
        made.right = value("a counter or a number");
    }
    void add(statement& made) {
        made.what = action::add;
        made.on = used("the name of a counter");
        made.right = value("a counter or a number");
    }
    void assert_that(statement& made) {
        made.what = action::assert_that;
        if (at_.accept("held")) return simple(made, action::assert_held, "the name of a lock");
        test(made);
    }
    void if_that(statement& made) {
        made.what = action::if_that;
        if (at_.accept("held")) {
            made.what = action::if_held;
            made.on = used("the name of a lock");
        } else {
            test(made);
        }
        branches(made);
    }
    void while_that(statement& made) {
        made.what = action::while_that;
        test(made);
        made.blocks.push_back(braces());
    }
    void until(statement& made) {
        made.what = action::until;
        test(made);
    }
    void yield(statement& made) { made.what = action::yield; }
    void progress(statement& made) { made.what = action::progress; }
    void break_loop(statement& made) { made.what = action::break_loop; }
    void return_run(statement& made) { made.what = action::return_run; }
    void repeat(statement& made) {
        made.what = action::repeat;
        made.number = at_.number("how often", 0, cursor::number_max);
        made.blocks.push_back(braces());
    }
    void choose(statement& made) {
        made.what = action::choose;
        made.blocks.push_back(braces());
        while (at_.continues("or", made.blocks.back().closing)) {
            at_.expect("or");
            made.blocks.push_back(braces());
        }
        or_else_ = "'or' or ";
    }
    using row = void (block_parser::*)(statement&);
    /// In the order of `statement_words`.
    static constexpr row rows[] = {
        &block_parser::lock,        &block_parser::read,       &block_parser::unlock,
        &block_parser::downgrade,   &block_parser::try_lock,   &block_parser::alloc,
        &block_parser::free,        &block_parser::might,      &block_parser::reclaim,
        &block_parser::scope,       &block_parser::set,        &block_parser::add,
        &block_parser::assert_that, &block_parser::if_that,    &block_parser::while_that,
        &block_parser::until,       &block_parser::yield,      &block_parser::progress,
        &block_parser::break_loop,  &block_parser::return_run, &block_parser::repeat,
        &block_parser::choose,      &block_parser::wait,       &block_parser::notify,
        &block_parser::join,        &block_parser::ticket,     &block_parser::transaction,
        &block_parser::invalidate,  &block_parser::signal,     &block_parser::signalling,
        &block_parser::complete,    &block_parser::down,       &block_parser::up,
        &block_parser::queue,       &block_parser::flush,      &block_parser::cancel,
        &block_parser::hardirq,     &block_parser::softirq,    &block_parser::irq,
        &block_parser::bh,          &block_parser::pin,        &block_parser::unpin,
        &block_parser::init,        &block_parser::sync,
    };
    static_assert(std::size(rows) == statement_words.size());

    unsigned depth_ = 0;
};

}  // namespace wedge::scenario::detail
