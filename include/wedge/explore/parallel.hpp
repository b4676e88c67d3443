// One exploration dealt to several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "wedge/explore/session.hpp"

namespace wedge {

/// Cuts the executions into shares, each with a strategy, a seed and a session of its own, and
/// puts the outcomes together in the order of the shares. Which share runs on which thread makes
/// no difference, so the findings are the same for every number of threads.
///
/// The exhaustive search is one share, as it cannot be cut; when it has tried everything, the
/// others are not needed.
class parallel_exploration {
public:
    explicit parallel_exploration(const explore_options& options) : options_(options) { deal(); }

    /// @param make  () -> std::unique_ptr<subject>, called by several threads at once
    template <class MakeSubject>
    outcome explore(MakeSubject make) {
        std::vector<std::thread> workers;
        const std::size_t n = std::min<std::size_t>(options_.jobs, shares_.size());
        {
            const std::lock_guard held(mutex_);
            running_ = n;
        }
        for (std::size_t i = 0; i < n; ++i) workers.emplace_back([&] { work(make); });
        wait_for_workers();
        for (std::thread& each : workers) each.join();
        if (failure_) std::rethrow_exception(failure_);
        return merged();
    }

private:
    static constexpr std::uint64_t share_size = 4096;  // far more than it costs to begin one

    void deal() {
        std::uint64_t left = options_.executions_max;
        const auto add = [&](strategy how, std::uint32_t depth, std::uint64_t executions) {
            explore_options share = options_;
            share.how = how;
            share.depth = depth;
            share.seed = combine(options_.seed, shares_.size());
            share.executions_max = executions;
            share.stop = &stop_;
            if (!shares_.empty()) share.on_progress = nullptr;  // one thread only
            left -= executions;
            shares_.push_back(share);
        };
        struct member {
            strategy how;
            std::uint32_t depth;
        };
        const member members[] = {{strategy::random, 1},      {strategy::surw, 1},
                                  {strategy::pct, 2},         {strategy::pos, 1},
                                  {strategy::urw, 1},         {strategy::pct, options_.depth},
                                  {strategy::round_robin, 1}};
        if (options_.how == strategy::exhaustive) add(options_.how, 1, left);
        if (options_.how == strategy::portfolio) add(strategy::exhaustive, 1, (left + 1) / 2);
        for (std::size_t i = 0; left != 0; ++i) {
            const std::uint64_t executions = std::min(left, share_size);
            if (options_.how == strategy::portfolio)
                add(members[i % std::size(members)].how, members[i % std::size(members)].depth,
                    executions);
            else
                add(options_.how, options_.depth, executions);
        }
        for (explore_options& each : shares_)
            each.steps_all_max = std::max<std::uint64_t>(1, options_.steps_all_max / shares_.size());
        outcomes_.resize(shares_.size());
    }

    template <class MakeSubject>
    void work(MakeSubject& make) noexcept {
        try {
            const auto what = make();
            for (std::size_t i = next_++; i < shares_.size() && !stop_; i = next_++) {
                outcomes_[i] = session(*what, shares_[i]).explore();
                if (outcomes_[i]->exhausted) stop_ = true;
            }
        } catch (...) {
            const std::lock_guard held(mutex_);
            if (!failure_) failure_ = std::current_exception();
            stop_ = true;
        }
        const std::lock_guard held(mutex_);
        --running_;
        ended_.notify_one();
    }

    /// Hands the caller's wish to stop on to the shares.
    void wait_for_workers() {
        std::unique_lock held(mutex_);
        while (!ended_.wait_for(held, std::chrono::milliseconds(20), [&] { return running_ == 0; }))
            if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed))
                stop_ = true;
    }

    outcome merged() {
        for (std::optional<outcome>& each : outcomes_)
            if (each && each->exhausted) return std::move(*each);
        outcome all;
        all.has_modelled_state = false;
        for (std::optional<outcome>& each : outcomes_)
            if (each) add(all, *each);
        return all;
    }

    static void add(outcome& all, outcome& share) {
        all.executions += share.executions;
        all.pruned += share.pruned;
        all.steps += share.steps;
        all.bounded = all.bounded || share.bounded;
        all.has_modelled_state = all.has_modelled_state || share.has_modelled_state;
        for (finding& each : share.findings) {
            const auto known =
                std::find_if(all.findings.begin(), all.findings.end(),
                             [&](const finding& f) { return f.signature == each.signature; });
            if (known == all.findings.end())
                all.findings.push_back(std::move(each));
            else if (known->judged == verdict::unresolved)
                *known = std::move(each);
        }
        if (share.what < all.what) {
            all.what = share.what;
            all.best = std::move(share.best);
        }
    }

    const explore_options options_;
    std::vector<explore_options> shares_;
    std::vector<std::optional<outcome>> outcomes_;  // by share
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::condition_variable ended_;
    std::size_t running_ = 0;
    std::exception_ptr failure_;
};

}  // namespace wedge
