// One stress run: real threads call a target's actions, and a watchdog looks on.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <unistd.h>

#include "wedge/core/signature.hpp"
#include "wedge/core/steps.hpp"
#include "wedge/model/pressure.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/order/lock_pairs.hpp"
#include "wedge/stress/finding_collector.hpp"
#include "wedge/stress/memory_hog.hpp"
#include "wedge/stress/options.hpp"
#include "wedge/stress/placement.hpp"
#include "wedge/stress/stress_sink.hpp"
#include "wedge/stress/target.hpp"
#include "wedge/stress/thread_pool.hpp"
#include "wedge/stress/thread_stack.hpp"
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

/// Draws the actions of a role.
class role_draw {
public:
    /// @throws error  an action does not exist, or all weights are 0
    role_draw(const stress_role& of, const std::vector<std::string>& names) {
        for (const auto& [name, weight] : of.weights) {
            const auto at = std::find(names.begin(), names.end(), name);
            if (at == names.end()) throw error("roles: there is no action '" + name + "'");
            sum_ += weight;
            upto_.push_back({sum_, static_cast<std::size_t>(at - names.begin())});
        }
        if (sum_ == 0) throw error("roles: a role needs an action with a weight above 0");
    }
    std::size_t draw(rng& random) const {
        const std::uint32_t drawn = random.below(sum_);
        for (const auto& [upto, action] : upto_)
            if (drawn < upto) return action;
        return upto_.back().second;
    }

private:
    std::uint32_t sum_ = 0;
    std::vector<std::pair<std::uint32_t, std::size_t>> upto_;
};

/// What the threads of a run share. The last thread to leave destroys it, so a thread that is stuck
/// forever keeps it.
struct stress_state {
    struct worker {
        task self;
        std::shared_ptr<published_task> published;
        std::unique_ptr<stress_sink> listener;
        std::atomic<std::uint64_t> calls{0};
        std::vector<histogram> latencies;  // by action; used within `published->locked`
        unsigned warm_up = 0;              // how many resets of the statistics it has done
        std::string thrown;                // read once `has_thrown`
        std::atomic<bool> has_thrown{false};
        pthread_t thread{};  // valid once `has_begun`
        std::atomic<bool> has_begun{false};
    };
    stress_state(std::unique_ptr<stress_target> of, const stress_options& options)
        : how(options),
          found(options.reports),
          order(options.kept, &found),
          names(of->actions()),
          calls(of->calls(options.calls)),
          processors(placed_processors(options.placed)),
          target(std::move(of)) {
        for (const stress_role& each : options.roles) roles.emplace_back(each, names);
        for (unsigned i = 0; i < options.threads; ++i) {
            workers.push_back(std::make_unique<worker>());
            worker& made = *workers.back();
            made.published = std::make_shared<published_task>(title_of(i));
            made.latencies.resize(names.size());
            made.listener = std::make_unique<stress_sink>(
                &order, holders,
                sink_options{options.pauses, options.holding, combine(options.seed, i), &scale,
                             options.recorded},
                made.published);
        }
        const listening_scope listening(order);
        target->make();
    }

    static std::string title_of(unsigned thread) { return "worker " + std::to_string(thread + 1); }

    /// Returns the role of a thread, in proportion to the threads that the roles ask for.
    const role_draw* role_of(unsigned thread) const {
        unsigned sum = 0;
        for (const stress_role& each : how.roles) sum += each.threads;
        if (sum == 0) return nullptr;
        unsigned at = thread % sum;
        for (std::size_t i = 0; i < roles.size(); ++i) {
            if (at < how.roles[i].threads) return &roles[i];
            at -= how.roles[i].threads;
        }
        return nullptr;
    }

    const stress_options how;
    finding_collector found;
    checker order;
    holder_counts holders;
    const std::vector<std::string> names;  // of the actions
    const numbered_program calls;
    std::vector<role_draw> roles;
    const std::vector<int> processors;
    std::vector<std::unique_ptr<worker>> workers;
    std::atomic<bool> is_over{false};
    std::atomic<bool> is_paused{false};
    std::atomic<unsigned> warm_ups{0};  // the statistics are reset when it grows
    std::atomic<unsigned> shuffles{0};
    std::atomic<std::uint32_t> scale{1};     // of the perturbations
    std::atomic<std::int64_t> thinking{-1};  // nanoseconds between calls; -1: as the options say
    /// Destroyed first, while the sinks that hear of it still exist.
    std::unique_ptr<stress_target> target;
};

