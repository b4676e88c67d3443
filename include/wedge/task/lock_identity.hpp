// What every instrumented lock carries: its kind, its class and its number.
#pragma once

#include <cstdint>

#include "wedge/task/lock_class.hpp"

namespace wedge {

/// The kinds of things that tasks wait for, as `lock_state` models them.
enum class lock_kind : std::uint8_t {
    mutex,
    recursive_mutex,
    spinlock,
    shared_mutex,  ///< ours: first come, first served
    rwlock,        ///< a reader waits only for a writer that holds (glibc's default)
    condition,
    map,  ///< a pseudo-lock: never blocks, only orders
};

inline constexpr const char* lock_kind_names[] = {
    "mutex", "recursive_mutex", "spinlock", "shared_mutex", "rwlock", "condition", "map",
};

constexpr const char* name_of(lock_kind kind) noexcept {
    return lock_kind_names[static_cast<std::size_t>(kind)];
}

/// A lock as the layers above see it. Lives inside the lock; does not move.
class lock_identity {
public:
    lock_identity(lock_kind kind, lock_class cls);
    lock_identity(const lock_identity&) = delete;
    lock_identity& operator=(const lock_identity&) = delete;
    ~lock_identity();

    lock_kind kind() const noexcept { return kind_; }
    std::uint32_t class_id() const noexcept { return class_id_; }

    /// The lock's ordinal: in the process, or in the execution that made or met it.
    std::uint32_t instance() const noexcept { return instance_; }

    /// Gives the lock its ordinal in an execution. For runtimes only.
    void adopt(std::uint32_t execution, std::uint32_t instance) noexcept {
        execution_ = execution;
        instance_ = instance;
    }
    std::uint32_t execution() const noexcept { return execution_; }

private:
    const lock_kind kind_;
    const std::uint32_t class_id_;
    std::uint32_t instance_ = 0;
    std::uint32_t execution_ = 0;  // 0: none, a live program's lock
};

}  // namespace wedge
