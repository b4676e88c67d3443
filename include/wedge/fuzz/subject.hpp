// A fuzzed workload: its actions are numbers, and its program changes between executions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wedge/explore/engine/subject.hpp"
#include "wedge/fuzz/action_program.hpp"

namespace wedge {

/// A subject whose program changes between executions, without any look-up of names.
class fuzz_subject final : public subject {
public:
    using task_records = std::vector<std::vector<action_record>>;

    explicit fuzz_subject(const workload_type& of) : state_(of) {}

    /// Sets the program.
    ///
    /// @param tasks  read until the next call
    void use(const task_records& tasks) noexcept { tasks_ = &tasks; }

    std::uint32_t tasks() const override { return static_cast<std::uint32_t>(tasks_->size()); }
    std::string task_name(std::uint32_t) const override { return {}; }
    void begin() override { state_.make(); }
    void run(std::uint32_t task) override {
        for (const action_record& each : (*tasks_)[task]) state_.call(each.action, each.argument);
    }
    void check() override { state_.check(); }
    void end() override { state_.destroy(); }
    schedule blank() const override {
        return {state_.type().name(), fingerprint(state_.type()), {}, {}, {}};
    }

private:
    const task_records* tasks_ = nullptr;
    workload_state state_;
};

}  // namespace wedge
