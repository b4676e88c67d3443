// The kernel's allocations, their scopes, and shrinkers.
#pragma once

#include <map>

#include "wedge/linux/machine.hpp"

namespace wedge::kernel {

// The low bits are those of wedge::gfp.
inline constexpr gfp_t __GFP_DIRECT_RECLAIM = static_cast<gfp_t>(gfp::direct_reclaim);
inline constexpr gfp_t __GFP_KSWAPD_RECLAIM = static_cast<gfp_t>(gfp::kswapd_reclaim);
inline constexpr gfp_t __GFP_RECLAIM = __GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM;
inline constexpr gfp_t __GFP_IO = static_cast<gfp_t>(gfp::io);
inline constexpr gfp_t __GFP_FS = static_cast<gfp_t>(gfp::fs);
inline constexpr gfp_t __GFP_HIGH = static_cast<gfp_t>(gfp::high);
inline constexpr gfp_t __GFP_NORETRY = static_cast<gfp_t>(gfp::noretry);
inline constexpr gfp_t __GFP_RETRY_MAYFAIL = static_cast<gfp_t>(gfp::retry_mayfail);
inline constexpr gfp_t __GFP_NOFAIL = static_cast<gfp_t>(gfp::nofail);
inline constexpr gfp_t __GFP_NOLOCKDEP = static_cast<gfp_t>(gfp::nolockdep);
inline constexpr gfp_t __GFP_NOWARN = 1U << 20;
inline constexpr gfp_t __GFP_ZERO = 1U << 21;
inline constexpr gfp_t __GFP_ACCOUNT = 1U << 22;
inline constexpr gfp_t __GFP_COMP = 1U << 23;
inline constexpr gfp_t __GFP_HIGHMEM = 1U << 24;
inline constexpr gfp_t __GFP_DMA32 = 1U << 25;
inline constexpr gfp_t GFP_KERNEL = static_cast<gfp_t>(gfp_kernel);
inline constexpr gfp_t GFP_KERNEL_ACCOUNT = GFP_KERNEL | __GFP_ACCOUNT;
inline constexpr gfp_t GFP_USER = GFP_KERNEL;
inline constexpr gfp_t GFP_HIGHUSER = GFP_KERNEL;
inline constexpr gfp_t GFP_NOFS = static_cast<gfp_t>(gfp_nofs);
inline constexpr gfp_t GFP_NOIO = static_cast<gfp_t>(gfp_noio);
inline constexpr gfp_t GFP_NOWAIT = static_cast<gfp_t>(gfp_nowait);
inline constexpr gfp_t GFP_ATOMIC = static_cast<gfp_t>(gfp_atomic);

namespace detail {

constexpr gfp gfp_of(gfp_t flags) noexcept {
    return static_cast<gfp>(flags & 0x1ffU);
}

/// A block on its way to its pointer, whose type says what object to make in it. A C driver clears
/// the memory; here the object is constructed, so that its locks are wedge's.
class fresh_block {
public:
    fresh_block(block* made, std::size_t objects) noexcept : made_(made), objects_(objects) {}

