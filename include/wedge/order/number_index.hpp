// A hash table of numbers, by the hash of what each number stands for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wedge {

/// A hash table that keeps hashes and numbers only. Its owner knows what a number stands for.
/// `clear` takes time proportional to what was added, and keeps the memory.
class number_index {
public:
    static constexpr std::uint32_t none = 0xffffffffU;

    /// Returns the number with that hash for which `is_it` returns true; `none` if there is none.
    template <class Predicate>
    std::uint32_t find(std::uint64_t hash, Predicate is_it) const {
        if (slots_.empty()) return none;
        for (std::size_t i = hash & mask();; i = (i + 1) & mask()) {
            const slot& here = slots_[i];
            if (here.number == none) return none;
            if (here.hash == hash && is_it(here.number)) return here.number;
        }
    }

    /// @param number  not contained yet, and not `none`
    void add(std::uint64_t hash, std::uint32_t number) {
        if ((used_.size() + 1) * 2 > slots_.size()) grow();
        used_.push_back(put({hash, number}));
    }

    void clear() noexcept {
        for (const std::size_t i : used_) slots_[i] = {};
        used_.clear();
    }

private:
    struct slot {
        std::uint64_t hash = 0;
        std::uint32_t number = none;
    };

    std::size_t mask() const noexcept { return slots_.size() - 1; }
    std::size_t put(slot one) noexcept {
        std::size_t i = one.hash & mask();
        while (slots_[i].number != none) i = (i + 1) & mask();
        slots_[i] = one;
        return i;
    }
    void grow() {
        std::vector<slot> before(slots_.empty() ? 64 : slots_.size() * 2);
        before.swap(slots_);
        for (std::size_t& i : used_) i = put(before[i]);
    }

    std::vector<slot> slots_;  // a power of two, at most half full
    std::vector<std::size_t> used_;
};

}  // namespace wedge
