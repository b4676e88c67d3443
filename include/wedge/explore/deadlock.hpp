// What a deadlock looks like: who waits for whom, and the cycle if there is one.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "wedge/event/signature.hpp"
#include "wedge/explore/lock_table.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/task/lock_class.hpp"
#include "wedge/task/task.hpp"

namespace wedge {

/// A task that cannot go on, as the controller knows it.
struct stuck_task {
    const task* who = nullptr;
    bool is_done = false;
    bool waits_on_condition = false;  ///< not woken yet
};

namespace detail {

class deadlock_description {
public:
    deadlock_description(std::span<const stuck_task> tasks, const lock_table& locks)
        : tasks_(tasks), locks_(locks) {}

    finding describe() {
        finding found;
        found.kind = finding_kind::deadlock;
        found.judged = verdict::observed;
        found.exact = true;
        for (const stuck_task& each : tasks_) found.tasks.push_back(report(each));
        find_cycle();
        for (std::size_t i = 0; i < cycle_.size(); ++i) add_edge(found, i);
        for (const dependency& edge : found.cycle)
            found.what += (found.what.empty() ? "" : ", ") + edge.task + " waits for " +
                          edge.wanted.class_name;
        if (found.cycle.empty()) found.what = "tasks wait for what nobody will do";
        const std::string way = found.cycle.empty() ? way_from_promise() : "";
        found.signature = way.empty() ? signature_of(found) : name_of(found.kind) + (" " + way);
        return found;
    }

private:
    /// How those who are to let others go on are kept from it: from a section that is awaited to
    /// the wait that nobody ends, by the pseudo-locks on the way, and by the locks that a task
    /// waits for before the first of them. At which lock on its way a task meets another that has
    /// gone ahead is chance, as is who else is stuck behind them.
    ///
    /// Empty where no task is in such a section: then nobody knows who should go on.
    std::string way_from_promise() const {
        struct way {
            std::uint32_t to;
            bool is_direct;  // no pseudo-lock so far but the section itself
            std::vector<std::string> over;
        };
        std::vector<way> ways;
        const auto is_new = [&](std::uint32_t at) {
            return at < tasks_.size() && !tasks_[at].is_done &&
                   std::none_of(ways.begin(), ways.end(),
                                [at](const way& each) { return each.to == at; });
        };
        for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
            const auto& held = tasks_[i].who->held;
            const auto promise = std::find_if(held.begin(), held.end(), is_awaited);
            if (promise == held.end() || !is_new(i)) continue;
            // The section moves behind all else when its task waits itself.
            way first{i, true, {lock_class::from_id(promise->class_id).name()}};
            first.is_direct = !append_pseudo_locks(held.begin(), held.end(), first.over);
            ways.push_back(std::move(first));
        }
        for (std::size_t i = 0; i < ways.size(); ++i) {
            const stuck_task& at = tasks_[ways[i].to];
            if (!waits_for_lock(at)) return joined(ways[i].over) + " " + wait_of(at);
            for (const std::uint32_t next : blockers(ways[i].to)) {
                if (!is_new(next)) continue;
                way longer = ways[i];
                longer.to = next;
                // One that only queues for the same lock leads on to its holder.
                if (const held_lock* const hold = hold_of(next, *at.who->pending.lock)) {
                    if (longer.is_direct)
                        longer.over.push_back(lock_class::from_id(hold->class_id).name());
                    if (append_pseudo_locks(hold, tasks_[next].who->held.end(), longer.over))
                        longer.is_direct = false;
                }
                ways.push_back(std::move(longer));
            }
        }
        return {};
    }
    /// @return whether there is one that was not there
    static bool append_pseudo_locks(const held_lock* first, const held_lock* last,
                                    std::vector<std::string>& to) {
        const std::size_t before = to.size();
        for (; first != last; ++first) {
            const lock_class each = lock_class::from_id(first->class_id);
            if (each.options().never_waits &&
                std::find(to.begin(), to.end(), each.name()) == to.end())
                to.push_back(each.name());
        }
        return to.size() != before;
    }
    static std::string joined(const std::vector<std::string>& words) {
        std::string text;
        for (const std::string& each : words) text += (text.empty() ? "" : " ") + each;
        return text;
    }
    std::string wait_of(const stuck_task& each) const {
        const task_report shown = report(each);
        return shown.waits_for + "@" + to_string(shown.where);
    }
    static bool is_awaited(const held_lock& held) {
        return lock_class::from_id(held.class_id).options().is_promise;
    }

    /// Where not all are stuck, a task may stand before a step that always goes on.
    static bool may_wait(step next) noexcept {
        return next == step::acquire || next == step::try_acquire || next == step::wait ||
               next == step::join || next == step::access;
    }

    bool waits_for_lock(const stuck_task& each) const {
        const lock_identity* const lock = each.who->pending.lock;
        return !each.is_done && !each.waits_on_condition && lock != nullptr &&
               !is_counted(lock->kind());  // of those nobody is the holder
    }

