// The controller: runs one execution of a subject under a strategy, one visible step at a time.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "wedge/core/steps.hpp"
#include "wedge/explore/engine/execution.hpp"
#include "wedge/explore/engine/last_task.hpp"
#include "wedge/explore/engine/notes.hpp"
#include "wedge/explore/engine/quick_leave.hpp"
#include "wedge/explore/engine/stacks.hpp"
#include "wedge/explore/engine/stalled.hpp"
#include "wedge/explore/engine/step_model.hpp"
#include "wedge/explore/engine/step_watch.hpp"
#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/engine/task_scheduler.hpp"
#include "wedge/explore/engine/unwinding.hpp"
#include "wedge/explore/verdict/stuck.hpp"
#include "wedge/lock/controlled.hpp"

namespace wedge {

/// Runs executions of one subject. All tasks run on the calling thread, or on threads of which one
/// runs at a time. The task that takes a step calls the controller.
class controller final : public runtime, public watched_engine, private stack_user {
public:
    /// @param order  hears the events of all tasks; may be null
    controller(subject& what, substrate on, sink* order, std::uint64_t steps_max,
               model_options open = {})
        : subject_(what),
          order_(order),
          leaves_quietly_(what.facts().leaves_quietly()),
          starts_by_step_(what.facts().has_unseen_state()),
          stacks_(on, *this),
          model_(slots_, open),
          scheduler_(what.facts(), model_, steps_max),
          notes_(what, model_, scheduler_) {
        if (what.facts().shares_processors()) model_.share_processors();
        detail::make_setup(setup_, *this, order);
        detail::handle_termination();
        watch(*this);
    }
    ~controller() override { unwatch(*this); }

    /// Runs the subject once, or plays the execution through if all its steps are known. The result
    /// and `decisions()` are valid until the next call.
    const execution_record& run(search_strategy& how) {
        const running_scope running(*this);
        if (notes_.known().is_empty()) {
            scheduler_.begin_execution(how);
        } else {
            if (is_known_to_its_end(how)) return result_;
            scheduler_.begin_again();
        }
        task* const before = detail::current_task;
        begin_execution();
        detail::current_task = &setup_;
        if (guarded(setup_.name, [&] { subject_.begin(); })) {
            sanitizer::release(&started_);
            run_tasks();
            sanitizer::acquire(&ended_);
            detail::current_task = &setup_;
            if (result_.how == ending::complete && !last_.has_run())
                guarded("check", [&] { subject_.check(); });
            notes_.over(result_.how);
        }
        result_.steps = scheduler_.steps();
        if (std::string used = take_foreign_use(); !used.empty()) see_foreign_use(std::move(used));
        destroy();
        setup_.held.clear();
        detail::current_task = before;
        return result_;
    }

    /// Sets who hears the events of the next executions.
    void report_to(sink* order) noexcept {
        order_ = order;
        setup_.sink = order;
    }

    /// Makes the sink hear again what it has heard before.
    void forget() { notes_.known().forget(); }
    execution_notes& notes() noexcept { return notes_; }
    const execution_notes& notes() const noexcept { return notes_; }
    // These take effect at the next execution.
    void leave_open(model_options open) noexcept { model_.leave_open(open); }
    void set_bound(std::uint64_t steps_max) noexcept { scheduler_.set_bound(steps_max); }
    std::vector<decision> decisions() const { return scheduler_.decisions(); }
    bool has_seen_locks() const noexcept { return has_seen_locks_; }
    /// See step_model.
    bool has_limited_wakes() const noexcept { return model_.has_limited_wakes(); }

    WEDGE_UNSEEN bool perform_pending(task& self) override {
        has_seen_locks_ = true;
        if (&self == &setup_ || giving_up_) [[unlikely]]
            return perform_aside(self);
        slot& me = *steppers_[self.ordinal];
        me.phase = wait_phase::fresh;
        lock_state* const plain = model_.plain_lock(self.pending);
        scheduler_.published(me, plain);
        if (notes_.are_taken()) [[unlikely]]
            notes_.stands(me);
        await_turn(me);
        if (giving_up_ || plain == nullptr) return take_turns(me);
        step_model::take_plainly(me, *plain);
        scheduler_.step_taken(me);
        if (notes_.are_taken()) [[unlikely]]
            notes_.took(me, true);
        return true;
    }

