// Tasks, which acquire locks. Two pointers of a task connect its locks with all other layers.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>
#include <string>

#include "wedge/core/held.hpp"
#include "wedge/core/live_tasks.hpp"
#include "wedge/core/rng.hpp"
#include "wedge/core/runtime.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/core/sink.hpp"

namespace wedge {

/// The contexts that a task has entered, and the interrupts that it keeps out (core/contexts.hpp).
struct alignas(8) context_state {
    std::uint8_t hardirqs = 0;           ///< entered and not left
    std::uint8_t threaded_hardirqs = 0;  ///< those of them that run in a thread
    bool irqs_are_off = false;
    std::uint8_t bh_depth = 0;       ///< not 0: softirqs are off
    std::uint8_t preempt_depth = 0;  ///< not 0: preemption is off, and the task must not sleep
    std::uint8_t softirqs = 0;
    std::uint8_t nmis = 0;

    context now() const noexcept {
        if (nmis != 0) return context::nmi;
        return hardirqs != 0 ? context::hardirq : softirqs != 0 ? context::softirq : context::task;
    }
    /// Returns whether an interrupt of this sort may arrive. A softirq waits until hardirqs are
    /// enabled too. Only another NMI keeps an NMI out (rule 21a).
    bool admits(context sort) const noexcept {
        if (nmis != 0 || sort == context::task) return false;
        if (sort == context::nmi) return true;
        if (irqs_are_off) return false;
        return sort == context::hardirq || (hardirqs == 0 && softirqs == 0 && bh_depth == 0);
    }
    /// Returns a depth after one more section, or one section less. More than this many count as
    /// this many, so that the states of a loop that only enters sections are finite.
    static constexpr std::uint8_t depth_max = 15;
    static constexpr std::uint8_t deeper(std::uint8_t depth) noexcept {
        return depth < depth_max ? static_cast<std::uint8_t>(depth + 1) : depth_max;
    }
    static constexpr std::uint8_t shallower(std::uint8_t depth) noexcept {
        return depth != 0 ? static_cast<std::uint8_t>(depth - 1) : std::uint8_t{0};
    }
    /// Returns whether the interrupt runs in a thread, so that it may wait for a spinlock.
    bool is_threaded() const noexcept { return hardirqs == threaded_hardirqs; }

    friend bool operator==(const context_state&, const context_state&) = default;
};

/// What a task is in the middle of. A handler that runs on top of the task has one of its own.
struct task_moment {
    operation pending{};        ///< under control: the step that the task is about to take
    std::uint64_t stage = 0;    ///< how far a call of a role has come: core/stage.hpp
    bool is_idle = false;       ///< a daemon without work: core/idle.hpp
    bool in_hook = false;       ///< a hook is running, whose own locks are not reported
    std::uint8_t unbroken = 0;  ///< open sections of core/contexts.hpp that keep handlers out
};

class task;

/// Hears when a real thread sleeps. While the thread sleeps, another thread may act on top of it;
/// the sleeper does not go on before that has ended.
class sleep_listener {
public:
    virtual void begin_sleep(const task& sleeper) = 0;
    /// Waits until nobody acts on top of the sleeper. The sleeper holds no lock of wedge's own.
    virtual void end_sleep() = 0;
    /// As `end_sleep`, but does not wait: returns false if another thread acts on top of the
    /// sleeper, which is then still asleep.
    virtual bool try_end_sleep() = 0;

protected:
    ~sleep_listener() = default;
};

/// A thread, a controlled fiber or a handler. While it runs, only the task itself touches it.
class task : public task_moment {
public:
    task() = default;
    task(const task&) = delete;
    task& operator=(const task&) = delete;

    held_locks held;
    listener sink;                                  ///< hears every event; null: no listener
    wedge::runtime* runtime = nullptr;              ///< controls this task; null: it runs natively
    std::uint64_t chain = 0;                        ///< the checker's key for the hold that follows
    std::uint32_t ordinal = 0;                      ///< from 0, within the process or the execution
    wedge::context context = wedge::context::task;  ///< `contexts.now()`
    context_state contexts;
    std::uint8_t scopes = 0;           ///< allocation scopes: bits of core/scopes.hpp
    sleep_listener* sleeps = nullptr;  ///< of a real thread; null: nobody acts on top of it
    bool leaves_out = false;           ///< under control: it queued a run that the model leaves out
    /// On real threads: how many of 1024 trylocks fail although the lock is free, and how many
    /// wound/wait acquires back off although no ticket demands it.
    std::uint16_t failing_tries = 0;
    std::uint16_t failing_tickets = 0;
    rng random{1};  ///< answers `choose` in live programs
    std::string name;
    const char* action = nullptr;  ///< the action of a workload that it runs; null: none

