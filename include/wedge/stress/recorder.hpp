// The last steps of each thread of a run, as a trace.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "wedge/core/event.hpp"
#include "wedge/core/lock_class.hpp"
#include "wedge/core/lock_identity.hpp"

namespace wedge {

namespace detail {

/// Returns the word of a step in a trace; null: the trace leaves it out.
inline const char* trace_word(event_kind kind, mode how) noexcept {
    const bool reads = is_shared(how);
    switch (kind) {
        case event_kind::attempt: return "request";
        case event_kind::acquired: return reads ? "read" : "acquire";
        case event_kind::try_acquired: return reads ? "try_read" : "try_acquire";
        case event_kind::try_failed: return "try_failed";
        case event_kind::failed:
        case event_kind::back_off: return "give_up";
        case event_kind::released: return "release";
        case event_kind::wait: return "wait";
        case event_kind::wake: return "wake";
        default: return nullptr;
    }
}

}  // namespace detail

/// A step that was recorded.
struct recorded_step {
    std::chrono::steady_clock::time_point when{};
    event_kind kind{};
    mode how = mode::exclusive;
    lock_kind of = lock_kind::mutex;
    std::uint32_t class_id = 0;
    std::uint32_t instance = 0;
    site where{};
};

/// The last steps of one thread: when it is full, a step takes the place of the oldest one. One
/// thread uses it at a time.
class step_ring {
public:
    explicit step_ring(std::size_t capacity) : steps_(capacity) {}

    bool is_on() const noexcept { return !steps_.empty(); }
    void add(std::chrono::steady_clock::time_point when, const event& step) noexcept {
        if (detail::trace_word(step.kind, step.how) == nullptr) return;
        steps_[next_ % steps_.size()] = {
            when,          step.kind,
            step.how,      step.lock != nullptr ? step.lock->kind() : lock_kind::mutex,
            step.class_id, step.instance,
            step.where};
        ++next_;
    }
    /// Returns the steps, the oldest one first.
    std::vector<recorded_step> steps() const {
        if (next_ <= steps_.size())
            return {steps_.begin(), steps_.begin() + static_cast<std::ptrdiff_t>(next_)};
        std::vector<recorded_step> all = steps_;
        std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(next_ % steps_.size()),
                    all.end());
        return all;
    }

private:
    std::vector<recorded_step> steps_;
    std::size_t next_ = 0;
};

/// Returns the trace of several threads, by their names and numbers from 1, in the form
/// `wedge-trace 1`: lines that introduce threads, locks and places of code, and one line for each
/// step, `THREAD WORD LOCK @PLACE`, in the order of their times.
inline std::string trace_text(
    const std::vector<std::pair<std::string, std::vector<recorded_step>>>& threads) {
    std::vector<std::tuple<std::chrono::steady_clock::time_point, std::size_t, recorded_step>> all;
    std::string text = "wedge-trace 1\n";
    for (std::size_t i = 0; i < threads.size(); ++i) {
        text += "thread " + std::to_string(i + 1) + " " + threads[i].first + "\n";
        for (const recorded_step& each : threads[i].second) all.emplace_back(each.when, i, each);
    }
    // Stable: steps of one thread stay in order even if the clock stood still.
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return std::get<0>(a) < std::get<0>(b); });
    std::set<std::uint32_t> locks;
    std::map<std::pair<const char*, unsigned>, std::size_t> places;
    for (const auto& [when, thread, step] : all) {
        const char* const word = detail::trace_word(step.kind, step.how);
        if (word == nullptr) continue;
        if (locks.insert(step.instance).second)
            text += "lock " + std::to_string(step.instance) + " " + name_of(step.of) + " " +
                    lock_class::from_id(step.class_id).name() + "#" +
                    std::to_string(step.instance) + "\n";
        const auto [place, is_new] =
            places.try_emplace({step.where.file, step.where.line}, places.size() + 1);
        if (is_new)
            text += "site " + std::to_string(place->second) + " " + to_string(step.where) + "\n";
        text += std::to_string(thread + 1) + " " + word + " " + std::to_string(step.instance) +
                " @" + std::to_string(place->second) + "\n";
    }
    return text;
}

}  // namespace wedge
