// How far a call of a role has come, for searches that compare states.
#pragma once

#include <cstdint>

#include "wedge/base/hash.hpp"
#include "wedge/task/task.hpp"

namespace wedge {

/// What a call keeps in variables of its own between two visible steps of the running task, as a
/// number. Roles say it where the pending step and what all tasks share do not tell how the call
/// goes on; calls nest.
class stage_scope {
public:
    stage_scope() : self_(current()), outer_(self_.stage) {}
    stage_scope(const stage_scope&) = delete;
    stage_scope& operator=(const stage_scope&) = delete;
    ~stage_scope() { self_.stage = outer_; }

    void set(std::uint64_t stage) noexcept { self_.stage = combine(outer_, stage); }

private:
    task& self_;
    const std::uint64_t outer_;
};

}  // namespace wedge
