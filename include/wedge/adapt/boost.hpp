// Boost.Thread's locks, checked and explored. Without the package this header declares the
// upgradable lock alone.
#pragma once

#include "wedge/lock/checked.hpp"
#include "wedge/lock/upgrade_mutex.hpp"

#if __has_include(<boost/thread/mutex.hpp>)
#include <boost/thread/mutex.hpp>
#include <boost/thread/recursive_mutex.hpp>
#include <boost/thread/shared_mutex.hpp>

template <>
struct wedge::lock_traits<boost::shared_mutex> {
    static constexpr lock_kind kind =
        lock_kind::shared_mutex;  // a waiting writer keeps readers out
    static constexpr mode shared_how = mode::shared;
};

namespace wedge::adapt {

using boost_mutex = checked<boost::mutex>;
using boost_recursive_mutex = checked<boost::recursive_mutex>;
using boost_shared_mutex = checked<boost::shared_mutex>;

}  // namespace wedge::adapt
#endif

namespace wedge::adapt {

/// In place of boost::upgrade_mutex: wedge's own lock with boost's names for its transitions.
using boost_upgrade_mutex = upgrade_mutex;

}  // namespace wedge::adapt
