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
    std::atomic<lock_record*>& bucket = bucket_of(address);
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
    std::atomic<lock_record*>& page = pages_[page_place(address)];
    made->in_page = page.load(std::memory_order_relaxed);
    page.store(made, std::memory_order_relaxed);
    if (is_on_heap) heap_locks_.fetch_add(1, std::memory_order_relaxed);
    end_writing();
    return *made;
}

/// Called in the writer's turn.
void lock_table::forget_now(lock_record* record) noexcept {
    const void* const address = record->address.load(std::memory_order_relaxed);
    std::atomic<lock_record*>* link = &bucket_of(address);
    while (link->load(std::memory_order_relaxed) != record)
        link = &link->load(std::memory_order_relaxed)->next;
    link->store(record->next.load(std::memory_order_relaxed), std::memory_order_release);
    std::atomic<lock_record*>& page = pages_[page_place(address)];
    lock_record* each = page.load(std::memory_order_relaxed);
    if (each == record) {
        page.store(record->in_page, std::memory_order_relaxed);
    } else {
        while (each->in_page != record) each = each->in_page;
        each->in_page = record->in_page;
    }
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

void lock_table::forget_range(const void* begin, std::size_t size) noexcept {
    const auto first = reinterpret_cast<std::uintptr_t>(begin);
    const std::size_t pages = std::min(size / page_size + 2, page_places);
    bool has_any = false;
    for (std::size_t i = 0; i < pages && !has_any; ++i)
        has_any = pages_[(first / page_size + i) % page_places].load(std::memory_order_relaxed) !=
                  nullptr;
    if (!has_any) return;
    begin_writing();
    for (std::size_t i = 0; i < pages; ++i) {
        const std::size_t place = (first / page_size + i) % page_places;
        for (lock_record* each = pages_[place].load(std::memory_order_relaxed); each != nullptr;) {
            lock_record* const next = each->in_page;
            const void* const address = each->address.load(std::memory_order_relaxed);
            if (reinterpret_cast<std::uintptr_t>(address) - first < size) forget_now(each);
            each = next;
        }
    }
    end_writing();
}

}  // namespace wedge::run
