// The names of <atomic>, with the signatures of the standard.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "wedge/lock/atomic.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/internal_mutex.hpp"

namespace wedge::std_like {

using std::memory_order;
using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_consume;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

namespace parts {

/// Where tasks of an execution wait for a change of an atomic variable.
struct parking {
    detail::internal_mutex<> gate;
    condition changed{lock_class("a change of an atomic", {.keeps_mutex = true})};
};

/// Lets the engine decide when a variable is accessed. A live program does nothing.
///
/// @param variable  returns the identity of the variable; called under control only
template <class Variable>
void access_atomic(mode how, bool may_repeat, memory_order order, const site& where,
                   Variable variable) {
    task& self = current();
    if (self.runtime == nullptr) [[likely]]
        return;
    if (order != memory_order_seq_cst) {
        const sanitizer::ignore_scope ours;
        self.runtime->saw_weaker_order(where);
    }
    detail::controlled_access(self, variable(), how, may_repeat, where);
}

/// The operations that atomics of all types have.
///
/// Under control each access is a visible step, and all accesses are sequentially consistent. The
/// outcome says so if an access asked for a weaker order. A weak compare-exchange does not fail
/// spuriously. A live program gets the order that it asks for.
template <class T>
class atomic_common {
public:
    using value_type = T;
    static constexpr bool is_always_lock_free = std::atomic<T>::is_always_lock_free;

    atomic_common(site where = site::current()) : atomic_common(T(), where) {}
    atomic_common(T value, site where = site::current())
        : value_(value), identity_(lock_kind::variable, lock_class::at(where)) {}
    atomic_common(const atomic_common&) = delete;
    atomic_common& operator=(const atomic_common&) = delete;

    bool is_lock_free() const noexcept { return value_.is_lock_free(); }

    T load(memory_order order = memory_order_seq_cst, site where = site::current()) const {
        access(mode::shared, true, order, where);
        return value_.load(order);
    }
    void store(T value, memory_order order = memory_order_seq_cst, site where = site::current()) {
        access(mode::exclusive, false, order, where);
        value_.store(value, order);
    }
    T exchange(T value, memory_order order = memory_order_seq_cst, site where = site::current()) {
        access(mode::exclusive, true, order, where);
        return value_.exchange(value, order);
    }
    bool compare_exchange_strong(T& expected, T desired, memory_order success, memory_order failure,
                                 site where = site::current()) {
        access(mode::exclusive, true, success, where);
        return value_.compare_exchange_strong(expected, desired, success, failure);
    }
    bool compare_exchange_strong(T& expected, T desired, memory_order order = memory_order_seq_cst,
                                 site where = site::current()) {
        access(mode::exclusive, true, order, where);
        return value_.compare_exchange_strong(expected, desired, order);
    }
    bool compare_exchange_weak(T& expected, T desired, memory_order success, memory_order failure,
                               site where = site::current()) {
        return compare_exchange_strong(expected, desired, success, failure, where);
    }
    bool compare_exchange_weak(T& expected, T desired, memory_order order = memory_order_seq_cst,
                               site where = site::current()) {
        return compare_exchange_strong(expected, desired, order, where);
    }

    operator T() const { return load(memory_order_seq_cst, {}); }
    T operator=(T value) {
        store(value, memory_order_seq_cst, {});
        return value;
    }

    /// Waits until a notification comes and the value is another one. A change without a
    /// notification wakes no task.
    void wait(T old, memory_order order = memory_order_seq_cst,
              site where = site::current()) const {
        if (current().runtime == nullptr) return value_.wait(old, order);
        parking& here = parked(where);
        const guard held(here.gate, where);
        for (T now = load(order, where); is_same(now, old); now = load(order, where))
            here.changed.wait(held, where);
    }
    void notify_one(site where = site::current()) {
        if (current().runtime == nullptr) return value_.notify_one();
        parking& here = parked(where);
        const guard held(here.gate, where);
        here.changed.notify_one(where);
    }
    void notify_all(site where = site::current()) {
        if (current().runtime == nullptr) return value_.notify_all();
        parking& here = parked(where);
        const guard held(here.gate, where);
        here.changed.notify_all(where);
    }

protected:
    /// Lets the engine decide when the value is accessed.
    void access(mode how, bool may_repeat, memory_order order, const site& where) const {
        access_atomic(how, may_repeat, order, where, [&]() -> lock_identity& { return identity_; });
    }
    /// Changes the value by a step that no loop repeats.
    template <class Change>
    auto change(memory_order order, const site& where, Change by) {
        access(mode::exclusive, false, order, where);
        return by(value_);
    }

private:
    static bool is_same(const T& a, const T& b) noexcept {
        return __builtin_memcmp(std::addressof(a), std::addressof(b), sizeof(T)) == 0;
    }

