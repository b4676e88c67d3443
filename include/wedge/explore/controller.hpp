// The controller: runs one execution of a subject under a strategy, one visible step at a time.
#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "wedge/explore/execution.hpp"
#include "wedge/explore/make_substrate.hpp"
#include "wedge/explore/persistent.hpp"
#include "wedge/explore/step_model.hpp"
#include "wedge/explore/strategy/strategy.hpp"
#include "wedge/explore/stuck.hpp"
#include "wedge/explore/subject.hpp"
#include "wedge/explore/whole_state.hpp"
#include "wedge/explore/unwinding.hpp"
#include "wedge/lock/controlled.hpp"
#include "wedge/task/steps.hpp"

namespace wedge {

/// Runs executions of one subject. All tasks run on the calling thread, or on threads that run
/// one at a time; the controller itself is called by whichever task takes a step.
class controller final : public runtime, private stack_user {
public:
    /// @param order  hears the events of all tasks; may be null
    controller(subject& what, substrate on, sink* order, std::uint64_t steps_max,
               model_options open = {})
        : subject_(what),
          order_(order),
          steps_max_(steps_max),
          is_quiet_(what.leaves_quietly()),
          model_(slots_, open) {
        setup_.runtime = this;
        setup_.sink = order;
        setup_.ordinal = no_task;
        setup_.name = "set-up";
        switcher_ = make_switcher(on, *this);
        detail::handle_termination();
    }

    /// Runs the subject once. The decisions are in `decisions()` until the next call.
    execution_record run(search_strategy& how) {
        how_ = &how;
        task* const before = detail::current_task;
        begin_execution();
        detail::current_task = &setup_;
        if (guarded(setup_.name, [&] { subject_.begin(); })) {
            sanitizer::release(&started_);
            run_tasks();
            sanitizer::acquire(&ended_);
            detail::current_task = &setup_;
            if (result_.how == ending::complete) guarded("check", [&] { subject_.check(); });
        }
        giving_up_ = result_.how != ending::complete;
        subject_.end();
        giving_up_ = false;
        setup_.held.clear();
        detail::current_task = before;
        return std::move(result_);
    }

    const std::vector<decision>& decisions() const noexcept { return decisions_; }
    bool has_seen_locks() const noexcept { return has_seen_locks_; }

    bool perform(task& self, const operation& next) override {
        const sanitizer::ignore_scope ours;
        has_seen_locks_ = true;
        if (&self == &setup_) return giving_up_ || take_alone(next);  // destructors must not throw
        if (giving_up_) return give_way(next);
        slot& me = *slots_[self.ordinal];
        self.pending = next;
        me.phase = wait_phase::fresh;
        ready_[self.ordinal] = may_block(next) ? readiness::depends : readiness::always;
        for (;;) {
            await_turn(me);
            if (giving_up_) return !is_quiet_;
            const auto answer = [&](std::uint32_t n, const char* why) {
                return choose(self, n, why);
            };
            const std::optional<bool> taken = model_.take(me, answer);
            step_taken(me, taken);
            if (taken) return *taken;
        }
    }

    std::uint32_t choose(task&, std::uint32_t n, const char*) noexcept override {
        const sanitizer::ignore_scope ours;
        if (giving_up_ || n < 2) return 0;
        const std::uint32_t answer = how_->choose(n);
        decisions_.push_back({decision::sort::choose, answer, n});
        return answer;
    }

    std::uint32_t spawn(task& self, task_body body, const char* name) override {
        const sanitizer::ignore_scope ours;
        slot& made = add_slot(name != nullptr ? name : "", body);
        if (&self != &setup_) {
            // It runs up to its first visible step: what comes before touches nothing shared.
            made.is_starting = true;
            made.starter = slots_[self.ordinal]->stack();
            switch_to(made.starter, made.stack());
        }
        return made.self.ordinal;
    }

