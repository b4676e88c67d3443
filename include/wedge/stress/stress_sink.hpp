// The sink of a stressed thread: it publishes, counts, pauses, and passes events to the checker.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "wedge/core/sink.hpp"
#include "wedge/stress/perturb.hpp"
#include "wedge/stress/published_task.hpp"
#include "wedge/stress/statistics.hpp"

namespace wedge {

/// The sink of one thread. While the thread runs, other threads read only the published part.
class stress_sink final : public sink {
public:
    stress_sink(sink* order, holder_counts& holders, perturb_options pauses, std::uint64_t seed,
                std::shared_ptr<published_task> published)
        : sink(~0U),
          order_(order),
          holders_(holders),
          pauses_(pauses, seed),
          published_(std::move(published)) {}

    void on(task& self, const event& step) noexcept override {
        if (order_ != nullptr && order_->wants(step.kind)) order_->on(self, step);
        count(step);
        published_->publish(step);
        pauses_.at(step.kind);
    }

    const lock_statistics& statistics() const noexcept { return statistics_; }

private:
    using clock = std::chrono::steady_clock;

    void count(const event& step) {
        switch (step.kind) {
            case event_kind::attempt:
                is_contended_ = holders_.is_held(step.instance) &&
                                !lock_class::from_id(step.class_id).options().never_waits;
                if (is_contended_) {
                    ++statistics_[step.class_id].contended;
                    since_ = clock::now();
                }
                break;
            case event_kind::acquired: {
                class_statistics& of = statistics_[step.class_id];
                ++of.acquired;
                if (is_contended_) waited(of);
                holders_.add(step.instance);
                break;
            }
            case event_kind::try_acquired:
                ++statistics_[step.class_id].acquired;
                ++statistics_[step.class_id].tried;
                holders_.add(step.instance);
                break;
            case event_kind::try_failed: ++statistics_[step.class_id].tried; [[fallthrough]];
            case event_kind::failed: ++statistics_[step.class_id].failed; break;
            case event_kind::released: holders_.remove(step.instance); break;
            default: break;
        }
    }

    void waited(class_statistics& of) {
        const auto time =
            std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - since_);
        of.waited += time;
        of.waited_max = std::max(of.waited_max, time);
        is_contended_ = false;
    }

    sink* const order_;
    holder_counts& holders_;
    perturbation pauses_;
    const std::shared_ptr<published_task> published_;
    lock_statistics statistics_;
    bool is_contended_ = false;
    clock::time_point since_{};
};

}  // namespace wedge
