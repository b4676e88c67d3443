// What kernel code waits for: completions, wait queues, references, works, timers, threads.
#pragma once

#include <chrono>

#include "wedge/core/check.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/linux/memory.hpp"
#include "wedge/lock/completion.hpp"
#include "wedge/lock/refcount.hpp"
#include "wedge/lock/timer.hpp"
#include "wedge/lock/wait_queue.hpp"

namespace wedge::kernel {
namespace detail {

inline std::chrono::milliseconds duration_of(unsigned long in_jiffies) noexcept {
    constexpr unsigned long day = 24UL * 3600 * HZ;
    return std::chrono::milliseconds(min(in_jiffies, day) * 1000 / HZ);
}

struct clock {
    /// Time is virtual under control, and stands still.
    operator unsigned long() const noexcept {
        if (current().runtime != nullptr) return 0;
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<unsigned long>(
                   std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) *
               HZ / 1000;
    }
};

}  // namespace detail

inline constexpr detail::clock jiffies{};
constexpr unsigned long msecs_to_jiffies(unsigned milliseconds) noexcept {
    return milliseconds * HZ / 1000;
}
constexpr unsigned jiffies_to_msecs(unsigned long ticks) noexcept {
    return static_cast<unsigned>(ticks * 1000 / HZ);
}
constexpr bool time_after(unsigned long a, unsigned long b) noexcept {
    return static_cast<long>(b - a) < 0;
}
constexpr bool time_before(unsigned long a, unsigned long b) noexcept {
    return time_after(b, a);
}
inline void msleep(unsigned, site where = site::current()) {
    might_sleep(where);
    yield(where);
}
inline void usleep_range(unsigned long, unsigned long, site where = site::current()) {
    msleep(1, where);
}
inline void udelay(unsigned long) {}
template <class... Nothing>
void schedule(Nothing...) {
    static_assert(
        detail::is_supported<Nothing...>,
        "schedule() is not modelled: say what is waited for, by wait_event or a completion");
}
template <class... Nothing>
void set_current_state(Nothing...) {
    static_assert(detail::is_supported<Nothing...>,
                  "set_current_state() is not modelled: say what is waited for, by wait_event");
}
template <class... Nothing>
void prepare_to_wait(Nothing...) {
    static_assert(detail::is_supported<Nothing...>,
                  "prepare_to_wait() is not modelled: wait_event does the same");
}

// Completions.
struct completion {
    std::optional<wedge::completion> done;
    completion() = default;
    explicit completion(const char* name) : done(name) {}
};
#define init_completion(at) (at)->done.emplace(#at)
#define DECLARE_COMPLETION(name)       \
    ::wedge::kernel::completion name { \
#name                          \
    }
#define DECLARE_COMPLETION_ONSTACK(name) \
    ::wedge::kernel::completion name {   \
#name                            \
    }
/// Forgets the `complete` and `complete_all` that were before. Tasks that wait go on to wait.
inline void reinit_completion(struct completion* at, site where = site::current()) {
    at->done->reset(where);
}
inline void complete(struct completion* at, site where = site::current()) {
    at->done->complete(where);
}
inline void complete_all(struct completion* at, site where = site::current()) {
    at->done->complete_all(where);
}
inline void wait_for_completion(struct completion* at, site where = site::current()) {
    at->done->wait(where);
}
inline int wait_for_completion_interruptible(struct completion* at, site where = site::current()) {
    return at->done->wait_interruptible(where) ? 0 : -ERESTARTSYS;
}
inline int wait_for_completion_killable(struct completion* at, site where = site::current()) {
    return wait_for_completion_interruptible(at, where);
}
/// Returns 0 if the time is over, else a number of jiffies that is left, at least 1.
inline unsigned long wait_for_completion_timeout(struct completion* at, unsigned long timeout,
                                                 site where = site::current()) {
    return at->done->wait_for(detail::duration_of(timeout), where) ? max(timeout, 1UL) : 0;
}
/// As above; returns -ERESTARTSYS if a signal came.
inline long wait_for_completion_interruptible_timeout(struct completion* at, unsigned long timeout,
                                                      site where = site::current()) {
    const unsigned long left = wait_for_completion_timeout(at, timeout, where);
    if (left == 0 && choose(2, "a signal ends the wait") != 0) return -ERESTARTSYS;
    return static_cast<long>(left);
}
inline long wait_for_completion_killable_timeout(struct completion* at, unsigned long timeout,
                                                 site where = site::current()) {
    return wait_for_completion_interruptible_timeout(at, timeout, where);
}
inline bool try_wait_for_completion(struct completion* at, site where = site::current()) {
    return at->done->try_wait(where);
}

// Wait queues. A thread that kthread_stop ends is woken from its wait.
struct wait_queue_head {
    std::optional<wedge::wait_queue> queue;
    wait_queue_head() = default;
    explicit wait_queue_head(const char* name) : queue(std::in_place, name) {}
};
using wait_queue_head_t = struct wait_queue_head;
#define init_waitqueue_head(at) (at)->queue.emplace(#at)
#define DECLARE_WAIT_QUEUE_HEAD(name)       \
    ::wedge::kernel::wait_queue_head name { \
#name                               \
    }

/// A kernel thread.
struct kthread {
    wedge::thread thread;
    wedge::atomic<bool> is_stopping{false, "kthread_should_stop"};
    wedge::spinlock lock{"kthread wait"};
    wedge::wait_queue* waits_on = nullptr;  // guarded by lock
    int result = 0;
    struct task_struct task;
};
namespace detail {

inline thread_local kthread* native_kthread = nullptr;

/// The kernel threads of controlled tasks, by task.
struct kthread_table {
    plain_spinlock busy;
    std::map<const wedge::task*, kthread*> all;
    static kthread_table& process() {
        static kthread_table& made = *new kthread_table;
        return made;
    }
};
inline kthread* running_kthread() {
    kthread_table& known = kthread_table::process();
    const std::lock_guard mine(known.busy);
    const auto found = known.all.find(&current());
    return found == known.all.end() ? nullptr : found->second;
}

/// While it lives, kthread_stop wakes the thread from this queue.
class wait_scope {
public:
    wait_scope(wait_queue_head& on, site where) : self_(running_kthread()), where_(where) {
        if (!on.queue)
            ::wedge::detail::raise<std::logic_error>(
                "a wait queue is used that was not initialised");
        note(&*on.queue);
    }
    ~wait_scope() { note(nullptr); }
    wait_scope(const wait_scope&) = delete;
    wait_scope& operator=(const wait_scope&) = delete;

private:
    void note(wedge::wait_queue* on) {
        if (self_ == nullptr) return;
        const wedge::guard held(self_->lock, where_);
        self_->waits_on = on;
    }
    kthread* const self_;
    const site where_;
};

template <class Predicate>
void wait_on(wait_queue_head& on, Predicate is_true, site where) {
    const wait_scope scope(on, where);
    on.queue->wait(is_true, where);
}
template <class Predicate>
int wait_on_interruptible(wait_queue_head& on, Predicate is_true, site where) {
    const wait_scope scope(on, where);
    return on.queue->wait_interruptible(is_true, where) ? 0 : -ERESTARTSYS;
}
template <class Predicate>
long wait_on_timeout(wait_queue_head& on, Predicate is_true, unsigned long timeout, site where) {
    const wait_scope scope(on, where);
    return on.queue->wait_for(duration_of(timeout), is_true, where)
               ? static_cast<long>(max(timeout, 1UL))
               : 0;
}

}  // namespace detail
#define wait_event(queue, condition)                                                        \
    ::wedge::kernel::detail::wait_on((queue), [&] { return static_cast<bool>(condition); }, \
                                     ::wedge::site::current())
#define wait_event_interruptible(queue, condition)  \
    ::wedge::kernel::detail::wait_on_interruptible( \
        (queue), [&] { return static_cast<bool>(condition); }, ::wedge::site::current())
#define wait_event_killable(queue, condition) wait_event_interruptible(queue, condition)
#define wait_event_timeout(queue, condition, timeout)                                      \
    ::wedge::kernel::detail::wait_on_timeout((queue),                                      \
                                             [&] { return static_cast<bool>(condition); }, \
                                             (timeout), ::wedge::site::current())
#define wait_event_interruptible_timeout(queue, condition, timeout) \
    wait_event_timeout(queue, condition, timeout)
inline void wake_up(wait_queue_head_t* at, site where = site::current()) {
    at->queue->wake_up(where);
}
inline void wake_up_all(wait_queue_head_t* at, site where = site::current()) {
    at->queue->wake_up_all(where);
}
inline void wake_up_interruptible(wait_queue_head_t* at, site where = site::current()) {
    at->queue->wake_up(where);
}
inline void wake_up_interruptible_all(wait_queue_head_t* at, site where = site::current()) {
    at->queue->wake_up_all(where);
}
inline bool waitqueue_active(wait_queue_head_t* at, site where = site::current()) {
    return at->queue->is_active(where);
}

// Kernel threads.
inline bool kthread_should_stop(site where = site::current()) {
    kthread* const self = detail::running_kthread();
    return self != nullptr && self->is_stopping.load(where);
}
namespace detail {
struct kthread_scope {
    explicit kthread_scope(kthread* self) {
        kthread_table& known = kthread_table::process();
        const std::lock_guard mine(known.busy);
        known.all[&current()] = self;
    }
    ~kthread_scope() {
        kthread_table& known = kthread_table::process();
        const std::lock_guard mine(known.busy);
        known.all.erase(&current());
    }
};
}  // namespace detail
template <class T, class... Name>
struct task_struct* kthread_run(int (*body)(T*), std::type_identity_t<T>* data, const char* name,
                                const Name&...) {
    kthread* const made = kzalloc(sizeof(kthread), GFP_KERNEL);
    if (made == nullptr) return ERR_PTR(-ENOMEM);
    made->thread = wedge::thread::daemon(
        [made, body, data] {
            const detail::kthread_scope scope(made);
            made->result = body(data);
        },
        name);
    return &made->task;
}
/// Tells the thread to stop, waits for its end and returns what its function returned.
inline int kthread_stop(struct task_struct* at, site where = site::current()) {
    kthread* const of = container_of(at, kthread, task);
    of->is_stopping.store(true, where);
    {
        const wedge::guard held(of->lock, where);
        if (of->waits_on != nullptr) of->waits_on->wake_up_all(where);
    }
    of->thread.join(where);
    const int result = of->result;
    kfree(of, where);
    return result;
}

// References.
struct kref {
    std::optional<wedge::refcount> count;
    wedge::refcount& get() {
        if (!count)
            ::wedge::detail::raise<std::logic_error>("a kref is used that was not initialised");
        return *count;
    }
};
#define kref_init(at) (at)->count.emplace(1U, #at)
inline void kref_get(struct kref* at, site where = site::current()) {
    at->get().get(where);
}
inline int kref_get_unless_zero(struct kref* at, site where = site::current()) {
    return at->get().get_unless_zero(where) ? 1 : 0;
}
/// Each put counts as one that may be the last (rule 19b).
inline int kref_put(struct kref* at, void (*release)(struct kref*), site where = site::current()) {
    return at->get().put([at, release] { release(at); }, where) ? 1 : 0;
}
/// The release function is called with the mutex held, and unlocks it.
inline int kref_put_mutex(struct kref* at, void (*release)(struct kref*), struct mutex* lock,
                          site where = site::current()) {
    if (!at->get().put_and_lock(*lock->lock, where)) return 0;
    release(at);
    return 1;
}
inline unsigned kref_read(struct kref* at) {
    return at->get().references();
}

/// A reference count whose release is up to the caller, so it takes no part in the order.
struct refcount_t {
    wedge::atomic<std::uint32_t> count{0, "refcount_t"};
};
inline void refcount_set(refcount_t* at, unsigned to, site where = site::current()) {
    at->count.store(to, where);
}
inline unsigned refcount_read(const refcount_t* at, site where = site::current()) {
    return at->count.load(where);
}
inline void refcount_inc(refcount_t* at, site where = site::current()) {
    if (at->count.fetch_add(1, where) == 0)
        detail::warn(false, "refcount_inc of an object that is being released", where);
}
inline bool refcount_inc_not_zero(refcount_t* at, site where = site::current()) {
    std::uint32_t known = at->count.load(where);
    while (known != 0)
        if (at->count.compare_exchange(known, known + 1, where)) return true;
    return false;
}
inline bool refcount_dec_and_test(refcount_t* at, site where = site::current()) {
    const std::uint32_t before = at->count.fetch_sub(1, where);
    if (before == 0) detail::warn(false, "refcount_t below zero", where);
    return before == 1;
}

// Works.
struct workqueue_struct {
    std::optional<wedge::workqueue> own;
    wedge::workqueue* queue = nullptr;
};
struct work_struct;
using work_func_t = void (*)(struct work_struct*);
struct work_struct {
    work_func_t func = nullptr;
    std::unique_ptr<work_item> item;
    wedge::workqueue* on = nullptr;  // the queue that ran it last

