// The closed set of events: one step of a task on a lock, in the vocabulary that all layers share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wedge/core/site.hpp"

namespace wedge {

class lock_identity;

/// How a lock is taken. A `shared` acquire waits behind a waiting writer (rwsem). A
/// `recursive_shared` acquire waits only for a writer that holds the lock (rwlock).
enum class mode : std::uint8_t { exclusive, shared, recursive_shared };

constexpr bool is_shared(mode how) noexcept {
    return how != mode::exclusive;
}

enum class event_kind : std::uint8_t {
    init,
    destroy,
    attempt,
    acquired,
    failed,
    try_acquired,
    try_failed,
    released,
    downgraded,
    ticket_begin,
    ticket_done,
    ticket_end,
    back_off,
    already,
    wait,
    wake,
    notify,
    sync,
    context_enter,
    context_leave,
    irq_off,
    irq_on,
    bh_off,
    bh_on,
    prime,
    spawn,
    join,
    pin,
    unpin,
    assert_held,
    might_sleep,  ///< where a task must not sleep: it sleeps here, or may (rule 22)
    task_end,
};
inline constexpr std::size_t event_kinds = static_cast<std::size_t>(event_kind::task_end) + 1;

/// How long a task may wait for a lock. A lock must not be taken under a lock of a lower type (rule
/// 22; Linux: lockdep's wait types). A local lock counts as spin.
enum class wait_type : std::uint8_t { none, raw, spin, sleep };

/// Where a task runs. A signal handler counts as a hardirq of user space.
enum class context : std::uint8_t { task, softirq, hardirq, nmi };

/// Properties of an acquire or of a hold, as a set of bits.
enum class flags : std::uint16_t {
    none = 0,
    tried = 1,          ///< a trylock, which never waits
    timed = 2,          ///< the acquire waits, but may give up
    interruptible = 4,  ///< the acquire waits, but a signal may end the wait
    nest = 8,           ///< `payload` is the instance of the nest lock
    subclassed = 16,    ///< `subclass` counts
    ticketed = 32,      ///< `payload` is the wound/wait ticket
    recursive = 128,    ///< the second hold of a recursive mutex: no event to the graph
    slow = 256,     ///< the slow path of wound/wait: takes the lock that the task backed off for
    done = 512,     ///< of a ticket's hold: the ticket takes no more locks
    pinned = 1024,  ///< of a hold: it must not be released; pins do not nest
};
constexpr flags operator|(flags a, flags b) noexcept {
    return static_cast<flags>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(flags all, flags one) noexcept {
    return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0;
}

/// One step of a task. `event_table` says what `payload` means for each kind, and who reads it.
struct event {
    event_kind kind{};
    mode how = mode::exclusive;
    flags with = flags::none;
    std::uint8_t subclass = 0;
    wait_type waits = wait_type::none;
    std::uint32_t class_id = 0;
    std::uint32_t instance = 0;
    std::uint64_t payload = 0;
    site where{};
    /// For rules that need more than numbers: orders of instances, locks that exist once per
    /// processor, wound/wait. If it is null, those rules are not checked.
    const lock_identity* lock = nullptr;
};

/// One acquire, as findings and observations keep it.
struct acquisition {
    std::uint32_t class_id = 0;  ///< in this process; never printed
    std::uint32_t instance = 0;  ///< 0: any instance
    std::uint8_t subclass = 0;   ///< 0 unless the acquire asked for one: it tells nodes apart
    mode how = mode::exclusive;
    flags with = flags::none;
    site where{};
};

/// Returns the acquire of an event, or of a hold.
template <class Step>
constexpr acquisition acquisition_of(const Step& step) noexcept {
    return {step.class_id,
            step.instance,
            has(step.with, flags::subclassed) ? step.subclass : std::uint8_t{0},
            step.how,
            step.with,
            step.where};
}

/// The meaning of `event::payload`.
enum class payload : std::uint8_t {
    none,
    nest_or_ticket,  ///< the instance of the nest lock or of the ticket, by `flags`
    ticket,          ///< the instance of the ticket
    ww_class,   ///< the class of the locks that the ticket is for; the event's lock is the ticket
    context,    ///< a `wedge::context`; bit 8 is set for a threaded hardirq
    condition,  ///< the instance of the condition that is waited for or notified
    task,       ///< the ordinal of the other task
    previous_hold  ///< (class << 32 | instance) of the lock that is stated to be held
};

/// The readers of an event, as a set of bits.
namespace reader {
inline constexpr unsigned order = 1;     ///< the order checker
inline constexpr unsigned watchdog = 2;  ///< reports of live programs on who waits for whom
inline constexpr unsigned engine = 4;    ///< exploration and the feedback of fuzzing
inline constexpr unsigned trace = 8;     ///< a recorder, which takes every event
inline constexpr unsigned waits = 16;    ///< the inference of what signallers take (rule 19d)
}  // namespace reader

struct event_row {
    event_kind kind;
    const char* name;
    payload carries;
    unsigned read_by;
};

/// One row per event, in the order of `event_kind`.
inline constexpr event_row event_table[] = {
    {event_kind::init, "init", payload::none, reader::order | reader::trace},
    {event_kind::destroy, "destroy", payload::none, reader::order | reader::trace},
    {event_kind::attempt, "attempt", payload::nest_or_ticket,
     reader::order | reader::watchdog | reader::trace},
    {event_kind::acquired, "acquired", payload::nest_or_ticket, reader::watchdog | reader::trace},
    {event_kind::failed, "failed", payload::none,
     reader::watchdog | reader::engine | reader::trace},
    {event_kind::try_acquired, "try_acquired", payload::nest_or_ticket,
     reader::order | reader::engine | reader::trace},
    {event_kind::try_failed, "try_failed", payload::none, reader::engine | reader::trace},
    {event_kind::released, "released", payload::none, reader::order | reader::trace},
    {event_kind::downgraded, "downgraded", payload::none, reader::order | reader::trace},
    {event_kind::ticket_begin, "ticket_begin", payload::ww_class, reader::order | reader::trace},
    {event_kind::ticket_done, "ticket_done", payload::ww_class, reader::order | reader::trace},
    {event_kind::ticket_end, "ticket_end", payload::ww_class, reader::order | reader::trace},
    {event_kind::back_off, "back_off", payload::ticket, reader::order | reader::trace},
    {event_kind::already, "already", payload::ticket, reader::order | reader::trace},
    {event_kind::wait, "wait", payload::condition,
     reader::order | reader::watchdog | reader::trace | reader::waits},
    {event_kind::wake, "wake", payload::condition,
     reader::watchdog | reader::engine | reader::trace},
    {event_kind::notify, "notify", payload::condition, reader::trace | reader::waits},
    {event_kind::sync, "sync", payload::none, reader::order | reader::trace},
    {event_kind::context_enter, "context_enter", payload::context, reader::order | reader::trace},
    {event_kind::context_leave, "context_leave", payload::context, reader::order | reader::trace},
    {event_kind::irq_off, "irq_off", payload::none, reader::order | reader::trace},
    {event_kind::irq_on, "irq_on", payload::none, reader::order | reader::trace},
    {event_kind::bh_off, "bh_off", payload::none, reader::order | reader::trace},
    {event_kind::bh_on, "bh_on", payload::none, reader::order | reader::trace},
    {event_kind::prime, "prime", payload::previous_hold, reader::order | reader::trace},
    {event_kind::spawn, "spawn", payload::task, reader::trace},
    {event_kind::join, "join", payload::task, reader::watchdog | reader::trace | reader::waits},
    {event_kind::pin, "pin", payload::none, reader::order | reader::trace},
    {event_kind::unpin, "unpin", payload::none, reader::order | reader::trace},
    {event_kind::assert_held, "assert_held", payload::none, reader::order | reader::trace},
    {event_kind::might_sleep, "might_sleep", payload::none, reader::order | reader::trace},
    {event_kind::task_end, "task_end", payload::none, reader::order | reader::trace},
};

constexpr const event_row& row_of(event_kind kind) noexcept {
    return event_table[static_cast<std::size_t>(kind)];
}
constexpr bool event_table_is_in_order() noexcept {
    for (std::size_t i = 0; i < event_kinds; ++i)
        if (static_cast<std::size_t>(event_table[i].kind) != i) return false;
    return sizeof event_table / sizeof event_table[0] == event_kinds;
}
static_assert(event_table_is_in_order());

constexpr const char* name_of(mode how) noexcept {
    return how == mode::exclusive ? "exclusive"
           : how == mode::shared  ? "shared"
                                  : "recursive shared";
}

}  // namespace wedge
