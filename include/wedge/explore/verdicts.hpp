// What the hangs of an exploration say of the order findings that it did not reach itself.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "wedge/explore/ring.hpp"
#include "wedge/explore/sighting.hpp"

namespace wedge {
namespace detail {

/// The hang that a sighting was reached in; null: none is known.
inline const finding* hang_of(const sighting& each) noexcept {
    if (!each.is_reached) return nullptr;
    return each.hang ? &*each.hang : each.what.tasks.empty() ? nullptr : &each.what;
}

}  // namespace detail

/// Marks the order findings that another sighting's hang shows: the two may have been seen in
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

/// Whether the finding of a sighting is known. One that hangs says more than one that was seen; and
/// of two that were seen, the one that claims less, as it has seen more: it takes the other's
/// place.
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

/// Gives a verdict to an order finding that no execution has reached. It is refuted only where
/// everything was tried and no hang involves its classes.
///
/// @param exhausted           every schedule was tried
/// @param delivers_interrupts whether the subject lets them come
inline void judge_unreached(sighting& each, const std::vector<sighting>& all, bool exhausted,
                            bool delivers_interrupts) {
    finding& of = each.what;
    of.judged = verdict::unresolved;
    const auto is_involved = [&](const sighting& other) {
        const finding* const hang = detail::hang_of(other);
        return hang != nullptr && involves(*hang, of);
    };
    if (is_about_interrupts(of.kind) && !delivers_interrupts) {
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
    }
}

}  // namespace wedge
