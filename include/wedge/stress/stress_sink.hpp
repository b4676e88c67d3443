// The sink of a stressed thread: it publishes, counts, pauses, and passes events to the checker.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/core/sink.hpp"
#include "wedge/stress/load.hpp"
#include "wedge/stress/perturb.hpp"
#include "wedge/stress/published_task.hpp"
#include "wedge/stress/recorder.hpp"
#include "wedge/stress/statistics.hpp"

namespace wedge {

/// How the sink of a stressed thread disturbs the thread.
struct sink_options {
    perturb_options pauses;
    random_time holding;  ///< passed under each lock after its acquire
    std::uint64_t seed = 1;
    const std::atomic<std::uint32_t>* scale = nullptr;  ///< multiplies the rates of `pauses`
    std::size_t recorded = 0;  ///< how many of the last steps are kept; 0: none
};

/// The sink of one thread. Other threads may call `statistics`, and read the published part.
class stress_sink final : public sink {
public:
    stress_sink(sink* order, holder_counts& holders, const sink_options& how,
                std::shared_ptr<published_task> published)
        : sink(~0U),
          order_(order),
          holders_(holders),
          holding_(how.holding),
          scale_(how.scale),
          pauses_(how.pauses, how.seed),
          random_(combine(how.seed, 1)),
          ring_(how.recorded),
          published_(std::move(published)) {}

    void on(task& self, const event& step) noexcept override {
        if (order_ != nullptr && order_->wants(step.kind)) order_->on(self, step);
        published_->locked([&] {
            const clock::time_point now = clock::now();  // once: it is half of the cost
            count(step, now);
            if (ring_.is_on()) ring_.add(now, step);
            published_->note(step, self.action);
        });
        if (step.kind == event_kind::acquired && holding_.how != random_time::shape::none)
            pass_time(holding_.draw(random_));
        pauses_.at(self, step.kind,
                   scale_ == nullptr ? 1 : scale_->load(std::memory_order_relaxed));
    }

    lock_statistics statistics() const {
        return published_->locked([&] { return statistics_; });
    }
    std::vector<recorded_step> steps() const {
        return published_->locked([&] { return ring_.steps(); });
    }
    void forget_statistics() {
        published_->locked([&] { statistics_ = {}; });
    }

private:
    using clock = std::chrono::steady_clock;

    struct hold {
        std::uint32_t instance;
        std::uint32_t class_id;
        bool is_pseudo;  // a section, and no lock
        site where;
        clock::time_point since;
    };

    static bool is_pseudo(std::uint32_t class_id) {
        return lock_class::from_id(class_id).options().never_waits;
    }

    void count(const event& step, clock::time_point now) {
        switch (step.kind) {
            case event_kind::attempt:
                if (is_pseudo(step.class_id)) break;
                if (holders_.is_held(step.instance)) {
                    ++statistics_[step.class_id].contended;
                    ++statistics_.at(step.class_id, step.where).contended;
                }
                since_ = now;
                break;
            case event_kind::acquired: acquired(step, now); break;
            case event_kind::try_acquired: tried(step, &lock_usage::acquired, now); break;
            case event_kind::try_failed: tried(step, &lock_usage::failed, now); break;
            case event_kind::failed: failed(step); break;
            case event_kind::notify:
            case event_kind::released: released(step, now); break;
            case event_kind::join:
            case event_kind::sync:
            case event_kind::wait: since_ = now; break;
            case event_kind::wake: hold_over(step.class_id, now - since_); break;
            default: break;
        }
    }

    void acquired(const event& step, clock::time_point now) {
        const bool is_section = is_pseudo(step.class_id);
        holds_.push_back({step.instance, step.class_id, is_section, step.where, now});
        if (is_section) return;
        for (lock_usage* const of : usages(step)) {
            ++of->acquired;
            of->waits.add(now - since_);
        }
        holders_.add(step.instance);
    }
    void tried(const event& step, std::uint64_t lock_usage::*result, clock::time_point now) {
        for (lock_usage* const of : usages(step)) {
            ++of->tried;
            ++(of->*result);
        }
        if (step.kind != event_kind::try_acquired) return;
        holds_.push_back({step.instance, step.class_id, false, step.where, now});
        holders_.add(step.instance);
    }
    void failed(const event& step) {
        // An attempt that is not made: the code only states that it may take the lock here.
        constexpr flags waits = flags::timed | flags::interruptible | flags::ticketed;
        if (!has(step.with, waits)) return hold_over(step.class_id, {});
        for (lock_usage* const of : usages(step)) ++of->failed;
    }
    void released(const event& step, clock::time_point now) {
        std::size_t at = holds_.size();
        while (at != 0 && holds_[at - 1].instance != step.instance) --at;
        if (at == 0) return;
        const hold ended = holds_[at - 1];
        holds_.erase(holds_.begin() + static_cast<std::ptrdiff_t>(at) - 1);
        const clock::duration time = now - ended.since;
        if (ended.is_pseudo) return hold_over(ended.class_id, time, at - 1);
        statistics_[ended.class_id].holds.add(time);
        statistics_.at(ended.class_id, ended.where).holds.add(time);
        holders_.remove(step.instance);
    }
    /// Notes that the locks that the task holds were held over a wait or a section.
    ///
    /// @param count  the number of holds that are older than the section
    void hold_over(std::uint32_t what, clock::duration time, std::size_t count) {
        if (lock_class::from_id(what).options().is_promise) return;
        for (std::size_t i = 0; i < count; ++i)
            if (!holds_[i].is_pseudo) statistics_.over(holds_[i].class_id, what).add(time);
    }
    void hold_over(std::uint32_t what, clock::duration time) {
        hold_over(what, time, holds_.size());
    }
    std::array<lock_usage*, 2> usages(const event& step) {
        return {&statistics_[step.class_id], &statistics_.at(step.class_id, step.where)};
    }

    sink* const order_;
    holder_counts& holders_;
    const random_time holding_;
    const std::atomic<std::uint32_t>* const scale_;
    perturbation pauses_;
    rng random_;
    step_ring ring_;
    const std::shared_ptr<published_task> published_;
    lock_statistics statistics_;
    std::vector<hold> holds_;
    clock::time_point since_{};  // of the attempt or wait that goes on
};

}  // namespace wedge
