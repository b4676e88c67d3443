// The second meaning of a scenario: the steps that lead from one state to another.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/verify/sequences.hpp"

namespace wedge::verify {

/// Takes steps in a state.
class machine final : public sequencing {
public:
    machine(const script& all, chooser& answers, bool is_alone = false)
        : sequencing(all, answers, is_alone) {}

    static constexpr std::int64_t for_ever = -1;
    bool has_failed = false;  ///< an assertion failed
    bool has_progressed = false;

    void begin() {
        now.tasks.resize(all_.tasks.size());
        now.locks.resize(all_.locks.size());
        now.sleepers.resize(all_.conditions);
        now.counts = all_.counts;
        now.counters = all_.counters;
        for (std::size_t i = 0; i < now.tasks.size(); ++i) begin(i);
    }
    void begin(std::size_t i) {
        self_ = i;
        me().at = all_.tasks[i].body + 1;
        me().locals = all_.counters;
        advance();
    }

    bool is_enabled(std::size_t i) {
        self_ = i;
        if (me().is_done) return false;
        std::size_t at = me().at;
        const std::string& what = word_at(at);
        if (me().leaves != leaving::nothing || me().is_ending) return true;
        if (what == "interrupt") return !victims(all_.is_hard[handler_at(at + 1)]).empty();
        if (what == "lock") {
            std::size_t behind = at + 1;
            const std::size_t which = lock_of(behind);
            if (has_ticket_at(behind)) return ticket_is_enabled(which, all_.is(behind, "slow"));
        }
        if (is_among(what, "lock read")) {
            std::size_t behind = at + 1;
            const std::size_t which = lock_of(behind);
            if (is_sequence(which)) return sequence_is_enabled(which, what == "read");
        }
        if (is_among(what, "lock read sync")) return lock_is_enabled(at, what);
        if (what == "join") return is_joined(at);
        if (what == "down" || what == "wait") {
            const object& on = all_.named(at + 1);
            if (on.sort == "count")
                return now.counts[on.first] != 0 || me().waits == phase::broken || is_timed(at + 2);
            if (me().waits == phase::fresh) return true;
            const std::size_t held = lock_of(at += 2);
            return (me().waits == phase::woken || is_timed(at)) && can_acquire(held, false, false);
        }
        return true;
    }
    /// Returns whether the task waits for work that need not come.
    bool is_idle(std::size_t i) const {
        const task& one = now.tasks[i];
        return one.waits != phase::woken && all_.is(one.at - 1, "idle");
    }

    /// Takes the next step of an enabled task.
    void step(std::size_t i) {
        self_ = i;
        has_progressed = false;
        if (me().is_ending)
            end_task();
        else if (me().leaves != leaving::nothing && is_in_transaction())
            release_last_ticketed();
        else if (me().leaves != leaving::nothing && is_in_context())
            leave_context();
        else if (me().leaves == leaving::failed)
            give_back(me().taken.back());
        else
            perform(me().at);
        advance();
    }

