// Memory: a zone of pages with watermarks, direct reclaim, kswapd, and their order.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include <sched.h>

#include "wedge/base/check.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/model/pressure.hpp"
#include "wedge/model/reclaim.hpp"
#include "wedge/model/shrinker.hpp"
#include "wedge/task/idle.hpp"

namespace wedge {

/// A zone's size and its watermarks, in pages.
struct zone_limits {
    std::uint32_t pages = 0;
    std::uint32_t min = 0;   ///< an allocation leaves at least so many free
    std::uint32_t low = 0;   ///< below it kswapd is woken
    std::uint32_t high = 0;  ///< kswapd's goal
    /// Of `min`: what urgent allocations and reclaimers may take (Linux: ALLOC_HIGH, PF_MEMALLOC).
    std::uint32_t reserve = 0;
    /// Runs without success after which kswapd sleeps until a reclaim frees something; 0: never
    /// (Linux: MAX_RECLAIM_RETRIES, 16).
    std::uint32_t kswapd_tries = 0;
};

/// A process that may be killed for its memory (Linux: out_of_memory and the oom_reaper).
class oom_victim {
public:
    oom_victim() = default;
    oom_victim(const oom_victim&) = delete;
    oom_victim& operator=(const oom_victim&) = delete;
    virtual ~oom_victim() = default;

    /// Frees its pages by `memory::free`; false: nothing to free. Runs in the task that found no
    /// memory, on top of its locks, so it may only try locks and must not wait for a notifier.
    virtual bool reap() = 0;
};

/// Pages that tasks allocate and shrinkers give back; by default without end.
///
/// Under control each look at the number of free pages is one visible step, and what it decides is
/// part of that step: the search must know which steps share the zone. Natively the number is a
/// relaxed atomic, which orders nothing else, so that races of the program under test stay visible.
class memory {
public:
    memory() = default;
    explicit memory(zone_limits limits) : limits_(limits), is_endless_(false), free_(limits.pages) {
        WEDGE_CHECK(limits.min <= limits.low && limits.low <= limits.high &&
                    limits.high <= limits.pages && limits.reserve <= limits.min);
    }

    /// Shrinkers run in the order of their registration. Before the tasks start.
    void add(shrinker& one) { shrinkers_.push_back(&one); }

    /// Who is killed when reclaim gets nowhere, in this order. Before the tasks start.
    void add(oom_victim& one) {
        victims_.push_back(&one);
        if (!oom_lock_) oom_lock_.emplace("oom_lock");
    }

    /// Switches choices on or off. Before the tasks start.
    void set(pressure how) {
        pressure_ = how;
        failing_.set(how.failing);
        reclaiming_.set(how.reclaiming);
        rising_.set(how.rising);
    }

    /// Takes pages; false: there were none.
    ///
    /// Succeeds at once if `min` pages stay free; leaving fewer than `low` wakes kswapd. Otherwise
    /// a task that may reclaim directly runs reclaim passes, and tries again while they free
    /// anything; with NORETRY one pass. Then somebody is killed, unless the flags say that it may
    /// fail or must stay out of the file system. With NOFAIL it yields and tries for ever.
    bool alloc(std::uint32_t pages, gfp asked, site where = site::current()) {
        return alloc_by(pages, asked, has(asked, gfp::noretry), where);
    }

    /// Takes 2^order pages in one piece: for a costly order a single pass is made, since reclaim
    /// hardly ever makes room for one (Linux: PAGE_ALLOC_COSTLY_ORDER).
    bool alloc_block(unsigned order, gfp asked, site where = site::current()) {
        const bool is_costly = order > costly_order && !has(asked, gfp::retry_mayfail);
        return alloc_by(1U << order, asked, is_costly || has(asked, gfp::noretry), where);
    }

    /// Gives pages back; never more than the zone has.
    void free(std::uint32_t pages, site where = site::current()) {
        if (is_endless_ || pages == 0 || !step_on_zone(where)) return;
        std::uint32_t before = free_.load(std::memory_order_relaxed);
        std::uint32_t after = 0;
        do {
            after = before + std::min(pages, limits_.pages - before);
        } while (!free_.compare_exchange_weak(before, after, std::memory_order_relaxed));
        if (progress_.add(after - before)) fruitless_.store(0, std::memory_order_relaxed);
    }

