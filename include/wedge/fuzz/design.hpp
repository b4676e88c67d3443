// A workload as a fuzz target sees it: its type is gone, its actions are numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wedge/explore/subject.hpp"
#include "wedge/fuzz/action_program.hpp"

namespace wedge {

/// A subject whose program changes between executions, without a look at any name.
class fuzz_subject : public subject {
public:
    using task_records = std::vector<std::vector<action_record>>;

    /// @param tasks  read until the next call
    void use(const task_records& tasks) noexcept { tasks_ = &tasks; }

    std::uint32_t tasks() const override { return static_cast<std::uint32_t>(tasks_->size()); }
    std::string task_name(std::uint32_t) const override { return {}; }

protected:
    const task_records& records() const noexcept { return *tasks_; }

private:
    const task_records* tasks_ = nullptr;
};

template <workload W>
class workload_fuzz_subject final : public fuzz_subject {
public:
    void begin() override { state_.emplace(); }
    void run(std::uint32_t task) override {
        for (const action_record& each : records()[task])
            detail::call_numbered(*state_, each.action, each.argument);
    }
    void check() override {
        if constexpr (requires(const W& state) { state.check(); })
            static_cast<const W&>(*state_).check();
    }
    void end() override { state_.reset(); }
    schedule blank() const override { return {workload_name<W>(), fingerprint<W>(), {}, {}, {}}; }

private:
    std::optional<W> state_;
};

/// One row of a target's table of workloads.
struct fuzz_design {
    std::string name;
    std::vector<std::string> actions;
    std::unique_ptr<fuzz_subject> (*for_fuzzing)() = nullptr;
    std::unique_ptr<subject> (*with)(program) = nullptr;  ///< as explore and replay see it
};

template <workload W>
fuzz_design fuzz_design_of() {
    static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(W::actions)>> > 0 &&
                      std::tuple_size_v<std::remove_cvref_t<decltype(W::actions)>> <=
                          action_program::actions_max,
                  "a fuzzed workload has 1 to 32 actions");
    return {workload_name<W>(), action_names<W>(),
            []() -> std::unique_ptr<fuzz_subject> {
                return std::make_unique<workload_fuzz_subject<W>>();
            },
            [](program calls) -> std::unique_ptr<subject> {
                return std::make_unique<workload_subject<W>>(std::move(calls));
            }};
}

}  // namespace wedge
