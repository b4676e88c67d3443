// The second meaning of a scenario: the steps that lead from one state to another.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/verify/sequences.hpp"
#include "wedge/verify/state.hpp"
#include "wedge/verify/tickets.hpp"
#include "wedge/verify/zone.hpp"

namespace wedge::verify {

/// Takes steps in a state.
class machine {
public:
    machine(const script& all, chooser& answers, bool is_alone = false)
        : all_(all), here_(all, answers, is_alone) {}
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    state& now() noexcept { return here_.now; }

    static constexpr std::int64_t for_ever = -1;
    bool has_failed = false;  ///< an assertion failed
    bool has_progressed = false;
    bool has_limited_wakes = false;  ///< the step began a wait that did not end by itself again

    void begin() {
        here_.now.tasks.resize(all_.tasks.size());
        here_.now.locks.resize(all_.locks.size());
        here_.now.sleepers.resize(all_.conditions);
        here_.now.counts = all_.counts;
        here_.now.counters = all_.counters;
        for (std::size_t i = 0; i < here_.now.tasks.size(); ++i) begin(i);
    }
    void begin(std::size_t i) {
        here_.self = i;
        here_.me().at = all_.tasks[i].body + 1;
        here_.me().locals = all_.counters;
        advance();
    }

    bool is_enabled(std::size_t i) {
        here_.self = i;
        if (here_.me().is_done) return false;
        std::size_t at = here_.me().at;
        const std::string& what = here_.word_at(at);
        if (here_.me().leaves != leaving::nothing || here_.me().is_ending) return true;
        if (what == "interrupt") return !here_.victims(all_.is_hard[handler_at(at + 1)]).empty();
        if (what == "lock") {
            std::size_t behind = at + 1;
            const std::size_t which = here_.lock_of(behind);
            if (tickets_.has_ticket_at(behind))
                return tickets_.ticket_is_enabled(which, all_.is(behind, "slow"));
        }
        if (is_among(what, "lock read")) {
            std::size_t behind = at + 1;
            const std::size_t which = here_.lock_of(behind);
            if (sequences_.is_sequence(which))
                return sequences_.sequence_is_enabled(which, what == "read");
        }
        if (is_among(what, "lock read sync")) return here_.lock_is_enabled(at, what);
        if (what == "join") return is_joined(at);
        if (what == "down" || what == "wait") {
            const object& on = all_.named(at + 1);
            if (on.sort == "count")
                return here_.now.counts[on.first] != 0 || here_.me().waits == phase::broken ||
                       here_.is_timed(at + 2);
            if (here_.me().waits == phase::fresh) return true;
            const std::size_t held = here_.lock_of(at += 2);
            return here_.me().waits == phase::sleeping ? here_.is_timed(at) : can_relock(held);
        }
        return true;
    }
    /// Returns whether the task waits for work that need not come.
    bool is_idle(std::size_t i) const {
        const task& one = here_.now.tasks[i];
        return one.waits != phase::woken && one.waits != phase::gave_up &&
               all_.is(one.at - 1, "idle");
    }

    /// Takes the next step of an enabled task.
    void step(std::size_t i) {
        here_.self = i;
        has_progressed = has_limited_wakes = false;
        if (here_.me().is_ending)
            end_task();
        else if (here_.me().leaves != leaving::nothing && is_in_transaction())
            tickets_.release_last_ticketed();
        else if (here_.me().leaves != leaving::nothing && is_in_context())
            leave_context();
        else if (here_.me().leaves == leaving::failed)
            give_back(here_.me().taken.back());
        else
            perform(here_.me().at);
        advance();
    }

