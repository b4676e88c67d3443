// What all inputs have shown of the lock order, and which of their tasks showed it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/fuzz/action_program.hpp"
#include "wedge/order/knowledge.hpp"

namespace wedge {

/// Finds cycles whose dependencies no single input has shown, and composes programs that have all
/// of them. The explorer decides whether such a program can deadlock.
///
/// It keeps one input per dependency, so it does not grow with the number of inputs. It keeps the
/// first input, then the fourth, the sixteenth and so on, since a program composed of another input
/// may deadlock.
class order_memory {
public:
    using task_records = std::vector<std::vector<action_record>>;

    struct cycle {
        finding what;
        /// Programs with one task per dependency; then with all tasks of one of the inputs, since a
        /// task may show its dependency only after what other tasks did.
        std::vector<task_records> programs;
        std::vector<std::string> inputs;  ///< the inputs of which they were composed
    };

    std::size_t edges() const noexcept { return known_.size(); }

    /// Learns what one input has shown.
    std::vector<cycle> learn(const order_graph& shown, const task_records& tasks,
                             const std::string& input) {
        std::vector<finding> fresh;
        std::vector<std::uint32_t> replaced;
        std::shared_ptr<const origin> here;
        for (std::uint32_t i = 0; i < shown.edges(); ++i) {
            const order_graph::edge& edge = shown.edge_at(i);
            const order_graph::node& from = shown.node_at(edge.from);
            const order_graph::node& to = shown.node_at(edge.to);
            for (const observation& seen : edge.seen) {
                if (seen.task >= tasks.size()) continue;
                const auto [place, is_new] = known_.try_emplace(
                    key_of(from, to, seen), static_cast<std::uint32_t>(shown_by_.size()));
                const std::uint32_t number = place->second;
                if (is_new) shown_by_.emplace_back();
                if (!is_power_of_four(++shown_by_[number].times)) continue;
                if (here == nullptr) here = std::make_shared<origin>(origin{tasks, input});
                shown_by_[number].input = here;
                shown_by_[number].task = seen.task;
                if (is_new)
                    add(seen, number, fresh);
                else
                    replaced.push_back(number);
            }
        }
        std::vector<cycle> made;
        for (const finding& each : cycles_)
            if (has_any(each, replaced)) made.push_back(composed(each));
        for (finding& each : fresh)
            if (!each.cycle.empty() && each.judged == verdict::unresolved &&
                !is_about_interrupts(each.kind)) {
                made.push_back(composed(each));
                cycles_.push_back(std::move(each));
            }
        return made;
    }

private:
    struct origin {
        task_records tasks;
        std::string input;
    };
    struct shown_by {
        std::shared_ptr<const origin> input;
        std::uint32_t task = 0;
        std::uint64_t times = 0;
    };

    static std::uint64_t key_of(const order_graph::node& from, const order_graph::node& to,
                                const observation& seen) {
        std::uint64_t key = combine(from.class_id, to.class_id);
        key = combine(combine(key, seen.held.instance), seen.wanted.instance);
        key = combine(key, static_cast<std::uint64_t>(seen.held.how) << 8 |
                               static_cast<std::uint64_t>(seen.wanted.how));
        for (const guard_set::guard& each : seen.guards)
            key = combine(combine(key, each.class_id), each.instance);
        return key;
    }

    static bool is_power_of_four(std::uint64_t n) {
        return std::has_single_bit(n) && std::countr_zero(n) % 2 == 0;
    }

    /// Adds an observation. Its title carries the number of the dependency into the finding.
    void add(observation seen, std::uint32_t number, std::vector<finding>& fresh) {
        seen.task = number;
        seen.title = std::to_string(number);
        const std::string who = seen.title;
        all_.add(std::move(seen), who, fresh);
    }
    static std::uint32_t number_of(const dependency& edge) {
        return static_cast<std::uint32_t>(std::stoul(edge.task));
    }
    static bool has_any(const finding& cycle, const std::vector<std::uint32_t>& numbers) {
        return std::any_of(cycle.cycle.begin(), cycle.cycle.end(), [&](const dependency& each) {
            return std::find(numbers.begin(), numbers.end(), number_of(each)) != numbers.end();
        });
    }

    cycle composed(const finding& found) const {
        cycle made;
        made.what = found;
        std::vector<const shown_by*> shown;
        for (const dependency& edge : found.cycle) shown.push_back(&shown_by_[number_of(edge)]);
        made.programs.push_back(with_all_of(nullptr, shown));
        std::vector<const origin*> inputs;
        for (const shown_by* const each : shown) {
            const origin* const input = each->input.get();
            if (std::find(inputs.begin(), inputs.end(), input) != inputs.end()) continue;
            inputs.push_back(input);
            made.inputs.push_back(input->input);
            if (input->tasks.size() > 1) made.programs.push_back(with_all_of(input, shown));
        }
        return made;
    }
    /// Returns the tasks that show the dependencies; of one input all tasks, at the end.
    static task_records with_all_of(const origin* whole,
                                    const std::vector<const shown_by*>& shown) {
        task_records made;
        for (const shown_by* const each : shown)
            if (each->input.get() != whole) append(each->input->tasks[each->task], made);
        if (whole != nullptr)
            for (const auto& task : whole->tasks) append(task, made);
        return made;
    }
    static void append(std::vector<action_record> task, task_records& to) {
        if (to.size() == action_program::tasks_max) return;
        for (action_record& each : task) each.task = static_cast<std::uint8_t>(to.size());
        to.push_back(std::move(task));
    }

    order_knowledge all_{evidence::exact};
    std::unordered_map<std::uint64_t, std::uint32_t> known_;  // numbers of dependencies
    std::vector<shown_by> shown_by_;                          // by number
    std::vector<finding> cycles_;  // no deadlock of a composed program was found so far
};

}  // namespace wedge
