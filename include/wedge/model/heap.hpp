// The program's own heap as a zone: each `new` may reclaim, and may fail.
#pragma once

#include <atomic>
#include <cstddef>

#include "wedge/model/memory.hpp"

namespace wedge {

namespace detail {

struct heap_terms {
    memory* zone = nullptr;
    gfp flags = gfp_kernel;
};
inline std::atomic<const heap_terms*> heap{nullptr};

}  // namespace detail

/// While it lives, `new` allocates from this zone. One object at a time. It works in a program of
/// which exactly one source includes wedge/model/replace_new.hpp; elsewhere it does nothing.
///
/// Under clang's ThreadSanitizer, which has operators of its own, it does nothing either.
///
/// On real threads, every `new` of a thread that has met a lock states that it may reclaim, so the
/// order checker knows under which locks. It really reclaims or fails only in a `heap_section`.
class heap_of {
public:
    explicit heap_of(memory& zone, gfp flags = gfp_kernel) : terms_{&zone, flags} {
        detail::heap.store(&terms_, std::memory_order_release);
    }
    ~heap_of() { detail::heap.store(nullptr, std::memory_order_release); }
    heap_of(const heap_of&) = delete;
    heap_of& operator=(const heap_of&) = delete;

private:
    const detail::heap_terms terms_;
};

/// While it lives, `new` behaves as the pressure of the zone says: it runs reclaim, or throws
/// std::bad_alloc, on real threads and under control. Take no lock of wedge in here, since wedge's
/// own allocations would count too.
class heap_section : public alloc_scope {
public:
    heap_section() noexcept : alloc_scope(scope::heap) {}
};

namespace detail {

/// Returns whether `new` may succeed.
inline bool heap_allows(site where = site::current()) {
    const heap_terms* const terms = heap.load(std::memory_order_acquire);
    task* const self = current_task;
    if (terms == nullptr || self == nullptr || self->in_hook) return true;
    if ((self->scopes & scope::heap) == 0) {
        if (self->runtime == nullptr) terms->zone->might_alloc(terms->flags, where);
        return true;
    }
    struct within {
        task& self;
        explicit within(task& of) : self(of) { toggle(); }
        ~within() { toggle(); }
        void toggle() { self.scopes = static_cast<std::uint8_t>(self.scopes ^ scope::heap); }
    } const shrinkers_count_for_themselves(*self);
    return terms->zone->alloc(0, terms->flags, where);  // less than a page
}

}  // namespace detail
}  // namespace wedge