    /// States that an allocation with these flags is possible here, without one (rule 18).
    void might_alloc(gfp asked, site where = site::current()) { order_.touch(asked, where); }

    /// One pass of direct reclaim, under the task's scopes; nothing inside reclaim.
    void reclaim(gfp asked = gfp_kernel, site where = site::current()) {
        const gfp counts = effective(asked, current().scopes);
        if (has(counts, gfp::direct_reclaim)) pass(counts, where);
    }

    /// One pass as kswapd; whether it freed anything.
    bool kswapd_pass(site where = site::current()) {
        const reclaim_order::section in(order_, where);
        return run_shrinkers(gfp_kernel) != 0;
    }

    /// Passes until `high` pages are free, or nothing more is freed (Linux: balance_pgdat).
    void balance(site where = site::current()) {
        while (below_high(where)) {
            if (kswapd_pass(where)) continue;
            if (limits_.kswapd_tries != 0 && step_on_zone(where))
                fruitless_.fetch_add(1, std::memory_order_relaxed);
            return;
        }
    }
    /// Whether kswapd has given up, and is not woken until a reclaim frees something.
    bool is_hopeless() const noexcept {
        return limits_.kswapd_tries != 0 &&
               fruitless_.load(std::memory_order_relaxed) >= limits_.kswapd_tries;
    }

    /// For a task that is kswapd: sleeps until an allocation leaves fewer than `low` pages. At the
    /// first call it returns at once if there are fewer already.
    ///
    /// @return false: it was stopped
    bool wait_for_kswapd_wake(site where = site::current()) {
        bool is_woken = false;
        if (!has_kswapd_.load(std::memory_order_relaxed)) {
            is_woken = below_low(where);  // the same step as the next line: no wake-up is lost
            has_kswapd_.store(true, std::memory_order_relaxed);
        }
        const guard held(wake_lock_, where);
        const idle_section without_work;
        while (!is_woken && !wake_ && !is_stopped_) wake_up_.wait(held, where);
        wake_ = false;
        return !is_stopped_;
    }

    /// From now on `wait_for_kswapd_wake` returns false.
    void stop_kswapd(site where = site::current()) {
        const guard held(wake_lock_, where);
        is_stopped_ = true;
        wake_up_.notify_all(where);
    }

    std::uint32_t free_pages(site where = site::current()) const {
        static_cast<void>(step_on_zone(where));
        return free_.load(std::memory_order_relaxed);
    }
    bool below_low(site where = site::current()) const {
        return !is_endless_ && free_pages(where) < limits_.low;
    }
    bool below_high(site where = site::current()) const {
        return !is_endless_ && free_pages(where) < limits_.high;
    }
    const zone_limits& limits() const noexcept { return limits_; }
    reclaim_order& order() noexcept { return order_; }

private:
    static constexpr unsigned costly_order = 3;

    bool alloc_by(std::uint32_t pages, gfp asked, bool is_light, site where) {
        order_.touch(asked, where);
        const std::uint8_t scopes = current().scopes;
        const gfp counts = effective(asked, scopes);
        const bool may_reclaim = has(counts, gfp::direct_reclaim);
        const bool never_fails = has(counts, gfp::nofail);
        const bool may_fail = pressure_.fail_allocations || (scopes & scope::may_fail) != 0;
        const bool may_strike = pressure_.force_reclaim || (scopes & scope::reclaim_first) != 0;
        if (may_reclaim && ((may_strike && choose(2, "reclaim strikes") == 1) ||
                            reclaiming_.strikes("reclaim strikes")))
            pass(counts, where);
        if (!never_fails && ((may_fail && choose(2, "the allocation fails") == 1) ||
                             failing_.strikes("the allocation fails")))
            return false;
        std::uint32_t boost =
            rising_.strikes("the watermarks rise") ? limits_.low - limits_.min : 0;
        for (;; boost = 0) {
            if (take(pages, counts, boost, where)) return true;
            if (may_reclaim && pass(counts, where) != 0) {
                if (!is_light || never_fails) continue;
                return take(pages, counts, 0, where);
            }
            if (may_kill(counts, pages) && kill(where)) continue;
            if (!never_fails || is_given_up()) return false;
            yield(where);
        }
    }

