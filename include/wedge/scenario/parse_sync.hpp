// Parses the statements on locks, tickets, and things to wait for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wedge/scenario/cursor.hpp"

namespace wedge::scenario::detail {

/// One function per row of the language's tables. The derived class parses the blocks.
class sync_statements {
public:
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

protected:
    explicit sync_statements(cursor& at) : at_(at) {}
    ~sync_statements() = default;

    /// Parses a block from `{` to `}`.
    virtual block braces() = 0;

    /// Parses a block, and possibly another block after `else`.
    void branches(statement& made) {
        made.blocks.push_back(braces());
        if (at_.continues("else", made.blocks.back().closing)) {
            at_.expect("else");
            made.blocks.push_back(braces());
        } else {
            or_else_ = "'else' or ";
        }
    }
    /// Parses the block after `else` only.
    void else_branch(statement& made) {
        std::vector<std::string> between;
        if (at_.continues("else", between)) {
            at_.expect("else");
            made.blocks.push_back(braces());
            made.before = std::move(between);
        } else if (!between.empty()) {
            made.after = between.front();
        }
    }

    void simple(statement& made, action what, const char* expected) {
        made.what = what;
        made.on = used(expected);
    }

    void lock(statement& made) { acquire(made, false); }
    void read(statement& made) { acquire(made, true); }
    void try_lock(statement& made) {
        constexpr std::array<std::string_view, 2> sorts = {"lock", "read"};
        made.is_tried = true;
        acquire(made, at_.one_of(sorts, "'lock' or 'read'") == 1);
        or_else_ = "'{' or ";
        if (at_.is("{")) branches(made);
    }
    void unlock(statement& made) { simple(made, action::release, "the name of a lock"); }
    void downgrade(statement& made) { simple(made, action::downgrade, "the name of a lock"); }

    void ticket(statement& made) {
        constexpr action whats[] = {action::ticket_begin, action::ticket_done, action::ticket_end};
        made.what = whats[at_.one_of(ticket_words, "'begin', 'done' or 'end'")];
        named_ticket(made.on);
        if (made.what != action::ticket_begin) return;
        or_else_ = "'class', 'wait_die' or ";
        if (at_.accept("class")) made.class_name = at_.name("the name of a class");
        made.is_wait_die = at_.accept("wait_die");
    }
    void transaction(statement& made) {
        made.what = action::transaction;
        named_ticket(made.on);
        made.blocks.push_back(braces());
    }

    void wait(statement& made) {
        simple(made, action::wait, "the name of a fence, a completion or a condition");
        if (at_.is_name()) made.other = used("the name of the lock that is held");
        or_else_ = "'timeout' or ";
        if (at_.accept("timeout")) {
            made.is_timed = true;
            made.blocks.push_back(braces());
        }
    }
    void notify(statement& made) {
        simple(made, action::notify, "the name of a condition");
        all(made);
    }
    void complete(statement& made) {
        simple(made, action::complete, "the name of a completion");
        all(made);
    }
    void signal(statement& made) { simple(made, action::signal, "the name of a fence"); }
    void signalling(statement& made) {
        made.what = action::signalling;
        made.blocks.push_back(braces());
    }
    void down(statement& made) { simple(made, action::down, "the name of a semaphore"); }
    void up(statement& made) { simple(made, action::up, "the name of a semaphore"); }
    void join(statement& made) { simple(made, action::join, "the name of a thread"); }
    void queue(statement& made) { simple(made, action::queue, "the name of a work"); }
    void flush(statement& made) { simple(made, action::flush, "the name of a work"); }
    void cancel(statement& made) { simple(made, action::cancel, "the name of a work"); }

    void hardirq(statement& made) {
        made.is_threaded = at_.accept("threaded");
        made.is_hard = true;
        softirq(made);
    }
    void softirq(statement& made) {
        made.what = action::interrupt;
        made.blocks.push_back(braces());
    }
    void irq(statement& made) {
        made.is_hard = true;
        bh(made);
    }
    void bh(statement& made) {
        made.what = action::mask;
        made.is_on = at_.one_of(switch_words, "'off' or 'on'") == 1;
    }

    void pin(statement& made) { simple(made, action::pin, "the name of a lock"); }
    void unpin(statement& made) { simple(made, action::unpin, "the name of a lock"); }
    void init(statement& made) { simple(made, action::init, "the name of a lock"); }
    void sync(statement& made) { simple(made, action::sync, "the name of a lock"); }

    cursor& at_;
    std::string or_else_;  // what could also follow, for messages

private:
    std::uint32_t index() {
        return static_cast<std::uint32_t>(at_.number("an index or 'self'", 0, 1'000'000));
    }
    void named_ticket(reference& made) {
        made.at = at_.peek().at;
        made.name = at_.name("the name of a ticket");
    }
    void all(statement& made) {
        made.is_all = at_.accept("all");
        if (!made.is_all) or_else_ = "'all' or ";
    }

    void acquire(statement& made, bool is_read) {
        made.what = action::acquire;
        made.is_read = is_read;
        made.on = used("the name of a lock");
        or_else_ = is_read ? "'recursive', 'timed', 'nest', 'subclass' or "
                           : "'timed', 'nest', 'subclass', 'with' or ";
        if (!is_read && !made.is_tried && (at_.is("with") || at_.is("slow")))
            return with_ticket(made);
        if (is_read) made.is_recursive = at_.accept("recursive");
        for (;;) {
            if (made.other.name.empty() && at_.accept("nest")) {
                made.other = used("the name of the lock that is held");
            } else if (!made.has_subclass && at_.accept("subclass")) {
                made.has_subclass = true;
                made.number = at_.number("a subclass", 0, 255);
            } else {
                break;
            }
        }
        if (!made.is_tried && at_.accept("timed")) {
            made.is_timed = true;
            branches(made);
        }
    }
    void with_ticket(statement& made) {
        made.is_slow = at_.accept("slow");
        at_.expect("with");
        named_ticket(made.ticket);
        if (made.is_slow) {
            or_else_.clear();
            return;
        }
        or_else_ = "'else' or ";
        else_branch(made);
    }
};

}  // namespace wedge::scenario::detail
