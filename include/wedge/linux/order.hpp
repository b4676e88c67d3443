// The order that the kernel's own code takes its locks in, stated by taking them once.
#pragma once

#include "wedge/linux/fence.hpp"
#include "wedge/linux/mm.hpp"

namespace wedge::kernel {

/// Takes the locks of the memory paths once, in the kernel's order: mmap_lock, a context and a
/// reservation, reclaim, i_mmap, the notifiers, and a wait for a fence (Linux does so at boot, in
/// dma_resv_lockdep). After that one run of a driver's path is enough for a finding, although no
/// fault has met a contended object. Call it in one task, while no other task runs.
inline void state_kernel_order(site where = site::current()) {
    machine& here = machine::here();
    struct dma_resv object;
    struct ww_acquire_ctx ctx;
    struct address_space mapping;
    dma_resv_init(&object);
    mmap_read_lock(&here.mm, where);
    ww_acquire_init(&ctx, &reservation_ww_class, where);
    static_cast<void>(dma_resv_lock(&object, &ctx, where));
    fs_reclaim_acquire(GFP_KERNEL, where);
    i_mmap_lock_write(&mapping, where);
    i_mmap_unlock_write(&mapping, where);
    {
        const reclaim_order::notifier_section callbacks(here.memory().order(), where);
        here.signalling.touch(where);
    }
    fs_reclaim_release(GFP_KERNEL, where);
    dma_resv_unlock(&object, where);
    ww_acquire_fini(&ctx, where);
    mmap_read_unlock(&here.mm, where);
}

}  // namespace wedge::kernel
