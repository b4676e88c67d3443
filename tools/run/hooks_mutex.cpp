// Mutexes and spinlocks of POSIX and C11. std::mutex and its like are POSIX mutexes.
#include <unistd.h>

#include "run/steps.hpp"

using namespace wedge;
using namespace wedge::run;

#define WEDGE_HOOK extern "C" [[gnu::visibility("default")]]

namespace {

/// Returns the kind of a mutex that is initialised statically or was initialised before.
[[gnu::always_inline]] inline lock_kind kind_of(const pthread_mutex_t* mutex) noexcept {
    constexpr int kinds = 3;
    return (mutex->__data.__kind & kinds) == PTHREAD_MUTEX_RECURSIVE_NP ? lock_kind::recursive_mutex
                                                                        : lock_kind::mutex;
}

/// Takes a mutex that is free. A mutex that checks errors tells its owner so.
int try_mutex(pthread_mutex_t* mutex) {
    const int result = real.pthread_mutex_trylock(mutex);
    if (result != EBUSY || !is_free(*mutex, ::gettid())) return result;
    return real.pthread_mutex_lock(mutex);
}

template <class Call>
[[gnu::always_inline]] inline int lock_mutex(pthread_mutex_t* mutex, flags with,
                                             const void* returns_to, Call call,
                                             const timespec* end = nullptr,
                                             clockid_t clock = CLOCK_REALTIME) {
    return take(mutex, kind_of(mutex), false, with, returns_to, {awaited::mutex, end, clock}, call,
                [=] { return try_mutex(mutex); });
}

void note_new_mutex(pthread_mutex_t* mutex, made_by how) {
    hook_scope mine;
    if (!mine) return;
    forget_lock(mutex);
    lock_record& made = record_of_new(mutex, kind_of(mutex), how);
    constexpr int kinds = 3;
    made.checks_errors = (mutex->__data.__kind & kinds) == PTHREAD_MUTEX_ERRORCHECK_NP;
}

void note_end(const void* address) {
    hook_scope mine;
    if (mine) forget_lock(address);
}

}  // namespace

WEDGE_HOOK int pthread_mutex_init(pthread_mutex_t* mutex, const pthread_mutexattr_t* attributes) {
    need_real_functions();
    const int result = real.pthread_mutex_init(mutex, attributes);
    if (result == 0) note_new_mutex(mutex, made_by::init);
    return result;
}
WEDGE_HOOK int pthread_mutex_destroy(pthread_mutex_t* mutex) {
    need_real_functions();
    const int result = real.pthread_mutex_destroy(mutex);
    if (result == 0) note_end(mutex);
    return result;
}
WEDGE_HOOK int pthread_mutex_lock(pthread_mutex_t* mutex) {
    need_real_functions();
    return lock_mutex(mutex, flags::none, __builtin_return_address(0),
                      [=] { return real.pthread_mutex_lock(mutex); });
}
WEDGE_HOOK int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* end) {
    need_real_functions();
    return lock_mutex(
        mutex, flags::timed, __builtin_return_address(0),
        [=] { return real.pthread_mutex_timedlock(mutex, end); }, end);
}
WEDGE_HOOK int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                       const timespec* end) {
    need_real_functions();
    return lock_mutex(
        mutex, flags::timed, __builtin_return_address(0),
        [=] { return real.pthread_mutex_clocklock(mutex, clock, end); }, end, clock);
}
WEDGE_HOOK int pthread_mutex_trylock(pthread_mutex_t* mutex) {
    need_real_functions();
    return try_take(mutex, kind_of(mutex), false, __builtin_return_address(0),
                    [=] { return real.pthread_mutex_trylock(mutex); });
}
WEDGE_HOOK int pthread_mutex_unlock(pthread_mutex_t* mutex) {
    need_real_functions();
    return release(mutex, __builtin_return_address(0),
                   [=] { return real.pthread_mutex_unlock(mutex); });
}

WEDGE_HOOK int mtx_init(mtx_t* mutex, int type) {
    need_real_functions();
    const int result = real.mtx_init(mutex, type);
    if (result == thrd_success) note_new_mutex(native(mutex), made_by::init);
    return result;
}
WEDGE_HOOK void mtx_destroy(mtx_t* mutex) {
    need_real_functions();
    note_end(mutex);
    real.mtx_destroy(mutex);
}
WEDGE_HOOK int mtx_lock(mtx_t* mutex) {
    need_real_functions();
    return c11_of(lock_mutex(native(mutex), flags::none, __builtin_return_address(0),
                             [=] { return error_of(real.mtx_lock(mutex)); }));
}
WEDGE_HOOK int mtx_timedlock(mtx_t* mutex, const timespec* end) {
    need_real_functions();
    return c11_of(lock_mutex(
        native(mutex), flags::timed, __builtin_return_address(0),
        [=] { return error_of(real.mtx_timedlock(mutex, end)); }, end));
}
WEDGE_HOOK int mtx_trylock(mtx_t* mutex) {
    need_real_functions();
    int result = thrd_success;
    try_take(mutex, kind_of(native(mutex)), false, __builtin_return_address(0),
             [&] { return error_of(result = real.mtx_trylock(mutex)); });
    return result;
}
WEDGE_HOOK int mtx_unlock(mtx_t* mutex) {
    need_real_functions();
    int result = thrd_success;
    release(mutex, __builtin_return_address(0),
            [&] { return error_of(result = real.mtx_unlock(mutex)); });
    return result;
}

WEDGE_HOOK int pthread_spin_init(pthread_spinlock_t* lock, int is_shared_by_processes) {
    need_real_functions();
    const int result = real.pthread_spin_init(lock, is_shared_by_processes);
    if (hook_scope mine; mine && result == 0) {
        forget_lock(const_cast<int*>(lock));
        lock_record& made =
            record_of_new(const_cast<int*>(lock), lock_kind::spinlock, made_by::init);
        made.is_released_by_others.store(is_shared_by_processes != PTHREAD_PROCESS_PRIVATE,
                                         std::memory_order_relaxed);
    }
    return result;
}
WEDGE_HOOK int pthread_spin_destroy(pthread_spinlock_t* lock) {
    need_real_functions();
    note_end(const_cast<int*>(lock));
    return real.pthread_spin_destroy(lock);
}
WEDGE_HOOK int pthread_spin_lock(pthread_spinlock_t* lock) {
    need_real_functions();
    return take(
        const_cast<int*>(lock), lock_kind::spinlock, false, flags::none,
        __builtin_return_address(0), {awaited::spinlock},
        [=] { return real.pthread_spin_lock(lock); },
        [=] { return real.pthread_spin_trylock(lock); });
}
WEDGE_HOOK int pthread_spin_trylock(pthread_spinlock_t* lock) {
    need_real_functions();
    return try_take(const_cast<int*>(lock), lock_kind::spinlock, false, __builtin_return_address(0),
                    [=] { return real.pthread_spin_trylock(lock); });
}
WEDGE_HOOK int pthread_spin_unlock(pthread_spinlock_t* lock) {
    need_real_functions();
    return release(const_cast<int*>(lock), __builtin_return_address(0),
                   [=] { return real.pthread_spin_unlock(lock); });
}