    static mode mode_wanted(const operation& next) noexcept {
        return next.what == step::acquire ? next.how : mode::exclusive;
    }
    lock_use wanted_by(const task& who) const {
        const operation& next = who.pending;
        return {lock_class::from_id(next.lock->class_id()).name(),
                next.lock->class_id(),
                next.lock->instance(),
                0,
                mode_wanted(next),
                flags::none,
                next.where};
    }

    task_report report(const stuck_task& each) const {
        task_report text;
        text.name = each.who->title();
        for (const held_lock& held : each.who->held) text.held.push_back(use_of(held));
        const context_state& in = each.who->contexts;
        if (in.hardirqs != 0) text.contexts.push_back(class_of(context::hardirq).id());
        if (in.softirqs != 0) text.contexts.push_back(class_of(context::softirq).id());
        if (each.is_done) return text;
        const operation& next = each.who->pending;
        text.where = next.where;
        if (!may_wait(next.what)) return text;
        if (waits_for_lock(each))
            text.wanted = wanted_by(*each.who);
        else if (each.waits_on_condition)
            text.waits_for = title_of(*next.condition);
        else if (next.lock != nullptr)
            text.waits_for = title_of(*next.lock);
        else if (next.what == step::join)
            text.waits_for = "the end of " + tasks_[next.other].who->title();
        return text;
    }

    static std::string title_of(const lock_identity& object) {
        return name_of(object.kind()) + (" " + lock_class::from_id(object.class_id()).name());
    }

    /// Who keeps a task from its lock: incompatible holders, and those queued before it.
    std::vector<std::uint32_t> blockers(std::uint32_t waiting) const {
        std::vector<std::uint32_t> result;
        const stuck_task& self = tasks_[waiting];
        if (!waits_for_lock(self)) return result;
        const lock_state& state = locks_.at(self.who->pending.lock->instance()).state;
        const mode how = mode_wanted(self.who->pending);
        const auto conflicts = [&](const lock_state::use& other) {
            return !is_shared(how) || !is_shared(other.how);
        };
        for (const lock_state::use& holder : state.holders())
            if (conflicts(holder)) result.push_back(holder.task);
        for (const lock_state::use& queued : state.queue()) {
            if (queued.task == waiting) break;
            if (conflicts(queued)) result.push_back(queued.task);
        }
        return result;
    }

    /// The shortest cycle of the wait-for graph, by breadth-first search from every task.
    void find_cycle() {
        const std::size_t n = tasks_.size();
        std::vector<std::vector<std::uint32_t>> blocked_by;
        for (std::uint32_t i = 0; i < n; ++i) blocked_by.push_back(blockers(i));
        std::vector<std::uint32_t> from;
        std::vector<std::uint32_t> frontier;
        for (std::uint32_t start = 0; start < n; ++start) {
            from.assign(n, ~0U);
            frontier = {start};
            for (std::size_t i = 0; i < frontier.size(); ++i) {
                for (const std::uint32_t next : blocked_by[frontier[i]]) {
                    if (next == start) {
                        std::vector<std::uint32_t> path;
                        for (std::uint32_t at = frontier[i]; at != start; at = from[at])
                            path.push_back(at);
                        path.push_back(start);
                        std::reverse(path.begin(), path.end());
                        if (cycle_.empty() || path.size() < cycle_.size()) cycle_ = path;
                        i = frontier.size();
                        break;
                    }
                    if (next >= n || from[next] != ~0U) continue;
                    from[next] = frontier[i];
                    frontier.push_back(next);
                }
            }
        }
        // One that only queues between a waiter and the holder is no part of the cycle of locks.
        std::vector<std::uint32_t> holders;
        for (std::size_t i = 0; i < cycle_.size(); ++i) {
            const std::uint32_t before = cycle_[(i + cycle_.size() - 1) % cycle_.size()];
            if (hold_of(cycle_[i], *wanted_lock(before)) != nullptr) holders.push_back(cycle_[i]);
        }
        cycle_ = std::move(holders);
    }

    const lock_identity* wanted_lock(std::uint32_t at) const {
        return tasks_[at].who->pending.lock;
    }

    const held_lock* hold_of(std::uint32_t at, const lock_identity& lock) const {
        for (const held_lock& held : tasks_[at].who->held)
            if (held.instance == lock.instance()) return &held;
        return nullptr;
    }

    void add_edge(finding& found, std::size_t i) const {
        const std::uint32_t me = cycle_[i];
        const std::uint32_t before = cycle_[(i + cycle_.size() - 1) % cycle_.size()];
        const held_lock* const held = hold_of(me, *wanted_lock(before));
        if (held == nullptr) return;  // let go by somebody else's release: a finding of its own
        found.cycle.push_back(
            {use_of(*held), wanted_by(*tasks_[me].who), tasks_[me].who->title(), false});
    }

    std::span<const stuck_task> tasks_;
    const lock_table& locks_;
    std::vector<std::uint32_t> cycle_;  // task i waits for a lock that task i + 1 holds
};

}  // namespace detail

/// The finding of an execution in which nothing can go on.
inline finding describe_deadlock(std::span<const stuck_task> tasks, const lock_table& locks) {
    return detail::deadlock_description(tasks, locks).describe();
}

}  // namespace wedge