    /// Returns the place where tasks wait. A task makes it after a step that conflicts with each
    /// other task that would make it, so equal schedules make it at equal points.
    parking& parked(const site& where) const {
        access(mode::exclusive, false, memory_order_seq_cst, where);
        const sanitizer::ignore_scope ours;
        if (parking_ == nullptr) parking_ = std::make_unique<parking>();
        return *parking_;
    }

    std::atomic<T> value_;
    mutable lock_identity identity_;
    mutable std::unique_ptr<parking> parking_;
};

/// The operations of numbers and pointers.
///
/// @tparam Step  the type of what is added
template <class T, class Step>
class atomic_sum : public atomic_common<T> {
public:
    using difference_type = Step;
    using atomic_common<T>::atomic_common;
    using atomic_common<T>::operator=;

    T fetch_add(Step by, memory_order order = memory_order_seq_cst, site where = site::current()) {
        return this->change(order, where, [&](auto& value) { return value.fetch_add(by, order); });
    }
    T fetch_sub(Step by, memory_order order = memory_order_seq_cst, site where = site::current()) {
        return this->change(order, where, [&](auto& value) { return value.fetch_sub(by, order); });
    }
    T operator+=(Step by) { return static_cast<T>(fetch_add(by, memory_order_seq_cst, {}) + by); }
    T operator-=(Step by) { return static_cast<T>(fetch_sub(by, memory_order_seq_cst, {}) - by); }
};

/// The operations of integers.
template <class T>
class atomic_integer : public atomic_sum<T, T> {
public:
    using atomic_sum<T, T>::atomic_sum;
    using atomic_sum<T, T>::operator=;

    T fetch_and(T by, memory_order order = memory_order_seq_cst, site where = site::current()) {
        return this->change(order, where, [&](auto& value) { return value.fetch_and(by, order); });
    }
    T fetch_or(T by, memory_order order = memory_order_seq_cst, site where = site::current()) {
        return this->change(order, where, [&](auto& value) { return value.fetch_or(by, order); });
    }
    T fetch_xor(T by, memory_order order = memory_order_seq_cst, site where = site::current()) {
        return this->change(order, where, [&](auto& value) { return value.fetch_xor(by, order); });
    }
    T operator&=(T by) { return static_cast<T>(fetch_and(by, memory_order_seq_cst, {}) & by); }
    T operator|=(T by) { return static_cast<T>(fetch_or(by, memory_order_seq_cst, {}) | by); }
    T operator^=(T by) { return static_cast<T>(fetch_xor(by, memory_order_seq_cst, {}) ^ by); }
    T operator++() { return static_cast<T>(this->fetch_add(1, memory_order_seq_cst, {}) + 1); }
    T operator--() { return static_cast<T>(this->fetch_sub(1, memory_order_seq_cst, {}) - 1); }
    T operator++(int) { return this->fetch_add(1, memory_order_seq_cst, {}); }
    T operator--(int) { return this->fetch_sub(1, memory_order_seq_cst, {}); }
};

template <class T>
struct atomic_of {
    using type = atomic_common<T>;
};
template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
struct atomic_of<T> {
    using type = atomic_integer<T>;
};
template <class T>
    requires std::is_floating_point_v<T>
struct atomic_of<T> {
    using type = atomic_sum<T, T>;
};

}  // namespace parts

/// As std::atomic.
template <class T>
class atomic : public parts::atomic_of<T>::type {
public:
    using parts::atomic_of<T>::type::type;
    using parts::atomic_of<T>::type::operator=;

    atomic(site where = site::current()) : parts::atomic_of<T>::type(T(), where) {}
    atomic(T value, site where = site::current()) : parts::atomic_of<T>::type(value, where) {}
};

template <class T>
class atomic<T*> : public parts::atomic_sum<T*, std::ptrdiff_t> {
public:
    using parts::atomic_sum<T*, std::ptrdiff_t>::operator=;

    atomic(site where = site::current()) : parts::atomic_sum<T*, std::ptrdiff_t>(nullptr, where) {}
    atomic(T* value, site where = site::current())
        : parts::atomic_sum<T*, std::ptrdiff_t>(value, where) {}

