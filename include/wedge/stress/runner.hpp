// One stress run: real threads call a workload's actions, and a watchdog looks on.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/signature.hpp"
#include "wedge/core/steps.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/stress/finding_collector.hpp"
#include "wedge/stress/memory_hog.hpp"
#include "wedge/stress/options.hpp"
#include "wedge/stress/stress_sink.hpp"
#include "wedge/stress/thread_pool.hpp"
#include "wedge/stress/watchdog.hpp"
#include "wedge/workload/outcome.hpp"
#include "wedge/workload/workload.hpp"

namespace wedge {

namespace detail {

/// While it lives, the order checker of a run listens to the calling thread, which makes and checks
/// the state.
class listening_scope {
public:
    explicit listening_scope(sink& to) noexcept : before_(current().sink) { current().sink = &to; }
    ~listening_scope() { current().sink = before_; }
    listening_scope(const listening_scope&) = delete;
    listening_scope& operator=(const listening_scope&) = delete;

private:
    sink* const before_;
};

/// What the threads of a run share. The last thread to leave destroys it, so a thread that is stuck
/// forever keeps it.
struct stress_state {
    struct worker {
        task self;
        std::shared_ptr<published_task> published;
        std::unique_ptr<stress_sink> listener;
        std::atomic<std::uint64_t> calls{0};
        std::string thrown;  // read after the thread has ended
    };
    stress_state(const workload_type& of, const stress_options& options)
        : how(options),
          found(options.reports),
          order(options.kept, &found),
          calls(numbered(options.calls, of)),
          actions(static_cast<std::uint32_t>(of.actions().size())),
          shared(of) {
        for (unsigned i = 0; i < options.threads; ++i) {
            workers.push_back(std::make_unique<worker>());
            worker& made = *workers.back();
            made.published = std::make_shared<published_task>(title_of(i));
            made.listener = std::make_unique<stress_sink>(&order, holders, options.pauses,
                                                          combine(options.seed, i), made.published);
        }
        const listening_scope listening(order);
        shared.make();
    }

    static std::string title_of(unsigned thread) { return "worker " + std::to_string(thread + 1); }

