// Memory: a zone of pages with watermarks, direct reclaim, kswapd, and their order.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include <sched.h>

#include "wedge/core/check.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/core/stage.hpp"
#include "wedge/model/free_blocks.hpp"
#include "wedge/model/kswapd.hpp"
#include "wedge/model/oom.hpp"
#include "wedge/model/pressure.hpp"
#include "wedge/model/reclaim.hpp"
#include "wedge/model/shrinker.hpp"

namespace wedge {

/// A zone's size and its watermarks, in pages.
struct zone_limits {
    std::uint32_t pages = 0;
    std::uint32_t min = 0;   ///< an allocation leaves at least this many pages free
    std::uint32_t low = 0;   ///< with fewer free pages kswapd is woken
    std::uint32_t high = 0;  ///< the number of free pages that kswapd restores
    /// The part of `min` that urgent allocations and reclaimers may take (Linux: ALLOC_HIGH,
    /// PF_MEMALLOC).
    std::uint32_t reserve = 0;
    /// The number of runs without success after which kswapd sleeps until a reclaim frees
    /// something; 0: never (Linux: MAX_RECLAIM_RETRIES, 16).
    std::uint32_t kswapd_tries = 0;
    /// With fewer free pages, a direct reclaimer first waits until kswapd has made progress or
    /// given up. It needs `kswapd_tries` (Linux: half of the reserves, throttle_direct_reclaim).
    std::uint32_t throttle = 0;
};

/// A user of pages that lets compaction move them (Linux: isolate_migratepages and try_to_migrate).
/// It runs in the task that wants a block, on top of that task's locks, as a shrinker does.
class page_mover {
public:
    page_mover() = default;
    page_mover(const page_mover&) = delete;
    page_mover& operator=(const page_mover&) = delete;
    virtual ~page_mover() = default;

    /// Moves its pages. Returns false if they cannot move now; then free pages between them do not
    /// join.
    virtual bool move() = 0;
};

/// Pages that tasks allocate and shrinkers give back. Without limits it never runs out.
///
/// Under control each look at the number of free pages is a visible step, and the decision that
/// follows is part of that step: a search must know which steps share the zone. In a live program
/// the number is a relaxed atomic, which orders nothing else, so that races of the program under
/// test stay visible.
class memory {
public:
    memory() = default;
    explicit memory(zone_limits limits)
        : limits_(limits), is_endless_(false), free_(limits.pages), blocks_(limits.pages) {
        WEDGE_CHECK(limits.min <= limits.low && limits.low <= limits.high &&
                    limits.high <= limits.pages && limits.reserve <= limits.min &&
                    (limits.throttle == 0 || limits.kswapd_tries != 0));
    }

    /// Adds a shrinker. Shrinkers run in the order of their registration. Call it before the tasks
    /// start.
    void add(shrinker& one) { shrinkers_.push_back(&one); }

    /// Adds a process that is killed when reclaim makes no progress, in this order. Call it before
    /// the tasks start.
    void add(oom_victim& one) { killer_.add(one); }
    /// Adds a user of movable pages. Call it before the tasks start.
    void add(page_mover& one) { movers_.push_back(&one); }

    /// Switches choices on or off. Call it before the tasks start.
    void set(pressure how) {
        pressure_ = how;
        failing_.set(how.failing);
        reclaiming_.set(how.reclaiming);
        rising_.set(how.rising);
        killing_.set(how.killing);
        hogging_.set(how.hogging);
    }

    /// Takes pages; returns false if there are none.
    ///
    /// It succeeds at once if `min` pages stay free; leaving fewer than `low` wakes kswapd.
    /// Otherwise a task that may reclaim directly runs reclaim passes, and tries again while they
    /// free pages; with NORETRY it makes one pass. Then a process is killed, unless the flags say
    /// that the allocation may fail or must stay out of the file system. With NOFAIL it yields and
    /// tries forever.
    bool alloc(std::uint32_t pages, gfp asked, site where = site::current()) {
        return alloc({.pages = pages}, asked, where);
    }

    /// Takes 2^order pages in one piece; returns false if there is none. Free pages may be
    /// scattered: after reclaim they are compacted, unless the flags forbid I/O. A costly order
    /// gets a single pass, since reclaim hardly ever makes room for one (Linux:
    /// PAGE_ALLOC_COSTLY_ORDER).
    bool alloc_block(unsigned order, gfp asked, site where = site::current()) {
        return alloc({.pages = 1U << order, .order = order}, asked, where);
    }

    /// Gives pages back, as few pieces as powers of two allow. Never more than the zone has.
    void free(std::uint32_t pages, site where = site::current()) {
        if (is_endless_ || pages == 0 || !step_on_zone(where)) return;
        std::uint32_t before = free_.load(std::memory_order_relaxed);
        std::uint32_t after = 0;
        do {
            after = before + std::min(pages, limits_.pages - before);
        } while (!free_.compare_exchange_weak(before, after, std::memory_order_relaxed));
        blocks_.put(after - before);
        if (progress_.add(after - before)) kswapd_.has_succeeded();
    }

