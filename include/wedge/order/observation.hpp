// An observation of a dependency: which locks, how, by which task, where, and what guarded it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "wedge/core/event.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/core/site.hpp"
#include "wedge/core/stack.hpp"

namespace wedge {

/// Lock instances that were held exclusively since before a dependency's first lock.
///
/// The set is bounded. What does not fit is left out, which may lose a claim and never makes a
/// false one.
class guard_set {
public:
    struct guard {
        std::uint32_t class_id = 0;
        std::uint32_t instance = 0;
        friend bool operator==(const guard&, const guard&) = default;
    };
    // Real chains have 10 to 20 holds, half of them shared.
    static constexpr std::size_t capacity = 8;

    std::size_t size() const noexcept { return size_; }
    const guard* begin() const noexcept { return all_; }
    const guard* end() const noexcept { return all_ + size_; }

    void add(const guard& one) noexcept {
        if (size_ < capacity) all_[size_++] = one;
    }
    bool contains(const guard& one) const noexcept {
        for (const guard& g : *this)
            if (g == one) return true;
        return false;
    }

    /// Keeps what is also in `other`. Returns whether anything was dropped.
    bool keep_common(const guard_set& other) noexcept {
        std::uint8_t kept = 0;
        for (std::uint8_t i = 0; i < size_; ++i)
            if (other.contains(all_[i])) all_[kept++] = all_[i];
        const bool dropped = kept != size_;
        size_ = kept;
        return dropped;
    }

private:
    guard all_[capacity]{};
    std::uint8_t size_ = 0;
};

/// "This task held this instance in this mode while it wanted that instance in that mode."
struct observation {
    acquisition held;
    acquisition wanted;
    bool primed = false;
    std::uint32_t task = 0;
    std::string title;  ///< the task's name
    guard_set guards;   ///< common to all repetitions of this step
    call_stack stack;   ///< of the first time, if the checker keeps stacks

    bool is_same_step(const observation& other) const noexcept {
        return held.instance == other.held.instance && wanted.instance == other.wanted.instance &&
               held.subclass == other.held.subclass && wanted.subclass == other.wanted.subclass &&
               held.how == other.held.how && wanted.how == other.wanted.how &&
               held.with == other.held.with && primed == other.primed && task == other.task;
    }

    /// Returns a hash that is equal for equal steps.
    std::uint64_t step_hash() const noexcept {
        const std::uint64_t how = static_cast<std::uint64_t>(held.how) << 24 |
                                  static_cast<std::uint64_t>(wanted.how) << 16 |
                                  static_cast<std::uint64_t>(held.with);
        const std::uint64_t locks = std::uint64_t{held.instance} << 32 | wanted.instance;
        return combine(how << 32 | task, locks + (primed ? 1 : 0));
    }
};

/// Returns whether a wait in the mode `wanted` may last while others hold the lock as `held` (rule
/// 6). Only a recursive reader does not wait behind readers: a plain reader may wait behind a
/// writer that waits.
constexpr bool may_wait(mode wanted, mode held) noexcept {
    return wanted != mode::recursive_shared || held == mode::exclusive;
}

/// Returns whether a wait for one instance may be a wait for the other one. 0 is any instance.
constexpr bool may_meet(std::uint32_t wanted, std::uint32_t held) noexcept {
    return wanted == held || wanted == 0 || held == 0;
}

}  // namespace wedge
