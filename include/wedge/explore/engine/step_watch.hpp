// The watchdog of explorations: it reports a task that reaches no step any more.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <unistd.h>
#include <unwind.h>

#include "wedge/core/doorbell.hpp"
#include "wedge/core/lock_class.hpp"
#include "wedge/core/stack.hpp"
#include "wedge/core/steps.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

/// An engine as the watchdog sees it. The engine calls `watch` and `unwatch`, and says when an
/// execution runs and when a step comes. The watchdog does the rest.
class watched_engine {
public:
    struct beat {
        std::uint64_t runs = 0;  ///< odd while an execution runs
        std::uint64_t steps = 0;
        friend bool operator==(const beat&, const beat&) = default;
    };

    watched_engine() = default;
    watched_engine(const watched_engine&) = delete;
    watched_engine& operator=(const watched_engine&) = delete;

    /// Returns the last beat. Any thread may call it.
    beat last_beat() const noexcept {
        return {runs_.load(std::memory_order_relaxed), steps_.load(std::memory_order_relaxed)};
    }
    /// Returns the thread that called the engine last.
    pthread_t home() const noexcept { return home_.load(std::memory_order_relaxed); }

    /// Returns the thread that runs the code of a task. For a running engine.
    virtual pthread_t running_thread() const noexcept = 0;

    /// Returns the finding that a task reached no step. The engine's thread stands still meanwhile.
    ///
    /// @param running  the task; null: unknown
    virtual finding stalled(const task* running) = 0;

    /// Returns what the search of this engine has found so far; may be empty. The engine's thread
    /// stands still meanwhile.
    std::function<outcome()> so_far;
    /// Returns the schedule of the running execution up to now; may be empty. The engine's thread
    /// stands still meanwhile.
    std::function<schedule()> schedule_so_far;

    static void watch(watched_engine& made) {
        const std::lock_guard held(mutex);
        all.push_back(&made);
        detail::on_foreign_use.store(&hear_foreign_use, std::memory_order_release);
    }
    static void unwatch(watched_engine& gone) {
        const std::lock_guard held(mutex);
        std::erase(all, &gone);
    }

    static inline std::mutex mutex;  ///< guards `all`, and keeps each engine in it alive
    static inline std::vector<watched_engine*> all;

protected:
    ~watched_engine() = default;

    /// Marks an execution as running on the calling thread.
    class running_scope {
    public:
        explicit running_scope(watched_engine& engine) noexcept : engine_(engine) {
            engine_.home_.store(::pthread_self(), std::memory_order_relaxed);
            add_one(engine_.runs_);
        }
        ~running_scope() { add_one(engine_.runs_); }
        running_scope(const running_scope&) = delete;
        running_scope& operator=(const running_scope&) = delete;

    private:
        watched_engine& engine_;
    };
    [[gnu::always_inline]] void step_comes() noexcept { add_one(steps_); }

