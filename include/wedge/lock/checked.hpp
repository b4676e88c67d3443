// An instrumented lock over any Lockable type, which is the plain lock at level 0.
#pragma once

#include <concepts>
#include <mutex>  // and durations: <chrono> with its calendars costs as much as all of wedge here
#include <shared_mutex>
#include <type_traits>

#include "wedge/core/annotate.hpp"
#include "wedge/core/level.hpp"
#include "wedge/lock/controlled.hpp"

// Boost.Thread's locks. Its headers need not be installed.
namespace boost {
class recursive_mutex;
class recursive_timed_mutex;
}  // namespace boost

namespace wedge {

template <class L>
concept lockable = requires(L& lock) {
    lock.lock();
    lock.unlock();
    { lock.try_lock() } -> std::convertible_to<bool>;
};

template <class L>
concept shared_lockable = lockable<L> && requires(L& lock) {
    lock.lock_shared();
    lock.unlock_shared();
    { lock.try_lock_shared() } -> std::convertible_to<bool>;
};

template <class L>
concept downgradable = shared_lockable<L> && requires(L& lock) {
    lock.downgrade();
};

template <class L>
concept timed_lockable = lockable<L> && requires(L& lock) {
    lock.try_lock_for(std::chrono::seconds());
    lock.try_lock_until(std::chrono::steady_clock::time_point());
};

template <class L>
concept shared_timed_lockable = timed_lockable<L> && shared_lockable<L> && requires(L& lock) {
    lock.try_lock_shared_for(std::chrono::seconds());
    lock.try_lock_shared_until(std::chrono::steady_clock::time_point());
};

/// How wedge models a native lock under control. Specialise it for a lock of your own.
///
/// `shared_how` says whether readers wait behind a waiting writer (`shared`) or not
/// (`recursive_shared`).
template <class L>
struct lock_traits {
    static constexpr lock_kind kind = shared_lockable<L> ? lock_kind::rwlock : lock_kind::mutex;
    static constexpr mode shared_how = mode::recursive_shared;
};
/// The wait types of a native lock (rule 22): of a wait for it, and the longest wait that it allows
/// to its holder. Specialise it for a lock whose kind does not tell them.
template <class L>
struct lock_waits {
    static constexpr wait_type waits = wait_type_of(lock_traits<L>::kind);
    static constexpr wait_type allows = waits;
};
template <class L>
    requires std::same_as<L, std::recursive_mutex> || std::same_as<L, std::recursive_timed_mutex> ||
        std::same_as<L, boost::recursive_mutex> || std::same_as<L, boost::recursive_timed_mutex>
struct lock_traits<L> {
    static constexpr lock_kind kind = lock_kind::recursive_mutex;
    static constexpr mode shared_how = mode::exclusive;
};

/// Whether the contract of `L` forbids a task to take a lock that it holds, even to read while it
/// reads (rule 10). The C++ standard forbids it, although glibc grants most such reads. Specialise
/// it for a lock of your own.
template <class L>
inline constexpr bool forbids_second_hold =
    std::derived_from<L, std::shared_mutex> || std::derived_from<L, std::shared_timed_mutex>;

/// Whether the readers of `L` keep no task out, as those of a sequence count.
template <class L>
inline constexpr bool has_free_readers = false;

namespace detail {

/// Returns the end of a timed wait by a clock whose waits ThreadSanitizer sees. gcc 12's and clang
/// 14's do not intercept pthread_mutex_clocklock and its like.
template <class Clock, class Duration>
auto seen_by_tsan(std::chrono::time_point<Clock, Duration> end) {
    if constexpr (sanitizer::thread)
        return std::chrono::system_clock::now() + (end - Clock::now());
    else
        return end;
}

}  // namespace detail

/// Annotations of one acquire: the nest lock that serialises the nesting (rule 12), or a subclass
/// (rule 12a).
struct under {
    const lock_identity* nest = nullptr;
    std::uint8_t subclass = 0;
};

/// A lock of type `L` that reports every step to the task's sink. Under control the engine decides
/// instead of `L`, which is then never touched. Most code needs no other than wedge::mutex,
/// wedge::shared_mutex and wedge::spinlock.
///
///     wedge::checked<my_lock> table{"table"};
///     { const wedge::guard held(table); … }
///
/// It models Lockable, and SharedLockable and TimedLockable if `L` does, so std::scoped_lock and
/// std::unique_lock take it. Prefer wedge::guard: the guards of the standard library report their
/// own header as the place of the call. The lock's class is the explicit one, else the name, else
/// the place where the lock is made.
///
/// It blocks as `L` does. Reporting takes no lock, except for a chain of holds that is new.
///
/// @tparam Level  at level 0 this class is `L` and nothing more
template <lockable L, class Level = default_level>
class WEDGE_CAPABILITY("mutex") checked {
public:
    // Inlined into the code that makes the lock, since that code is the class of an unnamed lock.
    [[gnu::always_inline]] checked(site where = site::current())
        : checked(lock_class::made_here(where)) {}
    explicit checked(const char* name) : checked(lock_class(name)) {}
    explicit checked(lock_class cls)
        : identity_(lock_traits<L>::kind, cls, lock_waits<L>::waits, lock_waits<L>::allows, 0) {
        if constexpr (forbids_second_hold<L>) identity_.forbid_second_hold();
        if constexpr (has_free_readers<L>) identity_.free_readers();
    }
    checked(const checked&) = delete;
    checked& operator=(const checked&) = delete;

