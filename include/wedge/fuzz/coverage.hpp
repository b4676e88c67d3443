// What libFuzzer is told of an execution beside the code it ran: orders, contention, trylocks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "wedge/base/hash.hpp"
#include "wedge/event/sink.hpp"
#include "wedge/task/task.hpp"

namespace wedge {

/// One counter a behaviour, by its hash. More of them cost more than they tell: libFuzzer reads
/// them all after each input (4,096: 421,000 inputs a second, 65,536: 60,000).
inline constexpr std::size_t fuzz_counters_size = 4096;

namespace detail {

// Only clang takes the attributes on an inline variable; only its libFuzzer reads the section.
#if defined(__clang__)
[[gnu::used, gnu::retain, gnu::section("__libfuzzer_extra_counters")]]
#endif
inline std::array<std::uint8_t, fuzz_counters_size>
    fuzz_counters{};

}  // namespace detail

/// Counts what the tasks of one execution do, and passes every event on.
///
/// A feature is a name, never a number of this process: classes by the hash of their names, no
/// addresses, so that a corpus means the same tomorrow.
class fuzz_feedback final : public sink {
public:
    explicit fuzz_feedback(sink& next) : sink(~0U), next_(next) {}

    void begin_execution() noexcept {
        holders_.fill(0);
        // A build without instrumentation would say "no interesting inputs" and quit.
        detail::fuzz_counters[0] = 1;
    }

    void on(task& self, const event& step) noexcept override {
        if (next_.wants(step.kind)) next_.on(self, step);
        switch (step.kind) {
            case event_kind::attempt:
                orders(self, step);
                if (holders_[place_of(step)] != 0) count(feature(2, step, outermost(self)));
                break;
            case event_kind::acquired: ++holders_[place_of(step)]; break;
            case event_kind::try_acquired:
                ++holders_[place_of(step)];
                count(feature(3, step, chain_of(self)));
                break;
            case event_kind::try_failed: count(feature(4, step, chain_of(self))); break;
            case event_kind::failed: count(feature(5, step, chain_of(self))); break;
            case event_kind::wake: count(feature(6, step, chain_of(self))); break;
            case event_kind::released:
                if (holders_[place_of(step)] != 0) --holders_[place_of(step)];
                break;
            default: break;
        }
    }

private:
    static constexpr std::size_t places = 256;  // of instances; two that share one only blur

    /// Each hold that the new lock comes under, and all of them together.
    void orders(const task& self, const event& step) noexcept {
        for (const held_lock& held : self.held)
            count(feature(0, step, name_of_class(held.class_id)));
        if (self.held.size() > 1) count(feature(1, step, chain_of(self)));
    }

    static std::uint64_t name_of_class(std::uint32_t id) noexcept {
        return id == 0 ? 0 : detail::classes()[id].hash;
    }
    static std::uint64_t outermost(const task& self) noexcept {
        return self.held.empty() ? 0 : name_of_class(self.held[0].class_id);
    }
    static std::uint64_t chain_of(const task& self) noexcept {
        std::uint64_t chain = 0;
        for (const held_lock& held : self.held)
            chain = combine(chain, name_of_class(held.class_id));
        return chain;
    }
    static std::uint64_t feature(std::uint64_t sort, const event& step,
                                 std::uint64_t with) noexcept {
        const std::uint64_t what = sort << 8 | static_cast<std::uint64_t>(step.how);
        return combine(combine(what, name_of_class(step.class_id)), with);
    }
    static void count(std::uint64_t feature) noexcept {
        std::uint8_t& counter = detail::fuzz_counters[1 + feature % (fuzz_counters_size - 1)];
        if (counter != 255) ++counter;
    }
    static std::size_t place_of(const event& step) noexcept { return step.instance % places; }

    sink& next_;
    std::array<std::uint8_t, places> holders_{};
};

}  // namespace wedge
