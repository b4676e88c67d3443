// One exploration divided among several sessions, which threads may run.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "wedge/explore/engine/progress.hpp"
#include "wedge/explore/session.hpp"

namespace wedge {

/// Divides the executions into shares, each with its own strategy, seed and session, and settles
/// what they have found in the order of the shares. It does not matter which thread runs a share,
/// or when, so the outcome is the same for every number of threads.
///
/// A search that tries everything is one share, since it cannot be divided. When it has ended, its
/// outcome is that of the whole exploration.
class dealt_exploration {
public:
    explicit dealt_exploration(const explore_options& options)
        : options_(options), members_(portfolio_members(options)) {
        // Each member of a portfolio has a share, however small the budget is.
        const std::uint64_t rest = options.executions_max - thorough_executions();
        if (is_portfolio()) size_ = std::clamp<std::uint64_t>(rest / members_.size(), 1, size_);
    }

    /// @param make  () -> std::unique_ptr<subject>, called by several threads at once
    template <class MakeSubject>
    outcome explore(MakeSubject make) {
        if (count() == 1) return session(*make(), options_).explore();
        if (options_.jobs > 1)
            on_threads(make);
        else
            in_turns(make);
        if (exhausted_ && !differs_) return std::move(*exhausted_);
        std::vector<sighting> found;
        outcome counts;
        counts.has_modelled_state = false;
        lock_pair_list seen;
        for (share& each : shares_) {
            if (each.running != nullptr) {  // it was stopped between two turns
                each.counts = each.running->so_far();
                end(each);
            }
            std::move(each.found.begin(), each.found.end(), std::back_inserter(found));
            add(counts, each.counts);
            seen.add(each.seen.all());
        }
        counts.lock_pairs = seen.all();
        const std::unique_ptr<subject> what = make();
        return session(*what, options_).settle(std::move(found), std::move(counts));
    }

private:
    static constexpr std::uint64_t turn = 64;  // executions; then another share has its turn

    /// What one session searches, and later what it has found.
    struct share {
        explore_options options;
        std::unique_ptr<subject> what;
        std::unique_ptr<session> running;
        std::vector<sighting> found;
        lock_pair_list seen;
        outcome counts;  // if progress is reported: so far
        bool is_over = false;
    };

    bool is_portfolio() const { return options_.how == strategy::portfolio; }

    /// Returns the number of shares.
    std::uint64_t count() const {
        if (options_.how == strategy::exhaustive || options_.how == strategy::states) return 1;
        const std::uint64_t rest = options_.executions_max - thorough_executions();
        return rest / size_ + (rest % size_ != 0) + is_portfolio();
    }
    std::uint64_t thorough_executions() const {
        return is_portfolio() ? options_.executions_max - options_.executions_max / 2 : 0;
    }

    explore_options options_of(std::uint64_t number) const {
        explore_options part = options_;
        if (number != 0) part.seed = combine(options_.seed, number);
        part.stop = options_.jobs > 1 ? &stop_ : options_.stop;
        part.on_progress = nullptr;
        std::uint64_t before = number * size_;  // the executions of the shares before it
        part.executions_max = size_;
        if (is_portfolio() && number == 0) {
            part.how = strategy::exhaustive;
            part.executions_max = thorough_executions();
        } else if (is_portfolio()) {
            const portfolio_member& mine = members_[(number - 1) % members_.size()];
            part.how = mine.how;
            part.depth = mine.depth;
            before = thorough_executions() + (number - 1) * size_;
        }
        part.executions_max = std::min(part.executions_max, options_.executions_max - before);
        const double of_all =
            static_cast<double>(part.executions_max) / static_cast<double>(options_.executions_max);
        part.steps_all_max = std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(static_cast<double>(options_.steps_all_max) * of_all));
        return part;
    }

    /// Returns a share. It is made when its turn comes, since a large budget has many shares.
    share& share_at(std::uint64_t number) {
        const std::lock_guard held(mutex_);
        while (shares_.size() <= number) {
            explore_options next = options_of(shares_.size());
            shares_.emplace_back().options = next;
        }
        return shares_[number];
    }

    /// Continues a share for a while; returns false if it is over.
    template <class MakeSubject>
    bool advance(share& mine, MakeSubject& make, std::uint64_t executions) {
        if (mine.is_over) return false;
        if (mine.running == nullptr) {
            mine.what = make();
            mine.running = std::make_unique<session>(*mine.what, mine.options);
        }
        const bool goes_on = mine.running->search(executions, progress_pace::steps_between);
        if (mine.running->differs()) differs_ = stop_ = true;
        if (goes_on && !pace_.is_wanted()) return true;
        outcome known = mine.running->so_far();
        if (known.exhausted) {
            exhausted_ = mine.running->settle();
            stop_ = true;
        }
        {
            const std::lock_guard held(mutex_);
            mine.counts = std::move(known);
        }
        if (!goes_on) end(mine);
        return goes_on;
    }

