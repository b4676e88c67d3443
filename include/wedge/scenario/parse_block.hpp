// Parsing the statements of a block.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/scenario/cursor.hpp"

namespace wedge::scenario::detail {

/// Reads blocks; what the names mean is checked later (resolve.hpp).
class block_parser {
public:
    explicit block_parser(cursor& at) : at_(at) {}

    /// From `{` to `}`.
    block braces() {
        constexpr unsigned depth_max = 64;  // what a task's stack bears in every build
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

    reference used(const std::string& expected) {
        reference made;
        made.at = at_.peek().at;
        made.name = at_.name(expected);
        if (!at_.accept("[")) return made;
        if (at_.accept("self")) {
            made.indexed = reference::index_sort::self;
            if (at_.accept("+")) made.index = index();
        } else {
            made.indexed = reference::index_sort::number;
            made.index = index();
        }
        at_.expect("]");
        return made;
    }

private:
    std::uint32_t index() {
        return static_cast<std::uint32_t>(at_.number("an index or 'self'", 0, 1'000'000));
    }

    statement one() {
        const token first = at_.peek();
        if (first.what == token::sort::word) {
            const std::size_t i = place_among(first.text, statement_words);
            if (i >= statements_supported && i < statements_known)
                at_.fail_unsupported(first.at, first.text);
        }
        constexpr const char* expected = "a statement";
        const std::size_t word = at_.one_of(startable(), expected);
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

    static std::vector<std::string_view> startable() {
        return {statement_words.begin(), statement_words.begin() + statements_supported};
    }

    /// Behind the last `}` of a statement.
    void end_of_blocks(statement& made) {
        if (!made.blocks.back().closing.empty()) return;
        const std::string behind = at_.end_of_statement(or_else_);
        if (!behind.empty()) made.blocks.back().closing.push_back(behind);
    }

    /// A block, and another one behind `else`.
    void branches(statement& made) {
        made.blocks.push_back(braces());
        otherwise(made);
    }
    void otherwise(statement& made) {
        if (at_.continues("else", made.blocks.back().closing)) {
            at_.expect("else");
            made.blocks.push_back(braces());
        } else {
            or_else_ = "'else' or ";
        }
    }

    // One function a row of the table in the language's text.

    void lock(statement& made) { acquire(made, false); }
    void read(statement& made) { acquire(made, true); }
    void acquire(statement& made, bool is_read) {
        made.what = action::acquire;
        made.is_read = is_read;
        made.on = used("the name of a lock");
        or_else_ = "'timed', 'subclass' or ";
        const token word = at_.peek();
        if (is_read && at_.accept("recursive")) made.is_recursive = true;
        if (at_.is("nest") || at_.is("with") || at_.is("slow"))
            at_.fail_unsupported(word.at, word.text);
        if (at_.accept("subclass")) {
            made.has_subclass = true;
            made.number = at_.number("a subclass", 0, 255);
        }
        if (!made.is_tried && at_.accept("timed")) {
            made.is_timed = true;
            branches(made);
        }
    }
    void unlock(statement& made) { simple(made, action::release, "the name of a lock"); }
    void downgrade(statement& made) { simple(made, action::downgrade, "the name of a lock"); }
    void simple(statement& made, action what, const char* expected) {
        made.what = what;
        made.on = used(expected);
    }

    void try_lock(statement& made) {
        made.is_tried = true;
        constexpr std::string_view sorts[] = {"lock", "read"};
        const std::vector<std::string_view> words(std::begin(sorts), std::end(sorts));
        acquire(made, at_.one_of(words, "'lock' or 'read'") == 1);
        or_else_ = "'{' or ";
        if (at_.is("{")) branches(made);
    }

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
        std::vector<std::string> between;
        if (at_.continues("else", between)) {
            at_.expect("else");
            made.blocks.push_back(braces());
            made.before = std::move(between);
        } else if (!between.empty()) {
            made.after = between.front();
        }
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
        if (at_.is("held")) at_.fail_unsupported(at_.peek().at, "assert held");
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
    void wait(statement& made) {
        made.what = action::wait;
        made.on = used("the name of a condition");
        made.other = used("the name of the lock that is held");
        or_else_ = "'timeout' or ";
        if (at_.accept("timeout")) {
            made.is_timed = true;
            made.blocks.push_back(braces());
        }
    }
    void notify(statement& made) {
        simple(made, action::notify, "the name of a condition");
        made.is_all = at_.accept("all");
        if (!made.is_all) or_else_ = "'all' or ";
    }
    void join(statement& made) { simple(made, action::join, "the name of a thread"); }

    using row = void (block_parser::*)(statement&);
    /// In the order of `statement_words`.
    static constexpr row rows[statements_supported] = {
        &block_parser::lock,        &block_parser::read,       &block_parser::unlock,
        &block_parser::downgrade,   &block_parser::try_lock,   &block_parser::alloc,
        &block_parser::free,        &block_parser::might,      &block_parser::reclaim,
        &block_parser::scope,       &block_parser::set,        &block_parser::add,
        &block_parser::assert_that, &block_parser::if_that,    &block_parser::while_that,
        &block_parser::until,       &block_parser::yield,      &block_parser::progress,
        &block_parser::break_loop,  &block_parser::return_run, &block_parser::repeat,
        &block_parser::choose,      &block_parser::wait,       &block_parser::notify,
        &block_parser::join,
    };

    cursor& at_;
    unsigned depth_ = 0;
    std::string or_else_;  // what might also follow, for messages
};

}  // namespace wedge::scenario::detail
