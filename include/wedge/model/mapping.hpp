// The mappings of a file or a device: the areas that map it, and the walks over them.
#pragma once

#include "wedge/lock/shared_mutex.hpp"
#include "wedge/model/how.hpp"
#include "wedge/model/memory.hpp"

namespace wedge {

/// A mapping with its tree of areas (Linux: struct address_space, i_mmap_rwsem). In the established
/// order the tree's lock is taken inside of reclaim: reclaim walks the tree, so nothing may reclaim
/// while the lock is held.
class mapping {
public:
    /// The page tables that a change of a huge mapping needs, in pages: one per side.
    static constexpr std::uint32_t table_pages = 2;

    /// @param tree  the class of the tree's lock. A mapping that is never reclaimed has a class of
    ///     its own, and may allocate under that lock (Linux: hugetlbfs_i_mmap_rwsem_key)
    explicit mapping(const char* tree = "i_mmap_rwsem") : i_mmap_(tree) {}

    /// Looks at every area that maps a page of this mapping (Linux: rmap_walk_file, which waits;
    /// callers that only age pages try since 5.19, 6d4675e60135).
    ///
    /// @return false: it gave up, because another task changes the tree
    template <class Body>
    bool rmap_walk(design::how way, Body body, site where = site::current()) {
        return detail::locked_shared(i_mmap_, way, where, body);
    }
    bool rmap_walk(design::how way, site where = site::current()) {
        return rmap_walk(
            way, [] {}, where);
    }

    /// Removes the page tables of a range (Linux: unmap_mapping_range, exclusive in 3.19-5.17 and
    /// shared before and since).
    void unmap_range(mode how = mode::exclusive, site where = site::current()) {
        if (is_shared(how)) {
            const shared_guard held(i_mmap_, where);
        } else {
            const guard held(i_mmap_, where);
        }
    }

    /// Looks at every area and allocates something for each (Linux: build_map_info of uprobes).
    /// Reclaim walks the tree, so under its lock only memory that is free at once is taken. The
    /// rest is allocated without the lock, and the walk starts again.
    ///
    /// @return false: there is no memory
    bool build_map_info(std::uint32_t areas, memory& zone, site where = site::current()) {
        std::uint32_t taken = 0;
        bool has_memory = true;
        for (bool is_complete = false; has_memory && !is_complete;) {
            rmap_walk(
                design::how::block,
                [&] {
                    while (taken < areas && zone.alloc(1, gfp_nowait, where)) ++taken;
                    is_complete = taken == areas;
                },
                where);
            if (is_complete) break;
            has_memory = zone.alloc(areas - taken, gfp_kernel, where);
            if (has_memory) taken = areas;
        }
        zone.free(taken, where);
        return has_memory;
    }

    /// Changes the tree, for which new page tables are needed.
    ///
    /// It is sound if the tables are allocated before (Linux: __split_huge_pmd uses a deposited
    /// one). Without memory the change is left out, as by a caller that gets -ENOMEM.
    void change_tables(memory& zone, design::alloc_at when, site where = site::current()) {
        bool has_tables = false;
        if (when == design::alloc_at::before_imap)
            has_tables = zone.alloc(table_pages, gfp_kernel, where);
        if (has_tables || when == design::alloc_at::under_imap) {
            const guard held(i_mmap_, where);
            if (when == design::alloc_at::under_imap)
                has_tables = zone.alloc(table_pages, gfp_kernel, where);
        }
        if (has_tables) zone.free(table_pages, where);
    }

    /// Shares page tables with another area, and makes them under the lock (Linux: huge_pmd_share).
    /// Only for mappings whose trees reclaim does not walk.
    bool share_tables(memory& zone, site where = site::current()) {
        const shared_guard held(i_mmap_, where);
        if (!zone.alloc(1, gfp_kernel, where)) return false;
        zone.free(1, where);
        return true;
    }

private:
    shared_mutex i_mmap_;
};

/// Ages the mapped pages, which is what reclaim does before it asks the shrinkers. It frees no
/// pages itself (Linux: shrink_active_list -> page_referenced -> rmap_walk_file). Register it
/// first.
class page_aging final : public shrinker {
public:
    page_aging(mapping& of, design::how way) : of_(of), way_(way) {}
    void scan() override { static_cast<void>(of_.rmap_walk(way_)); }

private:
    mapping& of_;
    const design::how way_;
};

}  // namespace wedge