    std::uint32_t choose(task& self, std::uint32_t n, const char* why) noexcept override {
        const sanitizer::ignore_scope ours;
        const bool is_noted = notes_.are_taken() && !giving_up_ && n >= 2;
        if (is_noted) notes_.asks(self.ordinal, n, why);
        const std::uint32_t answer = answer_below(n);
        if (is_noted) [[unlikely]]
            notes_.chose(self.ordinal, n, answer);
        return answer;
    }

    std::uint32_t spawn(task& self, task_body body, const char* name, bool is_daemon) override {
        const sanitizer::ignore_scope ours;
        named_ = std::min(named_, used_);
        slot& made = add_slot();
        made.self.name = name != nullptr ? name : "";
        made.body = body;
        made.is_daemon = is_daemon;
        if (&self != &setup_) {
            // It runs up to its first visible step, since nothing before that is shared.
            made.is_starting = true;
            made.starter = slots_[self.ordinal]->stack();
            switch_to(made.starter, made.stack());
        }
        return made.self.ordinal;
    }

    void created(lock_identity& lock) noexcept override {
        const sanitizer::ignore_scope ours;
        last_.created(lock);
        const task* const self = detail::current_task;
        model_.locks().created(
            lock,
            self == &setup_ ? lock_table::made_by_setup : lock_table::made_by_task(self->ordinal),
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
        note_left(self.title());
        detail::tsan_forget_holds(self);
        slot& me = *slots_[self.ordinal];
        me.is_done = true;
        sanitizer::release(&ended_);  // not in a watch_scope: std::terminate comes from anywhere
        detail::free_on_its_way(*me.unwinding);
        stacks_.leave(me.stack(), 0);
    }
    void progress(task&) noexcept override { scheduler_.progress(); }

    pthread_t running_thread() const noexcept override { return stacks_.running_thread(home()); }
    finding stalled(const task* running) override {
        return describe_stall({slots_.data(), used_}, model_.locks(), running);
    }

private:
    using slot = controlled_task;

    // So there is one atomic operation in a million.
    static constexpr std::uint64_t numbers_at_once = 1U << 20;

    void begin_execution() {
        const sanitizer::ignore_scope ours;
        if (++execution_ >= numbers_end_) {
            execution_ = reserve_executions(numbers_at_once);
            numbers_end_ = execution_ + numbers_at_once;
        }
        execution_begins(execution_);
        model_.begin_execution();
        begin_tasks();
        notes_.begin_execution(used_);
    }
    void begin_result() {
        result_.how = ending::complete;
        result_.stuck.reset();
        result_.round = 0;
        result_.thrown.clear();
        result_.is_foreign = false;
        result_.leaves_out = false;
        result_.left = 0;
        result_.tasks.clear();
    }
    void begin_tasks() {
        begin_result();
        used_ = 0;
        next_start_ = 0;
        const std::uint32_t n = subject_.tasks();
        last_.begin_execution(n);
        for (std::uint32_t i = 0; i < n; ++i) {
            slot& made = add_slot();
            made.processor = subject_.facts().processor_of(i);
            if (i < named_) continue;
            made.self.name = subject_.task_name(i);
            named_ = i + 1;
        }
    }

    /// Returns whether known steps suffice for the whole execution, which was then played through.
    bool is_known_to_its_end(search_strategy& how) {
        const sanitizer::ignore_scope ours;
        known_tasks& known = notes_.known();
        if (known.resume(how, {slots_.data(), used_}, model_, scheduler_)) {
            begin_result();
        } else {
            scheduler_.begin_execution(how);
            model_.begin_again();
            begin_tasks();
            if (!known.begin({slots_.data(), used_}, model_, scheduler_)) return false;
        }
        if (!known.go_through({slots_.data(), used_}, model_, scheduler_, result_.how))
            return false;
        describe_what_is_stuck();
        result_.steps = scheduler_.steps();
        return true;
    }

    slot& add_slot() {
        if (used_ == slots_.size()) {
            slots_.push_back(std::make_unique<slot>());
            steppers_.push_back(slots_.back().get());
            slots_.back()->self.runtime = this;
            slots_.back()->self.ordinal = used_;
        }
        slot& made = *slots_[used_++];
        made.begin_execution(order_);
        scheduler_.add(made);
        return made;
    }

    void run_tasks() {
        const sanitizer::ignore_scope ours;
        if (const std::uint32_t first = start_next(); first != 0) switch_to(0, first);
        if (scheduler_.left() == 0) return;
        if (result_.how == ending::threw) scheduler_.failed();
        describe_what_is_stuck();
        give_up_the_rest();
    }
    void describe_what_is_stuck() {
        const bool is_livelock = result_.how == ending::livelock;
        if (is_livelock) result_.round = scheduler_.livelocks().round();
        if (is_livelock || result_.how == ending::deadlock) {
            for (std::uint32_t i = 0; i < used_; ++i)
                slots_[i]->waits_for_processor_of = model_.waits_for_processor_of(*slots_[i]);
            result_.stuck = stuck_.of({slots_.data(), used_}, model_.locks(),
                                      is_livelock ? &scheduler_.livelocks() : nullptr);
        }
        claim_less();
    }
    /// If a run was left out, it could have ended what seems stuck, unless tasks wait for locks in
    /// a cycle.
    void claim_less() {
        for (std::uint32_t i = 0; i < used_; ++i)
            result_.leaves_out = result_.leaves_out || slots_[i]->self.leaves_out;
        if (!result_.leaves_out || !result_.stuck) return;
        if (result_.how == ending::deadlock && !result_.stuck->cycle.empty()) return;
        result_.how = ending::pruned;
        result_.stuck.reset();
    }

    /// Starts the next task of the subject. Tasks run up to their first visible step one after the
    /// other, and no other order of that code is tried. If a condition exists, the beginning of
    /// each task is its first visible step.
    std::uint32_t start_next() {
        if (next_start_ == used_) return pick_first();
        slot& made = *slots_[next_start_++];
        made.is_starting = true;
        return made.stack();
    }

    [[gnu::noinline]] std::uint32_t pick_first() { return pick(); }

    /// Returns the stack that goes on when a task has published its first step, or has ended
    /// without one.
    std::uint32_t after_start(slot& me) {
        me.is_starting = false;
        return me.starter != 0 ? me.starter : start_next();
    }

    /// Returns the stack of the task that takes the next step; the main stack if the execution is
    /// over.
    [[gnu::always_inline]] std::uint32_t pick() {
        step_comes();
        const std::uint32_t next = scheduler_.next(result_.how);
        return next == no_task ? 0 : next + 1;
    }

    /// Unwinds every task that has not ended.
    void give_up_the_rest();

    /// Destroys the state, unless the last task has done so.
    void destroy();
    void set_giving_up(bool is_so);
    void see_foreign_use(std::string used);
    /// Runs on a stack of its own. @return the main stack
    std::uint32_t run_end();
    [[noreturn]] void leave_end();
    void note_left(std::string who);

    [[gnu::always_inline]] void switch_to(std::uint32_t from, std::uint32_t to) {
        task* const self = detail::current_task;
        stacks_.switch_to(from, to);
        detail::current_task = self;
    }

    /// Runs a task from its start to its end on its own stack.
    std::uint32_t run_on(std::uint32_t stack) noexcept override {
        if (is_ending_) return run_end();
        slot& me = *slots_[stack - 1];
        detail::current_task = &me.self;
        if (!giving_up_) {
            const sanitizer::watch_scope theirs;
            sanitizer::acquire(&started_);
            guarded(me.self.name, [&] { run_body(me); });
            detail::tsan_forget_holds(me.self);
            sanitizer::release(&ended_);
        }
        me.is_done = true;
        if (result_.how == ending::threw && !giving_up_)
            result_.tasks = stuck_.of({slots_.data(), used_}, model_.locks(), nullptr)->tasks;
        if (result_.how != ending::complete || giving_up_) return 0;
        detail::task_ended(me.self);
        me.self.pending = {};
        notes_.ended(me);
        scheduler_.ended(me);
        if (last_.is_due(me.self.ordinal, {slots_.data(), used_}) && subject_.has_destructor())
            return start_last(me);
        return me.is_starting ? after_start(me) : pick();
    }

    std::uint32_t start_last(const slot& ended);

    void run_body(slot& me);
    void run_code(slot& me);
    void begin_by_step(task& self);
    void run_last(slot& me);

    /// Runs code of the user. An exception from it ends the execution.
    ///
    /// @param who  a string or a literal, read when the body has thrown: a worker may get its name
    ///     from the body
    template <class Name, class Body>
    bool guarded(const Name& who, Body body) noexcept {
        try {
            body();
            return true;
        } catch (const abandoned&) {
        } catch (...) {
            const sanitizer::ignore_scope ours;
            if (result_.how != ending::complete) return false;
            result_.how = ending::threw;
            result_.thrown = std::string(who) + " threw: " + detail::text_of_exception();
            notes_.threw(detail::current_task->ordinal);
        }
        return false;
    }

    /// Publishes the step, and returns when the task may take it.
    [[gnu::always_inline]] void await_turn(slot& me) {
        const std::uint32_t next = me.is_starting ? after_start(me) : pick();
        if (next == me.stack()) return;
        switch_to(me.stack(), next);
        if (me.handler != controlled_task::nobody) [[unlikely]]
            serve_handlers(me);
    }

    /// Lets the victim of a handler's step run up to the first step of the handler, like a task
    /// that is started.
    [[gnu::noinline]] void interrupt_victim(const slot& me) {
        slot& victim = *slots_[me.victim];
        victim.handler = me.self.ordinal;
        victim.is_starting = true;
        victim.starter = me.stack();
        switch_to(me.stack(), victim.stack());
    }
    /// Runs handlers on top of the task's pending step, until the task has its turn for that step.
    [[gnu::cold]] void serve_handlers(slot& me);
    bool run_handler(slot& me, std::uint32_t handler);

    /// Takes a step that may need several turns, of which the first has come.
    [[gnu::noinline]] WEDGE_UNSEEN bool take_turns(slot& me) {
        for (;;) {
            if (giving_up_) return leave(me);
            const turn got =
                model_.take(me, [&](std::uint32_t n, const char*) { return answer_below(n); });
            scheduler_.step_taken(me, got);
            if (got == turn::waits) {
                await_turn(me);
                continue;
            }
            if (notes_.are_taken()) [[unlikely]]
                notes_.took(me, got == turn::taken);
            if (me.self.pending.what == step::interrupt) [[unlikely]]
                interrupt_victim(me);
            return got == turn::taken;
        }
    }

    /// Returns from a step when the execution was given up while the task waited for its turn.
    bool leave(slot& me) {
        if constexpr (sanitizer::thread) {
            const sanitizer::watch_scope theirs;
            sanitizer::acquire(&ended_);
        }
        if (leaves_quietly_) return false;
        if (may_throw(me.self.pending)) unwind(me);
        return true;
    }
    /// Destroys what is on the stack of the task, and leaves it. Code that handles an exception
    /// needs one; all other stacks are left without.
    [[noreturn, gnu::noinline]] void unwind(slot& me) {
#if defined(WEDGE_FRAME_RULES)
        if (stacks_.are_fibers() && quick_leave_.finds_way(me.base)) {
            quick_leave_.go(
                [](void* task) {
                    auto& left = *static_cast<slot*>(task);
                    left.is_done = true;
                    static_cast<controller*>(left.self.runtime)->stacks_.leave(left.stack(), 0);
                },
                &me);
        }
#endif
        throw abandoned(me.unwinding);
    }

    /// Takes a step that no other task's step can precede.
    [[gnu::cold]] bool perform_aside(task& self);

    /// Destructors must not throw.
    bool perform_at_end(const operation& next);

    /// Takes a step of the workload's constructor, check or destructor, when no other task runs.
    bool take_alone(const operation& next) {
        if (next.what == step::spawn && used_ != 0 && slots_[0]->is_done)
            throw error("a workload's check cannot start a thread");
        return model_.take_alone(next);
    }

    std::uint32_t answer_below(std::uint32_t n) noexcept {
        return giving_up_ || n < 2 ? 0 : scheduler_.choose(n);
    }

    subject& subject_;
    sink* order_;
    const bool leaves_quietly_;
    const bool starts_by_step_;
    stacks stacks_;
    task setup_;
    step_model::all_tasks slots_;       // the first `used_` belong to this execution
    inline_vector<slot*, 8> steppers_;  // as slots_, for the path of every step
    step_model model_;
    task_scheduler scheduler_;
    std::uint32_t used_ = 0;
    std::uint32_t next_start_ = 0;  // the first task that has not been started
    std::uint32_t named_ = 0;  // the number of tasks that have the names of the subject's tasks
    std::uint64_t numbers_end_ = 0;  // the end of the numbers reserved for executions
    execution_notes notes_;
    last_task last_;
    bool is_ending_ = false;  // the state is being destroyed on a stack of its own
    stuck_descriptions stuck_;
#if defined(WEDGE_FRAME_RULES)
    detail::quick_leave quick_leave_;
#endif
    execution_record result_;
    bool has_seen_locks_ = false;
    char started_ = 0;  // addresses for TSan: the set-up happens before all tasks,
    char ended_ = 0;    // and all tasks happen before the check
};

// How a task begins and is interrupted, and the end of an execution: tasks are given up, and the
// state is destroyed.

inline void controller::destroy() {
    const bool is_alone = result_.how == ending::complete;
    set_giving_up(!is_alone);
    if (last_.may_wait() && subject_.has_destructor()) {
        sanitizer::release(&started_);
        const sanitizer::ignore_scope ours;
        last_.begin_leaving();
        is_ending_ = true;
        switch_to(0, used_ + 1);
        if (std::exchange(is_ending_, false) && is_alone) {
            result_.how = ending::deadlock;
            result_.stuck =
                std::make_shared<const finding>(last_task::describe(setup_, model_.locks()));
        }
    } else {
        subject_.end();
    }
    sanitizer::acquire(&ended_);
    set_giving_up(false);
}

/// Sets the flag. A destructor on a stack of its own reads it, which is not a race.
inline void controller::set_giving_up(bool is_so) {
    const sanitizer::ignore_scope ours;
    giving_up_ = is_so;
}

/// Ends the execution as one that threw: with a foreign thread it proves nothing.
inline void controller::see_foreign_use(std::string used) {
    if (result_.how != ending::complete) return;
    result_.how = ending::threw;
    result_.thrown = std::move(used);
    result_.is_foreign = true;
}

inline std::uint32_t controller::run_end() {
    detail::current_task = &setup_;
    {
        const sanitizer::watch_scope theirs;
        sanitizer::acquire(&started_);
        sanitizer::acquire(&ended_);
        subject_.end();
        sanitizer::release(&ended_);
    }
    is_ending_ = false;
    return 0;
}

inline std::uint32_t controller::start_last(const slot& ended) {
    named_ = std::min(named_, used_);
    const bool is_start = ended.is_starting;  // other tasks must be started before it
    slot& made = add_slot();
    made.self.name = "destructor";
    last_.set_task(made.self.ordinal);
    if (is_start) return start_next();
    next_start_ = used_;
    made.is_starting = true;
    return made.stack();
}

// Not inlined into `run_on`: its frame ends the stack that `unwind` leaves without an exception,
// and a frame with a handler cannot be left so.
[[gnu::noinline]] inline void controller::run_body(slot& me) {
    me.base = __builtin_frame_address(0);
    run_code(me);
    __asm__ volatile("");  // the frame exists while the code runs: no call of it is the last thing
}

inline void controller::run_code(slot& me) {
    if (last_.is(me.self.ordinal)) return run_last(me);
    if (starts_by_step_ && last_.has_condition()) begin_by_step(me.self);
    if (me.body.run != nullptr)
        me.body.run(me.body.data);
    else
        subject_.run(me.self.ordinal);
}

/// Publishes the beginning of a task as a step that commutes with no other step. It stands for
/// everything that the task does before its next step: a store there may come between another
/// task's test and its wait.
inline void controller::begin_by_step(task& self) {
    perform(self, {.what = step::spawn});
}

inline void controller::serve_handlers(slot& me) {
    while (me.handler != controlled_task::nobody && !giving_up_) {
        if (!run_handler(me, std::exchange(me.handler, controlled_task::nobody)))
            return switch_to(me.stack(), 0);
        if (giving_up_) return;
        scheduler_.went_back(me, model_.plain_lock(me.self.pending));
        if (notes_.are_taken()) notes_.stands(me);
        const std::uint32_t next = me.is_starting ? after_start(me) : pick();
        if (next != me.stack()) switch_to(me.stack(), next);
    }
}

/// Runs a handler as code of the task: the handler's steps are the task's, and so are its locks.
/// The task's own step waits until the handler has ended.
///
/// @return false: the handler threw, and the execution is over
inline bool controller::run_handler(slot& me, std::uint32_t handler) {
    task& self = me.self;
    task_moment& now = self;
    interruption at{now, me.phase, self.contexts, me.below};
    me.below = &at;
    ++me.depth;
    me.phase = wait_phase::fresh;
    now = {.pending = at.pending};
    {
        const sanitizer::watch_scope theirs;
        guarded(self.name, [&] { subject_.interrupted(handler, self.ordinal); });
    }
    const bool is_over = result_.how == ending::threw && !giving_up_;
    if (is_over) result_.tasks = stuck_.of({slots_.data(), used_}, model_.locks(), nullptr)->tasks;
    --me.depth;
    me.below = at.below;
    me.phase = at.phase;
    now = at;
    return !is_over;
}

inline void controller::run_last(slot& me) {
    begin_by_step(me.self);
    sanitizer::acquire(&ended_);  // all actions have ended
    if (guarded("check", [&] { subject_.check(); })) subject_.end();
}

/// Notes a stack that is left where it stands.
inline void controller::note_left(std::string who) {
    if (result_.left++ == 0) result_.first_left = std::move(who);
}

[[noreturn]] inline void controller::leave_end() {
    note_left("destructor");
    {
        const sanitizer::watch_scope theirs;
        sanitizer::release(&ended_);  // its past happens before what the main stack does next
    }
    stacks_.leave(used_ + 1, 0);
}

inline bool controller::perform_at_end(const operation& next) {
    if (!giving_up_) {
        if (is_ending_ && scheduler_.left() == 0 && last_task::never_comes(next)) leave_end();
        return take_alone(next);
    }
    if (is_ending_ && last_.goes_round(next.what)) leave_end();
    return !next.timed;
}

inline bool controller::perform_aside(task& self) {
    const operation& next = self.pending;
    if (&self == &setup_) return perform_at_end(next);
    // A stack that leaves by itself does nothing any more. A stack that waits in a loop is left.
    if (leaves_quietly_) return false;
    if (last_.goes_round(next.what)) cannot_unwind(self);
    if (may_throw(next) && std::uncaught_exceptions() == 0)
        throw abandoned(slots_[self.ordinal]->unwinding);
    return !next.timed;
}

inline void controller::give_up_the_rest() {
    giving_up_ = true;
    stacks_.release_all(&ended_);
    // A task may use what its starter has on its stack, so tasks that started later leave first.
    for (std::size_t i = used_; i-- > 0;) {
        slots_[i]->self.sink = nullptr;  // what locks do from now on has not happened
        last_.begin_leaving();
        if (!slots_[i]->is_done) switch_to(0, slots_[i]->stack());
    }
    stacks_.release_all(&ended_);  // what the stacks did on their last way
    giving_up_ = false;
}

}  // namespace wedge
