// Signalling: sections in which a task has promised to signal a fence, and waits for fences.
#pragma once

#include "wedge/lock/pseudo_lock.hpp"

namespace wedge {

/// The order between what the signaller of a fence does and what waits for a fence (rule 19; Linux:
/// dma_fence_begin_signalling, __dma_fence_might_wait). One map serves all fences that may wait for
/// each other. A section is a plain read of the map; a wait for a fence takes it exclusively for a
/// moment.
template <class Level = default_level>
class basic_signalling_map {
public:
    /// States that a fence is waited for here, or may be. The task's own section does not count: a
    /// wait in the middle of it is found by the order of what the section needs.
    void touch(site where = site::current()) {
        const bool is_inside = map_.is_held();
        if (is_inside) map_.release(mode::shared, where);
        map_.touch(mode::exclusive, where);
        if (is_inside) map_.acquire(mode::shared, where);
    }

    /// Enters a section.
    ///
    /// @return whether `leave` must end the section. Not if it is nested in another section of the
    ///     task or entered where the task cannot sleep; such a section orders nothing
    [[nodiscard]] bool enter(site where = site::current()) {
        if (map_.is_held() || detail::cannot_sleep(current())) return false;
        map_.acquire(mode::shared, where);
        return true;
    }
    void leave(site where = site::current()) { map_.release(mode::shared, where); }

private:
    basic_pseudo_lock<Level> map_{"signalling", /*is_promise=*/true};
};

using signalling_map = basic_signalling_map<>;

/// States that the running task will signal a fence, until the end of the block.
template <class Map = signalling_map>
class signalling_section {
public:
    explicit signalling_section(Map& map, site where = site::current())
        : map_(map), where_(where), is_outermost_(map.enter(where)) {}
    ~signalling_section() {
        if (is_outermost_) map_.leave(where_);
    }
    signalling_section(const signalling_section&) = delete;
    signalling_section& operator=(const signalling_section&) = delete;

private:
    Map& map_;
    const site where_;
    const bool is_outermost_;
};

}  // namespace wedge
