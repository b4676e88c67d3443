// The feedback for libFuzzer in addition to branches: lock orders, contention, trylocks.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "wedge/core/chain_key.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/core/inline_vector.hpp"
#include "wedge/core/lock_state.hpp"
#include "wedge/core/sink.hpp"
#include "wedge/core/task.hpp"
#include "wedge/fuzz/shown_steps.hpp"

namespace wedge {

namespace detail {

// The counters of branches: AFL++'s map, else the section between the linker's names (clang's
// -fsanitize=fuzzer); null in other builds. The compiler declares these names too, and 01 keeps the
// two declarations apart.
#if defined(__clang__)
[[gnu::weak]] extern std::uint8_t* afl_map __asm__("\01__afl_area_ptr");
[[gnu::weak]] extern std::uint32_t afl_map_size __asm__("\01__afl_map_size");
[[gnu::weak, gnu::visibility("hidden")]] extern std::uint8_t branches_begin __asm__(
    "\01__start___sancov_cntrs");
[[gnu::weak,
  gnu::visibility("hidden")]] extern std::uint8_t branches_end __asm__("\01__stop___sancov_cntrs");
inline std::span<std::uint8_t> branches() noexcept {
    if (&afl_map != nullptr) return {afl_map, afl_map_size};
    return {&branches_begin, &branches_end};
}
#else
inline std::span<std::uint8_t> branches() noexcept {
    return {};
}
#endif

}  // namespace detail

/// The number of counters; a behaviour counts in one of them, by its hash. libFuzzer reads all of
/// them after each input, so more counters cost more than they tell (4,096: 421,000 inputs per
/// second, 65,536: 60,000).
inline constexpr std::size_t fuzz_counters_size = 4096;

namespace detail {

// Only clang accepts these attributes on an inline variable, and only its libFuzzer reads the
// section.
#if defined(__clang__)
[[gnu::used, gnu::retain, gnu::section("__libfuzzer_extra_counters")]]
#endif
inline std::array<std::uint8_t, fuzz_counters_size>
    fuzz_counters{};

/// Off, to measure what the counters are worth.
inline bool fuzz_counters_on = true;

}  // namespace detail

/// Counts that an input ran. If neither branches nor anything else counted, as in a target built
/// for TSan, libFuzzer would print "no interesting inputs were found" and quit.
inline void count_execution() noexcept {
    detail::fuzz_counters[0] = 1;
}

/// Counts a behaviour of an input, by a hash that is equal in every process.
inline void count_feature(std::uint64_t feature) noexcept {
    detail::fuzz_counters[1 + feature % (fuzz_counters_size - 1)] = 1;
}

/// Hides the branches taken in a block from the fuzzer. Whether an input needs a second look
/// depends on earlier inputs, and its coverage must not.
class uncounted_scope {
public:
    uncounted_scope() : before_(all().begin(), all().end()) {}
    ~uncounted_scope() {
        const std::span<std::uint8_t> now = all();
        if (!now.empty()) std::copy(before_.begin(), before_.end(), now.begin());
    }
    uncounted_scope(const uncounted_scope&) = delete;
    uncounted_scope& operator=(const uncounted_scope&) = delete;

private:
    static std::span<std::uint8_t> all() noexcept { return detail::branches(); }

    const std::vector<std::uint8_t> before_;
};

/// Who hears an execution: the feedback, the order checker, or both.
enum class fuzz_pass : std::uint8_t {
    counting,  ///< counts, and notices whether the checker could learn anything
    checking,  ///< the checker alone, in a second run
    both,
};

/// Counts for the fuzzer what the tasks of an execution do.
///
/// A feature is named by hashes of class names, and never by numbers of this process or addresses,
/// so that a corpus keeps its meaning.
///
/// The order checker costs as much as everything else, and most executions show it nothing new. So
/// it is left out until a step comes that is new with the holds under which it is taken.
class fuzz_feedback final : public sink {
public:
    explicit fuzz_feedback(sink& checker)
        : sink(reader::order | reader::engine | reader::waits, &keys_), checker_(checker) {}

