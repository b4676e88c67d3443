// The names of <mutex> and <shared_mutex>, with the signatures of the standard.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <system_error>
#include <tuple>
#include <utility>

#include "wedge/core/check.hpp"
#include "wedge/lock/atomic.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/recursive_mutex.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/std_like/lock_all.hpp"

namespace wedge::std_like {

using std::adopt_lock;
using std::adopt_lock_t;
using std::defer_lock;
using std::defer_lock_t;
using std::try_to_lock;
using std::try_to_lock_t;

using mutex = checked<std::mutex>;
using timed_mutex = checked<std::timed_mutex>;
using recursive_mutex = checked<std::recursive_mutex>;
using recursive_timed_mutex = checked<std::recursive_timed_mutex>;
using shared_mutex = checked<std::shared_mutex>;  // as glibc's: readers come first
using shared_timed_mutex = checked<std::shared_timed_mutex>;

/// As std::lock_guard. It reports the line where it stands.
template <class Mutex>
class WEDGE_SCOPED_CAPABILITY lock_guard {
public:
    using mutex_type = Mutex;

    [[gnu::always_inline]] explicit lock_guard(Mutex& m, site where = site::current())
        WEDGE_ACQUIRE(m) WEDGE_NO_THREAD_SAFETY : mutex_(m) {
        detail::located<Mutex>(m, where).lock();
    }
    lock_guard(Mutex& m, adopt_lock_t) WEDGE_REQUIRES(m) WEDGE_NO_THREAD_SAFETY : mutex_(m) {}
    lock_guard(const lock_guard&) = delete;
    lock_guard& operator=(const lock_guard&) = delete;
    [[gnu::always_inline]] ~lock_guard() WEDGE_RELEASE() WEDGE_NO_THREAD_SAFETY { mutex_.unlock(); }

private:
    Mutex& mutex_;
};

/// As std::scoped_lock: takes all locks without a deadlock among them.
template <class... Mutexes>
class scoped_lock {
public:
    explicit scoped_lock(Mutexes&... all, site where = site::current()) WEDGE_NO_THREAD_SAFETY
        : all_(all...) {
        if constexpr (sizeof...(Mutexes) == 1)
            (detail::located<Mutexes>(all, where).lock(), ...);
        else if constexpr (sizeof...(Mutexes) > 1)
            detail::lock_all(where, all...);
    }
    explicit scoped_lock(adopt_lock_t, Mutexes&... all) noexcept : all_(all...) {}
    scoped_lock(const scoped_lock&) = delete;
    scoped_lock& operator=(const scoped_lock&) = delete;
    ~scoped_lock() WEDGE_NO_THREAD_SAFETY {
        std::apply([](Mutexes&... all) { (all.unlock(), ...); }, all_);
    }

private:
    std::tuple<Mutexes&...> all_;
};
template <class... Mutexes>
scoped_lock(Mutexes&...) -> scoped_lock<Mutexes...>;
template <class... Mutexes>
scoped_lock(adopt_lock_t, Mutexes&...) -> scoped_lock<Mutexes...>;

namespace parts {

[[noreturn]] inline void refuse(std::errc why) {
    detail::raise<std::system_error>(std::make_error_code(why));
}

/// How `unique_lock` holds its lock.
struct exclusively {
    template <class Mutex>
    static constexpr mode how_it_locks = mode::exclusive;

    static void lock(auto& m, const site& where) { detail::located(m, where).lock(); }
    static bool try_lock(auto& m, const site& where) {
        return detail::located(m, where).try_lock();
    }
    static bool try_until(auto& m, const auto& end, const site& where) {
        return m.try_lock_until(end, where);
    }
    static void unlock(auto& m, const site& where) {
        if constexpr (requires { m.unlock(where); })
            m.unlock(where);
        else
            m.unlock();
    }
};

/// How `shared_lock` holds its lock.
struct shared {
    template <class Mutex>
    static constexpr mode how_it_locks = Mutex::shared_how;

    static void lock(auto& m, const site& where) { m.lock_shared(where); }
    static bool try_lock(auto& m, const site& where) { return m.try_lock_shared(where); }
    static bool try_until(auto& m, const auto& end, const site& where) {
        return m.try_lock_shared_until(end, where);
    }
    static void unlock(auto& m, const site& where) { m.unlock_shared(where); }
};

/// What `unique_lock` and `shared_lock` have in common: a lock that may be held, and may change
/// hands.
template <class Mutex, class How>
class movable_lock {
public:
    using mutex_type = Mutex;
    static constexpr mode how_it_locks = How::template how_it_locks<Mutex>;

    movable_lock() noexcept = default;
    explicit movable_lock(Mutex& m, site where = site::current()) : mutex_(&m) { lock(where); }
    movable_lock(Mutex& m, defer_lock_t) noexcept : mutex_(&m) {}
    movable_lock(Mutex& m, try_to_lock_t, site where = site::current()) : mutex_(&m) {
        is_owned_ = How::try_lock(m, where);
    }
    movable_lock(Mutex& m, adopt_lock_t) noexcept : mutex_(&m), is_owned_(true) {}
    template <class Clock, class Duration>
    movable_lock(Mutex& m, const std::chrono::time_point<Clock, Duration>& end,
                 site where = site::current())
        : mutex_(&m) {
        is_owned_ = How::try_until(m, end, where);
    }
    template <class Rep, class Period>
    movable_lock(Mutex& m, const std::chrono::duration<Rep, Period>& at_most,
                 site where = site::current())
        : movable_lock(m, std::chrono::steady_clock::now() + at_most, where) {}
    movable_lock(movable_lock&& other) noexcept { swap(other); }
    movable_lock& operator=(movable_lock&& other) noexcept {
        movable_lock moved(std::move(other));
        swap(moved);
        return *this;
    }
    ~movable_lock() WEDGE_NO_THREAD_SAFETY {
        if (is_owned_) How::unlock(*mutex_, {});
    }

