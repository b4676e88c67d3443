// Explores a workload with a program, or with one task per action.
#pragma once

#include "wedge/explore.hpp"

/// @param text  of the program; empty: the workload's default program
template <wedge::workload W>
wedge::outcome explored(const char* text = "", wedge::explore_options options = {}) {
    return wedge::explore<W>(
        *text != '\0' ? wedge::parse_program(text) : wedge::default_program<W>(), options);
}

/// Explores every schedule.
template <wedge::workload W>
wedge::outcome explored_fully(const char* text = "") {
    return explored<W>(text, {.how = wedge::strategy::exhaustive});
}
