// The key of a chain of holds: everything that the verdict on its last acquire depends on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wedge/core/chain_cache.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/core/task.hpp"

namespace wedge {

namespace detail {

/// Returns the hold that an acquire in that context leads to.
inline held_lock hold_of(context in, const event& step) noexcept {
    return {.class_id = step.class_id,
            .instance = step.instance,
            .how = step.how,
            .subclass = step.subclass,
            .with = step.with,
            .context = static_cast<std::uint8_t>(in),
            .allows = step.lock != nullptr ? step.lock->allows() : step.waits,
            .payload = step.payload,
            .where = step.where,
            .lock = step.lock};
}

}  // namespace detail

/// Which properties tell two chains apart.
enum class evidence : std::uint8_t {
    classes,  ///< live programs: classes and modes; instances only within one class
    exact,    ///< engines: also instances and tasks, by their ordinals
};

/// Computes the keys of chains (rule 5). The same chain has the same key in every run. A chain with
/// the key 0 would count as validated; that is as likely as two chains with equal keys.
class chain_key {
public:
    explicit constexpr chain_key(evidence kept) noexcept : kept_(kept) {}

    /// Returns the key of the task's holds with one more acquire. The key covers which interrupts
    /// may arrive now. Those that could arrive while the holds were taken no longer matter.
    std::uint64_t of(task& self, const held_lock& next) const noexcept {
        return extend(of_holds(self) ^ interrupts_of(self), self.held, self.held.end(), next);
    }

    /// Returns the key for the acquire of this step.
    std::uint64_t of_step(task& self, const event& next) const noexcept {
        return of(self, detail::hold_of(self.context, next));
    }

    /// Returns the key of the task's holds at the moment when interrupts are enabled.
    std::uint64_t of_opening(task& self, event_kind opens) const noexcept {
        return combine(of_holds(self) ^ interrupts_of(self), static_cast<std::uint64_t>(opens));
    }

    /// Returns whether `of_plain` computes the same key as `of`, without a call. True if only
    /// classes count and no other hold is of this class.
    [[gnu::always_inline]] bool is_plain(const task& self, const held_lock& next) const noexcept {
        return kept_ == evidence::classes && !has(next.with, with_payload) &&
               !self.held.may_hold_class(next.class_id) &&
               (self.held.empty() || self.held.innermost().chain != 0);
    }
    [[gnu::always_inline]] static std::uint64_t of_plain(const task& self,
                                                         const held_lock& next) noexcept {
        const std::uint64_t before =
            self.held.empty() ? first_of_classes : self.held.innermost().chain;
        return fold(before ^ interrupts_of(self), word_of(next));
    }

    /// Returns whether `of_exact` computes the same key as `of`. True for most chains with exact
    /// evidence.
    [[gnu::always_inline]] bool is_plain_and_exact(const task& self,
                                                   const held_lock& next) const noexcept {
        return kept_ == evidence::exact && !has(next.with, with_payload) &&
               (self.held.empty() || self.held.innermost().chain != 0);
    }
    [[gnu::always_inline]] std::uint64_t of_exact(const task& self,
                                                  const held_lock& next) const noexcept {
        const std::uint64_t before = self.held.empty() ? first(self) : self.held.innermost().chain;
        return fold(before ^ interrupts_of(self) ^ mix(next.instance), word_of(next));
    }

    /// Recomputes the keys of the holds from number `from` on, as if the hold `without` were gone.
    [[gnu::noinline, gnu::cold]] void rebuild(task& self, std::size_t from,
                                              const held_lock* without) const noexcept {
        std::uint64_t before = first(self);
        for (std::size_t i = from; i-- > 0;) {
            if (&self.held[i] == without) continue;
            before = self.held[i].chain;
            break;
        }
        for (held_lock* hold = self.held.begin() + from; hold != self.held.end(); ++hold) {
            if (hold == without) continue;
            before = hold->chain = extend(before, self.held, hold, *hold, without);
        }
    }

private:
    static constexpr unsigned counted_flags = static_cast<unsigned>(
        flags::tried | flags::nest | flags::subclassed | flags::ticketed | flags::recursive);
    static constexpr flags with_payload = flags::nest | flags::ticketed;
    static constexpr std::uint64_t first_of_classes = 1;

