// User pages that a device uses in place, until the core wants them back.
#pragma once

#include <concepts>

#include "wedge/model/notifier.hpp"

namespace wedge {

/// A buffer of user pages (Linux: amdgpu_mn.c, i915_gem_userptr.c).
///
/// Its callback takes its lock and holds it while it waits for the device. So nothing may be
/// allocated under this lock, and no reservation taken.
///
/// @tparam Idle  () -> void, waits until the device no longer uses the pages
template <std::invocable Idle>
class userptr final : public mmu_notifier {
public:
    explicit userptr(Idle wait_for_device) : wait_for_device_(wait_for_device) {}

    bool invalidate(bool may_block) override {
        // The device may use them, which cannot be known without waiting.
        if (!may_block) return false;
        const guard held(lock_);
        pages_.begin();
        wait_for_device_();
        return true;
    }
    void invalidated() override { pages_.end(); }

    /// Runs the body under the lock, with pages that are present until it returns.
    ///
    /// @param collect  () -> bool, makes the pages present; called without a lock, each time that
    ///     they vanish before the lock is taken. False: it failed
    /// @param outer    (inner), takes the locks that come before this one and calls inner()
    template <class Collect, class Outer, class Body>
    bool use(Collect collect, Outer outer, Body body, site where = site::current()) {
        for (bool is_done = false;;) {
            const std::uint32_t seen = pages_.read_begin(where);
            if (!collect()) return false;
            outer([&] {
                const guard held(lock_, where);
                if (pages_.read_retry(seen, where)) return;
                body();
                is_done = true;
            });
            if (is_done) return true;
        }
    }

private:
    const Idle wait_for_device_;
    mutex lock_{"notifier_lock"};
    notifier_sequence pages_;
};

}  // namespace wedge
