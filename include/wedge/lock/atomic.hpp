// An atomic variable whose accesses are explored.
#pragma once

#include <atomic>

#include "wedge/core/annotate.hpp"
#include "wedge/core/level.hpp"
#include "wedge/core/steps.hpp"
#include "wedge/lock/label.hpp"

namespace wedge {

namespace detail {

[[gnu::noinline]] WEDGE_UNSEEN inline void controlled_access(task& self, lock_identity& variable,
                                                             mode how, bool may_repeat,
                                                             site where) {
    adopt_if_foreign(self, variable);
    if (!self.runtime->is_giving_up())
        self.runtime->perform(
            self, {.what = step::access, .how = how, .lock = &variable, .where = where});
    else if (may_repeat)
        self.runtime->perform(self, {.what = step::yield, .where = where});
}

/// Lets the engine decide when a variable is accessed.
///
/// @param may_repeat  whether a loop may spin on this access. Such an access ends the task of an
///     abandoned execution by an exception; other accesses never throw, since destructors make them
[[gnu::always_inline]] inline void access(lock_identity& variable, mode how, bool may_repeat,
                                          const site& where) {
    task& self = current();
    if (self.runtime != nullptr) [[unlikely]]
        controlled_access(self, variable, how, may_repeat, where);
}

}  // namespace detail

/// Like std::atomic, but always sequentially consistent. Under control each access is a visible
/// step. Weaker memory orders are not explored.
template <class T, class Level = default_level>
class basic_atomic {
public:
    basic_atomic(T value = {}, label as = site::current())
        : value_(value), identity_(lock_kind::variable, as.cls()) {}
    basic_atomic(const basic_atomic&) = delete;
    basic_atomic& operator=(const basic_atomic&) = delete;

    T load(site where = site::current()) const {
        detail::access(identity_, mode::shared, true, where);
        return value_.load();
    }
    void store(T value, site where = site::current()) {
        detail::access(identity_, mode::exclusive, false, where);
        value_.store(value);
    }
    T exchange(T value, site where = site::current()) {
        detail::access(identity_, mode::exclusive, true, where);
        return value_.exchange(value);
    }
    /// As compare_exchange_strong: never fails spuriously.
    bool compare_exchange(T& expected, T desired, site where = site::current()) {
        detail::access(identity_, mode::exclusive, true, where);
        return value_.compare_exchange_strong(expected, desired);
    }
    T fetch_add(T by, site where = site::current()) {
        detail::access(identity_, mode::exclusive, false, where);
        return value_.fetch_add(by);
    }
    T fetch_sub(T by, site where = site::current()) {
        detail::access(identity_, mode::exclusive, false, where);
        return value_.fetch_sub(by);
    }

    /// Returns the value without a step. Under control, between two steps.
    T state() const noexcept { return value_.load(std::memory_order_relaxed); }

    operator T() const { return load({}); }
    T operator=(T value) {
        store(value, {});
        return value;
    }

private:
    std::atomic<T> value_;
    mutable lock_identity identity_;
};

/// Level 0: std::atomic.
template <class T>
class basic_atomic<T, level_constant<level::off>> {
public:
    basic_atomic(T value = {}, label = {}) : value_(value) {}
    basic_atomic(const basic_atomic&) = delete;
    basic_atomic& operator=(const basic_atomic&) = delete;

    T load(site = {}) const { return value_.load(); }
    void store(T value, site = {}) { value_.store(value); }
    T exchange(T value, site = {}) { return value_.exchange(value); }
    bool compare_exchange(T& expected, T desired, site = {}) {
        return value_.compare_exchange_strong(expected, desired);
    }
    T fetch_add(T by, site = {}) { return value_.fetch_add(by); }
    T fetch_sub(T by, site = {}) { return value_.fetch_sub(by); }
    T state() const noexcept { return value_.load(std::memory_order_relaxed); }

    operator T() const { return load(); }
    T operator=(T value) {
        store(value);
        return value;
    }

private:
    std::atomic<T> value_;
};

template <class T>
using atomic = basic_atomic<T>;

}  // namespace wedge
