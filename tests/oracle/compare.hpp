// Compares the outcomes of the oracle and of the engine, and minimises a scenario on which they
// differ.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "wedge/scenario/parse.hpp"
#include "wedge/scenario/print.hpp"

#include "oracle/search.hpp"
#include "oracle/verdict.hpp"

namespace oracle {

inline constexpr std::size_t states_max = 300;  // of a random scenario
inline const std::vector<way> every_way = {way::states, way::exhaustive, way::portfolio,
                                           way::two_jobs, way::threads};

/// Returns whether an answer of the engine contradicts the oracle.
///
/// `check` must give the same outcome. A strategy that ends early may miss a finding, but must not
/// report a false finding or a false proof.
/// Of a delayed item that queues itself the engine leaves out runs that the oracle does not.
inline bool contradicts(const opinion& mine, const engine_answer& its, way how) {
    const verdict own = mine.what;
    if (its.is_out_of_memory) return true;
    if (its.what == verdict::unresolved) return false;
    if (mine.is_endless) {
        if (its.what == verdict::sound) return own == verdict::deadlock || own == verdict::finding;
        if (its.what == verdict::finding) return own == verdict::sound;
        return its.what == verdict::deadlock && own != verdict::deadlock &&
               !mine.has_circle_of_locks;
    }
    if (how == way::states || how == way::threads) return its.what != own;
    if (its.what == verdict::sound) return own != verdict::sound;
    // A search of schedules that has not tried everything may have missed a worse outcome.
    if (its.what == verdict::finding)
        return own == verdict::sound || (its.is_exhausted && own == verdict::deadlock);
    return its.what != own && !(its.what == verdict::livelock && own == verdict::deadlock);
}

struct comparison_result {
    opinion own;
    std::vector<std::pair<way, engine_answer>> others;

    bool differs() const { return !ways_that_differ().empty(); }
    std::vector<way> ways_that_differ() const {
        std::vector<way> found;
        if (own.what == verdict::undefined || own.what == verdict::unresolved) return found;
        for (const auto& [how, answer] : others)
            if (contradicts(own, answer, how)) found.push_back(how);
        return found;
    }
    std::string text() const {
        std::string all = std::string("oracle: ") + name_of(own.what) + " (" +
                          std::to_string(own.states) + " states)";
        if (!own.why.empty()) all += ", " + own.why;
        for (const auto& [how, answer] : others)
            all += "; " + std::string(way_names[static_cast<unsigned>(how)]) + ": " +
                   name_of(answer.what) + (answer.is_out_of_memory ? " (out of memory)" : "");
        return all;
    }
};

/// Asks the oracle. If it has an outcome, asks the engine in these ways.
inline comparison_result compare(const document& all, const std::vector<way>& ways,
                                 std::size_t most_states) {
    comparison_result made{decide(all, most_states), {}};
    if (made.own.what == verdict::undefined || made.own.what == verdict::unresolved) return made;
    constexpr std::uint64_t budgets[] = {20'000, 2'000, 500, 100, 100};  // by way
    for (const way how : ways)
        made.others.emplace_back(how, ask_engine(all, how, budgets[static_cast<std::size_t>(how)]));
    return made;
}

/// Returns whether the `expect` lines on outcomes fit. Ignores findings of the order pass.
inline bool is_as_expected(const document& all, const opinion& own) {
    bool says_nothing = true, fits = false;
    for (const declaration& each : all.all) {
        if (each.what != declares::expect) continue;
        using wedge::scenario::expects;
        const bool is_finding = each.expected == expects::finding;
        const bool is_assertion =
            is_finding && each.kind_expected == wedge::finding_kind::assertion;
        if (is_finding && !is_assertion) continue;
        says_nothing = false;
        fits = fits || (each.expected == expects::sound && own.what == verdict::sound) ||
               (each.expected == expects::deadlock && own.what == verdict::deadlock) ||
               (each.expected == expects::livelock && own.what == verdict::livelock) ||
               (is_assertion && own.what == verdict::finding);
    }
    return says_nothing || fits;
}

namespace detail {

/// Calls `with` for every smaller version of a block: without one statement, or with a branch in
/// place of the statement.
template <class With>
bool for_each_smaller(block& in, With with) {
    for (std::size_t i = 0; i < in.body.size(); ++i) {
        statement kept = in.body[i];
        in.body.erase(in.body.begin() + static_cast<std::ptrdiff_t>(i));
        if (with()) return true;
        for (const block& each : kept.blocks) {
            const auto at = in.body.begin() + static_cast<std::ptrdiff_t>(i);
            in.body.insert(at, each.body.begin(), each.body.end());
            if (with()) return true;
            in.body.erase(in.body.begin() + static_cast<std::ptrdiff_t>(i),
                          in.body.begin() + static_cast<std::ptrdiff_t>(i + each.body.size()));
        }
        in.body.insert(in.body.begin() + static_cast<std::ptrdiff_t>(i), kept);
        for (block& each : in.body[i].blocks)
            if (for_each_smaller(each, with)) return true;
    }
    return false;
}

}  // namespace detail

/// Deletes declarations and statements while the answers still differ in these ways.
inline document smallest_that_differs(document all, const comparison_result& found,
                                      std::size_t most_states) {
    const std::vector<way> ways = found.ways_that_differ();
    const auto differs = [&] {
        try {
            document again = wedge::scenario::parse(wedge::scenario::to_string(all), "smaller");
            const comparison_result now = compare(again, ways, most_states);
            return now.own.what == found.own.what && now.differs();
        } catch (const std::exception&) {
            return false;
        }
    };
    for (bool is_smaller = true; is_smaller;) {
        is_smaller = false;
        for (std::size_t i = 0; i < all.all.size(); ++i) {
            const declaration kept = all.all[i];
            all.all.erase(all.all.begin() + static_cast<std::ptrdiff_t>(i));
            if (differs()) {
                is_smaller = true;
                break;
            }
            all.all.insert(all.all.begin() + static_cast<std::ptrdiff_t>(i), kept);
            if (all.all[i].count > 1) {
                all.all[i].count = 1;
                if (differs()) {
                    is_smaller = true;
                    break;
                }
                all.all[i].count = kept.count;
            }
            if (detail::for_each_smaller(all.all[i].body, differs)) {
                is_smaller = true;
                break;
            }
        }
    }
    return wedge::scenario::parse(wedge::scenario::to_string(all), "smallest");
}

}  // namespace oracle