    /// States that an allocation with these flags is possible here, without one (rule 18).
    void might_alloc(gfp asked, site where = site::current()) {
        might_sleep(asked, where);
        order_.touch(asked, where);
    }

    /// Makes one pass of direct reclaim under the task's scopes. Does nothing within reclaim.
    void reclaim(gfp asked = gfp_kernel, site where = site::current()) {
        might_sleep(asked, where);
        const gfp counts = effective(asked, current().scopes);
        if (has(counts, gfp::direct_reclaim)) pass(counts, where);
    }

    /// Makes one pass as kswapd; returns whether it freed anything.
    bool kswapd_pass(site where = site::current()) {
        bool has_freed = false;
        {
            const reclaim_order::section in(order_, where);
            has_freed = run_shrinkers(gfp_kernel) != 0;
        }
        if (has_freed && limits_.throttle != 0) kswapd_.release_throttled(where);
        return has_freed;
    }

    /// Makes passes until `high` pages are free or nothing more is freed (Linux: balance_pgdat).
    void balance(site where = site::current()) {
        while (below_high(where)) {
            if (kswapd_pass(where)) continue;
            if (limits_.kswapd_tries != 0 && step_on_zone(where)) kswapd_.has_failed();
            return;
        }
    }
    /// Returns whether kswapd has given up. It is not woken then until a reclaim frees something.
    bool is_hopeless() const noexcept { return kswapd_.is_hopeless(); }

    /// Sleeps until an allocation leaves fewer than `low` pages. For the task that is kswapd. The
    /// first call returns at once if there are fewer already.
    ///
    /// @return false: it was stopped
    bool wait_for_kswapd_wake(site where = site::current()) {
        return kswapd_.wait_for_wake([&] { return below_low(where); }, where);
    }

    /// Stops kswapd: from now on `wait_for_kswapd_wake` returns false, and no task is throttled.
    void stop_kswapd(site where = site::current()) { kswapd_.stop(where); }

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
    /// Returns the number of pages that the hog of the pressure has taken.
    std::uint32_t hogged_pages() const noexcept { return hogged_.load(std::memory_order_relaxed); }
    const zone_limits& limits() const noexcept { return limits_; }

    /// Returns a hash of what decides how allocations of single pages go on, without locks and
    /// tasks. For a zone without rates, throttling or movers. Under control, between two steps.
    std::uint64_t state() const noexcept {
        return combine(combine(free_.load(std::memory_order_relaxed), hogged_pages()),
                       kswapd_.state());
    }
    /// Returns what it remembers of a task: whether the pass that the task is in has freed
    /// anything.
    bool has_freed(std::uint32_t task) const noexcept { return progress_.has_freed(task); }
    reclaim_order& order() noexcept { return order_; }

private:
    static constexpr unsigned costly_order = 3;

    /// A request: pages wherever they are, or with an order in one piece.
    struct request {
        std::uint32_t pages;
        unsigned order = 0;
        bool is_costly() const noexcept { return order > costly_order; }
    };

    bool alloc(request wanted, gfp asked, site where) {
        might_sleep(asked, where);
        order_.touch(asked, where);
        stage_scope stage;
        const gfp counts = effective(asked, current().scopes);
        const bool may_reclaim = has(counts, gfp::direct_reclaim);
        const bool never_fails = has(counts, gfp::nofail);
        const bool is_light =
            !never_fails &&
            (has(counts, gfp::noretry) || (wanted.is_costly() && !has(counts, gfp::retry_mayfail)));
        if (!is_endless_ && hogging_.strikes("the hog comes or goes", where)) call_hog(where);
        if (may_reclaim && strikes(pressure_.force_reclaim, scope::reclaim_first, reclaiming_,
                                   "reclaim strikes", where)) {
            stage.set(1);
            pass(counts, where);
        }
        if (may_kill(counts, wanted) && killing_.strikes("a process is killed", where))
            static_cast<void>(kill(where));
        if (!never_fails && strikes(pressure_.fail_allocations, scope::may_fail, failing_,
                                    "the allocation fails", where))
            return false;
        stage.set(0);
        std::uint32_t boost = strikes(pressure_.raise_watermarks, scope::higher_watermarks, rising_,
                                      "the watermarks rise", where)
                                  ? limits_.low - limits_.min
                                  : 0;
        for (;; boost = 0) {
            if (take(wanted, counts, boost, where)) return true;
            if (may_reclaim) {
                const bool has_freed = pass(counts, where) != 0;
                const bool has_joined = wanted.order != 0 && compact(counts, where);
                if ((has_freed || has_joined) && is_light) {
                    stage.set(2);
                    return take(wanted, counts, 0, where);
                }
                if (has_freed || has_joined) continue;
            }
            if (may_kill(counts, wanted) && kill(where)) continue;
            if (!never_fails || is_given_up()) return false;
            yield(where);
        }
    }

