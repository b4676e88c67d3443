// The listeners to a task's events.
#pragma once

#include <cstdint>

#include "wedge/core/event.hpp"

namespace wedge {

class task;
struct validated_chains;

/// A listener to events. The task itself calls it, on the path of the lock.
class sink {
public:
    /// @param readers    bits of `reader`; only events for one of these readers are delivered
    /// @param validated  chains that this sink has validated; null: every event is sent. With it,
    ///     three sorts of events are left out: attempts whose chain is validated, plain releases of
    ///     the innermost hold, and ends of locks and tasks while the task holds nothing.
    explicit sink(unsigned readers, const validated_chains* validated = nullptr) noexcept
        : wanted_(wanted_by(readers)), validated_(validated) {}
    sink(const sink&) = delete;
    sink& operator=(const sink&) = delete;
    virtual ~sink() = default;

    /// Handles one event. `self.held` is what the task held before the step; for `released` and
    /// `downgraded` it still contains the lock. Must not block on a wedge lock, throw, or call back
    /// into `self`.
    virtual void on(task& self, const event& step) noexcept = 0;

    bool wants(event_kind kind) const noexcept {
        return (wanted_ >> static_cast<unsigned>(kind) & 1) != 0;
    }
    const validated_chains* validated() const noexcept { return validated_; }

private:
    friend class listener;
    static_assert(event_kinds <= 64);

    static std::uint64_t wanted_by(unsigned readers) noexcept {
        std::uint64_t kinds = 0;
        for (const event_row& each : event_table)
            if ((each.read_by & readers) != 0)
                kinds |= std::uint64_t{1} << static_cast<unsigned>(each.kind);
        return kinds;
    }

    const std::uint64_t wanted_;  // one bit per kind of event
    const validated_chains* const validated_;
};

/// The sink of a task, or none, beside copies of what each step of a lock asks it: the step then
/// reads the task alone.
class listener {
public:
    constexpr listener() noexcept = default;
    listener& operator=(sink* to) noexcept {
        if (to == sink_) return *this;
        sink_ = to;
        wanted_ = to != nullptr ? to->wanted_ : 0;
        validated_ = to != nullptr ? to->validated_ : nullptr;
        hears_all_ = to != nullptr && validated_ == nullptr;
        return *this;
    }
    operator sink*() const noexcept { return sink_; }
    sink* operator->() const noexcept { return sink_; }

    /// Returns whether there is a sink that wants events of this kind.
    [[gnu::always_inline]] bool wants(event_kind kind) const noexcept {
        return (wanted_ >> static_cast<unsigned>(kind) & 1) != 0;
    }
    /// Returns the chains that the sink has validated; null: it has none, or there is no sink.
    [[gnu::always_inline]] const validated_chains* validated() const noexcept { return validated_; }
    /// Returns whether there is a sink for which no event is left out.
    [[gnu::always_inline]] bool hears_all() const noexcept { return hears_all_; }

private:
    sink* sink_ = nullptr;
    std::uint64_t wanted_ = 0;
    const validated_chains* validated_ = nullptr;
    bool hears_all_ = false;
};

}  // namespace wedge
