// What every lock reports of a step: the event to the sink, and the task's held locks.
#pragma once

#include "wedge/base/sanitizer.hpp"
#include "wedge/task/task.hpp"

namespace wedge::detail {

/// An acquire as the lock's caller described it.
struct acquire_terms {
    mode how = mode::exclusive;
    flags with = flags::none;
    std::uint8_t subclass = 0;
    std::uint64_t payload = 0;
    site where{};
};

inline void emit(task& self, const event& what) noexcept {
    if (self.sink == nullptr || self.in_hook || !self.sink->wants(what.kind)) return;
    const sanitizer::ignore_scope ours;
    self.in_hook = true;
    self.sink->on(self, what);
    self.in_hook = false;
}

inline event event_of(event_kind kind, const lock_identity& lock, const acquire_terms& terms) {
    return {kind,         terms.how,       terms.with,      terms.subclass,
            lock.waits(), lock.class_id(), lock.instance(), terms.payload,
            terms.where,  &lock};
}

/// Under control a lock made outside the execution gets its ordinal at the first touch.
inline void adopt_if_foreign(task& self, lock_identity& lock) {
    if (self.runtime != nullptr && lock.execution() != self.runtime->execution()) [[unlikely]]
        self.runtime->met(lock);
}

/// Before a blocking acquire: the order is checked here, whether or not it will ever succeed.
inline void attempt(task& self, lock_identity& lock, const acquire_terms& terms) {
    adopt_if_foreign(self, lock);
    emit(self, event_of(event_kind::attempt, lock, terms));
}

/// Puts a lock on the task's stack of held ones, after the event of its acquire.
inline void push_hold(task& self, const lock_identity& lock, const acquire_terms& terms) {
    const sanitizer::ignore_scope ours;
    self.held.push({.class_id = lock.class_id(),
                    .instance = lock.instance(),
                    .how = terms.how,
                    .subclass = terms.subclass,
                    .with = terms.with,
                    .context = static_cast<std::uint8_t>(self.context),
                    .allows = lock.allows(),
                    .payload = terms.payload,
                    .chain = self.chain,
                    .where = terms.where,
                    .lock = &lock});
    self.chain = 0;  // not known: a hold that the checker does not hear of must not inherit it
}

/// After a successful acquire of either sort.
inline void acquired(task& self, lock_identity& lock, const acquire_terms& terms) {
    emit(self, event_of(has(terms.with, flags::tried) ? event_kind::try_acquired
                                                      : event_kind::acquired,
                        lock, terms));
    push_hold(self, lock, terms);
}

inline void not_acquired(task& self, lock_identity& lock, const acquire_terms& terms) {
    emit(self, event_of(has(terms.with, flags::tried) ? event_kind::try_failed
                                                      : event_kind::failed,
                        lock, terms));
}

/// Before a release: the lock is still in `held`, unless the release is a mistake.
inline void released(task& self, lock_identity& lock, mode how, site where) {
    adopt_if_foreign(self, lock);
    held_lock* const mine = self.held.find(lock.instance());
    if (mine != nullptr && mine->depth > 1) {
        --mine->depth;
        return;
    }
    emit(self, event_of(event_kind::released, lock, {.how = how, .where = where}));
    const sanitizer::ignore_scope ours;
    if (mine != nullptr) self.held.erase(mine);
}

inline void downgraded(task& self, lock_identity& lock, site where) {
    emit(self, event_of(event_kind::downgraded, lock, {.how = mode::shared, .where = where}));
    if (held_lock* const mine = self.held.find(lock.instance())) mine->how = mode::shared;
}

/// A task's normal end: what it still holds stays held, and is a finding.
inline void task_ended(task& self) noexcept {
    emit(self, {.kind = event_kind::task_end});
}

inline native_task::~native_task() {
    task& self = mine();
    task_ended(self);
    self.held.clear();
    current_task = nullptr;
}

}  // namespace wedge::detail

namespace wedge {

inline lock_identity::~lock_identity() {
    task* const self = detail::current_task;
    if (self == nullptr) return;
    if (!self->held.empty() || self->runtime != nullptr) {
        detail::emit(*self, detail::event_of(event_kind::destroy, *this, {}));
        for (held_lock& hold : self->held)
            if (hold.lock == this) hold.lock = nullptr;
    }
    if (self->runtime != nullptr) self->runtime->destroyed(*this);
}

}  // namespace wedge
