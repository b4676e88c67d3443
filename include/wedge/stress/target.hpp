// What the threads of a stress run call, and when.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "wedge/workload/workload.hpp"

namespace wedge {

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
    /// Waits until the thread may make its next call.
    ///
    /// @param is_over  whether the run is over; to ask is a sign of life for the watchdog
    /// @return false: there is no next call
    virtual bool await_turn(unsigned /*thread*/, const std::function<bool()>& /*is_over*/) {
        return true;
    }
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
