// MMU notifiers: devices that must let go of user pages before the core takes them away.
#pragma once

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "wedge/lock/condition.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/model/mmap_lock.hpp"

namespace wedge {

/// A device that has user pages mapped (Linux: mmu_notifier, mmu_interval_notifier).
class mmu_notifier {
public:
    mmu_notifier() = default;
    mmu_notifier(const mmu_notifier&) = delete;
    mmu_notifier& operator=(const mmu_notifier&) = delete;
    virtual ~mmu_notifier() = default;

    /// Lets go of the pages. It runs in the task that invalidates, which may be a reclaimer: it
    /// must not allocate with direct reclaim, nor take a lock that others hold over an allocation.
    /// It may wait for fences.
    ///
    /// @param may_block  false (the OOM reaper): it must neither sleep nor wait
    /// @return false: it would have had to wait; the invalidation is given up
    virtual bool invalidate(bool may_block) = 0;
    /// Called when the pages are gone, if `invalidate` returned true.
    virtual void invalidated() {}
};

/// The notifiers of an address space. They may be added and removed while other tasks invalidate.
class notifier_list {
public:
    explicit notifier_list(memory& zone) : zone_(zone) {}

    /// @param mm  held exclusively
    void add(mmu_notifier& one, mmap_lock& mm, site where = site::current()) {
        assert_held_exclusively(mm, where);
        const guard held(list_lock_, where);
        all_.push_back(&one);
    }
    /// Removes a notifier and waits until none of its callbacks runs. Must not be called from a
    /// callback, or under a lock that one takes.
    void remove(mmu_notifier& one, site where = site::current()) {
        {
            const guard held(list_lock_, where);
            std::erase(all_, &one);
        }
        synchronise(where);
    }
    /// Waits for the invalidations that are running (Linux: synchronize_srcu).
    void synchronise(site where = site::current()) { const guard all_readers(srcu_, where); }

    /// Calls all notifiers. After all have let go it calls `body`, which takes the pages away.
    ///
    /// @return false: one could not let go; nothing was taken away
    template <class Body>
    bool invalidate(bool may_block, Body body, site where = site::current()) {
        const srcu_section reading(srcu_, where);
        std::vector<mmu_notifier*> called;
        {
            const guard held(list_lock_, where);
            called = all_;
        }
        auto last = called.begin();
        {
            const reclaim_order::notifier_section callbacks(zone_.order(), where);
            while (last != called.end() && (*last)->invalidate(may_block)) ++last;
        }
        const bool have_let_go = last == called.end();
        if (have_let_go) body();
        std::for_each(called.begin(), last, [](mmu_notifier* each) { each->invalidated(); });
        return have_let_go;
    }

private:
    /// A reader waits only for a writer that holds the lock, and writers hold it for a moment. So
    /// sections nest and never wait for each other. std::shared_mutex forbids nested reads, SRCU
    /// does not.
    using srcu = checked<std::shared_mutex>;

    class srcu_section {
    public:
        srcu_section(srcu& lock, site where) WEDGE_NO_THREAD_SAFETY : lock_(lock), where_(where) {
            lock_.lock_shared(where_);
        }
        ~srcu_section() WEDGE_NO_THREAD_SAFETY { lock_.unlock_shared(where_); }
        srcu_section(const srcu_section&) = delete;
        srcu_section& operator=(const srcu_section&) = delete;

    private:
        srcu& lock_;
        const site where_;
    };

    memory& zone_;
    srcu srcu_{lock_class("mmu_notifier_srcu", {.reads_nest = true})};
    spinlock list_lock_{"mmu_notifier_list"};
    std::vector<mmu_notifier*> all_;  // guarded by list_lock_
};

/// Tells a driver whether the pages that it has collected are still present (Linux: the sequence of
/// an interval notifier).
///
///     do {
///         seq = pages.read_begin();                  // without the driver's lock
///         collect();
///         lock(driver);
///     } while (pages.read_retry(seq) && (unlock(driver), true));
class notifier_sequence {
public:
    /// Waits while an invalidation runs. Call it under no lock that its callbacks take.
    std::uint32_t read_begin(site where = site::current()) {
        const guard held(lock_, where);
        while (active_ != 0) idle_.wait(held, where);
        return count_;
    }
    /// Returns whether an invalidation has begun since. The caller holds the lock that the callback
    /// takes to begin one, so the answer stays true.
    bool read_retry(std::uint32_t seen, site where = site::current()) {
        const guard held(lock_, where);
        return seen != count_;
    }

    /// Begins an invalidation. Called by the callback, under the driver's lock.
    void begin(site where = site::current()) {
        const guard held(lock_, where);
        ++active_;
        ++count_;
    }
    void end(site where = site::current()) {
        const guard held(lock_, where);
        if (--active_ == 0) idle_.notify_all(where);
    }

private:
    spinlock lock_{"mmu_interval_sequence"};
    condition idle_{lock_class("mmu_interval_idle", {.keeps_mutex = true})};
    std::uint32_t active_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace wedge