    void lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        How::lock(free_mutex(), where);
        is_owned_ = true;
    }
    bool try_lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        return is_owned_ = How::try_lock(free_mutex(), where);
    }
    template <class Clock, class Duration>
    bool try_lock_until(const std::chrono::time_point<Clock, Duration>& end,
                        site where = site::current()) {
        return is_owned_ = How::try_until(free_mutex(), end, where);
    }
    template <class Rep, class Period>
    bool try_lock_for(const std::chrono::duration<Rep, Period>& at_most,
                      site where = site::current()) {
        return try_lock_until(std::chrono::steady_clock::now() + at_most, where);
    }
    void unlock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        if (!is_owned_) refuse(std::errc::operation_not_permitted);
        is_owned_ = false;
        How::unlock(*mutex_, where);
    }

    void swap(movable_lock& other) noexcept {
        std::swap(mutex_, other.mutex_);
        std::swap(is_owned_, other.is_owned_);
    }
    Mutex* release() noexcept {
        is_owned_ = false;
        return std::exchange(mutex_, nullptr);
    }
    bool owns_lock() const noexcept { return is_owned_; }
    explicit operator bool() const noexcept { return is_owned_; }
    Mutex* mutex() const noexcept { return mutex_; }

private:
    Mutex& free_mutex() const {
        if (mutex_ == nullptr) refuse(std::errc::operation_not_permitted);
        if (is_owned_) refuse(std::errc::resource_deadlock_would_occur);
        return *mutex_;
    }

    Mutex* mutex_ = nullptr;
    bool is_owned_ = false;
};

template <class Mutex, class How>
void swap(movable_lock<Mutex, How>& a, movable_lock<Mutex, How>& b) noexcept {
    a.swap(b);
}

}  // namespace parts

/// As std::unique_lock. It reports the line where it takes the lock.
template <class Mutex>
class unique_lock : public parts::movable_lock<Mutex, parts::exclusively> {
public:
    using parts::movable_lock<Mutex, parts::exclusively>::movable_lock;
};
template <class Mutex, class... Rest>
unique_lock(Mutex&, Rest...) -> unique_lock<Mutex>;

/// As std::shared_lock. It reports the line where it takes the lock.
template <class Mutex>
class shared_lock : public parts::movable_lock<Mutex, parts::shared> {
public:
    using parts::movable_lock<Mutex, parts::shared>::movable_lock;
};
template <class Mutex, class... Rest>
shared_lock(Mutex&, Rest...) -> shared_lock<Mutex>;

/// As std::lock. A parameter pack must come last, so each number of locks is a function of its own.
template <class A, class B>
void lock(A& a, B& b, site where = site::current()) {
    detail::lock_all(where, a, b);
}
template <class A, class B, class C>
void lock(A& a, B& b, C& c, site where = site::current()) {
    detail::lock_all(where, a, b, c);
}
template <class A, class B, class C, class D>
void lock(A& a, B& b, C& c, D& d, site where = site::current()) {
    detail::lock_all(where, a, b, c, d);
}
template <class A, class B, class C, class D, class E, class... Rest>
void lock(A& a, B& b, C& c, D& d, E& e, Rest&... rest) {
    detail::lock_all(site{}, a, b, c, d, e, rest...);
}

/// As std::try_lock.
///
/// @return the number of the first lock that was not free, from 0; -1: all were taken
template <class A, class B, class... Rest>
int try_lock(A& a, B& b, Rest&... rest) {
    return std::try_lock(a, b, rest...);
}

/// As std::once_flag. A call that must wait for another call waits for a lock, so the order between
/// that wait and the locks of the called function is checked.
class once_flag {
public:
    once_flag(site where = site::current())
        : running_(lock_class::at(where)), is_done_(false, where) {}
    once_flag(const once_flag&) = delete;
    once_flag& operator=(const once_flag&) = delete;

private:
    friend struct located_flag;

    checked<std::mutex> running_;
    basic_atomic<bool> is_done_;
};

/// A flag and the line of the `call_once`.
struct located_flag {
    located_flag(once_flag& of, site at = site::current()) : flag(of), where(at) {}

    template <class Function, class... Args>
    void call(Function&& function, Args&&... args) const {
        if (flag.is_done_.load(where)) return;
        const lock_guard held(flag.running_, where);
        if (flag.is_done_.load(where)) return;
        std::invoke(std::forward<Function>(function), std::forward<Args>(args)...);
        flag.is_done_.store(true, where);
    }

    once_flag& flag;
    site where;
};

/// As std::call_once. If the function throws, the next call tries again.
template <class Function, class... Args>
void call_once(located_flag flag, Function&& function, Args&&... args) {
    flag.call(std::forward<Function>(function), std::forward<Args>(args)...);
}

}  // namespace wedge::std_like
