// Where a run of a block stands.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "wedge/scenario/world.hpp"

namespace wedge::scenario {

/// The order pass: tests are not made, but answered; statements are counted.
class walk_guide {
public:
    /// @throws anything  when the path is too long
    virtual void count_statement() = 0;
    /// @throws anything  the path leads into a loop that nothing leaves
    [[noreturn]] virtual void never_ends() = 0;

    bool may_back_off = false;  ///< the next acquire with a ticket may be told so

protected:
    ~walk_guide() = default;
};

struct hold {
    modelled_lock* lock;
    ww_ticket* ticket;  ///< null: taken without one
};

/// One task that runs blocks: a thread, a worker, or kswapd.
struct actor {
    /// As it is before its execution; keeps its memory.
    void reset() {
        locals.clear();
        path.clear();
        ahead.clear();
        taken.clear();
    }

    std::uint32_t copy = 0;
    std::map<std::string, std::int64_t> locals;
    std::vector<std::uint64_t> ahead;  ///< by block: the objects of what may still run in it
    std::vector<std::uint64_t> path;  ///< where it stands: statements within each other, and rounds
    std::vector<hold> taken;          ///< by its runs and not released, the innermost run's last
};

namespace detail {

/// How a statement ends, and so what runs next.
enum class flow : std::uint8_t {
    next,
    broken,    ///< out of the innermost loop
    returned,  ///< out of the run
    failed,    ///< out of the run, which releases what it took
    given_up,  ///< out of the run, and of whatever called it
    restarted  ///< out of the transaction that must back off, which begins again
};

struct open_ticket {
    ww_ticket* ticket = nullptr;
    bool restarts = false;               ///< a transaction's
    modelled_lock* contended = nullptr;  ///< what the transaction was told to back off from
};

/// One run of a thread's, a shrinker's or another block.
struct frame {
    frame(actor& of, const char* name) : who(of), function(name), first(of.taken.size()) {}
    frame(const frame&) = delete;
    frame& operator=(const frame&) = delete;
    ~frame() { who.taken.resize(std::min(first, who.taken.size())); }

    actor& who;
    const char* const function;
    const std::size_t first;  ///< of what this run took, in `who.taken`
    std::map<std::string, open_ticket> tickets{};
    const ww_ticket* restarted = nullptr;
    place failed_at{};
};

}  // namespace detail
}  // namespace wedge::scenario