    /// Linux: __alloc_pages_may_oom. Urgent, optional and costly allocations kill nobody.
    bool may_kill(gfp counts, std::uint32_t pages) const noexcept {
        return !victims_.empty() && has(counts, gfp::direct_reclaim) && has(counts, gfp::fs) &&
               !has(counts, gfp::noretry | gfp::retry_mayfail) && pages <= 1U << costly_order;
    }

    /// Whether it makes sense to try again: somebody was killed, or is being killed.
    bool kill(site where) {
        const try_guard held(*oom_lock_, where);
        if (!held) {
            yield(where);
            return !is_given_up();
        }
        const alloc_scope no_reclaim(scope::noreclaim);
        return std::any_of(victims_.begin(), victims_.end(),
                           [](oom_victim* each) { return each->reap(); });
    }

    /// How many pages this allocation must leave free.
    std::uint32_t floor_of(gfp counts) const noexcept {
        const bool is_urgent =
            has(counts, gfp::high) || (current().scopes & scope::noreclaim) != 0;
        return limits_.min - (is_urgent ? limits_.reserve : 0);
    }

    static bool is_given_up() noexcept {
        const task& self = current();
        return self.runtime != nullptr && self.runtime->is_giving_up();
    }

    /// The visible step that touches the zone: a release of what nobody holds, which is always
    /// possible and never throws, since destructors free pages. False: the execution is given up.
    bool step_on_zone(site where) const {
        task& self = current();
        if (self.runtime == nullptr) return true;
        if (self.runtime->is_giving_up()) return false;
        detail::adopt_if_foreign(self, zone_);
        self.runtime->perform(self, {.what = step::release, .lock = &zone_, .where = where});
        return !self.runtime->is_giving_up();
    }

    static void yield(site where) {
        task& self = current();
        if (self.runtime != nullptr)
            self.runtime->perform(self, {.what = step::yield, .where = where});
        else
            ::sched_yield();
    }

    bool take(std::uint32_t pages, gfp counts, std::uint32_t boost, site where) {
        if (is_endless_) return true;
        static_cast<void>(step_on_zone(where));
        const std::uint32_t floor = floor_of(counts) + boost;
        std::uint32_t before = free_.load(std::memory_order_relaxed);
        do {
            if (before < pages || before - pages < floor) return false;
        } while (!free_.compare_exchange_weak(before, before - pages, std::memory_order_relaxed));
        if (before - pages < limits_.low && has(counts, gfp::kswapd_reclaim) &&
            has_kswapd_.load(std::memory_order_relaxed) && !is_hopeless())
            wake_kswapd(where);
        return true;
    }

    void wake_kswapd(site where) {
        const guard held(wake_lock_, where);
        wake_ = true;
        wake_up_.notify_one(where);
    }

    /// How many pages a pass of direct reclaim freed.
    std::uint32_t pass(gfp counts, site where) {
        const reclaim_order::section in(order_, counts, where);
        return run_shrinkers(counts);
    }

    std::uint32_t run_shrinkers(gfp counts) {
        const detail::reclaim_progress::pass mine(progress_);
        for (shrinker* const each : shrinkers_) each->run(counts);
        return mine.freed();
    }

    const zone_limits limits_{};
    const bool is_endless_ = true;
    pressure pressure_;
    fault_point failing_;
    fault_point reclaiming_;
    fault_point rising_;
    std::atomic<std::uint32_t> free_{0};
    std::vector<shrinker*> shrinkers_;
    std::vector<oom_victim*> victims_;
    std::optional<mutex> oom_lock_;  // of victims; only tried, since the takers hold locks
    std::atomic<std::uint32_t> fruitless_{0};  // runs of kswapd since a reclaim freed something
    reclaim_order order_;
    detail::reclaim_progress progress_;
    mutable lock_identity zone_{lock_kind::map, lock_class("zone", {.never_waits = true})};

    std::atomic<bool> has_kswapd_{false};  // without one there is nobody to wake
    spinlock wake_lock_{"kswapd_wait"};    // Linux: pgdat->kswapd_wait, a wait queue's lock
    condition wake_up_{"kswapd wake-up"};
    bool wake_ = false;
    bool is_stopped_ = false;
};

}  // namespace wedge
