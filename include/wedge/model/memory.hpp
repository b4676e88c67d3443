// Memory: a zone of pages with watermarks, direct reclaim, kswapd, and their order.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include <sched.h>

#include "wedge/base/check.hpp"
#include "wedge/base/hash.hpp"
#include "wedge/model/free_blocks.hpp"
#include "wedge/model/kswapd.hpp"
#include "wedge/model/oom.hpp"
#include "wedge/model/pressure.hpp"
#include "wedge/model/reclaim.hpp"
#include "wedge/model/shrinker.hpp"
#include "wedge/task/stage.hpp"

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
    /// With fewer free, who reclaims directly waits first until kswapd has got on or given up, so
    /// `kswapd_tries` must be set too (Linux: half of the reserves, throttle_direct_reclaim).
    std::uint32_t throttle = 0;
};

/// Who lets compaction move its pages (Linux: isolate_migratepages and try_to_migrate). Runs in the
/// task that wants a block, on top of its locks, as a shrinker does.
class page_mover {
public:
    page_mover() = default;
    page_mover(const page_mover&) = delete;
    page_mover& operator=(const page_mover&) = delete;
    virtual ~page_mover() = default;

    /// False: its pages cannot move now, and free ones between them do not join.
    virtual bool move() = 0;
};

/// Pages that tasks allocate and shrinkers give back; by default without end.
///
/// Under control each look at the number of free pages is one visible step, and what it decides is
/// part of that step: the search must know which steps share the zone. Natively the number is a
/// relaxed atomic, which orders nothing else, so that races of the program under test stay visible.
class memory {
public:
    memory() = default;
    explicit memory(zone_limits limits)
        : limits_(limits), is_endless_(false), free_(limits.pages), blocks_(limits.pages) {
        WEDGE_CHECK(limits.min <= limits.low && limits.low <= limits.high &&
                    limits.high <= limits.pages && limits.reserve <= limits.min &&
                    (limits.throttle == 0 || limits.kswapd_tries != 0));
    }

    /// Shrinkers run in the order of their registration. Before the tasks start.
    void add(shrinker& one) { shrinkers_.push_back(&one); }

    /// Who is killed when reclaim gets nowhere, in this order. Before the tasks start.
    void add(oom_victim& one) { killer_.add(one); }
    /// Before the tasks start.
    void add(page_mover& one) { movers_.push_back(&one); }

    /// Switches choices on or off. Before the tasks start.
    void set(pressure how) {
        pressure_ = how;
        failing_.set(how.failing);
        reclaiming_.set(how.reclaiming);
        rising_.set(how.rising);
        killing_.set(how.killing);
        hogging_.set(how.hogging);
    }

    /// Takes pages; false: there were none.
    ///
    /// Succeeds at once if `min` pages stay free; leaving fewer than `low` wakes kswapd. Otherwise
    /// a task that may reclaim directly runs reclaim passes, and tries again while they free
    /// anything; with NORETRY one pass. Then somebody is killed, unless the flags say that it may
    /// fail or must stay out of the file system. With NOFAIL it yields and tries for ever.
    bool alloc(std::uint32_t pages, gfp asked, site where = site::current()) {
        return alloc({.pages = pages}, asked, where);
    }

    /// Takes 2^order pages in one piece. They may be free and yet scattered: then, after reclaim,
    /// the free pages are compacted, unless the flags forbid I/O. For a costly order a single pass
    /// is made, since reclaim hardly ever makes room for one (Linux: PAGE_ALLOC_COSTLY_ORDER).
    bool alloc_block(unsigned order, gfp asked, site where = site::current()) {
        return alloc({.pages = 1U << order, .order = order}, asked, where);
    }

    /// Gives pages back, in one piece as far as they make one; never more than the zone has.
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
    void might_alloc(gfp asked, site where = site::current()) { order_.touch(asked, where); }

    /// One pass of direct reclaim, under the task's scopes; nothing inside reclaim.
    void reclaim(gfp asked = gfp_kernel, site where = site::current()) {
        const gfp counts = effective(asked, current().scopes);
        if (has(counts, gfp::direct_reclaim)) pass(counts, where);
    }

    /// One pass as kswapd; whether it freed anything.
    bool kswapd_pass(site where = site::current()) {
        bool has_freed = false;
        {
            const reclaim_order::section in(order_, where);
            has_freed = run_shrinkers(gfp_kernel) != 0;
        }
        if (has_freed && limits_.throttle != 0) kswapd_.release_throttled(where);
        return has_freed;
    }