    // Inlining keeps the site of the usual acquire and release out of memory: 2 ns of 7.
    [[gnu::always_inline]] void lock(site where = site::current())
        WEDGE_ACQUIRE() WEDGE_NO_THREAD_SAFETY {
        acquire(mode::exclusive, where);
    }
    void lock(under annotation, site where = site::current())
        WEDGE_ACQUIRE() WEDGE_NO_THREAD_SAFETY {
        acquire(terms_of(annotation, where));
    }
    bool try_lock(site where = site::current()) WEDGE_TRY_ACQUIRE(true) WEDGE_NO_THREAD_SAFETY {
        return try_acquire({.with = flags::tried, .where = where},
                           [&] { return lock_.try_lock(); });
    }
    /// Waits at most that long. Under control it may give up whenever the engine chooses.
    template <class Rep, class Period, timed_lockable N = L>
    bool try_lock_for(std::chrono::duration<Rep, Period> at_most, site where = site::current())
        WEDGE_TRY_ACQUIRE(true) WEDGE_NO_THREAD_SAFETY {
        return try_lock_until(std::chrono::steady_clock::now() + at_most, where);
    }
    template <class Clock, class Duration, timed_lockable N = L>
    bool try_lock_until(std::chrono::time_point<Clock, Duration> end, site where = site::current())
        WEDGE_TRY_ACQUIRE(true) WEDGE_NO_THREAD_SAFETY {
        return try_acquire({.with = flags::timed, .where = where},
                           [&] { return lock_.try_lock_until(detail::seen_by_tsan(end)); });
    }
    [[gnu::always_inline]] void unlock(site where = site::current())
        WEDGE_RELEASE() WEDGE_NO_THREAD_SAFETY {
        release<mode::exclusive>(where);
    }

