// The engine behind wedge/explore.hpp: one source of a program includes this header.
#pragma once

#include <memory>
#include <utility>

#include "wedge/explore.hpp"
#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/search/dealt_exploration.hpp"
#include "wedge/explore/session.hpp"

namespace wedge {

// Weak: where two libraries of one program implement the engine, the linker takes either.
[[gnu::weak]] outcome explore(const workload_type& of, const program& calls,
                              const explore_options& options) {
    return dealt_exploration(options).explore(
        [&] { return std::make_unique<workload_subject>(of, calls); });
}

[[gnu::weak]] outcome explore(std::span<const std::function<void()>> tasks,
                              const explore_options& options) {
    function_subject what(tasks);
    return session(what, options).explore();
}

[[gnu::weak]] outcome replay(const workload_type& of, const schedule& along, replay_mode mode,
                             const explore_options& options) {
    workload_subject what(of, parse_program(along.program));
    return session(what, options).replay(along, mode);
}

[[gnu::weak]] outcome confirm(const workload_type& of, const finding& cycle,
                              const explore_options& options) {
    workload_subject what(of, default_program(of));
    return session(what, options).confirm(cycle);
}

}  // namespace wedge