    const stress_options how;
    finding_collector found;
    checker order;
    holder_counts holders;
    const numbered_program calls;
    const std::uint32_t actions;  // how many the workload has
    std::vector<std::unique_ptr<worker>> workers;
    std::atomic<bool> is_over{false};
    workload_state shared;  // destroyed first, while the sinks that hear of it still exist
};

inline void run_stress_calls(stress_state& all, unsigned thread) {
    stress_state::worker& me = *all.workers[thread];
    rng random(combine(all.how.seed, 1'000 + thread));
    for (std::uint64_t i = 0; !all.is_over.load(std::memory_order_relaxed) &&
                              (all.how.calls_max == 0 || i < all.how.calls_max);
         ++i) {
        if (all.calls.empty()) {
            const std::uint32_t action = random.below(all.actions);
            all.shared.call(action, random.below(all.how.arguments));
        } else if (const auto& mine = all.calls[thread % all.calls.size()]; !mine.empty()) {
            const auto& next = mine[i % mine.size()];
            all.shared.call(next.action, next.argument);
        }
        me.calls.fetch_add(1, std::memory_order_relaxed);
        const sanitizer::ignore_scope ours;
        me.published->count();
    }
}

/// While it lives, the calling thread is another task. What a run leaves behind in its task, such
/// as a context that was not left, does not reach the next run on this thread.
class task_scope {
public:
    explicit task_scope(task& as) : before_(current()) {
        as.ordinal = before_.ordinal;
        before_.sink = nullptr;  // sinks do not hear what the thread does between its runs
        current_task = &as;
    }
    ~task_scope() { current_task = &before_; }
    task_scope(const task_scope&) = delete;
    task_scope& operator=(const task_scope&) = delete;

private:
    task& before_;
};

/// One thread's part of a run, from start to end.
inline void stress_worker(stress_state& all, unsigned thread) {
    stress_state::worker& me = *all.workers[thread];
    task& self = me.self;
    const task_scope as_worker(self);
    self.sink = me.listener.get();
    self.random = rng(combine(all.how.seed, 2'000 + thread));
    self.name = stress_state::title_of(thread);
    try {
        run_stress_calls(all, thread);
    } catch (const std::exception& thrown) {
        me.thrown = self.name + " threw: " + thrown.what();
    } catch (...) {
        me.thrown = self.name + " threw: something that is not a std::exception";
    }
    task_ended(self);
    self.held.clear();
    const sanitizer::ignore_scope ours;
    me.published->end();
}

}  // namespace detail

/// One run. The calling thread is its watchdog, and takes no lock of the workload.
class stress_run {
public:
    /// @throws error  the program calls an action that does not exist
    stress_run(const workload_type& of, const stress_options& options)
        : all_(std::make_shared<detail::stress_state>(of, options)), dog_(options.patience) {
        for (const auto& each : all_->workers) published_.push_back(each->published);
    }

    stress_outcome run() {
        const stress_options& how = all_->how;
        if (how.threads_of != nullptr) {
            run_on(*how.threads_of);
        } else {
            thread_pool threads;
            run_on(threads);
        }
        return collect();
    }

private:
    using clock = watchdog::clock;

    void run_on(thread_pool& threads) {
        const memory_hog hog(all_->how.hog_mebibytes);
        began_ = clock::now();
        threads.start(all_->how.threads,
                      [all = all_](unsigned i) { detail::stress_worker(*all, i); });
        while (!wedged_ && !threads.wait_for(all_->how.look_every)) look();
        if (wedged_) threads.give_up();
    }

    void look() {
        const stress_options& how = all_->how;
        const clock::time_point now = clock::now();
        if (how.on_progress != nullptr) how.on_progress(progress_at(now), how.progress_data);
        wedged_ = dog_.look(published_, now);
        if (wedged_ || now - began_ >= how.time ||
            (how.stop != nullptr && how.stop->load(std::memory_order_relaxed)))
            all_->is_over.store(true, std::memory_order_relaxed);
    }

    std::uint64_t calls() const {
        std::uint64_t sum = 0;
        for (const auto& each : all_->workers) sum += each->calls.load(std::memory_order_relaxed);
        return sum;
    }

    stress_progress progress_at(clock::time_point now) const {
        return {std::chrono::duration_cast<std::chrono::milliseconds>(now - began_), calls(),
                all_->found.size()};
    }

    stress_outcome collect() {
        stress_outcome out;
        out.is_wedged = wedged_.has_value();
        out.calls = out.what.executions = calls();
        out.what.findings = all_->found.all();
        if (wedged_) {  // threads that are not stuck may still run, so nothing else is read
            add_wedge(out.what);
        } else {
            for (finding& each : out.what.findings) all_->order.regrade(each);
            for (const auto& each : all_->workers) {
                out.locks += each->listener->statistics();
                if (!each->thrown.empty()) add_exception(out.what, each->thrown);
            }
            check(out.what);
        }
        const class_statistics total = out.locks.total();
        out.what.steps = total.acquired;
        out.what.has_modelled_state = out.is_wedged || total.acquired + total.failed != 0;
        for (const finding& each : out.what.findings)
            out.what.what = std::min(out.what.what, result_of(each));
        return out;
    }

    static result result_of(const finding& each) {
        if (each.kind == finding_kind::assertion) return result::exception;
        if (each.is_stuck()) return result::deadlock;
        return each.judged == verdict::refuted ? result::unresolved : result::finding;
    }

    /// Adds the deadlock that happened: it confirms the order finding that foretold it, or becomes
    /// a finding of its own.
    void add_wedge(outcome& to) {
        for (finding& each : to.findings) {
            if (each.signature != wedged_->signature) continue;
            each.judged = verdict::confirmed;
            each.reason.clear();
            each.graded = {};
            each.tasks = wedged_->tasks;
            each.reached = wedged_->cycle;
            return;
        }
        to.findings.push_back(std::move(*wedged_));
    }

    static void add_exception(outcome& to, const std::string& text) {
        finding thrown;
        thrown.kind = finding_kind::assertion;
        thrown.judged = verdict::observed;
        thrown.what = text;
        thrown.signature = exception_signature(text);
        to.findings.push_back(std::move(thrown));
    }

    void check(outcome& to) {
        const detail::listening_scope listening(all_->order);
        try {
            all_->shared.check();
        } catch (const std::exception& thrown) {
            add_exception(to, std::string("check threw: ") + thrown.what());
        }
    }

    std::shared_ptr<detail::stress_state> all_;
    watchdog dog_;
    watchdog::tasks published_;
    clock::time_point began_{};
    std::optional<finding> wedged_;
};

}  // namespace wedge
