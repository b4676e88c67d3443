// Tasks: what acquires locks, with the two pointers through which locks reach everything else.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>
#include <string>

#include "wedge/base/rng.hpp"
#include "wedge/base/sanitizer.hpp"
#include "wedge/event/sink.hpp"
#include "wedge/task/held.hpp"
#include "wedge/task/runtime.hpp"

namespace wedge {

/// Where a task runs. Signal handlers are the user-space hardirq.
enum class context : std::uint8_t { task, softirq, hardirq };

/// The contexts that a task has entered, and those that it keeps out (task/contexts.hpp).
struct context_state {
    std::uint8_t hardirqs = 0;           ///< entered and not left
    std::uint8_t threaded_hardirqs = 0;  ///< those of them that may wait for a spinlock
    bool irqs_are_off = false;
    bool bh_is_off = false;
    std::uint8_t softirqs = 0;

    context now() const noexcept {
        return hardirqs != 0 ? context::hardirq : softirqs != 0 ? context::softirq : context::task;
    }
    /// Whether an interrupt of a sort may come. A softirq waits until hardirqs are let in too.
    bool admits(context sort) const noexcept {
        if (irqs_are_off || sort == context::task) return false;
        return sort == context::hardirq || (hardirqs == 0 && softirqs == 0 && !bh_is_off);
    }
    /// Whether the interrupt runs in a thread, so that it may wait for a spinlock.
    bool is_threaded() const noexcept { return hardirqs == threaded_hardirqs; }

    friend bool operator==(const context_state&, const context_state&) = default;
};

/// A thread, a controlled fiber or a handler. Only the task itself touches it while it runs.
class task {
public:
    task() = default;
    task(const task&) = delete;
    task& operator=(const task&) = delete;

    held_locks held;
    wedge::sink* sink = nullptr;        ///< hears every event; null: nobody
    wedge::runtime* runtime = nullptr;  ///< controls this task; null: it runs natively
    std::uint64_t chain = 0;            ///< the checker's key for the hold about to be pushed
    std::uint32_t ordinal = 0;          ///< in the process or the execution, from 0
    wedge::context context = wedge::context::task;  ///< `contexts.now()`
    context_state contexts;
    std::uint8_t scopes = 0;  ///< allocation scopes, bits of task/scopes.hpp
    std::uint64_t stage = 0;  ///< where in a role's code it is: see task/stage.hpp
    bool is_idle = false;     ///< a daemon without work: see task/idle.hpp
    bool in_hook = false;     ///< a hook is running: its own locks are not reported
    operation pending{};      ///< the step it is about to take (under control)
    rng random{1};            ///< answers `choose` natively
    std::string name;
    const char* action = nullptr;  ///< of a workload, that it runs now; null: none

    /// The name that reports print.
    std::string title() const { return name.empty() ? "task " + std::to_string(ordinal) : name; }
};

static_assert(sizeof(task) <= 4096);

/// While it lives no sink hears what the running task does, as within a hook. For the steps that
/// wedge takes on a lock of its own.
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

/// A thread's own task. The storage outlives `~native_task`, since other thread_local objects
/// may still take locks after it.
struct native_task {
    native_task() {
        task& self = mine();
        self.ordinal = native_tasks.fetch_add(1, std::memory_order_relaxed);
        self.sink = process_sink.load(std::memory_order_relaxed);
        self.random = rng(self.ordinal + 1);
        self.name = "thread " + std::to_string(self.ordinal);
        current_task = &self;
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

/// The task that runs now: the thread's own, made on its first use, or the controlled one.
[[gnu::always_inline]] inline task& current() noexcept {
    if (task* const self = detail::current_task) [[likely]]
        return *self;
    return detail::attach_thread();
}

namespace detail {

/// A copy that goes through registers word by word. A site has just been written so, and a wider
/// load would wait until the caches have it: a fifteenth of a whole execution.
[[gnu::always_inline]] inline site copied_by_words(const site& where) noexcept {
    const char* file = where.file;
    const char* function = where.function;
    __asm__("" : "+r"(file), "+r"(function));  // or the compiler joins the two
    return {file, function, where.line, 0};
}

/// Inlined, so that the step is written once: where it is published. Within an `ignore_scope`.
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

/// Any non-determinism beside the scheduling: a number in [0, n), answered by the engine and
/// recorded in its schedule; natively random. n = 0 counts as 1.
///
/// @param why  a literal that says what is chosen
inline std::uint32_t choose(std::uint32_t n, const char* why) noexcept {
    if (n <= 1) return 0;
    task& self = current();
    if (self.runtime != nullptr) return self.runtime->choose(self, n, why);
    return self.random.below(n);
}

/// "This retry loop got somewhere": resets the search for livelocks.
inline void progress() noexcept {
    task& self = current();
    if (self.runtime != nullptr) self.runtime->progress(self);
}

inline lock_identity::lock_identity(lock_kind kind, lock_class cls, wait_type waits,
                                    std::uint32_t count)
    : kind_(kind),
      waits_(waits),
      allows_(kind == lock_kind::map ? cls.options().allows : waits),
      class_id_(cls.id()),
      initial_count_(count) {
    task* const self = detail::current_task;
    if (self != nullptr && self->runtime != nullptr)
        self->runtime->created(*this);
    else
        instance_ = detail::native_instances.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace wedge
