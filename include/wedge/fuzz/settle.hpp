// From an input that shows something to the smallest program and schedule that show it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wedge/explore/session.hpp"
#include "wedge/fuzz/design.hpp"

namespace wedge {

/// Confirms and minimises what one input has shown, by executions of its own.
class fuzz_settlement {
public:
    using task_records = fuzz_subject::task_records;

    /// A finding as a replay of its schedule shows it.
    struct settled {
        finding what;
        task_records tasks;
    };

    fuzz_settlement(const fuzz_design& of, explore_options options)
        : design_(of), options_(options) {}

    /// How many programs were searched; a watchdog sees by it that this goes on.
    std::uint64_t tries() const noexcept { return tries_.load(std::memory_order_relaxed); }

    /// Tries to build the deadlock of a cycle; nothing: it was not reached.
    std::optional<settled> confirm(const finding& cycle, const task_records& tasks) const {
        return confirm(cycle, tasks, options_);
    }

    /// Whether every schedule of these tasks was tried, within a small budget, and none hangs.
    bool is_refuted(const task_records& tasks) const {
        explore_options all = options_;
        all.how = strategy::exhaustive;
        all.executions_max = 5000;
        const std::unique_ptr<subject> what = subject_with(tasks);
        return session(*what, all).explore().what == result::sound;
    }

    /// The worst that these decisions show; nothing: they do not show it again.
    std::optional<settled> replay(const std::vector<decision>& decisions,
                                  const task_records& tasks) const {
        const std::unique_ptr<subject> what = subject_with(tasks);
        return reached(session(*what, options_).minimized_along(decisions), {}, tasks);
    }

    /// Leaves out calls and makes arguments small, as long as the same finding still shows.
    settled smallest(settled from) const {
        unsigned tries_left = 64;
        const auto keeps = [&](const task_records& fewer) {
            if (tries_left == 0) return false;
            --tries_left;
            std::optional<settled> again = shown_again(from.what, fewer);
            if (again) from = std::move(*again);
            return again.has_value();
        };
        for (std::size_t task = 0; task < from.tasks.size(); ++task)
            for (std::size_t i = 0; i < from.tasks[task].size();) {
                task_records fewer = from.tasks;
                fewer[task].erase(fewer[task].begin() + static_cast<std::ptrdiff_t>(i));
                if (!is_any_left(fewer) || !keeps(fewer)) ++i;
            }
        for (std::size_t task = 0; task < from.tasks.size(); ++task)
            for (std::size_t i = 0; i < from.tasks[task].size(); ++i)
                for (std::uint8_t small = 0; small < 2 && small < from.tasks[task][i].argument;
                     ++small) {
                    task_records smaller = from.tasks;
                    smaller[task][i].argument = small;
                    if (keeps(smaller)) break;
                }
        std::erase_if(from.tasks, [](const auto& each) { return each.empty(); });
        if (std::optional<settled> again = shown_again(from.what, from.tasks)) return *again;
        return from;
    }

private:
    std::optional<settled> confirm(const finding& cycle, const task_records& tasks,
                                   const explore_options& options) const {
        finding unproven = cycle;  // another program may have proven it
        unproven.judged = verdict::unresolved;
        unproven.tasks.clear();
        const std::unique_ptr<subject> what = subject_with(tasks);
        return reached(session(*what, options).confirm(unproven), cycle.signature, tasks);
    }

    /// The same finding in other tasks: a cycle is built, anything else is searched for.
    std::optional<settled> shown_again(const finding& like, const task_records& tasks) const {
        explore_options few = options_;
        few.executions_max = 300;
        std::optional<settled> again;
        if (!like.cycle.empty()) {
            again = confirm(like, tasks, few);
        } else {
            const std::unique_ptr<subject> what = subject_with(tasks);
            again = reached(session(*what, few).explore(), like.signature, tasks);
        }
        if (again && again->what.signature != like.signature) again.reset();
        return again;
    }

    static bool is_any_left(const task_records& tasks) {
        return std::any_of(tasks.begin(), tasks.end(),
                           [](const auto& each) { return !each.empty(); });
    }

    std::unique_ptr<subject> subject_with(const task_records& tasks) const {
        tries_.fetch_add(1, std::memory_order_relaxed);
        program calls = program_of(tasks, design_.actions);
        std::erase_if(calls, [](const auto& each) { return each.empty(); });
        return design_.with(std::move(calls));
    }

    static bool is_reached(const finding& each) {
        return each.kind != finding_kind::capacity &&
               (each.judged == verdict::confirmed || each.judged == verdict::observed);
    }

    /// The finding of that signature, else a deadlock, else any that happened.
    static std::optional<settled> reached(outcome all, const std::string& signature,
                                          const task_records& tasks) {
        finding* best = nullptr;
        const auto rank = [&](const finding& each) {
            return each.signature == signature ? 0 : each.is_stuck() ? 1 : 2;
        };
        for (finding& each : all.findings)
            if (is_reached(each) && (best == nullptr || rank(each) < rank(*best))) best = &each;
        if (best == nullptr) return std::nullopt;
        return settled{std::move(*best), tasks};
    }

    const fuzz_design& design_;
    const explore_options options_;
    mutable std::atomic<std::uint64_t> tries_{0};
};

}  // namespace wedge