    std::uint64_t first(const task& self) const noexcept {
        return kept_ == evidence::exact ? mix(self.ordinal + 1) : first_of_classes;
    }

    std::uint64_t of_holds(task& self) const noexcept {
        if (self.held.empty()) return first(self);
        if (self.held.innermost().chain == 0) [[unlikely]]
            rebuild(self, 0, nullptr);
        return self.held.innermost().chain;
    }

    /// Returns how the task was interrupted, which interrupts it keeps out, and whether preemption
    /// is off. Softirqs and NMIs are not in it: `task::context` covers them.
    [[gnu::always_inline]] static std::uint64_t interrupts_of(const task& self) noexcept {
        static_assert(offsetof(context_state, preempt_depth) == 4);
        std::uint64_t bits = 0;
        static_assert(sizeof bits == sizeof(context_state));
        std::memcpy(&bits, &self.contexts, sizeof bits);
        return bits << 24;
    }

    /// Returns the key of a chain with one more hold.
    ///
    /// @param end  behind the holds that come before `next`
    std::uint64_t extend(std::uint64_t before, const held_locks& held, const held_lock* end,
                         const held_lock& next, const held_lock* without = nullptr) const noexcept {
        if (kept_ == evidence::exact) {
            before ^= mix(next.instance);
        } else if (held.may_hold_class(next.class_id)) {
            for (const held_lock* hold = held.begin(); hold != end; ++hold)
                if (hold->class_id == next.class_id && hold != without)
                    before = combine(before, std::uint64_t{hold->instance} << 32 | next.instance);
        }
        if (has(next.with, with_payload))
            before = combine(before, place_of(next.payload, held, end, without));
        return fold(before, word_of(next));
    }

    /// Returns the place of a nest lock or ticket among the holds; 0 if it is not held. The place
    /// counts and not the instance, because each transaction makes a new ticket.
    static std::uint64_t place_of(std::uint64_t instance, const held_locks& held,
                                  const held_lock* end, const held_lock* without) noexcept {
        std::uint64_t place = 1;
        for (const held_lock* hold = held.begin(); hold != end; ++hold) {
            if (hold == without) continue;
            if (hold->instance == static_cast<std::uint32_t>(instance)) return place;
            ++place;
        }
        return 0;
    }

    [[gnu::always_inline]] static std::uint64_t word_of(const held_lock& next) noexcept {
        static_assert(counted_flags < 256);
        return std::uint64_t{next.class_id} << 32 | std::uint64_t{next.subclass} << 24 |
               std::uint64_t{static_cast<std::uint8_t>(next.allows)} << 20 |
               std::uint64_t{next.context} << 16 |
               std::uint64_t{static_cast<std::uint8_t>(next.how)} << 8 |
               (static_cast<unsigned>(next.with) & counted_flags);
    }

    /// Combines two words with half the work of `combine`. For a fixed value of either word the
    /// result is one-to-one in the other, and words folded before are spread over all bits.
    [[gnu::always_inline]] static constexpr std::uint64_t fold(std::uint64_t before,
                                                               std::uint64_t word) noexcept {
        std::uint64_t x = before + word * 0x9e3779b97f4a7c15U;
        x ^= x >> 32;
        x *= 0xbf58476d1ce4e5b9U;
        return x ^ x >> 29;
    }

    const evidence kept_;
};

/// The chains that a sink has validated, published to the tasks that it listens to. A task looks up
/// its chain here, and calls the sink only for a chain that is not contained.
struct validated_chains {
    const chain_key key;
    chain_cache known;

    /// Returns whether the chain with this hold is validated. Leaves its key in `self.chain`, for
    /// the hold that follows. Returns false for an acquire under a ticket, whose own state counts
    /// too.
    [[gnu::always_inline]] bool contain(task& self, const held_lock& next) const noexcept {
        if (has(next.with, flags::ticketed)) return false;
        self.chain =
            key.is_plain_and_exact(self, next) ? key.of_exact(self, next) : key.of(self, next);
        return known.contains(self.chain);
    }

    /// As `contain`, for plain chains only. Returns false for others, which does not mean that they
    /// are new.
    [[gnu::always_inline]] bool contain_plainly(task& self, const held_lock& next) const noexcept {
        if (!key.is_plain(self, next)) return false;
        self.chain = chain_key::of_plain(self, next);
        return known.contains(self.chain);
    }
};

}  // namespace wedge
