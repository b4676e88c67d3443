// When the handlers of a scenario come on real threads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "wedge/lock/condition.hpp"
#include "wedge/lock/internal_mutex.hpp"

namespace wedge::scenario {

/// Lets each handler come at most once per round, on top of a thread that has the context of the
/// handler enabled. The system cannot interrupt a thread at a given place, so a handler comes
///
/// * between two statements of a thread. Then the code of the thread runs the handler.
/// * while a thread sleeps within a statement. Then the thread of the handler runs the handler, and
///   the sleeping thread takes no step before the handler has ended: see `entrance`.
class native_interrupts {
public:
    /// @param handlers  their names and contexts
    /// @param threads  how many threads run statements
    native_interrupts(const std::vector<std::pair<std::string, context>>& handlers,
                      std::size_t threads)
        : arrivals_(std::make_unique<arrival[]>(handlers.size())),
          doors_(std::make_unique<door[]>(threads)),
          threads_(threads) {
        for (const auto& [name, sort] : handlers) {
            handlers_.push_back(sort);
            runs_.emplace_back(lock_kind::map,
                               lock_class((name + " (handler)").c_str(), {.never_waits = true}));
        }
    }

    /// Begins a round. No thread is in the last one any more.
    void begin(rng& random) {
        constexpr std::uint32_t most = 12;  // statements that run before the handler comes
        for (std::size_t i = 0; i < handlers_.size(); ++i) {
            arrivals_[i].has_come.store(false, std::memory_order_relaxed);
            arrivals_[i].delay.store(static_cast<std::int32_t>(random.below(most)),
                                     std::memory_order_relaxed);
        }
        for (std::size_t i = 0; i < threads_; ++i)
            doors_[i].state.store(closed, std::memory_order_relaxed);
        left_.store(handlers_.size(), std::memory_order_relaxed);
        is_over_ = false;
    }

    /// Called by a thread between two statements: runs the handlers that come here.
    ///
    /// @param run  (handler) -> void
    template <class Run>
    void pass(Run run) {
        const task& self = current();
        for (std::size_t i = 0; i < handlers_.size(); ++i) {
            if (self.unbroken != 0 || !self.contexts.admits(handlers_[i])) continue;
            if (arrivals_[i].delay.fetch_sub(1, std::memory_order_relaxed) > 0) continue;
            if (claim(i)) run(static_cast<std::uint32_t>(i));
        }
    }

    /// While it lives, handlers may come on top of the calling thread whenever it sleeps.
    class entrance final : public sleep_listener {
    public:
        entrance(native_interrupts& to, std::uint32_t thread) : to_(to), thread_(thread) {
            if (!to_.handlers_.empty()) current().sleeps = this;
        }
        ~entrance() { current().sleeps = nullptr; }
        entrance(const entrance&) = delete;
        entrance& operator=(const entrance&) = delete;

        void begin_sleep(const task& sleeper) override {
            if (to_.left_.load(std::memory_order_relaxed) != 0) to_.open(thread_, sleeper);
        }
        void end_sleep() override { to_.close(thread_); }
        bool try_end_sleep() override { return to_.try_close(to_.doors_[thread_].state); }

    private:
        native_interrupts& to_;
        const std::uint32_t thread_;
    };

    /// The thread of a handler: returns when the handler has come, or when the round is over.
    ///
    /// @param run  (thread that is interrupted) -> void
    template <class Run>
    void serve(std::uint32_t handler, Run run) {
        while (const std::optional<visit> to = await_waiting_thread(handler)) {
            std::uint32_t seen = to->state;
            std::atomic<std::uint32_t>& state = doors_[to->thread].state;
            if (!state.compare_exchange_strong(seen, handler << state_bits | taken,
                                               std::memory_order_acquire))
                continue;
            const leave_door leaving{state, to->state};
            if (!claim(handler)) continue;
            const run_of_handler seen_by_watchdog(runs_[handler]);
            return run(to->thread);
        }
    }
    /// Ends the round: handlers that have not come stay away.
    void end() {
        const lock_guard held(lock_);
        is_over_ = true;
        moved_.notify_all();
    }

private:
    using lock_guard = guard<wedge::detail::internal_mutex<>>;
    struct arrival {
        std::atomic<bool> has_come{false};
        std::atomic<std::int32_t> delay{0};
    };
    /// Whether handlers may come on top of a thread: closed, taken by a handler, or the contexts
    /// that are enabled and a number that changes with each statement.
    struct alignas(64) door {
        std::atomic<std::uint32_t> state{closed};
        std::uint32_t statements = 0;  // used by its thread
    };
    struct visit {
        std::size_t thread;
        std::uint32_t state;
    };
    struct leave_door {
        std::atomic<std::uint32_t>& state;
        const std::uint32_t before;
        ~leave_door() { state.store(before, std::memory_order_release); }
    };
    /// While it lives, the watchdog takes the handler for a lock that the calling thread holds. The
    /// order checker does not hear of it: it knows the context of the handler.
    class run_of_handler {
    public:
        explicit run_of_handler(const lock_identity& of) : of_(of) {
            wedge::detail::report_wait(current(), event_kind::acquired, of_, {});
        }
        ~run_of_handler() { wedge::detail::report_wait(current(), event_kind::notify, of_, {}); }
        run_of_handler(const run_of_handler&) = delete;
        run_of_handler& operator=(const run_of_handler&) = delete;