    /// Returns the lock that a task, run alone, is about to wait for; `nowhere` if it waits for
    /// none.
    std::size_t awaited(std::size_t i) {
        here_.self = i;
        std::size_t at = here_.me().at;
        if (here_.me().is_done || here_.me().leaves != leaving::nothing ||
            !is_among(here_.word_at(at), "lock read"))
            return nowhere;
        const std::size_t which = here_.lock_of(++at);
        const bool recurs = here_.kind(which) == "recursive_mutex" && here_.holds(which);
        return recurs || here_.is_timed(at) ? nowhere : which;
    }

private:
    /// A run that fails releases what it has taken.
    void give_back(std::size_t which) {
        if (!sequences_.is_sequence(which)) return here_.release(which);
        if (sequences_.end_writing(which)) here_.me().taken.pop_back();
    }
    /// Moves to the next visible step.
    void advance() {
        for (;;) {
            if (has_failed || here_.me().is_done) return;
            if (here_.me().is_ending) {
                if (has_handlers() && here_.self < all_.threads) return;
                end_task();
            } else if (here_.me().leaves != leaving::nothing) {
                if (unwind()) return;
            } else if (all_.is(here_.me().at, "}")) {
                if (end_block(here_.me().at)) return;
            } else if (is_visible(here_.me().at)) {
                return;
            }
        }
    }
    void end_task() {
        if (here_.me().age != 0) tickets_.end_ticket();
        here_.me() = {};
        here_.me().is_done = true;
    }
    /// Then what is no step else is one, since a handler may come before it.
    bool has_handlers() const { return !all_.handlers.empty(); }
    std::size_t handler_at(std::size_t at) const {
        std::size_t handler = 0;
        while (all_.handlers.at(handler) != here_.word_at(at)) ++handler;
        return handler;
    }
    /// A handler comes on top of some task, and goes on to its first step.
    void come(std::size_t at) {
        const std::size_t handler = handler_at(at + 1), mine = here_.self;
        const std::vector<std::size_t> whom = here_.victims(all_.is_hard[handler]);
        here_.self = whom[whom.size() == 1 ? 0 : here_.answers.choose(whom.size())];
        here_.interrupt(handler);
        advance();
        here_.self = mine;
        here_.move(at + 2);
    }
    bool is_in_transaction() const {
        const std::size_t open = all_.words[here_.now.tasks[here_.self].at].inside;
        return all_.is(all_.words[open].owner, "transaction");
    }
    /// Whether the innermost block is a `hardirq { }` or a `softirq { }`.
    bool is_in_context() const {
        const std::size_t open = all_.words[here_.now.tasks[here_.self].at].inside;
        const std::size_t owner = all_.words[open].owner;
        return owner != open && is_among(here_.word_at(owner), "hardirq softirq");
    }
    /// Out of that block: behind it, or on the way out of others.
    void leave_context() {
        const std::size_t open = all_.words[here_.me().at].inside;
        here_.leave();
        here_.me().leaves == leaving::nothing ? here_.pass(all_.words[open].match + 1)
                                              : here_.move(open);
    }
    /// Leaves a block. Returns whether a visible step comes first.
    bool unwind() {
        const std::size_t open = all_.words[here_.me().at].inside, owner = all_.words[open].owner;
        const std::string& what = here_.word_at(owner);
        if (owner == open) {
            const std::size_t first =
                here_.me().frames.empty() ? 0 : here_.me().frames.back().taken;
            while (here_.me().leaves == leaving::failed && here_.me().taken.size() > first) {
                if (!here_.is_unseen(here_.me().taken.back())) return true;
                here_.release(here_.me().taken.back());
            }
            here_.me().leaves = leaving::nothing;
            here_.move(all_.words[open].match);
            return false;
        }
        if (what == "repeat") here_.me().rounds.pop_back();
        if (what == "scope") zone_.enter_scope(owner, -1);
        if (sequences_.is_reader(open)) here_.me().readings.pop_back();
        if (what == "transaction") {
            if (tickets_.last_ticketed() != nowhere) return true;
            tickets_.end_ticket();
        }
        if (is_in_context()) {
            if (has_handlers()) return true;
            here_.leave();
        }
        const bool is_out =
            here_.me().leaves == leaving::loop && is_among(what, "while repeat loop");
        if (is_out) here_.me().leaves = leaving::nothing;
        here_.move(is_out ? all_.words[open].match + 1 : open);
        return false;
    }
    /// Handles the end of a block. Returns whether a visible step comes first.
    bool end_block(std::size_t at) {
        const std::size_t open = all_.words[at].match, owner = all_.words[open].owner;
        const std::string& what = here_.word_at(owner);
        if (owner == open) {
            end_run();
        } else if (what == "while") {
            here_.move(owner);
        } else if (what == "transaction") {
            if (tickets_.last_ticketed() != nowhere) return true;
            tickets_.end_ticket();
            here_.move(at + 1);
        } else if (what == "scope") {
            zone_.enter_scope(owner, -1);
            here_.move(at + 1);
        } else if (sequences_.is_reader(open)) {
            return true;
        } else if (what == "loop") {
            here_.move(open + 1);
        } else if (what == "repeat") {
            if (!here_.has_visible(open)) return true;
            next_round(at);
        } else {
            if (!is_in_context()) return here_.pass(at + 1), false;
            if (has_handlers()) return true;
            leave_context();
        }
        return false;
    }
    void end_run() {
        if (here_.me().frames.empty())
            here_.me().is_ending = true;
        else
            here_.end_frame();
    }
    void next_round(std::size_t at) {
        const std::size_t open = all_.words[at].match;
        if (++here_.me().rounds.back() < all_.number(all_.words[open].owner + 1))
            return here_.move(open + 1);
        here_.me().rounds.pop_back();
        here_.move(at + 1);
    }
    /// Returns whether the word is a visible step. If not, the word is a part of the step before,
    /// and the task moves past it.
    bool is_visible(std::size_t at) {
        const std::string& what = here_.word_at(at);
        if (what == "try" && all_.is(at + 1, "get")) return true;
        if (is_among(what, "lock read try unlock")) return is_visible_lock(at);
        if (what == "wait") return wait_is_visible(at);
        if (what == "wake") {
            const bool is_all = all_.is(at + 2, "all");
            const std::string which = here_.word_at(at + 1) + (is_all ? " all" : " one");
            return here_.call("wake " + which, at + (is_all ? 3 : 2)), false;
        }
        if (is_among(what, "timeout interrupted"))
            return here_.branch(at + 1, std::exchange(zone_.hidden("wait.ended"), 0) != 0), false;
        if (is_among(what, "enlist delist")) return here_.change_queue(at), false;
        if (what == "listed") return here_.branch(at + 2, here_.is_listed(at + 1)), false;
        if (what == "rouse") return here_.branch(at + 3, here_.rouse(at + 1)), false;
        if (is_among(what, "choose break return repeat")) return control(at), false;
        if (is_among(what, "hardirq softirq irq bh preempt"))
            return has_handlers() || (change_context(at), false);
        if (is_among(what, "if assert"))
            return !all_.is(at + 1, "held") || has_handlers() || (look_at_holds(at), false);
        if (what == "progress") has_progressed = true;
        if (what == "transaction" || (what == "ww" && all_.is(at + 1, "begin"))) return true;
        if (what == "ww") {
            if (all_.is(at + 1, "end")) tickets_.end_ticket();
            return here_.move(at + 3), false;
        }
        if (is_among(what, "progress idle whole")) return here_.move(at + 1), false;
        if (is_among(what, "signalling loop")) return here_.move(at + 2), false;
        if (is_among(what, "pin unpin init") || (what == "might" && all_.is(at + 1, "lock")))
            return here_.lock_of(at += what == "might" ? 2 : 1), here_.move(at), false;
        if (is_among(what, "queue flush cancel drop"))
            return here_.call(what + " " + here_.word_at(at + 1), at + 2), false;
        if (what == "alloc") return zone_.alloc_is_visible(at);
        if (what == "scope") return zone_.enter_scope(at, 1), here_.move(at + 3), false;
        if (what == "might" && all_.is(at + 1, "alloc"))
            return here_.move(zone_.behind_flags(at + 3)), false;
        if (what == "invalidate") return here_.call("zone.notifiers", at + 1), false;
        if (what == "reclaim") return zone_.reclaim(at), false;
        if (what == "run") return here_.call(here_.word_at(at + 1), at + 2), false;
        if (what == "flag") return here_.branch(at + 4, here_.test(at + 1)), false;
        if (what == "let") {
            std::int64_t& kept = here_.counter(at + 1);
            kept = (all_.is(at + 2, "+") ? kept : 0) + here_.value(at + 3);
            return here_.move(at + 4), false;
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
            return here_.call("wait " + std::to_string(at), behind), false;
        }
        if (all_.is(at + 2, "interrupted") && here_.me().waits == phase::fresh)
            here_.me().waits = here_.answers.choose(2) == 0 ? phase::unbroken : phase::broken;
        return true;
    }
    bool is_visible_lock(std::size_t at) {
        const bool is_release = all_.is(at, "unlock");
        at += all_.is(at, "try") ? 2 : 1;
        const std::size_t which = here_.lock_of(at);
        if (tickets_.has_ticket_at(at) && tickets_.is_mine(which) &&
            here_.me().waits == phase::fresh) {
            at += all_.is(at, "slow") ? 3 : 2;
            return here_.move(all_.is(at, "else") ? all_.words[at + 1].match + 1 : at), false;
        }
        if (!here_.is_unseen(which)) return true;
        if (is_release) return here_.release(which), here_.move(at), false;
        here_.acquire(which, true);
        return here_.skip_terms(at, ""), branch_of_map(at), false;
    }
    void look_at_holds(std::size_t at) {
        const bool is_test = here_.word_at(at) == "if";
        const std::size_t which = here_.lock_of(at += 2);
        const bool is_held =
            here_.is_alone ? is_test && here_.answers.choose(2) == 0 : here_.holds(which);
        is_test ? here_.branch(at, is_held) : here_.move(at);
    }
    void branch_of_map(std::size_t at) {
        all_.is(at, "{") ? here_.branch(at, true) : here_.move(at);
    }
    void control(std::size_t at) {
        const std::string& what = here_.word_at(at);
        if (what == "repeat") {
            if (all_.number(at + 1) == 0) return here_.move(all_.words[at + 2].match + 1);
            here_.me().rounds.push_back(0);
            return here_.move(at + 3);
        }
        if (what != "choose") {
            here_.me().leaves = what == "break" ? leaving::loop : leaving::run;
            return;
        }
        std::vector<std::size_t> blocks;
        do {
            blocks.push_back(at + 2);
            at = all_.words[at + 1].match + 1;
        } while (all_.is(at, "or"));
        here_.move(blocks[blocks.size() == 1 ? 0 : here_.answers.choose(blocks.size())]);
    }
    void change_context(std::size_t at) {
        const std::string& what = here_.word_at(at);
        if (is_among(what, "irq bh")) {
            if (what == "irq")
                here_.me().in.irq_is_off = all_.is(at + 1, "off");
            else
                here_.switch_softirqs(all_.is(at + 1, "off"));
            here_.move(at + 2);
        } else if (what == "preempt") {
            here_.move(at + 2);  // it only forbids to sleep
        } else {
            here_.enter(what == "hardirq");
            here_.move(at + (all_.is(at + 1, "threaded") ? 3 : 2));
        }
    }

