#include "explain/roles.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "explain/matching.hpp"

namespace wedge::explain {

namespace {

/// The name of the function of a frame.
std::string_view function_name(std::string_view frame) {
    std::string_view name = frame.substr(0, frame.find_first_of("+ ("));
    // What the compiler adds; a point of Java or Go is part of the name.
    for (const std::string_view part : {".isra", ".part", ".constprop", ".cold", ".llvm", ".lto"})
        name = name.substr(0, name.find(part));
    const std::size_t point = name.find('.');
    if (point + 1 < name.size() && name[point + 1] >= '0' && name[point + 1] <= '9')
        name = name.substr(0, point);
    return name;
}

bool stands_in(const std::vector<std::string>& stack, std::size_t depth,
               std::initializer_list<std::string_view> functions) {
    for (std::size_t i = 0; i < stack.size() && i < depth; ++i)
        for (const std::string_view each : functions)
            if (function_name(stack[i]) == each) return true;
    return false;
}

bool is_lock_function(std::string_view name) {
    for (const std::string_view start : {"__lock_acquire",
                                         "lock_acquire",
                                         "mutex_lock",
                                         "__mutex_lock",
                                         "__mutex_trylock",
                                         "down_read",
                                         "down_write",
                                         "__down",
                                         "_raw_",
                                         "__raw_",
                                         "_spin_",
                                         "_read_",
                                         "_write_",
                                         "__ww_mutex",
                                         "ww_mutex",
                                         "rwsem_",
                                         "rt_mutex",
                                         "__rt_mutex",
                                         "check_prev",
                                         "validate_chain",
                                         "percpu_down",
                                         "__percpu_down",
                                         "lock_release",
                                         "seqcount_",
                                         "do_raw_",
                                         "rt_spin",
                                         "mark_held",
                                         "mark_lock",
                                         "queued_spin",
                                         "spin_lock",
                                         "read_lock",
                                         "write_lock",
                                         "fs_reclaim",
                                         "__fs_reclaim",
                                         "slab_",
                                         "kmem_cache_",
                                         "__kmem_cache",
                                         "kmalloc",
                                         "__kmalloc",
                                         "kvmalloc",
                                         "alloc_pages",
                                         "__alloc_pages",
                                         "__get_free",
                                         "get_zeroed_page",
                                         "prepare_alloc",
                                         "might_alloc",
                                         "__dma_fence_might_wait",
                                         "__might_fault",
                                         "might_fault",
                                         "_mutex_lock",
                                         "lockdep_",
                                         "cache_alloc",
                                         "__vmalloc",
                                         "vmalloc",
                                         "__do_kmalloc",
                                         "__schedule",
                                         "schedule",
                                         "io_schedule",
                                         "pthread_",
                                         "___pthread",
                                         "__gthread",
                                         "std::mutex",
                                         "__tsan",
                                         "mutex_trylock"})
        if (name.starts_with(start)) return true;
    return false;
}

int rank_of(role what) {
    switch (what) {
        case role::mmap_lock: return 1;
        case role::ticket: return 2;
        case role::reservation: return 3;
        case role::reclaim: return 4;
        case role::i_mmap: return 5;
        case role::notifier: return 6;
        case role::fence: return 7;
        default: return 0;
    }
}

}  // namespace

std::string_view words_of(role what) {
    switch (what) {
        case role::plain: return "a lock";
        case role::mmap_lock: return "the lock of an address space; a page fault takes it";
        case role::ticket: return "the context of wound/wait locks, no lock of its own";
        case role::reservation: return "the reservation of a buffer (dma_resv), a wound/wait lock";
        case role::reclaim: return "memory reclaim: an allocation that may have to wait for memory";
        case role::i_mmap:
            return "the lock of a file's mappings; reclaim takes it to find the users of a page";
        case role::notifier: return "an MMU notifier: reclaim calls it, and waits for it";
        case role::fence:
            return "the way to the signal of a DMA fence; to acquire it is to wait for the signal";
        case role::work: return "a work; to acquire it is to wait until it has run";
        case role::workqueue:
            return "a workqueue; to acquire it is to wait until its works have run";
        case role::completion: return "a completion; to acquire it is to wait for it";
        case role::console: return "the lock of the consoles; printing may need it";
    }
    return "a lock";
}

role role_of(const std::string& lock, const std::vector<std::string>& acquired_at) {
    const std::string_view name = lock;
    if (name == "fs_reclaim" || name == "__fs_reclaim_map") return role::reclaim;
    if (has(name, "mmu_notifier_invalidate_range_start")) return role::notifier;
    if (name.starts_with("dma_fence_map")) return role::fence;
    if (has(name, "mmap_lock") || has(name, "mmap_sem")) return role::mmap_lock;
    if (has(name, "ww_class_acquire")) return role::ticket;
    if (has(name, "reservation_ww_class_mutex")) return role::reservation;
    if (has(name, "i_mmap_")) return role::i_mmap;
    if (name.starts_with("(work_completion)") || name.starts_with("((work_completion)") ||
        has(name, "->work)->work") || name.starts_with("(&(&"))
        if (has(name, "work")) return role::work;
    if (name.starts_with("(wq_completion)") || name.starts_with("\"")) return role::workqueue;
    if (name.starts_with("(completion)") || has(name, "(complete)")) return role::completion;
    if (name.starts_with("console_lock") || name.starts_with("console_sem")) return role::console;
    if (stands_in(acquired_at, 5,
                  {"__flush_work", "flush_work", "start_flush_work", "__cancel_work_timer",
                   "__cancel_work_sync", "touch_work_lockdep_map"}))
        return role::work;
    if (stands_in(
            acquired_at, 4,
            {"flush_workqueue", "__flush_workqueue", "drain_workqueue", "touch_wq_lockdep_map"}))
        return role::workqueue;
    return role::plain;
}

/// Returns the role of what wedge names itself: its findings have these names from no user.
static role role_in_wedge(std::string_view name) {
    if (name == "reclaim" || name.starts_with("reclaim no")) return role::reclaim;
    if (name == "mmu_notifier") return role::notifier;
    if (name == "signalling") return role::fence;
    if (name.ends_with(" (work)")) return role::work;
    for (const std::string_view event : {"completion ", "condition ", "semaphore ", "the end of "})
        if (name.starts_with(event)) return role::completion;
    return role::plain;
}

std::vector<role> roles_of(const report& from) {
    std::vector<role> all;
    for (const std::string& lock : from.cycle_locks) {
        std::vector<std::string> stack;
        for (const cycle_edge& edge : from.edges)
            if (edge.to == lock) stack = edge.stack;
        const role own =
            from.reader == "wedge" && from.kind != "recursive" ? role_in_wedge(lock) : role::plain;
        all.push_back(own == role::plain ? role_of(lock, stack) : own);
    }
    return all;
}

bool is_primed(const cycle_edge& edge) {
    for (const std::string& frame : edge.stack)
        if (function_name(frame).ends_with("_lockdep")) return true;
    return false;
}

bool is_documented(role from, role to) {
    return rank_of(from) != 0 && rank_of(to) != 0 && rank_of(from) < rank_of(to);
}

bool has_readers_only(const lock_use& lock) {
    const std::string& usage = lock.usage;
    if (usage.size() < 4) return false;
    const bool has_read = usage[1] != '.' || usage[3] != '.';
    return has_read && usage[0] == '.' && usage[2] == '.';
}

std::string function_of(const std::vector<std::string>& stack) {
    for (const std::string& frame : stack) {
        const std::string_view name = function_name(frame);
        if (!name.empty() && !is_lock_function(name)) return std::string(name);
    }
    return {};
}

namespace {

/// The lock of a role and the lock before or behind it in the cycle.
struct neighbours {
    std::string before;
    std::string behind;
    bool is_there = false;
};

neighbours around(const report& from, const std::vector<role>& roles, role wanted) {
    neighbours found;
    const std::size_t size = roles.size();
    for (std::size_t i = 0; i < size; ++i) {
        if (roles[i] != wanted) continue;
        found.is_there = true;
        found.before = from.cycle_locks[(i + size - 1) % size];
        found.behind = from.cycle_locks[(i + 1) % size];
    }
    return found;
}

void advise_on_cycle(const report& from, std::vector<std::string>& advice) {
    const std::vector<role> roles = roles_of(from);
    const neighbours reclaim = around(from, roles, role::reclaim);
    const neighbours notifier = around(from, roles, role::notifier);
    const neighbours fence = around(from, roles, role::fence);
    const neighbours work = around(from, roles, role::work);
    const neighbours queue = around(from, roles, role::workqueue);
    const neighbours mmap = around(from, roles, role::mmap_lock);
    for (const cycle_edge& each : from.edges)
        if (is_primed(each) && !is_documented(role_of(each.from, {}), role_of(each.to, {})))
            advice.push_back("Ask whether the order that " + function_of(each.stack) +
                             " states is needed; if no task needs it, correct the statement.");
    if (reclaim.is_there) {
        if (!notifier.is_there && !fence.is_there)
            advice.push_back("In the shrinker, take " + reclaim.behind +
                             " by trylock and skip the object if it is busy.");
        advice.push_back("Allocate before " + reclaim.before +
                         " is taken, or under it with GFP_NOWAIT, or in a memalloc_nofs_save() or "
                         "memalloc_noreclaim_save() section.");
    }
    if (notifier.is_there)
        advice.push_back(
            "GFP_NOFS and GFP_NOIO do not keep notifiers out: no lock that a notifier "
            "takes may be held around an allocation that reclaims.");
    if (fence.is_there)
        advice.push_back(
            "On the way to the signal of a fence take nothing under which anybody "
            "waits for a fence: allocate, and take " +
            fence.behind + ", before the job is published.");
    if (work.is_there || queue.is_there) {
        const neighbours& flushed = work.is_there ? work : queue;
        advice.push_back("Flush or cancel the work before " + flushed.before +
                         " is taken, or queue it again where " + flushed.behind + " is busy.");
    }
    if (mmap.is_there && !reclaim.is_there)
        advice.push_back("Copy from or to user space before " + mmap.before +
                         " is taken: a page fault takes the lock of the address space.");
    if (around(from, roles, role::console).is_there)
        advice.push_back("Do not print or switch consoles under the other locks; defer it.");
    if (advice.empty() && from.cycle_locks.size() > 1)
        advice.push_back("Take the locks in one order everywhere, or release " + from.held_lock +
                         " before " + from.new_lock + " is taken.");
    if (std::any_of(from.locks.begin(), from.locks.end(), &has_readers_only))
        advice.push_back(
            "Only reads of a lock were seen. A reader waits for a writer that is queued "
            "before it, so look for the writer.");
}

}  // namespace

std::vector<std::string> advice_for(const report& from) {
    std::vector<std::string> advice;
    const std::string& kind = from.kind;
    const std::string& lock = from.new_lock;
    if (kind == "circular" || kind == "hung") {
        advise_on_cycle(from, advice);
    } else if (kind == "recursive") {
        advice.push_back(
            "If these are two objects, take them in a fixed order and say so by a "
            "subclass (mutex_lock_nested). If it is one object, the caller must not "
            "hold it.");
    } else if (from.usage_states.find("RECLAIM_FS") != std::string::npos) {
        advice.push_back("Take " + lock +
                         " by trylock in reclaim, or do not allocate with "
                         "GFP_KERNEL under it.");
    } else if (kind == "inconsistent" || kind == "safe-unsafe" || kind == "irq-inversion") {
        const std::string& open = kind == "safe-unsafe"     ? from.new_lock
                                  : kind == "irq-inversion" ? from.held_lock
                                                            : lock;
        advice.push_back("Disable the interrupt wherever " + open +
                         " is held: spin_lock_irqsave or spin_lock_bh.");
    } else if (kind == "wait-context" || kind == "sleeping") {
        advice.push_back(
            "Nothing that sleeps may be called under a spinlock or with interrupts "
            "off: take the lock that sleeps first, or defer the call to a work.");
    } else if (kind == "bad-unlock" || kind == "bad-contention") {
        advice.push_back("Look for a path that releases " + lock +
                         " twice or never took it, mostly an error path.");
    } else if (kind == "user-return" || kind == "still-held" || kind == "leaked-lock") {
        advice.push_back("Look for a return path without the unlock of " + lock + ".");
    } else if (kind == "held-freed") {
        advice.push_back("Release " + lock + " before the object that holds it is freed.");
    }
    return advice;
}

}  // namespace wedge::explain