    static void end(share& mine) {
        mine.found = mine.running->sightings();
        mine.running->add_lock_pairs(mine.seen);
        mine.running.reset();
        mine.what.reset();
        mine.is_over = true;
    }

    /// Runs the shares on the calling thread: turns for a few shares, and in a portfolio every
    /// other turn for the exhaustive search.
    template <class MakeSubject>
    void in_turns(MakeSubject& make) {
        const std::uint64_t n = count();
        const std::uint64_t at_once = is_portfolio() ? members_.size() : 1;
        bool goes_on = true;
        for (std::uint64_t from = is_portfolio(); goes_on && !stop_; report_progress()) {
            goes_on = false;
            for (std::uint64_t i = from; i < from + at_once && !stop_; ++i) {
                hand_on_the_wish_to_stop();
                if (is_portfolio() && advance(share_at(0), make, turn)) goes_on = true;
                if (i < n && !stop_ && advance(share_at(i), make, turn)) goes_on = true;
            }
            for (; from < n && share_at(from).is_over; ++from) goes_on = true;
        }
    }

    template <class MakeSubject>
    void on_threads(MakeSubject& make) {
        const std::uint64_t n = count();
        std::atomic<std::uint64_t> next{0};
        std::uint64_t running = std::min<std::uint64_t>(options_.jobs, n);
        std::condition_variable ended;
        std::exception_ptr failure;
        const auto search = [&]() noexcept {
            std::exception_ptr failed;
            try {
                for (std::uint64_t i = next++; i < n && !stop_; i = next++)
                    while (advance(share_at(i), make, turn)) {
                    }
            } catch (...) {
                failed = std::current_exception();
                stop_ = true;
            }
            const std::lock_guard held(mutex_);
            if (failure == nullptr) failure = failed;
            --running;
            ended.notify_one();
        };
        std::vector<std::thread> workers;
        for (std::uint64_t i = running; i > 0; --i) workers.emplace_back(search);
        for (std::unique_lock held(mutex_);
             !ended.wait_for(held, std::chrono::milliseconds(20), [&] { return running == 0; });) {
            hand_on_the_wish_to_stop();
            held.unlock();
            report_progress();
            held.lock();
        }
        for (std::thread& each : workers) each.join();
        if (failure) std::rethrow_exception(failure);
    }

    void hand_on_the_wish_to_stop() {
        if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed))
            stop_ = true;
    }

    void report_progress() {
        if (!pace_.is_wanted()) return;
        outcome all;
        {
            const std::lock_guard held(mutex_);
            for (const share& each : shares_) {
                add(all, each.counts);
                all.what = std::min(all.what, each.counts.what);
                for (const finding& found : each.counts.findings)
                    if (std::none_of(all.findings.begin(), all.findings.end(),
                                     [&](const auto& f) { return f.signature == found.signature; }))
                        all.findings.push_back(found);
            }
        }
        if (pace_.is_due(all.executions + all.pruned, all.steps))
            options_.on_progress(all, options_.progress_data);
    }

    static void add(outcome& all, const outcome& share) {
        all.executions += share.executions;
        all.pruned += share.pruned;
        all.states += share.states;
        all.steps += share.steps;
        if (all.left == 0) all.first_left = share.first_left;
        all.left += share.left;
        if (all.reason.empty()) all.reason = share.reason;
        if (all.weaker_order.empty()) all.weaker_order = share.weaker_order;
        all.has_limited_wakes = all.has_limited_wakes || share.has_limited_wakes;
        if (share.bounded && !std::exchange(all.bounded, true)) all.best = share.best;
        all.has_modelled_state = all.has_modelled_state || share.has_modelled_state;
    }

    const explore_options options_;
    progress_pace pace_{options_};
    const std::vector<portfolio_member> members_;
    // Of a share, in executions: far more than it costs to begin a share.
    std::uint64_t size_ = 4096;
    std::deque<share> shares_;          // the shares that were begun
    std::optional<outcome> exhausted_;  // of the share that has tried everything
    std::atomic<bool> stop_{false};
    std::atomic<bool> differs_{false};  // a share has seen that executions do not repeat
    std::mutex mutex_;                  // guards `shares_` and their counts, when threads run
};

}  // namespace wedge
