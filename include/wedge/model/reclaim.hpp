// Reclaim as pseudo-locks: which allocations may enter it, and which tasks are in it.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "wedge/lock/pseudo_lock.hpp"
#include "wedge/model/gfp.hpp"

namespace wedge {

/// The order of what is held over an allocation and what is taken in reclaim (rules 17 and 18;
/// Linux: fs_reclaim_acquire in mm/page_alloc.c).
///
/// An allocation that may reclaim directly touches the pseudo-lock of its effective mask, and
/// within it the pseudo-lock of the mmu notifiers, whatever its mask. A task in reclaim touches
/// nothing, since its allocations never reclaim; nor does an allocation that opted out.
class reclaim_order {
    /// A section of a pseudo-lock; null: no section.
    class hold {
    public:
        hold(pseudo_lock* map, site where) : map_(map), where_(where) {
            if (map_ != nullptr) map_->acquire(mode::exclusive, where_);
        }
        ~hold() {
            if (map_ != nullptr) map_->release(mode::exclusive, where_);
        }
        hold(const hold&) = delete;
        hold& operator=(const hold&) = delete;

    private:
        pseudo_lock* const map_;
        const site where_;
    };

public:
    /// States that an allocation here may reclaim, whether or not it will.
    void touch(gfp asked, site where) {
        const gfp counts = effective(asked, current().scopes);
        if (!has(counts, gfp::direct_reclaim) || has(counts, gfp::nolockdep)) return;
        of(counts).acquire(mode::exclusive, where);
        notifier_.touch(mode::exclusive, where);
        of(counts).release(mode::exclusive, where);
    }

    /// Enters the pseudo-lock of these flags, for code that states an order; the task does not
    /// become a reclaimer. Does nothing for flags that never reclaim (Linux: fs_reclaim_acquire).
    void enter(gfp asked, site where) {
        const gfp counts = effective(asked, current().scopes);
        if (has(counts, gfp::direct_reclaim)) of(counts).acquire(mode::exclusive, where);
    }
    void leave(gfp asked, site where) {
        const gfp counts = effective(asked, current().scopes);
        if (has(counts, gfp::direct_reclaim)) of(counts).release(mode::exclusive, where);
    }

    /// While it lives, the running task is in reclaim: it holds the pseudo-lock of the mask, and
    /// from then on counts as a reclaimer (Linux: PF_MEMALLOC; taken in __perform_reclaim and
    /// balance_pgdat).
    class section {
    public:
        /// A direct reclaimer with these effective flags. It may call the mmu notifiers.
        section(reclaim_order& order, gfp counts, site where)
            : section(has(counts, gfp::nolockdep) ? nullptr : &order.of(counts), where,
                      has(counts, gfp::nolockdep) ? nullptr : &order.notifier_) {}
        /// kswapd.
        section(reclaim_order& order, site where)
            : section(&order.of(gfp_kernel), where, nullptr) {}

    private:
        section(pseudo_lock* map, site where, pseudo_lock* notifier)
            : map_(map, where), reclaims_(scope::noreclaim) {
            if (notifier != nullptr) notifier->touch(mode::exclusive, where);
        }

        hold map_;
        alloc_scope reclaims_;
    };

    /// While it lives, the callbacks of the mmu notifiers run, in any task that invalidates.
    class notifier_section {
    public:
        notifier_section(reclaim_order& order, site where) : map_(&order.notifier_, where) {}

    private:
        hold map_;
    };

private:
    pseudo_lock& of(gfp counts) noexcept {
        return !has(counts, gfp::io) ? noio_ : !has(counts, gfp::fs) ? nofs_ : fs_;
    }

    pseudo_lock fs_{"reclaim"};
    pseudo_lock nofs_{"reclaim nofs"};
    pseudo_lock noio_{"reclaim noio"};
    pseudo_lock notifier_{"mmu_notifier"};
};

/// States that an allocation here may reclaim, in a program without a zone. One pseudo-lock, of the
/// class that all zones share, serves the whole process.
inline void might_alloc(gfp asked, site where = site::current()) {
    static reclaim_order& order = *new reclaim_order;  // threads may outlive static objects
    order.touch(asked, where);
}

namespace detail {

/// How many pages each task has freed in its current pass. It takes no lock in a live program, so
/// that it orders nothing between the tasks of the program under test.
class reclaim_progress {
    struct entry {
        std::atomic<const task*> who{nullptr};
        std::atomic<std::uint32_t> freed{0};
        entry* next = nullptr;
    };

public:
    reclaim_progress() = default;
    reclaim_progress(const reclaim_progress&) = delete;
    reclaim_progress& operator=(const reclaim_progress&) = delete;
    ~reclaim_progress() {
        for (entry* each = first_.load(std::memory_order_acquire); each != nullptr;)
            delete std::exchange(each, each->next);
    }

    /// The running task's pass, from its construction to the end of the block.
    class pass {
    public:
        explicit pass(reclaim_progress& all) : mine_(all.claim(&current())) {}
        ~pass() { mine_.who.store(nullptr, std::memory_order_relaxed); }
        pass(const pass&) = delete;
        pass& operator=(const pass&) = delete;
        std::uint32_t freed() const { return mine_.freed.load(std::memory_order_relaxed); }

    private:
        entry& mine_;
    };

    /// Notes that the running task has freed pages. They count if the task is in a pass.
    ///
    /// @return whether they count
    bool add(std::uint32_t pages) noexcept {
        bool is_in_pass = false;
        for (entry* each = first_.load(std::memory_order_acquire); each != nullptr;
             each = each->next)
            if (each->who.load(std::memory_order_relaxed) == &current()) {
                each->freed.fetch_add(pages, std::memory_order_relaxed);
                is_in_pass = pages != 0;
            }
        return is_in_pass;
    }

    /// Returns whether the task is in a pass that has freed something.
    bool has_freed(std::uint32_t task) const noexcept {
        for (const entry* each = first_.load(std::memory_order_acquire); each != nullptr;
             each = each->next) {
            const wedge::task* const who = each->who.load(std::memory_order_relaxed);
            if (who != nullptr && who->ordinal == task &&
                each->freed.load(std::memory_order_relaxed) != 0)
                return true;
        }
        return false;
    }

private:
    entry& claim(const task* self) {
        for (entry* each = first_.load(std::memory_order_acquire); each != nullptr;
             each = each->next) {
            const task* nobody = nullptr;
            if (!each->who.compare_exchange_strong(nobody, self, std::memory_order_relaxed))
                continue;
            each->freed.store(0, std::memory_order_relaxed);
            return *each;
        }
        auto* const made = new entry;
        made->who.store(self, std::memory_order_relaxed);
        made->next = first_.load(std::memory_order_relaxed);
        while (!first_.compare_exchange_weak(made->next, made, std::memory_order_acq_rel)) {
        }
        return *made;
    }

    std::atomic<entry*> first_{nullptr};
};

}  // namespace detail
}  // namespace wedge
