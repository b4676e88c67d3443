// A workload without its type, as the subcommands know it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wedge/explore.hpp"
#include "wedge/fuzz/design.hpp"
#include "wedge/workload/workload.hpp"

namespace wedge {

/// A row of a program's table of workloads. The subcommands are ordinary code over it.
struct workload_entry {
    std::string name;
    std::vector<std::string> actions;
    program usual;  ///< what is explored unless the user says otherwise
    std::uint64_t fingerprint = 0;
    outcome (*explore)(const program&, const explore_options&) = nullptr;
    outcome (*replay)(const schedule&, replay_mode, const explore_options&) = nullptr;
    fuzz_design (*fuzzing)() = nullptr;
    /// The expected result of a hunt; none: nothing is found.
    std::optional<result> expected = std::nullopt;
    const workload_type* type = nullptr;
};

namespace detail {

/// Returns the workload's optional `static constexpr result expects`.
template <workload W>
std::optional<result> expected_of() {
    if constexpr (requires { result{W::expects}; })
        return W::expects;
    else
        return std::nullopt;
}

}  // namespace detail

template <workload W>
workload_entry entry_of() {
    return {workload_name<W>(),      action_names<W>(),        default_program<W>(),
            fingerprint(type_of<W>), &wedge::explore<W>,       &wedge::replay<W>,
            &fuzz_design_of<W>,      detail::expected_of<W>(), &type_of<W>};
}

}  // namespace wedge
