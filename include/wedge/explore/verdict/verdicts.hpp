// What the hangs of an exploration say about order findings that no execution reached.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "wedge/explore/engine/execution.hpp"
#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/verdict/ring.hpp"
#include "wedge/explore/verdict/sighting.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {
namespace detail {

/// Returns the hang in which a sighting was reached; null: none is known.
inline const finding* hang_of(const sighting& each) noexcept {
    if (!each.is_reached) return nullptr;
    return each.hang ? &*each.hang : each.what.tasks.empty() ? nullptr : &each.what;
}

}  // namespace detail

/// Marks the order findings that the hang of another sighting shows. The two may have been seen in
/// different executions, or by different sessions.
inline void explain_by_hangs(std::vector<sighting>& all) {
    for (sighting& each : all) {
        if (!each.is_of_order || each.is_reached) continue;
        for (const sighting& other : all) {
            const finding* const hang = detail::hang_of(other);
            if (hang == nullptr || !is_among(each.what, *hang)) continue;
            each.shown = other.shown;
            each.hang = *hang;
            each.is_reached = true;
            break;
        }
    }
}

/// Returns whether the finding of a sighting is known. Prefer a sighting that actually deadlocked.
/// Between two that were only seen, keep the weaker claim: it rests on more evidence.
inline bool is_known_to(std::vector<sighting>& all, sighting& other) {
    for (sighting& each : all) {
        if (each.what.signature != other.what.signature) continue;
        const bool claims_less =
            each.what.judged == verdict::refuted && other.what.judged == verdict::unresolved;
        if (!each.is_reached && (other.is_reached || claims_less)) each = std::move(other);
        return true;
    }
    return false;
}

/// Gives a verdict to an order finding that no execution has reached. It is refuted only if
/// everything was tried and no hang involves its classes.
///
/// @param exhausted  every schedule was tried
/// @param of_whom    the subject that was explored
inline void judge_unreached(sighting& each, const std::vector<sighting>& all, bool exhausted,
                            const subject& of_whom) {
    finding& of = each.what;
    of.judged = verdict::unresolved;
    const auto is_involved = [&](const sighting& other) {
        const finding* const hang = detail::hang_of(other);
        return hang != nullptr && involves(*hang, of);
    };
    if (is_about_interrupts(of.kind) && !of_whom.facts().delivers_interrupts()) {
        of.reason = "interrupts were not explored";
    } else if (!exhausted) {
        of.reason = "the budget was spent";
    } else if (std::any_of(all.begin(), all.end(), is_involved)) {
        of.reason = "every schedule was tried, and a hang that involves all its locks was found";
    } else {
        of.judged = verdict::refuted;
        of.reason = of.kind == finding_kind::held_at_exit
                        ? "every schedule was tried, and no task ended so"
                        : "every schedule of this workload was tried";
        if (of_whom.facts().has_unseen_state())
            of.reason += ", as far as all shared state lies under modelled locks";
    }
}

/// Returns whether an execution showed what a sighting describes.
///
/// @param of_order  the order checker's findings up to its end
inline bool is_shown(const sighting& wanted, const execution_record& done,
                     const std::vector<finding>& of_order) {
    if (wanted.is_reached) return done.stuck && is_among(wanted.what, *done.stuck);
    if (wanted.what.kind == finding_kind::assertion) return done.thrown == wanted.what.what;
    return std::any_of(of_order.begin(), of_order.end(), [&](const finding& each) {
        return each.signature == wanted.what.signature;
    });
}

/// Marks what a hang shows.
///
/// @param round  see execution_record
/// @param shown  () -> the execution as a schedule
/// @return whether the hang itself was known
template <class Shown>
bool note_hang(std::vector<sighting>& all, const finding& stuck, std::uint64_t round, Shown shown) {
    bool is_known = false;
    for (sighting& each : all) {
        const bool is_it = matches(each.what, stuck);
        is_known = is_known || is_it;
        if (each.is_reached && (each.shown.circle == 0 || round != 0)) continue;
        if (!is_it && !is_among(each.what, stuck)) continue;
        each.shown = shown();
        each.is_reached = true;
        if (each.is_of_order) each.hang = stuck;
    }
    return is_known;
}

/// Adds what was found so far to an outcome, without verdicts.
inline void add_unsettled(outcome& known, const std::vector<sighting>& found) {
    for (const sighting& each : found) {
        known.what = std::min(known.what, result_of(each, known.what));
        known.findings.push_back(each.what);
        if (each.needs_verdict()) continue;
        known.findings.back().best = each.shown;
        known.findings.back().best.signature = each.what.signature;
    }
}

/// Concludes the outcome of an exploration: the worst finding decides.
inline void conclude(outcome& all, std::vector<sighting> found) {
    all.what = all.exhausted ? result::sound : result::unresolved;
    for (sighting& each : found) {
        const result of = result_of(each, all.what);
        if (of < all.what) {
            all.what = of;
            all.best = each.what.best;
        }
        all.findings.push_back(std::move(each.what));
    }
}

}  // namespace wedge
