// Stating a lock order at start-up, before any path has run.
#pragma once

#include <span>

#include "wedge/core/steps.hpp"

namespace wedge {

/// A lock of a stated order, by the name of its class.
struct primed_lock {
    const char* name;
    mode how = mode::exclusive;  ///< how it is taken under the locks before it
};

/// Tells the order checker that each lock may be taken while all locks before it are held (rule 20;
/// Linux: dma_resv_lockdep). It is evidence like any other: a path that does the opposite is found
/// the first time it runs, and the finding says where the order was stated.
///
/// Call it when the locks exist, since a class gets its options from its first lock.
inline void prime(std::span<const primed_lock> order, site where = site::current()) {
    task& self = current();
    for (std::size_t to = 1; to < order.size(); ++to)
        for (std::size_t from = 0; from < to; ++from)
            detail::emit(self, {.kind = event_kind::prime,
                                .how = order[to].how,
                                .class_id = lock_class(order[to].name).id(),
                                .payload = std::uint64_t{lock_class(order[from].name).id()} << 32,
                                .where = where});
}

}  // namespace wedge
