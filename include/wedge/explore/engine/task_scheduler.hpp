// The scheduler: which task takes the next step of an execution, as the strategy says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "wedge/core/inline_vector.hpp"
#include "wedge/explore/engine/execution.hpp"
#include "wedge/explore/engine/livelock.hpp"
#include "wedge/explore/engine/persistent.hpp"
#include "wedge/explore/engine/state_hash.hpp"
#include "wedge/explore/engine/step_model.hpp"
#include "wedge/explore/engine/step_trace.hpp"
#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/engine/whole_state.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Knows which tasks can go on, asks the strategy for one of them, and records its answers.
class task_scheduler final : private whole_view {
public:
    task_scheduler(const subject_facts& what, step_model& model, std::uint64_t steps_max)
        : facts_(what), model_(model), steps_max_(steps_max) {}

    void begin_execution(search_strategy& how) {
        if (compares_) trace_.begin_execution(decisions_);
        bound_ = steps_max_;
        how_ = &how;
        used_ = 0;
        left_ = 0;
        steps_ = 0;
        decisions_.clear();
        script_.clear();
        at_.running = no_task;
        at_.has_yielded = at_.has_progressed = false;
        at_.whole = facts_.state() ? this : nullptr;
        whole_.begin_execution();
        looks_at_holds_ = how.looks_at_holds();
        looks_for_livelocks_ = how.looks_for_livelocks();
        if (looks_for_livelocks_) livelocks_.begin_execution();
    }

    /// Begins the execution once more, and repeats it up to this point by the same decisions.
    void begin_again() {
        const inline_vector<decision, 64> before = decisions_;
        begin_execution(*how_);
        script_ = before;
    }

    /// An execution just before one of its decisions.
    struct moment {
        std::size_t decisions = 0;
        std::uint64_t steps = 0;
        std::uint32_t left = 0;
        std::vector<const lock_state*> waits_for;  // by task
    };
    /// Saves the moment just before the last decision, whose step was not taken yet.
    void save(moment& to) const {
        to.decisions = decisions_.size() - 1;
        to.steps = steps_ - 1;
        to.left = left_;
        to.waits_for.assign(waits_for_.begin(), waits_for_.begin() + used_);
    }
    /// Begins an execution at a moment of this scheduler's last one, with equal tasks.
    void resume(const moment& from) {
        bound_ = steps_max_;
        how_->resume(from.decisions);
        decisions_.truncate(from.decisions);
        script_.clear();
        steps_ = from.steps;
        left_ = from.left;
        std::copy(from.waits_for.begin(), from.waits_for.end(), waits_for_.begin());
        whole_.begin_execution();
    }
    /// Returns the number of decisions so far.
    std::size_t decided() const noexcept { return decisions_.size(); }
    bool comes_back() const noexcept { return how_->comes_back(); }
    bool looks_at_holds() const noexcept { return looks_at_holds_; }

    /// Adds a task with the next ordinal. It cannot go on before its step is published.
    [[gnu::always_inline]] void add(const controlled_task& made) {
        if (used_ == views_.size()) [[unlikely]] {
            views_.emplace_back(&made.self);
            waits_for_.emplace_back();
            enabled_.emplace_back();
        }
        waits_for_[used_++] = &taken_for_good_;
        ++left_;
        at_.tasks = {views_.data(), used_};
    }

    /// Sets the bound of steps, from the next execution on.
    void set_bound(std::uint64_t steps_max) noexcept { steps_max_ = steps_max; }

    /// Says whether later executions are compared, each with the execution before it, up to the
    /// first decision that differs. Only for subjects that stay the same between executions.
    void compare_executions(bool is_so) noexcept {
        if (compares_ != is_so) trace_.forget();
        compares_ = is_so;
    }
    const step_trace& trace() const noexcept { return trace_; }
    const std::optional<difference>& difference_found() const noexcept { return trace_.found(); }

    /// Called with what the subject's code does next. If it differs from the execution before, the
    /// strategy is not asked any more, and the execution is over.
    [[gnu::always_inline]] void observe(const trace_point& now) noexcept {
        if (!trace_.goes_on_with(now)) [[unlikely]]
            compare(now);
    }

    /// Returns the number of tasks that have not ended.
    std::uint32_t left() const noexcept { return left_; }

