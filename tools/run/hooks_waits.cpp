// Conditions, semaphores, barriers and initialisation that happens once.
#include <algorithm>

#include "run/steps.hpp"

using namespace wedge;
using namespace wedge::run;

#define WEDGE_HOOK extern "C" [[gnu::visibility("default")]]

namespace {

/// A wait for a condition: the thread releases the mutex and takes it again. The destructor runs
/// also if the thread is cancelled, because a cancelled wait takes the mutex too.
class condition_wait {
public:
    condition_wait(const void* condition, const void* mutex, const void* returns_to)
        : condition_(condition), where_(site_of(returns_to)) {
        hook_scope mine;
        if (!mine) return;
        lock_record* const lock = locks.find(mutex);
        if (lock == nullptr) return;
        task& self = *me.self;
        lock_identity& known = lock->identity();
        const held_lock* const hold = self.held.find(known.instance());
        // A recursive mutex that is held twice stays held during the wait.
        if (hold == nullptr || hold->depth != 1) return;
        record_wait(self, "wait", condition_, *lock, where_);
        detail::released(self, known, mode::exclusive, where_);
        // The order of the second acquire is checked now, since it may never come.
        detail::attempt(self, known, {.where = where_});
        lock_ = lock;
    }
    ~condition_wait() {
        if (lock_ == nullptr) return;
        hook_scope mine;
        if (!mine) return;
        detail::acquired(*me.self, lock_->identity(), {.where = where_});
        count_acquire();
        record_wait(*me.self, "wake", condition_, *lock_, where_);
    }
    condition_wait(const condition_wait&) = delete;
    condition_wait& operator=(const condition_wait&) = delete;

private:
    const void* condition_;
    site where_;
    lock_record* lock_ = nullptr;
};

void note(const char* what, const void* object, const void* returns_to) {
    if (!records_steps()) [[likely]]
        return;
    if (hook_scope mine; mine) record_object(*me.self, what, object, site_of(returns_to));
}

pthread_cond_t* native(cnd_t* condition) noexcept {
    return reinterpret_cast<pthread_cond_t*>(condition);
}

/// Leaves the list of waiters also if the thread is cancelled.
class waiter_entry {
public:
    explicit waiter_entry(const void* condition) { enlist_waiter(condition); }
    ~waiter_entry() { delist_waiter(); }
    waiter_entry(const waiter_entry&) = delete;
    waiter_entry& operator=(const waiter_entry&) = delete;
};

/// Waits in turn. The C library's condition is not used: threads under control wait in the
/// library's list, and are signalled there.
int wait_in_turn(const pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* end,
                 ::clockid_t clock, const void* returns_to) {
    turn_end how = turn_end::granted;
    {
        const waiter_entry listed(condition);
        const int released = real.pthread_mutex_unlock(mutex);
        if (released != 0) return released;
        const turn_request wakes{.what = step::acquire,
                                 .waits = awaited::condition,
                                 .object = mutex,
                                 .lock = locks.find(mutex),
                                 .returns_to = returns_to,
                                 .end = end,
                                 .clock = clock,
                                 .condition = condition};
        how = take_turn(wakes);
    }
    // The step is enabled when the mutex is free; a thread outside of control may be faster.
    int taken = real.pthread_mutex_trylock(mutex);
    if (taken == EBUSY) {
        give_turn();
        taken = real.pthread_mutex_lock(mutex);
        take_turn({.returns_to = returns_to, .is_unrecorded = true});
    }
    if (how == turn_end::cancelled) ::pthread_testcancel();
    if (taken != 0) return taken;
    return how == turn_end::expired ? ETIMEDOUT : 0;
}

template <class Call>
int wait_for_condition(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* end,
                       ::clockid_t clock, const void* returns_to, Call call) {
    const bool is_in_turn = is_controlled();
    if (is_in_turn) {
        ::pthread_testcancel();
        step_in_turn(step::wait, returns_to, locks.find(mutex));
    }
    const condition_wait waits(condition, mutex, returns_to);
    if (!is_in_turn) return call();
    if (!is_shared_by_processes(*condition))
        return wait_in_turn(condition, mutex, end, clock, returns_to);
    give_turn();
    const int result = call();
    take_turn({.returns_to = returns_to, .is_unrecorded = true});
    return result;
}

void wake_waiters(const pthread_cond_t* condition, bool all, const void* returns_to) {
    step_in_turn(all ? step::notify_all : step::notify_one, returns_to);
    note(all ? "notify_all" : "notify", condition, returns_to);
    if (plan.controls && !me.in_turn) signal_waiters(condition, all);
}

/// Takes a unit of a semaphore in turn.
int unit_in_turn(sem_t* semaphore, const timespec* end, ::clockid_t clock, const void* returns_to) {
    ::pthread_testcancel();
    while (true) {
        const turn_end how = take_turn({.what = step::acquire,
                                        .waits = awaited::semaphore,
                                        .object = semaphore,
                                        .returns_to = returns_to,
                                        .end = end,
                                        .clock = clock});
        if (how == turn_end::cancelled) ::pthread_testcancel();
        if (real.sem_trywait(semaphore) == 0) return 0;
        if (errno != EAGAIN) return -1;
        if (how == turn_end::granted || how == turn_end::cancelled) continue;
        errno = how == turn_end::expired ? ETIMEDOUT : EINTR;
        return -1;
    }
}

template <class Call>
int wait_for_unit(sem_t* semaphore, const timespec* end, ::clockid_t clock, const void* returns_to,
                  Call call) {
    int result = -1;
    if (is_controlled())
        result = unit_in_turn(semaphore, end, clock, returns_to);
    else
        result = call();
    if (result == 0) note("down", semaphore, returns_to);
    return result;
}

/// The initialisation that this thread runs under a `pthread_once`.
struct once_frame {
    void (*run)() = nullptr;
    lock_record* lock = nullptr;
    const void* returns_to = nullptr;
};
constinit thread_local once_frame current_once;

/// Holds the lock that stands for the initialisation.
class once_hold {
public:
    explicit once_hold(const once_frame& frame) : lock_(frame.lock), where_(frame.returns_to) {
        if (hook_scope mine; mine && lock_ != nullptr)
            detail::acquired(*me.self, lock_->identity(), {.where = site_of(where_)});
    }
    ~once_hold() {
        if (hook_scope mine; mine && lock_ != nullptr)
            detail::released(*me.self, lock_->identity(), mode::exclusive, site_of(where_));
    }
    once_hold(const once_hold&) = delete;
    once_hold& operator=(const once_hold&) = delete;

private:
    lock_record* const lock_;
    const void* const where_;
};

void run_once() {
    const once_frame mine = current_once;
    const once_hold held(mine);
    mine.run();
}

/// Notes that the thread may wait for another thread's initialisation.
lock_record* attempt_once(const void* control, const void* returns_to) {
    hook_scope mine;
    if (!mine) return nullptr;
    lock_record* lock = locks.find(control);
    // No kind of lock whose owner the C library knows.
    if (lock == nullptr) lock = &record_of_new(control, lock_kind::raw_spinlock, made_by::once);
    detail::attempt(*me.self, lock->identity(), {.where = site_of(returns_to)});
    return lock;
}

/// Waits in turn until no other thread runs the initialisation.
void await_once(const int* control, lock_record* lock, const void* returns_to) {
    if (is_controlled())
        take_turn({.what = step::acquire,
                   .waits = awaited::once,
                   .object = control,
                   .lock = lock,
                   .returns_to = returns_to,
                   .is_unrecorded = true});
}

/// Returns whether the initialisation is done, so that no thread waits for it.
bool is_done(const int* control) noexcept {
    constexpr int done = 2;
    return (__atomic_load_n(control, __ATOMIC_ACQUIRE) & 3) == done;
}

template <class Control, class Call>
int initialise_once(Control* control, void (*run)(), const void* returns_to, Call call) {
    need_real_functions();
    if (is_done(control)) return call(run);
    const once_frame outer = current_once;
    current_once = {run, attempt_once(control, returns_to), returns_to};
    await_once(reinterpret_cast<const int*>(control), current_once.lock, returns_to);
    const int result = call(&run_once);
    current_once = outer;
    return result;
}

}  // namespace

