// Classes of wound/wait locks, and the tickets under which several locks of a class are taken.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "wedge/core/annotate.hpp"
#include "wedge/core/inline_vector.hpp"
#include "wedge/core/level.hpp"
#include "wedge/core/lock_state.hpp"
#include "wedge/core/ticket.hpp"
#include "wedge/lock/futex.hpp"

namespace wedge {

template <class Level>
class basic_ww_mutex;
template <class Level>
class basic_ww_ticket;

/// Which ticket gives way when an old and a young one want each other's locks.
enum class ww_algorithm : std::uint8_t {
    wound_wait,  ///< an older ticket wounds a younger holder, which backs off when it would block
    wait_die,    ///< a younger ticket backs off from a lock that an older one holds
};

namespace detail {

/// A native task that waits for a wound/wait lock. It lives on the task's stack.
struct ww_waiter {
    const std::uint32_t task;
    const void* const lock;
    futex_word is_told{0};
    ww_waiter* next = nullptr;
};

/// The waiters of a class of wound/wait locks. A task waits for one lock at a time. Used under the
/// class's monitor.
class ww_waiters {
public:
    void add(ww_waiter& one) noexcept { one.next = std::exchange(first_, &one); }
    void remove(const ww_waiter& one) noexcept {
        ww_waiter** place = &first_;
        while (*place != &one) place = &(*place)->next;
        *place = one.next;
    }
    /// Wakes the waiters that it is true of.
    ///
    /// @param is_meant  (const ww_waiter&) -> bool
    template <class Meant>
    void wake(Meant is_meant) noexcept {
        for (ww_waiter* each = first_; each != nullptr; each = each->next)
            if (is_meant(*each) && each->is_told.exchange(1, std::memory_order_release) == 0)
                futex_wake(&each->is_told);
    }

private:
    ww_waiter* first_ = nullptr;
};

}  // namespace detail

/// A class of locks that a ticket may take in any order (Linux: struct ww_class). Its locks bear
/// its name.
template <class Level = default_level>
class basic_ww_class {
public:
    explicit basic_ww_class(const char* name, ww_algorithm how = ww_algorithm::wound_wait)
        : locks_(name),
          tickets_((std::string(name) + "_acquire").c_str(), {.never_waits = true}),
          how_(how),
          wounds_(lock_kind::variable, lock_class((std::string(name) + "_wounds").c_str())) {}
    basic_ww_class(const basic_ww_class&) = delete;
    basic_ww_class& operator=(const basic_ww_class&) = delete;

    /// Returns the class of the locks.
    lock_class locks() const noexcept { return locks_; }

private:
    friend class basic_ww_mutex<Level>;
    friend class basic_ww_ticket<Level>;

    const lock_class locks_;
    const lock_class tickets_;
    const ww_algorithm how_;
    lock_identity wounds_;  // touched by steps that give a ticket its age or may wound one
    std::atomic<std::uint64_t> tickets_begun_{0};

    // In a live program one monitor guards the states of all locks of the class, because a ticket
    // that is wounded at one lock learns it at another.
    std::mutex monitor_;
    detail::ww_waiters waiters_;  // under the monitor
};

/// A ticket (Linux: ww_acquire_ctx). From its construction to its end a task may take locks of the
/// class under it, in any order. It keeps its age when it backs off, so it wins in the end.
template <class Level = default_level>
class basic_ww_ticket {
public:
    explicit basic_ww_ticket(basic_ww_class<Level>& of, site where = site::current())
        : of_(of), identity_(lock_kind::map, of.tickets_) {
        if constexpr (is_on) {
            task& self = current();
            if (self.runtime != nullptr) {
                if (self.runtime->is_giving_up()) return;
                detail::adopt_if_foreign(self, of_.wounds_);
                self.runtime->perform(self,
                                      {.what = step::access, .lock = &of_.wounds_, .where = where});
            }
            detail::ticket_begun(self, identity_, of_.locks_, where);
        }
        age_ = of_.tickets_begun_.fetch_add(1, std::memory_order_relaxed) + 1;
        identity_.set_rank(age_);  // for searches over states
    }
    /// Ends the ticket. Its locks must have been released.
    ~basic_ww_ticket() {
        if (!is_ended_) end({});
    }
    /// Ends the ticket before it is destroyed.
    void end(site where = site::current()) {
        is_ended_ = true;
        if constexpr (is_on) {
            task& self = current();
            if (self.runtime == nullptr || !self.runtime->is_giving_up())
                detail::ticket_ended(self, identity_, of_.locks_, where);
            else if (held_lock* const mine = self.held.find(identity_.instance()))
                self.held.erase(mine);
        }
    }
    basic_ww_ticket(const basic_ww_ticket&) = delete;
    basic_ww_ticket& operator=(const basic_ww_ticket&) = delete;

    /// States that the ticket takes no more locks.
    void done(site where = site::current()) {
        if constexpr (is_on) detail::ticket_done(current(), identity_, of_.locks_, where);
    }

    /// Returns the lock that the ticket was told to back off from, until it is taken; null: none.
    basic_ww_mutex<Level>* contended() const noexcept { return contended_; }

    void unlock_all(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        while (!held_.empty()) {
            basic_ww_mutex<Level>* const last = held_.back();
            last->unlock(where);
            drop(*last);  // in an abandoned execution, unlocking does not remove it from the list
        }
    }

    bool holds(const basic_ww_mutex<Level>& lock) const noexcept {
        for (const basic_ww_mutex<Level>* const each : held_)
            if (each == &lock) return true;
        return false;
    }

private:
    friend class basic_ww_mutex<Level>;

    static constexpr bool is_on = Level::value != level::off;

    void drop(const basic_ww_mutex<Level>& lock) noexcept {
        for (basic_ww_mutex<Level>*& each : held_)
            if (each == &lock) return held_.erase(&each);
    }

    ticket_terms terms(bool slow) const noexcept {
        return {.age = age_,
                .instance = identity_.instance(),
                .may_back_off = !held_.empty() && !slow,
                .is_wait_die = of_.how_ == ww_algorithm::wait_die};
    }

    basic_ww_class<Level>& of_;
    lock_identity identity_;
    bool is_ended_ = false;
    std::uint64_t age_ = 0;
    inline_vector<basic_ww_mutex<Level>*, 8> held_;
    basic_ww_mutex<Level>* contended_ = nullptr;
};

using ww_class = basic_ww_class<>;
using ww_ticket = basic_ww_ticket<>;

}  // namespace wedge
