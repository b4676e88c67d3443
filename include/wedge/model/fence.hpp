// Fences: a device or a task signals one once, and other tasks wait for it.
#pragma once

#include "wedge/lock/completion.hpp"
#include "wedge/lock/signalling.hpp"

namespace wedge {

/// An event that stays signalled; signalling again does nothing (Linux: dma_fence).
///
/// A wait touches the signalling map, which tasks hold that have promised to signal. So a wait
/// within such a section, or under a lock that the section needs, is a finding without a hang (rule
/// 19).
class fence {
public:
    /// @param signalling  the map of the fence's signallers; null: waits take part in no order
    explicit fence(label as = site::current(), signalling_map* signalling = nullptr)
        : done_(as), signalling_(signalling) {}

    void signal(site where = site::current()) { done_.complete_all(where); }
    bool is_signalled(site where = site::current()) { return done_.try_wait(where); }

    void wait(site where = site::current()) {
        might_wait(where);
        done_.wait(where);
    }
    /// Waits at most that long; returns false if it gave up. Under control it may give up whenever
    /// the engine chooses.
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> at_most, site where = site::current()) {
        might_wait(where);
        return done_.wait_for(at_most, where);
    }

private:
    void might_wait(site where) {
        if (signalling_ != nullptr) signalling_->touch(where);
    }

    completion done_;
    signalling_map* const signalling_;
};

}  // namespace wedge
