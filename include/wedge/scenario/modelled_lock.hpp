// The locks of a scenario, of all kinds.
#pragma once

#include <cstdint>
#include <memory>

#include "wedge/core/contexts.hpp"
#include "wedge/lock/controlled.hpp"
#include "wedge/lock/seqlock.hpp"
#include "wedge/lock/ww_mutex.hpp"
#include "wedge/scenario/resolve.hpp"

namespace wedge::scenario {

class modelled_sequence;

/// A lock as the engine models it: under control native locks are never touched. Its steps are
/// those of `checked`. `native_lock` is its counterpart for real threads.
class modelled_lock {
public:
    modelled_lock(const modelled_lock&) = delete;
    modelled_lock& operator=(const modelled_lock&) = delete;
    virtual ~modelled_lock() = default;

    virtual lock_identity& identity() noexcept = 0;
    /// Renews the lock, as if the running task had just made it. Not for ww_mutexes.
    void renew() { current().runtime->created(identity()); }

    /// Returns the mode in which the running task takes it.
    mode mode_of(bool is_read, bool is_recursive) const noexcept {
        if (!is_read) return mode::exclusive;
        const bool is_recurring =
            sort_ == lock_sort::rwlock || sort_ == lock_sort::map ||
            (sort_ == lock_sort::qrwlock && current().context != context::task);
        return is_recurring || is_recursive ? mode::recursive_shared : mode::shared;
    }

    /// Takes the lock; returns false if a try failed or a timed wait gave up.
    virtual bool acquire(const wedge::detail::acquire_terms& terms) {
        return wedge::detail::controlled_acquire(current(), identity(), terms);
    }
    virtual void release(site where) {
        task& self = current();
        const mode how = wedge::detail::mode_of_hold(self, identity());
        wedge::detail::controlled_release(self, identity(), how, where);
    }
    /// Returns the part that tickets use; null for other kinds.
    virtual ww_mutex* wound_wait() noexcept { return nullptr; }
    /// Returns the part that readers of a sequence count use; null for other kinds.
    virtual modelled_sequence* sequence() noexcept { return nullptr; }
    /// States that the lock may be taken here.
    void might_acquire(mode how, site where) {
        wedge::detail::attempt(current(), identity(), {.how = how, .where = where});
    }
    virtual void downgrade(site where) {
        wedge::detail::controlled_downgrade(current(), identity(), where);
    }
    /// Waits until no task holds it.
    virtual void sync(site where) {
        task& self = current();
        wedge::detail::might_sleep(self, lock_class::from_id(identity().class_id()), where);
        wedge::detail::emit(
            self, wedge::detail::event_of(event_kind::sync, identity(), {.where = where}));
        self.runtime->perform(self, {.what = step::acquire, .lock = &identity(), .where = where});
        const unbroken_section whole;
        self.runtime->perform(self, {.what = step::release, .lock = &identity(), .where = where});
    }
    /// Reports a step to the order checker only.
    void tell(event_kind what, site where) {
        wedge::detail::emit(current(), wedge::detail::event_of(what, identity(), {.where = where}));
    }

    // The interface that a condition needs of its lock.
    void lock(site where) { acquire({.where = where}); }
    void unlock(site where) { release(where); }
    void lock_shared(site where) { acquire({.how = mode_of(true, false), .where = where}); }
    void unlock_shared(site where) { release(where); }

protected:
    explicit modelled_lock(lock_sort sort) : sort_(sort) {}

    static lock_kind kind_of(lock_sort sort) noexcept {
        switch (sort) {
            case lock_sort::recursive_mutex: return lock_kind::recursive_mutex;
            case lock_sort::rwsem: return lock_kind::shared_mutex;
            case lock_sort::rwlock: return lock_kind::rwlock;
            case lock_sort::qrwlock: return lock_kind::qrwlock;
            case lock_sort::spinlock: return lock_kind::spinlock;
            case lock_sort::raw_spinlock: return lock_kind::raw_spinlock;
            case lock_sort::local_lock: return lock_kind::local_lock;
            case lock_sort::ww_mutex: return lock_kind::ww_mutex;
            case lock_sort::map: return lock_kind::map;
            case lock_sort::seqcount:
            case lock_sort::seqlock: return lock_kind::qrwlock;
            case lock_sort::mutex:
            case lock_sort::rtmutex: break;  // priorities decide, which is explored
        }
        return lock_kind::mutex;
    }