    template <shared_lockable N = L>
    [[gnu::always_inline]] void lock_shared(site where = site::current())
        WEDGE_ACQUIRE_SHARED() WEDGE_NO_THREAD_SAFETY {
        acquire(shared_how, where);
    }
    template <shared_lockable N = L>
    bool try_lock_shared(site where = site::current())
        WEDGE_TRY_ACQUIRE_SHARED(true) WEDGE_NO_THREAD_SAFETY {
        return try_acquire({.how = shared_how, .with = flags::tried, .where = where},
                           [&] { return lock_.try_lock_shared(); });
    }
    template <class Rep, class Period, shared_timed_lockable N = L>
    bool try_lock_shared_for(std::chrono::duration<Rep, Period> at_most,
                             site where = site::current())
        WEDGE_TRY_ACQUIRE_SHARED(true) WEDGE_NO_THREAD_SAFETY {
        return try_lock_shared_until(std::chrono::steady_clock::now() + at_most, where);
    }
    template <class Clock, class Duration, shared_timed_lockable N = L>
    bool try_lock_shared_until(std::chrono::time_point<Clock, Duration> end,
                               site where = site::current())
        WEDGE_TRY_ACQUIRE_SHARED(true) WEDGE_NO_THREAD_SAFETY {
        return try_acquire({.how = shared_how, .with = flags::timed, .where = where},
                           [&] { return lock_.try_lock_shared_until(detail::seen_by_tsan(end)); });
    }
    template <shared_lockable N = L>
    [[gnu::always_inline]] void unlock_shared(site where = site::current())
        WEDGE_RELEASE_GENERIC() WEDGE_NO_THREAD_SAFETY {
        release<shared_how>(where);
    }
    /// Turns the exclusive hold into a shared one and lets no writer in between.
    template <downgradable N = L>
    void downgrade(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        task& self = current();
        if (self.runtime != nullptr) [[unlikely]]
            return detail::controlled_downgrade(self, identity_, where);
        detail::downgraded(self, identity_, where);
        lock_.downgrade();
    }

    lock_identity& identity() noexcept { return identity_; }
    const lock_identity& identity() const noexcept { return identity_; }

    /// The mode in which `lock_shared` takes it.
    static constexpr mode shared_how = lock_traits<L>::shared_how;

private:
    static detail::acquire_terms terms_of(under annotation, site where) {
        detail::acquire_terms terms{.subclass = annotation.subclass, .where = where};
        if (annotation.subclass != 0) terms.with = terms.with | flags::subclassed;
        if (annotation.nest != nullptr) {
            terms.with = terms.with | flags::nest;
            terms.payload = annotation.nest->instance();
        }
        return terms;
    }

    /// Not inlined under sanitizers: their checks of wedge's own memory would cost more than the
    /// rest.
    [[gnu::always_inline]] void acquire(mode how, const site& where) {
        if constexpr (sanitizer::any)
            acquire_unseen(how, where.file, where.function, where.line);
        else
            acquire({.how = how, .where = where});
    }
    [[gnu::noinline]] void acquire_unseen(mode how, const char* file, const char* function,
                                          unsigned line) {
        acquire({.how = how, .where = {file, function, line}});
    }

    [[gnu::always_inline]] void acquire(const detail::acquire_terms& terms) {
        task& self = current();
        if (self.runtime != nullptr) [[unlikely]] {
            detail::controlled_acquire(self, identity_, terms);
            return;
        }
        if (deepen(self, [&] {
                native_lock(terms.how);
                return true;
            }))
            return;
        detail::attempt(self, identity_, terms);
        native_lock(terms.how);
        detail::acquired(self, identity_, terms);
    }

    template <class Native>
    bool try_acquire(const detail::acquire_terms& terms, Native native) {
        task& self = current();
        if (self.runtime != nullptr) [[unlikely]]
            return detail::controlled_acquire(self, identity_, terms);
        if (deepen(self, native)) return true;
        if (has(terms.with, flags::tried))
            detail::note_foreign_use(self, identity_, terms.where);
        else
            detail::attempt(self, identity_, terms);
        const bool is_taken = !detail::must_fail(self, terms) && native();
        if (is_taken)
            detail::acquired(self, identity_, terms);
        else
            detail::not_acquired(self, identity_, terms);
        return is_taken;
    }

    /// Takes a recursive mutex a second time, which cannot fail and is no event. Returns false if
    /// the lock is not held or is of another kind.
    template <class Native>
    bool deepen(task& self, Native native) {
        if constexpr (lock_traits<L>::kind == lock_kind::recursive_mutex) {
            if (held_lock* const mine = self.held.find(identity_.instance()))
                if (native()) return ++mine->depth, true;
        }
        return false;
    }

    void native_lock(mode how) {
        if constexpr (shared_lockable<L>) {
            if (is_shared(how)) return lock_.lock_shared();
        }
        lock_.lock();
    }

