// The state of a run of a block.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "wedge/scenario/world.hpp"

namespace wedge::scenario {

/// The order pass: tests are answered instead of made, and statements are counted.
class walk_guide {
public:
    /// @throws anything  the path is too long
    virtual void count_statement() = 0;
    /// @throws anything  the path leads into a loop that never ends
    [[noreturn]] virtual void never_ends() = 0;
    /// Called where the task waits for an event of a wait queue.
    ///
    /// @param is_endless  only a wake-up ends the wait
    virtual void waits_for_wake(const std::string& queue, bool is_endless, site where) = 0;
    virtual void wakes(const std::string& queue, site where) = 0;

    bool may_back_off = false;  ///< whether the next acquire with a ticket may be told to back off

protected:
    ~walk_guide() = default;
};

struct hold {
    modelled_lock* lock;
    ww_ticket* ticket;  ///< null: taken without a ticket
};

/// A task that runs blocks: a thread, a worker, or kswapd.
struct actor {
    /// Resets it for an execution; keeps its memory.
    void reset() {
        locals.clear();
        path.clear();
        ahead.clear();
        taken.clear();
        reads.clear();
    }

    std::uint32_t copy = 0;
    std::uint32_t number = 0;  ///< of the task
    std::map<std::string, std::int64_t> locals;
    std::vector<std::uint64_t> ahead;  ///< by block: the objects that the rest of the block may use
    std::vector<std::uint64_t> path;   ///< where it stands: nested statements, and rounds of loops
    /// The sequence counts that its blocks read now, and the number that each began with.
    std::vector<std::pair<const modelled_sequence*, std::uint32_t>> reads;
    std::vector<hold> taken;  ///< taken by its runs and not released, innermost run last
};

namespace detail {

/// How a statement ends, which decides what runs next.
enum class flow : std::uint8_t {
    next,
    broken,    ///< leaves the innermost loop
    returned,  ///< leaves the run
    failed,    ///< leaves the run, which releases what it took
    given_up,  ///< leaves the run and everything that called it
    restarted  ///< leaves the transaction that must back off, which begins again
};

struct open_ticket {
    ww_ticket* ticket = nullptr;
    bool restarts = false;               ///< a transaction's
    modelled_lock* contended = nullptr;  ///< the lock that the transaction must take next
};

/// A run of a thread's, a shrinker's or another block.
struct frame {
    frame(actor& of, const char* name) : who(of), function(name), first(of.taken.size()) {}
    frame(const frame&) = delete;
    frame& operator=(const frame&) = delete;
    ~frame() { who.taken.resize(std::min(first, who.taken.size())); }

    actor& who;
    const char* const function;
    const std::size_t first;  ///< in `who.taken`: where the holds of this run begin
    std::map<std::string, open_ticket> tickets{};
    const ww_ticket* restarted = nullptr;
    place failed_at{};
};

}  // namespace detail
}  // namespace wedge::scenario
