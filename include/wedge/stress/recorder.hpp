// The last steps of each thread of a run, as a trace.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/event.hpp"
#include "wedge/core/lock_class.hpp"
#include "wedge/core/lock_identity.hpp"

namespace wedge {

namespace detail {

/// Returns the word of a step in a trace; null: the trace leaves it out. Steps of conditions and
/// counts have words that depend on the steps beside them: see `trace_lines`.
inline const char* trace_word(event_kind kind, mode how) noexcept {
    const bool reads = is_shared(how);
    switch (kind) {
        case event_kind::attempt: return reads ? "request_read" : "request";
        case event_kind::acquired: return reads ? "read" : "acquire";
        case event_kind::try_acquired: return reads ? "try_read" : "try_acquire";
        case event_kind::try_failed: return "try_failed";
        case event_kind::failed:
        case event_kind::back_off: return "give_up";
        case event_kind::released:
        case event_kind::downgraded: return "release";
        case event_kind::wait: return "wait";
        case event_kind::wake: return "wake";
        case event_kind::notify: return "up";
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

namespace detail {

/// One line of a trace.
struct trace_line {
    std::size_t thread;  ///< from 1
    const char* word;
    const recorded_step* step;
    const recorded_step* lock = nullptr;  ///< the release of the lock that a wait gives up
};

/// Adds the lines of one thread. A wait for a condition has recorded the release of its lock and
/// the second acquire; in the trace it is one `wait` and one `wake`. Any other wait takes a unit.
inline void trace_lines(const std::vector<recorded_step>& steps, std::size_t thread,
                        std::vector<trace_line>& lines) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const recorded_step& each = steps[i];
        // Any number of tasks may be in a section of a pseudo-lock at once.
        if (lock_class::from_id(each.class_id).options().never_waits) continue;
        if (each.kind == event_kind::wake) continue;  // its wait was recorded too long ago
        if (each.kind != event_kind::wait) {
            lines.push_back({thread, trace_word(each.kind, each.how), &each});
            // A downgrade never waits, so its second half is like a trylock.
            if (each.kind == event_kind::downgraded) lines.push_back({thread, "try_read", &each});
            continue;
        }
        std::size_t end = i + 1;
        while (end < steps.size() &&
               (steps[end].kind != event_kind::wake || steps[end].instance != each.instance))
            ++end;
        const bool is_over = end < steps.size();
        const bool is_condition = i + 1 < steps.size() && steps[i + 1].kind == event_kind::released;
        const recorded_step* const lock = is_condition ? &steps[i + 1] : nullptr;
        if (is_condition) lines.push_back({thread, "wait", &each, lock});
        if (is_over) lines.push_back({thread, is_condition ? "wake" : "down", &steps[end], lock});
        if (is_over)
            i = end;
        else if (is_condition)
            ++i;  // a request of the lock may follow
    }
}

/// Writes lines, with the locks and places of code that they mention first.
class trace_writer {
public:
    explicit trace_writer(std::string& text) : text_(text) {}

    void add(const trace_line& each) {
        const recorded_step& step = *each.step;
        if (is_of_lock(step.kind)) introduce(step);
        if (each.lock != nullptr) introduce(*each.lock);
        const auto [place, is_new] =
            places_.try_emplace({step.where.file, step.where.line}, places_.size() + 1);
        if (is_new)
            text_ += "site " + std::to_string(place->second) + " " + to_string(step.where) + "\n";
        text_ +=
            std::to_string(each.thread) + " " + each.word + " " + std::to_string(step.instance);
        if (each.lock != nullptr) text_ += " " + std::to_string(each.lock->instance);
        text_ += " @" + std::to_string(place->second) + "\n";
    }

private:
    static bool is_of_lock(event_kind kind) noexcept {
        return kind != event_kind::wait && kind != event_kind::wake && kind != event_kind::notify;
    }
    void introduce(const recorded_step& step) {
        if (!locks_.insert(step.instance).second) return;
        const std::string number = std::to_string(step.instance);
        text_ += "lock " + number + " " + name_of(step.of) + " " +
                 lock_class::from_id(step.class_id).name() + "#" + number + "\n";
    }

    std::string& text_;
    std::set<std::uint32_t> locks_;
    std::map<std::pair<const char*, unsigned>, std::size_t> places_;
};

}  // namespace detail

/// Returns the trace of several threads, by their names and numbers from 1, in the form of
/// docs/traces.md. Its events are in the order of their times. `wedge predict` and `wedge explain`
/// read it.
inline std::string trace_text(
    const std::vector<std::pair<std::string, std::vector<recorded_step>>>& threads) {
    std::string text = "wedge-trace 1\n";
    std::vector<detail::trace_line> lines;
    for (std::size_t i = 0; i < threads.size(); ++i) {
        text += "thread " + std::to_string(i + 1) + " " + threads[i].first + "\n";
        detail::trace_lines(threads[i].second, i + 1, lines);
    }
    // Stable: steps of one thread stay in order even if the clock stood still.
    std::stable_sort(lines.begin(), lines.end(),
                     [](const auto& a, const auto& b) { return a.step->when < b.step->when; });
    std::set<std::uint32_t> conditions;
    for (const detail::trace_line& each : lines)
        if (each.lock != nullptr) conditions.insert(each.step->instance);
    detail::trace_writer writer(text);
    for (detail::trace_line& each : lines) {
        if (each.step->kind == event_kind::notify && conditions.contains(each.step->instance))
            each.word = "notify_all";
        writer.add(each);
    }
    return text;
}

}  // namespace wedge
