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

    /// Looks at every area that maps a page of this (Linux: rmap_walk_file, which waits; callers
    /// that only age pages try since 5.19, 6d4675e60135).
    ///
    /// @return false: it gave up, since somebody changes the tree
    bool rmap_walk(design::how way, site where = site::current()) {
        return detail::locked_shared(i_mmap_, way, where, [] {});
    }

    /// Removes the page tables of a range (Linux: unmap_mapping_range; exclusive in 3.19-5.17).
    void unmap_range(site where = site::current()) { const guard held(i_mmap_, where); }

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

private:
    shared_mutex i_mmap_{"i_mmap_rwsem"};
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
