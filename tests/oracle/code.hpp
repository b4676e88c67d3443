// Blocks of a scenario as flat lists of instructions with jumps. The place of a task is an index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "wedge/scenario/ast.hpp"

namespace oracle {

using wedge::scenario::action;
using wedge::scenario::block;
using wedge::scenario::declaration;
using wedge::scenario::declares;
using wedge::scenario::document;
using wedge::scenario::statement;

enum class op : std::uint8_t {
    begin,         ///< the start of a thread that shares a processor; this is a step
    act,           ///< runs the statement: one or more visible steps
    test,          ///< goes on if the test holds, else to `to[0]`
    choose,        ///< goes to one of `to`
    jump,          ///< to `to[0]`
    repeat_begin,  ///< starts a count
    repeat_next,   ///< counts down, or drops the count and goes to `to[0]`
    repeat_drop,   ///< drops the count when a `break` leaves a `repeat`
    scope_enter,
    scope_leave,
    context_enter,  ///< `hardirq {`
    context_leave,
    transaction_begin,  ///< starts a ticket; after a back-off the task goes to `to[0]`
    transaction_end,    ///< releases what the transaction took and ends its ticket
    read_begin,         ///< waits for writers and takes the number of a sequence count
    read_end,           ///< compares it, and goes to `to[0]` if a writer came meanwhile
    read_drop,          ///< forgets it: a `break` leaves the block of a reader
    leave,              ///< `return`: goes to the end of the run without a step
    end,                ///< ends the run; this is a step
    kswapd_look,        ///< kswapd decides whether it makes a pass of reclaim
};

struct instruction {
    op what{};
    const statement* of = nullptr;
    std::vector<int> to;  ///< an `act` that fails goes to `to[0]`
};

/// Translates the block of a thread, a work, a handler, a shrinker or a notifier.
class compiler {
public:
    /// @param sequences  the names of the sequence counts
    /// @param has_begin  the beginning is a step
    static std::vector<instruction> compile(const block& body,
                                            const std::set<std::string>& sequences,
                                            bool has_begin) {
        compiler made(sequences);
        if (has_begin) made.add(op::begin);
        made.emit(body);
        made.add(op::end);
        return std::move(made.code_);
    }
    /// Returns the block that kswapd runs each time it is woken.
    static std::vector<instruction> kswapd() {
        compiler made({});
        made.add(op::kswapd_look);
        made.add(op::end);
        return std::move(made.code_);
    }

private:
    explicit compiler(const std::set<std::string>& sequences) : sequences_(sequences) {}

    int here() const { return static_cast<int>(code_.size()); }
    int add(op what, const statement* of = nullptr) {
        code_.push_back({what, of, {}});
        return here() - 1;
    }
    void go(int from, int to) { code_[static_cast<std::size_t>(from)].to.push_back(to); }
    int jump() { return add(op::jump); }

    /// The constructs that a `break` must leave, innermost last.
    void undo(std::size_t down_to) {
        for (std::size_t i = open_.size(); i-- > down_to;) add(open_[i]);
    }

    void emit(const block& in) {
        for (const statement& each : in.body) emit(each);
    }

    /// Emits `lead`, then the first block, if any; if `lead` fails, the other block runs.
    void emit_branches(int lead, const block* good, const block* bad) {
        if (good != nullptr) emit(*good);
        const int over = jump();
        go(lead, here());
        if (bad != nullptr) emit(*bad);
        go(over, here());
    }

    void emit(const statement& s) {
        const auto block_at = [&](std::size_t i) {
            return i < s.blocks.size() ? &s.blocks[i] : nullptr;
        };
        switch (s.what) {
            case action::acquire: {
                if (s.is_read && sequences_.count(s.on.name) != 0) return emit_reader(s);
                const int lead = add(op::act, &s);
                if (s.blocks.empty()) return;  // if the statement fails, its run ends
                if (!s.ticket.name.empty()) return emit_branches(lead, nullptr, block_at(0));
                return emit_branches(lead, block_at(0), block_at(1));
            }
            case action::get: {
                const int lead = add(op::act, &s);
                if (!s.blocks.empty()) emit_branches(lead, block_at(0), block_at(1));
                return;
            }
            case action::wait:
            case action::alloc: return emit_branches(add(op::act, &s), nullptr, block_at(0));
            case action::if_that:
            case action::if_held: return emit_branches(add(op::test, &s), block_at(0), block_at(1));
            case action::while_that: return emit_loop(add(op::test, &s), s.blocks[0], open_.size());
            case action::repeat: {
                add(op::repeat_begin, &s);
                const std::size_t depth = open_.size();
                const int lead = add(op::repeat_next, &s);
                open_.push_back(op::repeat_drop);
                emit_loop(lead, s.blocks[0], depth);
                open_.pop_back();
                return;
            }
            case action::choose: {
                const int lead = add(op::choose, &s);
                std::vector<int> ends;
                for (const block& each : s.blocks) {
                    go(lead, here());
                    emit(each);
                    ends.push_back(jump());
                }
                for (const int each : ends) go(each, here());
                return;
            }
            case action::scope: return emit_within(s, op::scope_enter, op::scope_leave);
            case action::interrupt: return emit_within(s, op::context_enter, op::context_leave);
            case action::signalling: return emit(s.blocks[0]);  // only the order check needs it
            case action::transaction:
                return emit_within(s, op::transaction_begin, op::transaction_end);
            case action::break_loop:
                undo(loops_.back().depth);
                loops_.back().breaks.push_back(jump());
                return;
            case action::return_run: add(op::leave); return;
            default: add(op::act, &s); return;
        }
    }

    void emit_within(const statement& s, op enter, op leave) {
        const int lead = add(enter, &s);
        go(lead, here());
        open_.push_back(leave);
        emit(s.blocks[0]);
        open_.pop_back();
        add(leave, &s);
    }
    void emit_reader(const statement& s) {
        const int lead = add(op::read_begin, &s);
        open_.push_back(op::read_drop);
        emit(s.blocks[0]);
        open_.pop_back();
        go(add(op::read_end, &s), lead);
    }
    /// @param lead   decides whether there is another round
    /// @param depth  the number of constructs that were open before the loop
    void emit_loop(int lead, const block& body, std::size_t depth) {
        loops_.push_back({depth, {}});
        emit(body);
        go(jump(), lead);
        go(lead, here());
        for (const int each : loops_.back().breaks) go(each, here());
        loops_.pop_back();
    }

    struct loop {
        std::size_t depth;
        std::vector<int> breaks;
    };
    std::vector<instruction> code_;
    std::vector<op> open_;
    std::set<std::string> sequences_;
    std::vector<loop> loops_;
};

}  // namespace oracle
