// Takes several locks at once without a deadlock among them, as std::lock does.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <tuple>

#include "wedge/core/lock_state.hpp"
#include "wedge/lock/checked.hpp"
#include "wedge/lock/internal_mutex.hpp"

namespace wedge::detail {

/// A lock and the line of the user that takes it, as a Lockable of the standard library.
template <class L>
class located {
public:
    located(L& lock, const site& where) : lock_(lock), where_(where) {}

    void lock() WEDGE_NO_THREAD_SAFETY {
        if constexpr (requires { lock_.lock(where_); })
            lock_.lock(where_);
        else
            lock_.lock();
    }
    bool try_lock() WEDGE_NO_THREAD_SAFETY {
        if constexpr (requires { lock_.try_lock(where_); })
            return lock_.try_lock(where_);
        else
            return lock_.try_lock();
    }
    void unlock() WEDGE_NO_THREAD_SAFETY { lock_.unlock(); }

private:
    L& lock_;
    site where_;
};

/// A lock of wedge as `lock_all` waits for it; without an identity it is not wedge's.
struct wanted_lock {
    lock_identity* identity = nullptr;
    mode how = mode::exclusive;
};

/// Returns the lock of wedge behind a lock, or behind a guard that defers it.
template <class L>
wanted_lock wanted_behind(L& lock) noexcept {
    if constexpr (requires { lock.identity(); })
        return {&lock.identity(), mode::exclusive};
    else if constexpr (requires { lock.mutex()->identity(); })
        return {lock.mutex() == nullptr ? nullptr : &lock.mutex()->identity(), L::how_it_locks};
    else
        return {};
}

/// While a task holds it, no other task of the execution tries several locks. So a try fails only
/// because of a task that really holds a lock, and the search does not see two tasks that make each
/// other fail forever. It is made before `main`, so that no execution makes it.
inline internal_mutex<> multi_lock_tries;

/// States the acquire of a lock that another acquire of `lock_all` may come before.
inline void might_wait(task& self, const wanted_lock& wanted, const site& where) {
    if (wanted.identity == nullptr || recursive_hold(self, *wanted.identity) != nullptr) return;
    const acquire_terms terms{.how = wanted.how, .where = where};
    attempt(self, *wanted.identity, terms);
    not_acquired(self, *wanted.identity, terms);
}

/// Waits until the lock could be taken, and does not take it.
inline void wait_until_free(task& self, const wanted_lock& wanted, const site& where) {
    lock_identity& lock = *wanted.identity;
    adopt_if_foreign(self, lock);
    self.runtime->perform(
        self, {.what = step::acquire, .how = wanted.how, .lock = &lock, .where = where});
    // No other task takes a step between the acquire and this line.
    if (!self.runtime->is_giving_up()) lock.modelled().release(self.ordinal);
}

/// Takes all locks under control. A task that waits here holds none of them.
template <class... Ls>
void controlled_lock_all(task& self, const site& where,
                         const std::array<wanted_lock, sizeof...(Ls)>& wanted,
                         std::tuple<located<Ls>...>& locks) {
    for (const wanted_lock& each : wanted) might_wait(self, each, where);
    for (;;) {
        int refused = -1;
        {
            const std::lock_guard tries(multi_lock_tries);
            refused = std::apply([](auto&... each) { return std::try_lock(each...); }, locks);
        }
        if (refused < 0) return;
        wait_until_free(self, wanted[static_cast<std::size_t>(refused)], where);
    }
}

/// Takes two or more locks, in an order that cannot deadlock. Blocks while another task holds one
/// of them, and holds none meanwhile.
template <class... Ls>
void lock_all(const site& where, Ls&... locks) {
    std::tuple<located<Ls>...> each{located<Ls>(locks, where)...};
    const std::array<wanted_lock, sizeof...(Ls)> wanted{wanted_behind(locks)...};
    bool are_ours = true;
    for (const wanted_lock& one : wanted) are_ours = are_ours && one.identity != nullptr;
    task& self = current();
    if (self.runtime != nullptr && are_ours)
        return controlled_lock_all<Ls...>(self, where, wanted, each);
    for (std::size_t i = 1; i < wanted.size() && are_ours; ++i) might_wait(self, wanted[i], where);
    std::apply([](auto&... one) { std::lock(one...); }, each);
}

}  // namespace wedge::detail