    template <class T>
    operator T*() const {
        if (made_ == nullptr) return nullptr;
        if constexpr (std::is_void_v<T>) {
            return made_->data();
        } else {
            auto* const first = static_cast<std::remove_cv_t<T>*>(made_->data());
            if constexpr (!std::is_trivially_default_constructible_v<T>)
                for (; made_->objects < objects_; ++made_->objects)
                    new (first + made_->objects) T();
            if constexpr (!std::is_trivially_destructible_v<T>)
                made_->destroy = [](void* at, std::size_t objects) {
                    while (objects != 0) static_cast<T*>(at)[--objects].~T();
                };
            return first;
        }
    }
    explicit operator bool() const noexcept { return made_ != nullptr; }

private:
    block* made_;
    std::size_t objects_;
};

inline fresh_block allocated(std::size_t bytes, std::size_t objects, gfp_t flags, site where) {
    machine& here = machine::here();
    return {here.allocate(bytes, gfp_of(flags), where), objects};
}

}  // namespace detail

inline detail::fresh_block kmalloc(std::size_t bytes, gfp_t flags, site where = site::current()) {
    return detail::allocated(bytes, 1, flags, where);
}
inline detail::fresh_block kzalloc(std::size_t bytes, gfp_t flags, site where = site::current()) {
    return detail::allocated(bytes, 1, flags, where);
}
inline detail::fresh_block kvmalloc(std::size_t bytes, gfp_t flags, site where = site::current()) {
    return detail::allocated(bytes, 1, flags, where);
}
inline detail::fresh_block kvzalloc(std::size_t bytes, gfp_t flags, site where = site::current()) {
    return detail::allocated(bytes, 1, flags, where);
}
inline detail::fresh_block vmalloc(std::size_t bytes, site where = site::current()) {
    return detail::allocated(bytes, 1, GFP_KERNEL, where);
}
inline detail::fresh_block kcalloc(std::size_t n, std::size_t bytes, gfp_t flags,
                                   site where = site::current()) {
    return detail::allocated(n * bytes, n, flags, where);
}
inline detail::fresh_block kmalloc_array(std::size_t n, std::size_t bytes, gfp_t flags,
                                         site where = site::current()) {
    return kcalloc(n, bytes, flags, where);
}
inline detail::fresh_block kvmalloc_array(std::size_t n, std::size_t bytes, gfp_t flags,
                                          site where = site::current()) {
    return kcalloc(n, bytes, flags, where);
}
inline detail::fresh_block kvcalloc(std::size_t n, std::size_t bytes, gfp_t flags,
                                    site where = site::current()) {
    return kcalloc(n, bytes, flags, where);
}
inline void kfree(const void* at, site where = site::current()) {
    if (at == nullptr || IS_ERR(at)) return;
    detail::block& of = detail::block::of_data(at);
    of.of->free(of, where);
}
inline void kvfree(const void* at, site where = site::current()) {
    kfree(at, where);
}
inline void vfree(const void* at, site where = site::current()) {
    kfree(at, where);
}
#define struct_size(at, member, n) (sizeof(*(at)) + sizeof((at)->member[0]) * (n))

/// A cache of objects of one size. Its objects are like those of kzalloc.
struct kmem_cache {
    std::size_t bytes = 0;
};
inline detail::fresh_block kmem_cache_alloc(struct kmem_cache* of, gfp_t flags,
                                            site where = site::current()) {
    return kzalloc(of->bytes, flags, where);
}
inline detail::fresh_block kmem_cache_zalloc(struct kmem_cache* of, gfp_t flags,
                                             site where = site::current()) {
    return kzalloc(of->bytes, flags, where);
}
inline void kmem_cache_free(struct kmem_cache*, const void* at, site where = site::current()) {
    kfree(at, where);
}

struct page {
    unsigned order = 0;
};
inline struct page* alloc_pages(gfp_t flags, unsigned order, site where = site::current()) {
    struct page* const made = detail::allocated(PAGE_SIZE << order, 1, flags, where);
    if (made != nullptr) made->order = order;
    return made;
}
inline struct page* alloc_page(gfp_t flags, site where = site::current()) {
    return alloc_pages(flags, 0, where);
}
inline void __free_pages(struct page* of, unsigned, site where = site::current()) {
    kfree(of, where);
}
inline void __free_page(struct page* of, site where = site::current()) {
    kfree(of, where);
}

/// States that an allocation is possible here (rule 18).
inline void might_alloc(gfp_t flags, site where = site::current()) {
    machine& here = machine::here();
    here.memory().might_alloc(detail::gfp_of(flags), where);
}

// Scopes. The flags are those of the task before.
namespace detail {
inline unsigned enter_scope(std::uint8_t bits) noexcept {
    std::uint8_t& scopes = current().scopes;
    const unsigned before = scopes & bits;
    scopes = static_cast<std::uint8_t>(scopes | bits);
    return before;
}
inline void leave_scope(std::uint8_t bits, unsigned before) noexcept {
    std::uint8_t& scopes = current().scopes;
    scopes = static_cast<std::uint8_t>((scopes & ~unsigned{bits}) | before);
}
}  // namespace detail
inline unsigned memalloc_nofs_save() noexcept {
    return detail::enter_scope(scope::nofs);
}
inline void memalloc_nofs_restore(unsigned flags) noexcept {
    detail::leave_scope(scope::nofs, flags);
}
inline unsigned memalloc_noio_save() noexcept {
    return detail::enter_scope(scope::noio);
}
inline void memalloc_noio_restore(unsigned flags) noexcept {
    detail::leave_scope(scope::noio, flags);
}
inline unsigned memalloc_noreclaim_save() noexcept {
    return detail::enter_scope(scope::noreclaim);
}
inline void memalloc_noreclaim_restore(unsigned flags) noexcept {
    detail::leave_scope(scope::noreclaim, flags);
}

/// States that the code up to fs_reclaim_release runs in reclaim, as drivers do at start-up to
/// teach an order.
inline void fs_reclaim_acquire(gfp_t flags, site where = site::current()) {
    machine::here().memory().order().enter(detail::gfp_of(flags), where);
}
inline void fs_reclaim_release(gfp_t flags, site where = site::current()) {
    machine::here().memory().order().leave(detail::gfp_of(flags), where);
}

// Shrinkers.
inline constexpr unsigned long SHRINK_STOP = ~0UL;
inline constexpr unsigned long SHRINK_EMPTY = ~0UL - 1;
inline constexpr int DEFAULT_SEEKS = 2;

struct shrink_control {
    gfp_t gfp_mask = 0;
    int nid = 0;
    unsigned long nr_to_scan = 0;
    unsigned long nr_scanned = 0;
};

/// A cache that reclaim asks for memory (Linux: struct shrinker). `scan_objects` frees memory by
/// kfree; the number that it returns is not added to the free pages.
struct shrinker final : wedge::shrinker {
    unsigned long (*count_objects)(struct shrinker*, struct shrink_control*) = nullptr;
    unsigned long (*scan_objects)(struct shrinker*, struct shrink_control*) = nullptr;
    long batch = 0;
    int seeks = DEFAULT_SEEKS;
    unsigned flags = 0;
    void* private_data = nullptr;