WEDGE_HOOK int pthread_once(pthread_once_t* control, void (*run)()) {
    return initialise_once(control, run, __builtin_return_address(0),
                           [=](void (*body)()) { return real.pthread_once(control, body); });
}
WEDGE_HOOK void call_once(once_flag* control, void (*run)()) {
    initialise_once(reinterpret_cast<int*>(control), run, __builtin_return_address(0),
                    [=](void (*body)()) { return real.call_once(control, body), 0; });
}

WEDGE_HOOK int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
    need_real_functions();
    perhaps_delay();
    return wait_for_condition(condition, mutex, nullptr, CLOCK_REALTIME,
                              __builtin_return_address(0),
                              [=] { return real.pthread_cond_wait(condition, mutex); });
}
WEDGE_HOOK int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                      const timespec* end) {
    need_real_functions();
    return wait_for_condition(condition, mutex, end, clock_of(*condition),
                              __builtin_return_address(0),
                              [=] { return real.pthread_cond_timedwait(condition, mutex, end); });
}
WEDGE_HOOK int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                      clockid_t clock, const timespec* end) {
    need_real_functions();
    return wait_for_condition(condition, mutex, end, clock, __builtin_return_address(0), [=] {
        return real.pthread_cond_clockwait(condition, mutex, clock, end);
    });
}
WEDGE_HOOK int pthread_cond_signal(pthread_cond_t* condition) {
    need_real_functions();
    wake_waiters(condition, false, __builtin_return_address(0));
    return real.pthread_cond_signal(condition);
}
WEDGE_HOOK int pthread_cond_broadcast(pthread_cond_t* condition) {
    need_real_functions();
    wake_waiters(condition, true, __builtin_return_address(0));
    return real.pthread_cond_broadcast(condition);
}

