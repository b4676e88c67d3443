// oneTBB's spinning readers-writer lock, checked and explored. Without the package this header
// declares nothing.
#pragma once

#include "wedge/lock/checked.hpp"

#if __has_include(<oneapi/tbb/spin_rw_mutex.h>)
#include <oneapi/tbb/spin_mutex.h>
#include <oneapi/tbb/spin_rw_mutex.h>

template <>
struct wedge::lock_traits<tbb::spin_mutex> {
    static constexpr lock_kind kind = lock_kind::spinlock;
    static constexpr mode shared_how = mode::exclusive;
};
template <>
struct wedge::lock_traits<tbb::spin_rw_mutex> {
    static constexpr lock_kind kind =
        lock_kind::shared_mutex;  // a waiting writer keeps readers out
    static constexpr mode shared_how = mode::shared;
};

namespace wedge::adapt {

using tbb_spin_mutex = checked<tbb::spin_mutex>;
using tbb_spin_rw_mutex = checked<tbb::spin_rw_mutex>;

}  // namespace wedge::adapt
#endif
