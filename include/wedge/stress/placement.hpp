// Puts threads on processors.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include <sched.h>

#include "wedge/stress/load.hpp"

namespace wedge {

/// Returns the processors that this process may use, in the order of their numbers.
inline std::vector<int> usable_processors() {
    std::vector<int> all;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return all;
    for (int i = 0; i < CPU_SETSIZE; ++i)
        if (CPU_ISSET(static_cast<std::size_t>(i), &set)) all.push_back(i);
    return all;
}

/// Returns the memory node of a processor; 0 if the system does not say.
inline int node_of_processor(int processor) {
    for (int node = 0; node < 64; ++node) {
        const std::string path = "/sys/devices/system/node/node" + std::to_string(node) + "/cpu" +
                                 std::to_string(processor);
        if (std::ifstream(path + "/topology/core_id").good()) return node;
    }
    return 0;
}

/// Returns the processors in the order in which threads take them.
inline std::vector<int> placed_processors(stress_placement how) {
    const std::vector<int> usable = usable_processors();
    if (how != stress_placement::spread) return usable;
    std::vector<std::vector<int>> nodes(64);
    for (const int each : usable)
        nodes[static_cast<std::size_t>(node_of_processor(each))].push_back(each);
    std::vector<int> order;
    for (std::size_t turn = 0; order.size() < usable.size(); ++turn)
        for (const std::vector<int>& node : nodes)
            if (turn < node.size()) order.push_back(node[turn]);
    return order;
}

/// Keeps the calling thread on one processor. Has no effect if the system refuses.
inline void run_on_processor(int processor) noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(processor), &set);
    ::sched_setaffinity(0, sizeof set, &set);
}
/// Lets the calling thread run on all of these processors.
inline void run_on_processors(const std::vector<int>& all) noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int each : all) CPU_SET(static_cast<std::size_t>(each), &set);
    ::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace wedge
