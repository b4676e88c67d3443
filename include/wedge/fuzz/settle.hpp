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

#include "wedge/core/remove_runs.hpp"
#include "wedge/explore/session.hpp"
#include "wedge/fuzz/design.hpp"
#include "wedge/fuzz/subject.hpp"

namespace wedge {

/// A workload that counts its executions.
class counted_subject final : public workload_subject {
public:
    counted_subject(const workload_type& of, const program& calls, std::uint64_t& executions)
        : workload_subject(of, calls), executions_(executions) {}

    void begin() override {
        ++executions_;
        workload_subject::begin();
    }

private:
    std::uint64_t& executions_;
};

/// Confirms and minimises what an input has shown, by executions of its own.
class fuzz_settlement {
public:
    using task_records = fuzz_subject::task_records;

    /// A finding as a replay of its schedule shows it.
    struct settled {
        finding what;
        task_records tasks;
    };

    fuzz_settlement(const fuzz_design& of, explore_options options)
        : design_(of), options_(options) {
        options_.stop = &is_interrupted;
    }

    /// Becomes true when the process shall end: then nothing is minimised any further.
    static inline std::atomic<bool> is_interrupted{false};

    /// Returns the number of programs that were searched. A watchdog sees by it that the work goes
    /// on.
    std::uint64_t tries() const noexcept { return tries_.load(std::memory_order_relaxed); }

    /// Returns the number of executions of all these programs: what settling has cost.
    std::uint64_t executions() const noexcept { return executions_; }

    /// Tries to build the deadlock of a cycle; returns nothing if it was not reached.
    ///
    /// @param executions_max  per way to build it
    /// @param or_else         which other deadlock is accepted if it is met on the way
    std::optional<settled> confirm(const finding& cycle, const task_records& tasks,
                                   std::uint64_t executions_max,
                                   const session::accepts& or_else) const {
        finding unproven = cycle;  // another program may have proven it
        unproven.judged = verdict::unresolved;
        unproven.tasks.clear();
        explore_options few = options_;
        few.executions_max = executions_max;
        const std::unique_ptr<subject> what = subject_with(tasks);
        return reached(session(*what, few).confirm(unproven, or_else), cycle.signature, tasks);
    }

    /// Returns whether every schedule of these tasks was tried, within a small budget, and none
    /// hangs.
    bool is_refuted(const task_records& tasks) const {
        explore_options all = options_;
        all.how = strategy::exhaustive;
        all.executions_max = 500;
        const std::unique_ptr<subject> what = subject_with(tasks);
        return session(*what, all).explore().what == result::sound;
    }

    /// Returns what these decisions show; nothing if they do not show it again.
    std::optional<settled> replay(const std::vector<decision>& decisions,
                                  const std::string& signature, const task_records& tasks) const {
        const std::unique_ptr<subject> what = subject_with(tasks);
        return reached(session(*what, options_).minimized_along(decisions), signature, tasks);
    }

    /// Removes tasks and calls, and makes arguments smaller, as long as the finding stays.
    /// Minimises its schedule only at the end.
    settled smallest(settled from) const {
        explore_options few = options_;
        few.executions_max = 100;
        task_records tasks = from.tasks;
        std::vector<decision> way = from.what.best.decisions;
        unsigned tries_left = 64;
        const auto keeps = [&](task_records fewer) {
            if (tries_left == 0 || is_interrupted || !is_any_left(fewer)) return false;
            --tries_left;
            const std::unique_ptr<subject> what = subject_with(fewer);
            auto again = session(*what, few).reach(from.what, way);
            if (!again) return false;
            tasks = std::move(fewer);
            way = std::move(*again);
            return true;
        };
        for (std::size_t task = 0; task < tasks.size(); ++task)
            remove_runs([&] { return tasks[task].size(); },
                        [&](std::size_t first, std::size_t end) {
                            task_records fewer = tasks;
                            std::vector<action_record>& calls = fewer[task];
                            calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(first),
                                        calls.begin() + static_cast<std::ptrdiff_t>(end));
                            return keeps(std::move(fewer));
                        });
        for (std::size_t task = 0; task < tasks.size(); ++task)
            for (std::size_t i = 0; i < tasks[task].size(); ++i)
                for (std::uint8_t small = 0; small < 2 && small < tasks[task][i].argument;
                     ++small) {
                    task_records smaller = tasks;
                    smaller[task][i].argument = small;
                    if (keeps(std::move(smaller))) break;
                }
        if (is_interrupted) return from;
        std::erase_if(tasks, [](const auto& each) { return each.empty(); });
        const std::unique_ptr<subject> what = subject_with(tasks);
        const std::optional<settled> made =
            reached(session(*what, options_).minimized_along(way), from.what.signature, tasks);
        // Another finding may describe tasks that are stuck in this cycle.
        const bool is_it =
            made && (made->what.signature == from.what.signature || made->what.is_stuck());
        return is_it ? *made : from;
    }

private:
    static bool is_any_left(const task_records& tasks) {
        return std::any_of(tasks.begin(), tasks.end(),
                           [](const auto& each) { return !each.empty(); });
    }

    std::unique_ptr<subject> subject_with(const task_records& tasks) const {
        tries_.fetch_add(1, std::memory_order_relaxed);
        program calls = program_of(tasks, design_.actions);
        std::erase_if(calls, [](const auto& each) { return each.empty(); });
        return std::make_unique<counted_subject>(*design_.type, calls, executions_);
    }

    static bool is_reached(const finding& each) {
        return each.kind != finding_kind::capacity &&
               (each.judged == verdict::confirmed || each.judged == verdict::observed);
    }

    /// Returns the finding with that signature, else a deadlock, else any finding that happened. A
    /// cycle through an inferred wait is the last, since only its hang can be seen again.
    static std::optional<settled> reached(outcome all, const std::string& signature,
                                          const task_records& tasks) {
        finding* best = nullptr;
        const auto rank = [&](const finding& each) {
            if (has_inferred_wait(each)) return 3;
            return each.signature == signature ? 0 : each.is_stuck() ? 1 : 2;
        };
        for (finding& each : all.findings)
            if (is_reached(each) && (best == nullptr || rank(each) < rank(*best))) best = &each;
        if (best == nullptr) return std::nullopt;
        return settled{std::move(*best), tasks};
    }

    const fuzz_design& design_;
    explore_options options_;
    mutable std::atomic<std::uint64_t> tries_{0};
    mutable std::uint64_t executions_ = 0;
};

}  // namespace wedge
