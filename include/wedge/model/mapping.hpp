// The mappings of a file or a device: who maps it, and the walks over them.
#pragma once

#include "wedge/lock/shared_mutex.hpp"
#include "wedge/model/how.hpp"
#include "wedge/model/memory.hpp"

namespace wedge {

/// A mapping with its tree of areas (Linux: struct address_space, i_mmap_rwsem). Inside reclaim in
/// the established order: reclaim walks the tree, so nothing may reclaim while it is held.
class mapping {
public:
    /// Page tables that a change of a huge mapping needs, in pages: one a side.
    static constexpr std::uint32_t table_pages = 2;

    /// @param tree  the class of the tree's lock. Mappings that are never reclaimed have one of
    ///              their own, and may allocate under it (Linux: hugetlbfs_i_mmap_rwsem_key)
    explicit mapping(const char* tree = "i_mmap_rwsem") : i_mmap_(tree) {}

    /// Looks at every area that maps a page of this (Linux: rmap_walk_file, which waits; callers
    /// that only age pages try since 5.19, 6d4675e60135).
    ///
    /// @return false: it gave up, since somebody changes the tree
    template <class Body>
    bool rmap_walk(design::how way, Body body, site where = site::current()) {
        return detail::locked_shared(i_mmap_, way, where, body);
    }
    bool rmap_walk(design::how way, site where = site::current()) {
        return rmap_walk(
            way, [] {}, where);
    }

    /// Removes the page tables of a range (Linux: unmap_mapping_range; exclusive in 3.19-5.17,
    /// shared before and since).
    void unmap_range(mode how = mode::exclusive, site where = site::current()) {
        if (is_shared(how)) {
            const shared_guard held(i_mmap_, where);
        } else {
            const guard held(i_mmap_, where);
        }
    }

    /// Looks at every area, with something allocated for each of them (Linux: build_map_info of
    /// uprobes). Reclaim walks the tree, so under its lock only what is there at once is taken;
    /// the rest is allocated without the lock, and the walk starts again.
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
    /// Sound with the tables taken before (Linux: __split_huge_pmd uses a deposited one). Without
    /// memory the change is left out, as a caller that gets -ENOMEM does.
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

    /// Shares page tables with another area, and makes them under the lock (Linux:
    /// huge_pmd_share). Only for mappings whose trees reclaim does not walk.
    bool share_tables(memory& zone, site where = site::current()) {
        const shared_guard held(i_mmap_, where);
        if (!zone.alloc(1, gfp_kernel, where)) return false;
        zone.free(1, where);
        return true;
    }

private:
    shared_mutex i_mmap_;
};

/// Reclaim's own part: ages the mapped pages before it asks the shrinkers, which frees none by
/// itself (Linux: shrink_active_list -> page_referenced -> rmap_walk_file). Register it first.
class page_aging final : public shrinker {
public:
    page_aging(mapping& of, design::how way) : of_(of), way_(way) {}
    void scan() override { static_cast<void>(of_.rmap_walk(way_)); }

private:
    mapping& of_;
    const design::how way_;
};

}  // namespace wedge
