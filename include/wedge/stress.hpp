// Stress: real threads call a workload's actions on one shared state, for a given time.
#pragma once

#include <memory>

#include "wedge/stress/options.hpp"
#include "wedge/workload/workload.hpp"

namespace wedge {

class stress_target;  // wedge/stress/target.hpp

// One source of the program implements it (docs/quick_start.md): the engine sees no user's type.
stress_outcome stress(const workload_type& of, const stress_options& options);
stress_outcome stress(std::unique_ptr<stress_target> of, const stress_options& options);

/// Stresses a workload on real threads. Blocks until the time is over and all threads have ended,
/// or until some of them can never end.
///
/// The order checker listens all the time. Its findings have no verdict, unless their deadlock
/// happens.
///
/// @throws error  the program calls an action that does not exist
template <workload W>
stress_outcome stress(const stress_options& options = {}) {
    return stress(type_of<W>, options);
}

}  // namespace wedge

#if defined(WEDGE_IMPLEMENT)
#include "wedge/implement/order.hpp"
#include "wedge/implement/stress.hpp"
#endif