    /// Returns the wait type of Linux's locks of these names.
    static wait_type waits_of(lock_sort sort) noexcept {
        return sort == lock_sort::rwlock ? wait_type::spin : wait_type_of(kind_of(sort));
    }

private:
    const lock_sort sort_;
};

/// A sequence count, alone or with the spinlock of its writers. Its identity is that of the section
/// of a writer.
class modelled_sequence : public modelled_lock {
public:
    using modelled_lock::modelled_lock;

    virtual std::uint32_t read_begin(site where) = 0;
    virtual bool read_retry(std::uint32_t seen, site where) = 0;
    /// Returns the number. Between two steps.
    virtual std::uint32_t state() const noexcept = 0;
};

/// @tparam Real  wedge::seqcount or wedge::seqlock
template <class Real>
class modelled_sequence_of final : public modelled_sequence {
public:
    modelled_sequence_of(lock_sort sort, lock_class cls) : modelled_sequence(sort), real_(cls) {}

    lock_identity& identity() noexcept override { return real_.identity(); }

    bool acquire(const wedge::detail::acquire_terms& terms) override {
        if constexpr (requires { real_.write_lock(terms.where); })
            real_.write_lock(terms.where);
        else
            real_.write_begin(terms.where);
        return true;
    }
    void release(site where) override {
        if constexpr (requires { real_.write_unlock(where); })
            real_.write_unlock(where);
        else
            real_.write_end(where);
    }
    std::uint32_t read_begin(site where) override { return real_.read_begin(where); }
    bool read_retry(std::uint32_t seen, site where) override {
        return real_.read_retry(seen, where);
    }
    std::uint32_t state() const noexcept override { return real_.state(); }
    modelled_sequence* sequence() noexcept override { return this; }

private:
    Real real_;
};

class modelled_plain_lock final : public modelled_lock {
public:
    modelled_plain_lock(lock_sort sort, lock_class cls)
        : modelled_lock(sort), own_(kind_of(sort), cls, waits_of(sort)) {}

    lock_identity& identity() noexcept override { return own_; }

private:
    lock_identity own_;
};

class modelled_ww_mutex final : public modelled_lock {
public:
    explicit modelled_ww_mutex(ww_class& of) : modelled_lock(lock_sort::ww_mutex), real_(of) {}

    lock_identity& identity() noexcept override { return real_.identity(); }

    bool acquire(const wedge::detail::acquire_terms& terms) WEDGE_NO_THREAD_SAFETY override {
        if (current().runtime != nullptr) return modelled_lock::acquire(terms);
        if (has(terms.with, flags::tried)) return real_.try_lock(terms.where);
        return real_.lock(terms.where), true;
    }
    void release(site where) WEDGE_NO_THREAD_SAFETY override { real_.unlock(where); }
    ww_mutex* wound_wait() noexcept override { return &real_; }

private:
    ww_mutex real_;
};

/// A pseudo-lock: any number of sections at once. Only `sync` waits for them.
class modelled_map final : public modelled_lock {
public:
    /// @param is_waited_for  some task syncs it, so its sections are visible steps
    modelled_map(lock_class cls, bool is_waited_for)
        : modelled_lock(lock_sort::map),
          own_(kind_of(lock_sort::map), cls),
          is_waited_for_(is_waited_for) {}

    lock_identity& identity() noexcept override { return own_; }

    bool acquire(const wedge::detail::acquire_terms& terms) override {
        task& self = current();
        if (!has(terms.with, flags::tried)) wedge::detail::attempt(self, identity(), terms);
        if (is_waited_for_) step_on(step::acquire, terms.where);
        wedge::detail::acquired(self, identity(), terms);
        return true;
    }
    void release(site where) override {
        task& self = current();
        if (is_waited_for_) step_on(step::release, where);
        wedge::detail::released(self, identity(), mode::exclusive, where);
    }

private:
    void step_on(step what, site where) {
        task& self = current();
        self.runtime->perform(
            self,
            {.what = what, .how = mode::recursive_shared, .lock = &identity(), .where = where});
    }

    lock_identity own_;
    const bool is_waited_for_;
};

}  // namespace wedge::scenario
