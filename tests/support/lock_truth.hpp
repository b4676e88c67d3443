// The truth about a program of bare locks: whether some interleaving deadlocks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wedge/fuzz/lock_program.hpp"

namespace lock_truth {

/// Searches all states and leaves nothing out. It shares no code with the explorer, and is slow and
/// simple.
///
/// An rwsem is first come, first served; the other locks have no queue. A task whose try fails
/// releases what it holds, last lock first, and ends.
class search {
public:
    explicit search(const wedge::lock_program& of) : of_(of) {}

    bool deadlocks() {
        std::vector<state> open(1);
        open[0].tasks.resize(of_.tasks.size());
        while (!open.empty()) {
            const state now = std::move(open.back());
            open.pop_back();
            bool is_over = true;
            bool is_stuck = true;
            for (std::size_t i = 0; i < now.tasks.size(); ++i) {
                if (has_ended(now, i)) continue;
                is_over = false;
                state next = now;
                if (!advance(next, i)) continue;
                is_stuck = false;
                if (seen_.insert(key(next)).second) open.push_back(std::move(next));
            }
            if (!is_over && is_stuck) return true;
        }
        return false;
    }

private:
    using act = wedge::lock_program::act;

    struct hold {
        std::uint8_t lock;
        bool is_read;
    };
    struct task {
        std::uint8_t at = 0;
        bool is_leaving = false;  // a try failed
        std::vector<hold> held;
    };
    struct waiting {
        std::uint8_t task;
        bool is_read;
    };
    struct state {
        std::vector<task> tasks;
        std::vector<waiting> queues[wedge::lock_program::locks];
    };

    bool has_ended(const state& in, std::size_t who) const {
        const task& mine = in.tasks[who];
        return mine.is_leaving ? mine.held.empty() : mine.at == of_.tasks[who].size();
    }

    static std::string key(const state& of) {
        std::string text;
        for (const task& each : of.tasks) {
            text += static_cast<char>(each.at);
            text += each.is_leaving ? 'l' : '-';
            for (const hold& h : each.held) text += static_cast<char>('a' + h.lock * 2 + h.is_read);
            text += '|';
        }
        for (const auto& queue : of.queues) {
            for (const waiting& w : queue) text += static_cast<char>('a' + w.task * 2 + w.is_read);
            text += '|';
        }
        return text;
    }

    bool is_free(const state& in, std::uint8_t lock, bool reads) const {
        for (const task& each : in.tasks)
            for (const hold& h : each.held)
                if (h.lock == lock && !(reads && h.is_read)) return false;
        return true;
    }

    /// Takes a step of a task; returns false if the task must wait.
    bool advance(state& in, std::size_t who) const {
        task& mine = in.tasks[who];
        if (mine.is_leaving) {
            mine.held.pop_back();
            return true;
        }
        const wedge::lock_program::step& next = of_.tasks[who][mine.at];
        auto& queue = in.queues[next.lock];
        const bool reads = next.what == act::read;
        if (next.what == act::release) {
            std::erase_if(mine.held, [&](const hold& h) { return h.lock == next.lock; });
            ++mine.at;
            return true;
        }
        const auto place = std::find_if(queue.begin(), queue.end(),
                                        [&](const waiting& w) { return w.task == who; });
        const bool goes_first = std::all_of(queue.begin(), place, [&](const waiting& w) {
            return place != queue.end() && reads && w.is_read;
        });
        if (goes_first && is_free(in, next.lock, reads)) {
            if (place != queue.end()) queue.erase(place);
            mine.held.push_back({next.lock, reads});
            ++mine.at;
            return true;
        }
        if (next.what == act::attempt) {
            mine.is_leaving = true;
            return true;
        }
        if (of_.kinds[next.lock] != wedge::scenario::lock_sort::rwsem || place != queue.end())
            return false;
        queue.push_back({static_cast<std::uint8_t>(who), reads});
        return true;
    }

    const wedge::lock_program& of_;
    std::set<std::string> seen_;
};

}  // namespace lock_truth
