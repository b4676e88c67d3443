// The locks of the program, by their addresses.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "wedge/core/task.hpp"

namespace wedge::run {

/// A lock of the program. Its memory is never given back, so that a hook may look at a record while
/// another thread forgets it.
struct lock_record {
    std::atomic<const void*> address{nullptr};
    std::atomic<lock_record*> next{nullptr};  // in its bucket, or in the list of unused records
    lock_record* in_granule = nullptr;        // the next of those whose granules share a place
    mode shared_how = mode::recursive_shared;
    bool is_on_heap = false;     ///< its memory may be freed without a word
    bool checks_errors = false;  ///< taking it twice returns an error
    /// A thread that did not hold it has released it, as if it were a semaphore.
    std::atomic<bool> is_released_by_others{false};
    alignas(lock_identity) unsigned char memory[sizeof(lock_identity)];

    lock_identity& identity() noexcept {
        return *std::launder(reinterpret_cast<lock_identity*>(memory));
    }
};

/// All locks that were initialised or used. Look-ups take no lock. The addresses of a lock on the
/// heap is forgotten when its memory is freed, because std::mutex has no destructor to tell.
class lock_table {
public:
    /// Returns the record of an address. Null if the table has no record of it, or if another
    /// thread has just changed the table: ask `find_or_add` then.
    [[gnu::always_inline]] lock_record* find(const void* address) const noexcept {
        lock_record* each = bucket_of(address).load(std::memory_order_acquire);
        // A record that is forgotten and used again may lead into another bucket, but no further.
        for (unsigned steps = 0; each != nullptr && steps < steps_max; ++steps) {
            if (each->address.load(std::memory_order_relaxed) == address) return each;
            each = each->next.load(std::memory_order_acquire);
        }
        return nullptr;
    }

    /// Adds a lock, or returns the record that another thread has added meanwhile.
    lock_record& find_or_add(const void* address, lock_kind kind, lock_class cls, bool is_on_heap);

    void forget(const void* address) noexcept;
    /// Forgets the locks in that memory.
    void forget_range(const void* begin, std::size_t size) noexcept;

    bool has_heap_locks() const noexcept {
        return heap_locks_.load(std::memory_order_relaxed) != 0;
    }
    std::uint64_t size() const noexcept { return made_.load(std::memory_order_relaxed); }

    void begin_writing() noexcept;
    void end_writing() noexcept { writing_.clear(std::memory_order_release); }

private:
    static constexpr std::size_t buckets = std::size_t{1} << 20;
    // A program may have millions of locks on the heap, and frees blocks beside them all the time.
    // So a freed block looks at the locks in its own granules. A large one passes over the pages
    // that have none.
    static constexpr std::size_t granule_places = std::size_t{1} << 20;
    static constexpr std::size_t granule_size = 128;
    static constexpr std::size_t granules_per_page = 32;
    static constexpr unsigned steps_max = 10'000;

    static std::size_t place_of(const void* address) noexcept {
        const auto bits = reinterpret_cast<std::uintptr_t>(address) >> 2;
        return (bits ^ bits >> 20) % buckets;
    }
    static std::size_t granule_place(const void* address) noexcept {
        return reinterpret_cast<std::uintptr_t>(address) / granule_size % granule_places;
    }
    std::atomic_ref<lock_record*> bucket_of(const void* address) const noexcept {
        return std::atomic_ref<lock_record*>(buckets_[place_of(address)]);
    }
    std::atomic_ref<lock_record*> granule(std::size_t place) noexcept {
        return std::atomic_ref<lock_record*>(granules_[place]);
    }
    lock_record* unused();
    void forget_now(lock_record* record) noexcept;
    void forget_in_granule(std::size_t place, std::uintptr_t first, std::size_t size) noexcept;

    // No atomics, because a constant initialiser may not have so many: read and written by
    // bucket_of() and granule().
    mutable lock_record* buckets_[buckets]{};
    lock_record* granules_[granule_places]{};
    std::atomic<std::uint32_t> in_page_[granule_places / granules_per_page]{};  // how many locks
    std::atomic<std::uint64_t> heap_locks_{0};
    std::atomic<std::uint64_t> made_{0};
    lock_record* unused_ = nullptr;
    std::atomic_flag writing_ = ATOMIC_FLAG_INIT;
};

/// The table of the process.
extern lock_table locks;

}  // namespace wedge::run