    void scan() override { run(gfp_kernel); }
    void run(gfp effective) override {
        struct shrink_control control;
        control.gfp_mask = static_cast<gfp_t>(effective);
        const unsigned long freeable = count_objects(this, &control);
        if (freeable == 0 || freeable == SHRINK_EMPTY) return;
        const unsigned long at_once = batch > 0 ? static_cast<unsigned long>(batch) : 128;
        for (unsigned long left = freeable; left != 0;) {
            control.nr_to_scan = control.nr_scanned = min(left, at_once);
            if (scan_objects(this, &control) == SHRINK_STOP) return;
            left -= min(left, max(control.nr_scanned, 1UL));
        }
    }
};
template <class... Name>
int register_shrinker(struct shrinker* one, const Name&...) {
    machine::here().shrinkers.add(*one);
    return 0;
}
inline void unregister_shrinker(struct shrinker* one, site where = site::current()) {
    machine::here().shrinkers.remove(*one, where);
}
template <class... Name>
struct shrinker* shrinker_alloc(unsigned flags, const Name&...) {
    struct shrinker* const made = kzalloc(sizeof(struct shrinker), GFP_KERNEL);
    if (made != nullptr) made->flags = flags;
    return made;
}
inline void shrinker_register(struct shrinker* one) {
    machine::here().shrinkers.add(*one);
}
inline void shrinker_free(struct shrinker* one) {
    machine::here().shrinkers.remove(*one);
    kfree(one);
}

}  // namespace wedge::kernel
