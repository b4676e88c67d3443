// The interface to ThreadSanitizer and AddressSanitizer. Empty in builds without them.
#pragma once

#include <cstddef>

#include "wedge/core/one_build.hpp"

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

// These are the sanitizers' own names. They are declared here because Debian's gcc ships no
// <sanitizer/tsan_interface.h>.
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

/// Whether the functions of the program are instrumented, and with them what is inlined into them.
inline constexpr bool any = thread || address;

/// While it lives, TSan does not see this thread's memory accesses and draws no happens-before
/// edges from its synchronisation. The checker's own data must neither hide nor invent a race of
/// the program under test.
///
/// `divert` is TSan's function for code that runs inside a mutex operation, which TSan ignores.
/// AnnotateIgnoreReadsBegin and its like need three calls, each of which keeps a stack: four times
/// the cost.
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

/// Ends the effect of an `ignore_scope` for a while: code of the program under test runs within it.
class watch_scope {
public:
    watch_scope() noexcept { ignore_scope::end(); }
    ~watch_scope() { ignore_scope::begin(); }
    watch_scope(const watch_scope&) = delete;
    watch_scope& operator=(const watch_scope&) = delete;
};

/// Makes the sanitizer check that the object is alive. For code that may not be instrumented.
[[gnu::always_inline]] inline void expect_alive([[maybe_unused]] const void* object) noexcept {
#if defined(WEDGE_ASAN)
    __asan_load1(reinterpret_cast<std::size_t>(object));
#elif defined(WEDGE_TSAN)
    __tsan_read1(const_cast<void*>(object));
#endif
}

/// Draws an explicit happens-before edge: all that came before `release(a)` is visible after
/// `acquire(a)`.
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

/// Tells TSan about a lock that TSan cannot intercept. TSan ignores all accesses and all
/// synchronisation of the thread between `locking` and `locked`, and between `unlocking` and
/// `unlocked`. The flags are those of <sanitizer/tsan_interface.h>.
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
        // `linker_init` silences TSan's report "destroy of a locked mutex", which wedge makes
        // itself.
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

/// Inline functions of the locks call TSan, so all sources must be built alike.
[[maybe_unused]] static const bool thread_sanitizer_is_registered =
    register_build_setting(build_setting::thread_sanitizer, sanitizer::thread ? 1 : 0);

}  // namespace wedge::detail