    void created(lock_identity& lock) noexcept override {
        const sanitizer::ignore_scope ours;
        const task& self = *detail::current_task;
        model_.locks().created(lock,
                       &self == &setup_ ? lock_table::made_by_setup
                                        : lock_table::made_by_task(self.ordinal),
                       execution_);
    }
    void met(lock_identity& lock) noexcept override {
        const sanitizer::ignore_scope ours;
        model_.locks().met(lock, execution_);
    }
    void destroyed(lock_identity& lock) noexcept override {
        const sanitizer::ignore_scope ours;
        model_.locks().destroyed(lock);
    }
    void cannot_unwind(task& self) noexcept override {
        if (!giving_up_ || &self == &setup_) return;
        detail::tsan_forget_holds(self);
        slots_[self.ordinal]->is_done = true;
        ready_[self.ordinal] = readiness::never;
        switcher_->leave(slots_[self.ordinal]->stack(), 0);
    }
    void progress(task&) noexcept override {
        has_progressed_ = true;
        if (looks_for_livelocks_) livelocks_.progress();
    }

private:
    using slot = controlled_task;

    /// Whether a task can go on.
    enum class readiness : std::uint8_t {
        never,    ///< it has not published a step yet, or has ended
        always,   ///< its pending step never blocks
        depends,  ///< as the model says
    };

    void begin_execution() {
        const sanitizer::ignore_scope ours;
        static std::atomic<std::uint32_t> executions{0};
        execution_ = executions.fetch_add(1, std::memory_order_relaxed) + 1;
        model_.begin_execution();
        used_ = 0;
        next_start_ = 0;
        decisions_.clear();
        result_ = {};
        running_ = no_task;
        has_yielded_ = has_progressed_ = false;
        giving_up_ = false;
        looks_for_livelocks_ = how_->looks_for_livelocks();
        knows_state_ = subject_.state().has_value();
        if (looks_for_livelocks_) livelocks_.begin_execution();
        const std::uint32_t n = subject_.tasks();
        for (std::uint32_t i = 0; i < n; ++i) add_slot(subject_.task_name(i), {});
    }

    slot& add_slot(std::string name, task_body body) {
        if (used_ == slots_.size()) {
            slots_.push_back(std::make_unique<slot>());
            tasks_.push_back(&slots_.back()->self);
            ready_.push_back(readiness::never);
            enabled_.push_back(0);
        }
        ready_[used_] = readiness::never;
        slot& made = *slots_[used_];
        made.self.held.clear();
        made.self.runtime = this;
        made.self.sink = order_;
        made.self.ordinal = static_cast<std::uint32_t>(used_++);
        made.self.context = context::task;
        made.self.contexts = {};
        made.self.chain = 0;
        made.self.scopes = 0;
        made.self.pending = {};  // it would speak of locks that are gone
        made.self.is_idle = false;
        if (made.self.name != name) made.self.name = std::move(name);
        made.body = body;
        made.is_done = false;
        made.is_starting = false;
        made.has_woken_by_itself = false;
        made.phase = wait_phase::fresh;
        made.starter = 0;
        return made;
    }

    void run_tasks() {
        const sanitizer::ignore_scope ours;
        if (const std::uint32_t first = start_next(); first != 0) switch_to(0, first);
        const bool is_livelock = result_.how == ending::livelock;
        if (is_livelock || result_.how == ending::deadlock)
            result_.stuck = stuck_.of({slots_.data(), used_}, model_.locks(),
                                      is_livelock ? &livelocks_ : nullptr);
        give_up_the_rest();
    }

    /// The subject's tasks run up to their first visible step, one after the other: what comes
    /// before it touches nothing shared, so no other order of them is tried.
    std::uint32_t start_next() {
        if (next_start_ == used_) return pick();
        slot& made = *slots_[next_start_++];
        made.is_starting = true;
        return made.stack();
    }

