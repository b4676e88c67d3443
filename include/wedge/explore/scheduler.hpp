// The scheduler: who takes the next step of an execution, by what the strategy says.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "wedge/explore/execution.hpp"
#include "wedge/explore/livelock.hpp"
#include "wedge/explore/state_hash.hpp"
#include "wedge/explore/step_model.hpp"
#include "wedge/explore/strategy/strategy.hpp"
#include "wedge/explore/subject.hpp"
#include "wedge/explore/whole_state.hpp"

namespace wedge {

/// Knows which tasks can go on, asks the strategy for one of them, and records the answers.
class scheduler {
public:
    scheduler(const subject& what, step_model& model, std::uint64_t steps_max)
        : subject_(what), model_(model), steps_max_(steps_max) {}

    void begin_execution(search_strategy& how) {
        how_ = &how;
        used_ = 0;
        steps_ = 0;
        decisions_.clear();
        has_progressed_ = false;
        nobody_runs();
        knows_state_ = subject_.state().has_value();
        looks_for_livelocks_ = how.looks_for_livelocks();
        if (looks_for_livelocks_) livelocks_.begin_execution();
    }

    /// A task more, of the ordinal that comes next. It cannot go on before its step is published.
    void add(const controlled_task& made) {
        if (used_ == views_.size()) {
            views_.push_back(&made.self);
            ready_.push_back(readiness::never);
            enabled_.push_back(0);
        }
        ready_[used_++] = readiness::never;
    }

    /// The task waits for its turn to take `pending`.
    void published(const controlled_task& who) noexcept {
        ready_[who.self.ordinal] =
            may_block(who.self.pending) ? readiness::depends : readiness::always;
    }
    /// The task takes no step any more.
    void ended(const controlled_task& who) noexcept {
        ready_[who.self.ordinal] = readiness::never;
        nobody_runs();
    }

    /// Who takes the next step.
    ///
    /// @return `no_task`: nobody, and `over` is why
    std::uint32_t next(ending& over) {
        const std::span<const std::uint32_t> enabled = who_can_go_on();
        if (enabled.empty()) {
            over = is_stuck() ? ending::deadlock : ending::complete;
            return no_task;
        }
        std::uint64_t state = 0;
        if (looks_for_livelocks_ || how_->wants_state()) {
            state = state_now();
            if (looks_for_livelocks_ && livelocks_.is_in_circle(state, knows_state_, enabled))
                return over = ending::livelock, no_task;
        }
        if (steps_ >= steps_max_) return over = ending::bounded, no_task;
        const std::uint32_t next =
            how_->next_task({enabled, running_, {views_.data(), used_}, has_yielded_,
                             std::exchange(has_progressed_, false), state});
        if (next == no_task) return over = ending::pruned, no_task;
        ++steps_;
        running_ = next;
        decisions_.push_back({decision::sort::run, next, 0});
        return next;
    }

    /// @param taken  the step's result; nothing: the task waits on
    void step_taken(const controlled_task& me, std::optional<bool> taken) {
        const operation& step_of = me.self.pending;
        const bool gives_way = step_of.what == step::yield && step_of.lock == nullptr;
        has_yielded_ = taken && (gives_way || !*taken);
        // A wait that times out is no retry: virtual time passes as fast as tasks let it.
        if (looks_for_livelocks_)
            livelocks_.step_taken(me.self.ordinal, step_of,
                                  taken && !*taken && !step_of.timed);
    }

    std::uint32_t choose(std::uint32_t n) {
        const std::uint32_t answer = how_->choose(n);
        decisions_.push_back({decision::sort::choose, answer, n});
        return answer;
    }

    /// Somebody got somewhere.
    void progress() noexcept {
        has_progressed_ = true;
        if (looks_for_livelocks_) livelocks_.progress();
    }

    std::uint64_t steps() const noexcept { return steps_; }
    const std::vector<decision>& decisions() const noexcept { return decisions_; }
    const livelock_watch& livelocks() const noexcept { return livelocks_; }

private:
    /// Whether a task can go on.
    enum class readiness : std::uint8_t {
        never,    ///< it has not published a step yet, or has ended
        always,   ///< its pending step never blocks
        depends,  ///< as the model says
    };

    void nobody_runs() noexcept {
        running_ = no_task;
        has_yielded_ = false;
    }

    std::span<const std::uint32_t> who_can_go_on() {
        std::uint32_t* last = enabled_.data();
        const readiness* const ready = ready_.data();
        for (std::uint32_t i = 0; i < used_; ++i)
            if (ready[i] == readiness::always ||
                (ready[i] == readiness::depends && model_.is_enabled(*model_.tasks()[i])))
                *last++ = i;
        return {enabled_.data(), last};
    }

    std::uint64_t state_now() {
        const auto all = std::span(model_.tasks()).first(used_);
        return knows_state_ ? whole_.of(all, model_.locks(), *subject_.state()) : state_hash(all);
    }

    /// Whether somebody waits for what nobody will do. The strategy hears of idle tasks too: what
    /// they wait for may come earlier in another schedule.
    [[gnu::noinline]] bool is_stuck() {
        std::uint32_t* last = enabled_.data();
        bool all_idle = true;
        for (std::uint32_t i = 0; i < used_; ++i) {
            const controlled_task& each = *model_.tasks()[i];
            if (each.is_done) continue;
            *last++ = i;
            all_idle = all_idle && step_model::is_idle(each);
        }
        if (last == enabled_.data()) return false;
        how_->is_stuck({enabled_.data(), last}, {views_.data(), used_});
        return !all_idle;
    }

    const subject& subject_;
    step_model& model_;
    const std::uint64_t steps_max_;
    search_strategy* how_ = nullptr;
    std::vector<const task*> views_;  // of the model's tasks; the first `used_` are in use
    std::vector<readiness> ready_;    // likewise
    std::vector<std::uint32_t> enabled_;  // room for all tasks
    std::uint32_t used_ = 0;
    std::uint32_t running_ = no_task;
    bool has_yielded_ = false;  // the last step got nowhere, or gave way
    bool has_progressed_ = false;
    bool knows_state_ = false;
    bool looks_for_livelocks_ = false;
    livelock_watch livelocks_;
    whole_state whole_;
    std::uint64_t steps_ = 0;
    std::vector<decision> decisions_;
};

}  // namespace wedge