/// What one thread does between its calls.
class worker_pace {
public:
    worker_pace(stress_state& all, unsigned thread)
        : all_(all),
          me_(*all.workers[thread]),
          thread_(thread),
          random_(combine(all.how.seed, 3'000 + thread)) {
        place(0);
    }

    void pass() {
        while (all_.is_paused.load(std::memory_order_relaxed) &&
               !all_.is_over.load(std::memory_order_relaxed)) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            count();  // so that the watchdog does not take it for stuck
        }
        if (me_.warm_up != all_.warm_ups.load(std::memory_order_relaxed)) forget();
        if (const unsigned now = all_.shuffles.load(std::memory_order_relaxed); now != shuffles_)
            place(shuffles_ = now);
        const std::int64_t fixed = all_.thinking.load(std::memory_order_relaxed);
        pass_time(fixed >= 0 ? std::chrono::nanoseconds(fixed) : all_.how.thinking.draw(random_));
        if (all_.how.pauses.alloc_failures != 0)
            put_under({.fail_allocations = random_.below(1024) < all_.how.pauses.alloc_failures});
    }

private:
    void count() {
        const sanitizer::ignore_scope ours;
        me_.published->count();
    }
    void forget() {
        me_.warm_up = all_.warm_ups.load(std::memory_order_relaxed);
        me_.calls.store(0, std::memory_order_relaxed);
        const sanitizer::ignore_scope ours;
        me_.listener->forget_statistics();
        me_.published->locked([&] {
            for (histogram& each : me_.latencies) each = {};
        });
    }
    void place(unsigned turn) {
        const std::vector<int>& on = all_.processors;
        if (on.empty()) return;
        if (all_.how.placed != stress_placement::free || turn != 0)
            run_on_processor(on[(thread_ + turn) % on.size()]);
    }

    stress_state& all_;
    stress_state::worker& me_;
    const unsigned thread_;
    unsigned shuffles_ = 0;
    rng random_;
};

/// Lets the watchdog see that a thread waits for its turn.
class worker_turns final : public turn_host {
public:
    worker_turns(const stress_state& all, published_task& me) : all_(all), me_(me) {}

    bool is_over() const override { return all_.is_over.load(std::memory_order_relaxed); }
    void waits(bool begins) override {
        const sanitizer::ignore_scope ours;
        me_.await_turn(begins);
    }

private:
    const stress_state& all_;
    published_task& me_;
};

