// All states of a scenario, and what they amount to. No reductions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "oracle/machine.hpp"
#include "oracle/verdict.hpp"

namespace oracle {

/// A graph of steps between states, by number.
struct edge {
    int to = 0;
    int actor = 0;
    bool is_progress = false;
    bool is_signal = false;  ///< nothing may count on it, as on a signal
};
using graph = std::vector<std::vector<edge>>;

namespace detail {

struct hash_of_numbers {
    std::size_t operator()(const std::vector<int>& all) const noexcept {
        std::uint64_t sum = 1469598103934665603U;
        for (const int n : all) sum = (sum ^ static_cast<std::uint32_t>(n)) * 1099511628211U;
        return static_cast<std::size_t>(sum);
    }
};

/// The strongly connected components among the states that are `in`, along steps without progress
/// (Tarjan). A component of one state counts only with a step to itself.
class components {
public:
    components(const graph& of, const std::vector<int>& in) : graph_(of), is_in_(of.size()) {
        for (const int each : in) is_in_[index(each)] = true;
        number_.resize(of.size(), -1);
        low_.resize(of.size());
        is_on_stack_.resize(of.size());
        for (const int each : in)
            if (number_[index(each)] < 0) visit(each);
    }
    std::vector<std::vector<int>> found;

private:
    static std::size_t index(int n) { return static_cast<std::size_t>(n); }

    void enter(int state) {
        number_[index(state)] = low_[index(state)] = next_++;
        stack_.push_back(state);
        is_on_stack_[index(state)] = true;
        path_.push_back({state, 0});
    }
    void visit(int root) {
        enter(root);
        while (!path_.empty()) {
            const int state = path_.back().first;
            const std::vector<edge>& out = graph_[index(state)];
            if (path_.back().second < out.size()) {
                const edge& along = out[path_.back().second++];
                if (along.is_progress || along.is_signal || !is_in_[index(along.to)]) continue;
                if (number_[index(along.to)] < 0)
                    enter(along.to);
                else if (is_on_stack_[index(along.to)])
                    low_[index(state)] = std::min(low_[index(state)], number_[index(along.to)]);
                continue;
            }
            path_.pop_back();
            if (!path_.empty()) {
                int& above = low_[index(path_.back().first)];
                above = std::min(above, low_[index(state)]);
            }
            if (low_[index(state)] != number_[index(state)]) continue;
            std::vector<int> members;
            for (int member = -1; member != state;) {
                member = stack_.back();
                stack_.pop_back();
                is_on_stack_[index(member)] = false;
                members.push_back(member);
            }
            const bool is_round =
                members.size() > 1 || std::ranges::any_of(out, [&](const edge& along) {
                    return along.to == state && !along.is_progress && !along.is_signal;
                });
            if (is_round) found.push_back(std::move(members));
        }
    }

    const graph& graph_;
    std::vector<char> is_in_, is_on_stack_;
    std::vector<int> number_, low_, stack_;
    std::vector<std::pair<int, std::size_t>> path_;
    int next_ = 0;
};

/// Whether among these states there is a circle without progress in which every actor that can go
/// on somewhere in it takes a step.
inline bool has_fair_circle(const graph& of, const std::vector<int>& among, int actors) {
    for (const std::vector<int>& members : components(of, among).found) {
        std::vector<char> is_member(of.size());
        for (const int each : members) is_member[static_cast<std::size_t>(each)] = true;
        std::vector<char> can_go(static_cast<std::size_t>(actors)), goes = can_go;
        for (const int each : members)
            for (const edge& along : of[static_cast<std::size_t>(each)]) {
                const auto actor = static_cast<std::size_t>(along.actor);
                if (along.is_signal) continue;
                can_go[actor] = true;
                if (!along.is_progress && is_member[static_cast<std::size_t>(along.to)])
                    goes[actor] = true;
            }
        if (can_go == goes) return true;
        // A circle must leave out every state in which an actor can go on that does not.
        std::vector<int> rest;
        for (const int each : members) {
            const auto& out = of[static_cast<std::size_t>(each)];
            if (std::ranges::all_of(out, [&](const edge& along) {
                    return along.is_signal || goes[static_cast<std::size_t>(along.actor)] != 0;
                }))
                rest.push_back(each);
        }
        if (has_fair_circle(of, rest, actors)) return true;
    }
    return false;
}

}  // namespace detail

struct opinion {
    verdict what = verdict::unresolved;
    std::size_t states = 0;
    /// A delayed item queues itself: `what` is what comes out if it always runs again.
    bool is_endless = false;
    bool has_circle_of_locks = false;  ///< found only if `is_endless`
    std::string why;                   ///< why it is undefined
};

/// Decides a scenario by looking at all of its states.
///
/// @param states_max  with more, the answer is `unresolved`
inline opinion decide(const document& all, std::size_t states_max) {
    opinion made;
    try {
        const machine meaning(all);
        std::unordered_map<std::vector<int>, int, detail::hash_of_numbers> known;
        std::vector<state> states{meaning.first()};
        known.emplace(states[0].numbers(), 0);
        graph steps;
        bool can_hang = false, can_fail = false;
        for (std::size_t i = 0; i < states.size(); ++i) {
            std::vector<step> next = meaning.steps(states[i]);
            can_hang = can_hang ||
                       (std::ranges::all_of(next, &step::is_signal) && !meaning.is_over(states[i]));
            steps.emplace_back();
            for (step& each : next) {
                made.is_endless = made.is_endless || each.leaves_rule;
                int to = static_cast<int>(states.size());
                if (each.is_failure) {
                    // The execution ends there: a step to nowhere, which is on no circle.
                    can_fail = true;
                    steps.back().push_back({0, each.actor, true, false});
                    continue;
                }
                const auto [at, is_new] = known.emplace(each.after.numbers(), to);
                if (is_new)
                    states.push_back(std::move(each.after));
                else
                    to = at->second;
                steps.back().push_back({to, each.actor, each.is_progress, each.is_signal});
            }
            made.states = states.size();
            if (states.size() > states_max) return made;
        }
        made.has_circle_of_locks =
            made.is_endless && std::ranges::any_of(states, [&](const state& each) {
                return meaning.has_circle_of_locks(each);
            });
        std::vector<int> everywhere(states.size());
        for (std::size_t i = 0; i < states.size(); ++i) everywhere[i] = static_cast<int>(i);
        if (can_hang)
            made.what = verdict::deadlock;
        else if (detail::has_fair_circle(steps, everywhere, meaning.actors()))
            made.what = verdict::livelock;
        else
            made.what = can_fail ? verdict::finding : verdict::sound;
    } catch (const meaningless& wrong) {
        made.what = verdict::undefined;
        made.why = wrong.why;
    }
    return made;
}

}  // namespace oracle
