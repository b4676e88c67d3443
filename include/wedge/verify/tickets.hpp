// The second meaning of wound/wait: tickets, their order, and who must give way.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "wedge/verify/state.hpp"

namespace wedge::verify {

/// What a task does with its ticket. A task has one ticket at most.
class tickets {
public:
    explicit tickets(standing& here) : all_(here.program), here_(here) {}

    void begin_ticket(std::size_t at) {
        if (here_.me().age != 0) all_.refuse(at, "a ticket within another one");
        const auto begun = std::count_if(here_.now.tasks.begin(), here_.now.tasks.end(),
                                         [](const task& each) { return each.age != 0; });
        here_.me().age = static_cast<std::size_t>(begun) + 1;
        if (all_.is(at, "transaction")) return here_.move(at + 3);
        at += 3;
        if (all_.is(at, "class")) at += 2;
        here_.me().is_wait_die = all_.is(at, "wait_die");
        here_.move(here_.me().is_wait_die ? at + 1 : at);
    }
    void end_ticket() {
        for (task& each : here_.now.tasks)
            if (each.age > here_.me().age) --each.age;
        here_.me().age = 0;
        here_.me().is_wait_die = false;
    }

    bool has_ticket_at(std::size_t at) const {
        return all_.is(at, "with") || (all_.is(at, "slow") && all_.is(at + 1, "with"));
    }
    /// Returns the task's place among the locks that it took with its ticket last; `nowhere`: none.
    std::size_t last_ticketed() const {
        const std::vector<std::size_t>& taken = here_.now.tasks[here_.self].taken;
        for (std::size_t i = taken.size(); i-- > 0;)
            if (is_mine(taken[i])) return i;
        return nowhere;
    }
    bool is_mine(std::size_t lock) const {
        const std::vector<use>& holders = here_.now.locks[lock].holders;
        return !holders.empty() && holders[0].task == here_.self && holders[0].has_ticket;
    }
    void release_last_ticketed() {
        here_.release(here_.now.tasks[here_.self].taken[last_ticketed()]);
        if (here_.me().waits == phase::gives_way && last_ticketed() == nowhere)
            here_.me().waits = phase::contended;
    }

    bool ticket_is_enabled(std::size_t which, bool is_slow) {
        const phase waits = here_.me().waits;
        return waits == phase::fresh || waits == phase::gives_way || waits == phase::contended ||
               here_.can_acquire(which, false, false) || must_give_way(which, is_slow);
    }
    /// Takes a step of an acquire with the ticket.
    ///
    /// @param at  behind the lock's name
    void take_with_ticket(std::size_t which, std::size_t at) {
        if (here_.me().age == 0) all_.refuse(here_.me().at, "a ticket that is not begun");
        if (here_.me().waits == phase::gives_way) return release_last_ticketed();
        const bool is_again =
            here_.me().waits == phase::contended || here_.me().waits == phase::queued_again;
        const bool is_slow = is_again || all_.is(at, "slow");
        lock& one = here_.now.locks[which];
        at += all_.is(at, "slow") ? 3 : 2;
        if (here_.can_acquire(which, false, false)) {
            here_.forget(one);
            one.holders.push_back({here_.self, false, 1, true});
            for (const use& each : one.queue) wound(one.holders[0], each);
            here_.me().taken.push_back(which);
            if (is_again) return start_again();
            return here_.move(all_.is(at, "else") ? all_.words[at + 1].match + 1 : at);
        }
        if (!is_queued(which)) queue_by_age(one, !is_slow && last_ticketed() != nowhere);
        here_.me().waits = is_again ? phase::queued_again : phase::queued;
        if (!must_give_way(which, is_slow)) return;
        here_.forget(one);
        if (all_.is(at, "else")) return here_.move(at + 2);
        if (transaction_around(here_.me().at) == nowhere) return here_.move(at);
        here_.me().waits = phase::gives_way;
    }

private:
    std::size_t age_of(const use& each) const {
        return each.has_ticket ? here_.now.tasks[each.task % here_.waiters_apart].age : 0;
    }
    bool is_queued(std::size_t which) {
        const std::vector<use>& all = here_.now.locks[which].queue;
        return std::any_of(all.begin(), all.end(),
                           [&](const use& each) { return each.task == here_.waiter(); });
    }
    /// Queues before the first younger ticket, seen from the end.
    void queue_by_age(lock& one, bool may_wound) {
        std::size_t place = one.queue.size();
        for (std::size_t i = place; i-- > 0;) {
            if (age_of(one.queue[i]) == 0) continue;
            if (age_of(one.queue[i]) < here_.me().age) break;
            place = i;
        }
        const use mine{here_.waiter(), false, 1, true, may_wound};
        one.queue.insert(one.queue.begin() + static_cast<std::ptrdiff_t>(place), mine);
        for (use& each : one.holders) wound(each, mine);
    }
    /// An older ticket with objects waits for what the holder has.
    void wound(use& holder, const use& waiting) {
        if (waiting.may_wound && !here_.me().is_wait_die && age_of(holder) > age_of(waiting))
            holder.is_wounded = true;
    }
    /// Whether an acquire that queues gives up. Wound/wait: an object of the task is wounded.
    /// Wait/die: an older ticket has the lock or queues before.
    bool must_give_way(std::size_t which, bool is_slow) {
        if (is_slow || last_ticketed() == nowhere) return false;
        if (!here_.me().is_wait_die) {
            const std::vector<std::size_t>& taken = here_.me().taken;
            return std::any_of(taken.begin(), taken.end(), [&](std::size_t each) {
                return is_mine(each) && here_.now.locks[each].holders[0].is_wounded;
            });
        }
        for (const use& each : here_.now.locks[which].holders)
            if (age_of(each) != 0 && age_of(each) < here_.me().age) return true;
        for (const use& each : here_.now.locks[which].queue) {
            if (each.task == here_.waiter()) break;
            if (age_of(each) != 0) return true;
        }
        return false;
    }
    std::size_t transaction_around(std::size_t at) const {
        std::size_t open = all_.words[at].inside;
        while (open != nowhere && !all_.is(all_.words[open].owner, "transaction"))
            open = all_.words[open].inside;
        return open;
    }
    void start_again() {
        const std::size_t first = transaction_around(here_.me().at);
        for (std::size_t open = all_.words[here_.me().at].inside; open != first;
             open = all_.words[open].inside)
            if (all_.is(all_.words[open].owner, "repeat")) here_.me().rounds.pop_back();
        here_.move(first + 1);
    }

    const script& all_;
    standing& here_;
};

}  // namespace wedge::verify
