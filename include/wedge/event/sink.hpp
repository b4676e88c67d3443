// Who hears of a task's events.
#pragma once

#include "wedge/event/event.hpp"

namespace wedge {

class task;

/// A listener to events. It is called by the task itself, on the lock's path.
class sink {
public:
    /// @param readers  bits of `reader`: only events with one of them are delivered
    explicit sink(unsigned readers) noexcept : readers_(readers) {}
    sink(const sink&) = delete;
    sink& operator=(const sink&) = delete;
    virtual ~sink() = default;

    /// `self.held` is what the task held before the step; for `released` and `downgraded` the
    /// lock is still in it. Must not block on a wedge lock, throw, or call back into `self`.
    virtual void on(task& self, const event& step) noexcept = 0;

    bool wants(event_kind kind) const noexcept { return (row_of(kind).read_by & readers_) != 0; }

private:
    const unsigned readers_;
};

}  // namespace wedge
