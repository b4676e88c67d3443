// A fuzzing loop of wedge's own, for programs built without libFuzzer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "wedge/core/rng.hpp"
#include "wedge/fuzz/group.hpp"

namespace wedge {

/// Mutates and crosses inputs, runs them, and keeps those that did something new. It is
/// deterministic: equal seeds make equal inputs.
///
/// libFuzzer also sees the branches that the program takes, and keeps its corpus on disk, so use it
/// for a night. This loop suits a test or a minute, with any compiler.
class fuzz_engine {
public:
    explicit fuzz_engine(fuzz_group& group, std::uint64_t seed) : group_(group), random_(seed) {}

    /// Runs one more input and returns what it shows, if anything.
    std::optional<fuzz_sighting> step() {
        input_.resize(size_max);
        const std::vector<std::uint8_t>& one = any();
        input_.resize(group_.offspring(one, any(), input_, random_));
        ++executions_;
        detail::fuzz_counters.fill(0);
        std::optional<fuzz_sighting> shown = group_.run(input_);
        if (adds_something()) kept_.push_back(input_);
        return shown;
    }

    /// Runs inputs until something is found, or until this number of inputs was run.
    std::optional<fuzz_sighting> run(std::uint64_t executions_max) {
        for (std::uint64_t i = 0; i < executions_max; ++i)
            if (std::optional<fuzz_sighting> shown = step()) return shown;
        return std::nullopt;
    }

    std::uint64_t executions() const noexcept { return executions_; }
    std::size_t features() const noexcept { return features_; }

private:
    static constexpr std::size_t size_max = 256;

    const std::vector<std::uint8_t>& any() {
        return kept_[random_.below(static_cast<std::uint32_t>(kept_.size()))];
    }

    bool adds_something() {
        const std::size_t before = features_;
        for (std::size_t i = 0; i < seen_.size(); ++i) {
            if (detail::fuzz_counters[i] == 0 || seen_[i]) continue;
            seen_[i] = true;
            ++features_;
        }
        return features_ > before;
    }

    fuzz_group& group_;
    rng random_;
    std::vector<std::vector<std::uint8_t>> kept_{1};  // begins with the empty input
    std::vector<std::uint8_t> input_;
    std::array<bool, fuzz_counters_size> seen_{};
    std::size_t features_ = 0;
    std::uint64_t executions_ = 0;
};

}  // namespace wedge
