// RCU and SRCU.
#pragma once

#include "wedge/linux/memory.hpp"

namespace wedge::kernel {

/// Begins a section that synchronize_rcu waits for. It must not sleep.
inline void rcu_read_lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    machine::here().rcu.lock_shared(where);
}
inline void rcu_read_unlock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    machine::here().rcu.unlock_shared(where);
}
/// Waits until all sections that have begun have ended.
inline void synchronize_rcu(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    machine& here = machine::here();
    here.might_sleep(where);
    here.rcu.lock(where);
    here.rcu.unlock(where);
}
#define rcu_dereference(what) (what)
#define rcu_dereference_protected(what, condition) (what)
#define rcu_assign_pointer(to, what) ((to) = (what))
#define rcu_access_pointer(what) (what)

struct rcu_head {
    std::unique_ptr<work_item> item;
};
/// Runs the function later, when all sections that have begun have ended.
inline void call_rcu(struct rcu_head* head, void (*body)(struct rcu_head*),
                     site where = site::current()) {
    machine& here = machine::here();
    if (here.rcu_queue == nullptr)
        here.rcu_queue = std::make_unique<wedge::workqueue>(1U, "rcu_callbacks");
    head->item = std::make_unique<work_item>(
        [&here, head, body]() WEDGE_NO_THREAD_SAFETY {
            here.rcu.lock();
            here.rcu.unlock();
            body(head);
        },
        "rcu callback");
    here.rcu_queue->queue(*head->item, {}, where);
}
/// Waits for all functions that call_rcu was told of.
inline void rcu_barrier(site where = site::current()) {
    machine& here = machine::here();
    if (here.rcu_queue != nullptr) here.rcu_queue->flush_all(where);
}
#define kfree_rcu(at, member)                                                                      \
    ::wedge::kernel::call_rcu(&(at)->member, [](::wedge::kernel::rcu_head* head) {                 \
        ::wedge::kernel::kfree(container_of(head, std::remove_pointer_t<__typeof__(at)>, member)); \
    })

struct srcu_struct {
    std::optional<checked<detail::plain_srcu>> readers;
};
#define init_srcu_struct(at) \
    ((at)->readers.emplace(::wedge::lock_class(#at, {.reads_nest = true})), 0)
inline void cleanup_srcu_struct(struct srcu_struct* at) {
    at->readers.reset();
}
inline int srcu_read_lock(struct srcu_struct* at,
                          site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->readers->lock_shared(where);
    return 0;
}
inline void srcu_read_unlock(struct srcu_struct* at, int,
                             site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->readers->unlock_shared(where);
}
inline void synchronize_srcu(struct srcu_struct* at,
                             site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    machine::here().might_sleep(where);
    at->readers->lock(where);
    at->readers->unlock(where);
}

}  // namespace wedge::kernel
