// A scenario on real threads: each runs one thread of the file, in rounds.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "wedge/core/steps.hpp"
#include "wedge/scenario/error_list.hpp"
#include "wedge/scenario/run.hpp"
#include "wedge/scenario/statements.hpp"
#include "wedge/stress/target.hpp"

namespace wedge {

namespace detail {

/// Refuses what has no meaning on real threads.
///
/// @throws error  with the place of the first such declaration or statement
inline void check_can_be_stressed(const scenario::document& all) {
    using namespace scenario;
    const auto refuse = [&](place at, const std::string& what) {
        throw scenario::detail::text_error(
            all.path, at,
            what + " exists under control only; `wedge check` tries the interleavings of the file");
    };
    for (const declaration& each : all.all) {
        if (each.what == declares::handler || is_deferred(each.what))
            refuse(each.at, "'" + std::string(scenario::detail::word_of(each.what)) + "'");
        if (each.has_cpu) refuse(each.at, "'cpu'");
        if (!has_body(each.what)) continue;
        for_each_statement(each.body, [&](const statement& step) {
            if (step.what == scenario::action::join || step.what == scenario::action::sync)
                refuse(step.at, step.what == scenario::action::join ? "'join'" : "'sync'");
            if (step.is_recursive) refuse(step.at, "'recursive'");
        });
    }
}

}  // namespace detail

/// The threads of a scenario under stress. A group of real threads runs the scenario: each of the
/// group runs one thread of the file, or kswapd if the file limits the memory. When all have ended,
/// the next round begins with new objects. Several groups have objects of their own, but of the
/// same classes.
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
        unsigned sum = 0;
        for (const scenario::declaration& each : all.all)
            if (each.what == scenario::declares::thread || each.what == scenario::declares::memory)
                sum += each.count;
        return sum;
    }

    std::vector<std::string> actions() const override { return groups_.front()->names(); }
    numbered_program calls(const program&) const override {
        numbered_program all;
        for (std::size_t i = 0; i < threads_in(all_); ++i) all.push_back({{i, 0}});
        return all;
    }
    void make() override {}
    bool await_turn(unsigned thread, const std::function<bool()>& is_over) override {
        return group_of(thread).await_round(is_over);
    }
    void call(unsigned thread, const numbered_call& next) override {
        group_of(thread).run(static_cast<std::uint32_t>(next.action));
    }

private:
    class group {
    public:
        explicit group(const scenario::document& all) : scenario_(all), threads_(threads_in(all)) {}
        ~group() {
            if (rounds_.load(std::memory_order_relaxed) != 0) scenario_.end();
        }
        group(const group&) = delete;
        group& operator=(const group&) = delete;

        std::vector<std::string> names() const {
            std::vector<std::string> all;
            for (std::uint32_t i = 0; i < threads_; ++i) all.push_back(scenario_.task_name(i));
            return all;
        }
        /// Waits until all threads of the group have come. The last one begins the round.
        bool await_round(const std::function<bool()>& is_over) {
            const std::uint64_t before = rounds_.load(std::memory_order_relaxed);
            {
                const std::lock_guard<std::mutex> turn(lock_);
                if (++waiting_ == threads_) {
                    if (before != 0) scenario_.end();
                    scenario_.begin();
                    waiting_ = 0;
                    left_.store(scenario_.threads(), std::memory_order_relaxed);
                    rounds_.store(before + 1, std::memory_order_release);
                    return true;
                }
            }
            for (unsigned looks = 1;; ++looks) {
                if (rounds_.load(std::memory_order_acquire) != before) return true;
                if (looks % 64 != 0) continue;
                std::this_thread::yield();
                if (!is_over() && !has_failed_.load(std::memory_order_relaxed)) continue;
                const std::lock_guard<std::mutex> turn(lock_);
                if (rounds_.load(std::memory_order_relaxed) != before) return true;
                --waiting_;
                return false;
            }
        }
        void run(std::uint32_t number) {
            const bool serves = number >= scenario_.threads();  // kswapd, until no thread is left
            const auto ended = [&] {
                if (!serves && left_.fetch_sub(1, std::memory_order_acq_rel) == 1)
                    scenario_.stop_kswapd();
            };
            try {
                scenario_.run(number);
            } catch (...) {
                has_failed_.store(true, std::memory_order_relaxed);
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
        std::mutex lock_;
        unsigned waiting_ = 0;
        std::atomic<std::uint32_t> left_{0};  ///< the threads of the file that have not ended
        std::atomic<std::uint64_t> rounds_{0};
        std::atomic<bool> has_failed_{false};  ///< a thread has left, so there is no next round
    };

    group& group_of(unsigned thread) { return *groups_[thread / threads_in(all_)]; }

    const scenario::document all_;
    std::vector<std::unique_ptr<group>> groups_;
};

}  // namespace wedge
