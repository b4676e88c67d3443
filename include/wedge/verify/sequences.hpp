// The second meaning of sequence counts: writers that count, and readers that read again.
#pragma once

#include <cstddef>
#include <utility>

#include "wedge/verify/state.hpp"

namespace wedge::verify {

/// What a task does with a sequence count. A lock of the kind `sequence` is the section of its
/// writers. `task::joined` says how many steps of a statement were taken.
class sequences {
public:
    explicit sequences(standing& here) : all_(here.program), here_(here) {}

    bool is_sequence(std::size_t lock) const { return here_.kind(lock) == "sequence"; }
    /// Whether a block is that of a reader of a sequence count.
    bool is_reader(std::size_t open) {
        std::size_t at = all_.words[open].owner;
        return at != open && all_.is(at, "read") && is_sequence(here_.lock_of(++at));
    }

    bool sequence_is_enabled(std::size_t which, bool is_read) {
        const std::size_t inner = all_.locks[which].inner;
        const std::size_t taken = here_.me().joined + (is_read || inner == nowhere ? 1 : 0);
        if (taken == 0) return here_.can_acquire(inner, false, false);
        return taken > 1 || here_.me().waits == phase::fresh ||
               here_.can_acquire(which, is_read, is_read);
    }
    /// A writer takes the spinlock, if there is one, takes the section, and counts.
    void begin_writing(std::size_t which, std::size_t behind) {
        const std::size_t inner = all_.locks[which].inner;
        const std::size_t taken = here_.me().joined + (inner == nowhere ? 1 : 0);
        if (taken == 0) {
            here_.hold(inner, false);
        } else if (taken == 1) {
            if (!enter_section(which, false)) return;
        } else {
            count(which);
            here_.me().taken.push_back(which);
            return here_.move(behind);
        }
        ++here_.me().joined;
    }
    /// A writer counts, leaves the section, and releases the spinlock, if there is one.
    ///
    /// @return whether that is all
    bool end_writing(std::size_t which) {
        const std::size_t inner = all_.locks[which].inner;
        const std::size_t taken = here_.me().joined++;
        if (taken == 0) count(which);
        if (taken == 1) here_.drop(which);
        if (taken == 2) here_.drop(inner);
        if (taken != (inner == nowhere ? 1U : 2U)) return false;
        here_.me().joined = 0;
        return true;
    }
    /// A reader waits for the section, takes the number, and leaves the section.
    void begin_reading(std::size_t which, std::size_t block) {
        if (here_.me().joined == 0 && !enter_section(which, true)) return;
        if (++here_.me().joined < 3) return;
        here_.drop(which);
        here_.me().readings.emplace_back(which, false);
        here_.move(block + 1);
    }
    /// A reader compares the number, and begins again if it has changed.
    void end_reading(std::size_t at) {
        const bool has_changed = here_.me().readings.back().second;
        here_.me().readings.pop_back();
        here_.move(has_changed ? all_.words[all_.words[at].match].owner : at + 1);
    }

private:
    /// Returns whether the section is taken; else the task is in its queue.
    bool enter_section(std::size_t which, bool is_read) {
        if (here_.can_acquire(which, is_read, is_read)) {
            here_.hold(which, is_read);
            here_.me().waits = phase::fresh;
            return true;
        }
        here_.now.locks[which].queue.push_back({here_.waiter(), is_read});
        here_.me().waits = phase::queued;
        return false;
    }
    void count(std::size_t which) {
        for (task& each : here_.now.tasks)
            for (auto& [read, has_changed] : each.readings)
                if (read == which) has_changed = true;
    }

    const script& all_;
    standing& here_;
};

}  // namespace wedge::verify
