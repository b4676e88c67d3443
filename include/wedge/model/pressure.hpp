// Memory pressure as choices of the engine.
#pragma once

namespace wedge {

/// What may happen to an allocation although memory suffices. All off: allocations depend on the
/// watermarks only, and a plain exploration stays small. Each is a recorded `choose`.
struct pressure {
    bool fail_allocations = false;  ///< any but a NOFAIL one may fail
    bool force_reclaim = false;     ///< one that may reclaim directly may do so first
};

}  // namespace wedge
