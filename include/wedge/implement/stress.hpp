// The engine behind wedge/stress.hpp: one source of a program includes this header.
#pragma once

#include <memory>
#include <utility>

#include "wedge/stress.hpp"
#include "wedge/stress/runner.hpp"

namespace wedge {

// Weak: where two libraries of one program implement the engine, the linker takes either.
[[gnu::weak]] stress_outcome stress(const workload_type& of, const stress_options& options) {
    return stress(std::make_unique<stressed_workload>(of), options);
}
[[gnu::weak]] stress_outcome stress(std::unique_ptr<stress_target> of,
                                    const stress_options& options) {
    return stress_run(std::move(of), options).run();
}

}  // namespace wedge
