// Ends a fuzz target whose input does not end, with what every task holds and wants.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <thread>

#include "wedge/core/sanitizer.hpp"
#include "wedge/fuzz/report.hpp"
#include "wedge/report/words.hpp"

namespace wedge {

/// Returns what the tasks of an execution hold and want now, one line per task.
inline std::string standing_of(std::span<const task* const> tasks) {
    std::string text;
    for (const task* const each : tasks) {
        if (each == nullptr) continue;
        text += "  " + each->title() + " holds";
        for (const held_lock& held : each->held)
            text += " " + lock_class::from_id(held.class_id).name();
        if (each->held.empty()) text += " nothing";
        if (const lock_identity* const wanted = each->pending.lock)
            text += ", last step on " + lock_class::from_id(wanted->class_id()).name();
        text += "\n";
    }
    return text;
}

/// A thread that checks whether the fuzzing thread makes progress. libFuzzer's own alarm comes
/// late, shows one stack, and under ThreadSanitizer never comes while a mutex is waited for. An
/// abort from this thread leaves the input in a `crash-` file in every build.
class fuzz_watchdog {
public:
    using clock = std::chrono::steady_clock;

    /// @param patience  for one input, and for each program that is tried to settle a finding
    fuzz_watchdog(fuzz_group& group, std::chrono::seconds patience)
        : group_(group), patience_(patience) {
        std::thread([this] { watch(); }).detach();  // for as long as the process lives
    }

    /// Marks the beginning or the end of an input.
    void mark() noexcept { marks_.fetch_add(1, std::memory_order_relaxed); }

private:
    [[noreturn]] void watch() {
        const sanitizer::ignore_scope ours;
        std::uint64_t last = 0;
        std::uint64_t last_tries = 0;
        clock::time_point since = clock::now();
        clock::time_point said = since;
        for (;;) {
            std::this_thread::sleep_for(std::chrono::milliseconds(250));
            const std::uint64_t now = marks_.load(std::memory_order_relaxed);
            const fuzz_runner* const running = group_.last_run();
            const std::uint64_t tries = running != nullptr ? running->tries() : 0;
            if (now != last) said = clock::now();
            if (clock::now() - said >= std::chrono::seconds(10) && tries != 0) {
                said = clock::now();
                detail::write_all(2, "wedge: confirming and minimising a finding, " +
                                         report::amount(tries, "program") + " tried in all\n");
            }
            if (now != last || now % 2 == 0 || tries != last_tries) {
                last = now;
                last_tries = tries;
                since = clock::now();
            } else if (clock::now() - since >= patience_) {
                end();
            }
        }
    }

    /// Reports and aborts. The fuzzing thread still runs or sleeps, so what is read here may
    /// change.
    [[noreturn]] void end() {
        std::string text =
            "\nan input has not ended after " + std::to_string(patience_.count()) + " s\n";
        if (const fuzz_runner* const running = group_.last_run())
            text += "workload: " + running->design().name + "\n" + standing_of(running->tasks());
        text +=
            "ERROR: wedge: an input does not end\nDEDUP_TOKEN: hang\n"
            "SUMMARY: wedge: an input does not end\n";
        detail::write_all(2, text);
        std::abort();
    }

    fuzz_group& group_;
    const std::chrono::seconds patience_;
    std::atomic<std::uint64_t> marks_{0};
};

}  // namespace wedge
