// How far a call of a role has come, for searches that compare states.
#pragma once

#include <cstdint>

#include "wedge/core/hash.hpp"
#include "wedge/core/task.hpp"

namespace wedge {

/// A number for what a call keeps in local variables between two visible steps. A role sets it
/// where the pending step and the shared state do not tell how the call goes on. Calls may nest: a
/// number of an inner call is not that of an outer one.
class stage_scope {
public:
    stage_scope() : self_(current()), outer_(self_.stage) { set(0); }
    stage_scope(const stage_scope&) = delete;
    stage_scope& operator=(const stage_scope&) = delete;
    ~stage_scope() { self_.stage = outer_; }

    void set(std::uint64_t stage) noexcept { self_.stage = combine(outer_, stage); }

private:
    task& self_;
    const std::uint64_t outer_;
};

}  // namespace wedge
