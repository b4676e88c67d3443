// Explores a workload's program, or one task for each of its actions.
#pragma once

#include "wedge/explore.hpp"

/// @param text  of the program; empty: the workload's default
template <wedge::workload W>
wedge::outcome explored(const char* text = "", wedge::explore_options options = {}) {
    return wedge::explore<W>(
        *text != '\0' ? wedge::parse_program(text) : wedge::default_program<W>(), options);
}

/// In every schedule.
template <wedge::workload W>
wedge::outcome explored_fully(const char* text = "") {
    return explored<W>(text, {.how = wedge::strategy::exhaustive});
}
