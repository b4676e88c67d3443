// A scenario on real threads: each runs one thread of the file, in rounds.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "wedge/core/steps.hpp"
#include "wedge/scenario/error_list.hpp"
#include "wedge/scenario/run.hpp"
#include "wedge/scenario/statements.hpp"
#include "wedge/stress/target.hpp"

namespace wedge {

namespace detail {

/// Returns what a statement asks of the thread that runs it; null: nothing. A handler that comes
/// while a thread waits is run by another thread, where the answer would be wrong.
inline const char* asked_of_thread(const scenario::document& all, const scenario::statement& step) {
    using namespace scenario;
    const auto is_any = [&](const std::string& name, auto property) {
        return std::ranges::any_of(
            all.all, [&](const declaration& each) { return each.name == name && property(each); });
    };
    const auto is_recursive = [](const declaration& each) {
        return each.what == declares::lock && each.kind == lock_sort::recursive_mutex;
    };
    const auto is_local = [](const declaration& each) {
        return each.what == declares::counter && each.is_local;
    };
    if (step.what == scenario::action::acquire && is_any(step.on.name, is_recursive))
        return "a recursive mutex";
    if (step.what == scenario::action::if_held || step.what == scenario::action::assert_held)
        return "a test of what is held";
    if (is_any(step.on.name, is_local) || is_any(step.left.counter, is_local) ||
        is_any(step.right.counter, is_local))
        return "a local counter";
    const bool may_reclaim =
        step.what == scenario::action::alloc && step.gfp.base <= gfp_base::noio;
    if (may_reclaim || step.what == scenario::action::reclaim) return "reclaim";
    return nullptr;
}

/// Refuses what has no meaning on real threads.
///
/// @throws error  with the place of the first such declaration or statement
inline void check_can_be_stressed(const scenario::document& all) {
    using namespace scenario;
    const std::string hint = "; `wedge check` tries the interleavings of the file";
    const bool has_handlers = std::ranges::any_of(
        all.all, [](const declaration& each) { return each.what == declares::handler; });
    for (const declaration& each : all.all) {
        if (each.has_cpu)
            throw scenario::detail::text_error(
                all.path, each.at,
                "'cpu' exists under control only: to share a processor by priority needs rights of "
                "the system" +
                    hint);
        // A handler may put a reference.
        if (each.what != declares::handler && !(has_handlers && each.what == declares::refcount))
            continue;
        for_each_statement(each.body, [&](const statement& step) {
            const char* const asked = asked_of_thread(all, step);
            if (asked == nullptr) return;
            throw scenario::detail::text_error(
                all.path, step.at,
                std::string(asked) +
                    " in a handler exists under control only: on real threads a "
                    "handler may run beside the thread that it interrupts" +
                    hint);
        });
    }
}

}  // namespace detail

/// The threads of a scenario under stress. A group of real threads runs the scenario: each of the
/// group runs one thread of the file, a handler, a block that runs later, or kswapd if the file
/// limits the memory. When all have ended, the next round begins with new objects. Several groups
/// have objects of their own, but of the same classes.
class stressed_scenario final : public stress_target {
public:
    /// @param threads  a multiple of `threads_in(all)`
    /// @throws error  what the scenario needs has no meaning on real threads
    stressed_scenario(const scenario::document& all, unsigned threads) : all_(all) {
        detail::check_can_be_stressed(all_);
        for (unsigned done = 0; done < threads; done += threads_in(all_))
            groups_.push_back(std::make_unique<group>(all_));
    }

    /// Returns how many real threads run a scenario once.
    static unsigned threads_in(const scenario::document& all) {
        return scenario::scenario_subject::real_threads_in(all);
    }

    std::vector<std::string> actions() const override { return groups_.front()->names(); }
    numbered_program calls(const program&) const override {
        numbered_program all;
        for (std::size_t i = 0; i < threads_in(all_); ++i) all.push_back({{i, 0}});
        return all;
    }
    void make() override {}
    unsigned group_of(unsigned thread) const override { return thread / threads_in(all_) + 1; }
    bool await_turn(unsigned thread, turn_host& host) override {
        return with(thread).await_round(host);
    }
    void end_turns() override {
        for (const std::unique_ptr<group>& each : groups_) each->leave_rounds();
    }
    void call(unsigned thread, const numbered_call& next) override {
        with(thread).run(static_cast<std::uint32_t>(next.action));
    }

private:
    class group {
    public:
        explicit group(const scenario::document& all) : scenario_(all), threads_(threads_in(all)) {
            for (std::uint32_t i = 0; i < threads_; ++i) names_.push_back(scenario_.task_name(i));
        }
        ~group() {
            if (rounds_ != 0) scenario_.end();
        }
        group(const group&) = delete;
        group& operator=(const group&) = delete;

        const std::vector<std::string>& names() const noexcept { return names_; }
        /// Waits until all threads of the group have come. The last one begins the round.
        bool await_round(turn_host& host) {
            std::unique_lock<std::mutex> turn(lock_);
            const std::uint64_t before = rounds_;
            if (++waiting_ == threads_) {
                if (before != 0) scenario_.end();
                scenario_.begin();
                waiting_ = 0;
                left_.store(scenario_.threads(), std::memory_order_relaxed);
                ++rounds_;
                next_round_.notify_all();
                return true;
            }
            host.waits(true);
            next_round_.wait(turn, [&] {
                return rounds_ != before || host.is_over() ||
                       has_failed_.load(std::memory_order_relaxed);
            });
            host.waits(false);
            if (rounds_ == before) --waiting_;
            return rounds_ != before;
        }
        /// Wakes the threads that wait for a round that does not come.
        void leave_rounds() {
            { const std::lock_guard<std::mutex> turn(lock_); }
            next_round_.notify_all();
        }
        void run(std::uint32_t number) {
            const bool serves = number >= scenario_.threads();  // until no thread is left
            const auto ended = [&] {
                if (!serves && left_.fetch_sub(1, std::memory_order_acq_rel) == 1)
                    scenario_.stop_serving(has_failed_.load(std::memory_order_relaxed));
            };
            const detail::action_scope acting(names_[number].c_str());
            try {
                scenario_.run(number);
            } catch (...) {
                has_failed_.store(true, std::memory_order_relaxed);
                leave_rounds();
                ended();
                throw;
            }
            ended();
            task& self = current();
            detail::task_ended(self);  // each round is a run of the thread, from start to end
            self.held.clear();
        }

    private:
        scenario::scenario_subject scenario_;
        const unsigned threads_;
        std::vector<std::string> names_;  // of what the threads run
        std::mutex lock_;
        std::condition_variable next_round_;
        unsigned waiting_ = 0;                 // under the lock
        std::uint64_t rounds_ = 0;             // likewise
        std::atomic<std::uint32_t> left_{0};   ///< the threads of the file that have not ended
        std::atomic<bool> has_failed_{false};  ///< a thread has left, so there is no next round
    };

    group& with(unsigned thread) { return *groups_[group_of(thread) - 1]; }

    const scenario::document all_;
    std::vector<std::unique_ptr<group>> groups_;
};

}  // namespace wedge
