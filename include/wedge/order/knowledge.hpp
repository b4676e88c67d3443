// What the order checker has learnt: the graph, and the findings made from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "wedge/base/check.hpp"
#include "wedge/event/finding.hpp"
#include "wedge/order/cycle_search.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/order/grade.hpp"
#include "wedge/order/graph.hpp"
#include "wedge/order/topological_order.hpp"
#include "wedge/task/chain_key.hpp"

namespace wedge {

/// Not synchronised: the checker's writers take turns.
class order_knowledge {
public:
    explicit order_knowledge(evidence kept) noexcept : kept_(kept) {}

    const std::vector<finding>& findings() const noexcept { return findings_; }
    const order_graph& graph() const noexcept { return graph_; }
    bool is_exact() const noexcept { return kept_ == evidence::exact; }

    /// Whether what is seen for the first time keeps the stack of its acquire. Of the lock that was
    /// held before only the site is known: a stack of every acquire would cost far more.
    void keep_stacks(bool keeps) noexcept { keeps_stacks_ = keeps; }

    /// The node that a lock taken with these flags belongs to.
    std::uint32_t node_of(std::uint32_t class_id, flags with, std::uint8_t subclass) {
        return graph_.find_or_add_node(class_id, detail::counted_subclass(with, subclass));
    }

    /// Adds what was seen of a dependency, and looks for the cycles that it closes.
    void add(std::uint32_t from, std::uint32_t to, observation&& seen, const std::string& who,
             std::vector<finding>& fresh) {
        const std::uint8_t bit = edge_mask::of(seen.held_how, seen.wanted_how);
        const std::size_t seen_max =
            kept_ == evidence::exact ? static_cast<std::size_t>(-1) : seen_max_of_classes;
        const order_graph::added added = graph_.add(from, to, std::move(seen), seen_max);
        if (keeps_stacks_ && added.kept != nullptr)
            added.kept->stack = capture_stack();
        if (!added.has_new_mode || !order_.add(graph_, added.edge))
            return;
        const cycle_search::result closed = search_.run(graph_, order_, added.edge, bit);
        for (const std::vector<std::uint32_t>& cycle : closed.cycles)
            add_cycle(cycle, bit, closed.count, who, fresh);
        if (closed.gave_up)
            add_capacity(who, fresh);
    }

    /// Keeps one finding a signature (rule 24); a new one is copied to `fresh`.
    void keep(finding&& found, std::vector<finding>& fresh) {
        if (!signatures_.insert(found.signature).second)
            return;
        findings_.push_back(found);
        fresh.push_back(std::move(found));
    }

    /// Judges a circular finding again, from all that was seen meanwhile. A claim made early may
    /// not hold any more, and its best explanation may be a better one. Other kinds stay.
    void regrade(finding& found) const {
        if (found.kind != finding_kind::circular || found.cycle.empty())
            return;
        std::vector<const order_graph::edge*> edges;
        for (const dependency& d : found.cycle) {
            const std::uint32_t from = graph_.find_node(d.held.class_id, d.held.subclass);
            const std::uint32_t to = graph_.find_node(d.wanted.class_id, d.wanted.subclass);
            if (from == order_graph::none || to == order_graph::none)
                return;
            const std::uint32_t e = graph_.find_edge(from, to);
            if (e == order_graph::none)
                return;
            edges.push_back(&graph_.edge_at(e));
        }
        const cycle_evidence all(edges);
        const cycle_evidence::choice chosen = all.choose_like(found.cycle);
        for (std::size_t i = 0; i < chosen.size(); ++i)
            found.cycle[i] = detail::dependency_of(graph_, *edges[i], *chosen[i]);
        detail::apply(all.judge(), found);
    }

    void clear() noexcept {
        if (graph_.nodes() != 0) {
            graph_.clear();
            order_.clear();
        }
        if (!findings_.empty()) {
            findings_.clear();
            signatures_.clear();
        }
    }

private:
    static constexpr std::size_t seen_max_of_classes = 16;  // a live program runs for days

    void add_cycle(const std::vector<std::uint32_t>& cycle, std::uint8_t bit, std::uint32_t count,
                   const std::string& who, std::vector<finding>& fresh) {
        std::vector<const order_graph::edge*> edges;
        for (const std::uint32_t e : cycle)
            edges.push_back(&graph_.edge_at(e));
        const cycle_evidence all(edges);
        const cycle_evidence::choice chosen = all.choose(bit);
        WEDGE_CHECK(!chosen.empty());
        finding found;
        found.kind = finding_kind::circular;
        for (std::size_t i = 0; i < chosen.size(); ++i)
            found.cycle.push_back(detail::dependency_of(graph_, *edges[i], *chosen[i]));
        found.what = detail::what_of(found.cycle);
        found.task = who;
        found.cycles = count;
        found.exact = kept_ == evidence::exact;
        detail::apply(all.judge(), found);
        found.signature = signature_of(found);
        keep(std::move(found), fresh);
    }

    void add_capacity(const std::string& who, std::vector<finding>& fresh) {
        finding found;
        found.kind = finding_kind::capacity;
        found.judged = verdict::observed;
        found.what = "too many cycles to count: more than " +
                     std::to_string(cycle_search::cycles_max) + ", or longer than " +
                     std::to_string(cycle_search::steps_max) + " steps of search";
        found.task = who;
        found.signature = signature_of(found);
        keep(std::move(found), fresh);
    }

    const evidence kept_;
    bool keeps_stacks_ = false;
    order_graph graph_;
    topological_order order_;
    cycle_search search_;
    std::vector<finding> findings_;
    std::unordered_set<std::string> signatures_;  // of the findings
};

}  // namespace wedge
