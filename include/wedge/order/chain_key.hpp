// The key of a chain of holds: all that the verdict on its last acquire depends on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wedge/base/hash.hpp"
#include "wedge/task/task.hpp"

namespace wedge {

/// How much of what was seen tells two chains apart.
enum class evidence : std::uint8_t {
    classes,  ///< live programs: classes and modes; instances only within one class
    exact,    ///< engines: also instances and tasks, by their ordinals
};

/// Computes keys. Pure: the same chain has the same key in every run, and no key is 0, which
/// means "not known".
class chain_key {
public:
    explicit constexpr chain_key(evidence kept) noexcept : kept_(kept) {}

    /// The key of the task's holds with one acquire more.
    std::uint64_t of(task& self, const event& next) const noexcept {
        return extend(of_holds(self), self.held.begin(), self.held.end(),
                      {.class_id = next.class_id,
                       .instance = next.instance,
                       .how = next.how,
                       .subclass = next.subclass,
                       .with = next.with,
                       .context = conditions(self, next.waits),
                       .payload = next.payload});
    }

    /// The key of the task's holds at the moment when interrupts of a sort are let in.
    std::uint64_t of_opening(task& self, event_kind opens) const noexcept {
        const std::uint64_t key = combine(
            of_holds(self), std::uint64_t{static_cast<std::uint8_t>(opens)} << 8 |
                                conditions(self, wait_type::none));
        return key != 0 ? key : 1;
    }

    /// Computes the holds' keys anew from the hold number `from`, as if `without` were gone.
    void rebuild(task& self, std::size_t from, const held_lock* without) const noexcept {
        std::uint64_t before = first(self);
        for (std::size_t i = from; i-- > 0;) {
            if (&self.held[i] == without)
                continue;
            before = self.held[i].chain;
            break;
        }
        for (held_lock* hold = self.held.begin() + from; hold != self.held.end(); ++hold) {
            if (hold == without)
                continue;
            before = hold->chain = extend(before, self.held.begin(), hold, *hold, without);
        }
    }

private:
    static constexpr unsigned counted_flags = static_cast<unsigned>(
        flags::tried | flags::nest | flags::subclassed | flags::ticketed | flags::recursive);

    /// The task's context, what may interrupt it, and how long the acquire may wait, in a byte.
    static std::uint8_t conditions(const task& self, wait_type waits) noexcept {
        const context_state& now = self.contexts;
        return static_cast<std::uint8_t>(
            static_cast<unsigned>(self.context) | (now.admits(context::hardirq) ? 4U : 0U) |
            (now.admits(context::softirq) ? 8U : 0U) | (now.is_threaded() ? 16U : 0U) |
            static_cast<unsigned>(waits) << 5);
    }

    /// Where a nest lock or ticket stands among the holds; what counts is that it is held, and
    /// tickets are made anew for every transaction.
    static std::uint64_t place_of(std::uint64_t instance, const held_lock* first,
                                  const held_lock* end, const held_lock* without) noexcept {
        std::uint64_t place = 1;
        for (const held_lock* hold = first; hold != end; ++hold) {
            if (hold == without)
                continue;
            if (hold->instance == static_cast<std::uint32_t>(instance))
                return place;
            ++place;
        }
        return 0;
    }

    std::uint64_t of_holds(task& self) const noexcept {
        if (self.held.empty())
            return first(self);
        const held_lock& last = self.held[self.held.size() - 1];
        if (last.chain == 0) [[unlikely]]
            rebuild(self, 0, nullptr);
        return last.chain;
    }
    std::uint64_t first(const task& self) const noexcept {
        return kept_ == evidence::exact ? mix(self.ordinal + 1) : 1;
    }

    std::uint64_t extend(std::uint64_t before, const held_lock* hold, const held_lock* end,
                         const held_lock& next, const held_lock* without = nullptr) const noexcept {
        const held_lock* const first_hold = hold;
        if (kept_ == evidence::exact) {
            before ^= mix(next.instance);
        } else {
            for (; hold != end; ++hold)
                if (hold->class_id == next.class_id && hold != without) [[unlikely]]
                    before = combine(before, std::uint64_t{hold->instance} << 32 | next.instance);
        }
        const unsigned with = static_cast<unsigned>(next.with) & counted_flags;
        if ((with & static_cast<unsigned>(flags::nest | flags::ticketed)) != 0) [[unlikely]]
            before = combine(before, place_of(next.payload, first_hold, end, without));
        const std::uint64_t word = std::uint64_t{next.class_id} << 32 |
                                   std::uint64_t{next.subclass} << 24 |
                                   std::uint64_t{next.context} << 16 |
                                   std::uint64_t{static_cast<std::uint8_t>(next.how)} << 8 | with;
        const std::uint64_t key = combine(before, word);
        return key != 0 ? key : 1;
    }

    const evidence kept_;
};

}  // namespace wedge
