// A workload whose actions are built without exceptions.
#pragma once

#include "wedge/wedge.hpp"
#include "wedge/workload/actions.hpp"

/// Counts what is on the stacks of its tasks.
struct alive {
    alive() { ++count; }
    ~alive() { --count; }
    alive(const alive&) = delete;
    alive& operator=(const alive&) = delete;
    static inline int count = 0;
};

struct transfer {
    wedge::mutex a{"a"}, b{"b"};
    void ab();
    void ba();
    static constexpr auto actions =
        wedge::actions(wedge::action<&transfer::ab>{"ab"}, wedge::action<&transfer::ba>{"ba"});
};
