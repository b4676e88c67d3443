// Bytes that answer the schedule and the choices of an execution, and back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "wedge/core/annotate.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Answers decisions by bytes: one byte per decision, and 0 after the last byte.
///
/// For the next task, the byte counts from the running task over the enabled tasks; 0 lets the
/// running task go on. So an input without answers runs each task as far as it can.
class byte_strategy final : public search_strategy {
public:
    void use(std::span<const std::uint8_t> answers) noexcept {
        answers_ = answers;
        at_ = 0;
        runs_on_ = answers.empty();
    }

    bool new_execution() override { return true; }

    WEDGE_UNSEEN std::uint32_t next_task(const choice_point& at) override {
        const std::size_t n = at.enabled.size();
        if (n == 1) return at.enabled[0];
        const std::uint8_t answer = next();
        const std::size_t place = place_of_running(at);
        return at.enabled[answer == 0 ? place : (place + answer) % n];
    }
    std::uint32_t choose(std::uint32_t n) override { return next() % n; }

    /// Returns the place of the running task, or of the next task above it, among the enabled
    /// tasks.
    static std::size_t place_of_running(const choice_point& at) noexcept {
        const std::uint32_t* const enabled = at.enabled.data();
        for (std::size_t i = 0, n = at.enabled.size(); i < n; ++i)
            if (enabled[i] >= at.running && at.running != no_task) return i;
        return 0;
    }

private:
    std::uint8_t next() noexcept {
        if (at_ == answers_.size()) return 0;
        const std::uint8_t answer = answers_[at_++];
        runs_on_ = at_ == answers_.size();
        return answer;
    }

    std::span<const std::uint8_t> answers_;
    std::size_t at_ = 0;
};

/// Lets another strategy decide, and records the bytes that make `byte_strategy` decide likewise.
class byte_recorder final : public search_strategy {
public:
    explicit byte_recorder(search_strategy& from) : from_(from) {}

    bool new_execution() override { return from_.new_execution(); }

    std::uint32_t next_task(const choice_point& at) override {
        const std::uint32_t next = from_.next_task(at);
        const std::size_t n = at.enabled.size();
        if (n == 1 || next == no_task) return next;
        const auto place = static_cast<std::size_t>(
            std::find(at.enabled.begin(), at.enabled.end(), next) - at.enabled.begin());
        answers_.push_back(
            static_cast<std::uint8_t>((place + n - byte_strategy::place_of_running(at)) % n));
        return next;
    }
    std::uint32_t choose(std::uint32_t n) override {
        const std::uint32_t answer = from_.choose(n);
        answers_.push_back(static_cast<std::uint8_t>(answer));
        return answer;
    }

    /// Returns the bytes without trailing zeros.
    std::vector<std::uint8_t> answers() const {
        std::vector<std::uint8_t> said = answers_;
        while (!said.empty() && said.back() == 0) said.pop_back();
        return said;
    }

private:
    search_strategy& from_;
    std::vector<std::uint8_t> answers_;
};

}  // namespace wedge
