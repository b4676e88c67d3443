// What the order checker has learnt: its graphs, and the findings made from them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wedge/core/chain_key.hpp"
#include "wedge/core/check.hpp"
#include "wedge/core/finding.hpp"
#include "wedge/order/cycle_search.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/order/grade.hpp"
#include "wedge/order/graph.hpp"
#include "wedge/order/topological_order.hpp"

namespace wedge {

/// The graphs and findings of a checker. Not synchronised: the checker's writers take turns.
class order_knowledge {
public:
    explicit order_knowledge(evidence kept) noexcept : kept_(kept) {}

    const std::vector<finding>& findings() const noexcept { return findings_; }
    const order_graph& graph() const noexcept { return classes_.graph; }
    bool is_exact() const noexcept { return kept_ == evidence::exact; }

    /// Sets whether a new observation keeps the stack of its acquire. For the lock held before,
    /// only the site is known: a stack per acquire would cost far more.
    void keep_stacks(bool keeps) noexcept { keeps_stacks_ = keeps; }

    /// Sets whether two instances of a class may nest in one order: the rule for live programs.
    /// Otherwise they may nest only if the class or the acquire says so: the kernel's rule (rule
    /// 10).
    void nest_by_instance(bool does) noexcept { nests_by_instance_ = does; }
    bool nests_by_instance() const noexcept { return nests_by_instance_; }

    /// Adds an observation of a dependency between classes, and looks for the cycles that it
    /// closes.
    ///
    /// A class is one node whatever subclass was used. A subclass says how locks of one class nest,
    /// and must not hide a cycle with another class.
    void add(observation&& seen, const std::string& who, std::vector<finding>& fresh) {
        const std::uint32_t from = classes_.graph.find_or_add_node(seen.held.class_id, 0);
        const std::uint32_t to = classes_.graph.find_or_add_node(seen.wanted.class_id, 0);
        add_to(classes_, from, to, std::move(seen), who, fresh);
    }

    /// Adds a nesting within a class that a subclass excused. Both the instances and the subclasses
    /// must keep an order (rule 12a): the nesting is legal as long as no task nests the same two
    /// locks, or the same two roles, the other way round.
    void add_nesting(const observation& seen, const std::string& who, std::vector<finding>& fresh) {
        const std::uint32_t outer =
            subclasses_.graph.find_or_add_node(seen.held.class_id, seen.held.subclass);
        const std::uint32_t inner =
            subclasses_.graph.find_or_add_node(seen.wanted.class_id, seen.wanted.subclass);
        add_to(subclasses_, outer, inner, observation(seen), who, fresh);
        add_instances(seen, who, fresh);
    }

    /// Adds a nesting of two instances of a class, which must keep an order.
    void add_instances(const observation& seen, const std::string& who,
                       std::vector<finding>& fresh) {
        order_graph& instances = instances_.graph;
        const std::uint32_t from = instances.find_or_add_node(number_of(seen.held.instance), 0);
        const std::uint32_t to = instances.find_or_add_node(number_of(seen.wanted.instance), 0);
        if (!is_exact() && instances.edges() >= nestings_max_of_classes &&
            instances.find_edge(from, to) == order_graph::none)
            return add_capacity("too many nestings within classes to keep: more than " +
                                    std::to_string(nestings_max_of_classes),
                                who, fresh);
        add_to(instances_, from, to, observation(seen), who, fresh);
    }

    /// Notes a class of locks that exist once per processor (Linux: local_lock). They carry no
    /// dependency between processors, and so none between an interrupt and what it interrupts.
    void add_per_cpu(std::uint32_t class_id) {
        if (!is_per_cpu(class_id)) per_cpu_.push_back(class_id);
    }
    bool is_per_cpu(std::uint32_t class_id) const noexcept {
        return std::find(per_cpu_.begin(), per_cpu_.end(), class_id) != per_cpu_.end();
    }

    /// Keeps one finding per signature (rule 24), and copies a new one to `fresh`. A finding that a
    /// guard refutes does not hide a finding of that signature without a guard.
    void keep(finding&& found, std::vector<finding>& fresh) {
        const bool is_refuted = found.judged == verdict::refuted;
        const auto [known, is_new] = signatures_.try_emplace(found.signature, is_refuted);
        if (!is_new && (is_refuted || !known->second)) return;
        known->second = is_refuted;
        findings_.push_back(found);
        fresh.push_back(std::move(found));
    }

    /// Judges a cycle again, from everything seen since. A claim made early may no longer hold, and
    /// a better explanation may have been seen. Findings without a cycle stay.
    void regrade(finding& found) const {
        if (found.cycle.empty()) return;
        const std::vector<const order_graph::edge*> edges = edges_of(found);
        if (edges.empty()) return;
        const cycle_evidence all(edges);
        const cycle_evidence::choice chosen = all.choose_like(found.cycle);
        for (std::size_t i = 0; i < chosen.size(); ++i)
            found.cycle[i] = detail::dependency_of(*chosen[i]);
        detail::apply(all.judge(), found);
    }

    void clear() noexcept {
        for (ordered_graph* each : {&classes_, &subclasses_, &instances_}) each->clear();
        if (!numbers_.empty()) numbers_.clear();
        per_cpu_.clear();
        if (!findings_.empty()) {
            findings_.clear();
            signatures_.clear();
        }
    }

private:
    /// A graph, and an order along its edges that makes most searches unnecessary.
    struct ordered_graph {
        order_graph graph;
        topological_order order;

        void clear() noexcept {
            if (graph.nodes() == 0) return;
            graph.clear();
            order.clear();
        }
    };

    // Bounds for live programs, which run for days.
    static constexpr std::size_t seen_max_of_classes = 16;
    static constexpr std::uint32_t nestings_max_of_classes = 16'384;  // a few megabytes