    /// Returns the name that reports print.
    std::string title() const { return name.empty() ? "task " + std::to_string(ordinal) : name; }
};

static_assert(sizeof(task) <= 4096);

/// While it lives, no sink hears the running task, as within a hook. For steps on locks of wedge
/// itself.
class unheard_section {
public:
    explicit unheard_section(task& self, bool is_unheard = true) noexcept
        : self_(self), was_unheard_(self.in_hook) {
        self.in_hook = was_unheard_ || is_unheard;
    }
    ~unheard_section() { self_.in_hook = was_unheard_; }
    unheard_section(const unheard_section&) = delete;
    unheard_section& operator=(const unheard_section&) = delete;

private:
    task& self_;
    const bool was_unheard_;
};

namespace detail {

inline constinit thread_local task* current_task = nullptr;
inline std::atomic<sink*> process_sink{nullptr};
inline std::atomic<std::uint32_t> native_tasks{0};
inline std::atomic<std::uint32_t> native_instances{0};

/// The task of a thread. Its storage outlives `~native_task`, since other thread_local objects may
/// take locks after that.
struct native_task {
    native_task() {
        task& self = mine();
        self.ordinal = native_tasks.fetch_add(1, std::memory_order_relaxed);
        self.sink = process_sink.load(std::memory_order_relaxed);
        self.random = rng(self.ordinal + 1);
        self.name = "thread " + std::to_string(self.ordinal);
        current_task = &self;
        live_tasks::add(self);
    }
    ~native_task();

    static task& mine() {
        alignas(task) static thread_local unsigned char storage[sizeof(task)];
        static thread_local task* const made = new (storage) task;
        return *made;
    }
};

[[gnu::noinline, gnu::cold]] inline task& attach_thread() {
    static thread_local native_task attached;
    task& self = attached.mine();
    current_task = &self;
    return self;
}

}  // namespace detail

/// Returns the running task: the controlled one, or the thread's own, made on its first use.
[[gnu::always_inline]] inline task& current() noexcept {
    if (task* const self = detail::current_task) [[likely]]
        return *self;
    return detail::attach_thread();
}

namespace detail {

/// Copies a site word by word through registers. The site has just been written in words; a wider
/// load would wait for these stores, which costs a fifteenth of a whole execution.
[[gnu::always_inline]] inline site copied_by_words(const site& where) noexcept {
    const char* file = where.file;
    const char* function = where.function;
    __asm__("" : "+r"(file), "+r"(function));  // keeps the compiler from joining the two copies
    return {file, function, where.line, 0};
}

/// Writes the step into the task. It is inlined so that the step is written once, in place. Called
/// within an `ignore_scope`.
[[gnu::always_inline]] inline void publish(task& self, const operation& next) noexcept {
    new (&self.pending) operation{
        next.what,   next.how,       next.timed, next.subclass, next.with,
        next.lock,   next.condition, next.other, next.ticket,   copied_by_words(next.where),
        next.payload};
}

}  // namespace detail

[[gnu::always_inline]] inline bool runtime::perform(task& self, const operation& next) {
    const sanitizer::ignore_scope ours;
    detail::publish(self, next);
    return perform_pending(self);
}

/// Makes a recorded choice: a number in [0, n). The engine answers it; in a live program it is
/// random. Use it for every non-determinism other than scheduling. n = 0 counts as 1.
///
/// @param why  a literal that says what is chosen
inline std::uint32_t choose(std::uint32_t n, const char* why) noexcept {
    if (n <= 1) return 0;
    task& self = current();
    if (self.runtime != nullptr) return self.runtime->choose(self, n, why);
    return self.random.below(n);
}

/// States that a retry loop made progress. Resets the search for livelocks.
inline void progress() noexcept {
    task& self = current();
    if (self.runtime != nullptr) self.runtime->progress(self);
}

inline lock_identity::lock_identity(lock_kind kind, lock_class cls, wait_type waits,
                                    std::uint32_t count)
    : lock_identity(kind, cls, waits, kind == lock_kind::map ? cls.options().allows : waits,
                    count) {}

inline lock_identity::lock_identity(lock_kind kind, lock_class cls, wait_type waits,
                                    wait_type allows, std::uint32_t count)
    : kind_(kind), waits_(waits), allows_(allows), class_id_(cls.id()), initial_count_(count) {
    task* const self = detail::current_task;
    if (self != nullptr && self->runtime != nullptr)
        self->runtime->created(*this);
    else
        instance_ = detail::native_instances.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace wedge
