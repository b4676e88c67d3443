// The locks that one task holds, outermost first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "wedge/core/event.hpp"

namespace wedge {

/// A lock that a task holds.
struct held_lock {
    std::uint32_t class_id = 0;
    std::uint32_t instance = 0;
    mode how = mode::exclusive;
    std::uint8_t subclass = 0;
    flags with = flags::none;
    std::uint8_t context = 0;            ///< the task's context when the lock was taken
    wait_type allows = wait_type::none;  ///< the longest wait allowed under it; none: any
    std::uint16_t depth = 1;             ///< of a recursive mutex: how often it is held
    std::uint64_t payload = 0;  ///< the nest lock or ticket, as `with` says: core/ticket.hpp
    std::uint64_t chain = 0;    ///< the checker's key of all holds up to this one
    site where{};
    /// For orders of instances; null once the lock is destroyed.
    const lock_identity* lock = nullptr;
};
static_assert(sizeof(held_lock) == 64);  // one cache line

/// A stack of held locks, of which any may be released. Each hold is an entry of its own, also if
/// several are of one class (rule 16). It grows without limit, and allocates only beyond
/// `inline_capacity`.
class held_locks {
public:
    // The deepest real chains of the kernel have 10 to 20.
    static constexpr std::size_t inline_capacity = 16;

    held_locks() = default;
    held_locks(const held_locks&) = delete;
    held_locks& operator=(const held_locks&) = delete;
    ~held_locks() { clear_storage(); }

    std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - data_); }
    bool empty() const noexcept { return end_ == data_; }
    held_lock* begin() noexcept { return data_; }
    held_lock* end() noexcept { return end_; }
    const held_lock* begin() const noexcept { return data_; }
    const held_lock* end() const noexcept { return end_; }
    const held_lock& innermost() const noexcept { return end_[-1]; }
    held_lock& operator[](std::size_t i) noexcept { return data_[i]; }
    const held_lock& operator[](std::size_t i) const noexcept { return data_[i]; }

    void push(const held_lock& lock) { new (claim(lock.class_id)) held_lock(lock); }

    /// Adds a hold and returns its storage, for the caller to construct the hold there. That saves
    /// a copy.
    void* claim(std::uint32_t class_id) {
        if (end_ == limit_) [[unlikely]]
            grow();
        ++of_classes_[place_of(class_id)];
        return end_++;
    }
    void pop() noexcept { --of_classes_[place_of((--end_)->class_id)]; }

    /// Returns whether a hold may be of that class; false is certain.
    bool may_hold_class(std::uint32_t class_id) const noexcept {
        return of_classes_[place_of(class_id)] != 0;
    }

    /// Returns the innermost hold of an instance; null if it is not held.
    held_lock* find(std::uint32_t instance) noexcept {
        for (held_lock* hold = end_; hold-- != data_;)
            if (hold->instance == instance) return hold;
        return nullptr;
    }

    void erase(held_lock* lock) noexcept {
        --of_classes_[place_of(lock->class_id)];
        const auto behind = static_cast<std::size_t>(end() - lock) - 1;
        if (behind != 0)
            std::memmove(static_cast<void*>(lock), lock + 1, behind * sizeof(held_lock));
        --end_;
    }

    void clear() noexcept {
        while (!empty()) pop();
    }

private:
    // Real chains have 10 to 20 holds, so few classes share a place.
    static constexpr std::size_t places = 64;

    static std::size_t place_of(std::uint32_t class_id) noexcept { return class_id % places; }

    [[gnu::noinline, gnu::cold]] void grow() {
        const std::size_t full = size();
        auto* const larger = new held_lock[full * 2];
        std::memcpy(static_cast<void*>(larger), data_, full * sizeof(held_lock));
        clear_storage();
        data_ = larger;
        end_ = larger + full;
        limit_ = larger + full * 2;
    }
    void clear_storage() noexcept {
        if (data_ != inline_) delete[] data_;
    }

    std::uint32_t of_classes_[places]{};  // the number of holds by class number modulo `places`
    held_lock inline_[inline_capacity]{};
    held_lock* data_ = inline_;
    held_lock* end_ = inline_;
    held_lock* limit_ = inline_ + inline_capacity;
};

}  // namespace wedge
