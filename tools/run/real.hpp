// The functions that the hooks stand in front of.
#pragma once

#include <cstdlib>

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <threads.h>
#include <unistd.h>

// Declared by newer C libraries only, and looked up at run time.
extern "C" std::size_t malloc_usable_size(void* memory);

namespace wedge::run {

// clang-format off
#define WEDGE_RUN_REAL(F)                                                                         \
    F(pthread_mutex_init) F(pthread_mutex_destroy) F(pthread_mutex_lock) F(pthread_mutex_trylock) \
    F(pthread_mutex_timedlock) F(pthread_mutex_clocklock) F(pthread_mutex_unlock)                 \
    F(pthread_rwlock_init) F(pthread_rwlock_destroy) F(pthread_rwlock_rdlock)                     \
    F(pthread_rwlock_wrlock) F(pthread_rwlock_tryrdlock) F(pthread_rwlock_trywrlock)              \
    F(pthread_rwlock_timedrdlock) F(pthread_rwlock_timedwrlock) F(pthread_rwlock_clockrdlock)     \
    F(pthread_rwlock_clockwrlock) F(pthread_rwlock_unlock)                                        \
    F(pthread_spin_init) F(pthread_spin_destroy) F(pthread_spin_lock) F(pthread_spin_trylock)     \
    F(pthread_spin_unlock)                                                                        \
    F(pthread_cond_wait) F(pthread_cond_timedwait) F(pthread_cond_clockwait)                      \
    F(pthread_cond_signal) F(pthread_cond_broadcast)                                              \
    F(sem_wait) F(sem_trywait) F(sem_timedwait) F(sem_clockwait) F(sem_post)                      \
    F(pthread_barrier_wait)                                                                       \
    F(pthread_once) F(pthread_create) F(pthread_join) F(pthread_cancel) F(sched_yield)            \
    F(mtx_init) F(mtx_destroy) F(mtx_lock) F(mtx_trylock) F(mtx_timedlock) F(mtx_unlock)          \
    F(cnd_wait) F(cnd_timedwait) F(cnd_signal) F(cnd_broadcast)                                   \
    F(thrd_create) F(thrd_join) F(call_once)                                                      \
    F(free) F(realloc) F(malloc_usable_size) F(munmap) F(dlclose)            \
    F(_exit)
// clang-format on

/// The C library's functions, or those of another library that is loaded before it.
struct real_functions {
#define WEDGE_RUN_MEMBER(name) decltype(&::name) name;
    WEDGE_RUN_REAL(WEDGE_RUN_MEMBER)
#undef WEDGE_RUN_MEMBER
    bool has_all;            ///< found
    bool knows_block_sizes;  ///< `malloc_usable_size` and `free` are of one allocator
};

extern real_functions real;

/// Finds the functions. Safe to call twice.
void find_real_functions() noexcept;

/// Called first by each hook: libraries take locks before this library is initialised.
[[gnu::always_inline]] inline void need_real_functions() noexcept {
    if (!real.has_all) [[unlikely]]
        find_real_functions();
}

}  // namespace wedge::run
