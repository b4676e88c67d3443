// A journalling file system, whose inodes reclaim evicts.
#pragma once

#include <cstdint>
#include <utility>

#include "wedge/core/scopes.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/model/memory.hpp"

namespace wedge {

/// A file system with a journal (Linux: jbd2). Changes are made within handles, and a commit waits
/// for all of them. To evict an inode is a change too. So an allocation within a handle must not
/// enter the file system: it would wait for a commit, which waits for the handle.
///
///     wedge::memory zone{{.pages = 8}};
///     wedge::file_system files(zone);   // registers itself with the zone
///     files.write(4);                   // one task
///     files.commit();                   // another task
///
/// Calls block. They may be made from any task that holds no handle.
class file_system final : public shrinker {
public:
    /// @param handle_scope  the scope of allocations within a handle (Linux: memalloc_nofs_save in
    ///     start_this_handle); 0: the bug
    explicit file_system(memory& zone, std::uint8_t handle_scope = scope::nofs)
        : zone_(zone), handle_scope_(handle_scope) {
        zone_.add(*this);
    }

    /// Writes that many pages of a file within a handle. Returns false if there was no memory.
    bool write(std::uint32_t pages, site where = site::current()) {
        const shared_guard handle(handles_, where);
        const alloc_scope inside(handle_scope_);
        if (!zone_.alloc(pages, gfp_kernel, where)) return false;
        const guard held(inodes_, where);
        cached_ += pages;
        return true;
    }

    /// Commits the changes: waits for all handles, and lets no new one begin.
    void commit(site where = site::current()) { const guard all(handles_, where); }

    /// Returns the number of pages that the files have in the zone. Call it while no task runs.
    std::uint32_t cached() const noexcept { return cached_; }

    bool may_run(gfp effective) const override { return has(effective, gfp::fs); }
    /// Evicts all inodes, within a handle.
    void scan() override {
        const shared_guard handle(handles_);
        const guard held(inodes_);
        if (cached_ != 0) zone_.free(std::exchange(cached_, 0));
    }

private:
    memory& zone_;
    const std::uint8_t handle_scope_;
    shared_mutex handles_{"journal"};
    mutex inodes_{"inodes"};
    std::uint32_t cached_ = 0;  // guarded by inodes_
};

}  // namespace wedge
