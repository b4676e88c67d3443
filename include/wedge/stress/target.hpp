// What the threads of a stress run call, and when.
#pragma once

#include <string>
#include <vector>

#include "wedge/workload/workload.hpp"

namespace wedge {

/// What a target asks of the run while a thread waits for its turn.
class turn_host {
public:
    /// Returns whether the run is over.
    virtual bool is_over() const = 0;
    /// States that the thread begins or ends to wait for the other threads of its group.
    virtual void waits(bool begins) = 0;

protected:
    ~turn_host() = default;
};

/// The code under stress, and its state. The threads of a run share it; the last one to leave
/// destroys it.
class stress_target {
public:
    stress_target() = default;
    stress_target(const stress_target&) = delete;
    stress_target& operator=(const stress_target&) = delete;
    virtual ~stress_target() = default;

    /// Returns the names of what the threads call, in the order of their numbers.
    virtual std::vector<std::string> actions() const = 0;
    /// Returns the calls that the threads make, over and over. Empty: the run draws them.
    ///
    /// @throws error  a call has no such action
    virtual numbered_program calls(const program& asked) const = 0;
    /// Makes the state, before the threads begin.
    virtual void make() = 0;
    /// Returns the group of a thread. The threads of a group wait for each other only. 0: any
    /// thread may wait for any other thread of the process.
    virtual unsigned group_of(unsigned /*thread*/) const { return 0; }
    /// Waits until the thread may make its next call.
    ///
    /// @return false: there is no next call
    virtual bool await_turn(unsigned /*thread*/, turn_host& /*host*/) { return true; }
    /// The run is over: lets the threads go on that wait for their turn. Any thread calls it.
    virtual void end_turns() {}
    /// Makes a call. What it throws ends the thread.
    virtual void call(unsigned thread, const numbered_call& next) = 0;
    /// Checks the state, after all threads have ended.
    virtual void check() {}
};

/// A workload under stress: all threads share one state.
class stressed_workload final : public stress_target {
public:
    explicit stressed_workload(const workload_type& of) : state_(of) {}

    std::vector<std::string> actions() const override { return state_.type().actions(); }
    numbered_program calls(const program& asked) const override {
        return numbered(asked, state_.type());
    }
    void make() override { state_.make(); }
    void call(unsigned, const numbered_call& next) override {
        state_.call(next.action, next.argument);
    }
    void check() override { state_.check(); }

private:
    workload_state state_;
};

}  // namespace wedge