    /// The stack that goes on when a task has published its first step, or has ended without one.
    std::uint32_t after_start(slot& me) {
        me.is_starting = false;
        return me.starter != 0 ? me.starter : start_next();
    }

    /// Unwinds every task that has not ended.
    void give_up_the_rest() {
        giving_up_ = true;
        for (std::size_t i = 0; i < used_; ++i) {
            if (slots_[i]->is_done) continue;
            // What is still called comes to nothing, but for the end of a daemon.
            if (result_.how != ending::complete) slots_[i]->self.sink = nullptr;
            switch_to(0, slots_[i]->stack());
        }
        giving_up_ = false;
    }

    void switch_to(std::uint32_t from, std::uint32_t to) {
        task* const self = detail::current_task;
        switcher_->switch_to(from, to);
        detail::current_task = self;
    }

    /// One task, from start to end, on its own stack.
    std::uint32_t run_on(std::uint32_t stack) noexcept override {
        slot& me = *slots_[stack - 1];
        detail::current_task = &me.self;
        if (!giving_up_) {
            const std::string& who = me.self.name;
            const sanitizer::watch_scope theirs;
            sanitizer::acquire(&started_);
            guarded(who, [&] { run_body(me); });
            detail::tsan_forget_holds(me.self);
            sanitizer::release(&ended_);
        }
        if (result_.how == ending::complete) detail::task_ended(me.self);
        me.is_done = true;
        me.self.pending = {};
        ready_[me.self.ordinal] = readiness::never;
        if (result_.how != ending::complete || giving_up_) return 0;
        if (me.is_starting) return after_start(me);
        running_ = no_task;
        has_yielded_ = false;
        return pick();
    }

    void run_body(slot& me) {
        if (me.body.run != nullptr)
            me.body.run(me.body.data);
        else
            subject_.run(me.self.ordinal);
    }

    /// Runs code of the user's; what it throws ends the execution.
    template <class Body>
    bool guarded(const std::string& who, Body body) noexcept {
        std::string text;
        try {
            body();
            return true;
        } catch (const abandoned&) {
            return false;
        } catch (const std::exception& e) {
            text = e.what();
        } catch (...) {
            text = "something that is not a std::exception";
        }
        const sanitizer::ignore_scope ours;
        if (result_.how == ending::complete) {
            result_.how = ending::threw;
            result_.thrown = who + " threw: " + text;
        }
        return false;
    }

    /// Publishes the step, and returns when the task may take it.
    void await_turn(slot& me) {
        const std::uint32_t next = me.is_starting ? after_start(me) : pick();
        if (next != me.stack()) switch_to(me.stack(), next);
        if (giving_up_ && !is_quiet_ && may_throw(me.self.pending)) throw abandoned{};
    }

    /// The stack that goes on: the next task's, or the main one when the execution is over.
    std::uint32_t pick() {
        const std::uint32_t again = how_->repeated();
        if (again != no_task) {
            has_progressed_ = false;
            return go_on_with(again);
        }
        const std::span<const std::uint32_t> enabled = who_can_go_on();
        if (enabled.empty()) {
            stop_unless_done();
            return 0;
        }
        const bool wants_state = how_->wants_state();
        const std::uint64_t state = looks_for_livelocks_ || wants_state ? state_now() : 0;
        if (looks_for_livelocks_ &&
            livelocks_.is_in_circle(state, knows_state_, enabled))
            return stop(ending::livelock);
        if (result_.steps >= steps_max_) return stop(ending::bounded);
        const std::uint32_t next =
            how_->next_task({enabled, running_, {tasks_.data(), used_}, has_yielded_,
                             std::exchange(has_progressed_, false), state, whole_.places(),
                             wants_state ? enough_of(enabled) : enabled});
        if (next == no_task) return stop(ending::pruned);
        return go_on_with(next);
    }

    std::uint32_t go_on_with(std::uint32_t next) {
        ++result_.steps;
        running_ = next;
        decisions_.push_back({decision::sort::run, next, 0});
        return next + 1;
    }

