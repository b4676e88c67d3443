// Clang's thread-safety annotations, and an attribute that hides functions from sanitizers. Both
// are empty for compilers that do not have them.
#pragma once

#if defined(__clang__)
#define WEDGE_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define WEDGE_THREAD_SAFETY(attribute)
#endif

#define WEDGE_CAPABILITY(name) WEDGE_THREAD_SAFETY(capability(name))
#define WEDGE_SCOPED_CAPABILITY WEDGE_THREAD_SAFETY(scoped_lockable)
#define WEDGE_GUARDED_BY(lock) WEDGE_THREAD_SAFETY(guarded_by(lock))
#define WEDGE_ACQUIRED_AFTER(...) WEDGE_THREAD_SAFETY(acquired_after(__VA_ARGS__))
#define WEDGE_ACQUIRED_BEFORE(...) WEDGE_THREAD_SAFETY(acquired_before(__VA_ARGS__))
#define WEDGE_REQUIRES(...) WEDGE_THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define WEDGE_ACQUIRE(...) WEDGE_THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define WEDGE_ACQUIRE_SHARED(...) WEDGE_THREAD_SAFETY(acquire_shared_capability(__VA_ARGS__))
#define WEDGE_TRY_ACQUIRE(...) WEDGE_THREAD_SAFETY(try_acquire_capability(__VA_ARGS__))
#define WEDGE_TRY_ACQUIRE_SHARED(...) \
    WEDGE_THREAD_SAFETY(try_acquire_shared_capability(__VA_ARGS__))
#define WEDGE_RELEASE(...) WEDGE_THREAD_SAFETY(release_capability(__VA_ARGS__))
#define WEDGE_RELEASE_SHARED(...) WEDGE_THREAD_SAFETY(release_shared_capability(__VA_ARGS__))
#define WEDGE_RELEASE_GENERIC(...) WEDGE_THREAD_SAFETY(release_generic_capability(__VA_ARGS__))
#define WEDGE_NO_THREAD_SAFETY WEDGE_THREAD_SAFETY(no_thread_safety_analysis)

/// Hides a function from the sanitizers. For functions of wedge that run at every step. Its callers
/// and the functions that it calls stay visible; functions that are inlined into it do not. For
/// TSan such a function is no entry of the stack: entries cost a tenth of a fuzzed execution.
#if defined(__clang__)
#define WEDGE_UNSEEN __attribute__((disable_sanitizer_instrumentation))
#else
#define WEDGE_UNSEEN
#endif
