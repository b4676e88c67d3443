// Writes the steps of all threads into a trace (docs/traces.md).
#pragma once

#include <cstdint>
#include <string>

#include "run/session.hpp"

namespace wedge::run {

/// Opens FILE.trace if the plan says so. All other functions do nothing then.
void start_recorder(const std::string& path);
void flush_recorder() noexcept;

void lock_recorder() noexcept;
void unlock_recorder() noexcept;
/// Reads which files are loaded, while the recorder is locked.
void update_recorder();
/// Called in the child of a fork: the trace goes on in a file of its own.
void fork_recorder(const std::string& path);

/// Returns whether a step is to be recorded. Not one of a signal handler that interrupts a wait for
/// the turn: it comes whenever it likes.
[[gnu::always_inline]] inline bool records_steps() noexcept {
    return plan.records && !me.in_turn;
}

void record_now(const task& self, const char* what, std::uint32_t object, const site& where);
void record_lock_now(const task& self, const char* what, lock_record& lock, const site& where);
void record_wait_now(const task& self, const char* what, const void* condition, lock_record& lock,
                     const site& where);

/// Records a step on a lock: `acquire`, `release` and so on.
[[gnu::always_inline]] inline void record(const task& self, const char* what, lock_record& lock,
                                          const site& where) {
    if (records_steps()) [[unlikely]]
        record_lock_now(self, what, lock, where);
}
/// Records the end of a thread.
inline void record_end(const task& self) {
    if (records_steps()) record_now(self, "end", self.ordinal, {});
}
/// Records the first step of a thread, which other threads may join.
void record_begin(const task& self);
void record_join(const task& self, ::pthread_t thread, const site& where);
/// Records the start of another thread.
inline void record_thread(const task& self, const char* what, std::uint32_t other,
                          const site& where) {
    if (records_steps()) record_now(self, what, other, where);
}
/// Records a wait for a condition, which releases the lock, or the end of it.
inline void record_wait(const task& self, const char* what, const void* condition,
                        lock_record& lock, const site& where) {
    if (records_steps()) record_wait_now(self, what, condition, lock, where);
}
void record_object_now(const task& self, const char* what, const void* object, const site& where);
/// Records a step on another object: `notify`, `post`.
inline void record_object(const task& self, const char* what, const void* object,
                          const site& where) {
    if (records_steps()) record_object_now(self, what, object, where);
}

}  // namespace wedge::run
