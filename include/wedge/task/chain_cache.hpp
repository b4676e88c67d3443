// The set of validated chains: read without locks, extended by one writer at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace wedge {

/// A set of 64-bit keys that only grows.
///
/// `contains` may run at any time in any thread, and writes nothing. All other functions need one
/// writer at a time. A table that was outgrown is kept, because a reader may still use it.
class chain_cache {
public:
    chain_cache() { use(make_table(64)); }
    chain_cache(const chain_cache&) = delete;
    chain_cache& operator=(const chain_cache&) = delete;

    /// Returns whether the key is in the set.
    ///
    /// @param key  well mixed, since its low bits choose the slot; 0 counts as contained
    [[gnu::always_inline]] bool contains(std::uint64_t key) const noexcept {
        const slot* const table = now_.load(std::memory_order_acquire);
        const std::uint64_t mask = table[0].load(std::memory_order_relaxed);
        for (std::uint64_t i = key & mask;; i = (i + 1) & mask) {
            const std::uint64_t found = table[1 + i].load(std::memory_order_relaxed);
            if (found == key) return true;
            if (found == 0) return false;
        }
    }

    void insert(std::uint64_t key) {
        if (contains(key)) return;
        slot* table = now_.load(std::memory_order_relaxed);
        const std::uint64_t size = table[0].load(std::memory_order_relaxed) + 1;
        if ((used_.size() + 1) * 2 > size) {  // at most half full, so that probes are short and end
            std::unique_ptr<slot[]> larger = make_table(size * 2);
            for (std::uint64_t& i : used_)
                i = put(larger.get(), table[1 + i].load(std::memory_order_relaxed));
            table = larger.get();
            use(std::move(larger));
        }
        used_.push_back(put(table, key));
    }

    std::size_t size() const noexcept { return used_.size(); }

    /// Forgets all keys, in time proportional to their number. No reader may run at the same time.
    void clear() noexcept {
        if (used_.empty()) return;
        slot* const table = now_.load(std::memory_order_relaxed);
        for (const std::uint64_t i : used_) table[1 + i].store(0, std::memory_order_relaxed);
        used_.clear();
        tables_.erase(tables_.begin(), tables_.end() - 1);
    }

private:
    using slot = std::atomic<std::uint64_t>;

    /// Makes a table. Its first slot holds the mask, so that a reader follows one pointer only.
    static std::unique_ptr<slot[]> make_table(std::uint64_t size) {
        std::unique_ptr<slot[]> made(new slot[size + 1]{});
        made[0].store(size - 1, std::memory_order_relaxed);
        return made;
    }
    static std::uint64_t put(slot* table, std::uint64_t key) noexcept {
        const std::uint64_t mask = table[0].load(std::memory_order_relaxed);
        std::uint64_t i = key & mask;
        while (table[1 + i].load(std::memory_order_relaxed) != 0) i = (i + 1) & mask;
        table[1 + i].store(key, std::memory_order_release);
        return i;
    }
    void use(std::unique_ptr<slot[]> next) {
        now_.store(next.get(), std::memory_order_release);
        tables_.push_back(std::move(next));
    }

    std::atomic<slot*> now_{nullptr};
    std::vector<std::unique_ptr<slot[]>> tables_;  // the last table is in use
    std::vector<std::uint64_t> used_;              // the slots in use, for `clear`
};

}  // namespace wedge
