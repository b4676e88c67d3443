// Depth-first over states: what was reached before is not searched again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wedge/explore/strategy/state_graph.hpp"
#include "wedge/explore/strategy/strategy.hpp"

namespace wedge {

/// Tries every schedule and choice of a subject that knows its state, loops without end included:
/// they come back to a state that was seen. States are kept as hashes of 64 bits; of ten million
/// searches of a million states each, one would take two states for one.
class state_search final : public search_strategy {
public:
    bool new_execution() override {
        depth_ = 0;
        before_ = no_state;
        if (std::exchange(is_first_, false)) return true;
        while (!nodes_.empty() && ++nodes_.back().next == nodes_.back().alternatives.size())
            nodes_.pop_back();
        return !nodes_.empty();
    }

    std::uint32_t next_task(const choice_point& at) override {
        const auto [known, is_new] =
            numbers_.emplace(at.state, static_cast<std::uint32_t>(graph_.size()));
        if (is_new) graph_.add_state(bits_of(at.enabled));
        if (before_ != no_state && is_fresh_ && !at.has_progressed)
            graph_.add_step(before_, known->second, at.running);
        before_ = known->second;
        is_fresh_ = depth_ + 1 >= nodes_.size();
        if (depth_ == nodes_.size()) {
            if (!is_new) return no_task;
            std::vector<std::uint32_t> all(at.enabled.begin(), at.enabled.end());
            const auto running = std::find(all.begin(), all.end(), at.running);
            if (running != all.end()) std::rotate(all.begin(), running, running + 1);
            nodes_.push_back({std::move(all)});
        }
        return answer();
    }

    std::uint32_t choose(std::uint32_t n) override {
        is_fresh_ = depth_ + 1 >= nodes_.size();
        if (depth_ == nodes_.size()) {
            std::vector<std::uint32_t> all(n);
            std::iota(all.begin(), all.end(), 0U);
            nodes_.push_back({std::move(all)});
        }
        return answer();
    }

    bool looks_at_states() const noexcept override { return true; }
    std::uint64_t states() const noexcept override { return graph_.size(); }
    bool has_livelock() override { return graph_.has_fair_circle(); }
    bool is_exhaustive() const noexcept override { return true; }

private:
    static constexpr std::uint32_t no_state = ~0U;

    struct node {
        std::vector<std::uint32_t> alternatives;
        std::size_t next = 0;
    };

    static std::uint64_t bits_of(std::span<const std::uint32_t> tasks) noexcept {
        std::uint64_t bits = 0;
        for (const std::uint32_t task : tasks) bits |= state_graph::bit_of(task);
        return bits;
    }
    std::uint32_t answer() {
        const node& here = nodes_[depth_++];
        return here.alternatives[here.next];
    }

    bool is_first_ = true;
    std::vector<node> nodes_;  // the decisions of the running execution
    std::size_t depth_ = 0;
    std::unordered_map<std::uint64_t, std::uint32_t> numbers_;  // of states, by their hashes
    state_graph graph_;
    std::uint32_t before_ = no_state;  // the state before this one in this execution
    bool is_fresh_ = false;            // the last decision was not taken before: its step is new
};

}  // namespace wedge
