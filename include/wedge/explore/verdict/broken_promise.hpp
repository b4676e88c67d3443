// Explains why an awaited fence is never signalled: the chain of waits from the signalling section
// to the wait that never ends.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/hang.hpp"
#include "wedge/explore/verdict/wait_graph.hpp"

namespace wedge::detail {

/// @return whether a pseudo-lock was added
inline bool append_pseudo_locks(const held_lock* first, const held_lock* last,
                                std::vector<std::string>& to) {
    const std::size_t before = to.size();
    for (; first != last; ++first) {
        const lock_class each = lock_class::from_id(first->class_id);
        if (each.options().never_waits && std::find(to.begin(), to.end(), each.name()) == to.end())
            to.push_back(each.name());
    }
    return to.size() != before;
}
inline std::string in_words(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& each : words) text += (text.empty() ? "" : " ") + each;
    return text;
}
inline std::string wait_of(const wait_graph& waits, const stuck_task& each) {
    const task_report shown = waits.report(each);
    if (shown.joins.empty()) return shown.waits_for;
    const std::string name = name_without_number(shown.joins);
    return "the end of " + (name.empty() ? "a task" : name);
}
inline bool is_awaited(const held_lock& held) {
    return lock_class::from_id(held.class_id).options().is_promise;
}

/// Returns the chain from a section that others wait for to the wait that never ends: the
/// pseudo-locks on the way, and the locks that a task waits for before the first of them. At which
/// lock a task meets another one that is ahead depends on chance, and so do the tasks that are
/// stuck behind them.
///
/// Empty if no task is in such a section: then it is not known which task should go on.
inline std::string way_from_promise(const wait_graph& waits) {
    const auto tasks = waits.tasks();
    struct way {
        std::uint32_t to;
        bool is_direct;  // no pseudo-lock so far except the section itself
        std::vector<std::string> over;
    };
    std::vector<way> ways;
    const auto is_new = [&](std::uint32_t at) {
        return at < tasks.size() && !tasks[at].is_done &&
               std::none_of(ways.begin(), ways.end(),
                            [at](const way& each) { return each.to == at; });
    };
    for (std::uint32_t i = 0; i < tasks.size(); ++i) {
        const auto& held = tasks[i].who->held;
        const auto promise = std::find_if(held.begin(), held.end(), is_awaited);
        if (promise == held.end() || !is_new(i)) continue;
        // The section moves to the end if its own task waits.
        way first{i, true, {lock_class::from_id(promise->class_id).name()}};
        first.is_direct = !append_pseudo_locks(held.begin(), held.end(), first.over);
        ways.push_back(std::move(first));
    }
    for (std::size_t i = 0; i < ways.size(); ++i) {
        const stuck_task& at = tasks[ways[i].to];
        if (!waits.waits_for_lock(at)) return in_words(ways[i].over) + " " + wait_of(waits, at);
        for (const std::uint32_t next : waits.blockers(ways[i].to)) {
            if (!is_new(next)) continue;
            way longer = ways[i];
            longer.to = next;
            // A task that only queues for the lock leads on to the holder of the lock.
            if (const held_lock* const hold = waits.hold_of(next, *at.who->pending.lock)) {
                if (longer.is_direct)
                    longer.over.push_back(lock_class::from_id(hold->class_id).name());
                if (append_pseudo_locks(hold, tasks[next].who->held.end(), longer.over))
                    longer.is_direct = false;
            }
            ways.push_back(std::move(longer));
        }
    }
    return {};
}

}  // namespace wedge::detail