    /// Returns whether a kind of pressure strikes: that of the zone or of the task, by a choice or
    /// at a rate.
    bool strikes(bool is_on, std::uint8_t task_scope, fault_point& at_rate, const char* why,
                 site where) {
        if ((is_on || (current().scopes & task_scope) != 0) && choose(2, why) == 1) return true;
        return at_rate.strikes(why, where);
    }

    /// Runs the hog: it takes what it can get without reclaim, and gives all of it back the next
    /// time.
    void call_hog(site where) {
        if (const std::uint32_t pages = hogged_.exchange(0, std::memory_order_relaxed)) {
            free(pages, where);
        } else if (take({.pages = pressure_.hog_pages}, gfp_nowait, 0, where)) {
            hogged_.fetch_add(pressure_.hog_pages, std::memory_order_relaxed);
        }
    }

    /// Returns whether the allocation may kill a process (Linux: __alloc_pages_may_oom). Urgent,
    /// optional and costly allocations do not.
    bool may_kill(gfp counts, request wanted) const noexcept {
        return killer_.has_victims() && has(counts, gfp::direct_reclaim) && has(counts, gfp::fs) &&
               !has(counts, gfp::noretry | gfp::retry_mayfail) && !wanted.is_costly();
    }

    /// Kills a process. Returns whether it makes sense to try again: a process was killed, or is
    /// being killed.
    bool kill(site where) {
        const oom_killer::outcome got = killer_.kill(where);
        if (got != oom_killer::outcome::busy) return got == oom_killer::outcome::killed;
        yield(where);
        return !is_given_up();
    }

    /// Joins free pages, as a reclaimer but in no reclaim section (Linux: compaction, which moves
    /// nothing for a caller that must not start I/O).
    bool compact(gfp counts, site where) {
        if (is_endless_ || !has(counts, gfp::io)) return false;
        const alloc_scope no_reclaim(scope::noreclaim);
        const bool can_move = std::all_of(movers_.begin(), movers_.end(),
                                          [](page_mover* each) { return each->move(); });
        return can_move && step_on_zone(where) && blocks_.compact();
    }

    /// Returns how many pages this allocation must leave free.
    std::uint32_t floor_of(gfp counts) const noexcept {
        const bool is_urgent = has(counts, gfp::high) || (current().scopes & scope::noreclaim) != 0;
        return limits_.min - (is_urgent ? limits_.reserve : 0);
    }

    static bool is_given_up() noexcept {
        const task& self = current();
        return self.runtime != nullptr && self.runtime->is_giving_up();
    }

    /// Takes the visible step that touches the zone: a release of a lock that no task holds. It is
    /// always possible and never throws, since destructors free pages. Returns false if the
    /// execution is given up.
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

    bool take(request wanted, gfp counts, std::uint32_t boost, site where) {
        if (is_endless_) return true;
        static_cast<void>(step_on_zone(where));
        const std::uint32_t pages = wanted.pages;
        const std::uint32_t floor = floor_of(counts) + boost;
        std::uint32_t before = free_.load(std::memory_order_relaxed);
        do {
            if (before < pages || before - pages < floor) return false;
        } while (!free_.compare_exchange_weak(before, before - pages, std::memory_order_relaxed));
        if (wanted.order == 0) {
            blocks_.take(pages);
        } else if (!blocks_.take_block(wanted.order)) {
            free_.fetch_add(pages, std::memory_order_relaxed);
            return false;
        }
        if (before - pages < limits_.low && has(counts, gfp::kswapd_reclaim)) kswapd_.wake(where);
        return true;
    }

    /// States that the task may sleep in direct reclaim, if the flags allow it to reclaim (rule
    /// 22).
    static void might_sleep(gfp asked, site where) {
        if (has(asked, gfp::direct_reclaim)) detail::might_sleep(current(), "memory", where);
    }

    /// Makes a pass of direct reclaim and returns how many pages it freed.
    std::uint32_t pass(gfp counts, site where) {
        if (limits_.throttle != 0)
            kswapd_.throttle([&] { return free_pages(where) >= limits_.throttle; },
                             has(counts, gfp::fs), where);
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
    fault_point killing_;
    fault_point hogging_;
    std::atomic<std::uint32_t> free_{0};  // equals the sum of the blocks, except for a moment
    free_blocks blocks_{0};
    std::atomic<std::uint32_t> hogged_{0};
    std::vector<shrinker*> shrinkers_;
    std::vector<page_mover*> movers_;
    oom_killer killer_;
    kswapd_waits kswapd_{limits_.kswapd_tries};
    reclaim_order order_;
    detail::reclaim_progress progress_;
    mutable lock_identity zone_{lock_kind::map, lock_class("zone", {.never_waits = true})};
};

}  // namespace wedge
