// Locks of single areas of an address space. A fault under one needs no mmap lock.
#pragma once

#include "wedge/lock/atomic.hpp"
#include "wedge/model/mmap_lock.hpp"

namespace wedge {

/// The lock of an area (Linux since 6.4). Faults only try it, and fall back to the mmap lock if
/// that fails. A writer marks the area under the mmap lock; then readers stay out until the writer
/// unmarks all areas at once.
class vma_lock {
public:
    /// The sequence of an address space. Marks of earlier writers have older numbers.
    class sequence {
    public:
        /// Unmarks every area. Called before the mmap lock is released.
        void end_writes(site where = site::current()) { now_.fetch_add(1, where); }

    private:
        friend class vma_lock;
        atomic<std::uint32_t> now_{1, "mm_lock_seq"};
    };

    explicit vma_lock(sequence& of) : of_(of) {}

    /// Tries to take it shared and never waits. If it returns false, the fault must take the mmap
    /// lock.
    bool try_read(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        if (is_marked(where) || !lock_.try_lock_shared(where)) return false;
        if (!is_marked(where)) return true;
        lock_.unlock_shared(where);
        return false;
    }
    void end_read(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        lock_.unlock_shared(where);
    }

    /// Waits for its readers, and keeps new ones out. The caller holds the mmap lock exclusively.
    /// Under i_mmap use `try_write` instead, since areas are locked before mappings.
    void write(site where = site::current()) {
        const guard held(lock_, where);
        mark(where);
    }
    bool try_write(site where = site::current()) {
        const try_guard held(lock_, where);
        if (held) mark(where);
        return static_cast<bool>(held);
    }

private:
    bool is_marked(site where) const { return mark_.load(where) == of_.now_.load(where); }
    void mark(site where) { mark_.store(of_.now_.load(where), where); }

    sequence& of_;
    shared_mutex lock_{"vma_lock"};
    atomic<std::uint32_t> mark_{0, "vma_lock_seq"};
};

}  // namespace wedge
