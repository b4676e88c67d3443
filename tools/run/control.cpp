#include "run/control.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wedge/explore/search/pct.hpp"
#include "wedge/explore/search/pos.hpp"
#include "wedge/explore/search/random.hpp"
#include "wedge/explore/search/round_robin.hpp"
#include "wedge/explore/search/urw.hpp"

#include "run/control_state.hpp"
#include "run/native_state.hpp"
#include "run/raw_report.hpp"
#include "run/replay.hpp"

namespace wedge::run {

constinit controller* the_controller = nullptr;

void futex_wake(std::atomic<std::uint32_t>& word) noexcept {
    ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

namespace {

using clock_ns = std::int64_t;

clock_ns now_on(::clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return clock_ns{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen, clock_ns most) noexcept {
    const timespec limit{most / 1'000'000'000, most % 1'000'000'000};
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, &limit, nullptr, 0);
}

/// What the strategies see of a thread that has ended or not started: no pending step.
const task& nobody() {
    static const task* const made = new task;
    return *made;
}

/// The strategies that seeds take in turn, unless the user names one. They need no earlier run.
std::unique_ptr<search_strategy> make_strategy() {
    constexpr std::uint32_t shallow = 2;
    std::uint32_t depth = plan.depth;
    strategy how = plan.how;
    if (how == strategy::portfolio) {
        constexpr strategy members[] = {strategy::random, strategy::pct, strategy::pos,
                                        strategy::pct};
        const std::size_t place = (plan.seed + std::size(members) - 1) % std::size(members);
        how = members[place];
        if (place == 1) depth = shallow;
    }
    switch (how) {
        case strategy::pct:
            return std::make_unique<priority_walk>(depth, plan.seed, plan.steps_expected);
        case strategy::pos: return std::make_unique<partial_order_sampling>(plan.seed);
        case strategy::urw: return std::make_unique<uniform_walk>(plan.seed);
        case strategy::round_robin: return std::make_unique<round_robin>(plan.seed);
        default: return std::make_unique<random_walk>(plan.seed);
    }
}

bool can_take(const controlled_thread& who) noexcept {
    const turn_request& next = who.next;
    const int tid = who.tid.load(std::memory_order_relaxed);
    switch (next.waits) {
        case awaited::mutex: return is_free(*static_cast<const pthread_mutex_t*>(next.object), tid);
        case awaited::read:
            return is_free_for_reading(*static_cast<const pthread_rwlock_t*>(next.object), tid);
        case awaited::write:
            return is_free_for_writing(*static_cast<const pthread_rwlock_t*>(next.object), tid);
        case awaited::spinlock:
            return is_free(*static_cast<const pthread_spinlock_t*>(next.object));
        case awaited::once: return is_free(*static_cast<const int*>(next.object));
        case awaited::semaphore: {
            int value = 0;
            // The type of the parameter is not const, though nothing is changed.
            ::sem_getvalue(static_cast<sem_t*>(const_cast<void*>(next.object)), &value);
            return value > 0 || who.is_interrupted;
        }
        case awaited::thread: return next.joined->has_ended;
        default: return true;
    }
}

}  // namespace

bool controller::is_enabled(const controlled_thread& who) const noexcept {
    if (!who.is_waiting) return false;
    // After a signal, a time-out or a cancellation, a thread that waited for a condition needs the
    // mutex of the wait again.
    if (who.next.waits == awaited::condition)
        return (who.is_signalled || who.is_expired || who.is_cancelled) &&
               is_free(*static_cast<const pthread_mutex_t*>(who.next.object), who.tid.load());
    const bool may_give_up =
        who.next.waits == awaited::semaphore || who.next.waits == awaited::thread;
    return who.is_expired || (who.is_cancelled && may_give_up) || can_take(who);
}

void controller::begin_turn() noexcept {
    while (busy_.test_and_set(std::memory_order_acquire)) ::syscall(SYS_sched_yield);
}
void controller::end_turn() noexcept {
    busy_.clear(std::memory_order_release);
}

void controller::add(controlled_thread& made) {
    const auto place = std::upper_bound(
        live.begin(), live.end(), made.ordinal,
        [](std::uint32_t ordinal, const auto* each) { return ordinal < each->ordinal; });
    live.insert(place, &made);
    known.push_back(&made);
    if (tasks.size() <= made.ordinal) tasks.resize(made.ordinal + 1, &nobody());
}

void controller::remove(controlled_thread& ended) {
    ended.has_ended = true;
    ended.is_waiting = false;
    std::erase(live, &ended);
    if (ended.ordinal < tasks.size()) tasks[ended.ordinal] = &nobody();
    if (!ended.has_handle) std::erase(known, &ended);
    if (holder == &ended) holder = nullptr;
}

void controller::grant(controlled_thread& who) noexcept {
    who.is_waiting = false;
    who.has_woken.store(false, std::memory_order_relaxed);
    holder = &who;
    last = who.ordinal;
    has_yielded = who.next.what == step::yield;
    ++steps;
    counters_of_run().steps.store(steps, std::memory_order_relaxed);
    who.word.store(controlled_thread::goes, std::memory_order_release);
    if (&who != me.slot) futex_wake(who.word);
}

void controller::pass_on() {
    if (holder != nullptr || is_frozen) return;
    enabled.clear();
    for (const controlled_thread* each : live)
        if (is_enabled(*each)) enabled.push_back(each->ordinal);
    if (follower != nullptr && follower->is_active()) {
        if (controlled_thread* const next = follower->next(*this)) return grant(*next);
        if (follower->is_active()) return;
    }
    if (enabled.empty()) {
        look_for_standstill();
        return;
    }
    const choice_point at{
        .enabled = enabled, .running = last, .tasks = tasks, .has_yielded = has_yielded};
    const std::uint32_t next = strategy->next_task(at);
    for (controlled_thread* const each : live)
        if (each->ordinal == next) return grant(*each);
}

controlled_thread* controller::find(std::uint32_t ordinal) noexcept {
    for (controlled_thread* const each : live)
        if (each->ordinal == ordinal) return each;
    return nullptr;
}

void controller::arrive(controlled_thread& self, const turn_request& next) {
    self.next = next;
    self.is_expired = self.is_interrupted = false;
    self.word.store(controlled_thread::waits, std::memory_order_relaxed);
    self.is_waiting = true;
    ++arrivals;
    self.own->pending = {.what = next.what,
                         .lock = next.lock == nullptr ? nullptr : &next.lock->identity()};
    if (holder == &self) holder = nullptr;
    if (next.lock != nullptr && next.end == nullptr && !is_enabled(self)) look_for_cycle(self);
    pass_on();
}

bool controller::look() {
    const std::uint64_t before = steps;
    if (holder == nullptr) {
        pass_on();
        return steps != before;
    }
    // While the holder of the turn runs, nothing is amiss. If it sleeps in the kernel or computes
    // for long, the others go on beside it, until its next step.
    const int tid = holder->tid.load(std::memory_order_relaxed);
    if (tid == 0 || is_looking_ || !holder->has_woken.load(std::memory_order_acquire)) return false;
    is_looking_ = true;
    end_turn();  // the system's answers take longer than most steps
    const kernel_view now = view_of(tid);
    begin_turn();
    is_looking_ = false;
    if (holder == nullptr || steps != before || !is_idle(now)) return false;
    if (now.has_ended())
        remove(*holder);
    else
        holder = nullptr;
    pass_on();
    return steps != before;
}

bool controller::is_idle(const kernel_view& now) noexcept {
    const clock_ns wall = now_on(CLOCK_MONOTONIC);
    if (seen_step_ != steps) {
        seen_step_ = steps;
        seen_first_ = now;
        seen_since_ = wall;
        asleep_since_ = 0;
    }
    if (!now.is_asleep() || asleep_since_ == 0 || now.ran_ns != seen_.ran_ns)
        asleep_since_ = now.is_asleep() ? wall : 0;
    seen_ = now;
    // A thread that often computes for long may be one that spins until another thread goes on.
    constexpr unsigned halvings_max = 4;
    const unsigned long long slice_ns =
        20'000'000ULL >> std::min(holder->long_steps / 4, halvings_max);
    constexpr clock_ns wall_slice_ns = 200'000'000;  // where the system tells no times
    constexpr clock_ns nap_ns = 150'000;
    const bool is_long = now.ran_ns > seen_first_.ran_ns + slice_ns ||
                         (now.ran_ns == 0 && wall > seen_since_ + wall_slice_ns);
    if (is_long) ++holder->long_steps;
    return is_long || now.has_ended() || (asleep_since_ != 0 && wall > asleep_since_ + nap_ns);
}

namespace {

/// Returns the time until the wait times out; a large number if it has no limit.
clock_ns left_of(const turn_request& next) noexcept {
    if (next.end == nullptr) return clock_ns{1} << 62;
    const clock_ns end = clock_ns{next.end->tv_sec} * 1'000'000'000 + next.end->tv_nsec;
    return end - now_on(next.clock);
}

/// Waits for the turn. Those who wait look after the holder of the turn, so that no thread of the
/// library's own is needed: the program may count its threads. A thread that has just given the
/// turn to another one looks soon, all others seldom.
void await_turn(controlled_thread& self) {
    controller& all = *the_controller;
    constexpr clock_ns shortest = 200'000;
    constexpr unsigned doublings_busy = 6;
    constexpr unsigned doublings_quiet = 8;
    unsigned idle = 0;
    std::uint64_t seen = 0;
    while (true) {
        const std::uint32_t word = self.word.load(std::memory_order_acquire);
        if (word == controlled_thread::goes) break;
        if (word == controlled_thread::tells) {
            self.word.store(controlled_thread::waits, std::memory_order_relaxed);
            all.tell(self);
            continue;
        }
        const clock_ns period = shortest << idle;
        const clock_ns left = self.is_expired ? period : left_of(self.next);
        errno = 0;
        if (left > 0) futex_wait(self.word, word, std::min(left, period));
        const bool is_interrupted =
            errno == EINTR && self.next.waits == awaited::semaphore && may_interrupt_waits();
        if (self.word.load(std::memory_order_acquire) != controlled_thread::waits) continue;
        const controller_turn mine;
        if (self.is_waiting && left_of(self.next) <= 0) self.is_expired = true;
        if (is_interrupted) self.is_interrupted = true;
        const bool is_quiet = seen == all.arrivals + all.steps;
        seen = all.arrivals + all.steps;
        if (all.look())
            idle = 0;
        else if (idle < (is_quiet ? doublings_quiet : doublings_busy))
            ++idle;
        else if (!is_quiet)
            idle = doublings_busy;
    }
    self.has_woken.store(true, std::memory_order_release);
}

turn_end result_of(controlled_thread& self) noexcept {
    const bool is_condition = self.next.waits == awaited::condition;
    const bool is_cancellation_point =
        is_condition || self.next.waits == awaited::semaphore || self.next.waits == awaited::thread;
    if (self.is_cancelled && is_cancellation_point) {
        self.is_cancelled = false;
        return turn_end::cancelled;
    }
    if (is_condition ? !self.is_signalled && self.is_expired : self.is_expired)
        return turn_end::expired;
    return self.is_interrupted ? turn_end::interrupted : turn_end::granted;
}

}  // namespace

turn_end take_turn(const turn_request& next) {
    controlled_thread& self = *me.slot;
    const int saved = errno;
    me.in_turn = true;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    {
        const controller_turn mine;
        the_controller->arrive(self, next);
    }
    await_turn(self);
    const turn_end how = result_of(self);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    me.in_turn = false;
    errno = saved;
    return how;
}

void give_turn() noexcept {
    const own_work mine;
    const controller_turn turn;
    if (the_controller->holder != me.slot) return;
    the_controller->holder = nullptr;
    the_controller->pass_on();
}

void start_control(const std::string& directory) {
    if (!plan.controls) return;
    the_controller = new controller;
    the_controller->directory = directory;
    the_controller->strategy = make_strategy();
    the_controller->strategy->new_execution();
    the_controller->follower = make_follower(directory);
}

void enter_control() {
    const own_work mine;
    auto* const made = new controlled_thread;
    made->ordinal = me.self->ordinal;
    made->own = me.self;
    made->tid.store(::gettid());
    made->handle = ::pthread_self();
    made->has_handle = true;
    made->word.store(controlled_thread::goes);
    const controller_turn turn;
    the_controller->add(*made);
    the_controller->tasks[made->ordinal] = made->own;
    if (the_controller->live.size() == 1) the_controller->holder = made;
    me.slot = made;
}

controlled_thread* announce_thread(std::uint32_t ordinal) {
    const own_work mine;
    auto* const made = new controlled_thread;
    made->ordinal = ordinal;
    made->next = {.is_unrecorded = true};
    made->is_waiting = true;
    const controller_turn turn;
    the_controller->add(*made);
    return made;
}

void thread_started(controlled_thread* made, bool has_failed, ::pthread_t handle) {
    const own_work mine;
    const controller_turn turn;
    if (has_failed) {
        the_controller->remove(*made);
        return;
    }
    // The handle of a thread that was joined or detached is used again.
    std::erase_if(the_controller->known, [&](const controlled_thread* each) {
        return each != made && each->has_handle && each->has_ended &&
               ::pthread_equal(each->handle, handle) != 0;
    });
    made->handle = handle;
    made->has_handle = true;
}

void begin_control(controlled_thread* announced) {
    me.in_turn = true;
    me.slot = announced;
    {
        const controller_turn turn;
        announced->own = me.self;
        announced->tid.store(::gettid());
        the_controller->tasks[announced->ordinal] = me.self;
    }
    await_turn(*announced);
    me.in_turn = false;
}

void leave_control() noexcept {
    const own_work mine;
    const controller_turn turn;
    the_controller->remove(*me.slot);
    me.slot = nullptr;
    the_controller->pass_on();
}

void enlist_waiter(const void* condition) noexcept {
    const own_work mine;
    const controller_turn turn;
    me.slot->is_signalled = false;
    me.slot->next.condition = condition;
    me.slot->queued = ++the_controller->queued;
    the_controller->waiters.push_back(me.slot);
}

void delist_waiter() noexcept {
    const own_work mine;
    const controller_turn turn;
    std::erase(the_controller->waiters, me.slot);
}

void signal_waiters(const void* condition, bool all) noexcept {
    const own_work mine;
    const controller_turn turn;
    // In the order in which they came.
    for (auto* const each : std::vector<controlled_thread*>(the_controller->waiters)) {
        if (each->next.condition != condition || each->is_signalled) continue;
        // The limit of this wait is over, so the signal may belong to another thread.
        if (each->is_expired && !all) continue;
        each->is_signalled = true;
        std::erase(the_controller->waiters, each);
        if (!all) return;
    }
}

const controlled_thread* thread_of(::pthread_t handle) noexcept {
    const own_work mine;
    const controller_turn turn;
    for (const controlled_thread* each : the_controller->known)
        if (each->has_handle && ::pthread_equal(each->handle, handle) != 0) return each;
    return nullptr;
}

void forget_joined(const controlled_thread* joined) noexcept {
    const own_work mine;
    const controller_turn turn;
    std::erase(the_controller->known, joined);
}

void note_cancel(::pthread_t handle) noexcept {
    const own_work mine;
    const controller_turn turn;
    for (controlled_thread* const each : the_controller->live)
        if (each->has_handle && ::pthread_equal(each->handle, handle) != 0)
            each->is_cancelled = true;
}

void lock_control() noexcept {
    if (the_controller == nullptr) return;
    me.in_turn = true;
    the_controller->begin_turn();
}
void unlock_control() noexcept {
    if (the_controller == nullptr) return;
    the_controller->end_turn();
    me.in_turn = false;
}

void controller::begin_child(controlled_thread* only) {
    for (controlled_thread* const each : std::vector<controlled_thread*>(live))
        if (each != only) remove(*each);
    waiters.clear();
    std::erase_if(known, [&](const controlled_thread* each) { return each != only; });
    is_frozen = is_looking_ = false;
    stuck_.clear();
    holder = only;
    follower = make_follower(directory);
    if (only == nullptr) return;
    only->tid.store(::gettid());
    only->is_waiting = false;
}

void fork_control() {
    if (the_controller != nullptr) the_controller->begin_child(me.slot);
}

}  // namespace wedge::run
