// Who hears of a task's events.
#pragma once

#include <cstdint>

#include "wedge/event/event.hpp"

namespace wedge {

class task;
struct validated_chains;

/// A listener to events. It is called by the task itself, on the lock's path.
class sink {
public:
    /// @param readers    bits of `reader`: only events with one of them are delivered
    /// @param validated  given by a sink to which three sorts of events tell nothing, so they are
    ///                   not sent: attempts whose chain is in there, plain releases of the
    ///                   innermost hold, and ends of locks and tasks while nothing is held; null:
    ///                   every event is sent
    explicit sink(unsigned readers, const validated_chains* validated = nullptr) noexcept
        : wanted_(wanted_by(readers)), validated_(validated) {}
    sink(const sink&) = delete;
    sink& operator=(const sink&) = delete;
    virtual ~sink() = default;

    /// `self.held` is what the task held before the step; for `released` and `downgraded` the
    /// lock is still in it. Must not block on a wedge lock, throw, or call back into `self`.
    virtual void on(task& self, const event& step) noexcept = 0;

    [[gnu::always_inline]] bool wants(event_kind kind) const noexcept {
        return (wanted_ >> static_cast<unsigned>(kind) & 1) != 0;
    }
    const validated_chains* validated() const noexcept { return validated_; }

private:
    static_assert(event_kinds <= 64);

    static std::uint64_t wanted_by(unsigned readers) noexcept {
        std::uint64_t kinds = 0;
        for (const event_row& each : event_table)
            if ((each.read_by & readers) != 0)
                kinds |= std::uint64_t{1} << static_cast<unsigned>(each.kind);
        return kinds;
    }

    const std::uint64_t wanted_;  // a bit a kind of event
    const validated_chains* const validated_;
};

}  // namespace wedge
