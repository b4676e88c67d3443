// How tasks hang, as one value. The text, the table, the picture and the JSON of a finding read it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/shortest_cycle.hpp"

namespace wedge {

/// One task of a hang: what it waits for, and what the task before it waits for.
struct hang_link {
    std::string task;
    std::string action{};             ///< the action that the task runs, without a number
    std::optional<lock_use> holds{};  ///< the lock that the previous task of the cycle waits for
    /// The task does not hold `holds` but waits for it, ahead of the previous task.
    bool is_queued = false;
    std::optional<lock_use> wanted{};
    std::string waits_for{};    ///< if it waits for something else: what, such as `condition ready`
    site where{};               ///< of the wait
    bool is_exchanged = false;  ///< stands for a second task that runs the code of the first one
    bool is_primed = false;     ///< stated by `prime`, not seen
};

/// The waits that make a finding a hang. Tasks that only wait behind these tasks are left out.
struct hang {
    /// In a cycle each task waits for the next one. Otherwise no task is known that would end the
    /// waits.
    std::vector<hang_link> links;
    bool is_circle = false;
    bool has_happened = false;  ///< false: the order was seen, and this is how it could hang
};

/// Returns the name of a task without the number that tells it from tasks of the same name: `fault`
/// for `fault#2` and `fault[1]`, and nothing for `task 3`.
inline std::string name_without_number(const std::string& title) {
    const std::size_t last = title.find_last_not_of("0123456789");
    if (last == std::string::npos) return {};
    const bool has_number = last + 1 < title.size();
    if (has_number && title[last] == ' ') return {};
    if (has_number && title[last] == '#') return title.substr(0, last);
    const std::size_t open = title.find_last_of('[');
    return title[last] == ']' && open != std::string::npos ? title.substr(0, open) : title;
}

namespace detail {

inline bool is_of(const lock_use& a, const lock_use& b) {
    return a.instance == b.instance && a.class_name == b.class_name;
}
inline bool excludes(const lock_use& a, const lock_use& b) {
    return !is_shared(a.how) || !is_shared(b.how);
}

/// The waits of stuck tasks, as a graph over the places of the tasks in the list.
class reported_waits {
public:
    explicit reported_waits(const std::vector<task_report>& tasks) : tasks_(tasks) {}

    /// Returns the tasks that keep this task waiting: holders, writers that queue before a reader,
    /// the task that has its processor, and a task whose end it waits for. Only tasks that wait
    /// themselves are returned.
    std::vector<std::size_t> blockers(std::size_t waiting) const {
        std::vector<std::size_t> all;
        const task_report& me = tasks_[waiting];
        for (std::size_t i = 0; i < tasks_.size(); ++i) {
            if (!is_waiting(i)) continue;
            const std::string& awaited = me.behind.empty() ? me.joins : me.behind;
            if (me.wanted ? keeps_from(tasks_[i], *me.wanted)
                          : !awaited.empty() && awaited == tasks_[i].name)
                all.push_back(i);
        }
        if (all.empty() && me.wanted && me.wanted->how == mode::shared)
            for (std::size_t i = 0; i < tasks_.size(); ++i)
                if (tasks_[i].wanted && is_of(*tasks_[i].wanted, *me.wanted) &&
                    !is_shared(tasks_[i].wanted->how))
                    all.push_back(i);
        return all;
    }

    /// Returns the places of tasks that wait for each other in a shortest cycle; empty if there is
    /// none.
    std::vector<std::size_t> circle() const {
        return shortest_cycle(tasks_.size(), [&](std::size_t task) { return blockers(task); });
    }

    /// Returns the tasks that wait, but not for a task that waits.
    std::vector<std::size_t> ends() const {
        std::vector<std::size_t> all;
        for (std::size_t i = 0; i < tasks_.size(); ++i)
            if (is_waiting(i) && blockers(i).empty()) all.push_back(i);
        return all;
    }

private:
    bool is_waiting(std::size_t at) const {
        return tasks_[at].wanted.has_value() || !tasks_[at].waits_for.empty();
    }
    static bool keeps_from(const task_report& holder, const lock_use& wanted) {
        return std::any_of(holder.held.begin(), holder.held.end(), [&](const lock_use& held) {
            return is_of(held, wanted) && excludes(held, wanted);
        });
    }