    /// Returns the lock that a task, run alone, is about to wait for; `nowhere` if it waits for
    /// none.
    std::size_t awaited(std::size_t i) {
        self_ = i;
        std::size_t at = me().at;
        if (me().is_done || me().leaves != leaving::nothing || !is_among(word_at(at), "lock read"))
            return nowhere;
        const std::size_t which = lock_of(++at);
        const bool recurs = kind(which) == "recursive_mutex" && holds(which);
        return recurs || is_timed(at) ? nowhere : which;
    }

private:
    /// A run that fails releases what it has taken.
    void give_back(std::size_t which) {
        if (!is_sequence(which)) return release(which);
        if (end_writing(which)) me().taken.pop_back();
    }
    /// Moves to the next visible step.
    void advance() {
        for (;;) {
            if (has_failed || me().is_done) return;
            if (me().is_ending) {
                if (has_handlers() && self_ < all_.threads) return;
                end_task();
            } else if (me().leaves != leaving::nothing) {
                if (unwind()) return;
            } else if (all_.is(me().at, "}")) {
                if (end_block(me().at)) return;
            } else if (is_visible(me().at)) {
                return;
            }
        }
    }
    void end_task() {
        if (me().age != 0) end_ticket();
        me() = {};
        me().is_done = true;
    }
    /// Then what is no step else is one, since a handler may come before it.
    bool has_handlers() const { return !all_.handlers.empty(); }
    std::size_t handler_at(std::size_t at) const {
        std::size_t handler = 0;
        while (all_.handlers.at(handler) != word_at(at)) ++handler;
        return handler;
    }
    /// A handler comes on top of some task, and goes on to its first step.
    void come(std::size_t at) {
        const std::size_t handler = handler_at(at + 1), mine = self_;
        const std::vector<std::size_t> whom = victims(all_.is_hard[handler]);
        self_ = whom[whom.size() == 1 ? 0 : answers_.choose(whom.size())];
        interrupt(handler);
        advance();
        self_ = mine;
        move(at + 2);
    }
    bool is_in_transaction() const {
        const std::size_t open = all_.words[now.tasks[self_].at].inside;
        return all_.is(all_.words[open].owner, "transaction");
    }
    /// Whether the innermost block is a `hardirq { }` or a `softirq { }`.
    bool is_in_context() const {
        const std::size_t open = all_.words[now.tasks[self_].at].inside;
        const std::size_t owner = all_.words[open].owner;
        return owner != open && is_among(word_at(owner), "hardirq softirq");
    }
    /// Out of that block: behind it, or on the way out of others.
    void leave_context() {
        const std::size_t open = all_.words[me().at].inside;
        leave();
        me().leaves == leaving::nothing ? pass(all_.words[open].match + 1) : move(open);
    }
    /// Leaves a block. Returns whether a visible step comes first.
    bool unwind() {
        const std::size_t open = all_.words[me().at].inside, owner = all_.words[open].owner;
        const std::string& what = word_at(owner);
        if (owner == open) {
            const std::size_t first = me().frames.empty() ? 0 : me().frames.back().taken;
            while (me().leaves == leaving::failed && me().taken.size() > first) {
                if (!is_unseen(me().taken.back())) return true;
                release(me().taken.back());
            }
            me().leaves = leaving::nothing;
            move(all_.words[open].match);
            return false;
        }
        if (what == "repeat") me().rounds.pop_back();
        if (what == "scope") enter_scope(owner, -1);
        if (is_reader(open)) me().readings.pop_back();
        if (what == "transaction") {
            if (last_ticketed() != nowhere) return true;
            end_ticket();
        }
        if (is_in_context()) {
            if (has_handlers()) return true;
            leave();
        }
        const bool is_out = me().leaves == leaving::loop && is_among(what, "while repeat loop");
        if (is_out) me().leaves = leaving::nothing;
        move(is_out ? all_.words[open].match + 1 : open);
        return false;
    }
    /// Handles the end of a block. Returns whether a visible step comes first.
    bool end_block(std::size_t at) {
        const std::size_t open = all_.words[at].match, owner = all_.words[open].owner;
        const std::string& what = word_at(owner);
        if (owner == open) {
            end_run();
        } else if (what == "while") {
            move(owner);
        } else if (what == "transaction") {
            if (last_ticketed() != nowhere) return true;
            end_ticket();
            move(at + 1);
        } else if (what == "scope") {
            enter_scope(owner, -1);
            move(at + 1);
        } else if (is_reader(open)) {
            return true;
        } else if (what == "loop") {
            move(open + 1);
        } else if (what == "repeat") {
            if (!has_visible(open)) return true;
            next_round(at);
        } else {
            if (!is_in_context()) return pass(at + 1), false;
            if (has_handlers()) return true;
            leave_context();
        }
        return false;
    }
    void end_run() {
        if (me().frames.empty())
            me().is_ending = true;
        else
            end_frame();
    }
    void next_round(std::size_t at) {
        const std::size_t open = all_.words[at].match;
        if (++me().rounds.back() < all_.number(all_.words[open].owner + 1)) return move(open + 1);
        me().rounds.pop_back();
        move(at + 1);
    }
    /// Returns whether the word is a visible step. If not, the word is a part of the step before,
    /// and the task moves past it.
    bool is_visible(std::size_t at) {
        const std::string& what = word_at(at);
        if (what == "try" && all_.is(at + 1, "get")) return true;
        if (is_among(what, "lock read try unlock")) return is_visible_lock(at);
        if (what == "wait") return wait_is_visible(at);
        if (what == "wake") {
            const bool is_all = all_.is(at + 2, "all");
            const std::string which = word_at(at + 1) + (is_all ? " all" : " one");
            return call("wake " + which, at + (is_all ? 3 : 2)), false;
        }
        if (is_among(what, "timeout interrupted"))
            return branch(at + 1, std::exchange(hidden("wait.ended"), 0) != 0), false;
        if (is_among(what, "enlist delist")) return change_queue(at), false;
        if (what == "listed") return branch(at + 2, is_listed(at + 1)), false;
        if (what == "rouse") return branch(at + 3, rouse(at + 1)), false;
        if (is_among(what, "choose break return repeat")) return control(at), false;
        if (is_among(what, "hardirq softirq irq bh"))
            return has_handlers() || (change_context(at), false);
        if (is_among(what, "if assert"))
            return !all_.is(at + 1, "held") || has_handlers() || (look_at_holds(at), false);
        if (what == "progress") has_progressed = true;
        if (what == "transaction" || (what == "ww" && all_.is(at + 1, "begin"))) return true;
        if (what == "ww") {
            if (all_.is(at + 1, "end")) end_ticket();
            return move(at + 3), false;
        }
        if (is_among(what, "progress idle whole")) return move(at + 1), false;
        if (is_among(what, "signalling loop")) return move(at + 2), false;
        if (is_among(what, "pin unpin init") || (what == "might" && all_.is(at + 1, "lock")))
            return lock_of(at += what == "might" ? 2 : 1), move(at), false;
        if (is_among(what, "queue flush cancel drop"))
            return call(what + " " + word_at(at + 1), at + 2), false;
        if (what == "alloc") return alloc_is_visible(at);
        if (what == "scope") return enter_scope(at, 1), move(at + 3), false;
        if (what == "might" && all_.is(at + 1, "alloc")) return move(behind_flags(at + 3)), false;
        if (what == "invalidate") return call("zone.notifiers", at + 1), false;
        if (what == "reclaim") return reclaim(at), false;
        if (what == "run") return call(word_at(at + 1), at + 2), false;
        if (what == "flag") return branch(at + 4, test(at + 1)), false;
        if (what == "let") {
            std::int64_t& kept = counter(at + 1);
            kept = (all_.is(at + 2, "+") ? kept : 0) + value(at + 3);
            return move(at + 4), false;
        }
        if (!is_among(what,
                      "free interrupt sync downgrade down get put set add while until yield "
                      "notify signal "
                      "complete up join"))
            all_.refuse(at, "`" + what + "`");
        return true;
    }
    /// A wait for a wait queue calls a role. Before a wait for a completion that a signal may end,
    /// it is decided whether one does.
    bool wait_is_visible(std::size_t at) {
        if (all_.is_queue(at + 1)) {
            const std::size_t behind = all_.test_of_wait(at) + 3;
            return call("wait " + std::to_string(at), behind), false;
        }
        if (all_.is(at + 2, "interrupted") && me().waits == phase::fresh)
            me().waits = answers_.choose(2) == 0 ? phase::unbroken : phase::broken;
        return true;
    }
    bool is_visible_lock(std::size_t at) {
        const bool is_release = all_.is(at, "unlock");
        at += all_.is(at, "try") ? 2 : 1;
        const std::size_t which = lock_of(at);
        if (has_ticket_at(at) && is_mine(which) && me().waits == phase::fresh) {
            at += all_.is(at, "slow") ? 3 : 2;
            return move(all_.is(at, "else") ? all_.words[at + 1].match + 1 : at), false;
        }
        if (!is_unseen(which)) return true;
        if (is_release) return release(which), move(at), false;
        acquire(which, true);
        return skip_terms(at, ""), branch_of_map(at), false;
    }
    void look_at_holds(std::size_t at) {
        const bool is_test = word_at(at) == "if";
        const std::size_t which = lock_of(at += 2);
        const bool is_held = is_alone_ ? is_test && answers_.choose(2) == 0 : holds(which);
        is_test ? branch(at, is_held) : move(at);
    }
    void branch_of_map(std::size_t at) { all_.is(at, "{") ? branch(at, true) : move(at); }
    void control(std::size_t at) {
        const std::string& what = word_at(at);
        if (what == "repeat") {
            if (all_.number(at + 1) == 0) return move(all_.words[at + 2].match + 1);
            me().rounds.push_back(0);
            return move(at + 3);
        }
        if (what != "choose") {
            me().leaves = what == "break" ? leaving::loop : leaving::run;
            return;
        }
        std::vector<std::size_t> blocks;
        do {
            blocks.push_back(at + 2);
            at = all_.words[at + 1].match + 1;
        } while (all_.is(at, "or"));
        move(blocks[blocks.size() == 1 ? 0 : answers_.choose(blocks.size())]);
    }
    void change_context(std::size_t at) {
        const std::string& what = word_at(at);
        if (is_among(what, "irq bh")) {
            (what == "irq" ? me().in.irq_is_off : me().in.bh_is_off) = all_.is(at + 1, "off");
            move(at + 2);
        } else {
            enter(what == "hardirq");
            move(at + (all_.is(at + 1, "threaded") ? 3 : 2));
        }
    }

