// Notices that native tasks have wedged, and says how.
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "wedge/stress/wait_for.hpp"

namespace wedge {

/// Compares what the tasks have published between two looks. It has no thread of its own: its owner
/// calls `look` as often as it likes.
///
/// A cycle of tasks that all stood still between two looks is a deadlock, however short the time
/// was: each of them waited for what the next one held all the while. Other tasks have wedged only
/// if they have not moved for `patience`: they may wait for a condition, behind a queued writer,
/// under tickets of which one must back off, or run in an endless loop. A task that moves, and has
/// ended no call for `patience`, is in a livelock.
///
/// If all tasks wait for each other without a time limit and the system says that their threads
/// sleep, a second is enough: no task of the run is left that could wake them.
class watchdog {
public:
    using clock = std::chrono::steady_clock;
    using tasks = std::vector<std::shared_ptr<published_task>>;

    explicit watchdog(std::chrono::milliseconds patience) : patience_(patience) {}

    /// Looks at the tasks.
    ///
    /// @param now  never goes back
    /// @return what has wedged; nothing if all tasks go on, or if it is too early to tell
    std::optional<finding> look(const tasks& all, clock::time_point now) {
        std::vector<task_snapshot> seen;
        for (const std::shared_ptr<published_task>& each : all) seen.push_back(each->look());
        const bool knows_all = moved_.size() == seen.size();
        if (!knows_all) moved_.assign(seen.size(), {});
        bool is_late = false;
        const task_snapshot* retrying = nullptr;
        for (std::size_t i = 0; i < seen.size(); ++i) {
            moment& last = moved_[i];
            last.stood_still = knows_all && last.steps == seen[i].steps;
            if (!last.stood_still) {
                last.steps = seen[i].steps;
                last.at = now;
            }
            if (!knows_all || last.calls != seen[i].calls) {
                last.calls = seen[i].calls;
                last.ended_call_at = now;
            }
            if (!seen[i].has_ended && !last.stood_still && now - last.ended_call_at >= patience_)
                retrying = &seen[i];
            is_late = is_late || (!seen[i].has_ended && now - last.at >= patience_);
        }
        // Only among tasks that stand still: what other tasks have published may be over by now.
        const std::vector<task_snapshot> still = standing(seen);
        const std::vector<std::size_t> cycle = wait_for_graph(still).cycle();
        if (cycle.empty() && !is_late && retrying == nullptr && !all_sleep(seen, now))
            return std::nullopt;
        // Tasks that stand still may wait for the one that retries.
        if (!cycle.empty()) retrying = nullptr;
        return wait_for_graph(seen).describe(cycle, retrying);
    }

private:
    struct moment {
        std::uint64_t steps = 0;
        clock::time_point at{};
        std::uint64_t calls = 0;
        clock::time_point ended_call_at{};
        bool stood_still = false;
    };

    /// Returns the list in which tasks that moved hold and want nothing.
    std::vector<task_snapshot> standing(std::vector<task_snapshot> seen) const {
        for (std::size_t i = 0; i < seen.size(); ++i) {
            if (moved_[i].stood_still) continue;
            seen[i].held.clear();
            seen[i].wanted.reset();
        }
        return seen;
    }

    bool all_sleep(const std::vector<task_snapshot>& seen, clock::time_point now) const {
        bool is_any = false;
        for (std::size_t i = 0; i < seen.size(); ++i) {
            if (seen[i].has_ended) continue;
            if (seen[i].action == nullptr || now - moved_[i].at < quiet) return false;
            if (!waits_for_others(seen[i]) || !is_sleeping(seen[i].thread)) return false;
            is_any = true;
        }
        return is_any;
    }
    /// Returns whether the task can go on only if another task does something. A task that sleeps
    /// elsewhere, as in a read of a file, goes on by itself.
    static bool waits_for_others(const task_snapshot& task) {
        if (task.wanted) return !has(task.wanted->with, flags::timed);
        return !task.waits_for.empty() && !task.may_give_up;
    }
    /// Returns whether the thread sleeps; false if the system does not say.
    static bool is_sleeping(int thread) {
        if (thread == 0) return false;
        std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
        std::string text;
        std::getline(stat, text);
        const std::size_t end = text.rfind(')');  // of the thread's name
        return end != std::string::npos && end + 2 < text.size() && text[end + 2] == 'S';
    }

    static constexpr std::chrono::seconds quiet{1};

    const std::chrono::milliseconds patience_;
    std::vector<moment> moved_;
};

}  // namespace wedge