    const std::vector<task_report>& tasks_;
};

inline hang_link link_of(const task_report& task) {
    return {task.name, task.action, {}, false, task.wanted, task.waits_for, task.where};
}

/// Adds the writer between two readers of a cycle: the first one waits behind the writer, which
/// waits for the second one.
inline void add_writers(hang& of, const std::vector<task_report>& tasks) {
    for (std::size_t i = 0; i < of.links.size(); ++i) {
        const std::optional<lock_use>& wanted = of.links[i].wanted;
        const std::optional<lock_use>& held = of.links[(i + 1) % of.links.size()].holds;
        if (!wanted || !held || !is_shared(wanted->how) || !is_shared(held->how)) continue;
        hang_link writer{"a writer"};
        lock_use queued = *wanted;
        queued.how = mode::exclusive;
        queued.where = {};
        writer.wanted = queued;
        for (const task_report& task : tasks)
            if (task.wanted && is_of(*task.wanted, *wanted) && !is_shared(task.wanted->how)) {
                writer = link_of(task);
                break;
            }
        writer.holds = writer.wanted;
        writer.is_queued = true;
        of.links.insert(of.links.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(writer));
        ++i;
    }
}

/// Returns the hang along a cycle of dependencies.
///
/// @param tasks  what the tasks held when it happened; empty: it has not happened
inline hang along_cycle(const std::vector<dependency>& cycle,
                        const std::vector<task_report>& tasks) {
    hang made;
    made.is_circle = true;
    made.has_happened = !tasks.empty();
    const std::size_t n = cycle.size();
    // A stated order names no instance. The instance of the neighbour closes the cycle.
    const auto known = [](lock_use lock, const lock_use& neighbour) {
        if (lock.instance == 0 && lock.class_name == neighbour.class_name)
            lock.instance = neighbour.instance;
        return lock;
    };
    const auto add = [&](const dependency& edge, const lock_use& held, const lock_use& wanted) {
        hang_link link{edge.task.empty() ? "task" : edge.task};
        for (const task_report& task : tasks)
            if (task.name == link.task) link.action = task.action;
        while (std::any_of(made.links.begin(), made.links.end(),
                           [&](const hang_link& other) { return other.task == link.task; }))
            link.task += '\'';
        link.holds = held;
        link.wanted = wanted;
        link.where = wanted.where;
        link.is_primed = edge.primed;
        made.links.push_back(std::move(link));
    };
    for (std::size_t i = 0; i < n; ++i)
        add(cycle[i], known(cycle[i].held, cycle[(i + n - 1) % n].wanted),
            known(cycle[i].wanted, cycle[(i + 1) % n].held));
    // A class nested within itself hangs when two tasks take the two locks in opposite orders.
    if (n == 1 && !made.has_happened && cycle[0].held.instance != cycle[0].wanted.instance) {
        add(cycle[0], cycle[0].wanted, cycle[0].held);
        made.links.back().is_exchanged = true;
    }
    add_writers(made, tasks);
    return made;
}

/// Returns the waits of stuck tasks that form no cycle of locks.
inline hang among_tasks(const std::vector<task_report>& tasks) {
    const reported_waits waits(tasks);
    hang made;
    made.has_happened = true;
    const std::vector<std::size_t> circle = waits.circle();
    made.is_circle = !circle.empty();
    for (const std::size_t at : made.is_circle ? circle : waits.ends())
        made.links.push_back(link_of(tasks[at]));
    if (!made.is_circle) return made;
    for (std::size_t i = 0; i < made.links.size(); ++i) {
        const std::optional<lock_use>& wanted = made.links[i].wanted;
        if (!wanted) continue;
        hang_link& next = made.links[(i + 1) % made.links.size()];
        for (const lock_use& held : tasks[circle[(i + 1) % circle.size()]].held)
            if (is_of(held, *wanted)) next.holds = held;
        next.is_queued = !next.holds;
        if (next.is_queued) next.holds = next.wanted;
    }
    return made;
}

}  // namespace detail

/// Returns the cycle of a finding. A finding `recursive` names only two locks; they are its cycle.
inline std::vector<dependency> cycle_of(const finding& found) {
    if (found.kind != finding_kind::recursive || !found.cycle.empty() || found.locks.size() != 2)
        return found.cycle;
    return {{found.locks[0], found.locks[1], found.task, false}};
}

/// Returns how a finding hangs, or could hang: from the waits of its execution, else from the
/// order.
inline hang hang_of(const finding& found) {
    const bool has_happened = found.is_stuck();
    if (has_happened && !found.reached.empty())
        return detail::along_cycle(found.reached, found.tasks);
    if (has_happened && found.kind == finding_kind::deadlock && !found.cycle.empty())
        return detail::along_cycle(found.cycle, found.tasks);
    if (found.kind == finding_kind::livelock) return {};  // its tasks go on
    if (has_happened) return detail::among_tasks(found.tasks);
    const std::vector<dependency> cycle = cycle_of(found);
    return cycle.empty() ? hang{} : detail::along_cycle(cycle, {});
}

/// Returns names of a hang's links in an order that does not depend on the tasks: a cycle in its
/// least rotation; otherwise sorted, each name once.
inline std::vector<std::string> in_least_order(const hang& how, std::vector<std::string> names) {
    if (!how.is_circle) {
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        return names;
    }
    std::vector<std::string> least = names;
    for (std::size_t i = 1; i < names.size(); ++i) {
        std::rotate(names.begin(), names.begin() + 1, names.end());
        least = std::min(least, names);
    }
    return least;
}

}  // namespace wedge
