// The set of validated chains: read without locks, extended by one writer at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace wedge {

/// A set of 64-bit keys that only grows.
///
/// `contains` may run at any time in any thread, and writes nothing. All other functions need one
/// writer at a time. A table that was outgrown is kept, because a reader may still use it.
class chain_cache {
public:
    chain_cache();
    chain_cache(const chain_cache&) = delete;
    chain_cache& operator=(const chain_cache&) = delete;
    ~chain_cache();

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

    void insert(std::uint64_t key);

    std::size_t size() const noexcept;

    /// Forgets all keys, in time proportional to their number. No reader may run at the same time.
    void clear() noexcept;

private:
    using slot = std::atomic<std::uint64_t>;
    struct writer;  // what only the writer uses

    /// Makes a table. Its first slot holds the mask, so that a reader follows one pointer only.
    static slot* make_table(std::uint64_t size);
    static std::uint64_t put(slot* table, std::uint64_t key) noexcept;
    void use(slot* next);

    std::atomic<slot*> now_{nullptr};
    writer* const writer_;
};

}  // namespace wedge
