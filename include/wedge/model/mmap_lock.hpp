// The lock of an address space.
#pragma once

#include "wedge/lock/shared_mutex.hpp"

namespace wedge {

/// Taken shared by page faults and exclusively by whoever changes the mappings (Linux:
/// mm->mmap_lock). The outermost lock of the memory paths: a fault handler takes reservations
/// under it and allocates, so neither they nor reclaim may wait for it.
class mmap_lock : public shared_mutex {
public:
    mmap_lock() : shared_mutex("mmap_lock") {}
};

}  // namespace wedge
