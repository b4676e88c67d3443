// atomic_ref, with the signatures of the standard, where the standard library has it.
#pragma once

#include <atomic>
#include <memory>
#include <type_traits>

#include "wedge/lock/external.hpp"
#include "wedge/std_like/atomic.hpp"

#if defined(__cpp_lib_atomic_ref)
namespace wedge::std_like {

/// As std::atomic_ref. Under control all references to one object are one variable, known by the
/// object's address.
template <class T>
class atomic_ref {
    static constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;
    static constexpr bool is_sum =
        is_integer || std::is_floating_point_v<T> || std::is_pointer_v<T>;

public:
    using value_type = T;
    using difference_type = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;
    static constexpr bool is_always_lock_free = std::atomic_ref<T>::is_always_lock_free;
    static constexpr std::size_t required_alignment = std::atomic_ref<T>::required_alignment;

    explicit atomic_ref(T& object) : object_(std::addressof(object)) {}
    atomic_ref(const atomic_ref&) noexcept = default;
    atomic_ref& operator=(const atomic_ref&) = delete;

    bool is_lock_free() const noexcept { return native().is_lock_free(); }

    T load(memory_order order = memory_order_seq_cst, site where = site::current()) const {
        access(mode::shared, true, order, where);
        return native().load(order);
    }
    void store(T value, memory_order order = memory_order_seq_cst,
               site where = site::current()) const {
        access(mode::exclusive, false, order, where);
        native().store(value, order);
    }
    T exchange(T value, memory_order order = memory_order_seq_cst,
               site where = site::current()) const {
        access(mode::exclusive, true, order, where);
        return native().exchange(value, order);
    }
    bool compare_exchange_strong(T& expected, T desired, memory_order success, memory_order failure,
                                 site where = site::current()) const {
        access(mode::exclusive, true, success, where);
        return native().compare_exchange_strong(expected, desired, success, failure);
    }
    bool compare_exchange_strong(T& expected, T desired, memory_order order = memory_order_seq_cst,
                                 site where = site::current()) const {
        access(mode::exclusive, true, order, where);
        return native().compare_exchange_strong(expected, desired, order);
    }
    bool compare_exchange_weak(T& expected, T desired, memory_order success, memory_order failure,
                               site where = site::current()) const {
        return compare_exchange_strong(expected, desired, success, failure, where);
    }
    bool compare_exchange_weak(T& expected, T desired, memory_order order = memory_order_seq_cst,
                               site where = site::current()) const {
        return compare_exchange_strong(expected, desired, order, where);
    }

    operator T() const { return load(memory_order_seq_cst, {}); }
    T operator=(T value) const {
        store(value, memory_order_seq_cst, {});
        return value;
    }

    T fetch_add(difference_type by, memory_order order = memory_order_seq_cst,
                site where = site::current()) const requires is_sum {
        return change(order, where, [&](auto value) { return value.fetch_add(by, order); });
    }
    T fetch_sub(difference_type by, memory_order order = memory_order_seq_cst,
                site where = site::current()) const requires is_sum {
        return change(order, where, [&](auto value) { return value.fetch_sub(by, order); });
    }
    T fetch_and(T by, memory_order order = memory_order_seq_cst,
                site where = site::current()) const requires is_integer {
        return change(order, where, [&](auto value) { return value.fetch_and(by, order); });
    }
    T fetch_or(T by, memory_order order = memory_order_seq_cst,
               site where = site::current()) const requires is_integer {
        return change(order, where, [&](auto value) { return value.fetch_or(by, order); });
    }
    T fetch_xor(T by, memory_order order = memory_order_seq_cst,
                site where = site::current()) const requires is_integer {
        return change(order, where, [&](auto value) { return value.fetch_xor(by, order); });
    }
    // Each is one step, and gives the new value.
    T operator+=(difference_type by) const requires is_sum {
        return static_cast<T>(fetch_add(by, memory_order_seq_cst, {}) + by);
    }
    T operator-=(difference_type by) const requires is_sum {
        return static_cast<T>(fetch_sub(by, memory_order_seq_cst, {}) - by);
    }
    T operator&=(T by) const requires is_integer {
        return static_cast<T>(fetch_and(by, memory_order_seq_cst, {}) & by);
    }
    T operator|=(T by) const requires is_integer {
        return static_cast<T>(fetch_or(by, memory_order_seq_cst, {}) | by);
    }
    T operator^=(T by) const requires is_integer {
        return static_cast<T>(fetch_xor(by, memory_order_seq_cst, {}) ^ by);
    }
    T operator++() const requires(is_integer || std::is_pointer_v<T>) {
        return *this += difference_type{1};
    }
    T operator--() const requires(is_integer || std::is_pointer_v<T>) {
        return *this -= difference_type{1};
    }
    T operator++(int) const requires(is_integer || std::is_pointer_v<T>) {
        return fetch_add(1, memory_order_seq_cst, {});
    }
    T operator--(int) const requires(is_integer || std::is_pointer_v<T>) {
        return fetch_sub(1, memory_order_seq_cst, {});
    }

private:
    std::atomic_ref<T> native() const { return std::atomic_ref<T>(*object_); }

    void access(mode how, bool may_repeat, memory_order order, const site& where) const {
        parts::access_atomic(how, may_repeat, order, where, [&]() -> lock_identity& {
            return detail::external_locks::process().of(
                object_, lock_class("an object of atomic_ref"), lock_kind::variable);
        });
    }
    /// Changes the object by a step that no loop repeats.
    template <class Change>
    T change(memory_order order, const site& where, Change by) const {
        access(mode::exclusive, false, order, where);
        return by(native());
    }

    T* object_;
};

}  // namespace wedge::std_like
#endif
