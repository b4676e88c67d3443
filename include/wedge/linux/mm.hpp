// Address spaces: mmap_lock, faults, user copies, pinned pages, mappings and interval notifiers.
#pragma once

#include <algorithm>
#include <vector>

#include "wedge/linux/wait.hpp"

namespace wedge::kernel {

inline void mmap_read_lock(struct mm_struct* mm, site where = site::current()) {
    down_read(&mm->mmap_lock, where);
}
inline int mmap_read_lock_killable(struct mm_struct* mm, site where = site::current()) {
    return down_read_killable(&mm->mmap_lock, where);
}
inline bool mmap_read_trylock(struct mm_struct* mm, site where = site::current()) {
    return down_read_trylock(&mm->mmap_lock, where) != 0;
}
inline void mmap_read_unlock(struct mm_struct* mm, site where = site::current()) {
    up_read(&mm->mmap_lock, where);
}
inline void mmap_write_lock(struct mm_struct* mm, site where = site::current()) {
    down_write(&mm->mmap_lock, where);
}
inline int mmap_write_lock_killable(struct mm_struct* mm, site where = site::current()) {
    return down_write_killable(&mm->mmap_lock, where);
}
inline bool mmap_write_trylock(struct mm_struct* mm, site where = site::current()) {
    return down_write_trylock(&mm->mmap_lock, where) != 0;
}
inline void mmap_write_unlock(struct mm_struct* mm, site where = site::current()) {
    up_write(&mm->mmap_lock, where);
}
inline void mmap_write_downgrade(struct mm_struct* mm, site where = site::current()) {
    downgrade_write(&mm->mmap_lock, where);
}
inline void mmap_assert_locked(struct mm_struct* mm, site where = site::current()) {
    assert_held(*mm->mmap_lock.lock, where);
}

struct file {
    void* private_data = nullptr;
    struct address_space* f_mapping = nullptr;
};
struct address_space {
    struct rw_semaphore i_mmap_rwsem {
        "&mapping->i_mmap_rwsem"
    };
};
inline void i_mmap_lock_write(struct address_space* of, site where = site::current()) {
    down_write(&of->i_mmap_rwsem, where);
}
inline void i_mmap_unlock_write(struct address_space* of, site where = site::current()) {
    up_write(&of->i_mmap_rwsem, where);
}
inline void i_mmap_lock_read(struct address_space* of, site where = site::current()) {
    down_read(&of->i_mmap_rwsem, where);
}
inline void i_mmap_unlock_read(struct address_space* of, site where = site::current()) {
    up_read(&of->i_mmap_rwsem, where);
}
/// Takes the pages of a range out of all page tables.
inline void unmap_mapping_range(struct address_space* of, loff_t, loff_t, int,
                                site where = site::current()) {
    i_mmap_lock_read(of, where);
    i_mmap_unlock_read(of, where);
}

// Faults.
using vm_fault_t = unsigned;
inline constexpr vm_fault_t VM_FAULT_OOM = 1;
inline constexpr vm_fault_t VM_FAULT_SIGBUS = 2;
inline constexpr vm_fault_t VM_FAULT_NOPAGE = 0x100;
inline constexpr vm_fault_t VM_FAULT_LOCKED = 0x200;
inline constexpr vm_fault_t VM_FAULT_RETRY = 0x400;
inline constexpr unsigned FAULT_FLAG_WRITE = 1;
inline constexpr unsigned FAULT_FLAG_ALLOW_RETRY = 4;
inline constexpr unsigned FAULT_FLAG_RETRY_NOWAIT = 8;
inline constexpr unsigned FAULT_FLAG_KILLABLE = 16;
inline constexpr unsigned FAULT_FLAG_TRIED = 32;

struct vm_fault {
    struct vm_area_struct* vma = nullptr;
    unsigned flags = 0;
    unsigned long address = 0;
    unsigned long pgoff = 0;
};
struct vm_operations_struct {
    void (*open)(struct vm_area_struct*) = nullptr;
    void (*close)(struct vm_area_struct*) = nullptr;
    vm_fault_t (*fault)(struct vm_fault*) = nullptr;
};
struct vm_area_struct {
    struct mm_struct* vm_mm = nullptr;
    unsigned long vm_start = 0;
    unsigned long vm_end = 0;
    unsigned long vm_pgoff = 0;
    unsigned long vm_flags = 0;
    const struct vm_operations_struct* vm_ops = nullptr;
    struct file* vm_file = nullptr;
    void* vm_private_data = nullptr;
};
inline bool fault_flag_allow_retry_first(unsigned flags) noexcept {
    return (flags & FAULT_FLAG_ALLOW_RETRY) != 0 && (flags & FAULT_FLAG_TRIED) == 0;
}
/// Handles a fault of an area, as the processor's fault handler does: under mmap_lock, and again if
/// the driver's handler has dropped the lock and asks for it. Returns whether the page is there.
inline bool handle_user_fault(struct vm_area_struct* area, unsigned flags = 0,
                              site where = site::current()) {
    for (flags |= FAULT_FLAG_ALLOW_RETRY;; flags |= FAULT_FLAG_TRIED) {
        mmap_read_lock(area->vm_mm, where);
        struct vm_fault fault {
            .vma = area, .flags = flags
        };
        const vm_fault_t got = area->vm_ops->fault(&fault);
        if ((got & VM_FAULT_RETRY) != 0) continue;
        mmap_read_unlock(area->vm_mm, where);
        return (got & (VM_FAULT_OOM | VM_FAULT_SIGBUS)) == 0;
    }
}

// Copies between the kernel and a process. A copy may fault, and says so even if the page is there.
inline void pagefault_disable() noexcept {
    detail::enter_scope(scope::nofault);
}
inline void pagefault_enable() noexcept {
    detail::leave_scope(scope::nofault, 0);
}
namespace detail {
/// @return whether it copied
inline bool touch_user_page(site where) {
    machine& here = machine::here();
    const bool may_fault = (current().scopes & scope::nofault) == 0;
    if (may_fault) {
        here.might_sleep(where);
        wedge::might_lock_shared(*here.mm.mmap_lock.lock, where);
    }
    if (choose(2, "the user's page is missing") == 0) return true;
    if (!may_fault) return false;
    if (here.mm.user_area != nullptr) return handle_user_fault(here.mm.user_area, 0, where);
    mmap_read_lock(&here.mm, where);
    const bool has_page = here.memory().alloc(0, gfp_kernel, where);
    mmap_read_unlock(&here.mm, where);
    return has_page;
}
}  // namespace detail
/// Returns the number of bytes that were not copied.
inline unsigned long copy_from_user(void* to, const void* from, unsigned long bytes,
                                    site where = site::current()) {
    if (!detail::touch_user_page(where)) return bytes;
    if (to != nullptr && from != nullptr) std::memcpy(to, from, bytes);
    return 0;
}
inline unsigned long copy_to_user(void* to, const void* from, unsigned long bytes,
                                  site where = site::current()) {
    return copy_from_user(to, from, bytes, where);
}
inline unsigned long __copy_from_user_inatomic(void* to, const void* from, unsigned long bytes,
                                               site where = site::current()) {
    pagefault_disable();
    const unsigned long left = copy_from_user(to, from, bytes, where);
    pagefault_enable();
    return left;
}
#define get_user(value, from) \
    (::wedge::kernel::copy_from_user(&(value), (from), sizeof(value)) != 0 ? -EFAULT : 0)
#define put_user(value, to) \
    (::wedge::kernel::copy_to_user((to), &(value), sizeof(value)) != 0 ? -EFAULT : 0)

inline constexpr unsigned FOLL_WRITE = 1;
inline constexpr unsigned FOLL_LONGTERM = 0x10000;
/// Pins user pages. The caller holds mmap_lock. Returns their number or an error.
inline long pin_user_pages(unsigned long, unsigned long pages, unsigned, struct page** into,
                           site where = site::current()) {
    machine& here = machine::here();
    mmap_assert_locked(&here.mm, where);
    if (!here.memory().alloc(0, gfp_kernel, where)) return -ENOMEM;
    if (into != nullptr) std::fill_n(into, pages, nullptr);
    return static_cast<long>(pages);
}
inline long get_user_pages(unsigned long at, unsigned long pages, unsigned flags,
                           struct page** into, site where = site::current()) {
    return pin_user_pages(at, pages, flags, into, where);
}
/// Pins user pages. It may take mmap_lock, and says so even if it does not.
inline int pin_user_pages_fast(unsigned long at, int pages, unsigned flags, struct page** into,
                               site where = site::current()) {
    machine& here = machine::here();
    wedge::might_lock_shared(*here.mm.mmap_lock.lock, where);
    if (choose(2, "the user's page is missing") == 0) return pages;
    mmap_read_lock(&here.mm, where);
    const long got = pin_user_pages(at, static_cast<unsigned long>(pages), flags, into, where);
    mmap_read_unlock(&here.mm, where);
    return static_cast<int>(got);
}
inline int get_user_pages_fast(unsigned long at, int pages, unsigned flags, struct page** into,
                               site where = site::current()) {
    return pin_user_pages_fast(at, pages, flags, into, where);
}
inline void unpin_user_pages(struct page**, unsigned long) {}

// Interval notifiers.
struct mmu_notifier_range {
    struct mm_struct* mm = nullptr;
    bool may_block = true;
};
inline bool mmu_notifier_range_blockable(const struct mmu_notifier_range* range) noexcept {
    return range->may_block;
}
struct mmu_interval_notifier_ops {
    bool (*invalidate)(struct mmu_interval_notifier*, const struct mmu_notifier_range*,
                       unsigned long cur_seq) = nullptr;
};
struct mmu_interval_notifier {
    struct mm_struct* mm = nullptr;
    const struct mmu_interval_notifier_ops* ops = nullptr;
    std::optional<wedge::wait_queue> idle;
    wedge::atomic<unsigned> active{0, "mmu_interval active"};
    wedge::atomic<unsigned long> seq{0, "mmu_interval seq"};
};
inline void mmu_interval_set_seq(struct mmu_interval_notifier* of, unsigned long seq,
                                 site where = site::current()) {
    of->seq.store(seq, where);
}
/// Waits while an invalidation runs.
inline unsigned long mmu_interval_read_begin(struct mmu_interval_notifier* of,
                                             site where = site::current()) {
    of->idle->wait([&] { return of->active.load(where) == 0; }, where);
    return of->seq.load(where);
}
inline bool mmu_interval_read_retry(struct mmu_interval_notifier* of, unsigned long seen,
                                    site where = site::current()) {
    return of->seq.load(where) != seen || of->active.load(where) != 0;
}
inline int mmu_interval_notifier_insert(struct mmu_interval_notifier* of, struct mm_struct* mm,
                                        unsigned long, unsigned long,
                                        const struct mmu_interval_notifier_ops* ops,
                                        site where = site::current()) {
    of->mm = mm;
    of->ops = ops;
    of->idle.emplace("mmu_interval idle");
    const wedge::guard held(mm->notifiers_lock, where);
    mm->notifiers.push_back(of);
    return 0;
}
/// Waits until no callback runs.
inline void mmu_interval_notifier_remove(struct mmu_interval_notifier* of,
                                         site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    might_sleep(where);
    {
        const wedge::guard held(of->mm->notifiers_lock, where);
        std::erase(of->mm->notifiers, of);
    }
    of->mm->srcu.lock(where);
    of->mm->srcu.unlock(where);
}
/// Takes the user's pages away, as munmap or reclaim does: it calls all notifiers. Returns false if
/// one would have had to wait.
inline bool invalidate_user_pages(struct mm_struct* mm, bool may_block = true,
                                  site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    machine& here = machine::here();
    struct srcu_section {
        mm_struct* mm;
        site where;
        ~srcu_section() WEDGE_NO_THREAD_SAFETY { mm->srcu.unlock_shared(where); }
    };
    mm->srcu.lock_shared(where);
    const srcu_section reading{mm, where};
    std::vector<mmu_interval_notifier*> all;
    {
        const wedge::guard held(mm->notifiers_lock, where);
        all = mm->notifiers;
    }
    const struct mmu_notifier_range range { .mm = mm, .may_block = may_block };
    const reclaim_order::notifier_section callbacks(here.memory().order(), where);
    for (mmu_interval_notifier* const each : all) {
        each->active.fetch_add(1, where);
        const bool has_let_go = each->ops->invalidate(each, &range, each->seq.load(where) + 1);
        if (each->active.fetch_sub(1, where) == 1) each->idle->wake_up_all(where);
        if (!has_let_go) return false;
    }
    return true;
}

/// The running task, as the kernel's macro.
struct current_type {
    wedge::task& operator()() const noexcept { return wedge::current(); }
    struct task_struct* operator->() const {
        return &machine::here().process;
    }
    operator struct task_struct *() const { return &machine::here().process; }
};
inline constexpr current_type current{};

}  // namespace wedge::kernel
