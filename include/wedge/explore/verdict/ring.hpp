// Whether tasks are stuck in the cycle that a finding describes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/signature.hpp"
#include "wedge/explore/verdict/real_cycle.hpp"
#include "wedge/explore/verdict/sighting.hpp"
#include "wedge/explore/verdict/stands_in.hpp"

namespace wedge {

namespace detail {

/// Searches for the cycle of waits with a known signature. A lock may have several holders, so
/// there may be several cycles, and `shortest_cycle` could return another one.
class ring_search {
public:
    ring_search(const std::vector<dependency>& cycle, const std::vector<task_report>& tasks)
        : size_(cycle.size()), signature_(cycle_signature(cycle)), tasks_(tasks) {}

    std::vector<dependency> run() {
        for (std::size_t start = 0; size_ != 0 && start < tasks_.size(); ++start)
            if (tasks_[start].wanted && follow(start, start)) return std::move(ring_);
        return {};
    }

private:
    /// Adds the holders of what the task waits for, until the start is reached again.
    bool follow(std::size_t start, std::size_t waiting) {
        for (std::size_t next = start; next < tasks_.size(); ++next) {
            const lock_use* const held = hold_of(next, *tasks_[waiting].wanted);
            if (held == nullptr || !tasks_[next].wanted) continue;
            ring_.push_back({*held, *tasks_[next].wanted, tasks_[next].name, false});
            const bool is_closed = next == start && ring_.size() == size_;
            if (is_closed && cycle_signature(ring_) == signature_) return true;
            if (next != start && ring_.size() < size_ && follow(start, next)) return true;
            ring_.pop_back();
        }
        return false;
    }
    const lock_use* hold_of(std::size_t task, const lock_use& wanted) const {
        for (const lock_use& held : tasks_[task].held)
            if (held.instance == wanted.instance && held.class_id == wanted.class_id) return &held;
        return nullptr;
    }

    const std::size_t size_;
    const std::string signature_;
    const std::vector<task_report>& tasks_;
    std::vector<dependency> ring_;
};

}  // namespace detail

/// Returns the cycle of waits that is the known cycle; empty if there is none. Tasks may be stuck
/// in several cycles at once, and a deadlock's own cycle is only the shortest.
inline std::vector<dependency> ring_in(const std::vector<dependency>& cycle,
                                       const std::vector<task_report>& stuck) {
    return detail::ring_search(cycle, stuck).run();
}

/// Returns whether a deadlock or livelock is the one that a finding describes.
inline bool matches(const finding& known, const finding& stuck) {
    if (known.signature == stuck.signature || is_reached_through_pseudo_locks(known.cycle, stuck))
        return true;
    if (known.kind != finding_kind::recursive || stuck.cycle.empty()) return false;
    return std::all_of(stuck.cycle.begin(), stuck.cycle.end(), [&](const dependency& edge) {
        return edge.wanted.class_id == known.locks.front().class_id;
    });
}

/// Returns whether it is that one, or another cycle in which tasks were stuck too, or the waits
/// that the pseudo-locks of the cycle stand for.
inline bool is_among(const finding& known, const finding& stuck) {
    return matches(known, stuck) || !ring_in(known.cycle, stuck.tasks).empty() ||
           stands_in(known, stuck);
}

/// Returns whether the endless waits of one deadlock are among those of a larger one; then the
/// other tasks of the larger one only stand by.
inline bool is_part_of(const finding& smaller, const finding& larger) {
    const auto is_plain = [](const finding& each) {
        return each.kind == finding_kind::deadlock && each.cycle.empty() &&
               each.signature == signature_of(each) && !hang_of(each).is_circle;
    };
    if (!is_plain(smaller) || !is_plain(larger)) return false;
    const std::vector<std::string> few = waits_in(smaller);
    const std::vector<std::string> many = waits_in(larger);
    return !few.empty() && std::includes(many.begin(), many.end(), few.begin(), few.end());
}

/// Keeps a new sighting, unless a part of it is known. It replaces a sighting that it is a part of.
inline void add_to(std::vector<sighting>& known, sighting made) {
    for (sighting& each : known) {
        if (each.is_reached && is_part_of(each.what, made.what)) return;
        if (!each.is_reached || !is_part_of(made.what, each.what)) continue;
        each = std::move(made);
        return;
    }
    known.push_back(std::move(made));
}

/// Explains a finding by the deadlock that it was among, and drops its grade.
inline void adopt(finding& known, const finding& stuck) {
    if (known.kind != stuck.kind) {
        known.judged = verdict::confirmed;
        known.reason.clear();
        known.graded = {};
    }
    known.tasks = stuck.tasks;
    known.hang = stuck.signature;
    known.reached =
        matches(known, stuck) ? std::vector<dependency>{} : ring_in(known.cycle, stuck.tasks);
    if (known.reached.empty()) known.reached = stuck.cycle;
}

}  // namespace wedge
