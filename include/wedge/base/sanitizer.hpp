// What ThreadSanitizer and AddressSanitizer are told; nothing in builds without them.
#pragma once

#include <cstddef>

#include "wedge/base/one_build.hpp"

#if defined(__SANITIZE_THREAD__)
#define WEDGE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEDGE_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WEDGE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEDGE_ASAN 1
#endif
#endif

// The names are the sanitizers' own, so they are declared here rather than included: Debian's gcc
// ships no <sanitizer/tsan_interface.h>.
extern "C" {
#if defined(WEDGE_TSAN)
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void __tsan_mutex_create(void* address, unsigned flags);
void __tsan_mutex_destroy(void* address, unsigned flags);
void __tsan_mutex_pre_lock(void* address, unsigned flags);
void __tsan_mutex_post_lock(void* address, unsigned flags, int recursion);
int __tsan_mutex_pre_unlock(void* address, unsigned flags);
void __tsan_mutex_post_unlock(void* address, unsigned flags);
void __tsan_mutex_pre_divert(void* address, unsigned flags);
void __tsan_mutex_post_divert(void* address, unsigned flags);
void __tsan_read1(void* address);
#endif
#if defined(WEDGE_ASAN)
void __asan_load1(std::size_t address);
#endif
}

namespace wedge::sanitizer {

#if defined(WEDGE_TSAN)
inline constexpr bool thread = true;
#else
inline constexpr bool thread = false;
#endif
#if defined(WEDGE_ASAN)
inline constexpr bool address = true;
#else
inline constexpr bool address = false;
#endif

/// Whether the functions of the program are instrumented: what is inlined into them is as well.
inline constexpr bool any = thread || address;

/// While it lives, TSan neither sees this thread's accesses nor draws happens-before edges from
/// its synchronisation: the checker's own data must not hide or invent a race of the user's.
///
/// Divert is TSan's word for leaving the inside of a mutex, which it ignores, and for coming back.
/// AnnotateIgnore… say the same in three calls, each of which keeps a stack: four times the cost.
class ignore_scope {
public:
    ignore_scope() noexcept { begin(); }
    ~ignore_scope() { end(); }
    ignore_scope(const ignore_scope&) = delete;
    ignore_scope& operator=(const ignore_scope&) = delete;

    static void begin() noexcept {
#if defined(WEDGE_TSAN)
        __tsan_mutex_post_divert(nullptr, 0);
#endif
    }
    static void end() noexcept {
#if defined(WEDGE_TSAN)
        __tsan_mutex_pre_divert(nullptr, 0);
#endif
    }
};

/// The opposite, inside an `ignore_scope`: the program under test runs, and TSan looks on.
class watch_scope {
public:
    watch_scope() noexcept { ignore_scope::end(); }
    ~watch_scope() { ignore_scope::begin(); }
    watch_scope(const watch_scope&) = delete;
    watch_scope& operator=(const watch_scope&) = delete;
};

/// Has the sanitizer look whether the object is alive, where the code that uses it may not be
/// instrumented.
[[gnu::always_inline]] inline void expect_alive([[maybe_unused]] const void* object) noexcept {
#if defined(WEDGE_ASAN)
    __asan_load1(reinterpret_cast<std::size_t>(object));
#elif defined(WEDGE_TSAN)
    __tsan_read1(const_cast<void*>(object));
#endif
}

/// An explicit happens-before edge: everything before `release(a)` is visible after `acquire(a)`.
inline void acquire([[maybe_unused]] void* object) noexcept {
#if defined(WEDGE_TSAN)
    __tsan_acquire(object);
#endif
}
inline void release([[maybe_unused]] void* object) noexcept {
#if defined(WEDGE_TSAN)
    __tsan_release(object);
#endif
}

/// TSan's view of a lock that it cannot intercept. Between `locking` and `locked` TSan ignores
/// all accesses and synchronisation of the thread, and likewise inside `unlocking`..`unlocked`.
/// The flags are those of <sanitizer/tsan_interface.h>.
struct tsan_lock {
    static constexpr unsigned read_lock = 1U << 3;
    static constexpr unsigned try_lock = 1U << 4;
    static constexpr unsigned try_lock_failed = 1U << 5;
    static constexpr unsigned linker_init = 1U << 0;
    static constexpr unsigned reentrant = 1U << 1;

    static void created([[maybe_unused]] void* lock, [[maybe_unused]] unsigned flags) noexcept {
#if defined(WEDGE_TSAN)
        __tsan_mutex_create(lock, flags);
#endif
    }
    static void destroyed([[maybe_unused]] void* lock) noexcept {
#if defined(WEDGE_TSAN)
        // linker_init silences "destroy of a locked mutex": wedge reports that itself.
        __tsan_mutex_destroy(lock, linker_init);
#endif
    }
    static void locking([[maybe_unused]] void* lock, [[maybe_unused]] unsigned flags) noexcept {
#if defined(WEDGE_TSAN)
        __tsan_mutex_pre_lock(lock, flags);
#endif
    }
    static void locked([[maybe_unused]] void* lock, [[maybe_unused]] unsigned flags) noexcept {
#if defined(WEDGE_TSAN)
        __tsan_mutex_post_lock(lock, flags, 0);
#endif
    }
    static void unlocking([[maybe_unused]] void* lock, [[maybe_unused]] unsigned flags) noexcept {
#if defined(WEDGE_TSAN)
        __tsan_mutex_pre_unlock(lock, flags);
#endif
    }
    static void unlocked([[maybe_unused]] void* lock, [[maybe_unused]] unsigned flags) noexcept {
#if defined(WEDGE_TSAN)
        __tsan_mutex_post_unlock(lock, flags);
#endif
    }
};

}  // namespace wedge::sanitizer

namespace wedge::detail {

/// What a lock tells TSan is in inline functions.
[[maybe_unused]] static const bool thread_sanitizer_is_registered =
    register_build_setting(build_setting::thread_sanitizer, sanitizer::thread ? 1 : 0);

}  // namespace wedge::detail