    /// Takes the visible step at a word.
    void perform(std::size_t at) {
        const std::string& what = here_.word_at(at);
        if (is_among(what, "get put") || (what == "try" && all_.is(at + 1, "get")))
            return count_reference(at);
        if (is_among(what, "lock read try")) return take_lock(at);
        if (is_among(what, "unlock downgrade sync")) return give_lock(at);
        if (is_among(what, "wait down")) return wait(at);
        if (is_among(what, "hardirq softirq irq bh preempt")) return change_context(at);
        if (is_among(what, "if assert") && all_.is(at + 1, "held")) return look_at_holds(at);
        if (is_among(what, "if while until assert")) return decide(at);
        if (is_among(what, "signal complete up")) {
            std::int64_t& count = here_.now.counts[all_.named(at + 1).first];
            const bool is_all = all_.is(at + 2, "all");
            count = what == "signal" || is_all || count == for_ever ? for_ever : count + 1;
            return here_.move(at + (is_all ? 3 : 2));
        }
        if (is_among(what, "transaction ww")) return tickets_.begin_ticket(at);
        if (what == "alloc") return zone_.alloc(at);
        if (what == "free") return zone_.free_pages(at);
        if (what == "interrupt") return come(at);
        if (what == "}" && sequences_.is_reader(all_.words[at].match))
            return sequences_.end_reading(at);
        if (what == "}" && is_in_transaction()) return tickets_.release_last_ticketed();
        if (what == "}") return is_in_context() ? leave_context() : next_round(at);
        if (what == "notify") return notify(at);
        if (what == "join") {
            const object& whom = all_.objects.at("task " + here_.word_at(at + 1));
            if (++here_.me().joined == whom.count) here_.move(at + 2);
        } else if (what == "yield") {
            here_.move(at + 1);
        } else {
            constexpr std::int64_t most = std::int64_t{1} << 60;
            const bool is_set = what == "set";
            const std::int64_t by = here_.value(at + (is_set ? 3 : 2));
            std::int64_t& kept = here_.counter(at + 1);
            kept = is_set ? by : std::clamp(kept + by, -most, most);
            here_.move(at + (is_set ? 4 : 3));
        }
    }
    /// A `try get` looks at the number, and then adds one if the number is still the same.
    void count_reference(std::size_t at) {
        const bool is_tried = all_.is(at, "try"), is_put = all_.is(at, "put");
        std::int64_t& number = here_.counter(at += is_tried ? 2 : 1);
        if (!is_tried) {
            has_failed = number == 0;
            number += is_put ? -1 : 1;
            const bool is_last = is_put && number == 0;
            return is_last ? here_.call(here_.word_at(at), at + 1) : here_.move(at + 1);
        }
        const auto known = static_cast<std::size_t>(number);
        const bool is_same = here_.me().waits == phase::counted && here_.me().joined == known;
        if (known == 0 || is_same) {
            number += is_same ? 1 : 0;
            return here_.branch(at + 1, is_same);
        }
        here_.me().waits = phase::counted;
        here_.me().joined = known;
    }
    bool is_joined(std::size_t at) {
        const object& whom = all_.objects.at("task " + here_.word_at(at + 1));
        return here_.now.tasks[whom.first + here_.me().joined].is_done;
    }
    void take_lock(std::size_t at) {
        const bool is_tried = all_.is(at, "try");
        const bool is_read = all_.is(is_tried ? at + 1 : at, "read");
        const std::size_t which = here_.lock_of(at += is_tried ? 2 : 1);
        if (tickets_.has_ticket_at(at)) return tickets_.take_with_ticket(which, at);
        if (sequences_.is_sequence(which))
            return is_read ? sequences_.begin_reading(which, at)
                           : sequences_.begin_writing(which, at);
        const bool may_give_up = is_tried || here_.is_timed(at);
        const bool is_map = here_.kind(which) == "map";
        const bool is_recursive = here_.skip_terms(at, "recursive");
        const bool passes = is_map || here_.passes_queue(which, is_read, is_recursive);
        if (here_.is_alone && may_give_up ? here_.answers.choose(2) == 0
                                          : here_.can_acquire(which, is_read || is_map, passes)) {
            here_.acquire(which, is_read || is_map);
            return all_.is(at, "{") ? here_.branch(at, true) : here_.move(at);
        }
        if (!is_tried && here_.has_queue(which) && here_.me().waits == phase::fresh &&
            !here_.is_alone) {
            here_.now.locks[which].queue.push_back({here_.waiter(), is_read});
            here_.me().waits = phase::queued;
            // A reader behind readers who are about to be let in: its time may be over before.
            const bool is_next = may_give_up && here_.can_acquire(which, is_read, passes);
            if (!is_next || here_.answers.choose(2) == 0) return;
        }
        here_.forget(here_.now.locks[which]);
        here_.branch(at, false);
    }
    void give_lock(std::size_t at) {
        const std::string& what = here_.word_at(at);
        const std::size_t which = here_.lock_of(++at);
        lock& one = here_.now.locks[which];
        if (what == "sync" && here_.me().waits == phase::fresh) {
            one.holders.push_back({here_.self, false});
            here_.me().waits = phase::queued;
            return;
        }
        if (what == "unlock" && sequences_.is_sequence(which)) {
            if (!sequences_.end_writing(which)) return;
            here_.forget_taken(which);
            return here_.move(at);
        }
        if (what == "unlock") here_.release(which);
        if (what == "sync") here_.drop(which);
        for (use& each : one.holders)
            if (what == "downgrade" && each.task == here_.self) each.is_shared = true;
        here_.move(at);
    }
    void wait(std::size_t at) {
        const object& on = all_.named(at + 1);
        bool is_over = true;
        at += 2;
        if (on.sort == "condition") {
            const std::size_t held = here_.lock_of(at);
            std::vector<std::size_t>& sleepers = here_.now.sleepers[on.first];
            if (here_.me().waits == phase::fresh) {
                here_.me().joined = here_.reads(held) ? 1 : 0;
                here_.drop(held);
                const bool may_wake = !here_.me().has_woken;
                has_limited_wakes = !may_wake && !all_.words[here_.me().at].is_role;
                if (may_wake) here_.me().has_woken = here_.answers.choose(2) != 0;
                here_.me().waits =
                    may_wake && here_.me().has_woken ? phase::woken : phase::sleeping;
                if (here_.me().waits == phase::sleeping) sleepers.push_back(here_.waiter());
                return;
            }
            if (here_.me().waits == phase::sleeping) {
                std::erase(sleepers, here_.waiter());
                here_.me().waits = phase::gave_up;
                return;
            }
            if (!can_relock_now(held))
                return here_.now.locks[held].queue.push_back({here_.waiter(), reads_again()});
            here_.hold(held, reads_again());
            is_over = here_.me().waits == phase::woken;
        } else if (std::int64_t& count = here_.now.counts[on.first]; count != 0) {
            count -= count == for_ever ? 0 : 1;
        } else {
            is_over = false;
        }
        if (!is_among(here_.word_at(at), "timeout interrupted")) return here_.move(at);
        here_.move(is_over ? all_.words[at + 1].match + 1 : at + 2);
    }
    /// A wait for a condition that is over takes its lock like a new acquire.
    bool reads_again() const { return here_.now.tasks[here_.self].joined != 0; }
    bool can_relock_now(std::size_t held) {
        const bool reads = reads_again();
        return here_.can_acquire(held, reads, here_.passes_queue(held, reads, false));
    }
    bool can_relock(std::size_t held) {
        return can_relock_now(held) || (here_.has_queue(held) && !here_.is_queued(held));
    }
    void notify(std::size_t at) {
        std::vector<std::size_t>& sleepers = here_.now.sleepers[all_.named(at + 1).first];
        const bool is_all = all_.is(at + 2, "all");
        while (!sleepers.empty()) {
            const std::size_t n = sleepers.size();
            const std::size_t who = is_all || n == 1 ? 0 : here_.answers.choose(n);
            here_.phase_of(sleepers[who]) = phase::woken;
            sleepers.erase(sleepers.begin() + static_cast<std::ptrdiff_t>(who));
            if (!is_all) break;
        }
        here_.move(at + (is_all ? 3 : 2));
    }
    void decide(std::size_t at) {
        const std::string& what = here_.word_at(at);
        const bool is_so = here_.test(at + 1);
        if (what == "if") return here_.branch(at + 4, is_so);
        if (what == "while") return here_.move(is_so ? at + 5 : all_.words[at + 4].match + 1);
        if (what == "until") return here_.move(is_so ? at + 4 : at);
        has_failed = !is_so;
        here_.move(at + 4);
    }

    const script& all_;
    standing here_;
    tickets tickets_{here_};
    zone zone_{here_};
    sequences sequences_{here_};
};

}  // namespace wedge::verify
