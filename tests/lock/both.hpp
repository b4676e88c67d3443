// Runs tasks in a live program and under control.
#pragma once

#include <functional>
#include <initializer_list>
#include <thread>
#include <vector>

#include "wedge/explore.hpp"
#include "wedge/wedge.hpp"

namespace both {

using tasks = std::initializer_list<std::function<void()>>;

/// Runs them on real threads at once.
inline void natively(tasks bodies) {
    std::vector<std::thread> threads;
    for (const std::function<void()>& each : bodies) threads.emplace_back(each);
    for (std::thread& each : threads) each.join();
}

/// Explores every schedule.
inline wedge::outcome controlled(tasks bodies, wedge::explore_options options = {}) {
    options.how = wedge::strategy::exhaustive;
    return wedge::explore(bodies, options);
}

}  // namespace both
