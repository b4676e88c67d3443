// The engine's side of the comparison. No other file of this folder includes a header of the
// engine.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include "wedge/scenario/check.hpp"

#include "oracle/verdict.hpp"

namespace oracle {

namespace {

/// Returns the outcome without the findings of the order pass alone.
engine_answer answer_of(const wedge::outcome& found) {
    engine_answer answer;
    answer.is_exhausted = found.exhausted;
    bool can_fail = false;
    for (const wedge::finding& each : found.findings) {
        can_fail = can_fail || each.kind == wedge::finding_kind::assertion;
        answer.text +=
            std::string(wedge::name_of(each.kind)) + " " + wedge::name_of(each.judged) + "\n";
    }
    switch (found.what) {
        case wedge::result::deadlock: answer.what = verdict::deadlock; break;
        case wedge::result::livelock: answer.what = verdict::livelock; break;
        default:
            if (can_fail)
                answer.what = verdict::finding;
            else
                answer.what = found.exhausted ? verdict::sound : verdict::unresolved;
    }
    return answer;
}

/// Ends a search that takes far longer than a random scenario should.
class time_limit {
public:
    explicit time_limit(std::chrono::seconds after)
        : timer_([this, after] {
              std::unique_lock held(mutex_);
              if (!is_over_.wait_for(held, after, [this] { return is_done_; })) has_passed = true;
          }) {}
    ~time_limit() {
        {
            const std::lock_guard held(mutex_);
            is_done_ = true;
        }
        is_over_.notify_one();
        timer_.join();
    }
    std::atomic<bool> has_passed{false};

private:
    std::mutex mutex_;
    std::condition_variable is_over_;
    bool is_done_ = false;
    std::thread timer_;
};

engine_answer ask(const wedge::scenario::document& all, way how, wedge::explore_options options) {
    // A scenario has a few hundred states, so such a long run is a cycle. The searches of schedules
    // compare each step with all earlier steps.
    if (how != way::states && how != way::threads) options.steps_max = 1'000;
    switch (how) {
        case way::states:
        case way::threads: {
            wedge::scenario::check_options check;
            check.explore = options;
            if (how == way::threads) check.explore.on = wedge::substrate::threads;
            return answer_of(wedge::scenario::check(all, check).found);
        }
        case way::exhaustive: options.how = wedge::strategy::exhaustive; break;
        case way::portfolio: break;
        case way::two_jobs: options.jobs = 2; break;
    }
    return answer_of(wedge::scenario::explore(all, options));
}

}  // namespace

engine_answer ask_engine(const wedge::scenario::document& all, way how,
                         std::uint64_t executions_max) {
    time_limit limit{std::chrono::seconds(20)};
    wedge::explore_options options;
    options.executions_max = executions_max;
    options.stop = &limit.has_passed;
    try {
        return ask(all, how, options);
    } catch (const std::bad_alloc&) {
        engine_answer answer;
        answer.is_out_of_memory = true;
        return answer;
    }
}

}  // namespace oracle
