// Deadlocks of a run under control: found when the last thread comes to its wait, and confirmed by
// each of its threads.
#include <algorithm>
#include <string>

#include "wedge/core/signature.hpp"

#include "run/control_state.hpp"

namespace wedge::run {
namespace {

bool is_lock(awaited what) noexcept {
    return what == awaited::mutex || what == awaited::read || what == awaited::write ||
           what == awaited::spinlock || what == awaited::once;
}

/// Returns whether another process may release what the thread waits for.
bool may_be_foreign(const turn_request& next) noexcept {
    switch (next.waits) {
        case awaited::mutex:
            return is_shared_by_processes(*static_cast<const pthread_mutex_t*>(next.object));
        case awaited::read:
        case awaited::write:
            return is_shared_by_processes(*static_cast<const pthread_rwlock_t*>(next.object));
        case awaited::semaphore:
            return is_shared_by_processes(*static_cast<const sem_t*>(next.object));
        default: return false;
    }
}

/// Returns the thread's hold of the lock that the waiter wants; null: it has none, as far as the
/// library and the C library agree.
held_lock* hold_of(const controlled_thread& who, const controlled_thread& waiter) noexcept {
    if (who.own == nullptr || waiter.next.lock == nullptr) return nullptr;
    held_lock* const hold = who.own->held.find(waiter.next.lock->identity().instance());
    if (hold == nullptr || !is_held_natively(*hold, who.tid.load())) return nullptr;
    return hold;
}

lock_use use_of_hold(const held_lock& hold) {
    return use_of(acquisition_of(hold));
}
lock_use use_of_wait(const turn_request& next) {
    const lock_identity& known = next.lock->identity();
    lock_use made;
    made.class_id = known.class_id();
    made.instance = known.instance();
    made.how = next.waits == awaited::read ? next.lock->shared_how : mode::exclusive;
    made.where = site_of(next.returns_to);
    made.class_name = lock_class::from_id(known.class_id()).name();
    return made;
}

std::string waits_for(const turn_request& next) {
    switch (next.waits) {
        case awaited::condition: return "a condition";
        case awaited::semaphore: return "a semaphore";
        case awaited::thread:
            return next.joined->own != nullptr ? "the end of " + next.joined->own->title()
                                               : "the end of a thread";
        default: return lock_class::from_id(next.lock->identity().class_id()).name();
    }
}

}  // namespace

bool controller::is_stuck_at_lock(const controlled_thread& who) const noexcept {
    return who.is_waiting && who.next.end == nullptr && is_lock(who.next.waits) &&
           who.next.lock != nullptr && !who.next.lock->is_released_by_others && !is_enabled(who);
}

void controller::look_for_cycle(controlled_thread& from) {
    if (is_frozen || !is_stuck_at_lock(from) || may_be_foreign(from.next)) return;
    stuck_.assign(1, &from);
    std::vector<const controlled_thread*> seen;
    if (!extend_to(from, seen)) {
        stuck_.clear();
        return;
    }
    ask_all(true);
}

void controller::ask_all(bool is_cycle) noexcept {
    is_cycle_ = is_cycle;
    is_frozen = true;
    is_confirmed_ = true;
    told_ = 0;
    for (controlled_thread* const each : stuck_) {
        each->word.store(controlled_thread::tells, std::memory_order_release);
        futex_wake(each->word);
    }
}

bool controller::extend_to(const controlled_thread& from,
                           std::vector<const controlled_thread*>& seen) {
    const controlled_thread& waiter = *stuck_.back();
    for (controlled_thread* const each : live) {
        if (!is_stuck_at_lock(*each) || may_be_foreign(each->next)) continue;
        if (hold_of(*each, waiter) == nullptr) continue;
        if (each == &from) return true;
        if (std::find(seen.begin(), seen.end(), each) != seen.end()) continue;
        seen.push_back(each);
        stuck_.push_back(each);
        if (extend_to(from, seen)) return true;
        stuck_.pop_back();
    }
    return false;
}

void controller::tell(controlled_thread& self) {
    call_stack stack = stack_of_program();
    finding found;
    std::vector<call_stack> stacks;
    {
        const controller_turn mine;
        const auto place = std::find(stuck_.begin(), stuck_.end(), &self);
        if (place == stuck_.end()) return;
        self.stack = std::move(stack);
        const controlled_thread& before = place == stuck_.begin() ? *stuck_.back() : place[-1][0];
        // Now that it looks itself, nothing else can have changed its holds.
        if (is_cycle_)
            is_confirmed_ =
                is_confirmed_ && is_stuck_at_lock(self) && hold_of(self, before) != nullptr;
        else
            is_confirmed_ = is_confirmed_ && self.is_waiting && !is_enabled(self);
        if (++told_ < stuck_.size()) return;
        if (!is_confirmed_) {
            stuck_.clear();
            is_frozen = false;
            pass_on();
            return;
        }
        found = is_cycle_ ? cycle_found() : standstill_found();
        for (const controlled_thread* each : stuck_) stacks.push_back(each->stack);
    }
    report_deadlock(std::move(found), std::move(stacks));
}

finding controller::confirmed(finding_kind kind) const {
    finding found;
    found.kind = kind;
    found.judged = verdict::confirmed;
    found.exact = true;
    found.task = stuck_.front()->own->name;
    return found;
}

finding controller::cycle_found() const {
    finding found = confirmed(finding_kind::circular);
    const controlled_thread* before = stuck_.back();
    for (const controlled_thread* each : stuck_) {
        dependency edge;
        edge.held = use_of_hold(*hold_of(*each, *before));
        edge.wanted = use_of_wait(each->next);
        edge.task = each->own->name;
        edge.stack = each->stack;
        found.what += edge.held.class_name + " -> ";
        found.cycle.push_back(std::move(edge));
        before = each;
    }
    found.what += found.cycle.front().held.class_name;
    found.signature = signature_of(found);
    return found;
}

void controller::look_for_standstill() {
    if (is_frozen || live.empty() || standstill_seen_ == arrivals) return;
    for (const controlled_thread* each : live) {
        const turn_request& next = each->next;
        if (!each->is_waiting || next.end != nullptr || next.waits == awaited::nothing ||
            each->own == nullptr || each->tid.load() == 0 || may_be_foreign(next))
            return;
        if (is_lock(next.waits) && next.lock == nullptr) return;
    }
    // Threads of which the library knows nothing, and handlers of signals, may still wake these.
    if (living_threads() != live.size()) return;
    standstill_seen_ = arrivals;
    if (may_be_woken_by_signals()) return;
    stuck_ = live;
    ask_all(false);
}

finding controller::standstill_found() const {
    finding found = confirmed(finding_kind::deadlock);
    for (const controlled_thread* each : stuck_) {
        task_report report;
        report.name = each->own->name;
        report.waits_for = waits_for(each->next);
        if (each->next.joined != nullptr && each->next.joined->own != nullptr)
            report.joins = each->next.joined->own->name;
        if (each->next.lock != nullptr && is_lock(each->next.waits))
            report.wanted = use_of_wait(each->next);
        report.where = site_of(each->next.returns_to);
        found.tasks.push_back(std::move(report));
    }
    found.what = "no thread of the process can go on";
    found.signature = "deadlock " + found.what;
    return found;
}

}  // namespace wedge::run
