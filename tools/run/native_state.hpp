// What the C library's objects say about themselves: whether a lock is free, and who has it.
#pragma once

#include <type_traits>

#include <pthread.h>
#include <semaphore.h>
#include <sys/types.h>

namespace wedge::run {

/// Bits of glibc's mutexes and readers-writer locks (glibc 2.25 and later).
struct native_bits {
    static constexpr int mutex_type = 3;
    static constexpr int mutex_ceiling = 64;
    static constexpr int mutex_shared = 128;
    static constexpr unsigned owner_died = 0x4000'0000;
    static constexpr unsigned write_phase = 1;
    static constexpr unsigned write_locked = 2;
    static constexpr unsigned reader_shift = 3;
};

template <class Word>
std::remove_cv_t<Word> load_word(Word& word) noexcept {
    return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}

inline int owner_of(const pthread_mutex_t& mutex) noexcept {
    return load_word(mutex.__data.__owner);
}

/// Returns whether a lock by this thread would not block. With a priority ceiling: unknown, true.
inline bool is_free(const pthread_mutex_t& mutex, int thread) noexcept {
    const int kind = load_word(mutex.__data.__kind);
    const auto word = static_cast<unsigned>(load_word(mutex.__data.__lock));
    if (word == 0 || (word & native_bits::owner_died) != 0) return true;
    if ((kind & native_bits::mutex_ceiling) != 0) return true;
    const int type = kind & native_bits::mutex_type;
    return owner_of(mutex) == thread &&
           (type == PTHREAD_MUTEX_RECURSIVE_NP || type == PTHREAD_MUTEX_ERRORCHECK_NP);
}

// The thread that has a lock for writing gets an error if it takes it again, and does not wait.
inline bool is_free_for_writing(const pthread_rwlock_t& lock, int thread) noexcept {
    if (load_word(lock.__data.__cur_writer) == thread) return true;
    const unsigned state = load_word(lock.__data.__readers);
    return (state & native_bits::write_locked) == 0 && state >> native_bits::reader_shift == 0;
}
inline bool is_free_for_reading(const pthread_rwlock_t& lock, int thread) noexcept {
    if (load_word(lock.__data.__cur_writer) == thread) return true;
    const unsigned state = load_word(lock.__data.__readers);
    if ((state & native_bits::write_locked) == 0) return true;
    return (state & native_bits::write_phase) == 0 &&
           lock.__data.__flags != PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
}

inline bool is_free(const pthread_spinlock_t& lock) noexcept {
#if defined(__x86_64__) || defined(__i386__)
    return load_word(lock) == 1;
#else
    return load_word(lock) == 0;
#endif
}

/// Returns whether the initialisation does not run now.
inline bool is_free(const int& once_control) noexcept {
    return (load_word(once_control) & 3) != 1;
}

inline bool is_shared_by_processes(const pthread_mutex_t& mutex) noexcept {
    return (load_word(mutex.__data.__kind) & native_bits::mutex_shared) != 0;
}
inline bool is_shared_by_processes(const pthread_rwlock_t& lock) noexcept {
    return lock.__data.__shared != 0;
}
inline bool is_shared_by_processes(const pthread_cond_t& condition) noexcept {
    return (load_word(condition.__data.__wrefs) & 1) != 0;
}
/// Of other layouts than that of 64 bits, it is unknown: true.
inline bool is_shared_by_processes(const sem_t& semaphore) noexcept {
    int words[sizeof(sem_t) / sizeof(int)];
    __builtin_memcpy(words, &semaphore, sizeof words);
    return sizeof(void*) != 8 || words[2] != 0;
}
/// The clock of `pthread_cond_timedwait`.
inline ::clockid_t clock_of(const pthread_cond_t& condition) noexcept {
    return (load_word(condition.__data.__wrefs) & 2) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

/// What a thread of this process does, as the kernel sees it (proc(5)).
struct kernel_view {
    char state = '?';               ///< of `/proc/self/task/N/stat`; X: it has ended; ?: unknown
    unsigned long long ran_ns = 0;  ///< on a processor

    /// Returns whether it sleeps, or is stopped.
    bool is_asleep() const noexcept {
        return state == 'S' || state == 'D' || state == 'T' || state == 't' || state == 'I';
    }
    bool has_ended() const noexcept { return state == 'X' || state == 'Z'; }
};

/// Reads by plain system calls, since a wait for a turn is no place to be cancelled.
kernel_view view_of(int thread) noexcept;

/// Returns whether the process has a handler for some signal, by which it could be woken; true if
/// the system does not say. The C library's own two signals do not count.
bool may_be_woken_by_signals() noexcept;
/// Returns the number of threads of the process that have not ended; 0: unknown.
unsigned living_threads() noexcept;
/// Returns whether a handler is installed that interrupts a wait for a semaphore for good.
bool may_interrupt_waits() noexcept;

}  // namespace wedge::run
