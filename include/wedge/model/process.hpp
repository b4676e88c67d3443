// A process with memory of its own, which may be killed for it.
#pragma once

#include <utility>

#include "wedge/lock/atomic.hpp"
#include "wedge/model/how.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/model/mmap_lock.hpp"
#include "wedge/model/notifier.hpp"

namespace wedge {

/// A process with anonymous pages, which may be killed for them (Linux: oom_reap_task_mm). Register
/// it with `memory::add`.
class process final : public oom_victim {
public:
    process(memory& zone, mmap_lock& mm, notifier_list& notifiers)
        : zone_(zone), mm_(mm), notifiers_(notifiers) {}

    /// Takes more pages; returns false if there are none.
    bool grow(std::uint32_t pages, site where = site::current()) {
        const shared_guard held(mm_, where);
        if (!zone_.alloc(pages, gfp_kernel, where)) return false;
        pages_.fetch_add(pages, where);
        return true;
    }
    void exit(site where = site::current()) {
        const guard held(mm_, where);
        zone_.free(pages_.exchange(0, where), where);
    }
    std::uint32_t pages(site where = site::current()) const { return pages_.load(where); }

    /// Frees its pages. It only tries the address space, because a task that changes it may wait
    /// for this very memory, and it does not wait for a notifier. If it fails, other victims are
    /// tried.
    bool reap() override {
        bool has_freed = false;
        static_cast<void>(detail::locked_shared(mm_, design::how::try_, site::current(), [&] {
            notifiers_.invalidate(false, [&] {
                const std::uint32_t pages = pages_.exchange(0);
                zone_.free(pages);
                has_freed = pages != 0;
            });
        }));
        return has_freed;
    }

private:
    memory& zone_;
    mmap_lock& mm_;
    notifier_list& notifiers_;
    atomic<std::uint32_t> pages_{0, "rss"};
};

}  // namespace wedge
