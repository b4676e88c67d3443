// Sections of real threads that other threads wait for.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "wedge/scenario/modelled_lock.hpp"

namespace wedge::scenario {

/// Any number of sections at once on real threads, and waits until all of them have ended. The
/// watchdog sees a section as a hold, and a wait as an acquire that every section keeps out.
class native_sections {
public:
    explicit native_sections(lock_class cls) : own_(lock_kind::map, cls) {}

    lock_identity& identity() noexcept { return own_; }

    void enter(const wedge::detail::acquire_terms& terms) {
        task& self = current();
        if (!has(terms.with, flags::tried)) wedge::detail::attempt(self, own_, terms);
        {
            const std::lock_guard<std::mutex> turn(lock_);
            ++begun_;
        }
        wedge::detail::acquired(self, own_, terms);
    }
    void leave(site where) {
        task& self = current();
        const mode how = wedge::detail::mode_of_hold(self, own_);
        const bool is_held = self.held.find(own_.instance()) != nullptr;
        wedge::detail::released(self, own_, how, where);
        if (!is_held) return;  // the checker has reported it
        const std::lock_guard<std::mutex> turn(lock_);
        ++ended_;
        if (ended_ == begun_) all_ended_.notify_all();
    }
    /// Waits until no section is open, and at least that many have ended.
    void await(std::uint64_t ended, site where) {
        task& self = current();
        wedge::detail::might_sleep(self, lock_class::from_id(own_.class_id()), where);
        wedge::detail::emit(self,
                            wedge::detail::event_of(event_kind::sync, own_, {.where = where}));
        std::unique_lock<std::mutex> turn(lock_);
        while (ended_ != begun_ || ended_ < ended) {
            if (self.sleeps != nullptr) self.sleeps->begin_sleep(self);
            all_ended_.wait(turn);
            if (self.sleeps == nullptr) continue;
            turn.unlock();
            self.sleeps->end_sleep();
            wedge::detail::report_wait(self, event_kind::join, own_, where);  // it waits again
            turn.lock();
        }
        turn.unlock();
        wedge::detail::report_wait(self, event_kind::wake, own_, where);
    }

private:
    lock_identity own_;
    std::mutex lock_;
    std::condition_variable all_ended_;
    std::uint64_t begun_ = 0;
    std::uint64_t ended_ = 0;
};

/// A pseudo-lock that real threads enter.
class native_map final : public modelled_lock {
public:
    explicit native_map(lock_class cls) : modelled_lock(lock_sort::map), sections_(cls) {}

    lock_identity& identity() noexcept override { return sections_.identity(); }
    bool acquire(const wedge::detail::acquire_terms& terms) override {
        return sections_.enter(terms), true;
    }
    void release(site where) override { sections_.leave(where); }
    void sync(site where) override { sections_.await(0, where); }

private:
    native_sections sections_;
};

}  // namespace wedge::scenario
