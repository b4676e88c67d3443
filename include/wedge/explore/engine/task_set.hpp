// Sets of tasks, as bits.
#pragma once

#include <bit>
#include <cstdint>

namespace wedge {

/// Tasks by their ordinals. A task whose ordinal is too large is in no set.
class task_set {
public:
    static constexpr std::uint32_t capacity = 64;

    task_set() = default;

    void add(std::uint32_t task) noexcept { bits_ |= bit(task); }
    void remove(std::uint32_t task) noexcept { bits_ &= ~bit(task); }
    bool has(std::uint32_t task) const noexcept { return (bits_ & bit(task)) != 0; }
    bool is_empty() const noexcept { return bits_ == 0; }
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(std::popcount(bits_)); }
    bool meets(task_set other) const noexcept { return (bits_ & other.bits_) != 0; }
    task_set common(task_set other) const noexcept { return task_set(bits_ & other.bits_); }
    task_set without(task_set other) const noexcept { return task_set(bits_ & ~other.bits_); }
    task_set joined(task_set other) const noexcept { return task_set(bits_ | other.bits_); }

    /// Returns the lowest ordinal; the set must not be empty.
    std::uint32_t first() const noexcept {
        return static_cast<std::uint32_t>(std::countr_zero(bits_));
    }
    /// Visits the ordinals in rising order.
    template <class Visit>
    void for_each(Visit visit) const {
        for (std::uint64_t left = bits_; left != 0; left &= left - 1)
            visit(static_cast<std::uint32_t>(std::countr_zero(left)));
    }

    friend bool operator==(task_set, task_set) = default;

private:
    explicit task_set(std::uint64_t bits) noexcept : bits_(bits) {}
    static std::uint64_t bit(std::uint32_t task) noexcept {
        return task < capacity ? std::uint64_t{1} << task : 0;
    }

    std::uint64_t bits_ = 0;
};

}  // namespace wedge
