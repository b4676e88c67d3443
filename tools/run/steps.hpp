// The steps that the hooks of all kinds of locks share.
#pragma once

#include <cerrno>

#include <threads.h>

#include "run/control.hpp"
#include "run/native_state.hpp"
#include "run/recorder.hpp"
#include "run/session.hpp"

namespace wedge::run {

void delay_now() noexcept;
/// Sleeps for a random time, if the plan says so. Call it outside of a hook's own part.
[[gnu::always_inline]] inline void perhaps_delay() noexcept {
    if (plan.delay_permille != 0) [[unlikely]]
        delay_now();
}

/// Returns the result of a C11 function as an error number, and the other way round.
inline int error_of(int c11) noexcept {
    return c11 == thrd_success ? 0 : c11 == thrd_timedout ? ETIMEDOUT : EINVAL;
}
inline int c11_of(int result) noexcept {
    return result == 0 ? thrd_success : result == ETIMEDOUT ? thrd_timedout : thrd_error;
}

/// Returns the mutex of POSIX that a mutex of C11 is.
inline pthread_mutex_t* native(mtx_t* mutex) noexcept {
    return reinterpret_cast<pthread_mutex_t*>(mutex);
}

/// Returns whether an acquire that returned this has the lock. The owner of a robust mutex may have
/// died.
constexpr bool is_taken(int result) noexcept {
    return result == 0 || result == EOWNERDEAD;
}

/// What a lock's call needs under control: what it waits for, and its time limit.
struct lock_terms {
    awaited waits = awaited::nothing;
    const timespec* end = nullptr;
    ::clockid_t clock = CLOCK_REALTIME;
};

/// Takes a lock in the thread's turn. The step is enabled when the lock is free, so the try
/// succeeds, unless a thread outside of control was faster.
template <class Call, class Try>
[[gnu::noinline]] int take_in_turn(const void* address, lock_record& lock, const void* returns_to,
                                   const lock_terms& terms, Call call, Try attempt) {
    if (!is_controlled()) return call();
    constexpr unsigned tries_max = 8;
    for (unsigned tries = 0; tries < tries_max; ++tries) {
        const turn_end how = take_turn({.what = step::acquire,
                                        .waits = terms.waits,
                                        .object = address,
                                        .lock = &lock,
                                        .returns_to = returns_to,
                                        .end = terms.end,
                                        .clock = terms.clock});
        const int result = attempt();
        if (result != EBUSY) return result;
        if (how == turn_end::expired) return ETIMEDOUT;
    }
    // The library does not know this sort of lock well.
    give_turn();
    const int result = call();
    take_turn({.returns_to = returns_to, .is_unrecorded = true});
    return result;
}

/// Takes a lock by a call that may block.
///
/// @param call     the C library's function, bound to its arguments
/// @param attempt  takes the lock without blocking, or returns EBUSY
template <class Call, class Try>
[[gnu::always_inline]] inline int take(const void* address, lock_kind kind, bool is_read,
                                       flags with, const void* returns_to, const lock_terms& terms,
                                       Call call, Try attempt) {
    perhaps_delay();
    hook_scope mine;
    if (!mine) return call();
    task& self = *me.self;
    lock_record& lock = record_of(address, kind);
    lock_identity& known = lock.identity();
    if (known.kind() == lock_kind::recursive_mutex || lock.checks_errors) [[unlikely]] {
        if (held_lock* const hold = self.held.find(known.instance())) {
            mine.close();
            const int result = call();
            if (result == 0) ++hold->depth;
            return result;
        }
    }
    const mode how = is_read ? lock.shared_how : mode::exclusive;
    const site where = site_of(returns_to);
    detail::attempt(self, known, {.how = how, .with = with, .where = where});
    if (!has(with, flags::timed)) record(self, is_read ? "request_read" : "request", lock, where);
    mine.close();
    int result = 0;
    if (plan.controls) [[unlikely]]
        result = take_in_turn(address, lock, returns_to, terms, call, attempt);
    else
        result = call();
    hook_scope again;
    if (!again) return result;
    if (is_taken(result)) {
        detail::acquired(self, known, {.how = how, .with = with, .where = where});
        count_acquire();
        if (has(with, flags::timed))
            record(self, is_read ? "timed_read" : "timed_acquire", lock, where);
        else
            record(self, is_read ? "read" : "acquire", lock, where);
    } else {
        record(self, "give_up", lock, where);
    }
    return result;
}

/// Tries to take a lock by a call that does not block.
template <class Call>
[[gnu::always_inline]] inline int try_take(const void* address, lock_kind kind, bool is_read,
                                           const void* returns_to, Call call) {
    step_in_turn(step::try_acquire, returns_to, locks.find(address));
    const int result = call();
    hook_scope mine;
    if (!mine) return result;
    task& self = *me.self;
    lock_record& lock = record_of(address, kind);
    const site where = site_of(returns_to);
    if (!is_taken(result)) {
        record(self, "try_failed", lock, where);
        return result;
    }
    lock_identity& known = lock.identity();
    if (known.kind() == lock_kind::recursive_mutex) {
        if (held_lock* const hold = self.held.find(known.instance())) {
            ++hold->depth;
            return result;
        }
    }
    const mode how = is_read ? lock.shared_how : mode::exclusive;
    detail::acquired(self, known, {.how = how, .with = flags::tried, .where = where});
    count_acquire();
    record(self, is_read ? "try_read" : "try_acquire", lock, where);
    return result;
}

/// Releases a lock.
template <class Call>
[[gnu::always_inline]] inline int release(const void* address, const void* returns_to, Call call) {
    step_in_turn(step::release, returns_to, locks.find(address));
    hook_scope mine;
    if (!mine) return call();
    task& self = *me.self;
    if (lock_record* const lock = locks.find(address)) [[likely]] {
        const site where = site_of(returns_to);
        lock_identity& known = lock->identity();
        mode how = mode::exclusive;
        if (known.kind() == lock_kind::rwlock)
            if (const held_lock* const hold = self.held.find(known.instance())) how = hold->how;
        if (plan.records) [[unlikely]] {
            const held_lock* const hold = self.held.find(known.instance());
            if (hold == nullptr || hold->depth == 1) record(self, "release", *lock, where);
            if (hold == nullptr) lock->is_released_by_others.store(true, std::memory_order_relaxed);
        }
        detail::released(self, known, how, where);
    }
    mine.close();
    const int result = call();
    perhaps_delay();
    return result;
}

}  // namespace wedge::run