    /// Takes the visible step at a word.
    void perform(std::size_t at) {
        const std::string& what = word_at(at);
        if (is_among(what, "get put") || (what == "try" && all_.is(at + 1, "get")))
            return count_reference(at);
        if (is_among(what, "lock read try")) return take_lock(at);
        if (is_among(what, "unlock downgrade sync")) return give_lock(at);
        if (is_among(what, "wait down")) return wait(at);
        if (is_among(what, "hardirq softirq irq bh")) return change_context(at);
        if (is_among(what, "if assert") && all_.is(at + 1, "held")) return look_at_holds(at);
        if (is_among(what, "if while until assert")) return decide(at);
        if (is_among(what, "signal complete up")) {
            std::int64_t& count = now.counts[all_.named(at + 1).first];
            const bool is_all = all_.is(at + 2, "all");
            count = what == "signal" || is_all || count == for_ever ? for_ever : count + 1;
            return move(at + (is_all ? 3 : 2));
        }
        if (is_among(what, "transaction ww")) return begin_ticket(at);
        if (what == "alloc") return alloc(at);
        if (what == "free") return free_pages(at);
        if (what == "interrupt") return come(at);
        if (what == "}" && is_reader(all_.words[at].match)) return end_reading(at);
        if (what == "}" && is_in_transaction()) return release_last_ticketed();
        if (what == "}") return is_in_context() ? leave_context() : next_round(at);
        if (what == "notify") return notify(at);
        if (what == "join") {
            const object& whom = all_.objects.at("task " + word_at(at + 1));
            if (++me().joined == whom.count) move(at + 2);
        } else if (what == "yield") {
            move(at + 1);
        } else {
            constexpr std::int64_t most = std::int64_t{1} << 60;
            const bool is_set = what == "set";
            const std::int64_t by = value(at + (is_set ? 3 : 2));
            std::int64_t& kept = counter(at + 1);
            kept = is_set ? by : std::clamp(kept + by, -most, most);
            move(at + (is_set ? 4 : 3));
        }
    }
    /// A `try get` looks at the number, and then adds one if the number is still the same.
    void count_reference(std::size_t at) {
        const bool is_tried = all_.is(at, "try"), is_put = all_.is(at, "put");
        std::int64_t& number = counter(at += is_tried ? 2 : 1);
        if (!is_tried) {
            has_failed = number == 0;
            number += is_put ? -1 : 1;
            const bool is_last = is_put && number == 0;
            return is_last ? call(word_at(at), at + 1) : move(at + 1);
        }
        const auto known = static_cast<std::size_t>(number);
        const bool is_same = me().waits == phase::counted && me().joined == known;
        if (known == 0 || is_same) {
            number += is_same ? 1 : 0;
            return branch(at + 1, is_same);
        }
        me().waits = phase::counted;
        me().joined = known;
    }
    bool is_joined(std::size_t at) {
        const object& whom = all_.objects.at("task " + word_at(at + 1));
        return now.tasks[whom.first + me().joined].is_done;
    }
    void take_lock(std::size_t at) {
        const bool is_tried = all_.is(at, "try");
        const bool is_read = all_.is(is_tried ? at + 1 : at, "read");
        const std::size_t which = lock_of(at += is_tried ? 2 : 1);
        if (has_ticket_at(at)) return take_with_ticket(which, at);
        if (is_sequence(which))
            return is_read ? begin_reading(which, at) : begin_writing(which, at);
        const bool may_give_up = is_tried || is_timed(at);
        const bool is_map = kind(which) == "map";
        const bool is_recursive = skip_terms(at, "recursive");
        const bool passes = is_map || passes_queue(which, is_read, is_recursive);
        if (is_alone_ && may_give_up ? answers_.choose(2) == 0
                                     : can_acquire(which, is_read || is_map, passes)) {
            acquire(which, is_read || is_map);
            return all_.is(at, "{") ? branch(at, true) : move(at);
        }
        if (!is_tried && has_queue(which) && me().waits == phase::fresh && !is_alone_) {
            now.locks[which].queue.push_back({waiter(), is_read});
            me().waits = phase::queued;
            return;
        }
        forget(now.locks[which]);
        branch(at, false);
    }
    void give_lock(std::size_t at) {
        const std::string& what = word_at(at);
        const std::size_t which = lock_of(++at);
        lock& one = now.locks[which];
        if (what == "sync" && me().waits == phase::fresh) {
            one.holders.push_back({self_, false});
            me().waits = phase::queued;
            return;
        }
        if (what == "unlock" && is_sequence(which)) {
            if (!end_writing(which)) return;
            forget_taken(which);
            return move(at);
        }
        if (what == "unlock") release(which);
        if (what == "sync") drop(which);
        for (use& each : one.holders)
            if (what == "downgrade" && each.task == self_) each.is_shared = true;
        move(at);
    }
    void wait(std::size_t at) {
        const object& on = all_.named(at + 1);
        bool is_over = true;
        at += 2;
        if (on.sort == "condition") {
            const std::size_t held = lock_of(at);
            std::vector<std::size_t>& sleepers = now.sleepers[on.first];
            if (me().waits == phase::fresh) {
                drop(held);
                const bool may_wake = !me().has_woken;
                if (may_wake) me().has_woken = answers_.choose(2) != 0;
                me().waits = may_wake && me().has_woken ? phase::woken : phase::sleeping;
                if (me().waits == phase::sleeping) sleepers.push_back(waiter());
                return;
            }
            now.locks[held].holders.push_back({self_, false});
            is_over = me().waits == phase::woken;
            std::erase(sleepers, waiter());
        } else if (std::int64_t& count = now.counts[on.first]; count != 0) {
            count -= count == for_ever ? 0 : 1;
        } else {
            is_over = false;
        }
        if (!is_among(word_at(at), "timeout interrupted")) return move(at);
        move(is_over ? all_.words[at + 1].match + 1 : at + 2);
    }
    void notify(std::size_t at) {
        std::vector<std::size_t>& sleepers = now.sleepers[all_.named(at + 1).first];
        const bool is_all = all_.is(at + 2, "all");
        while (!sleepers.empty()) {
            const std::size_t n = sleepers.size();
            const std::size_t who = is_all || n == 1 ? 0 : answers_.choose(n);
            phase_of(sleepers[who]) = phase::woken;
            sleepers.erase(sleepers.begin() + static_cast<std::ptrdiff_t>(who));
            if (!is_all) break;
        }
        move(at + (is_all ? 3 : 2));
    }
    void decide(std::size_t at) {
        const std::string& what = word_at(at);
        const bool is_so = test(at + 1);
        if (what == "if") return branch(at + 4, is_so);
        if (what == "while") return move(is_so ? at + 5 : all_.words[at + 4].match + 1);
        if (what == "until") return move(is_so ? at + 4 : at);
        has_failed = !is_so;
        move(at + 4);
    }
};

}  // namespace wedge::verify
