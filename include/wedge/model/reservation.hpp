// The reservation of a buffer object.
#pragma once

#include "wedge/lock/mutex.hpp"

namespace wedge {

/// Guards a buffer object's place and backing (Linux: dma_resv). All reservations are one class:
/// holding one while waiting for another is a finding, as long as no ticket excuses it. Its holder
/// may allocate, so reclaim may only try it.
class reservation : public mutex {
public:
    reservation() : mutex("dma_resv") {}
};

}  // namespace wedge
