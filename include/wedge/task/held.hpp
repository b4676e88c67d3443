// The locks that one task holds, outermost first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "wedge/event/event.hpp"

namespace wedge {

/// One lock held by a task.
struct held_lock {
    std::uint32_t class_id = 0;
    std::uint32_t instance = 0;
    mode how = mode::exclusive;
    std::uint8_t subclass = 0;
    flags with = flags::none;
    std::uint8_t context = 0;            ///< the task's context when it was taken
    wait_type allows = wait_type::none;  ///< what may be taken under it; none: everything
    std::uint16_t depth = 1;             ///< of a recursive mutex
    std::uint64_t payload = 0;           ///< nest lock or ticket, by `with`: task/ticket.hpp
    std::uint64_t chain = 0;             ///< the checker's key of all holds up to this one
    site where{};
    const lock_identity* lock = nullptr;  ///< for instance orders; null once it is destroyed
};
static_assert(sizeof(held_lock) == 64);  // one cache line

/// A stack of held locks; any of them may be released. Each hold is an entry of its own, also of
/// locks of one class (rule 16). Grows without limit; only growing past `inline_capacity`
/// allocates.
class held_locks {
public:
    static constexpr std::size_t inline_capacity = 16;  // the kernel's deepest real chains: 10-20

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

    /// The place of one hold more, for the caller to construct it there: it saves a copy.
    void* claim(std::uint32_t class_id) {
        if (end_ == limit_) [[unlikely]]
            grow();
        ++of_classes_[place_of(class_id)];
        return end_++;
    }
    void pop() noexcept { --of_classes_[place_of((--end_)->class_id)]; }

    /// False: no hold is of that class.
    bool may_hold_class(std::uint32_t class_id) const noexcept {
        return of_classes_[place_of(class_id)] != 0;
    }

    /// The innermost hold of an instance; null when it is not held.
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
    static constexpr std::size_t places = 64;  // real chains are 10-20 deep, so few classes share

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

    std::uint32_t of_classes_[places]{};  // holds, by what is left of the number of their class
    held_lock inline_[inline_capacity]{};
    held_lock* data_ = inline_;
    held_lock* end_ = inline_;
    held_lock* limit_ = inline_ + inline_capacity;
};

}  // namespace wedge