    /// Passes until `high` pages are free, or nothing more is freed (Linux: balance_pgdat).
    void balance(site where = site::current()) {
        while (below_high(where)) {
            if (kswapd_pass(where)) continue;
            if (limits_.kswapd_tries != 0 && step_on_zone(where)) kswapd_.has_failed();
            return;
        }
    }
    /// Whether kswapd has given up, and is not woken until a reclaim frees something.
    bool is_hopeless() const noexcept { return kswapd_.is_hopeless(); }

    /// For a task that is kswapd: sleeps until an allocation leaves fewer than `low` pages. At the
    /// first call it returns at once if there are fewer already.
    ///
    /// @return false: it was stopped
    bool wait_for_kswapd_wake(site where = site::current()) {
        return kswapd_.wait_for_wake([&] { return below_low(where); }, where);
    }

    /// From now on `wait_for_kswapd_wake` returns false, and nobody is throttled.
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
    /// What the hog of the pressure has taken.
    std::uint32_t hogged_pages() const noexcept { return hogged_.load(std::memory_order_relaxed); }
    const zone_limits& limits() const noexcept { return limits_; }

    /// A hash of what decides how allocations of single pages go on, locks and tasks aside; of a
    /// zone without rates, throttling or movers. Between two steps, under control.
    std::uint64_t state() const noexcept {
        return combine(combine(free_.load(std::memory_order_relaxed), hogged_pages()),
                       kswapd_.state());
    }
    /// What it remembers of one task: whether the pass that the task is in has freed anything.
    bool has_freed(std::uint32_t task) const noexcept { return progress_.has_freed(task); }
    reclaim_order& order() noexcept { return order_; }

private:
    static constexpr unsigned costly_order = 3;

    /// What is asked for: pages wherever they are, or with an order in one piece.
    struct request {
        std::uint32_t pages;
        unsigned order = 0;
        bool is_costly() const noexcept { return order > costly_order; }
    };

    bool alloc(request wanted, gfp asked, site where) {
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

    /// Whether one kind of pressure strikes: the zone's or the task's, by a choice, or at a rate.
    bool strikes(bool is_on, std::uint8_t task_scope, fault_point& at_rate, const char* why,
                 site where) {
        if ((is_on || (current().scopes & task_scope) != 0) && choose(2, why) == 1) return true;
        return at_rate.strikes(why, where);
    }

    /// The hog takes what it can have without reclaim, and gives all of it back the next time.
    void call_hog(site where) {
        if (const std::uint32_t pages = hogged_.exchange(0, std::memory_order_relaxed)) {
            free(pages, where);
        } else if (take({.pages = pressure_.hog_pages}, gfp_nowait, 0, where)) {
            hogged_.fetch_add(pressure_.hog_pages, std::memory_order_relaxed);
        }
    }

    /// Linux: __alloc_pages_may_oom. Urgent, optional and costly allocations kill nobody.
    bool may_kill(gfp counts, request wanted) const noexcept {
        return killer_.has_victims() && has(counts, gfp::direct_reclaim) && has(counts, gfp::fs) &&
               !has(counts, gfp::noretry | gfp::retry_mayfail) && !wanted.is_costly();
    }

    /// Whether it makes sense to try again: somebody was killed, or is being killed.
    bool kill(site where) {
        const oom_killer::outcome got = killer_.kill(where);
        if (got != oom_killer::outcome::busy) return got == oom_killer::outcome::killed;
        yield(where);
        return !is_given_up();
    }

    /// Joins free pages, within no reclaim but as a reclaimer (Linux: compaction, which moves
    /// nothing for who must not start I/O).
    bool compact(gfp counts, site where) {
        if (is_endless_ || !has(counts, gfp::io)) return false;
        const alloc_scope no_reclaim(scope::noreclaim);
        const bool can_move = std::all_of(movers_.begin(), movers_.end(),
                                          [](page_mover* each) { return each->move(); });
        return can_move && step_on_zone(where) && blocks_.compact();
    }

    /// How many pages this allocation must leave free.
    std::uint32_t floor_of(gfp counts) const noexcept {
        const bool is_urgent = has(counts, gfp::high) || (current().scopes & scope::noreclaim) != 0;
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

    /// How many pages a pass of direct reclaim freed.
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
    std::atomic<std::uint32_t> free_{0};  // as many as the blocks have, but for a moment
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