WEDGE_HOOK int cnd_wait(cnd_t* condition, mtx_t* mutex) {
    need_real_functions();
    return c11_of(wait_for_condition(native(condition), native(mutex), nullptr, CLOCK_REALTIME,
                                     __builtin_return_address(0),
                                     [=] { return error_of(real.cnd_wait(condition, mutex)); }));
}
WEDGE_HOOK int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* end) {
    need_real_functions();
    return c11_of(wait_for_condition(
        native(condition), native(mutex), end, CLOCK_REALTIME, __builtin_return_address(0),
        [=] { return error_of(real.cnd_timedwait(condition, mutex, end)); }));
}
WEDGE_HOOK int cnd_signal(cnd_t* condition) {
    need_real_functions();
    wake_waiters(native(condition), false, __builtin_return_address(0));
    return real.cnd_signal(condition);
}
WEDGE_HOOK int cnd_broadcast(cnd_t* condition) {
    need_real_functions();
    wake_waiters(native(condition), true, __builtin_return_address(0));
    return real.cnd_broadcast(condition);
}

// Semaphores and barriers have no owner, so the checker learns no order from them. A trace has
// them.
WEDGE_HOOK int sem_wait(sem_t* semaphore) {
    need_real_functions();
    perhaps_delay();
    return wait_for_unit(semaphore, nullptr, CLOCK_REALTIME, __builtin_return_address(0),
                         [=] { return real.sem_wait(semaphore); });
}
WEDGE_HOOK int sem_timedwait(sem_t* semaphore, const timespec* end) {
    need_real_functions();
    return wait_for_unit(semaphore, end, CLOCK_REALTIME, __builtin_return_address(0),
                         [=] { return real.sem_timedwait(semaphore, end); });
}
WEDGE_HOOK int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* end) {
    need_real_functions();
    return wait_for_unit(semaphore, end, clock, __builtin_return_address(0),
                         [=] { return real.sem_clockwait(semaphore, clock, end); });
}
WEDGE_HOOK int sem_trywait(sem_t* semaphore) {
    need_real_functions();
    step_in_turn(step::try_acquire, __builtin_return_address(0), nullptr, true);
    const int result = real.sem_trywait(semaphore);
    if (result == 0) note("down", semaphore, __builtin_return_address(0));
    return result;
}
WEDGE_HOOK int sem_post(sem_t* semaphore) {
    need_real_functions();
    step_in_turn(step::release, __builtin_return_address(0));
    note("up", semaphore, __builtin_return_address(0));
    const int result = real.sem_post(semaphore);
    perhaps_delay();
    return result;
}
WEDGE_HOOK int pthread_barrier_wait(pthread_barrier_t* barrier) {
    need_real_functions();
    step_in_turn(step::release, __builtin_return_address(0));
    note("up", barrier, __builtin_return_address(0));
    const bool is_in_turn = is_controlled();
    if (is_in_turn) give_turn();
    const int result = real.pthread_barrier_wait(barrier);
    if (is_in_turn) step_in_turn(step::acquire, __builtin_return_address(0));
    note("down", barrier, __builtin_return_address(0));
    return result;
}

void wedge::run::delay_now() noexcept {
    hook_scope mine;
    if (!mine) return;
    // Priorities change now and then, as in PCT (Burckhardt et al., "A Randomized Scheduler with
    // Probabilistic Guarantees of Finding Bugs", 2010): threads of low priority are delayed longer.
    constexpr std::uint32_t change_permille = 15;
    constexpr std::uint32_t priorities = 4;
    static constinit thread_local std::uint32_t priority = priorities;
    rng& random = me.self->random;
    if (priority == priorities || random.below(1000) < change_permille)
        priority = random.below(priorities);
    if (random.below(1000) >= plan.delay_permille) return;
    const std::uint32_t most = plan.delay_most_us * priority / (priorities - 1) + 1;
    const std::uint32_t microseconds = random.below(most);
    mine.close();
    const int saved = errno;
    if (microseconds == 0)
        real.sched_yield();
    else
        ::usleep(microseconds);
    errno = saved;
}
