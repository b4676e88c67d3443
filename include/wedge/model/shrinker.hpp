// Shrinkers: what reclaim calls to get pages back.
#pragma once

#include "wedge/model/gfp.hpp"

namespace wedge {

/// A cache that gives pages back under pressure. Runs in the task that reclaims, on top of every
/// lock which that task holds, so it must not wait for a lock that anybody holds while allocating.
///
/// Register it with `memory::add`; it must outlive the last pass.
class shrinker {
public:
    shrinker() = default;
    shrinker(const shrinker&) = delete;
    shrinker& operator=(const shrinker&) = delete;
    virtual ~shrinker() = default;

    /// Whether it runs for a reclaimer with these flags. Many must not enter the file system that
    /// a NOFS caller may hold locks of.
    virtual bool may_run([[maybe_unused]] gfp effective) const { return true; }

    /// Frees what it can by `memory::free`, in one batch.
    virtual void scan() = 0;
};

}  // namespace wedge
