// The model of a lock under control: who holds it, who waits, and who may go next.
#pragma once

#include <cstdint>

#include "wedge/core/annotate.hpp"
#include "wedge/core/event.hpp"
#include "wedge/core/inline_vector.hpp"
#include "wedge/core/lock_identity.hpp"

namespace wedge {

/// Which tasks a readers-writer lock lets in.
enum class rw_policy : std::uint8_t {
    reader_preferring,  ///< a reader waits only for a writer that holds the lock
    writer_preferring,  ///< a reader waits behind any waiting writer
    fifo,               ///< first come, first served; neighbouring readers enter together
};
inline constexpr std::uint32_t rw_policies = 3;

constexpr bool is_rw(lock_kind kind) noexcept {
    return kind == lock_kind::shared_mutex || kind == lock_kind::rwlock ||
           kind == lock_kind::qrwlock;
}
/// Returns the policy of the lock that the kind is named after.
constexpr rw_policy policy_of(lock_kind kind) noexcept {
    return kind == lock_kind::rwlock ? rw_policy::reader_preferring : rw_policy::fifo;
}
/// Returns whether the lock is a count: any task may take or give units.
constexpr bool is_counted(lock_kind kind) noexcept {
    return kind == lock_kind::semaphore || kind == lock_kind::completion;
}

/// Returns whether only the holder keeps others out, and no task holds it twice or shared.
constexpr bool is_plain(lock_kind kind) noexcept {
    return kind == lock_kind::mutex || kind == lock_kind::spinlock ||
           kind == lock_kind::raw_spinlock || kind == lock_kind::local_lock;
}

/// As a count: enough for all waits, forever.
inline constexpr std::uint32_t for_good = ~0U;

/// The ticket of a wound/wait acquire (Linux: ww_acquire_ctx).
struct ticket_terms {
    std::uint64_t age = 0;       ///< from 1; a smaller age is older. 0: no ticket
    std::uint32_t instance = 0;  ///< of the ticket
    bool may_back_off = false;   ///< the ticket holds locks and does not take the slow path
    bool is_wait_die = false;    ///< otherwise wound-wait
};

/// The number of a waiter in a queue: the task, and how many handlers ran on top of it when it
/// queued. A handler may queue for a lock that its own task is queued for already.
constexpr std::uint32_t waiter_of(std::uint32_t task, std::uint32_t depth) noexcept {
    return task | depth << 24;
}
constexpr std::uint32_t task_of(std::uint32_t waiter) noexcept {
    return waiter & 0xff'ffff;
}
constexpr std::uint32_t depth_of(std::uint32_t waiter) noexcept {
    return waiter >> 24;
}

/// The result of one step of a wound/wait acquire.
enum class ww_progress : std::uint8_t { taken, waits, backs_off };

/// The state of a lock as a pure value, which controller, state search and watchdog share.
///
/// A mutex and a spinlock have no queue: any scheduled task gets a free lock, which covers every
/// queueing discipline. For locks whose order of waiters matters (fair readers-writer locks,
/// wound/wait), a blocked acquire queues as a step of its own.
class lock_state {
public:
    struct use {
        std::uint32_t task = 0;  ///< of a waiter: see `waiter_of`
        mode how = mode::exclusive;
        std::uint32_t depth = 1;
        std::uint64_t age = 0;  ///< of a wound/wait ticket
        /// Of a waiter: its ticket holds locks, so younger ones must give way.
        bool may_wound = false;
        bool is_wounded = false;  ///< of a holder: an older ticket waits for it
        friend bool operator==(const use&, const use&) = default;
    };

    using uses = inline_vector<use, 4>;  // more tasks at one lock are rare

    explicit lock_state(lock_kind kind = lock_kind::mutex) noexcept { reset(kind); }

    lock_kind kind() const noexcept { return kind_; }
    const uses& holders() const noexcept { return holders_; }
    const uses& queue() const noexcept { return queue_; }
    std::uint32_t count() const noexcept { return count_; }
    bool has_queue() const noexcept {
        return kind_ == lock_kind::ww_mutex ||
               (is_rw(kind_) && policy_ != rw_policy::reader_preferring);
    }

    bool is_held() const noexcept { return !holders_.empty(); }
    bool is_held_by(std::uint32_t task) const noexcept { return find(holders_, task) != nullptr; }
    bool is_queued(std::uint32_t waiter) const noexcept { return find(queue_, waiter) != nullptr; }

    /// Returns whether the waiter would get the lock in its next step.
    WEDGE_UNSEEN bool can_acquire(std::uint32_t waiter, mode how) const noexcept {
        if (is_counted(kind_)) return count_ != 0;
        if (holders_.empty()) return queue_.empty() || is_let_in(waiter, how);
        if (!is_shared(how))
            return kind_ == lock_kind::recursive_mutex && is_held_by(task_of(waiter));
        for (const use& held : holders_)
            if (!is_shared(held.how)) return false;
        return is_let_in(waiter, how);
    }

    /// Takes the lock and leaves the queue. `can_acquire` must hold.
    WEDGE_UNSEEN void acquire(std::uint32_t waiter, mode how) {
        if (is_counted(kind_)) {
            if (count_ != for_good) --count_;
            return;
        }
        if (kind_ == lock_kind::recursive_mutex && !holders_.empty()) {
            ++holders_.front().depth;
            return;
        }
        if (!queue_.empty()) forget(waiter);
        take_free(task_of(waiter), how);
    }
    /// Takes a lock that is not counted and has an empty queue.
    void take_free(std::uint32_t task, mode how) {
        use& mine = holders_.emplace_back();  // in place: a copy would wait for its stores
        mine.task = task;
        mine.how = how;
    }