    void init(const char* name, work_func_t body) {
        func = body;
        item = std::make_unique<work_item>([this] { func(this); }, name);
    }
    work_item& get() {
        if (item == nullptr)
            ::wedge::detail::raise<std::logic_error>("a work is used that was not initialised");
        return *item;
    }
};
struct delayed_work {
    struct work_struct work;
};
inline struct delayed_work* to_delayed_work(struct work_struct* of) {
    return container_of(of, struct delayed_work, work);
}
#define INIT_WORK(at, body) (at)->init(#at, (body))
#define INIT_WORK_ONSTACK(at, body) (at)->init(#at, (body))
#define INIT_DELAYED_WORK(at, body) (at)->work.init(#at, (body))

namespace detail {
inline wedge::workqueue& queue_of(struct workqueue_struct* of) {
    if (of != nullptr) return *of->queue;
    machine& here = machine::here();
    // So many bodies may run at once that none waits for a worker.
    sanitizer::acquire(&here.system_queue);
    if (here.system_queue == nullptr)
        here.system_queue = std::make_unique<wedge::workqueue>(256U, "events");
    sanitizer::release(&here.system_queue);
    return *here.system_queue;
}
// The kernel orders a work's calls by an atomic word of the work, and so do these.
inline wedge::workqueue* queue_of(struct work_struct* one) {
    sanitizer::acquire(&one->on);
    return one->on;
}
inline wedge::workqueue& put_on(struct workqueue_struct* of, struct work_struct* one) {
    sanitizer::acquire(&one->on);
    one->on = &queue_of(of);
    sanitizer::release(&one->on);
    return *one->on;
}
}  // namespace detail
/// The queue of schedule_work.
inline constexpr workqueue_struct* system_wq = nullptr;
inline constexpr workqueue_struct* system_unbound_wq = nullptr;
inline constexpr workqueue_struct* system_long_wq = nullptr;
inline constexpr unsigned WQ_UNBOUND = 2;
inline constexpr unsigned WQ_MEM_RECLAIM = 8;
inline constexpr unsigned WQ_HIGHPRI = 16;

/// @param max_active  how many of its works may run at once; 0: as many as there are
template <class... Name>
struct workqueue_struct* alloc_workqueue(const char* name, unsigned, int max_active,
                                         const Name&...) {
    struct workqueue_struct* const made = kzalloc(sizeof(workqueue_struct), GFP_KERNEL);
    if (made == nullptr) return nullptr;
    made->queue =
        &made->own.emplace(max_active == 0 ? 256U : static_cast<unsigned>(max_active), name);
    return made;
}
template <class... Name>
struct workqueue_struct* alloc_ordered_workqueue(const char* name, unsigned flags,
                                                 const Name&... names) {
    return alloc_workqueue(name, flags, 1, names...);
}
inline struct workqueue_struct* create_singlethread_workqueue(const char* name) {
    return alloc_workqueue(name, 0, 1);
}
inline void flush_workqueue(struct workqueue_struct* of, site where = site::current()) {
    might_sleep(where);
    detail::queue_of(of).flush_all(where);
}
inline void drain_workqueue(struct workqueue_struct* of, site where = site::current()) {
    flush_workqueue(of, where);
}
inline void destroy_workqueue(struct workqueue_struct* of, site where = site::current()) {
    flush_workqueue(of, where);
    kfree(of, where);
}
inline bool queue_work(struct workqueue_struct* of, struct work_struct* one,
                       site where = site::current()) {
    return detail::put_on(of, one).queue(one->get(), {}, where);
}
inline bool schedule_work(struct work_struct* one, site where = site::current()) {
    return queue_work(nullptr, one, where);
}
inline bool flush_work(struct work_struct* one, site where = site::current()) {
    might_sleep(where);
    wedge::workqueue* const on = detail::queue_of(one);
    if (on == nullptr) return one->get().wait_for_body(where), false;  // never queued
    return on->flush(one->get(), where);
}
inline bool cancel_work_sync(struct work_struct* one, site where = site::current()) {
    might_sleep(where);
    wedge::workqueue* const on = detail::queue_of(one);
    if (on == nullptr) return one->get().wait_for_body(where), false;  // never queued
    return on->cancel_sync(one->get(), where);
}
inline bool work_pending(struct work_struct* one, site where = site::current()) {
    wedge::workqueue* const on = detail::queue_of(one);
    return on != nullptr && on->is_queued(one->get(), where);
}
inline bool queue_delayed_work(struct workqueue_struct* of, struct delayed_work* one,
                               unsigned long delay, site where = site::current()) {
    return detail::put_on(of, &one->work).queue(one->work.get(), detail::duration_of(delay), where);
}
inline bool schedule_delayed_work(struct delayed_work* one, unsigned long delay,
                                  site where = site::current()) {
    return queue_delayed_work(nullptr, one, delay, where);
}
inline bool mod_delayed_work(struct workqueue_struct* of, struct delayed_work* one,
                             unsigned long delay, site where = site::current()) {
    return detail::put_on(of, &one->work)
        .modify(one->work.get(), detail::duration_of(delay), where);
}
inline bool cancel_delayed_work(struct delayed_work* one, site where = site::current()) {
    wedge::workqueue* const on = detail::queue_of(&one->work);
    return on != nullptr && on->cancel(one->work.get(), where);
}
inline bool cancel_delayed_work_sync(struct delayed_work* one, site where = site::current()) {
    return cancel_work_sync(&one->work, where);
}
inline bool flush_delayed_work(struct delayed_work* one, site where = site::current()) {
    return flush_work(&one->work, where);
}
inline bool delayed_work_pending(struct delayed_work* one, site where = site::current()) {
    return work_pending(&one->work, where);
}

// Timers.
struct timer_list {
    std::optional<wedge::timer> timer;
    unsigned long expires = 0;
    void (*function)(struct timer_list*) = nullptr;
    bool is_shut_down = false;

