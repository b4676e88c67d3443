// The locks that one task holds, outermost first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wedge/event/event.hpp"

namespace wedge {

/// One lock held by a task.
struct held_lock {
    std::uint32_t class_id = 0;
    std::uint32_t instance = 0;
    mode how = mode::exclusive;
    std::uint8_t subclass = 0;
    flags with = flags::none;
    std::uint8_t context = 0;                ///< the task's context when it was taken
    wait_type allows = wait_type::none;      ///< what may be taken under it; none: everything
    std::uint16_t depth = 1;                 ///< of a recursive mutex
    std::uint64_t payload = 0;               ///< nest lock or ticket, by `with`: ticket.hpp
    std::uint64_t chain = 0;                 ///< the checker's key of all holds up to this one
    site where{};
    const lock_identity* lock = nullptr;     ///< for instance orders; null once it is destroyed
};
static_assert(sizeof(held_lock) == 64);  // one cache line

/// A stack of held locks; any of them may be released. Grows without limit; only growing past
/// `inline_capacity` allocates.
class held_locks {
public:
    static constexpr std::size_t inline_capacity = 16;  // the kernel's deepest real chains: 10-20

    held_locks() = default;
    held_locks(const held_locks&) = delete;
    held_locks& operator=(const held_locks&) = delete;
    ~held_locks() { clear_storage(); }

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    held_lock* begin() noexcept { return data_; }
    held_lock* end() noexcept { return data_ + size_; }
    const held_lock* begin() const noexcept { return data_; }
    const held_lock* end() const noexcept { return data_ + size_; }
    held_lock& operator[](std::size_t i) noexcept { return data_[i]; }
    const held_lock& operator[](std::size_t i) const noexcept { return data_[i]; }

    void push(const held_lock& lock) {
        if (size_ == capacity_) grow();
        data_[size_++] = lock;
    }

    /// The innermost hold of an instance; null when it is not held.
    held_lock* find(std::uint32_t instance) noexcept {
        for (std::size_t i = size_; i-- > 0;)
            if (data_[i].instance == instance) return &data_[i];
        return nullptr;
    }

    void erase(held_lock* lock) noexcept {
        const auto behind = static_cast<std::size_t>(end() - lock) - 1;
        if (behind != 0)
            std::memmove(static_cast<void*>(lock), lock + 1, behind * sizeof(held_lock));
        --size_;
    }

    void clear() noexcept { size_ = 0; }

private:
    void grow() {
        auto* const larger = new held_lock[capacity_ * 2];
        std::memcpy(static_cast<void*>(larger), data_, size_ * sizeof(held_lock));
        clear_storage();
        data_ = larger;
        capacity_ *= 2;
    }
    void clear_storage() noexcept {
        if (data_ != inline_) delete[] data_;
    }

    held_lock inline_[inline_capacity]{};
    held_lock* data_ = inline_;
    std::size_t size_ = 0;
    std::size_t capacity_ = inline_capacity;
};

}  // namespace wedge
