// The kernel's locks: mutex, spinlock_t, rwlock_t, rw_semaphore, seqcount_t, RCU and interrupts.
#pragma once

#include <new>
#include <optional>
#include <shared_mutex>

#include "wedge/core/check.hpp"
#include "wedge/core/contexts.hpp"
#include "wedge/linux/base.hpp"
#include "wedge/lock/assert.hpp"
#include "wedge/lock/big_reader_mutex.hpp"
#include "wedge/lock/interruptible.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/semaphore.hpp"
#include "wedge/lock/seqlock.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/lock/thread.hpp"

namespace wedge::kernel {
namespace detail {

/// A reader-writer spinlock: readers wait only for a writer that holds it.
class plain_rwlock : public std::shared_mutex {};
/// What readers of RCU hold. They must not sleep.
class plain_rcu : public std::shared_mutex {};
/// What readers of an SRCU domain hold. They may sleep.
class plain_srcu : public std::shared_mutex {};

/// A lock in the memory of a kernel object: `init` makes it, and gives it its class.
template <class Lock>
class made_later {
public:
    made_later() = default;
    explicit made_later(const char* name) { init(name); }

    /// Makes the lock anew. Its memory must not be a lock that is held.
    void init(const char* name) {
        if (lock_) initialise(*lock_);
        lock_.emplace(lock_class(name));
    }
    Lock& operator*() {
        if (!lock_)
            ::wedge::detail::raise<std::logic_error>("a lock is used that was not initialised");
        return *lock_;
    }
    Lock* operator->() { return &**this; }

private:
    std::optional<Lock> lock_;
};

}  // namespace detail
}  // namespace wedge::kernel

template <>
struct wedge::lock_traits<wedge::kernel::detail::plain_rwlock> {
    static constexpr lock_kind kind = lock_kind::qrwlock;
    static constexpr mode shared_how = mode::recursive_shared;
};
template <>
struct wedge::lock_traits<wedge::kernel::detail::plain_rcu>
    : wedge::lock_traits<wedge::kernel::detail::plain_rwlock> {};
/// A section may begin in every context. `synchronize_rcu` reports its own sleep.
template <>
struct wedge::lock_waits<wedge::kernel::detail::plain_rcu> {
    static constexpr wait_type waits = wait_type::none;
    static constexpr wait_type allows = wait_type::spin;
};
template <>
struct wedge::lock_waits<wedge::kernel::detail::plain_srcu> {
    static constexpr wait_type waits = wait_type::none;
    static constexpr wait_type allows = wait_type::none;
};
template <>
struct wedge::lock_traits<wedge::kernel::detail::plain_srcu> {
    static constexpr lock_kind kind = lock_kind::rwlock;
    static constexpr mode shared_how = mode::recursive_shared;
};
template <>
inline constexpr bool wedge::forbids_second_hold<wedge::kernel::detail::plain_rwlock> = false;
template <>
inline constexpr bool wedge::forbids_second_hold<wedge::kernel::detail::plain_rcu> = false;
template <>
inline constexpr bool wedge::forbids_second_hold<wedge::kernel::detail::plain_srcu> = false;