    T* operator++() { return this->fetch_add(1, memory_order_seq_cst, {}) + 1; }
    T* operator--() { return this->fetch_sub(1, memory_order_seq_cst, {}) - 1; }
    T* operator++(int) { return this->fetch_add(1, memory_order_seq_cst, {}); }
    T* operator--(int) { return this->fetch_sub(1, memory_order_seq_cst, {}); }
};

/// As std::atomic_flag.
class atomic_flag {
public:
    atomic_flag(site where = site::current()) : is_set_(false, where) {}
    /// For `atomic_flag f = ATOMIC_FLAG_INIT;`.
    atomic_flag(bool is_set, site where = site::current()) : is_set_(is_set, where) {}
    atomic_flag(const atomic_flag&) = delete;
    atomic_flag& operator=(const atomic_flag&) = delete;

    bool test(memory_order order = memory_order_seq_cst, site where = site::current()) const {
        return is_set_.load(order, where);
    }
    bool test_and_set(memory_order order = memory_order_seq_cst, site where = site::current()) {
        return is_set_.exchange(true, order, where);
    }
    void clear(memory_order order = memory_order_seq_cst, site where = site::current()) {
        is_set_.store(false, order, where);
    }
    void wait(bool old, memory_order order = memory_order_seq_cst,
              site where = site::current()) const {
        is_set_.wait(old, order, where);
    }
    void notify_one(site where = site::current()) { is_set_.notify_one(where); }
    void notify_all(site where = site::current()) { is_set_.notify_all(where); }

private:
    atomic<bool> is_set_;
};

using atomic_bool = atomic<bool>;
using atomic_char = atomic<char>;
using atomic_schar = atomic<signed char>;
using atomic_uchar = atomic<unsigned char>;
using atomic_char8_t = atomic<char8_t>;
using atomic_char16_t = atomic<char16_t>;
using atomic_char32_t = atomic<char32_t>;
using atomic_wchar_t = atomic<wchar_t>;
using atomic_short = atomic<short>;
using atomic_ushort = atomic<unsigned short>;
using atomic_int = atomic<int>;
using atomic_uint = atomic<unsigned>;
using atomic_long = atomic<long>;
using atomic_ulong = atomic<unsigned long>;
using atomic_llong = atomic<long long>;
using atomic_ullong = atomic<unsigned long long>;
using atomic_int8_t = atomic<std::int8_t>;
using atomic_uint8_t = atomic<std::uint8_t>;
using atomic_int16_t = atomic<std::int16_t>;
using atomic_uint16_t = atomic<std::uint16_t>;
using atomic_int32_t = atomic<std::int32_t>;
using atomic_uint32_t = atomic<std::uint32_t>;
using atomic_int64_t = atomic<std::int64_t>;
using atomic_uint64_t = atomic<std::uint64_t>;
using atomic_size_t = atomic<std::size_t>;
using atomic_ptrdiff_t = atomic<std::ptrdiff_t>;
using atomic_intptr_t = atomic<std::intptr_t>;
using atomic_uintptr_t = atomic<std::uintptr_t>;
using atomic_intmax_t = atomic<std::intmax_t>;
using atomic_uintmax_t = atomic<std::uintmax_t>;
using atomic_int_least8_t = atomic<std::int_least8_t>;
using atomic_uint_least8_t = atomic<std::uint_least8_t>;
using atomic_int_least16_t = atomic<std::int_least16_t>;
using atomic_uint_least16_t = atomic<std::uint_least16_t>;
using atomic_int_least32_t = atomic<std::int_least32_t>;
using atomic_uint_least32_t = atomic<std::uint_least32_t>;
using atomic_int_least64_t = atomic<std::int_least64_t>;
using atomic_uint_least64_t = atomic<std::uint_least64_t>;
using atomic_int_fast8_t = atomic<std::int_fast8_t>;
using atomic_uint_fast8_t = atomic<std::uint_fast8_t>;
using atomic_int_fast16_t = atomic<std::int_fast16_t>;
using atomic_uint_fast16_t = atomic<std::uint_fast16_t>;
using atomic_int_fast32_t = atomic<std::int_fast32_t>;
using atomic_uint_fast32_t = atomic<std::uint_fast32_t>;
using atomic_int_fast64_t = atomic<std::int_fast64_t>;
using atomic_uint_fast64_t = atomic<std::uint_fast64_t>;
using atomic_signed_lock_free = atomic<long>;
using atomic_unsigned_lock_free = atomic<unsigned long>;

using std::atomic_signal_fence;
using std::kill_dependency;

/// As std::atomic_thread_fence. Explored accesses are sequentially consistent without it.
inline void atomic_thread_fence(memory_order order) noexcept {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
    std::atomic_thread_fence(order);
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
}

}  // namespace wedge::std_like
