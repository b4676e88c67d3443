// The functions of wedge/c.h that a live program calls. The source that implements the order
// checker includes this header.
#pragma once

#include "wedge/c.h"
#include "wedge/core/lock_state.hpp"
#include "wedge/lock/assert.hpp"
#include "wedge/lock/external.hpp"
#include "wedge/lock/pseudo_lock.hpp"
#include "wedge/lock/thread.hpp"

namespace wedge::detail::c {

inline site place(const wedge_site& where) noexcept {
    return {where.file, where.function, where.line};
}

inline lock_kind kind_of(wedge_kind kind) noexcept {
    switch (kind) {
        case WEDGE_RECURSIVE_MUTEX: return lock_kind::recursive_mutex;
        case WEDGE_SPINLOCK: return lock_kind::spinlock;
        case WEDGE_RWLOCK: return lock_kind::rwlock;
        case WEDGE_FAIR_RWLOCK: return lock_kind::shared_mutex;
        default: return lock_kind::mutex;
    }
}

inline mode mode_of(const wedge_lock& lock, wedge_mode how) noexcept {
    if (how == WEDGE_EXCLUSIVE) return mode::exclusive;
    return lock.kind == WEDGE_RWLOCK ? mode::recursive_shared : mode::shared;
}

inline lock_identity& identity_of(const wedge_lock& lock) {
    const lock_kind kind = kind_of(lock.kind);
    return external_locks::process().of(lock.address, lock_class::from_id(lock.of), kind,
                                        wait_type_of(kind));
}

inline lock_identity& condition_at(const void* address, wedge_class of) {
    return external_locks::process().of(address, lock_class::from_id(of), lock_kind::condition,
                                        wait_type::sleep);
}

/// The order of what may reclaim memory, and what reclaim takes. Never destroyed, since static
/// objects may allocate after it.
inline basic_pseudo_lock<>& reclaim() {
    static basic_pseudo_lock<>& made = [&]() -> basic_pseudo_lock<>& {
        const outside_of_execution made_here;
        return *new basic_pseudo_lock<>("reclaim");
    }();
    return made;
}

inline wedge_next take(const wedge_lock& lock, const acquire_terms& terms) {
    task& self = current();
    lock_identity& known = identity_of(lock);
    const bool is_try = has(terms.with, flags::tried);
    if (self.runtime != nullptr)
        return controlled_acquire(self, known, terms) ? WEDGE_DONE : WEDGE_GIVEN_UP;
    if (!is_try && recursive_hold(self, known) == nullptr) attempt(self, known, terms);
    if (is_try) note_foreign_use(self, known, terms.where);
    return WEDGE_NATIVE;
}

inline void taken(const wedge_lock& lock, const acquire_terms& terms) {
    task& self = current();
    lock_identity& known = identity_of(lock);
    if (held_lock* const mine = recursive_hold(self, known))
        ++mine->depth;
    else
        acquired(self, known, terms);
}

/// How this thread held the lock of the native wait that it is in.
inline thread_local mode waits_under = mode::exclusive;

inline wedge_next wait(lock_identity& condition, lock_identity& lock, bool is_timed,
                       const site& where) {
    task& self = current();
    if (self.runtime != nullptr)
        return controlled_wait(self, condition, lock, is_timed, where) ? WEDGE_DONE
                                                                       : WEDGE_GIVEN_UP;
    report_wait(self, event_kind::wait, condition, where);
    waits_under = mode_after_wait(self, lock);
    released(self, lock, waits_under, where);
    might_sleep(self, lock_class::from_id(condition.class_id()), where);
    attempt(self, lock, {.how = waits_under, .where = where});
    return WEDGE_NATIVE;
}

inline wedge_next notify(step what, lock_identity& condition, const site& where) {
    task& self = current();
    if (self.runtime == nullptr) {
        report_wait(self, event_kind::notify, condition, where);
        return WEDGE_NATIVE;
    }
    adopt_if_foreign(self, condition);
    report_wait(self, event_kind::notify, condition, where);
    self.runtime->perform(self, {.what = what, .condition = &condition, .where = where});
    return WEDGE_DONE;
}

}  // namespace wedge::detail::c