    /// Sets the number of the running execution.
    void execution_begins(std::uint64_t number) noexcept {
        number_.store(number, std::memory_order_relaxed);
    }
    /// Returns what a thread that is no task has done with a lock of this execution; empty:
    /// nothing.
    std::string take_foreign_use() {
        if (!has_foreign_use_.load(std::memory_order_acquire)) [[likely]]
            return {};
        const std::lock_guard held(mutex);
        has_foreign_use_.store(false, std::memory_order_relaxed);
        return std::exchange(foreign_use_, {});
    }

private:
    // One thread writes at a time, so a load and a store suffice.
    [[gnu::always_inline]] static void add_one(std::atomic<std::uint64_t>& to) noexcept {
        to.store(to.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    std::atomic<std::uint64_t> runs_{0};
    std::atomic<std::uint64_t> steps_{0};
    static void hear_foreign_use(const lock_identity& lock, site where) {
        const std::lock_guard held(mutex);
        for (watched_engine* const each : all) {
            if (each->number_.load(std::memory_order_relaxed) != lock.execution()) continue;
            if (each->last_beat().runs % 2 == 0 || !each->foreign_use_.empty()) continue;
            each->foreign_use_ = "a thread that is not a task took " +
                                 lock_class::from_id(lock.class_id()).name() + " at " +
                                 to_string(where) +
                                 ", where no search can order it; start it as a wedge::thread";
            each->has_foreign_use_.store(true, std::memory_order_release);
        }
    }

    std::atomic<pthread_t> home_{};
    std::atomic<std::uint64_t> number_{0};
    std::atomic<bool> has_foreign_use_{false};
    std::string foreign_use_;  // under `mutex`
};

namespace detail {

/// Stops a thread for good and takes its stack. One per process, since it uses a signal.
class stopped_thread {
public:
    /// Stops a thread within a second, or gives up. The process must end then: locks of the thread
    /// stay locked.
    explicit stopped_thread(pthread_t which) {
        struct sigaction act {};
        act.sa_handler = &stop_here;
        ::sigaction(SIGURG, &act, nullptr);
        if (::pthread_kill(which, SIGURG) == 0)
            is_stopped_ = stopped_.await_for(std::chrono::seconds(1));
    }
    stopped_thread(const stopped_thread&) = delete;
    stopped_thread& operator=(const stopped_thread&) = delete;

    const task* running() const noexcept { return is_stopped_ ? running_.load() : nullptr; }
    call_stack stack() const {
        return is_stopped_ ? call_stack(frames_.begin(), frames_.begin() + count_) : call_stack();
    }

private:
    static constexpr std::size_t frames_max = 64;

    static void stop_here(int) {
        running_.store(current_task);
        _Unwind_Backtrace(&note_frame, nullptr);
        stopped_.ring();
        for (;;) ::pause();
    }
    static _Unwind_Reason_Code note_frame(_Unwind_Context* at, void*) {
        // The innermost two frames belong to this handler and to the kernel's way into it.
        if (skipped_ < 2) return ++skipped_, _URC_NO_REASON;
        if (count_ == frames_max) return _URC_END_OF_STACK;
        const auto address = static_cast<std::uintptr_t>(_Unwind_GetIP(at));
        if (address == 0) return _URC_END_OF_STACK;
        frames_[count_++] = reinterpret_cast<const void*>(address);
        return _URC_NO_REASON;
    }

    static inline doorbell stopped_;
    static inline std::atomic<const task*> running_{nullptr};
    static inline std::array<const void*, frames_max> frames_{};
    static inline std::uint32_t count_ = 0;
    static inline std::uint32_t skipped_ = 0;
    bool is_stopped_ = false;
};

}  // namespace detail

/// While it lives, a thread checks that the running executions of this process reach steps. If an
/// execution does not for the given time, its thread is stopped for good. Then `on_stall` is called
/// on the watchdog's thread, with the finding and everything found so far. It must end the process.
///
/// Time during which the process was stopped does not count. At most one watchdog exists at a time.
class step_watchdog {
public:
    using handler = std::function<void(outcome)>;

    /// @param patience  0: nothing is watched
    step_watchdog(std::chrono::seconds patience, handler on_stall)
        : patience_(patience), on_stall_(std::move(on_stall)) {
        if (patience_.count() != 0) thread_ = std::thread([this] { watch(); });
    }
    step_watchdog(const step_watchdog&) = delete;
    step_watchdog& operator=(const step_watchdog&) = delete;
    ~step_watchdog() {
        if (!thread_.joinable()) return;
        {
            const std::lock_guard held(mutex_);
            is_over_ = true;
        }
        over_.notify_one();
        thread_.join();
    }

private:
    static constexpr unsigned looks = 20;  // per patience

    struct watched {
        watched_engine* engine = nullptr;
        watched_engine::beat last;
        unsigned idle = 0;  // the number of looks that saw the same beat
    };

    void watch() {
        const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(patience_) / looks;
        for (std::unique_lock held(mutex_); !over_.wait_for(held, pause, [&] { return is_over_; });)
            look();
    }

    void look() {
        const std::lock_guard alive(watched_engine::mutex);
        std::erase_if(seen_, [](const watched& each) {
            return std::find(watched_engine::all.begin(), watched_engine::all.end(), each.engine) ==
                   watched_engine::all.end();
        });
        for (watched_engine* const each : watched_engine::all) {
            auto known = std::find_if(seen_.begin(), seen_.end(),
                                      [&](const watched& one) { return one.engine == each; });
            const watched_engine::beat now = each->last_beat();
            if (known == seen_.end()) known = seen_.insert(seen_.end(), {each, now, 0});
            if (now.runs % 2 == 0 || !(now == known->last)) {
                *known = {each, now, 0};
            } else if (++known->idle == looks) {
                return stalled(*each);
            }
        }
    }

    void stalled(watched_engine& engine) {
        const pthread_t thread = engine.running_thread();
        const detail::stopped_thread stopped(thread);
        finding what = engine.stalled(stopped.running());
        what.stack = stopped.stack();
        if (engine.schedule_so_far) what.best = engine.schedule_so_far();
        what.best.signature = what.signature;
        outcome all;
        all.findings.push_back(std::move(what));
        all.what = result::finding;
        // Engines of other threads go on, so only engines that this thread has used can be asked.
        for (const watched_engine* const each : watched_engine::all)
            if (each->so_far && ::pthread_equal(each->home(), engine.home()) != 0)
                add(all, each->so_far());
        on_stall_(std::move(all));
    }

    static void add(outcome& all, const outcome& more) {
        all.executions += more.executions;
        all.pruned += more.pruned;
        all.steps += more.steps;
        if (!more.findings.empty()) all.what = std::min(all.what, more.what);
        for (const finding& each : more.findings)
            if (std::none_of(all.findings.begin(), all.findings.end(),
                             [&](const finding& f) { return f.signature == each.signature; }))
                all.findings.push_back(each);
    }

    const std::chrono::seconds patience_;
    const handler on_stall_;
    std::mutex mutex_;  // guards `is_over_`
    std::condition_variable over_;
    bool is_over_ = false;
    std::vector<watched> seen_;  // the watchdog's own
    std::thread thread_;
};

}  // namespace wedge
