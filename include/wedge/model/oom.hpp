// Processes that are killed when reclaim makes no progress.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "wedge/core/scopes.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"

namespace wedge {

/// A process that may be killed for its memory (Linux: out_of_memory and the oom_reaper).
class oom_victim {
public:
    oom_victim() = default;
    oom_victim(const oom_victim&) = delete;
    oom_victim& operator=(const oom_victim&) = delete;
    virtual ~oom_victim() = default;

    /// Frees its pages by `memory::free`; returns false if it has none. Runs in the task that found
    /// no memory, on top of its locks, so it may only try locks and must not wait for a notifier.
    virtual bool reap() = 0;
};

/// The victims of a zone, and the lock that one killer at a time holds.
class oom_killer {
public:
    enum class outcome : unsigned char { killed, nobody, busy };

    /// Adds a victim. Call it before the tasks start.
    void add(oom_victim& one) {
        victims_.push_back(&one);
        if (!lock_) lock_.emplace("oom_lock");  // a zone without victims does without the lock
    }
    bool has_victims() const noexcept { return !victims_.empty(); }

    /// Kills the first process that has pages to give. Returns `busy` if another task is killing:
    /// the lock is only tried, since the callers hold locks; they come back later.
    outcome kill(site where) {
        const try_guard held(*lock_, where);
        if (!held) return outcome::busy;
        const alloc_scope no_reclaim(scope::noreclaim);
        return std::any_of(victims_.begin(), victims_.end(),
                           [](oom_victim* each) { return each->reap(); })
                   ? outcome::killed
                   : outcome::nobody;
    }

private:
    std::vector<oom_victim*> victims_;
    std::optional<mutex> lock_;
};

}  // namespace wedge
