// Follows a recorded trace: each thread takes the steps that it took there, in the same order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "wedge/core/trace.hpp"

#include "run/control_state.hpp"

namespace wedge::run {

/// Answers whose turn it is, until the run does something else than the trace: it then says where,
/// and the strategy goes on.
///
/// The numbers of threads and locks in the trace are those of another run. A thread is known by the
/// `spawn` that started it, a lock by its first use.
class trace_follower {
public:
    explicit trace_follower(std::vector<trace_event> events);

    bool is_active() const noexcept { return at_ < events_.size() && !has_left_; }

    /// Returns the thread whose turn it is. Null: it has not come to a step yet, or the run has
    /// left the trace.
    controlled_thread* next(controller& all);

    /// Called for each event of the run.
    void saw(std::uint32_t thread, const char* what, std::uint32_t object, std::uint32_t lock);

private:
    using numbers = std::unordered_map<std::uint32_t, std::uint32_t>;

    /// @param who  the thread that the trace expects; null: it does not exist
    controlled_thread* wait_for(controller& all, controlled_thread* who);
    /// Called before the thread takes a step without an event, such as a yield: returns whether it
    /// has done nothing else for long.
    bool retries_forever();
    void leave(const std::string& why);
    bool is_same(numbers& known, numbers& reverse, std::uint32_t here, std::uint32_t there);
    bool agrees(const trace_event& expected, std::uint32_t object, std::uint32_t lock);
    void advance();

    const std::vector<trace_event> events_;
    std::size_t at_ = 0;
    bool has_left_ = false;
    numbers threads_{{0, 0}};  // of the trace, to those of the run
    numbers locks_, locks_back_;
    numbers objects_, objects_back_;
    std::uint64_t arrivals_ = 0;
    std::int64_t waits_since_ = 0;
    std::size_t retried_at_ = 0;
    unsigned retries_ = 0;
    std::int64_t retries_since_ = 0;
};

/// Reads the trace that `wedge run` has left in the directory for this process.
///
/// @return null: the run has no trace to follow, or it is for another process
std::unique_ptr<trace_follower> make_follower(const std::string& directory);

/// Called by the recorder for each event.
void follow_event(std::uint32_t thread, const char* what, std::uint32_t object,
                  std::uint32_t lock = 0);

}  // namespace wedge::run