    template <mode How>
    [[gnu::always_inline]] void release(const site& where) {
        if constexpr (sanitizer::any)
            release_unseen<How>(where.file, where.function, where.line);
        else
            release_here<How>(where);
    }
    template <mode How>
    [[gnu::noinline]] void release_unseen(const char* file, const char* function, unsigned line) {
        release_here<How>({file, function, line});
    }

    template <mode How>
    [[gnu::always_inline]] void release_here(const site& where) {
        task& self = current();
        if (self.runtime != nullptr) [[unlikely]]
            return detail::controlled_release(self, identity_, How, where);
        detail::released(self, identity_, How, where);
        if constexpr (is_shared(How))
            lock_.unlock_shared();
        else
            lock_.unlock();
    }

    L lock_;
    lock_identity identity_;
};

/// Level 0: the plain lock. Names, classes and sites are accepted and ignored.
template <lockable L>
class WEDGE_CAPABILITY("mutex") checked<L, level_constant<level::off>> {
public:
    checked() = default;
    explicit checked(const char*) {}
    explicit checked(lock_class) {}
    checked(const checked&) = delete;
    checked& operator=(const checked&) = delete;

    void lock(site = {}) WEDGE_ACQUIRE() WEDGE_NO_THREAD_SAFETY { lock_.lock(); }
    void lock(under, site = {}) WEDGE_ACQUIRE() WEDGE_NO_THREAD_SAFETY { lock_.lock(); }
    bool try_lock(site = {}) WEDGE_TRY_ACQUIRE(true) WEDGE_NO_THREAD_SAFETY {
        return lock_.try_lock();
    }
    template <class Rep, class Period, timed_lockable N = L>
    bool try_lock_for(std::chrono::duration<Rep, Period> at_most, site = {})
        WEDGE_TRY_ACQUIRE(true) WEDGE_NO_THREAD_SAFETY {
        return lock_.try_lock_for(at_most);
    }
    template <class Clock, class Duration, timed_lockable N = L>
    bool try_lock_until(std::chrono::time_point<Clock, Duration> end, site = {})
        WEDGE_TRY_ACQUIRE(true) WEDGE_NO_THREAD_SAFETY {
        return lock_.try_lock_until(end);
    }
    void unlock(site = {}) WEDGE_RELEASE() WEDGE_NO_THREAD_SAFETY { lock_.unlock(); }
    template <shared_lockable N = L>
    void lock_shared(site = {}) WEDGE_ACQUIRE_SHARED() WEDGE_NO_THREAD_SAFETY {
        lock_.lock_shared();
    }
    template <shared_lockable N = L>
    bool try_lock_shared(site = {}) WEDGE_TRY_ACQUIRE_SHARED(true) WEDGE_NO_THREAD_SAFETY {
        return lock_.try_lock_shared();
    }
    template <class Rep, class Period, shared_timed_lockable N = L>
    bool try_lock_shared_for(std::chrono::duration<Rep, Period> at_most, site = {})
        WEDGE_TRY_ACQUIRE_SHARED(true) WEDGE_NO_THREAD_SAFETY {
        return lock_.try_lock_shared_for(at_most);
    }
    template <class Clock, class Duration, shared_timed_lockable N = L>
    bool try_lock_shared_until(std::chrono::time_point<Clock, Duration> end, site = {})
        WEDGE_TRY_ACQUIRE_SHARED(true) WEDGE_NO_THREAD_SAFETY {
        return lock_.try_lock_shared_until(end);
    }
    template <shared_lockable N = L>
    void unlock_shared(site = {}) WEDGE_RELEASE_GENERIC() WEDGE_NO_THREAD_SAFETY {
        lock_.unlock_shared();
    }
    template <downgradable N = L>
    void downgrade(site = {}) WEDGE_NO_THREAD_SAFETY {
        lock_.downgrade();
    }

    static constexpr mode shared_how = lock_traits<L>::shared_how;

private:
    L lock_;
};

}  // namespace wedge