    void enqueue(std::uint32_t waiter, mode how) { queue_.push_back({.task = waiter, .how = how}); }

    /// Leaves the queue without the lock (a time-out).
    void forget(std::uint32_t waiter) noexcept {
        for (use* each = queue_.begin(); each != queue_.end();)
            each->task == waiter ? queue_.erase(each) : static_cast<void>(++each);
    }

    /// Drops one hold of the task. If the task has none, drops a hold of another task, as the lock
    /// would; the order checker reports that mistake.
    WEDGE_UNSEEN void release(std::uint32_t task) noexcept {
        if (holders_.empty()) return;
        use* held = holders_.end() - 1;
        while (held != holders_.begin() && held->task != task) --held;
        if (--held->depth == 0) holders_.erase(held);
    }

    /// Adds units to a counted lock. `for_good` opens it forever.
    void give(std::uint32_t units) noexcept {
        if (count_ != for_good) count_ = units == for_good ? for_good : count_ + units;
    }

    /// Takes all units of a counted lock.
    void close() noexcept { count_ = 0; }

    void downgrade(std::uint32_t task) noexcept {
        for (use& held : holders_)
            if (held.task == task) held.how = mode::shared;
    }

    /// Takes one step of a wound/wait acquire by the rules of Linux's ww_mutex: takes the lock,
    /// queues by age and makes a younger holder give way, or backs off.
    ///
    /// @param is_wounded  an older ticket waits for a lock of this ticket
    ww_progress ww_acquire(std::uint32_t waiter, const ticket_terms& ticket, bool is_wounded) {
        if (can_acquire(waiter, mode::exclusive)) {
            acquire(waiter, mode::exclusive);
            use& mine = holders_.back();
            mine.age = ticket.age;
            for (const use& waiting : queue_) wound_if_younger(mine, waiting, ticket.is_wait_die);
            return ww_progress::taken;
        }
        if (!is_queued(waiter)) {
            use& mine = enqueue_by_age(waiter, ticket);
            for (use& holder : holders_) wound_if_younger(holder, mine, ticket.is_wait_die);
        }
        if (!must_back_off(waiter, ticket, is_wounded)) return ww_progress::waits;
        forget(waiter);
        return ww_progress::backs_off;
    }

    /// Returns whether a queued acquire gives up without the lock.
    bool must_back_off(std::uint32_t waiter, const ticket_terms& ticket,
                       bool is_wounded) const noexcept {
        if (!ticket.may_back_off) return false;
        if (!ticket.is_wait_die) return is_wounded;
        for (const use& holder : holders_)
            if (is_older(holder, ticket.age)) return true;
        for (const use& waiting : queue_) {
            if (waiting.task == waiter) break;
            // The queue is sorted by age, so this waiter is older.
            if (waiting.age != 0) return true;
        }
        return false;
    }

    bool is_wounded(std::uint32_t task) const noexcept {
        const use* const held = find(holders_, task);
        return held != nullptr && held->is_wounded;
    }

    /// Sets the policy of a readers-writer lock. Other locks ignore it.
    void set_policy(rw_policy policy) noexcept { policy_ = policy; }

    /// Makes this a free lock of a kind. Keeps its memory.
    void reset(lock_kind kind, std::uint32_t count = 0) noexcept {
        kind_ = kind;
        policy_ = policy_of(kind);
        count_ = count;
        holders_.clear();
        queue_.clear();
    }

    friend bool operator==(const lock_state&, const lock_state&) = default;

private:
    static const use* find(const uses& all, std::uint32_t task) noexcept {
        for (const use& u : all)
            if (u.task == task) return &u;
        return nullptr;
    }
    static bool is_older(const use& one, std::uint64_t age) noexcept {
        return one.age != 0 && one.age < age;
    }

    /// Returns whether the waiters would let the waiter pass if the lock were free.
    WEDGE_UNSEEN bool is_let_in(std::uint32_t waiter, mode how) const noexcept {
        if (queue_.empty()) return true;
        if (kind_ == lock_kind::ww_mutex)
            return queue_.front().task == waiter || !is_queued(waiter);  // a newcomer may overtake
        if (!is_rw(kind_) || policy_ == rw_policy::reader_preferring) return true;
        // If plain readers queue, recursive ones pass the waiting writers (Linux's qrwlock: in
        // interrupts).
        if (kind_ != lock_kind::rwlock && how == mode::recursive_shared) return true;
        if (policy_ == rw_policy::writer_preferring) {
            for (const use& waiting : queue_)
                if (is_shared(how) && !is_shared(waiting.how)) return false;
            return true;
        }
        for (const use& waiting : queue_) {
            if (waiting.task == waiter) return true;
            if (!is_shared(how) || !is_shared(waiting.how)) return false;
        }
        return false;  // a newcomer waits behind the queue
    }

    /// Queues the ticket before the first younger one, seen from the end. An acquire without a
    /// ticket joins the end.
    use& enqueue_by_age(std::uint32_t waiter, const ticket_terms& ticket) {
        use* place = queue_.end();
        for (use* each = queue_.end(); ticket.age != 0 && each != queue_.begin();) {
            --each;
            if (each->age == 0) continue;
            if (each->age < ticket.age) break;
            place = each;
        }
        return queue_.insert(place,
                             {.task = waiter, .age = ticket.age, .may_wound = ticket.may_back_off});
    }

    static void wound_if_younger(use& holder, const use& waiting, bool is_wait_die) noexcept {
        if (!is_wait_die && waiting.may_wound && holder.age > waiting.age) holder.is_wounded = true;
    }

    lock_kind kind_ = lock_kind::mutex;
    rw_policy policy_ = rw_policy::fifo;
    std::uint32_t count_ = 0;
    uses holders_;
    uses queue_;
};

}  // namespace wedge
