// The free functions of <atomic>, with the signatures of the standard.
#pragma once

#include <type_traits>

#include "wedge/std_like/atomic.hpp"

namespace wedge::std_like {

namespace parts {

/// Keeps a parameter out of the deduction of T, as the standard does.
template <class T>
using plain = std::type_identity_t<T>;
template <class T>
using step_of = typename atomic<T>::difference_type;

}  // namespace parts

template <class T>
bool atomic_is_lock_free(const atomic<T>* of) noexcept {
    return of->is_lock_free();
}
template <class T>
void atomic_init(atomic<T>* of, parts::plain<T> value, site where = site::current()) {
    of->store(value, memory_order_relaxed, where);
}

template <class T>
T atomic_load(const atomic<T>* of, site where = site::current()) {
    return of->load(memory_order_seq_cst, where);
}
template <class T>
T atomic_load_explicit(const atomic<T>* of, memory_order order, site where = site::current()) {
    return of->load(order, where);
}
template <class T>
void atomic_store(atomic<T>* of, parts::plain<T> value, site where = site::current()) {
    of->store(value, memory_order_seq_cst, where);
}
template <class T>
void atomic_store_explicit(atomic<T>* of, parts::plain<T> value, memory_order order,
                           site where = site::current()) {
    of->store(value, order, where);
}
template <class T>
T atomic_exchange(atomic<T>* of, parts::plain<T> value, site where = site::current()) {
    return of->exchange(value, memory_order_seq_cst, where);
}
template <class T>
T atomic_exchange_explicit(atomic<T>* of, parts::plain<T> value, memory_order order,
                           site where = site::current()) {
    return of->exchange(value, order, where);
}

template <class T>
bool atomic_compare_exchange_strong(atomic<T>* of, parts::plain<T>* expected,
                                    parts::plain<T> desired, site where = site::current()) {
    return of->compare_exchange_strong(*expected, desired, memory_order_seq_cst, where);
}
template <class T>
bool atomic_compare_exchange_weak(atomic<T>* of, parts::plain<T>* expected, parts::plain<T> desired,
                                  site where = site::current()) {
    return of->compare_exchange_weak(*expected, desired, memory_order_seq_cst, where);
}
template <class T>
bool atomic_compare_exchange_strong_explicit(atomic<T>* of, parts::plain<T>* expected,
                                             parts::plain<T> desired, memory_order success,
                                             memory_order failure, site where = site::current()) {
    return of->compare_exchange_strong(*expected, desired, success, failure, where);
}
template <class T>
bool atomic_compare_exchange_weak_explicit(atomic<T>* of, parts::plain<T>* expected,
                                           parts::plain<T> desired, memory_order success,
                                           memory_order failure, site where = site::current()) {
    return of->compare_exchange_weak(*expected, desired, success, failure, where);
}

template <class T>
T atomic_fetch_add(atomic<T>* of, parts::step_of<T> by, site where = site::current()) {
    return of->fetch_add(by, memory_order_seq_cst, where);
}
template <class T>
T atomic_fetch_add_explicit(atomic<T>* of, parts::step_of<T> by, memory_order order,
                            site where = site::current()) {
    return of->fetch_add(by, order, where);
}
template <class T>
T atomic_fetch_sub(atomic<T>* of, parts::step_of<T> by, site where = site::current()) {
    return of->fetch_sub(by, memory_order_seq_cst, where);
}
template <class T>
T atomic_fetch_sub_explicit(atomic<T>* of, parts::step_of<T> by, memory_order order,
                            site where = site::current()) {
    return of->fetch_sub(by, order, where);
}
template <class T>
T atomic_fetch_and(atomic<T>* of, parts::plain<T> by, site where = site::current()) {
    return of->fetch_and(by, memory_order_seq_cst, where);
}
template <class T>
T atomic_fetch_and_explicit(atomic<T>* of, parts::plain<T> by, memory_order order,
                            site where = site::current()) {
    return of->fetch_and(by, order, where);
}
template <class T>
T atomic_fetch_or(atomic<T>* of, parts::plain<T> by, site where = site::current()) {
    return of->fetch_or(by, memory_order_seq_cst, where);
}
template <class T>
T atomic_fetch_or_explicit(atomic<T>* of, parts::plain<T> by, memory_order order,
                           site where = site::current()) {
    return of->fetch_or(by, order, where);
}
template <class T>
T atomic_fetch_xor(atomic<T>* of, parts::plain<T> by, site where = site::current()) {
    return of->fetch_xor(by, memory_order_seq_cst, where);
}
template <class T>
T atomic_fetch_xor_explicit(atomic<T>* of, parts::plain<T> by, memory_order order,
                            site where = site::current()) {
    return of->fetch_xor(by, order, where);
}

template <class T>
void atomic_wait(const atomic<T>* of, parts::plain<T> old, site where = site::current()) {
    of->wait(old, memory_order_seq_cst, where);
}
template <class T>
void atomic_wait_explicit(const atomic<T>* of, parts::plain<T> old, memory_order order,
                          site where = site::current()) {
    of->wait(old, order, where);
}
template <class T>
void atomic_notify_one(atomic<T>* of, site where = site::current()) {
    of->notify_one(where);
}
template <class T>
void atomic_notify_all(atomic<T>* of, site where = site::current()) {
    of->notify_all(where);
}

inline bool atomic_flag_test(const atomic_flag* of, site where = site::current()) {
    return of->test(memory_order_seq_cst, where);
}
inline bool atomic_flag_test_explicit(const atomic_flag* of, memory_order order,
                                      site where = site::current()) {
    return of->test(order, where);
}
inline bool atomic_flag_test_and_set(atomic_flag* of, site where = site::current()) {
    return of->test_and_set(memory_order_seq_cst, where);
}
inline bool atomic_flag_test_and_set_explicit(atomic_flag* of, memory_order order,
                                              site where = site::current()) {
    return of->test_and_set(order, where);
}
inline void atomic_flag_clear(atomic_flag* of, site where = site::current()) {
    of->clear(memory_order_seq_cst, where);
}
inline void atomic_flag_clear_explicit(atomic_flag* of, memory_order order,
                                       site where = site::current()) {
    of->clear(order, where);
}
inline void atomic_flag_wait(const atomic_flag* of, bool old, site where = site::current()) {
    of->wait(old, memory_order_seq_cst, where);
}
inline void atomic_flag_wait_explicit(const atomic_flag* of, bool old, memory_order order,
                                      site where = site::current()) {
    of->wait(old, order, where);
}
inline void atomic_flag_notify_one(atomic_flag* of, site where = site::current()) {
    of->notify_one(where);
}
inline void atomic_flag_notify_all(atomic_flag* of, site where = site::current()) {
    of->notify_all(where);
}

}  // namespace wedge::std_like
