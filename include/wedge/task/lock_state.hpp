// What a lock is under control: who holds it, who waits, who may go next.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "wedge/event/event.hpp"
#include "wedge/task/lock_identity.hpp"

namespace wedge {

/// A lock as a pure value: the controller, the state search and the watchdog all use this one.
///
/// A mutex and a spinlock have no queue: whoever is scheduled while it is free gets it, which
/// covers every queueing discipline. A shared_mutex is first come, first served: a reader waits
/// behind any queued writer, and a blocked acquire queues as a step of its own.
class lock_state {
public:
    struct use {
        std::uint32_t task = 0;
        mode how = mode::exclusive;
        std::uint32_t depth = 1;
        friend bool operator==(const use&, const use&) = default;
    };

    explicit lock_state(lock_kind kind = lock_kind::mutex) noexcept : kind_(kind) {}

    lock_kind kind() const noexcept { return kind_; }
    const std::vector<use>& holders() const noexcept { return holders_; }
    const std::vector<use>& queue() const noexcept { return queue_; }
    bool has_queue() const noexcept { return kind_ == lock_kind::shared_mutex; }

    bool is_held_by(std::uint32_t task) const noexcept { return find(holders_, task) != nullptr; }
    bool is_queued(std::uint32_t task) const noexcept { return find(queue_, task) != nullptr; }

    /// Whether the task would get the lock in its next step. A queued task must be at the head,
    /// behind readers only if it reads; one that is not queued finds nobody in the queue.
    bool can_acquire(std::uint32_t task, mode how) const noexcept {
        if (kind_ == lock_kind::recursive_mutex && is_held_by(task)) return true;
        for (const use& waiting : queue_) {
            if (waiting.task == task) break;
            if (!is_shared(how) || !is_shared(waiting.how)) return false;
            if (find(queue_, task) == nullptr) return false;
        }
        return std::none_of(holders_.begin(), holders_.end(), [&](const use& held) {
            return !is_shared(how) || !is_shared(held.how);
        });
    }

    /// Takes the lock; `can_acquire` must hold. Leaves the queue.
    void acquire(std::uint32_t task, mode how) {
        if (kind_ == lock_kind::recursive_mutex && !holders_.empty()) {
            ++holders_.front().depth;
            return;
        }
        forget(task);
        holders_.push_back({task, how, 1});
    }

    void enqueue(std::uint32_t task, mode how) { queue_.push_back({task, how, 1}); }

    /// Leaves the queue without the lock (a time-out).
    void forget(std::uint32_t task) noexcept { erase(queue_, task); }

    /// Drops one hold of the task, or of anybody when it has none: the mistake is the checker's
    /// to report, the model does what the lock would do.
    void release(std::uint32_t task) noexcept {
        auto held = std::find_if(holders_.begin(), holders_.end(),
                                 [&](const use& u) { return u.task == task; });
        if (held == holders_.end()) held = holders_.begin();
        if (held == holders_.end()) return;
        if (--held->depth == 0) holders_.erase(held);
    }

    void downgrade(std::uint32_t task) noexcept {
        for (use& held : holders_)
            if (held.task == task) held.how = mode::shared;
    }

    /// Back to a free lock of a kind; keeps its memory.
    void reset(lock_kind kind) noexcept {
        kind_ = kind;
        holders_.clear();
        queue_.clear();
    }

    friend bool operator==(const lock_state&, const lock_state&) = default;

private:
    static const use* find(const std::vector<use>& all, std::uint32_t task) noexcept {
        for (const use& u : all)
            if (u.task == task) return &u;
        return nullptr;
    }
    static void erase(std::vector<use>& all, std::uint32_t task) noexcept {
        std::erase_if(all, [&](const use& u) { return u.task == task; });
    }

    lock_kind kind_;
    std::vector<use> holders_;
    std::vector<use> queue_;
};

}  // namespace wedge