    private:
        const lock_identity& of_;
    };
    static constexpr std::uint32_t closed = 0;
    static constexpr std::uint32_t taken = 1;  // the number of the handler is in the upper bits
    static constexpr std::uint32_t bit_of(context sort) noexcept {
        return 1U << static_cast<unsigned>(sort);  // 2, 4 and 8
    }
    static constexpr unsigned state_bits = 4;

    bool claim(std::size_t handler) {
        if (arrivals_[handler].has_come.exchange(true, std::memory_order_acq_rel)) return false;
        left_.fetch_sub(1, std::memory_order_relaxed);
        const lock_guard held(lock_);
        moved_.notify_all();
        return true;
    }
    /// Waits for the end of the handlers that run on top of the thread.
    void close(std::uint32_t thread) {
        std::atomic<std::uint32_t>& state = doors_[thread].state;
        while (!try_close(state)) {
            const std::uint32_t seen = state.load(std::memory_order_relaxed);
            if ((seen & taken) != 0) await_handler(state, runs_[seen >> state_bits]);
        }
    }
    /// Returns false if a handler runs on top of the thread.
    static bool try_close(std::atomic<std::uint32_t>& state) {
        std::uint32_t seen = state.load(std::memory_order_acquire);
        while (seen != closed && (seen & taken) == 0)
            if (state.compare_exchange_weak(seen, closed, std::memory_order_acquire)) return true;
        return seen == closed;
    }
    /// Waits until the handler has ended that runs on top of this thread.
    static void await_handler(const std::atomic<std::uint32_t>& state,
                              const lock_identity& handler) {
        task& self = current();
        wedge::detail::report_wait(self, event_kind::join, handler, {});
        for (unsigned looks = 0; (state.load(std::memory_order_acquire) & taken) != 0; ++looks) {
            if (looks < 100)
                std::this_thread::yield();
            else
                std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
        wedge::detail::report_wait(self, event_kind::wake, handler, {});
    }
    void open(std::uint32_t thread, const task& self) {
        std::uint32_t enabled = 0;
        for (const context each : {context::softirq, context::hardirq, context::nmi})
            if (self.unbroken == 0 && self.contexts.admits(each)) enabled |= bit_of(each);
        if (enabled == 0) return;
        door& mine = doors_[thread];
        mine.state.store(++mine.statements << state_bits | enabled);
        if (sleepers_.load() == 0) return;
        const lock_guard held(lock_);
        moved_.notify_all();
    }

    /// Waits until a thread that lets the handler in has stood still for a while. Returns none if
    /// the handler has come elsewhere, or if the round is over.
    std::optional<visit> await_waiting_thread(std::uint32_t handler) {
        constexpr std::chrono::microseconds a_while{300};
        lock_guard held(lock_);
        while (!is_over_ && !arrivals_[handler].has_come.load(std::memory_order_relaxed)) {
            sleepers_.fetch_add(1);  // before the look: a thread that opens later sees it
            const std::optional<visit> found = open_door(handler);
            if (!found) moved_.wait(held);
            sleepers_.fetch_sub(1);
            if (!found) continue;
            static_cast<void>(moved_.wait_for(held, a_while));
            if (doors_[found->thread].state.load(std::memory_order_relaxed) == found->state &&
                !is_over_ && !arrivals_[handler].has_come.load(std::memory_order_relaxed))
                return found;
        }
        return std::nullopt;
    }
    std::optional<visit> open_door(std::uint32_t handler) const {
        for (std::size_t i = 0; i < threads_; ++i) {
            const std::uint32_t state = doors_[i].state.load();
            if ((state & bit_of(handlers_[handler])) != 0) return visit{i, state};
        }
        return std::nullopt;
    }

    std::vector<context> handlers_;
    std::deque<lock_identity> runs_;  // by handler: see `run_of_handler`
    const std::unique_ptr<arrival[]> arrivals_;
    const std::unique_ptr<door[]> doors_;
    const std::size_t threads_;
    std::atomic<std::size_t> left_{0};
    std::atomic<unsigned> sleepers_{0};
    wedge::detail::internal_mutex<> lock_;
    condition moved_{"a thread that lets the handler in"};
    bool is_over_ = false;
};

}  // namespace wedge::scenario
