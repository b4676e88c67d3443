// Notices that native tasks have wedged, and says how.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

#include "wedge/core/process_threads.hpp"
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
/// If all tasks wait without a time limit, and so do all other threads of the process, a second is
/// enough: no thread is left that could wake them. The same goes for the tasks of a group that wait
/// for each other only.
class watchdog {
public:
    using clock = std::chrono::steady_clock;
    using tasks = std::vector<std::shared_ptr<published_task>>;

    explicit watchdog(std::chrono::milliseconds patience) : patience_(patience) {}

    /// Looks at the tasks.
    ///
    /// @param now  never goes back
    /// @param bystander  the system's number of a thread that never wakes a task; 0: none
    /// @return what has wedged; nothing if all tasks go on, or if it is too early to tell
    std::optional<finding> look(const tasks& all, clock::time_point now, int bystander = 0) {
        std::vector<task_snapshot> seen;
        for (const std::shared_ptr<published_task>& each : all) seen.push_back(each->look());
        const bool knows_all = moved_.size() == seen.size();
        if (!knows_all) moved_.assign(seen.size(), {});
        bool is_late = false;
        const task_snapshot* retrying = nullptr;
        for (std::size_t i = 0; i < seen.size(); ++i) {
            moment& last = moved_[i];
            last.stood_still = knows_all && last.steps == seen[i].steps;
            if (!last.stood_still || seen[i].awaits_turn) {
                last.steps = seen[i].steps;
                last.at = now;
            }
            if (!knows_all || last.calls != seen[i].calls || seen[i].awaits_turn) {
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
        if (cycle.empty() && !is_late && retrying == nullptr &&
            !is_a_group_stuck(seen, now, bystander))
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

    /// Returns whether all tasks of a group have stood still for a while, and no thread is left to
    /// wake them.
    bool is_a_group_stuck(const std::vector<task_snapshot>& seen, clock::time_point now,
                          int bystander) const {
        std::set<unsigned> groups;
        for (const task_snapshot& each : seen) groups.insert(each.group);
        return std::any_of(groups.begin(), groups.end(), [&](unsigned group) {
            return are_all_stuck(seen, group, now, bystander);
        });
    }
    bool are_all_stuck(const std::vector<task_snapshot>& seen, unsigned group,
                       clock::time_point now, int bystander) const {
        std::vector<long> threads;
        bool is_one_in_a_call = false;
        for (std::size_t i = 0; i < seen.size(); ++i) {
            if (seen[i].group != group || seen[i].has_ended) continue;
            threads.push_back(seen[i].thread);
            if (seen[i].awaits_turn) continue;
            if (seen[i].action == nullptr || now - moved_[i].at < quiet) return false;
            if (!waits_for_others(seen[i])) return false;
            is_one_in_a_call = true;
        }
        if (!is_one_in_a_call) return false;
        if (group == 0) return waiting_threads(bystander) >= threads.size();
        return std::all_of(threads.begin(), threads.end(), &is_in_futex);
    }
    /// Returns whether the task can go on only if another task does something. A task that sleeps
    /// elsewhere, as in a read of a file, goes on by itself.
    static bool waits_for_others(const task_snapshot& task) {
        if (task.wanted) return !has(task.wanted->with, flags::timed);
        return !task.waits_for.empty() && !task.may_give_up;
    }

    /// Returns the number of threads besides the calling one if all of them wait in futexes without
    /// a time limit, so that only another thread could wake them; else 0. A bystander counts as
    /// none. Worker threads of the workload are not among the tasks, and may still go on.
    static std::size_t waiting_threads(int bystander) {
        const long self = ::syscall(SYS_gettid);
        std::size_t count = 0;
        bool is_awake = false;
        for (const long each : detail::threads_of_process()) {
            if (each == self || each == bystander) continue;
            ++count;
            is_awake = is_awake || !is_in_futex(each);
        }
        return is_awake ? 0 : count;
    }
    /// Returns whether the thread waits in a futex without a time limit; false if the system does
    /// not say (proc(5), `/proc/pid/syscall`).
    static bool is_in_futex(long thread) {
        std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/syscall");
        long number = -1;
        std::string address, operation, value, limit;
        file >> number >> address >> operation >> value >> limit;
        return file && number == SYS_futex && limit == "0x0";
    }

    static constexpr std::chrono::seconds quiet{1};

    const std::chrono::milliseconds patience_;
    std::vector<moment> moved_;
};

}  // namespace wedge
