// A workload as a fuzz target sees it: without its type, and with numbered actions.
#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "wedge/fuzz/action_program.hpp"
#include "wedge/workload/outcome.hpp"
#include "wedge/workload/workload.hpp"

namespace wedge {

/// A row of a target's table of workloads.
struct fuzz_design {
    std::string name;
    std::vector<std::string> actions;
    const workload_type* type = nullptr;
    std::string expected{};  ///< the result that the workload states; empty: nothing is found
};

template <workload W>
fuzz_design fuzz_design_of() {
    static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(W::actions)>> > 0 &&
                      std::tuple_size_v<std::remove_cvref_t<decltype(W::actions)>> <=
                          action_program::actions_max,
                  "a fuzzed workload has 1 to 32 actions");
    fuzz_design made{workload_name<W>(), action_names<W>(), &type_of<W>};
    if constexpr (requires { result{W::expects}; }) made.expected = name_of(result{W::expects});
    return made;
}

}  // namespace wedge
