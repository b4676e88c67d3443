// The chains of holds that were found in order: read without locks, grown by one writer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace wedge {

/// A set of 64-bit keys.
///
/// `contains` may run at any time, in any thread, and writes nothing. All else: one writer at a
/// time. A table that was outgrown is kept, since a reader may still be in it.
class chain_cache {
public:
    chain_cache() { use(std::make_unique<table>(64)); }
    chain_cache(const chain_cache&) = delete;
    chain_cache& operator=(const chain_cache&) = delete;

    bool contains(std::uint64_t key) const noexcept {
        const table& t = *now_.load(std::memory_order_acquire);
        for (std::size_t i = key & t.mask;; i = (i + 1) & t.mask) {
            const std::uint64_t found = t.slots[i].load(std::memory_order_relaxed);
            if (found == key)
                return true;
            if (found == 0)
                return false;
        }
    }

    /// @param key  not 0
    void insert(std::uint64_t key) {
        if (contains(key))
            return;
        table* t = now_.load(std::memory_order_relaxed);
        if ((used_.size() + 1) * 2 > t->mask) {  // at most half full: short probes, and an end
            auto larger = std::make_unique<table>((t->mask + 1) * 2);
            for (std::size_t& slot : used_)
                slot = larger->put(t->slots[slot].load(std::memory_order_relaxed));
            t = larger.get();
            use(std::move(larger));
        }
        used_.push_back(t->put(key));
    }

    std::size_t size() const noexcept { return used_.size(); }

    /// Forgets all keys, in time proportional to their number. No reader may run.
    void clear() noexcept {
        table* const t = now_.load(std::memory_order_relaxed);
        for (const std::size_t slot : used_)
            t->slots[slot].store(0, std::memory_order_relaxed);
        used_.clear();
        while (tables_.size() > 1)
            tables_.erase(tables_.begin());
    }

private:
    struct table {
        explicit table(std::size_t size)
            : mask(size - 1), slots(new std::atomic<std::uint64_t>[size] {}) {}

        std::size_t put(std::uint64_t key) noexcept {
            std::size_t i = key & mask;
            while (slots[i].load(std::memory_order_relaxed) != 0)
                i = (i + 1) & mask;
            slots[i].store(key, std::memory_order_release);
            return i;
        }

        const std::size_t mask;
        const std::unique_ptr<std::atomic<std::uint64_t>[]> slots;
    };

    void use(std::unique_ptr<table> next) {
        now_.store(next.get(), std::memory_order_release);
        tables_.push_back(std::move(next));
    }

    std::atomic<table*> now_{nullptr};
    std::vector<std::unique_ptr<table>> tables_;  // the last one is in use
    std::vector<std::size_t> used_;               // slots, to forget them
};

}  // namespace wedge