    void begin_execution(fuzz_pass pass) noexcept {
        pass_ = pass;
        for (std::size_t i = 0; i < tasks_used_; ++i) tasks_[i] = nullptr;
        tasks_[tasks_shown - 1] = nullptr;
        tasks_used_ = 0;
        saw_new_ = false;
        count_execution();
    }
    /// Hands the counters to the fuzzer.
    void end_execution() noexcept {
        shown_.end_execution([](std::uint16_t counter, unsigned by) { raise(counter, by); });
    }

    /// Returns whether the execution took a step that no earlier execution took under these holds.
    bool saw_new() const noexcept { return saw_new_; }

    std::size_t chains() const noexcept { return shown_.size(); }

    /// Returns the tasks that took a step, by their ordinals; null for other tasks.
    std::span<const task* const> tasks() const noexcept { return tasks_; }

    WEDGE_UNSEEN void on(task& self, const event& step) noexcept override {
        if (self.ordinal >= tasks_used_ || tasks_[self.ordinal] == nullptr) [[unlikely]]
            meet(self);
        if (pass_ == fuzz_pass::counting) [[likely]]
            return notice(self, step);
        if (checker_.wants(step.kind)) checker_.on(self, step);
        if (pass_ == fuzz_pass::both) notice(self, step);
    }

private:
    // Of a report: programs have 8 tasks, and kswapd.
    static constexpr std::size_t tasks_shown = 16;

    void meet(const task& self) noexcept {
        const std::size_t place = std::min<std::size_t>(self.ordinal, tasks_shown - 1);
        tasks_[place] = &self;
        if (self.ordinal < tasks_shown) tasks_used_ = std::max(tasks_used_, place + 1);
    }

    /// Keeps the chains of holds as the checker would, and counts.
    WEDGE_UNSEEN void notice(task& self, const event& step) noexcept {
        switch (step.kind) {
            case event_kind::attempt:
                if (is_held_by_another(self, step))
                    raise(place_of(feature(2, step, outermost(self))), 1);
                // The task's own path has computed the key, except for an acquire under a ticket.
                if (has(step.with, flags::ticketed)) self.chain = keys_.key.of_step(self, step);
                return count_acquire(self, step);
            case event_kind::try_acquired:
                self.chain = keys_.key.of_step(self, step);
                return count_acquire(self, step);
            case event_kind::acquired:
            case event_kind::notify:
            case event_kind::join: return;  // of the inference alone
            case event_kind::try_failed: return raise_now(4, self, step);
            case event_kind::failed: return raise_now(5, self, step);
            case event_kind::wake: return raise_now(6, self, step);
            case event_kind::init:
            case event_kind::destroy:
                if (self.held.empty()) return;  // it matters only while a lock is held
                break;
            case event_kind::released:
                if (held_lock* const mine = self.held.find(step.instance)) {
                    if (mine + 1 != self.held.end())
                        keys_.key.rebuild(self, static_cast<std::size_t>(mine - self.held.begin()),
                                          mine);
                    return;
                }
                break;
            case event_kind::downgraded:
                if (held_lock* const mine = self.held.find(step.instance)) {
                    count_other(
                        combine(other_key(self, step), static_cast<std::uint64_t>(mine->how)));
                    mine->how = mode::shared;  // the keys depend on it
                    keys_.key.rebuild(self, static_cast<std::size_t>(mine - self.held.begin()),
                                      nullptr);
                    return;
                }
                break;
            default: break;
        }
        count_other(other_key(self, step));
    }

    void raise_now(std::uint64_t sort, const task& self, const event& step) {
        raise(place_of(feature(sort, step, holds_of(self))), 1);
    }
    [[gnu::always_inline]] void count_acquire(const task& self, const event& step) {
        if (!shown_.count(self.chain)) [[unlikely]]
            add_acquire(self, step);
    }
    [[gnu::noinline]] void add_acquire(const task& self, const event& step) {
        saw_new_ = true;
        counters_.clear();
        if (step.kind == event_kind::attempt)
            add_orders(self, step);
        else
            counters_.push_back(place_of(feature(3, step, holds_of(self))));
        shown_.add(self.chain, {counters_.data(), counters_.size()});
    }
    void count_other(std::uint64_t key) {
        if (shown_.count(key)) return;
        saw_new_ = true;
        shown_.add(key, {});
    }