    /// Called when the task waits for its turn to take `pending`.
    ///
    /// @param plain  the `step_model::plain_lock` of that step
    [[gnu::always_inline]] void published(const controlled_task& who,
                                          const lock_state* plain) noexcept {
        const operation& next = who.self.pending;
        if (plain == nullptr || next.what == step::release)
            plain = model_.is_always_enabled(next) ? &free_ : nullptr;
        waits_for_[who.self.ordinal] = plain;
    }
    /// Called when the handler on top of the task has ended: the task stands where it was
    /// interrupted.
    void went_back(const controlled_task& who, const lock_state* plain) noexcept {
        published(who, plain);
        if (who.phase != wait_phase::fresh) waits_for_[who.self.ordinal] = nullptr;
    }
    /// Called when the task takes no more steps.
    void ended(const controlled_task& who) noexcept {
        waits_for_[who.self.ordinal] = &taken_for_good_;
        --left_;
        at_.running = no_task;
        at_.has_yielded = false;
    }

    /// Returns the task that takes the next step.
    ///
    /// @return `no_task`: none, and `over` is the reason
    [[gnu::always_inline]] std::uint32_t next(ending& over) {
        if (at_.whole != nullptr) [[unlikely]]
            if (const std::uint32_t again = repeated(); again != no_task) return go_on_with(again);
        if (how_->runs_on() && runs_on()) return go_on_with(at_.running);
        at_.enabled = who_can_go_on();
        if (at_.enabled.empty() || looks_for_livelocks_ || steps_ >= bound_) [[unlikely]]
            if (ends(over)) return no_task;
        const std::uint32_t next = how_->next_task(at_);
        if (next == no_task) [[unlikely]]
            return over = ending::pruned, no_task;
        return go_on_with(next);
    }

    /// Called after a step that always succeeds.
    [[gnu::always_inline]] void step_taken(const controlled_task& me) {
        at_.has_yielded = false;
        if (looks_for_livelocks_) [[unlikely]]
            livelocks_.step_taken(me.self.ordinal, me.self.pending, false);
    }
    WEDGE_UNSEEN void step_taken(const controlled_task& me, turn got) {
        const operation& step_of = me.self.pending;
        const bool gives_way = step_of.what == step::yield && step_of.lock == nullptr;
        at_.has_yielded = got == turn::failed || (gives_way && got == turn::taken);
        if (got == turn::waits) waits_for_[me.self.ordinal] = nullptr;
        if (looks_for_livelocks_) [[unlikely]]
            livelocks_.step_taken(me.self.ordinal, step_of, got == turn::failed);
    }

    /// A task has thrown.
    void failed() { how_->has_failed(unfinished(), {views_.data(), used_}); }

    std::uint32_t choose(std::uint32_t n) {
        if (trace_.found()) [[unlikely]]
            return 0;
        const bool is_known = decisions_.size() < script_.size();
        const std::uint32_t answer = is_known ? script_[decisions_.size()].value : how_->choose(n);
        decisions_.emplace_back(decision::sort::choose, answer, n);
        return answer;
    }

    /// Called when a task made progress.
    void progress() noexcept {
        at_.has_progressed = true;
        if (looks_for_livelocks_) livelocks_.progress();
    }

    std::uint64_t steps() const noexcept { return steps_; }
    std::vector<decision> decisions() const { return {decisions_.begin(), decisions_.end()}; }
    const livelock_watch& livelocks() const noexcept { return livelocks_; }

private:
    [[gnu::noinline, gnu::cold]] void compare(const trace_point& now) {
        if (!trace_.differs(now, decisions_)) return;
        bound_ = 0;
        at_.whole = nullptr;
    }
    std::uint32_t repeated() {
        const bool is_known = decisions_.size() < script_.size();
        return is_known ? script_[decisions_.size()].value : how_->repeated();
    }
    [[gnu::always_inline]] std::uint32_t go_on_with(std::uint32_t next) {
        ++steps_;
        at_.running = next;
        at_.has_progressed = false;
        decisions_.emplace_back().value = next;
        return next;
    }

