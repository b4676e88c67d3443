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
    lock_record* in_page = nullptr;           // the next of those whose pages share a place
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
    static constexpr std::size_t buckets = std::size_t{1} << 18;
    static constexpr std::size_t page_places = std::size_t{1} << 15;
    static constexpr std::size_t page_size = 4096;
    static constexpr unsigned steps_max = 10'000;

    static std::size_t place_of(const void* address) noexcept {
        const auto bits = reinterpret_cast<std::uintptr_t>(address) >> 2;
        return (bits ^ bits >> 18) % buckets;
    }
    static std::size_t page_place(const void* address) noexcept {
        return reinterpret_cast<std::uintptr_t>(address) / page_size % page_places;
    }
    std::atomic<lock_record*>& bucket_of(const void* address) noexcept {
        return buckets_[place_of(address)];
    }
    const std::atomic<lock_record*>& bucket_of(const void* address) const noexcept {
        return buckets_[place_of(address)];
    }
    lock_record* unused();
    void forget_now(lock_record* record) noexcept;

    std::atomic<lock_record*> buckets_[buckets]{};
    std::atomic<lock_record*> pages_[page_places]{};
    std::atomic<std::uint64_t> heap_locks_{0};
    std::atomic<std::uint64_t> made_{0};
    lock_record* unused_ = nullptr;
    std::atomic_flag writing_ = ATOMIC_FLAG_INIT;
};

/// The table of the process.
extern lock_table locks;

}  // namespace wedge::run