    /// Returns a key of everything that the verdict on a step other than an acquire can depend on.
    static std::uint64_t other_key(const task& self, const event& step) noexcept {
        std::uint64_t key = combine(static_cast<std::uint64_t>(step.kind) << 32 |
                                        static_cast<std::uint64_t>(step.with) << 16 |
                                        static_cast<std::uint64_t>(step.how) << 8 | step.subclass,
                                    std::uint64_t{step.class_id} << 32 | step.instance);
        key = combine(combine(key, step.payload), step.where.line);
        const context_state& in = self.contexts;
        key = combine(key, std::uint64_t{in.hardirqs} << 32 | std::uint64_t{in.softirqs} << 16 |
                               std::uint64_t{in.nmis} << 8 | (in.preempt_depth != 0 ? 4U : 0U) |
                               (in.irqs_are_off ? 2U : 0U) | (in.bh_depth != 0 ? 1U : 0U));
        for (const held_lock& held : self.held) key = combine(key, held.chain);
        return key != 0 ? key : 1;
    }

    [[gnu::always_inline]] bool is_held_by_another(const task& self,
                                                   const event& step) const noexcept {
        // The model has all holders of a lock, but not those of a pseudo-lock.
        const bool is_lock = step.lock->kind() != lock_kind::map;
        if (is_lock && !step.lock->modelled().is_held()) return false;
        for (std::size_t i = 0; i < tasks_used_; ++i) {
            const task* const other = tasks_[i];
            if (other == nullptr || other == &self || !other->held.may_hold_class(step.class_id))
                continue;
            for (const held_lock& held : other->held)
                if (held.instance == step.instance) return true;
        }
        return false;
    }

    /// Adds the order of the new lock after each hold, and after all of them together.
    void add_orders(const task& self, const event& step) {
        const std::uint64_t what = feature(0, step, 0);
        std::uint64_t chain = 1;
        for (const held_lock& held : self.held) {
            const std::uint64_t name = name_of_class(held.class_id);
            counters_.push_back(place_of(combine(what, name)));
            chain = combine(chain, name);
        }
        if (self.held.size() > 1) counters_.push_back(place_of(combine(what, chain)));
    }

    std::uint64_t name_of_class(std::uint32_t id) noexcept {
        while (names_.size() <= id)
            names_.push_back(
                names_.empty()
                    ? 0
                    : lock_class::from_id(static_cast<std::uint32_t>(names_.size())).name_hash());
        return names_[id];
    }
    std::uint64_t outermost(const task& self) noexcept {
        return self.held.empty() ? 0 : name_of_class(self.held[0].class_id);
    }
    std::uint64_t holds_of(const task& self) noexcept {
        std::uint64_t chain = 0;
        for (const held_lock& held : self.held)
            chain = combine(chain, name_of_class(held.class_id));
        return chain;
    }
    std::uint64_t feature(std::uint64_t sort, const event& step, std::uint64_t with) noexcept {
        const std::uint64_t what = sort << 8 | static_cast<std::uint64_t>(step.how);
        return combine(combine(what, name_of_class(step.class_id)), with);
    }

    static std::uint16_t place_of(std::uint64_t feature) noexcept {
        static_assert(fuzz_counters_size <= 65536);
        return static_cast<std::uint16_t>(1 + feature % (fuzz_counters_size - 1));
    }
    static void raise(std::uint16_t place, unsigned by) noexcept {
        if (!detail::fuzz_counters_on) return;
        std::uint8_t& counter = detail::fuzz_counters[place];
        counter = static_cast<std::uint8_t>(std::min(255U, counter + by));
    }

    sink& checker_;
    fuzz_pass pass_ = fuzz_pass::both;
    const task* tasks_[tasks_shown]{};
    std::size_t tasks_used_ = 0;
    inline_vector<std::uint64_t, 64> names_;     // hashes of names, by the number of the class
    inline_vector<std::uint16_t, 32> counters_;  // of one step, while they are computed
    /// Contains no chain: so every acquire is heard, but plain releases are not.
    validated_chains keys_{.key = chain_key(evidence::exact), .known = {}};
    shown_steps shown_;
    bool saw_new_ = false;
};

}  // namespace wedge
