// What all inputs together have shown of the lock order, and which of their tasks showed it.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "wedge/base/hash.hpp"
#include "wedge/fuzz/action_program.hpp"
#include "wedge/order/knowledge.hpp"

namespace wedge {

/// Finds cycles whose dependencies no single input has shown, and composes the program that has
/// them all: one task for each. Whether it can deadlock is for the explorer to say.
///
/// Only the first task that shows a dependency is kept, so it does not grow with the inputs.
class order_memory {
public:
    using task_records = std::vector<std::vector<action_record>>;

    struct cycle {
        finding what;
        task_records tasks;
    };

    /// Takes in what one input has shown.
    std::vector<cycle> learn(const order_graph& shown, const task_records& tasks) {
        std::vector<finding> fresh;
        for (std::uint32_t i = 0; i < shown.edges(); ++i) {
            const order_graph::edge& edge = shown.edge_at(i);
            const order_graph::node& from = shown.node_at(edge.from);
            const order_graph::node& to = shown.node_at(edge.to);
            for (const observation& seen : edge.seen)
                if (seen.task < tasks.size() && known_.insert(key_of(from, to, seen)).second)
                    add(seen, tasks[seen.task], fresh);
        }
        std::vector<cycle> made;
        for (finding& each : fresh)
            if (!each.cycle.empty() && each.judged == verdict::unresolved &&
                !is_about_interrupts(each.kind)) {
                task_records composed = tasks_of(each);
                made.push_back({std::move(each), std::move(composed)});
            }
        return made;
    }

private:
    static std::uint64_t key_of(const order_graph::node& from, const order_graph::node& to,
                                const observation& seen) {
        std::uint64_t key = combine(from.class_id, to.class_id);
        key = combine(combine(key, seen.held_instance), seen.wanted_instance);
        key = combine(key, static_cast<std::uint64_t>(seen.held_how) << 8 |
                               static_cast<std::uint64_t>(seen.wanted_how));
        for (const guard_set::guard& each : seen.guards)
            key = combine(combine(key, each.class_id), each.instance);
        return key;
    }

    void add(observation seen, const std::vector<action_record>& task,
             std::vector<finding>& fresh) {
        // The title carries the number of the task through the finding.
        seen.task = static_cast<std::uint32_t>(tasks_.size());
        seen.title = std::to_string(tasks_.size());
        tasks_.push_back(task);
        const std::string who = seen.title;
        all_.add(std::move(seen), who, fresh);
    }

    task_records tasks_of(const finding& found) const {
        task_records composed;
        for (const dependency& edge : found.cycle) {
            if (composed.size() == action_program::tasks_max) break;
            std::vector<action_record> task = tasks_[std::stoul(edge.task)];
            for (action_record& each : task) each.task = static_cast<std::uint8_t>(composed.size());
            composed.push_back(std::move(task));
        }
        return composed;
    }

    order_knowledge all_{evidence::exact};
    std::unordered_set<std::uint64_t> known_;
    task_records tasks_;
};

}  // namespace wedge