    void add_to(ordered_graph& to_which, std::uint32_t from, std::uint32_t to, observation&& seen,
                const std::string& who, std::vector<finding>& fresh) {
        const std::uint8_t bit = edge_mask::of(seen.held.how, seen.wanted.how);
        const std::size_t seen_max =
            kept_ == evidence::exact ? static_cast<std::size_t>(-1) : seen_max_of_classes;
        order_graph& graph = to_which.graph;
        const order_graph::added added = graph.add(from, to, std::move(seen), seen_max);
        if (keeps_stacks_ && added.kept != nullptr) added.kept->stack = capture_stack();
        if (!added.has_new_mode || !to_which.order.add(graph, added.edge)) return;
        const cycle_search::result closed = search_.run(graph, to_which.order, added.edge, bit);
        for (const std::vector<std::uint32_t>& cycle : closed.cycles)
            add_cycle(graph, cycle, bit, closed.count, who, fresh);
        if (closed.gave_up)
            add_capacity("too many cycles to count: more than " +
                             std::to_string(cycle_search::cycles_max) + ", or longer than " +
                             std::to_string(cycle_search::steps_max) + " steps of search",
                         who, fresh);
    }

    void add_cycle(const order_graph& graph, const std::vector<std::uint32_t>& cycle,
                   std::uint8_t bit, std::uint32_t count, const std::string& who,
                   std::vector<finding>& fresh) {
        std::vector<const order_graph::edge*> edges;
        bool is_interrupted = false;
        bool is_per_cpu_too = false;
        for (const std::uint32_t e : cycle) {
            edges.push_back(&graph.edge_at(e));
            const std::uint32_t held = edges.back()->seen.front().held.class_id;
            is_interrupted = is_interrupted || detail::is_context_class(held);
            is_per_cpu_too = is_per_cpu_too || is_per_cpu(held);
        }
        if (is_interrupted && is_per_cpu_too) return;
        const cycle_evidence all(edges);
        const cycle_evidence::choice chosen = all.choose(bit);
        WEDGE_CHECK(!chosen.empty());
        finding found;
        found.kind = &graph != &classes_.graph ? finding_kind::instance_order
                     : !is_interrupted         ? finding_kind::circular
                     : cycle.size() == 2       ? finding_kind::inconsistent_context
                                               : finding_kind::context_inversion;
        for (const observation* seen : chosen) found.cycle.push_back(detail::dependency_of(*seen));
        found.what = detail::what_of(found.cycle);
        found.task = who;
        found.cycles = count;
        found.exact = kept_ == evidence::exact;
        detail::apply(all.judge(), found);
        found.signature = signature_of(found);
        keep(std::move(found), fresh);
    }

    /// Returns a dense number for an instance. The ordinals of instances may start anywhere.
    std::uint32_t number_of(std::uint32_t instance) {
        const auto next = static_cast<std::uint32_t>(numbers_.size()) + 1;
        return numbers_.try_emplace(instance, next).first->second;
    }

    /// Returns the edges of a finding's cycle; empty if this checker does not know them.
    std::vector<const order_graph::edge*> edges_of(const finding& found) const {
        if (found.kind != finding_kind::instance_order)
            return edges_in(classes_.graph, found,
                            [](const lock_use& use) { return std::pair(use.class_id, 0U); });
        std::vector<const order_graph::edge*> edges =
            edges_in(instances_.graph, found, [&](const lock_use& use) {
                const auto known = numbers_.find(use.instance);
                return std::pair(known == numbers_.end() ? 0U : known->second, 0U);
            });
        if (!edges.empty()) return edges;
        return edges_in(subclasses_.graph, found, [](const lock_use& use) {
            return std::pair(use.class_id, unsigned{use.subclass});
        });
    }
    template <class NodeOf>
    static std::vector<const order_graph::edge*> edges_in(const order_graph& graph,
                                                          const finding& found, NodeOf node_of) {
        const auto find = [&](const lock_use& use) {
            const auto [id, subclass] = node_of(use);
            return graph.find_node(id, static_cast<std::uint8_t>(subclass));
        };
        std::vector<const order_graph::edge*> edges;
        for (std::size_t i = 0; i < found.cycle.size(); ++i) {
            const std::uint32_t from = find(found.cycle[i].held);
            const std::uint32_t to = find(found.cycle[i].wanted);
            const std::uint32_t next = find(found.cycle[(i + 1) % found.cycle.size()].held);
            if (from == order_graph::none || to == order_graph::none || to != next) return {};
            const std::uint32_t e = graph.find_edge(from, to);
            if (e == order_graph::none) return {};
            edges.push_back(&graph.edge_at(e));
        }
        return edges;
    }

    void add_capacity(std::string what, const std::string& who, std::vector<finding>& fresh) {
        finding found;
        found.kind = finding_kind::capacity;
        found.judged = verdict::observed;
        found.what = std::move(what);
        found.task = who;
        found.signature = signature_of(found) + " " + found.what;
        keep(std::move(found), fresh);
    }

    const evidence kept_;
    bool keeps_stacks_ = false;
    bool nests_by_instance_ = false;
    ordered_graph classes_;
    ordered_graph subclasses_;  // a node is a subclass of a class; edges are within classes only
    ordered_graph instances_;   // a node's class is the number of an instance
    std::unordered_map<std::uint32_t, std::uint32_t> numbers_;  // numbers of instances, from 1
    std::vector<std::uint32_t> per_cpu_;
    cycle_search search_;
    std::vector<finding> findings_;
    // By signature: whether a guard refutes all findings with it.
    std::unordered_map<std::string, bool> signatures_;
};

}  // namespace wedge
