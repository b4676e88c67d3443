// What a lock is under control: who holds it, who waits, who may go next.
#pragma once

#include <cstdint>

#include "wedge/base/annotate.hpp"
#include "wedge/base/inline_vector.hpp"
#include "wedge/event/event.hpp"
#include "wedge/task/lock_identity.hpp"

namespace wedge {

/// Whom a readers-writer lock lets in.
enum class rw_policy : std::uint8_t {
    reader_preferring,  ///< a reader waits only for a writer that holds
    writer_preferring,  ///< a reader waits behind any waiting writer
    fifo,               ///< first come, first served; readers next to each other go in together
};
inline constexpr std::uint32_t rw_policies = 3;

constexpr bool is_rw(lock_kind kind) noexcept {
    return kind == lock_kind::shared_mutex || kind == lock_kind::rwlock ||
           kind == lock_kind::qrwlock;
}
/// The policy of the lock that the kind is named after.
constexpr rw_policy policy_of(lock_kind kind) noexcept {
    return kind == lock_kind::rwlock ? rw_policy::reader_preferring : rw_policy::fifo;
}
/// Whether units are taken from it and given to it, by anybody.
constexpr bool is_counted(lock_kind kind) noexcept {
    return kind == lock_kind::semaphore || kind == lock_kind::completion;
}

/// Whether nothing but its holder keeps anybody out, and nobody holds it twice or shared.
constexpr bool is_plain(lock_kind kind) noexcept {
    return kind == lock_kind::mutex || kind == lock_kind::spinlock ||
           kind == lock_kind::raw_spinlock || kind == lock_kind::local_lock;
}

/// As a count: enough for all, for ever.
inline constexpr std::uint32_t for_good = ~0U;

/// What a wound/wait acquire says of its ticket (Linux: ww_acquire_ctx).
struct ticket_terms {
    std::uint64_t age = 0;       ///< from 1; the smaller, the older. 0: no ticket
    std::uint32_t instance = 0;  ///< of the ticket
    bool may_back_off = false;   ///< it holds locks, and does not take the slow path
    bool is_wait_die = false;    ///< else wound-wait
};

/// How a wound/wait acquire goes on.
enum class ww_progress : std::uint8_t { taken, waits, backs_off };

/// A lock as a pure value: the controller, the state search and the watchdog all use this one.
///
/// A mutex and a spinlock have no queue: whoever is scheduled while it is free gets it, which
/// covers every queueing discipline. Where the order of the waiters counts (fair readers-writer
/// locks, wound/wait), a blocked acquire queues as a step of its own.
class lock_state {
public:
    struct use {
        std::uint32_t task = 0;
        mode how = mode::exclusive;
        std::uint32_t depth = 1;
        std::uint64_t age = 0;    ///< of a wound/wait ticket
        bool may_wound = false;   ///< of a waiter: it holds locks, so the young must make way
        bool is_wounded = false;  ///< of a holder: an older one waits for it
        friend bool operator==(const use&, const use&) = default;
    };

    using uses = inline_vector<use, 4>;  // more than so many tasks at one lock are rare

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
    bool is_queued(std::uint32_t task) const noexcept { return find(queue_, task) != nullptr; }

    /// Whether the task would get the lock in its next step.
    WEDGE_UNSEEN bool can_acquire(std::uint32_t task, mode how) const noexcept {
        if (is_counted(kind_)) return count_ != 0;
        if (holders_.empty()) return queue_.empty() || is_let_in(task, how);
        if (!is_shared(how)) return kind_ == lock_kind::recursive_mutex && is_held_by(task);
        for (const use& held : holders_)
            if (!is_shared(held.how)) return false;
        return is_let_in(task, how);
    }

    /// Takes the lock; `can_acquire` must hold. Leaves the queue.
    WEDGE_UNSEEN void acquire(std::uint32_t task, mode how) {
        if (is_counted(kind_)) {
            if (count_ != for_good) --count_;
            return;
        }
        if (kind_ == lock_kind::recursive_mutex && !holders_.empty()) {
            ++holders_.front().depth;
            return;
        }
        if (!queue_.empty()) forget(task);
        take_free(task, how);
    }
    /// The same where nobody waits in the queue, of a lock that is not counted.
    void take_free(std::uint32_t task, mode how) {
        use& mine = holders_.emplace_back();  // in place: a copy would wait for its stores
        mine.task = task;
        mine.how = how;
    }

    void enqueue(std::uint32_t task, mode how) { queue_.push_back({.task = task, .how = how}); }

