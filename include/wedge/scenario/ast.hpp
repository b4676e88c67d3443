// A scenario as a value: the text without its blanks, but with its comments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "wedge/core/finding.hpp"

namespace wedge::scenario {

/// A position in the text, from 1. Scenarios that differ only in positions are equal.
struct place {
    unsigned line = 0;
    unsigned column = 0;

    friend constexpr bool operator==(place, place) noexcept { return true; }
};

/// The kinds of locks, in the order of `lock_kind_words`.
enum class lock_sort : std::uint8_t {
    mutex,
    recursive_mutex,
    rtmutex,
    rwsem,
    rwlock,   ///< its readers are recursive
    qrwlock,  ///< its readers are recursive in interrupts only
    spinlock,
    raw_spinlock,
    local_lock,
    seqcount,
    seqlock,
    ww_mutex,
    map,  ///< a pseudo-lock
};

/// What an allocation may do. The order is that of `gfp_words` and `gfp_modifier_words`.
enum class gfp_base : std::uint8_t { kernel, nofs, noio, nowait, atomic };
struct gfp_flags {
    gfp_base base = gfp_base::kernel;
    std::uint8_t modifiers = 0;  ///< a bit for each of `gfp_modifier_words`

    friend bool operator==(const gfp_flags&, const gfp_flags&) = default;
};

/// A name as it is used: `a`, `a[2]`, `a[self+1]`.
struct reference {
    enum class index_sort : std::uint8_t { none, number, self };

    std::string name;
    index_sort indexed = index_sort::none;
    std::uint32_t index = 0;  ///< the number, or what is added to `self`
    place at{};

    friend bool operator==(const reference&, const reference&) = default;
};

/// A number, or the value of a counter.
struct operand {
    std::int64_t number = 0;
    std::string counter;  ///< empty: `number` counts
    place at{};

    friend bool operator==(const operand&, const operand&) = default;
};

enum class comparison : std::uint8_t { equal, unequal, less, greater };

enum class action : std::uint8_t {
    acquire,  ///< lock, read; flags say `try`, `timed` and `with`
    release,
    downgrade,
    alloc,
    free,
    might_alloc,
    might_lock,
    reclaim,
    scope,
    set,
    add,
    assert_that,
    if_that,
    if_held,
    while_that,
    until,
    yield,
    progress,
    break_loop,
    return_run,
    repeat,
    choose,
    wait,  ///< for a fence, a completion, a condition, or until a test holds
    notify,
    wake,
    join,
    ticket_begin,
    ticket_done,
    ticket_end,
    transaction,
    invalidate,
    signal,
    signalling,
    complete,
    down,
    up,
    queue,
    arm,
    flush,
    cancel,
    drop,       ///< as cancel, without a wait
    interrupt,  ///< a block in a context: hardirq, softirq
    mask,       ///< irq, bh: off or on
    preempt,    ///< off or on
    assert_held,
    pin,
    unpin,
    init,
    sync,
    get,  ///< a reference
    put,
};

struct statement;

/// Statements in braces.
struct block {
    std::vector<statement> body;
    std::string opening;               ///< the comment after `{`
    std::vector<std::string> ending;   ///< comment lines before `}`
    std::vector<std::string> closing;  ///< comments after `}`

