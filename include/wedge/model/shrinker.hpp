// Shrinkers: what reclaim calls to get pages back.
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

    /// What a pass of reclaim calls.
    virtual void run(gfp effective) {
        if (may_run(effective)) scan();
    }
};

/// How many objects a pass asks for, from 0 for all it can to 12 for a first glance
/// (Linux: scan_control::priority).
inline constexpr unsigned shrink_priority_max = 12;

/// How many objects a pass of reclaim looks at (Linux: do_shrink_slab).
///
/// @param deferred  what earlier passes did not come to
/// @param seeks     what it costs to make an object again; 0: nothing, so half of them go
constexpr std::uint64_t shrink_target(std::uint64_t freeable, std::uint64_t deferred,
                                      unsigned seeks, unsigned priority) noexcept {
    const std::uint64_t fresh = seeks != 0 ? (freeable >> priority) * 4 / seeks : freeable / 2;
    return std::min((deferred >> priority) + fresh, 2 * freeable);
}

/// A shrinker that counts its objects, and scans them in batches.
///
/// What could not be scanned is deferred to the next pass, whoever makes it. `count` runs in
/// every pass and takes no lock, or only tries one.
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

    /// How many objects may be freed; `empty` or 0: none. A guess is allowed, a huge number from
    /// a negative one is not: it would be scanned for ever.
    virtual std::uint64_t count() = 0;
    /// Looks at so many objects.
    ///
    /// @return how many it freed; `stop`: it can make no progress in this context
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

/// Shrinkers that come and go while reclaim runs; is one itself (Linux up to 6.6:
/// shrinker_rwsem). Reclaim only tries the lock, and so skips them all while somebody registers,
/// or merely waits to.
class shrinker_list final : public shrinker {
public:
    /// Allocate before, not under the lock that reclaim tries.
    void add(shrinker& one, site where = site::current()) {
        const guard held(lock_, where);
        all_.push_back(&one);
    }
    /// Waits for the scans that run: not from one, and under no lock that a shrinker waits for.
    void remove(shrinker& one, site where = site::current()) {
        const guard held(lock_, where);
        std::erase(all_, &one);
    }
    /// Waits for the scans that run (Linux: synchronize_shrinkers).
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