// Weak: where two libraries of one program implement wedge, the linker takes either.
extern "C" {

[[gnu::weak]] wedge_class wedge_class_of(const char* name) {
    return wedge::lock_class(name).id();
}
[[gnu::weak]] wedge_class wedge_class_at(wedge_site where) {
    return wedge::lock_class::at(wedge::detail::c::place(where)).id();
}

[[gnu::weak]] wedge_next wedge_acquire(wedge_lock lock, wedge_mode how, wedge_site where) {
    namespace c = wedge::detail::c;
    return c::take(lock, {.how = c::mode_of(lock, how), .where = c::place(where)});
}
[[gnu::weak]] void wedge_acquired(wedge_lock lock, wedge_mode how, wedge_site where) {
    namespace c = wedge::detail::c;
    c::taken(lock, {.how = c::mode_of(lock, how), .where = c::place(where)});
}
[[gnu::weak]] wedge_next wedge_try(wedge_lock lock, wedge_mode how, wedge_site where) {
    namespace c = wedge::detail::c;
    return c::take(
        lock,
        {.how = c::mode_of(lock, how), .with = wedge::flags::tried, .where = c::place(where)});
}
[[gnu::weak]] void wedge_tried(wedge_lock lock, wedge_mode how, int is_taken, wedge_site where) {
    namespace c = wedge::detail::c;
    const wedge::detail::acquire_terms terms{
        .how = c::mode_of(lock, how), .with = wedge::flags::tried, .where = c::place(where)};
    if (is_taken != 0)
        c::taken(lock, terms);
    else
        wedge::detail::not_acquired(wedge::current(), c::identity_of(lock), terms);
}

[[gnu::weak]] wedge_next wedge_release(wedge_lock lock, wedge_site where) {
    namespace c = wedge::detail::c;
    wedge::task& self = wedge::current();
    wedge::lock_identity& known = c::identity_of(lock);
    const wedge::mode how = wedge::detail::mode_of_hold(self, known);
    if (self.runtime == nullptr) {
        wedge::detail::released(self, known, how, c::place(where));
        return WEDGE_NATIVE;
    }
    wedge::detail::controlled_release(self, known, how, c::place(where));
    return WEDGE_DONE;
}

[[gnu::weak]] wedge_next wedge_wait(const void* condition, wedge_class of, wedge_lock lock,
                                    int is_timed, wedge_site where) {
    namespace c = wedge::detail::c;
    return c::wait(c::condition_at(condition, of), c::identity_of(lock), is_timed != 0,
                   c::place(where));
}
[[gnu::weak]] void wedge_woken(const void* condition, wedge_class of, wedge_lock lock,
                               wedge_site where) {
    namespace c = wedge::detail::c;
    c::taken(lock, {.how = c::waits_under, .where = c::place(where)});
    wedge::detail::report_wait(wedge::current(), wedge::event_kind::wake,
                               c::condition_at(condition, of), c::place(where));
}
[[gnu::weak]] wedge_next wedge_signal(const void* condition, wedge_class of, wedge_site where) {
    namespace c = wedge::detail::c;
    return c::notify(wedge::step::notify_one, c::condition_at(condition, of), c::place(where));
}
[[gnu::weak]] wedge_next wedge_broadcast(const void* condition, wedge_class of, wedge_site where) {
    namespace c = wedge::detail::c;
    return c::notify(wedge::step::notify_all, c::condition_at(condition, of), c::place(where));
}

[[gnu::weak]] void wedge_make(wedge_lock lock) {
    const wedge::lock_kind kind = wedge::detail::c::kind_of(lock.kind);
    wedge::detail::external_locks::process().make(lock.address, wedge::lock_class::from_id(lock.of),
                                                  kind, wedge::wait_type_of(kind));
}
[[gnu::weak]] void wedge_make_condition(const void* condition, wedge_class of) {
    wedge::detail::external_locks::process().make(condition, wedge::lock_class::from_id(of),
                                                  wedge::lock_kind::condition,
                                                  wedge::wait_type::sleep);
}
[[gnu::weak]] void wedge_forget(const void* address) {
    wedge::detail::external_locks::process().forget(address);
}
[[gnu::weak]] void wedge_assert_held(wedge_lock lock, wedge_site where) {
    namespace c = wedge::detail::c;
    struct {
        wedge::lock_identity& known;
        wedge::lock_identity& identity() noexcept { return known; }
    } named{c::identity_of(lock)};
    wedge::assert_held(named, c::place(where));
}

[[gnu::weak]] void wedge_might_alloc(wedge_site where) {
    wedge::detail::c::reclaim().touch(wedge::mode::exclusive, wedge::detail::c::place(where));
}
[[gnu::weak]] void wedge_reclaim_begin(wedge_site where) {
    wedge::detail::c::reclaim().acquire(wedge::mode::exclusive, wedge::detail::c::place(where));
}
[[gnu::weak]] void wedge_reclaim_end(wedge_site where) {
    wedge::detail::c::reclaim().release(wedge::mode::exclusive, wedge::detail::c::place(where));
}

[[gnu::weak]] void wedge_name_task(const char* name) {
    wedge::current().name = name;
}
[[gnu::weak]] void wedge_yield(wedge_site where) {
    wedge::yield(wedge::detail::c::place(where));
}
[[gnu::weak]] unsigned wedge_choose(unsigned n, const char* why) {
    return wedge::choose(n, why);
}

}  // extern "C"