inline void run_stress_calls(stress_state& all, unsigned thread) {
    using clock = std::chrono::steady_clock;
    stress_state::worker& me = *all.workers[thread];
    rng random(combine(all.how.seed, 1'000 + thread));
    const role_draw* const role = all.role_of(thread);
    const auto actions = static_cast<std::uint32_t>(all.names.size());
    worker_pace pace(all, thread);
    worker_turns turns(all, *me.published);
    for (std::uint64_t i = 0; !all.is_over.load(std::memory_order_relaxed) &&
                              (all.how.calls_max == 0 || i < all.how.calls_max);
         ++i) {
        pace.pass();
        if (!all.target->await_turn(thread, turns)) break;
        numbered_call next{};
        if (!all.calls.empty()) {
            const auto& mine = all.calls[thread % all.calls.size()];
            if (mine.empty()) continue;
            next = mine[i % mine.size()];
        } else {
            next.action = role != nullptr ? role->draw(random) : random.below(actions);
            next.argument = random.below(all.how.arguments);
        }
        const clock::time_point begun = clock::now();
        all.target->call(thread, next);
        const clock::duration took = clock::now() - begun;
        me.calls.fetch_add(1, std::memory_order_relaxed);
        const sanitizer::ignore_scope ours;
        me.published->locked([&] { me.latencies[next.action].add(took); });
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
        live_tasks::add(as);
    }
    ~task_scope() {
        live_tasks::remove(*current_task);
        current_task = &before_;
    }
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
    self.failing_tries = static_cast<std::uint16_t>(all.how.pauses.try_failures);
    self.failing_tickets = static_cast<std::uint16_t>(all.how.pauses.back_offs);
    me.thread = ::pthread_self();
    me.published->begin(all.target->group_of(thread));
    me.has_begun.store(true, std::memory_order_release);
    try {
        run_stress_calls(all, thread);
    } catch (const std::exception& thrown) {
        me.thrown = self.name + " threw: " + thrown.what();
    } catch (...) {
        me.thrown = self.name + " threw: something that is not a std::exception";
    }
    if (!me.thrown.empty()) me.has_thrown.store(true, std::memory_order_release);
    task_ended(self);
    self.held.clear();
    if (all.how.placed != stress_placement::free || all.how.shuffle.count() != 0 ||
        all.how.pauses.migrations != 0)
        run_on_processors(all.processors);  // the pool's thread serves other runs
    const sanitizer::ignore_scope ours;
    me.published->end();
}

}  // namespace detail

/// One run. The calling thread is its watchdog, and takes no lock of the workload.
class stress_run {
public:
    /// @throws error  the program calls an action that does not exist
    stress_run(std::unique_ptr<stress_target> of, const stress_options& options)
        : all_(std::make_shared<detail::stress_state>(std::move(of), options)),
          dog_(options.patience) {
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
    using milliseconds = std::chrono::milliseconds;

    void run_on(thread_pool& threads) {
        memory_hog hog(all_->how.hog_mebibytes);
        hog_ = &hog;
        began_ = counted_from_ = clock::now();
        is_warm_ = all_->how.warm_up.count() == 0;
        rss_first_ = rss_last_ = rss_max_ = resident_kibibytes();
        set_phase(clock::now());
        threads.start(all_->how.threads,
                      [all = all_](unsigned i) { detail::stress_worker(*all, i); });
        while (!wedged_ && !threads.wait_for(all_->how.look_every)) look();
        ended_ = clock::now();
        if (wedged_) {
            take_stacks();
            threads.give_up();
        }
        hog_ = nullptr;
    }

    void look() {
        const stress_options& how = all_->how;
        const clock::time_point now = clock::now();
        if (!is_warm_ && now - began_ >= how.warm_up) {
            is_warm_ = true;
            counted_from_ = now;
            all_->warm_ups.fetch_add(1, std::memory_order_relaxed);
        }
        rss_last_ = resident_kibibytes();
        rss_max_ = std::max(rss_max_, rss_last_);
        set_phase(now);
        set_pace(now);
        note_interval(now);
        if (how.on_progress != nullptr) how.on_progress(progress_at(now), how.progress_data);
        wedged_ = dog_.look(published_, now, hog_->thread());
        is_cut_ = how.stop != nullptr && how.stop->load(std::memory_order_relaxed);
        if (wedged_ || (is_warm_ && now - counted_from_ >= how.time) || is_cut_) {
            all_->is_over.store(true, std::memory_order_relaxed);
            all_->target->end_turns();
        }
    }

    void set_phase(clock::time_point now) {
        const std::vector<stress_phase>& all = all_->how.phases;
        if (!all.empty()) {
            const auto passed = std::chrono::duration_cast<milliseconds>(now - counted_from_);
            const auto part =
                static_cast<std::size_t>(passed.count()) * all.size() /
                static_cast<std::size_t>(std::max<std::int64_t>(all_->how.time.count(), 1));
            phase_ = all[std::min(part, all.size() - 1)];
        }
        const bool is_quiet = phase_ == stress_phase::calm || phase_ == stress_phase::recovery;
        const bool is_storm = phase_ == stress_phase::storm;
        constexpr std::int64_t calm_pause = 1'000'000;
        all_->thinking.store(is_quiet ? calm_pause : is_storm ? 0 : -1, std::memory_order_relaxed);
        all_->scale.store(is_storm ? 4 : 1, std::memory_order_relaxed);
        hog_->set_working(!is_quiet);
    }
    void set_pace(clock::time_point now) {
        const auto passed = std::chrono::duration_cast<milliseconds>(now - began_);
        if (all_->how.stutter.count() != 0)
            all_->is_paused.store(passed / all_->how.stutter % 2 == 1, std::memory_order_relaxed);
        if (all_->how.shuffle.count() != 0)
            all_->shuffles.store(static_cast<unsigned>(passed / all_->how.shuffle),
                                 std::memory_order_relaxed);
    }
    void note_interval(clock::time_point now) {
        const milliseconds every = all_->how.interval;
        const auto passed = std::chrono::duration_cast<milliseconds>(now - counted_from_);
        if (every.count() == 0 || !is_warm_) return;
        const milliseconds last = intervals_.empty() ? milliseconds(0) : intervals_.back().end;
        if (passed - last < every) return;
        const std::uint64_t all = calls();
        intervals_.push_back({passed, all - std::min(all, calls_noted_), phase_});
        calls_noted_ = all;
    }

    std::uint64_t calls() const {
        std::uint64_t sum = 0;
        for (const auto& each : all_->workers) sum += each->calls.load(std::memory_order_relaxed);
        return sum;
    }

    stress_progress progress_at(clock::time_point now) const {
        return {std::chrono::duration_cast<milliseconds>(now - began_), calls(), all_->found.size(),
                phase_};
    }

    /// Returns the resident memory of this process; 0 if the system does not say.
    static std::uint64_t resident_kibibytes() {
        std::ifstream statm("/proc/self/statm");
        std::uint64_t size = 0;
        std::uint64_t resident = 0;
        statm >> size >> resident;
        return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
    }

    /// Takes the stacks of the threads that have not ended.
    void take_stacks() {
        for (const auto& each : all_->workers) {
            const task_snapshot seen = each->published->look();
            if (seen.has_ended || !each->has_begun.load(std::memory_order_acquire)) continue;
            std::vector<std::string> calls = names_of(detail::thread_stack::of(each->thread));
            const auto ours = std::find_if(calls.begin(), calls.end(), [](const std::string& call) {
                return call.find("wedge::detail::call_action<") != std::string::npos ||
                       call.starts_with("wedge::workload_state::call(") ||
                       call.starts_with("wedge::detail::run_stress_calls(");
            });
            calls.erase(ours, calls.end());
            stacks_.emplace_back(seen.name, std::move(calls));
        }
    }

    stress_outcome collect() {
        stress_outcome out;
        out.is_wedged = wedged_.has_value();
        out.is_cut = is_cut_ && !out.is_wedged;
        out.calls = out.what.executions = calls();
        out.what.findings = all_->found.all();
        out.elapsed = std::chrono::duration_cast<milliseconds>(ended_ - counted_from_);
        out.intervals = intervals_;
        out.stacks = stacks_;
        out.rss_first = rss_first_;
        out.rss_max = rss_max_;
        out.rss_last = rss_last_;
        collect_statistics(out);
        for (const auto& each : all_->workers)
            if (each->has_thrown.load(std::memory_order_acquire))
                add_exception(out.what, each->thrown);
        if (wedged_) {  // threads that are not stuck may still run, so nothing else is read
            add_wedge(out.what);
        } else {
            for (finding& each : out.what.findings) all_->order.regrade(each);
            lock_pair_list seen;
            seen.add(all_->order.graph());
            out.what.lock_pairs = seen.all();
            check(out.what);
        }
        const lock_usage total = out.locks.total();
        out.what.steps = total.acquired;
        out.what.has_modelled_state = out.is_wedged || total.acquired + total.failed != 0;
        for (const finding& each : out.what.findings)
            out.what.what = std::min(out.what.what, result_of(each));
        return out;
    }
    void collect_statistics(stress_outcome& out) {
        std::vector<std::pair<std::string, std::vector<recorded_step>>> steps;
        for (const std::string& name : all_->names) out.actions.push_back({name, {}});
        for (const auto& each : all_->workers) {
            out.locks += each->listener->statistics();
            if (all_->how.recorded != 0)
                steps.emplace_back(
                    detail::stress_state::title_of(static_cast<unsigned>(steps.size())),
                    each->listener->steps());
            out.calls_by_thread.push_back(each->calls.load(std::memory_order_relaxed));
            each->published->locked([&] {
                for (std::size_t i = 0; i < out.actions.size(); ++i)
                    out.actions[i].latencies += each->latencies[i];
            });
        }
        if (!steps.empty()) out.trace = trace_text(steps);
    }

    static result result_of(const finding& each) {
        if (each.kind == finding_kind::livelock) return result::livelock;
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
            all_->target->check();
        } catch (const std::exception& thrown) {
            add_exception(to, std::string("check threw: ") + thrown.what());
        }
    }

    std::shared_ptr<detail::stress_state> all_;
    watchdog dog_;
    watchdog::tasks published_;
    clock::time_point began_{};
    clock::time_point counted_from_{};  // the end of the warm-up
    clock::time_point ended_{};
    bool is_warm_ = false;
    bool is_cut_ = false;
    memory_hog* hog_ = nullptr;  // while the threads run
    stress_phase phase_ = stress_phase::steady;
    std::vector<stress_interval> intervals_;
    std::uint64_t calls_noted_ = 0;
    std::uint64_t rss_first_ = 0;
    std::uint64_t rss_max_ = 0;
    std::uint64_t rss_last_ = 0;
    std::vector<std::pair<std::string, std::vector<std::string>>> stacks_;
    std::optional<finding> wedged_;
};

}  // namespace wedge