    bool operator==(const block&) const;
};

/// A statement. `what` says which fields count; the others keep their defaults.
struct statement {
    action what{};
    place at{};
    reference on;      ///< the lock or other object, thread, work or ticket
    reference other;   ///< wait: the lock; acquire: the nest lock, if one is named
    reference ticket;  ///< acquire: the ticket, if one is named
    /// ticket_begin: the class of its objects; empty: that of the first object.
    std::string class_name;
    operand left;  ///< of a test, and of set and add
    comparison compared = comparison::equal;
    operand right;
    std::int64_t number = 0;  ///< alloc, free: pages; repeat: times; subclass
    gfp_flags gfp;
    std::uint8_t scopes = 0;  ///< the place in `scope_words`
    bool is_read = false;
    bool is_recursive = false;
    bool is_tried = false;
    bool is_timed = false;  ///< also a wait with `timeout`
    bool is_all = false;
    bool has_subclass = false;
    bool is_slow = false;  ///< acquire with a ticket: the contended object
    bool is_wait_die = false;
    bool is_hard = false;  ///< hardirq, irq; else softirq, bh
    bool is_threaded = false;
    bool is_on = false;
    bool has_test = false;      ///< wait: until a test holds
    bool is_exclusive = false;  ///< wait: a wake-up need not wake several such waiters
    bool is_interruptible = false;
    std::vector<block> blocks;        ///< the branches; the last one may be `else`
    std::vector<std::string> before;  ///< comment lines before it; an empty one is a blank line
    std::string after;                ///< the comment after it

    bool operator==(const statement&) const = default;
};

// Written out: clang 14 crashes on a defaulted one for types that contain each other.
inline bool block::operator==(const block& other) const {
    return body == other.body && opening == other.opening && ending == other.ending &&
           closing == other.closing;
}

enum class declares : std::uint8_t {
    lock,
    memory,
    fence,
    completion,
    condition,
    semaphore,
    counter,
    wait_queue,
    thread,
    shrinker,
    notifier,
    work,
    delayed_work,
    timer,
    irq_work,
    refcount,
    handler,
    order,
    expect,
};

/// Returns whether the declaration has a block that runs.
constexpr bool has_body(declares what) noexcept {
    return what >= declares::thread && what <= declares::handler;
}

/// Returns whether the block runs later, on a worker of its own.
constexpr bool is_deferred(declares what) noexcept {
    return what >= declares::work && what <= declares::irq_work;
}
/// Returns whether the block of a deferred item runs in an interrupt.
constexpr bool comes_in_interrupt(declares what) noexcept {
    return what == declares::timer || what == declares::irq_work;
}

enum class expects : std::uint8_t { sound, deadlock, livelock, finding, unresolved };
enum class needs : std::uint8_t { nothing, fs, io };

/// A declaration. `what` says which fields count; the others keep their defaults.
struct declaration {
    declares what{};
    place at{};
    std::string name;
    place name_at{};
    std::uint32_t count = 1;  ///< xN
    lock_sort kind{};
    std::string kind_name;   ///< a lock's kind by a name of `lock_alias_words`; empty: by its own
    std::string class_name;  ///< empty: the name
    bool is_ordered = false;
    bool is_unchecked = false;
    std::int64_t pages = 0, min = 0, low = 0, high = 0;
    std::int64_t value = 0;  ///< of a counter, semaphore or reference count
    bool is_local = false;
    bool has_cpu = false;    ///< a thread: `cpu` counts
    std::uint32_t cpu = 0;   ///< the processor that it shares
    std::uint32_t fifo = 0;  ///< its priority there; 0: none, the lowest
    bool is_hard = false;    ///< a handler: hardirq, else softirq
    bool is_nmi = false;     ///< a handler: neither of them
    bool is_threaded = false;
    scenario::needs needs = scenario::needs::nothing;
    std::vector<reference> chain;  ///< order: locks, and the words of `map_words`
    expects expected{};
    finding_kind kind_expected{};
    block body;
    std::vector<std::string> before;
    std::string after;

    friend bool operator==(const declaration&, const declaration&) = default;
};

/// Returns whether the sections of the lock must not sleep, as those of `rcu_read_lock`.
inline bool is_rcu(const declaration& lock) {
    return lock.kind_name == "rcu";
}

/// A whole file.
struct document {
    std::string path;  ///< as the user wrote it
    std::vector<declaration> all;
    std::vector<std::string> ending;  ///< comment lines at the end

    friend bool operator==(const document& a, const document& b) {
        return a.all == b.all && a.ending == b.ending;
    }
};

}  // namespace wedge::scenario
