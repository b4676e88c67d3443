// A process with memory of its own, which may be killed for it.
#pragma once

#include <utility>

#include "wedge/lock/atomic.hpp"
#include "wedge/model/how.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/model/mmap_lock.hpp"
#include "wedge/model/notifier.hpp"

namespace wedge {

/// Anonymous pages of an address space (Linux: oom_reap_task_mm). Register it with `memory::add`.
class process final : public oom_victim {
public:
    process(memory& zone, mmap_lock& mm, notifier_list& notifiers)
        : zone_(zone), mm_(mm), notifiers_(notifiers) {}

    /// Takes so many pages more; false: there were none.
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

    /// The address space is only tried, since who changes it may wait for this very memory; and a
    /// notifier that would have to wait is not waited for. Then others are looked at.
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
