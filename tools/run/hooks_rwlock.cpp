// Reader-writer locks. std::shared_mutex is one.
#include <unistd.h>

#include "run/steps.hpp"

using namespace wedge;
using namespace wedge::run;

#define WEDGE_HOOK extern "C" [[gnu::visibility("default")]]

namespace {

/// Readers of the C library's locks pass waiting writers, except of one kind.
mode how_readers_wait(const pthread_rwlock_t* lock) noexcept {
    return lock->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP
               ? mode::shared
               : mode::recursive_shared;
}

/// Makes the record of a lock that is new, so that it knows how readers wait.
void meet(pthread_rwlock_t* lock) {
    if (locks.find(lock) != nullptr) [[likely]]
        return;
    hook_scope mine;
    if (!mine) return;
    record_of_new(lock, lock_kind::rwlock, made_by::first_use).shared_how = how_readers_wait(lock);
}

/// Takes a lock that is free. The lock tells a thread that has it for writing so.
int try_rwlock(pthread_rwlock_t* lock, bool is_read) {
    const int result =
        is_read ? real.pthread_rwlock_tryrdlock(lock) : real.pthread_rwlock_trywrlock(lock);
    if (result != EBUSY || load_word(lock->__data.__cur_writer) != ::gettid()) return result;
    return is_read ? real.pthread_rwlock_rdlock(lock) : real.pthread_rwlock_wrlock(lock);
}

template <class Call>
[[gnu::always_inline]] inline int lock_rwlock(pthread_rwlock_t* lock, bool is_read, flags with,
                                              const void* returns_to, Call call,
                                              const timespec* end = nullptr,
                                              clockid_t clock = CLOCK_REALTIME) {
    meet(lock);
    return take(lock, lock_kind::rwlock, is_read, with, returns_to,
                {is_read ? awaited::read : awaited::write, end, clock}, call,
                [=] { return try_rwlock(lock, is_read); });
}

}  // namespace

WEDGE_HOOK int pthread_rwlock_init(pthread_rwlock_t* lock, const pthread_rwlockattr_t* attributes) {
    need_real_functions();
    const int result = real.pthread_rwlock_init(lock, attributes);
    if (hook_scope mine; mine && result == 0) {
        forget_lock(lock);
        record_of_new(lock, lock_kind::rwlock, made_by::init).shared_how = how_readers_wait(lock);
    }
    return result;
}
WEDGE_HOOK int pthread_rwlock_destroy(pthread_rwlock_t* lock) {
    need_real_functions();
    if (hook_scope mine; mine) forget_lock(lock);
    return real.pthread_rwlock_destroy(lock);
}
WEDGE_HOOK int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
    need_real_functions();
    return lock_rwlock(lock, true, flags::none, __builtin_return_address(0),
                       [=] { return real.pthread_rwlock_rdlock(lock); });
}
WEDGE_HOOK int pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
    need_real_functions();
    return lock_rwlock(lock, false, flags::none, __builtin_return_address(0),
                       [=] { return real.pthread_rwlock_wrlock(lock); });
}
WEDGE_HOOK int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock, const timespec* end) {
    need_real_functions();
    return lock_rwlock(
        lock, true, flags::timed, __builtin_return_address(0),
        [=] { return real.pthread_rwlock_timedrdlock(lock, end); }, end);
}
WEDGE_HOOK int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock, const timespec* end) {
    need_real_functions();
    return lock_rwlock(
        lock, false, flags::timed, __builtin_return_address(0),
        [=] { return real.pthread_rwlock_timedwrlock(lock, end); }, end);
}
WEDGE_HOOK int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                                          const timespec* end) {
    need_real_functions();
    return lock_rwlock(
        lock, true, flags::timed, __builtin_return_address(0),
        [=] { return real.pthread_rwlock_clockrdlock(lock, clock, end); }, end, clock);
}
WEDGE_HOOK int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                                          const timespec* end) {
    need_real_functions();
    return lock_rwlock(
        lock, false, flags::timed, __builtin_return_address(0),
        [=] { return real.pthread_rwlock_clockwrlock(lock, clock, end); }, end, clock);
}
WEDGE_HOOK int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) {
    need_real_functions();
    meet(lock);
    return try_take(lock, lock_kind::rwlock, true, __builtin_return_address(0),
                    [=] { return real.pthread_rwlock_tryrdlock(lock); });
}
WEDGE_HOOK int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) {
    need_real_functions();
    meet(lock);
    return try_take(lock, lock_kind::rwlock, false, __builtin_return_address(0),
                    [=] { return real.pthread_rwlock_trywrlock(lock); });
}
WEDGE_HOOK int pthread_rwlock_unlock(pthread_rwlock_t* lock) {
    need_real_functions();
    return release(lock, __builtin_return_address(0),
                   [=] { return real.pthread_rwlock_unlock(lock); });
}