    std::uint32_t stop(ending how) noexcept {
        result_.how = how;
        return 0;
    }

    std::uint64_t state_now() {
        if (!knows_state_) return state_hash({slots_.data(), used_});
        return whole_.of({slots_.data(), used_}, model_.locks(), subject_);
    }

    std::span<const std::uint32_t> enough_of(std::span<const std::uint32_t> enabled) {
        return persistent_.of({slots_.data(), used_}, enabled, model_, subject_);
    }

    std::span<const std::uint32_t> who_can_go_on() {
        std::uint32_t* last = enabled_.data();
        const readiness* const ready = ready_.data();
        for (std::uint32_t i = 0; i < used_; ++i)
            if (ready[i] == readiness::always ||
                (ready[i] == readiness::depends && model_.is_enabled(*slots_[i])))
                *last++ = i;
        return {enabled_.data(), last};
    }

    /// @param taken  the step's result; nothing: the task waits on
    void step_taken(const slot& me, std::optional<bool> taken) {
        const operation& step_of = me.self.pending;
        const bool gives_way = step_of.what == step::yield && step_of.lock == nullptr;
        has_yielded_ = taken && (gives_way || !*taken);
        // A wait that times out is no retry: virtual time passes as fast as tasks let it.
        if (looks_for_livelocks_)
            livelocks_.step_taken(me.self.ordinal, step_of,
                                  taken && !*taken && !step_of.timed);
    }

    /// The strategy hears of idle tasks too: what they wait for may come earlier in another
    /// schedule.
    void stop_unless_done() {
        std::uint32_t* last = enabled_.data();
        bool all_idle = true;
        for (std::uint32_t i = 0; i < used_; ++i) {
            if (slots_[i]->is_done) continue;
            *last++ = i;
            all_idle = all_idle && step_model::is_idle(*slots_[i]);
        }
        if (last == enabled_.data()) return;
        if (!all_idle) result_.how = ending::deadlock;
        how_->is_stuck({enabled_.data(), last}, {tasks_.data(), used_});
    }

    /// A step of an execution that was given up: unwinds the stack, or does nothing while the
    /// stack unwinds already.
    bool give_way(const operation& next) const {
        if (is_quiet_) return false;
        if (may_throw(next) && std::uncaught_exceptions() == 0) throw abandoned{};
        return true;
    }

    /// A step of the workload's constructor, check or destructor: nobody else runs.
    bool take_alone(const operation& next) {
        if (next.what == step::spawn && used_ != 0 && slots_[0]->is_done)
            throw error("a workload's check cannot start a thread");
        return model_.take_alone(next);
    }

    subject& subject_;
    sink* const order_;
    const std::uint64_t steps_max_;
    const bool is_quiet_;
    search_strategy* how_ = nullptr;
    std::unique_ptr<stack_switcher> switcher_;
    task setup_;
    step_model::all_tasks slots_;  // the first `used_` are this execution's
    step_model model_;
    std::size_t used_ = 0;
    std::size_t next_start_ = 0;  // the first that has not been started
    std::vector<const task*> tasks_;  // of all slots
    std::vector<readiness> ready_;    // likewise
    std::vector<std::uint32_t> enabled_;  // room for all slots
    std::uint32_t running_ = no_task;
    bool has_yielded_ = false;  // the last step got nowhere, or gave way
    stuck_descriptions stuck_;
    livelock_watch livelocks_;
    bool looks_for_livelocks_ = false, has_progressed_ = false, knows_state_ = false;
    whole_state whole_;
    persistent_sets persistent_;
    std::vector<decision> decisions_;
    execution_record result_;
    bool has_seen_locks_ = false;
    char started_ = 0;  // addresses for TSan: the set-up is before all tasks,
    char ended_ = 0;    // and all tasks are before the check
};

}  // namespace wedge
