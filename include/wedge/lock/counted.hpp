// A count that tasks wait for, on which semaphores, completions, latches and fences rest.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "wedge/core/level.hpp"
#include "wedge/core/lock_state.hpp"
#include "wedge/core/steps.hpp"
#include "wedge/lock/interruptible.hpp"
#include "wedge/lock/label.hpp"

namespace wedge::detail {

/// The native count. Any task may give units, and each unit lets one waiter pass.
class plain_count {
public:
    explicit plain_count(std::uint32_t count) : count_(count) {}

    void take() {
        std::unique_lock held(lock_);
        changed_.wait(held, [&] { return count_ != 0; });
        use_one();
    }
    template <class Time>
    bool take_until(const Time& end) {
        std::unique_lock held(lock_);
        if (!changed_.wait_until(held, end, [&] { return count_ != 0; })) return false;
        use_one();
        return true;
    }
    /// As `take` or `take_until`, for a thread on top of which others act while it sleeps.
    ///
    /// @param sleep  (condition, held) -> whether to go on waiting
    template <class Sleep>
    bool take_asleep(Sleep sleep) {
        std::unique_lock held(lock_);
        for (bool goes_on = true; count_ == 0; goes_on = sleep(changed_, held))
            if (!goes_on) return false;
        use_one();
        return true;
    }
    bool try_take() {
        const std::lock_guard held(lock_);
        if (count_ == 0) return false;
        use_one();
        return true;
    }
    void take_all() {
        const std::lock_guard held(lock_);
        count_ = 0;
    }
    /// Adds units. Notifies with the lock held, since the last waiter may destroy the count at
    /// once.
    void give(std::uint32_t units) {
        const std::lock_guard held(lock_);
        if (count_ != for_good) count_ = units == for_good ? for_good : count_ + units;
        changed_.notify_all();
    }

private:
    void use_one() noexcept {
        if (count_ != for_good) --count_;
    }

    std::mutex lock_;
    std::condition_variable changed_;
    std::uint32_t count_;
};

/// A count whose waits are reported, and explored under control. It has no holders, so it takes no
/// part in the lock order.
template <class Level>
class counted {
public:
    counted(lock_kind kind, std::uint32_t count, const label& as)
        : native_(count), identity_(kind, as.cls(), wait_type_of(kind), count) {}

    void take(site where) {
        wait(false, where, [&] { return take_natively(); });
    }
    template <class Time>
    bool take_until(const Time& end, site where) {
        return wait(true, where, [&] {
            if (current().sleeps == nullptr) return native_.take_until(end);
            return take_asleep([&](auto& changed, auto& held) {
                return changed.wait_until(held, end) == std::cv_status::no_timeout;
            });
        });
    }
    /// Waits for a unit; returns false if a signal came first (lock/interruptible.hpp).
    bool take_interruptible(site where) {
        return wait(is_interrupted(), where, [&] { return take_natively(); });
    }
    bool try_take(site where) {
        task& self = current();
        if (self.runtime == nullptr) return native_.try_take();
        const bool is_taken = step_on(self, step::try_acquire, false, 0, where);
        // A wait that is over, after which the task may give the unit back (rule 19d).
        if (is_taken && identity_.kind() == lock_kind::semaphore)
            report(self, event_kind::wait, where, flags::tried | flags::timed);
        return is_taken;
    }
    /// Takes all units, also those that are there for good. Under control each is a step, so that
    /// it is explored what else happens before.
    void take_all(site where) {
        if (current().runtime == nullptr) return native_.take_all();
        while (try_take(where) && !current().runtime->is_giving_up())
            if (identity_.modelled().count() == for_good) identity_.modelled().close();
    }
    /// Adds units. Never throws under control, since destructors may call it.
    void give(std::uint32_t units, site where) {
        task& self = current();
        report(self, event_kind::notify, where);
        if (self.runtime != nullptr)
            step_on(self, step::release, false, units, where);
        else
            native_.give(units);
    }

    lock_identity& identity() noexcept { return identity_; }

private:
    /// @param may_give_up  whether the wait may give up under control
    template <class Native>
    bool wait(bool may_give_up, site where, Native native) {
        task& self = current();
        might_sleep(self, lock_class::from_id(identity_.class_id()), where);
        report(self, event_kind::wait, where,
               has_free_unit(self) ? flags::tried | flags::timed
               : may_give_up       ? flags::timed
                                   : flags::none);
        const bool is_taken = self.runtime != nullptr
                                  ? step_on(self, step::acquire, may_give_up, 0, where)
                                  : native();
        report(self, event_kind::wake, where);
        return is_taken;
    }

    bool take_natively() {
        if (current().sleeps == nullptr) return native_.take(), true;
        return take_asleep([](auto& changed, auto& held) { return changed.wait(held), true; });
    }
    template <class Sleep>
    bool take_asleep(Sleep sleep) {
        task& self = current();
        return native_.take_asleep([&](auto& changed, auto& held) {
            self.sleeps->begin_sleep(self);
            const bool goes_on = sleep(changed, held);
            held.unlock();
            self.sleeps->end_sleep();
            held.lock();
            return goes_on;
        });
    }

    /// Returns whether a task takes a unit of a semaphore without a wait, under control. Then it
    /// need not wait for the unit of a certain task (rule 19d).
    bool has_free_unit(task& self) {
        if (self.runtime == nullptr || identity_.kind() != lock_kind::semaphore) return false;
        if (self.runtime->is_giving_up()) return false;
        adopt_if_foreign(self, identity_);
        return identity_.is_modelled() && identity_.modelled().count() != 0;
    }

    void report(task& self, event_kind kind, site where, flags with = flags::none) {
        if (self.runtime != nullptr && self.runtime->is_giving_up()) return;
        adopt_if_foreign(self, identity_);
        report_wait(self, kind, identity_, where, with);
    }

    bool step_on(task& self, step what, bool timed, std::uint32_t units, site where) {
        adopt_if_foreign(self, identity_);
        if (what == step::release) sanitizer::release(&identity_);
        const bool done = self.runtime->perform(
            self,
            {.what = what, .timed = timed, .lock = &identity_, .other = units, .where = where});
        if (what != step::release && done) sanitizer::acquire(&identity_);
        return done;
    }

    plain_count native_;
    lock_identity identity_;
};

template <>
class counted<level_constant<level::off>> {
public:
    counted(lock_kind, std::uint32_t count, const label&) : native_(count) {}

    void take(site) { native_.take(); }
    template <class Time>
    bool take_until(const Time& end, site) {
        return native_.take_until(end);
    }
    bool take_interruptible(site) { return native_.take(), true; }
    bool try_take(site) { return native_.try_take(); }
    void take_all(site) { native_.take_all(); }
    void give(std::uint32_t units, site) { native_.give(units); }

private:
    plain_count native_;
};

}  // namespace wedge::detail
