// The part of every instrumented lock that other layers see: its kind, class and number.
#pragma once

#include <cstdint>

#include "wedge/core/lock_class.hpp"

namespace wedge {

class lock_state;

/// The kinds of objects that tasks wait for, as `lock_state` models them.
enum class lock_kind : std::uint8_t {
    mutex,
    recursive_mutex,
    spinlock,
    shared_mutex,  ///< wedge's own: first come, first served
    rwlock,        ///< a reader waits only for a writer that holds the lock (glibc's default)
    condition,
    map,      ///< a pseudo-lock, which orders and never blocks
    qrwlock,  ///< Linux's rwlock_t: readers are recursive in interrupts only
    raw_spinlock,
    local_lock,
    ww_mutex,
    semaphore,   ///< a count: `down` waits until it is positive
    completion,  ///< a count that may be set to `for_good`; a fence is one
    variable,    ///< an explored memory access: a counter, an atomic
};

inline constexpr const char* lock_kind_names[] = {
    "mutex",      "recursive_mutex", "spinlock",     "shared_mutex", "rwlock",   "condition",
    "map",        "qrwlock",         "raw_spinlock", "local_lock",   "ww_mutex", "semaphore",
    "completion", "variable",
};

constexpr const char* name_of(lock_kind kind) noexcept {
    return lock_kind_names[static_cast<std::size_t>(kind)];
}

/// Returns the wait type of a wait for a lock of this kind. Sections of a map wait for nothing.
constexpr wait_type wait_type_of(lock_kind kind) noexcept {
    switch (kind) {
        case lock_kind::map:
        case lock_kind::variable: return wait_type::none;
        case lock_kind::raw_spinlock: return wait_type::raw;
        case lock_kind::spinlock:
        case lock_kind::qrwlock:
        case lock_kind::local_lock: return wait_type::spin;
        default: return wait_type::sleep;
    }
}

/// A lock as the layers above see it. It lives inside the lock and does not move.
class lock_identity {
public:
    lock_identity(lock_kind kind, lock_class cls) : lock_identity(kind, cls, wait_type_of(kind)) {}
    /// @param waits  if it differs from the wait type of the kind
    /// @param count  the initial count of a counted lock
    lock_identity(lock_kind kind, lock_class cls, wait_type waits, std::uint32_t count = 0);
    /// @param allows  the longest wait allowed under it; none: any
    lock_identity(lock_kind kind, lock_class cls, wait_type waits, wait_type allows,
                  std::uint32_t count);
    lock_identity(const lock_identity&) = delete;
    lock_identity& operator=(const lock_identity&) = delete;
    ~lock_identity();

    lock_kind kind() const noexcept { return kind_; }
    wait_type waits() const noexcept { return waits_; }
    wait_type allows() const noexcept { return allows_; }
    std::uint32_t class_id() const noexcept { return class_id_; }
    std::uint32_t initial_count() const noexcept { return initial_count_; }

    /// Returns whether the lock's type forbids its holder to take it again, in any mode. The order
    /// checker reports such an acquire even if the lock grants it (rule 10).
    bool forbids_second_hold() const noexcept { return forbids_second_hold_; }
    void forbid_second_hold() noexcept { forbids_second_hold_ = true; }

    /// Returns whether readers keep no task out, also not one that writes. Then an interrupt that
    /// writes may come on top of a reader (rule 21).
    bool has_free_readers() const noexcept { return has_free_readers_; }
    void free_readers() noexcept { has_free_readers_ = true; }

    /// Returns the lock's ordinal: in the process, or in the execution that made or met the lock.
    std::uint32_t instance() const noexcept { return instance_; }

    /// Returns a number that the user gave the lock, for orders of instances: an index or a depth.
    std::uint64_t rank() const noexcept { return rank_; }
    void set_rank(std::uint64_t rank) noexcept { rank_ = rank; }

    /// Gives the lock its ordinal in an execution, and its model there. Called by runtimes only.
    void adopt(std::uint64_t execution, std::uint32_t instance,
               lock_state* modelled = nullptr) noexcept {
        execution_ = execution;
        instance_ = instance;
        modelled_ = modelled;
    }
    std::uint64_t execution() const noexcept { return execution_; }
    /// Returns whether the runtime models it. Walks of scenarios model no lock.
    bool is_modelled() const noexcept { return modelled_ != nullptr; }
    lock_state& modelled() const noexcept { return *modelled_; }

private:
    const lock_kind kind_;
    const wait_type waits_;
    const wait_type allows_;
    bool forbids_second_hold_ = false;
    bool has_free_readers_ = false;
    const std::uint32_t class_id_;
    std::uint32_t instance_ = 0;
    const std::uint32_t initial_count_;
    std::uint64_t execution_ = 0;     // 0: a lock of a live program
    lock_state* modelled_ = nullptr;  // the runtime's model of it in that execution
    std::uint64_t rank_ = 0;
};

static_assert(sizeof(lock_identity) <= 64);  // the memory that instrumentation adds to a lock

/// Orders of instances, for `class_options::order`.
inline bool by_creation(const lock_identity& held, const lock_identity& wanted) noexcept {
    return held.instance() < wanted.instance();
}
inline bool by_address(const lock_identity& held, const lock_identity& wanted) noexcept {
    return &held < &wanted;
}
inline bool by_rank(const lock_identity& held, const lock_identity& wanted) noexcept {
    return held.rank() < wanted.rank();
}

}  // namespace wedge