    [[gnu::always_inline]] bool can_go_on(std::uint32_t i) const {
        const lock_state* const waits_for = waits_for_[i];
        if (waits_for != nullptr) [[likely]]
            return !waits_for->is_held();
        return model_.is_enabled(*model_.tasks()[i]);
    }
    /// Returns whether the running task takes the next step too, and nothing else must be checked.
    [[gnu::always_inline]] bool runs_on() const {
        return at_.running != no_task && !looks_for_livelocks_ && steps_ < bound_ &&
               can_go_on(at_.running);
    }

    [[gnu::always_inline]] std::span<const std::uint32_t> who_can_go_on() {
        std::uint32_t* const enabled = enabled_.data();
        std::size_t found = 0;
        for (std::uint32_t i = 0, n = used_; i < n; ++i) {
            enabled[found] = i;
            found += can_go_on(i);
        }
        return {enabled, found};
    }

    static lock_state taken_for_good() {
        lock_state made;
        made.acquire(0, mode::exclusive);
        return made;
    }

    /// Returns whether the execution ends before the strategy is asked.
    [[gnu::noinline]] bool ends(ending& why) {
        if (trace_.found()) {
            why = ending::differs;
            return true;
        }
        if (at_.enabled.empty()) {
            why = left_ != 0 && is_stuck() ? ending::deadlock : ending::complete;
            return true;
        }
        const bool is_last = steps_ >= bound_;
        if (looks_for_livelocks_) {
            const bool is_whole = at_.whole != nullptr;
            const std::uint64_t now = is_whole ? state() : state_hash(tasks());
            if (livelocks_.is_in_circle(now, is_whole, is_last, at_.enabled, at_.tasks)) {
                why = ending::livelock;
                return true;
            }
        }
        if (!is_last) return false;
        why = ending::bounded;
        return true;
    }

    std::span<const std::unique_ptr<controlled_task>> tasks() const {
        return std::span(model_.tasks()).first(used_);
    }

    std::uint64_t state() override {
        return whole_.of(tasks(), decisions_, model_.locks(), facts_);
    }
    std::span<const std::uint32_t> places() const override { return whole_.places(); }
    std::uint32_t sufficient() override {
        return persistent_.sufficient(tasks(), at_.enabled, model_, facts_);
    }
    std::uint32_t within_section() override {
        return persistent_sets::within_section(tasks(), at_.enabled);
    }
    task_set enough() override { return persistent_.of(tasks(), at_.enabled, model_, facts_); }

    /// All that have not ended.
    std::span<const std::uint32_t> unfinished() {
        std::uint32_t* last = enabled_.data();
        for (std::uint32_t i = 0; i < used_; ++i)
            if (!model_.tasks()[i]->is_done) *last++ = i;
        return {enabled_.data(), last};
    }

    /// Returns whether a task waits for something that no task will do. The strategy hears of idle
    /// tasks too: what they wait for may come earlier in another schedule.
    bool is_stuck() {
        const std::span<const std::uint32_t> left = unfinished();
        how_->got_stuck(left, {views_.data(), used_});
        return !std::ranges::all_of(
            left, [&](std::uint32_t i) { return step_model::is_idle(*model_.tasks()[i]); });
    }

    const subject_facts& facts_;
    step_model& model_;
    std::uint64_t steps_max_;
    std::uint64_t bound_ = 0;  // of this execution
    bool compares_ = false;
    step_trace trace_;
    search_strategy* how_ = nullptr;
    inline_vector<const task*, 8> views_;  // of the model's tasks; the first `used_` are in use
    inline_vector<const lock_state*, 8> waits_for_;  // by task: a plain lock; null: ask the model
    inline_vector<std::uint32_t, 8> enabled_;        // room for all tasks
    std::uint32_t used_ = 0;
    std::uint32_t left_ = 0;
    const lock_state free_;                               // what a step that never blocks waits for
    const lock_state taken_for_good_ = taken_for_good();  // for a task without a step
    choice_point at_;
    bool looks_at_holds_ = true;
    bool looks_for_livelocks_ = false;
    livelock_watch livelocks_;
    whole_state whole_;
    persistent_sets persistent_;
    std::uint64_t steps_ = 0;
    inline_vector<decision, 64> decisions_;
    inline_vector<decision, 64> script_;  // the decisions that the execution begins with
};

}  // namespace wedge