    void init(const char* name, void (*body)(struct timer_list*)) {
        function = body;
        timer.emplace([this] { function(this); }, name);
    }
    wedge::timer& get() {
        if (!timer)
            ::wedge::detail::raise<std::logic_error>("a timer is used that was not initialised");
        return *timer;
    }
};
#define timer_setup(at, body, flags) (at)->init(#at, (body))
#define from_timer(var, at, member) container_of(at, __typeof__(*var), member)
#define timer_container_of(var, at, member) container_of(at, __typeof__(*var), member)
inline int mod_timer(struct timer_list* at, unsigned long expires, site where = site::current()) {
    at->expires = expires;
    if (at->is_shut_down) return 0;
    const unsigned long now = jiffies;
    return at->get().arm(detail::duration_of(expires > now ? expires - now : 0), where) ? 1 : 0;
}
inline void add_timer(struct timer_list* at, site where = site::current()) {
    mod_timer(at, at->expires, where);
}
inline int timer_delete(struct timer_list* at, site where = site::current()) {
    return at->get().stop(where) ? 1 : 0;
}
inline int timer_delete_sync(struct timer_list* at, site where = site::current()) {
    return at->get().stop_and_wait(where) ? 1 : 0;
}
inline int timer_shutdown_sync(struct timer_list* at, site where = site::current()) {
    at->is_shut_down = true;
    return timer_delete_sync(at, where);
}
inline int del_timer(struct timer_list* at, site where = site::current()) {
    return timer_delete(at, where);
}
inline int del_timer_sync(struct timer_list* at, site where = site::current()) {
    return timer_delete_sync(at, where);
}
inline bool timer_pending(struct timer_list* at, site where = site::current()) {
    return at->get().is_armed(where);
}

}  // namespace wedge::kernel