namespace wedge::kernel {

struct mutex {
    detail::made_later<wedge::mutex> lock;
    mutex() = default;
    explicit mutex(const char* name) : lock(name) {}
};
struct spinlock {
    detail::made_later<wedge::spinlock> lock;
    spinlock() = default;
    explicit spinlock(const char* name) : lock(name) {}
};
using spinlock_t = struct spinlock;
struct raw_spinlock {
    detail::made_later<wedge::raw_spinlock> lock;
    raw_spinlock() = default;
    explicit raw_spinlock(const char* name) : lock(name) {}
};
using raw_spinlock_t = struct raw_spinlock;
struct rwlock {
    detail::made_later<checked<detail::plain_rwlock>> lock;
    rwlock() = default;
    explicit rwlock(const char* name) : lock(name) {}
};
using rwlock_t = struct rwlock;
struct rw_semaphore {
    detail::made_later<wedge::shared_mutex> lock;
    rw_semaphore() = default;
    explicit rw_semaphore(const char* name) : lock(name) {}
};
struct percpu_rw_semaphore {
    detail::made_later<wedge::big_reader_mutex> lock;
    percpu_rw_semaphore() = default;
    explicit percpu_rw_semaphore(const char* name) : lock(name) {}
};
struct semaphore {
    std::optional<wedge::semaphore> units;
};

#define mutex_init(at) (at)->lock.init(#at)
#define spin_lock_init(at) (at)->lock.init(#at)
#define raw_spin_lock_init(at) (at)->lock.init(#at)
#define rwlock_init(at) (at)->lock.init(#at)
#define init_rwsem(at) (at)->lock.init(#at)
#define percpu_init_rwsem(at) ((at)->lock.init(#at), 0)
#define sema_init(at, n) (at)->units.emplace(static_cast<std::uint32_t>(n), #at)
#define DEFINE_MUTEX(name)        \
    ::wedge::kernel::mutex name { \
#name                     \
    }
#define DEFINE_SPINLOCK(name)        \
    ::wedge::kernel::spinlock name { \
#name                        \
    }
#define DEFINE_RAW_SPINLOCK(name)        \
    ::wedge::kernel::raw_spinlock name { \
#name                            \
    }
#define DEFINE_RWLOCK(name)        \
    ::wedge::kernel::rwlock name { \
#name                      \
    }
#define DECLARE_RWSEM(name)              \
    ::wedge::kernel::rw_semaphore name { \
#name                            \
    }

// Mutexes.
inline void mutex_lock(struct mutex* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock(where);
}
inline void mutex_lock_nested(struct mutex* at, unsigned subclass,
                              site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock(under{.subclass = static_cast<std::uint8_t>(subclass)}, where);
}
inline int mutex_lock_interruptible(struct mutex* at,
                                    site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    return lock_interruptible(*at->lock, where) ? 0 : -EINTR;
}
inline int mutex_lock_killable(struct mutex* at,
                               site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    return mutex_lock_interruptible(at, where);
}
/// Returns 1 if it took the lock, unlike the other ones.
inline int mutex_trylock(struct mutex* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    return at->lock->try_lock(where) ? 1 : 0;
}
inline void mutex_unlock(struct mutex* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock(where);
}
inline void mutex_destroy(struct mutex* at) {
    initialise(*at->lock);
}
/// Returns whether this task holds it, which is all that callers may rely on.
inline bool mutex_is_locked(struct mutex* at) {
    return current().held.find(at->lock->identity().instance()) != nullptr;
}
#define mutex_lock_nest_lock(at, nest) \
    (at)->lock->lock(::wedge::under{.nest = &(nest)->lock->identity()})

// Reader-writer semaphores.
inline void down_read(struct rw_semaphore* at,
                      site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock_shared(where);
}
inline int down_read_killable(struct rw_semaphore* at,
                              site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    return lock_shared_interruptible(*at->lock, where) ? 0 : -EINTR;
}
inline int down_read_interruptible(struct rw_semaphore* at, site where = site::current()) {
    return down_read_killable(at, where);
}
inline int down_read_trylock(struct rw_semaphore* at,
                             site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    return at->lock->try_lock_shared(where) ? 1 : 0;
}
inline void up_read(struct rw_semaphore* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock_shared(where);
}
inline void down_write(struct rw_semaphore* at,
                       site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock(where);
}
inline void down_write_nested(struct rw_semaphore* at, unsigned subclass,
                              site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock(under{.subclass = static_cast<std::uint8_t>(subclass)}, where);
}
inline int down_write_killable(struct rw_semaphore* at,
                               site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    return lock_interruptible(*at->lock, where) ? 0 : -EINTR;
}
inline int down_write_trylock(struct rw_semaphore* at,
                              site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    return at->lock->try_lock(where) ? 1 : 0;
}
inline void up_write(struct rw_semaphore* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock(where);
}
inline void downgrade_write(struct rw_semaphore* at,
                            site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->downgrade(where);
}

// A writer keeps readers out on all processors. Readers share no cache line.
inline void percpu_free_rwsem(struct percpu_rw_semaphore*) noexcept {}
inline void percpu_down_read(struct percpu_rw_semaphore* at,
                             site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock_shared(where);
}
inline bool percpu_down_read_trylock(struct percpu_rw_semaphore* at,
                                     site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    return at->lock->try_lock_shared(where);
}
inline void percpu_up_read(struct percpu_rw_semaphore* at,
                           site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock_shared(where);
}
inline void percpu_down_write(struct percpu_rw_semaphore* at,
                              site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock(where);
}
inline void percpu_up_write(struct percpu_rw_semaphore* at,
                            site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock(where);
}

template <class... Arguments>
void down_read_non_owner(Arguments...) {
    static_assert(detail::is_supported<Arguments...>,
                  "down_read_non_owner() is not modelled: the task that takes a lock releases it");
}
template <class... Arguments>
void up_read_non_owner(Arguments...) {
    static_assert(detail::is_supported<Arguments...>,
                  "up_read_non_owner() is not modelled: the task that takes a lock releases it");
}

inline void down(struct semaphore* at, site where = site::current()) {
    at->units->down(where);
}
inline int down_interruptible(struct semaphore* at, site where = site::current()) {
    return at->units->down_interruptible(where) ? 0 : -EINTR;
}
/// Returns 0 if it took a unit, unlike mutex_trylock.
inline int down_trylock(struct semaphore* at, site where = site::current()) {
    return at->units->try_down(where) ? 0 : 1;
}
inline void up(struct semaphore* at, site where = site::current()) {
    at->units->up(where);
}

// Interrupts of this processor. The flags of `…_save` are 1 if interrupts were enabled.
namespace detail {

inline unsigned long save_irqs(site where = site::current()) {
    if (current().contexts.irqs_are_off) return 0;
    irqs_off(where);
    return 1;
}
inline void restore_irqs(unsigned long flags, site where) {
    if (flags != 0) irqs_on(where);
}

}  // namespace detail

inline void local_irq_disable(site where = site::current()) {
    irqs_off(where);
}
inline void local_irq_enable(site where = site::current()) {
    irqs_on(where);
}
#define local_irq_save(flags) ((flags) = ::wedge::kernel::detail::save_irqs())
inline void local_irq_restore(unsigned long flags, site where = site::current()) {
    detail::restore_irqs(flags, where);
}
inline void local_bh_disable(site where = site::current()) {
    bh_off(where);
}
inline void local_bh_enable(site where = site::current()) {
    bh_on(where);
}
/// Sections without preemption nest. A task must not sleep in them (rule 22).
inline void preempt_disable() {
    preempt_off();
}
inline void preempt_enable() {
    preempt_on();
}
inline bool in_interrupt() {
    return current().context != context::task;
}

// Spinlocks, plain and raw.
template <class Spin>
concept spins = std::same_as<Spin, struct spinlock> || std::same_as<Spin, struct raw_spinlock>;

template <spins Spin>
void spin_lock(Spin* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock(where);
}
template <spins Spin>
void spin_lock_nested(Spin* at, unsigned subclass,
                      site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock(under{.subclass = static_cast<std::uint8_t>(subclass)}, where);
}
template <spins Spin>
int spin_trylock(Spin* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    return at->lock->try_lock(where) ? 1 : 0;
}
template <spins Spin>
void spin_unlock(Spin* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock(where);
}
template <spins Spin>
void spin_lock_irq(Spin* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    irqs_off(where);
    at->lock->lock(where);
}
template <spins Spin>
void spin_unlock_irq(Spin* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock(where);
    irqs_on(where);
}
template <spins Spin>
void spin_lock_bh(Spin* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    bh_off(where);
    at->lock->lock(where);
}
template <spins Spin>
void spin_unlock_bh(Spin* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock(where);
    bh_on(where);
}
template <spins Spin>
void spin_unlock_irqrestore(Spin* at, unsigned long flags,
                            site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock(where);
    detail::restore_irqs(flags, where);
}
namespace detail {
template <spins Spin>
unsigned long lock_and_save(Spin* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    const unsigned long flags = save_irqs(where);
    at->lock->lock(where);
    return flags;
}
template <class Lock>
unsigned long lock_rw_and_save(Lock* at, bool reads,
                               site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    const unsigned long flags = save_irqs(where);
    reads ? at->lock->lock_shared(where) : at->lock->lock(where);
    return flags;
}
}  // namespace detail
#define spin_lock_irqsave(at, flags) ((flags) = ::wedge::kernel::detail::lock_and_save(at))
#define raw_spin_lock(at) ::wedge::kernel::spin_lock(at)
#define raw_spin_unlock(at) ::wedge::kernel::spin_unlock(at)
#define raw_spin_lock_irqsave(at, flags) spin_lock_irqsave(at, flags)
#define raw_spin_unlock_irqrestore(at, flags) ::wedge::kernel::spin_unlock_irqrestore(at, flags)

inline void read_lock(rwlock_t* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock_shared(where);
}
inline void read_unlock(rwlock_t* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock_shared(where);
}
inline void write_lock(rwlock_t* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->lock(where);
}
inline void write_unlock(rwlock_t* at, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock(where);
}
#define read_lock_irqsave(at, flags) ((flags) = ::wedge::kernel::detail::lock_rw_and_save(at, true))
#define write_lock_irqsave(at, flags) \
    ((flags) = ::wedge::kernel::detail::lock_rw_and_save(at, false))
inline void read_unlock_irqrestore(rwlock_t* at, unsigned long flags,
                                   site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock_shared(where);
    detail::restore_irqs(flags, where);
}
inline void write_unlock_irqrestore(rwlock_t* at, unsigned long flags,
                                    site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    at->lock->unlock(where);
    detail::restore_irqs(flags, where);
}

// Sequence counts and locks.
struct seqcount_t {
    std::optional<wedge::seqcount> count;
};
struct seqlock_t {
    std::optional<wedge::seqlock> lock;
};
#define seqcount_init(at) (at)->count.emplace(#at)
#define seqlock_init(at) (at)->lock.emplace(#at)
inline unsigned read_seqcount_begin(seqcount_t* at, site where = site::current()) {
    return at->count->read_begin(where);
}
inline bool read_seqcount_retry(seqcount_t* at, unsigned seen, site where = site::current()) {
    return at->count->read_retry(seen, where);
}
inline void write_seqcount_begin(seqcount_t* at, site where = site::current()) {
    at->count->write_begin(where);
}
inline void write_seqcount_end(seqcount_t* at, site where = site::current()) {
    at->count->write_end(where);
}
inline unsigned read_seqbegin(seqlock_t* at, site where = site::current()) {
    return at->lock->read_begin(where);
}
inline bool read_seqretry(seqlock_t* at, unsigned seen, site where = site::current()) {
    return at->lock->read_retry(seen, where);
}
inline void write_seqlock(seqlock_t* at, site where = site::current()) {
    at->lock->write_lock(where);
}
inline void write_sequnlock(seqlock_t* at, site where = site::current()) {
    at->lock->write_unlock(where);
}

// Assertions.
#define lockdep_assert_held(at) ::wedge::assert_held(*(at)->lock)
#define lockdep_assert_held_write(at) ::wedge::assert_held_exclusively(*(at)->lock)
#define lockdep_assert_held_read(at) ::wedge::assert_held(*(at)->lock)
#define might_lock(at) ::wedge::might_lock(*(at)->lock)
#define might_lock_read(at) ::wedge::might_lock_shared(*(at)->lock)

}  // namespace wedge::kernel
