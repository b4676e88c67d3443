// Fences, reservations, GEM objects and drm_exec.
#pragma once

#include <algorithm>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/linux/wait.hpp"
#include "wedge/lock/ww_mutex.hpp"
#include "wedge/model/fence.hpp"

namespace wedge::kernel {

// Wound/wait mutexes.
struct ww_class {
    std::optional<wedge::ww_class> own;
    wedge::ww_class* of = nullptr;
    explicit ww_class(const char* name) : own(name), of(&*own) {}
};
#define DEFINE_WW_CLASS(name)        \
    ::wedge::kernel::ww_class name { \
#name                        \
    }
#define DEFINE_WD_CLASS(name)        \
    ::wedge::kernel::ww_class name { \
#name                        \
    }

struct ww_acquire_ctx {
    std::optional<ww_ticket> ticket;
};
struct ww_mutex {
    std::optional<wedge::ww_mutex> lock;
    wedge::ww_mutex& get() {
        if (!lock)
            ::wedge::detail::raise<std::logic_error>("a ww_mutex is used that was not initialised");
        return *lock;
    }
};
inline void ww_acquire_init(struct ww_acquire_ctx* ctx, struct ww_class* of,
                            site where = site::current()) {
    ctx->ticket.emplace(*of->of, where);
}
inline void ww_acquire_done(struct ww_acquire_ctx* ctx, site where = site::current()) {
    ctx->ticket->done(where);
}
inline void ww_acquire_fini(struct ww_acquire_ctx* ctx, site where = site::current()) {
    ctx->ticket->end(where);
    ctx->ticket.reset();
}
inline void ww_mutex_init(struct ww_mutex* at, struct ww_class* of) {
    at->lock.emplace(*of->of);
}
namespace detail {
inline int error_of(ww_result got) noexcept {
    switch (got) {
        case ww_result::ok: return 0;
        case ww_result::already: return -EALREADY;
        case ww_result::back_off: return -EDEADLK;
        case ww_result::interrupted: break;
    }
    return -EINTR;
}
}  // namespace detail
/// Returns 0, -EDEADLK if the context must back off, or -EALREADY.
inline int ww_mutex_lock(struct ww_mutex* at, struct ww_acquire_ctx* ctx,
                         site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    if (ctx != nullptr) return detail::error_of(at->get().lock(*ctx->ticket, where));
    at->get().lock(where);
    return 0;
}
inline int ww_mutex_lock_interruptible(struct ww_mutex* at, struct ww_acquire_ctx* ctx,
                                       site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    if (ctx != nullptr) return detail::error_of(at->get().lock_interruptible(*ctx->ticket, where));
    return at->get().lock_interruptible(where) ? 0 : -EINTR;
}
inline void ww_mutex_lock_slow(struct ww_mutex* at, struct ww_acquire_ctx* ctx,
                               site where = site::current()) {
    at->get().lock_slow(*ctx->ticket, where);
}
inline int ww_mutex_lock_slow_interruptible(struct ww_mutex* at, struct ww_acquire_ctx* ctx,
                                            site where = site::current()) {
    return detail::error_of(at->get().lock_slow_interruptible(*ctx->ticket, where));
}
/// Returns 1 if it took the lock. A context is not needed.
inline int ww_mutex_trylock(struct ww_mutex* at, struct ww_acquire_ctx* = nullptr,
                            site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    return at->get().try_lock(where) ? 1 : 0;
}
inline void ww_mutex_unlock(struct ww_mutex* at,
                            site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->get().unlock(where);
}
inline bool ww_mutex_is_locked(struct ww_mutex* at) {
    return current().held.find(at->get().identity().instance()) != nullptr;
}

// Fences.
struct dma_fence;
struct dma_fence_ops {
    const char* (*get_driver_name)(struct dma_fence*) = nullptr;
    const char* (*get_timeline_name)(struct dma_fence*) = nullptr;
    bool (*enable_signaling)(struct dma_fence*) = nullptr;
    bool (*signaled)(struct dma_fence*) = nullptr;
    void (*release)(struct dma_fence*) = nullptr;
    void (*fence_value_str)(struct dma_fence*, char*, int) = nullptr;
    void (*timeline_value_str)(struct dma_fence*, char*, int) = nullptr;
};
struct dma_fence_cb {
    void (*func)(struct dma_fence*, struct dma_fence_cb*) = nullptr;
    bool is_added = false;
};
using dma_fence_func_t = void (*)(struct dma_fence*, struct dma_fence_cb*);

/// A fence. Its signaller must not wait for what a waiter may hold (rule 19).
struct dma_fence {
    spinlock_t* lock = nullptr;
    const struct dma_fence_ops* ops = nullptr;
    struct kref refcount;
    int error = 0;
    u64 context = 0;
    u64 seqno = 0;
    std::unique_ptr<wedge::fence> done;
    std::vector<struct dma_fence_cb*> callbacks;  // guarded by *lock
};
inline u64 dma_fence_context_alloc(unsigned) noexcept {
    return 1;
}
inline void dma_fence_init(struct dma_fence* at, const struct dma_fence_ops* ops, spinlock_t* lock,
                           u64 context, u64 seqno) {
    at->lock = lock;
    at->ops = ops;
    at->context = context;
    at->seqno = seqno;
    at->refcount.count.emplace(1U, "&fence->refcount");
    at->done = std::make_unique<wedge::fence>("dma_fence", &machine::here().signalling);
}
inline struct dma_fence* dma_fence_get(struct dma_fence* at, site where = site::current()) {
    if (at != nullptr) kref_get(&at->refcount, where);
    return at;
}
/// Returns the fence with another reference; null: the last one was put already.
inline struct dma_fence* dma_fence_get_rcu(struct dma_fence* at, site where = site::current()) {
    return kref_get_unless_zero(&at->refcount, where) != 0 ? at : nullptr;
}
inline void dma_fence_free(struct dma_fence* at) {
    kfree(at);
}
inline void dma_fence_put(struct dma_fence* at, site where = site::current()) {
    if (at == nullptr) return;
    at->refcount.get().put(
        [at] {
            if (at->ops != nullptr && at->ops->release != nullptr)
                at->ops->release(at);
            else
                dma_fence_free(at);
        },
        where);
}
inline bool dma_fence_is_signaled(struct dma_fence* at, site where = site::current()) {
    return at->done->is_signalled(where);
}
inline bool dma_fence_is_signaled_locked(struct dma_fence* at, site where = site::current()) {
    return dma_fence_is_signaled(at, where);
}
/// Signals with the fence's lock held. The callbacks run under it.
inline int dma_fence_signal_locked(struct dma_fence* at, site where = site::current()) {
    lockdep_assert_held(at->lock);
    if (at->done->is_signalled(where)) return -EINVAL;
    at->done->signal(where);
    for (struct dma_fence_cb* const each : std::exchange(at->callbacks, {})) {
        each->is_added = false;
        each->func(at, each);
    }
    return 0;
}
inline int dma_fence_signal(struct dma_fence* at, site where = site::current()) {
    const unsigned long flags = detail::lock_and_save(at->lock, where);
    const int error = dma_fence_signal_locked(at, where);
    spin_unlock_irqrestore(at->lock, flags, where);
    return error;
}
inline void dma_fence_set_error(struct dma_fence* at, int error) noexcept {
    at->error = error;
}
inline int dma_fence_add_callback(struct dma_fence* at, struct dma_fence_cb* one,
                                  dma_fence_func_t body, site where = site::current()) {
    const unsigned long flags = detail::lock_and_save(at->lock, where);
    const bool is_late = at->done->is_signalled(where);
    if (!is_late) {
        one->func = body;
        one->is_added = true;
        at->callbacks.push_back(one);
    }
    spin_unlock_irqrestore(at->lock, flags, where);
    return is_late ? -ENOENT : 0;
}
inline bool dma_fence_remove_callback(struct dma_fence* at, struct dma_fence_cb* one,
                                      site where = site::current()) {
    const unsigned long flags = detail::lock_and_save(at->lock, where);
    const bool was_added = std::exchange(one->is_added, false);
    if (was_added) std::erase(at->callbacks, one);
    spin_unlock_irqrestore(at->lock, flags, where);
    return was_added;
}
/// Returns the jiffies that are left, 0 if the time is over, or -ERESTARTSYS.
inline long dma_fence_wait_timeout(struct dma_fence* at, bool interruptible, long timeout,
                                   site where = site::current()) {
    if (interruptible && wedge::detail::is_interrupted()) {
        might_sleep(where);
        machine::here().signalling.touch(where);
        return at->done->is_signalled(where) ? max(timeout, 1L) : -ERESTARTSYS;
    }
    if (timeout == MAX_SCHEDULE_TIMEOUT) {
        at->done->wait(where);
        return timeout;
    }
    return at->done->wait_for(detail::duration_of(static_cast<unsigned long>(timeout)), where)
               ? max(timeout, 1L)
               : 0;
}
inline long dma_fence_wait(struct dma_fence* at, bool interruptible, site where = site::current()) {
    const long left = dma_fence_wait_timeout(at, interruptible, MAX_SCHEDULE_TIMEOUT, where);
    return left < 0 ? left : 0;
}
/// States that the code up to dma_fence_end_signalling is on the way to signal a fence.
inline bool dma_fence_begin_signalling(site where = site::current()) {
    return machine::here().signalling.enter(where);
}
inline void dma_fence_end_signalling(bool cookie, site where = site::current()) {
    if (cookie) machine::here().signalling.leave(where);
}

// Reservations.
enum dma_resv_usage {
    DMA_RESV_USAGE_KERNEL,
    DMA_RESV_USAGE_WRITE,
    DMA_RESV_USAGE_READ,
    DMA_RESV_USAGE_BOOKKEEP,
};
struct dma_resv {
    struct ww_mutex lock;
    unsigned reserved = 0;  // guarded by lock, as the list
    struct entry {
        struct dma_fence* fence;
        enum dma_resv_usage usage;
    };
    std::vector<entry> fences;
};
inline void dma_resv_init(struct dma_resv* at) {
    at->lock.lock.emplace(machine::here().reservations);
}
inline void dma_resv_fini(struct dma_resv* at) {
    for (const dma_resv::entry& each : at->fences) dma_fence_put(each.fence);
    at->fences.clear();
}
/// The class of all reservations of a machine, for ww_acquire_init.
struct reservation_class {};
inline constexpr struct reservation_class reservation_ww_class {};
inline void ww_acquire_init(struct ww_acquire_ctx* ctx, const struct reservation_class*,
                            site where = site::current()) {
    ctx->ticket.emplace(machine::here().reservations, where);
}
inline int dma_resv_lock(struct dma_resv* at, struct ww_acquire_ctx* ctx,
                         site where = site::current()) {
    return ww_mutex_lock(&at->lock, ctx, where);
}
inline int dma_resv_lock_interruptible(struct dma_resv* at, struct ww_acquire_ctx* ctx,
                                       site where = site::current()) {
    return ww_mutex_lock_interruptible(&at->lock, ctx, where);
}
inline void dma_resv_lock_slow(struct dma_resv* at, struct ww_acquire_ctx* ctx,
                               site where = site::current()) {
    ww_mutex_lock_slow(&at->lock, ctx, where);
}
inline bool dma_resv_trylock(struct dma_resv* at, site where = site::current()) {
    return ww_mutex_trylock(&at->lock, nullptr, where) != 0;
}
inline bool dma_resv_is_locked(struct dma_resv* at) {
    return ww_mutex_is_locked(&at->lock);
}
inline void dma_resv_unlock(struct dma_resv* at, site where = site::current()) {
    at->reserved = 0;
    ww_mutex_unlock(&at->lock, where);
}
inline void dma_resv_assert_held(struct dma_resv* at, site where = site::current()) {
    assert_held(at->lock.get(), where);
}
#define dma_resv_held(at) dma_resv_is_locked(at)
inline int dma_resv_reserve_fences(struct dma_resv* at, unsigned n, site where = site::current()) {
    dma_resv_assert_held(at, where);
    might_alloc(GFP_KERNEL, where);
    if (!machine::here().memory().alloc(0, gfp_kernel, where)) return -ENOMEM;
    at->reserved = max(at->reserved, n);
    return 0;
}
inline void dma_resv_add_fence(struct dma_resv* at, struct dma_fence* fence,
                               enum dma_resv_usage usage, site where = site::current()) {
    dma_resv_assert_held(at, where);
    if (at->reserved == 0) detail::warn(true, "a fence is added without a reserved slot", where);
    --at->reserved;
    at->fences.push_back({dma_fence_get(fence, where), usage});
}
inline bool dma_resv_test_signaled(struct dma_resv* at, enum dma_resv_usage up_to,
                                   site where = site::current()) {
    return std::all_of(at->fences.begin(), at->fences.end(), [&](const dma_resv::entry& each) {
        return each.usage > up_to || dma_fence_is_signaled(each.fence, where);
    });
}
/// Waits for the fences. The caller holds the reservation.
inline long dma_resv_wait_timeout(struct dma_resv* at, enum dma_resv_usage up_to, bool intr,
                                  unsigned long timeout, site where = site::current()) {
    might_sleep(where);
    machine::here().signalling.touch(where);
    long left = timeout != 0 ? static_cast<long>(timeout) : 1;
    for (const dma_resv::entry& each : std::vector(at->fences)) {
        if (each.usage > up_to) continue;
        left = dma_fence_wait_timeout(each.fence, intr, left, where);
        if (left <= 0) return left;
    }
    return left;
}

// GEM objects.
struct drm_device {
    struct device* dev = nullptr;
    void* dev_private = nullptr;
    spinlock_t event_lock{"&dev->event_lock"};
};
struct drm_gem_object;
struct drm_gem_object_funcs {
    void (*free)(struct drm_gem_object*) = nullptr;
};
struct drm_gem_object {
    struct kref refcount;
    struct drm_device* dev = nullptr;
    std::size_t size = 0;
    struct dma_resv* resv = nullptr;
    struct dma_resv _resv;
    const struct drm_gem_object_funcs* funcs = nullptr;
};
inline void drm_gem_private_object_init(struct drm_device* dev, struct drm_gem_object* at,
                                        std::size_t size) {
    at->dev = dev;
    at->size = size;
    at->refcount.count.emplace(1U, "&obj->refcount");
    dma_resv_init(&at->_resv);
    if (at->resv == nullptr) at->resv = &at->_resv;
}
inline void drm_gem_object_get(struct drm_gem_object* at, site where = site::current()) {
    kref_get(&at->refcount, where);
}
inline void drm_gem_object_put(struct drm_gem_object* at, site where = site::current()) {
    if (at != nullptr) at->refcount.get().put([at] { at->funcs->free(at); }, where);
}
inline void drm_gem_object_release(struct drm_gem_object* at) {
    dma_resv_fini(&at->_resv);
}

/// Locks the reservations of several objects under a context, and backs off as often as needed.
///
/// @return 0, or -EINTR; then nothing is locked
inline int drm_gem_lock_reservations(struct drm_gem_object** objects, int count,
                                     struct ww_acquire_ctx* ctx, site where = site::current()) {
    ww_acquire_init(ctx, &reservation_ww_class, where);
    for (int contended = -1, error = -EDEADLK; error == -EDEADLK;) {
        const int first = contended;
        error = 0;
        if (first != -1)
            error = ww_mutex_lock_slow_interruptible(&objects[first]->resv->lock, ctx, where);
        for (int i = 0; i < count && error == 0; ++i) {
            if (i == first) continue;
            error = dma_resv_lock_interruptible(objects[i]->resv, ctx, where);
            if (error == -EALREADY) error = 0;  // named twice
            if (error == -EDEADLK) contended = i;
        }
        if (error == 0) break;
        ctx->ticket->unlock_all(where);
        if (error == -EDEADLK) continue;
        ww_acquire_fini(ctx, where);
        return error;
    }
    ww_acquire_done(ctx, where);
    return 0;
}
inline void drm_gem_unlock_reservations(struct drm_gem_object**, int, struct ww_acquire_ctx* ctx,
                                        site where = site::current()) {
    ctx->ticket->unlock_all(where);
    ww_acquire_fini(ctx, where);
}

// drm_exec: takes any number of objects, and starts again when it must back off.
inline constexpr unsigned DRM_EXEC_INTERRUPTIBLE_WAIT = 1;
inline constexpr unsigned DRM_EXEC_IGNORE_DUPLICATES = 2;
struct drm_exec {
    unsigned flags = 0;
    struct ww_acquire_ctx ticket;
    std::vector<struct drm_gem_object*> objects;  // locked
    struct drm_gem_object* contended = nullptr;
    bool is_begun = false;
    bool is_to_retry = false;
};
namespace detail {
inline void unlock_all(struct drm_exec* exec, site where) {
    while (!exec->objects.empty()) {
        dma_resv_unlock(exec->objects.back()->resv, where);
        drm_gem_object_put(exec->objects.back(), where);
        exec->objects.pop_back();
    }
}
}  // namespace detail
inline void drm_exec_init(struct drm_exec* exec, unsigned flags, unsigned = 0) {
    exec->flags = flags;
}
inline void drm_exec_fini(struct drm_exec* exec, site where = site::current()) {
    detail::unlock_all(exec, where);
    if (exec->contended != nullptr) drm_gem_object_put(exec->contended, where);
    exec->contended = nullptr;
    if (exec->is_begun) ww_acquire_fini(&exec->ticket, where);
    exec->is_begun = false;
}
/// Prepares another round; returns whether one is needed. Called by drm_exec_until_all_locked.
inline bool drm_exec_cleanup(struct drm_exec* exec, site where = site::current()) {
    if (!exec->is_begun) {
        ww_acquire_init(&exec->ticket, &reservation_ww_class, where);
        exec->is_begun = true;
        return true;
    }
    if (exec->contended == nullptr) {
        ww_acquire_done(&exec->ticket, where);
        return false;
    }
    detail::unlock_all(exec, where);
    return true;
}
inline int drm_exec_lock_obj(struct drm_exec* exec, struct drm_gem_object* obj,
                             site where = site::current()) {
    if (struct drm_gem_object* const first = std::exchange(exec->contended, nullptr)) {
        const bool intr = (exec->flags & DRM_EXEC_INTERRUPTIBLE_WAIT) != 0;
        const int error =
            intr ? ww_mutex_lock_slow_interruptible(&first->resv->lock, &exec->ticket, where)
                 : (ww_mutex_lock_slow(&first->resv->lock, &exec->ticket, where), 0);
        if (error != 0) {
            drm_gem_object_put(first, where);
            return error;
        }
        exec->objects.push_back(first);
    }
    const bool intr = (exec->flags & DRM_EXEC_INTERRUPTIBLE_WAIT) != 0;
    const int error = intr ? dma_resv_lock_interruptible(obj->resv, &exec->ticket, where)
                           : dma_resv_lock(obj->resv, &exec->ticket, where);
    if (error == -EDEADLK) {
        drm_gem_object_get(obj, where);
        exec->contended = obj;
        return error;
    }
    // The contended object, which was locked first, or one that is named twice.
    const bool is_known =
        std::find(exec->objects.begin(), exec->objects.end(), obj) != exec->objects.end();
    if (error == -EALREADY && is_known) return 0;
    if (error != 0) return error;
    drm_gem_object_get(obj, where);
    exec->objects.push_back(obj);
    return 0;
}
inline int drm_exec_prepare_obj(struct drm_exec* exec, struct drm_gem_object* obj, unsigned fences,
                                site where = site::current()) {
    const int error = drm_exec_lock_obj(exec, obj, where);
    if (error != 0) return error;
    return fences == 0 ? 0 : dma_resv_reserve_fences(obj->resv, fences, where);
}
#define drm_exec_until_all_locked(exec) while (::wedge::kernel::drm_exec_cleanup(exec))
#define drm_exec_retry_on_contention(exec) \
    if ((exec)->contended != nullptr) continue
#define drm_exec_is_contended(exec) ((exec)->contended != nullptr)
#define drm_exec_for_each_locked_object(exec, index, obj)                               \
    for ((index) = 0; (index) < (exec)->objects.size() &&                               \
                      ((obj) = (exec)->objects[static_cast<std::size_t>(index)], true); \
         ++(index))

}  // namespace wedge::kernel
