#include "run/lock_table.hpp"

#include <algorithm>

#include <sys/syscall.h>
#include <unistd.h>

namespace wedge::run {

constinit lock_table locks;

void lock_table::begin_writing() noexcept {
    while (writing_.test_and_set(std::memory_order_acquire)) ::syscall(SYS_sched_yield);
}

lock_record* lock_table::unused() {
    if (unused_ == nullptr) {
        constexpr std::size_t many = 64;
        auto* const fresh = new lock_record[many];
        for (std::size_t i = 0; i < many; ++i)
            fresh[i].next.store(i + 1 < many ? &fresh[i + 1] : nullptr, std::memory_order_relaxed);
        unused_ = fresh;
    }
    lock_record* const taken = unused_;
    unused_ = taken->next.load(std::memory_order_relaxed);
    return taken;
}

lock_record& lock_table::find_or_add(const void* address, lock_kind kind, lock_class cls,
                                     bool is_on_heap) {
    begin_writing();
    const std::atomic_ref<lock_record*> bucket = bucket_of(address);
    for (lock_record* each = bucket.load(std::memory_order_relaxed); each != nullptr;
         each = each->next.load(std::memory_order_relaxed)) {
        if (each->address.load(std::memory_order_relaxed) != address) continue;
        end_writing();
        return *each;
    }
    lock_record* const made = unused();
    new (made->memory) lock_identity(kind, cls, wait_type::none);
    made->is_on_heap = is_on_heap;
    made->checks_errors = false;
    made->is_released_by_others.store(false, std::memory_order_relaxed);
    made->shared_how = mode::recursive_shared;
    made->next.store(bucket.load(std::memory_order_relaxed), std::memory_order_relaxed);
    made->address.store(address, std::memory_order_relaxed);
    bucket.store(made, std::memory_order_release);
    made_.fetch_add(1, std::memory_order_relaxed);
    const std::size_t place = granule_place(address);
    made->in_granule = granule(place).load(std::memory_order_relaxed);
    granule(place).store(made, std::memory_order_relaxed);
    in_page_[place / granules_per_page].fetch_add(1, std::memory_order_relaxed);
    if (is_on_heap) heap_locks_.fetch_add(1, std::memory_order_relaxed);
    end_writing();
    return *made;
}

/// Called in the writer's turn.
void lock_table::forget_now(lock_record* record) noexcept {
    const void* const address = record->address.load(std::memory_order_relaxed);
    const std::atomic_ref<lock_record*> bucket = bucket_of(address);
    lock_record* const next = record->next.load(std::memory_order_relaxed);
    lock_record* before = bucket.load(std::memory_order_relaxed);
    if (before == record) {
        bucket.store(next, std::memory_order_release);
    } else {
        while (before->next.load(std::memory_order_relaxed) != record)
            before = before->next.load(std::memory_order_relaxed);
        before->next.store(next, std::memory_order_release);
    }
    const std::size_t place = granule_place(address);
    lock_record* each = granule(place).load(std::memory_order_relaxed);
    if (each == record) {
        granule(place).store(record->in_granule, std::memory_order_relaxed);
    } else {
        while (each->in_granule != record) each = each->in_granule;
        each->in_granule = record->in_granule;
    }
    in_page_[place / granules_per_page].fetch_sub(1, std::memory_order_relaxed);
    if (record->is_on_heap) heap_locks_.fetch_sub(1, std::memory_order_relaxed);
    record->address.store(nullptr, std::memory_order_relaxed);
    record->next.store(unused_, std::memory_order_relaxed);
    unused_ = record;
}

void lock_table::forget(const void* address) noexcept {
    begin_writing();
    for (lock_record* each = bucket_of(address).load(std::memory_order_relaxed); each != nullptr;
         each = each->next.load(std::memory_order_relaxed)) {
        if (each->address.load(std::memory_order_relaxed) != address) continue;
        forget_now(each);
        break;
    }
    end_writing();
}

/// Called in the writer's turn.
void lock_table::forget_in_granule(std::size_t place, std::uintptr_t first,
                                   std::size_t size) noexcept {
    for (lock_record* each = granule(place).load(std::memory_order_relaxed); each != nullptr;) {
        lock_record* const next = each->in_granule;
        const void* const address = each->address.load(std::memory_order_relaxed);
        if (reinterpret_cast<std::uintptr_t>(address) - first < size) forget_now(each);
        each = next;
    }
}

void lock_table::forget_range(const void* begin, std::size_t size) noexcept {
    if (size == 0) return;
    const auto first = reinterpret_cast<std::uintptr_t>(begin);
    const std::uintptr_t start = first / granule_size;
    const std::size_t count =
        std::min<std::size_t>((first + size - 1) / granule_size - start + 1, granule_places);
    bool is_writing = false;
    for (std::size_t i = 0; i < count;) {
        const std::size_t place = (start + i) % granule_places;
        if (in_page_[place / granules_per_page].load(std::memory_order_relaxed) == 0) {
            i += granules_per_page - place % granules_per_page;
            continue;
        }
        ++i;
        if (granule(place).load(std::memory_order_relaxed) == nullptr) continue;
        if (!is_writing) begin_writing();
        is_writing = true;
        forget_in_granule(place, first, size);
    }
    if (is_writing) end_writing();
}

}  // namespace wedge::run