    /// Leaves the queue without the lock (a time-out).
    void forget(std::uint32_t task) noexcept {
        for (use* each = queue_.begin(); each != queue_.end();)
            each->task == task ? queue_.erase(each) : static_cast<void>(++each);
    }

    /// Drops one hold of the task, or of anybody when it has none: the mistake is the checker's
    /// to report, the model does what the lock would do.
    WEDGE_UNSEEN void release(std::uint32_t task) noexcept {
        if (holders_.empty()) return;
        use* held = holders_.end() - 1;
        while (held != holders_.begin() && held->task != task) --held;
        if (--held->depth == 0) holders_.erase(held);
    }

    /// Adds units to a counted lock; `for_good` opens it.
    void give(std::uint32_t units) noexcept {
        if (count_ != for_good) count_ = units == for_good ? for_good : count_ + units;
    }

    void downgrade(std::uint32_t task) noexcept {
        for (use& held : holders_)
            if (held.task == task) held.how = mode::shared;
    }

    /// One step of a wound/wait acquire: takes the lock, or queues by age and makes a younger
    /// holder give way, or backs off. The rules are those of Linux's ww_mutex.
    ///
    /// @param is_wounded  a lock of the ticket's is wanted by an older one
    ww_progress ww_acquire(std::uint32_t task, const ticket_terms& ticket, bool is_wounded) {
        if (can_acquire(task, mode::exclusive)) {
            acquire(task, mode::exclusive);
            use& mine = holders_.back();
            mine.age = ticket.age;
            for (const use& waiting : queue_) wound_if_younger(mine, waiting, ticket.is_wait_die);
            return ww_progress::taken;
        }
        if (!is_queued(task)) {
            use& mine = enqueue_by_age(task, ticket);
            for (use& holder : holders_) wound_if_younger(holder, mine, ticket.is_wait_die);
        }
        if (!must_back_off(task, ticket, is_wounded)) return ww_progress::waits;
        forget(task);
        return ww_progress::backs_off;
    }

    /// Whether a queued acquire goes on without the lock.
    bool must_back_off(std::uint32_t task, const ticket_terms& ticket,
                       bool is_wounded) const noexcept {
        if (!ticket.may_back_off) return false;
        if (!ticket.is_wait_die) return is_wounded;
        for (const use& holder : holders_)
            if (is_older(holder, ticket.age)) return true;
        for (const use& waiting : queue_) {
            if (waiting.task == task) break;
            if (waiting.age != 0) return true;  // the queue is sorted: it is older
        }
        return false;
    }

    bool is_wounded(std::uint32_t task) const noexcept {
        const use* const held = find(holders_, task);
        return held != nullptr && held->is_wounded;
    }

    /// Of a readers-writer lock; others have none.
    void set_policy(rw_policy policy) noexcept { policy_ = policy; }

    /// Back to a free lock of a kind; keeps its memory.
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

    /// Whether the other waiters let the task pass, were the lock free.
    WEDGE_UNSEEN bool is_let_in(std::uint32_t task, mode how) const noexcept {
        if (queue_.empty()) return true;
        if (kind_ == lock_kind::ww_mutex)
            return queue_.front().task == task || !is_queued(task);  // newcomers may steal
        if (!is_rw(kind_) || policy_ == rw_policy::reader_preferring) return true;
        // Where plain readers queue, recursive ones pass the waiting writers (Linux's qrwlock: in
        // interrupts).
        if (kind_ != lock_kind::rwlock && how == mode::recursive_shared) return true;
        if (policy_ == rw_policy::writer_preferring) {
            for (const use& waiting : queue_)
                if (is_shared(how) && !is_shared(waiting.how)) return false;
            return true;
        }
        for (const use& waiting : queue_) {
            if (waiting.task == task) return true;
            if (!is_shared(how) || !is_shared(waiting.how)) return false;
        }
        return false;  // a newcomer finds somebody in the queue
    }

    /// Before the first younger ticket, as seen from the end; one without a ticket joins the end.
    use& enqueue_by_age(std::uint32_t task, const ticket_terms& ticket) {
        use* place = queue_.end();
        for (use* each = queue_.end(); ticket.age != 0 && each != queue_.begin();) {
            --each;
            if (each->age == 0) continue;
            if (each->age < ticket.age) break;
            place = each;
        }
        return queue_.insert(place,
                             {.task = task, .age = ticket.age, .may_wound = ticket.may_back_off});
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
