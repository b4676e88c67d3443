// What every lock does at a step: it sends the event to the sink and updates the held locks.
#pragma once

#include <atomic>
#include <string>

#include "wedge/core/annotate.hpp"
#include "wedge/core/chain_key.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/core/task.hpp"

namespace wedge::detail {

/// An acquire as the caller of the lock described it.
struct acquire_terms {
    mode how = mode::exclusive;
    flags with = flags::none;
    std::uint8_t subclass = 0;
    std::uint64_t payload = 0;
    site where{};
};

/// Returns whether a sink wants the task's events of this kind now.
[[gnu::always_inline]] inline bool is_heard(const task& self, event_kind kind) noexcept {
    return self.sink.wants(kind) && !self.in_hook;
}

// Only the parts that a validated acquire and a plain release run are inlined into a lock. The
// functions that they call take the terms by value, so that the compiler keeps them in registers.

// Functions marked `_ignored` are called within a `sanitizer::ignore_scope`, one per step.

[[gnu::noinline]] WEDGE_UNSEEN inline void emit_ignored(task& self, const event& what) noexcept {
    if (!is_heard(self, what.kind)) return;
    self.in_hook = true;
    self.sink->on(self, what);
    self.in_hook = false;
}

inline void emit(task& self, const event& what) noexcept {
    if (!is_heard(self, what.kind)) return;
    const sanitizer::ignore_scope ours;
    emit_ignored(self, what);
}

/// Reports that the task begins or ends a wait for a condition or a count, or notifies it.
inline void report_wait(task& self, event_kind what, const lock_identity& event, site where,
                        flags with = flags::none) {
    emit(self, {.kind = what,
                .with = with,
                .class_id = event.class_id(),
                .instance = event.instance(),
                .payload = event.instance(),
                .where = where,
                .lock = &event});
}

/// Returns whether the task must not sleep here: in an interrupt, with interrupts or preemption
/// disabled, or under a lock or in a section that allows no sleep.
inline bool cannot_sleep(const task& self) noexcept {
    const context_state& in = self.contexts;
    if (self.context != context::task || in.irqs_are_off || in.bh_depth != 0 ||
        in.preempt_depth != 0)
        return true;
    for (const held_lock& hold : self.held)
        if (hold.allows == wait_type::raw || hold.allows == wait_type::spin) return true;
    return false;
}

/// States that the task sleeps here, or may: it waits for an object of this class. Every wait that
/// is no acquire of a lock calls it (rule 22).
inline void might_sleep(task& self, lock_class waited_for, const site& where) {
    if (!cannot_sleep(self) || (self.runtime != nullptr && self.runtime->is_giving_up())) return;
    emit(self, {.kind = event_kind::might_sleep,
                .waits = wait_type::sleep,
                .class_id = waited_for.id(),
                .where = where});
}
/// Does this for an object that has a name only. The class is made only where the task cannot
/// sleep.
inline void might_sleep(task& self, const char* waited_for, const site& where) {
    if (cannot_sleep(self)) might_sleep(self, lock_class(waited_for), where);
}

[[gnu::always_inline]] inline event event_of(event_kind kind, const lock_identity& lock,
                                             const acquire_terms& terms) {
    return {kind,
            terms.how,
            terms.with,
            terms.subclass,
            lock.waits(),
            lock.class_id(),
            lock.instance(),
            terms.payload,
            terms.where,
            &lock};
}

[[gnu::noinline, gnu::cold]] inline void send_ignored(task& self, event_kind kind,
                                                      const lock_identity& lock,
                                                      acquire_terms terms) {
    emit_ignored(self, event_of(kind, lock, terms));
}

/// Gives a lock that was made outside the execution its ordinal when it is first touched.
[[gnu::always_inline]] inline void adopt_if_foreign_ignored(task& self, lock_identity& lock) {
    if (self.runtime != nullptr && lock.execution() != self.runtime->execution()) [[unlikely]]
        self.runtime->met(lock);
}
[[gnu::always_inline]] inline void adopt_if_foreign(task& self, lock_identity& lock) {
    sanitizer::expect_alive(&lock);
    adopt_if_foreign_ignored(self, lock);
}

[[gnu::always_inline]] inline held_lock hold_of(const task& self, const lock_identity& lock,
                                                const acquire_terms& terms) {
    return {.class_id = lock.class_id(),
            .instance = lock.instance(),
            .how = terms.how,
            .subclass = terms.subclass,
            .with = terms.with,
            .context = static_cast<std::uint8_t>(self.context),
            .allows = lock.allows(),
            .payload = terms.payload,
            .chain = self.chain,
            .where = terms.where,
            .lock = &lock};
}

/// Called when a thread without an engine takes a lock of an execution; null: no engine listens.
/// The site is a copy: an address in the acquire's terms would keep all of them in memory.
inline std::atomic<void (*)(const lock_identity& lock, site where)> on_foreign_use{nullptr};

/// Called before a native acquire. Notes the use of a lock of an execution by a thread outside of
/// the engine: the engine explores the model, not the native lock.
[[gnu::always_inline]] inline void note_foreign_use(const task& self, const lock_identity& lock,
                                                    const site& where) {
    if (self.runtime != nullptr || lock.execution() == 0) [[likely]]
        return;
    if (const auto hear = on_foreign_use.load(std::memory_order_acquire)) hear(lock, where);
}

/// Sends an attempt that is not validated by the task's own holds alone.
[[gnu::noinline]] WEDGE_UNSEEN inline void attempt_ignored(task& self, const lock_identity& lock,
                                                           acquire_terms terms) {
    if (const validated_chains* const chains = self.sink.validated()) {
        if (chains->contain(self, hold_of(self, lock, terms))) return;
    }
    emit_ignored(self, event_of(event_kind::attempt, lock, terms));
}

/// Called before a blocking acquire. The order is checked here, whether or not the acquire will
/// succeed (rule 4).
[[gnu::always_inline]] inline void attempt(task& self, lock_identity& lock,
                                           const acquire_terms& terms) {
    adopt_if_foreign(self, lock);
    note_foreign_use(self, lock, terms.where);
    if (!is_heard(self, event_kind::attempt)) return;
    const sanitizer::ignore_scope ours;
    if (const validated_chains* const chains = self.sink.validated())
        if (chains->contain_plainly(self, hold_of(self, lock, terms))) [[likely]]
            return;
    attempt_ignored(self, lock, terms);
}

/// Puts a lock on the task's stack of held locks, after the event of its acquire.
[[gnu::always_inline]] inline void push_hold(task& self, const lock_identity& lock,
                                             const acquire_terms& terms) {
    new (self.held.claim(lock.class_id())) held_lock(hold_of(self, lock, terms));
    self.chain = 0;  // a hold that the checker does not hear of must not inherit the key
}

/// Called after a successful acquire, blocking or tried.
[[gnu::always_inline]] inline void acquired_ignored(task& self, const lock_identity& lock,
                                                    const acquire_terms& terms) {
    const event_kind kind =
        has(terms.with, flags::tried) ? event_kind::try_acquired : event_kind::acquired;
    if (is_heard(self, kind)) [[unlikely]]
        send_ignored(self, kind, lock, terms);
    push_hold(self, lock, terms);
}
[[gnu::always_inline]] inline void acquired(task& self, const lock_identity& lock,
                                            const acquire_terms& terms) {
    const sanitizer::ignore_scope ours;
    acquired_ignored(self, lock, terms);
}

/// Called after an acquire that failed. A failed trylock is no event to the order checker (rule 1).
inline void not_acquired_ignored(task& self, const lock_identity& lock,
                                 const acquire_terms& terms) {
    emit_ignored(
        self, event_of(has(terms.with, flags::tried) ? event_kind::try_failed : event_kind::failed,
                       lock, terms));
}
inline void not_acquired(task& self, const lock_identity& lock, const acquire_terms& terms) {
    const sanitizer::ignore_scope ours;
    not_acquired_ignored(self, lock, terms);
}

/// The flags of a hold whose release in order tells an order checker nothing.
inline constexpr flags plain_flags =
    flags::tried | flags::timed | flags::interruptible | flags::subclassed;

/// Returns the mode in which the task holds the lock; `exclusive` if it does not.
inline mode mode_of_hold(task& self, const lock_identity& lock) noexcept {
    const held_lock* const mine = self.held.find(lock.instance());
    return mine == nullptr ? mode::exclusive : mine->how;
}

/// Drops the innermost hold if it is of this lock, plain, and no sink needs to hear of it. Returns
/// whether it did.
[[gnu::always_inline]] inline bool drop_innermost(task& self, const lock_identity& lock) noexcept {
    if (self.held.empty()) return false;
    const held_lock& last = self.held.innermost();
    const unsigned others = static_cast<unsigned>(last.with) & ~static_cast<unsigned>(plain_flags);
    if (last.instance != lock.instance() || last.depth != 1 || others != 0) return false;
    if (self.sink.hears_all()) return false;
    self.held.pop();
    return true;
}

/// Releases in all cases that `drop_innermost` does not handle. The parts of the site are
/// arguments, so that they stay in registers.
[[gnu::noinline]] inline void released_otherwise(task& self, lock_identity& lock, mode how,
                                                 const char* file, const char* function,
                                                 unsigned line) {
    held_lock* const mine = self.held.find(lock.instance());
    if (mine != nullptr && mine->depth > 1) {
        --mine->depth;
        return;
    }
    const acquire_terms terms{.how = how, .where = {file, function, line}};
    emit_ignored(self, event_of(event_kind::released, lock, terms));
    if (mine != nullptr) self.held.erase(mine);
}

/// Called before a release. The lock is still in `held`, unless the release is a mistake.
[[gnu::always_inline]] inline void released_ignored(task& self, lock_identity& lock, mode how,
                                                    site where) {
    if (!drop_innermost(self, lock)) [[unlikely]]
        released_otherwise(self, lock, how, where.file, where.function, where.line);
}
[[gnu::always_inline]] inline void released(task& self, lock_identity& lock, mode how, site where) {
    adopt_if_foreign(self, lock);
    const sanitizer::ignore_scope ours;
    released_ignored(self, lock, how, where);
}

inline void downgraded(task& self, lock_identity& lock, site where) {
    emit(self, event_of(event_kind::downgraded, lock, {.how = mode::shared, .where = where}));
    if (held_lock* const mine = self.held.find(lock.instance())) mine->how = mode::shared;
}

/// Returns whether a sink wants to hear that a lock or task ends although the task holds nothing.
[[gnu::always_inline]] inline bool hears_every_end(const task& self) noexcept {
    return self.sink.hears_all();
}

/// Returns whether a stress run lets this trylock of a free lock fail.
inline bool must_fail(task& self, const acquire_terms& terms) noexcept {
    return self.failing_tries != 0 && has(terms.with, flags::tried) &&
           self.random.below(1024) < self.failing_tries;
}

/// Called at a task's normal end. Locks that it still holds stay held, and are a finding.
[[gnu::always_inline]] inline void task_ended(task& self) noexcept {
    if (!self.held.empty() || hears_every_end(self)) emit(self, {.kind = event_kind::task_end});
}

inline native_task::~native_task() {
    task& self = mine();
    live_tasks::remove(self);
    task_ended(self);
    self.held.clear();
    std::string().swap(self.name);  // the storage is never destroyed
    current_task = nullptr;
}

}  // namespace wedge::detail

namespace wedge {

inline lock_identity::~lock_identity() {
    task* const self = detail::current_task;
    if (self == nullptr) return;
    if (!self->held.empty() || (self->runtime != nullptr && detail::hears_every_end(*self))) {
        detail::emit(*self, detail::event_of(event_kind::destroy, *this, {}));
        for (held_lock& hold : self->held)
            if (hold.lock == this) hold.lock = nullptr;
    }
    if (self->runtime != nullptr) self->runtime->destroyed(*this);
}

}  // namespace wedge
