// How a task begins and is interrupted, and the end of an execution: tasks are given up, the state
// is destroyed.
#pragma once

#include "wedge/explore/controller.hpp"

namespace wedge {

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

/// A destructor on a stack of its own reads it, which is no race.
inline void controller::set_giving_up(bool is_so) {
    const sanitizer::ignore_scope ours;
    giving_up_ = is_so;
}

/// Ends the execution as one that threw: where a foreign thread takes part it proves nothing.
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
    const bool is_start = ended.is_starting;  // others are to be started before it
    slot& made = add_slot();
    made.self.name = "destructor";
    last_.is_task(made.self.ordinal);
    if (is_start) return start_next();
    next_start_ = used_;
    made.is_starting = true;
    return made.stack();
}

inline void controller::run_body(slot& me) {
    if (last_.is(me.self.ordinal)) return run_last(me);
    if (starts_by_step_ && last_.has_condition()) begin_by_step(me.self);
    if (me.body.run != nullptr)
        me.body.run(me.body.data);
    else
        subject_.run(me.self.ordinal);
}

/// When the task begins is a step, which commutes with no other: it stands for all that the task
/// does before its next one. A store there may come between another task's look and its wait.
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

/// The handler is the task's own code for that time: its steps are the task's, what it locks is
/// the task's, and the task's own step waits until it has ended.
///
/// @return false: the handler threw, and the execution is over
inline bool controller::run_handler(slot& me, std::uint32_t handler) {
    task& self = me.self;
    interruption at{self.pending, me.phase,     self.contexts, self.stage,
                    self.is_idle, self.in_hook, self.unbroken, me.below};
    me.below = &at;
    ++me.depth;
    me.phase = wait_phase::fresh;
    self.stage = 0;
    self.is_idle = self.in_hook = false;
    self.unbroken = 0;
    {
        const sanitizer::watch_scope theirs;
        guarded(self.name, [&] { subject_.interrupted(handler, self.ordinal); });
    }
    const bool is_over = result_.how == ending::threw && !giving_up_;
    if (is_over) result_.tasks = stuck_.of({slots_.data(), used_}, model_.locks(), nullptr)->tasks;
    --me.depth;
    me.below = at.below;
    me.phase = at.phase;
    self.pending = at.pending;
    self.stage = at.stage;
    self.is_idle = at.is_idle;
    self.in_hook = at.in_hook;
    self.unbroken = at.unbroken;
    return !is_over;
}

inline void controller::run_last(slot& me) {
    begin_by_step(me.self);
    sanitizer::acquire(&ended_);  // all actions have ended
    if (guarded("check", [&] { subject_.check(); })) subject_.end();
}

/// What a stack has done that is left now happens before what the main stack does next.
inline void controller::release_left() {
    const sanitizer::watch_scope theirs;
    sanitizer::release(&ended_);
}

[[noreturn]] inline void controller::leave_end() {
    release_left();
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
    // A stack that leaves by itself does nothing any more; one that waits in a loop is left.
    if (leaves_quietly_) return false;
    if (last_.goes_round(next.what)) {
        release_left();
        cannot_unwind(self);
    }
    if (may_throw(next) && std::uncaught_exceptions() == 0) throw abandoned{};
    return !next.timed;
}

inline void controller::give_up_the_rest() {
    giving_up_ = true;
    for (std::size_t i = 0; i < used_; ++i) {
        slots_[i]->self.sink = nullptr;  // what locks do now has not happened
        last_.begin_leaving();
        if (!slots_[i]->is_done) switch_to(0, slots_[i]->stack());
    }
    giving_up_ = false;
}

}  // namespace wedge
