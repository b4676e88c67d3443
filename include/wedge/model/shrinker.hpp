// Shrinkers: caches that reclaim asks for pages.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/model/gfp.hpp"
#include "wedge/model/how.hpp"

namespace wedge {

/// A cache that gives pages back under pressure. It runs in the task that reclaims, on top of every
/// lock which that task holds. So it must not wait for a lock that any task holds while it
/// allocates.
///
/// Register it with `memory::add`. It must outlive the last pass.
class shrinker {
public:
    shrinker() = default;
    shrinker(const shrinker&) = delete;
    shrinker& operator=(const shrinker&) = delete;
    virtual ~shrinker() = default;

    /// Returns whether it runs for a reclaimer with these flags. Many shrinkers must not enter the
    /// file system, whose locks a NOFS caller may hold.
    virtual bool may_run([[maybe_unused]] gfp effective) const { return true; }

    /// Frees what it can by `memory::free`, in one batch.
    virtual void scan() = 0;

    /// Called by a pass of reclaim.
    virtual void run(gfp effective) {
        if (may_run(effective)) scan();
    }
};

/// How many objects a pass asks for: from 0 for all that can be freed to 12 for a first glance
/// (Linux: scan_control::priority).
inline constexpr unsigned shrink_priority_max = 12;

/// Returns how many objects a pass of reclaim looks at (Linux: do_shrink_slab).
///
/// @param deferred  objects that earlier passes did not reach
/// @param seeks     the cost of making an object again; 0: nothing, so half of them go
constexpr std::uint64_t shrink_target(std::uint64_t freeable, std::uint64_t deferred,
                                      unsigned seeks, unsigned priority) noexcept {
    const std::uint64_t fresh = seeks != 0 ? (freeable >> priority) * 4 / seeks : freeable / 2;
    return std::min((deferred >> priority) + fresh, 2 * freeable);
}

/// A shrinker that counts its objects and scans them in batches.
///
/// What could not be scanned is deferred to the next pass, whichever task makes it. `count` runs in
/// every pass, so it takes no lock or only tries one.
class counted_shrinker : public shrinker {
public:
    static constexpr std::uint64_t empty = std::numeric_limits<std::uint64_t>::max() - 1;
    static constexpr std::uint64_t stop = std::numeric_limits<std::uint64_t>::max();

    struct options {
        unsigned seeks = 2;
        std::uint64_t batch = 128;
        unsigned priority = 0;
    };

    counted_shrinker() = default;
    explicit counted_shrinker(options how) : how_(how) {}

    /// Returns how many objects may be freed; `empty` or 0: none. It may be a guess, but not a huge
    /// number that came from a negative one: that would be scanned forever.
    virtual std::uint64_t count() = 0;
    /// Looks at this many objects.
    ///
    /// @return how many it freed; `stop`: it cannot make progress in this context
    virtual std::uint64_t scan_batch(std::uint64_t objects) = 0;

    void scan() final {
        const std::uint64_t freeable = count();
        if (freeable == 0 || freeable == empty) return;
        const std::uint64_t before = deferred_.exchange(0, std::memory_order_relaxed);
        std::uint64_t left = shrink_target(freeable, before, how_.seeks, how_.priority);
        const std::uint64_t wanted = shrink_target(freeable, 0, how_.seeks, how_.priority) + before;
        std::uint64_t scanned = 0;
        while (left >= how_.batch || left >= freeable) {
            const std::uint64_t now = std::min(how_.batch, left);
            if (now == 0 || scan_batch(now) == stop) break;
            left -= now;
            scanned += now;
        }
        const std::uint64_t rest = wanted > scanned ? wanted - scanned : 0;
        deferred_.fetch_add(std::min(rest, 2 * freeable), std::memory_order_relaxed);
    }

    std::uint64_t deferred() const noexcept { return deferred_.load(std::memory_order_relaxed); }

private:
    const options how_{};
    std::atomic<std::uint64_t> deferred_{0};
};

/// Shrinkers that are added and removed while reclaim runs; it is a shrinker itself (Linux up to
/// 6.6: shrinker_rwsem). Reclaim only tries the lock, so it skips all of them while a task
/// registers one, or waits to.
class shrinker_list final : public shrinker {
public:
    /// Adds a shrinker. Allocate before the call, not under the lock that reclaim tries.
    void add(shrinker& one, site where = site::current()) {
        const guard held(lock_, where);
        all_.push_back(&one);
    }
    /// Removes a shrinker and waits for the running scans. Must not be called from a scan, or under
    /// a lock that a shrinker waits for.
    void remove(shrinker& one, site where = site::current()) {
        const guard held(lock_, where);
        std::erase(all_, &one);
    }
    /// Waits for the running scans (Linux: synchronize_shrinkers).
    void synchronise(site where = site::current()) { const guard held(lock_, where); }

    void scan() override { run(gfp_kernel); }
    void run(gfp effective) override {
        static_cast<void>(detail::locked_shared(lock_, design::how::try_, site::current(), [&] {
            for (shrinker* const each : all_) each->run(effective);
        }));
    }

private:
    shared_mutex lock_{"shrinker_rwsem"};
    std::vector<shrinker*> all_;
};

}  // namespace wedge
