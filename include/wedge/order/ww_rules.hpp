// The rules on wound/wait tickets, in addition to those on nesting.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/ticket.hpp"
#include "wedge/order/describe.hpp"

namespace wedge::detail {

/// Checks rules 14 and 15 for a step of a ticket, or an acquire under it. They depend on the
/// ticket's state, so they are checked at every such step, and never from the cache of chains. They
/// need nothing but the task.
class ticket_check {
public:
    ticket_check(task& self, const event& step) : self_(self), step_(step) {}

    std::vector<finding> run() {
        switch (step_.kind) {
            case event_kind::ticket_begin: begun(); break;
            case event_kind::ticket_done: done(); break;
            case event_kind::ticket_end: ended(); break;
            default: taking(); break;
        }
        return std::move(findings_);
    }

private:
    void begun() {
        const auto locks = static_cast<std::uint32_t>(step_.payload);
        for (const held_lock& hold : self_.held) {
            if (ww_class_of(hold) == locks)
                broken("begun while another ticket of its class is held",
                       {use_of(hold), use_of(step_)});
            else if (hold.class_id == locks)
                broken("begun while a lock of its class is held", {use_of(hold), use_of(step_)});
        }
    }

    void done() {
        const held_lock* const ticket = self_.held.find(step_.instance);
        if (ticket == nullptr)
            not_begun("done");
        else if (has(ticket->with, flags::done))
            broken("done twice", {use_of(step_)});
    }

    void ended() {
        if (self_.held.find(step_.instance) == nullptr) not_begun("ended");
        for (const held_lock& hold : self_.held)
            if (is_under(hold, step_.instance))
                broken("ended while a lock is held under it", {use_of(hold), use_of(step_)});
    }

    /// Checks a blocking acquire. A lock that is held under a ticket answers at once, whatever the
    /// ticket.
    void taking() {
        const held_lock* const mine = self_.held.find(step_.instance);
        if (mine != nullptr && has(mine->with, flags::ticketed)) return;
        const held_lock* const ticket = hold_of_ticket(self_, step_.payload);
        if (ticket == nullptr)
            return broken("not begun by the task that takes a lock with it", {use_of(step_)});
        const std::uint32_t contended = contended_by(*ticket);
        if (ww_class_of(*ticket) != step_.class_id)
            misused(*ticket, "used for a lock of another class");
        if (has(ticket->with, flags::done))
            misused(*ticket, "used to take a lock after it was done");
        if (contended == 0 && has(step_.with, flags::slow))
            misused(*ticket, "used for the slow path with nothing contended");
        if (contended == 0) return;
        if (contended != step_.instance)
            misused(*ticket, "told to back off, but another lock than the contended one is taken");
        for (const held_lock& hold : self_.held)
            if (is_under(hold, ticket->instance))
                return broken("told to back off, but a lock is still held under it",
                              {use_of(hold), use_of(*ticket), use_of(step_)});
    }

    static bool is_under(const held_lock& hold, std::uint32_t ticket) noexcept {
        return has(hold.with, flags::ticketed) && hold.payload == ticket;
    }

    void broken(const char* how, std::vector<lock_use> locks) {
        findings_.push_back(hygiene(finding_kind::ww_rule, self_, std::string("a ticket ") + how,
                                    std::move(locks)));
    }
    void misused(const held_lock& ticket, const char* how) {
        broken(how, {use_of(ticket), use_of(step_)});
    }
    void not_begun(const char* what) {
        findings_.push_back(
            hygiene(finding_kind::unlock_imbalance, self_,
                    use_of(step_).class_name + " " + what + " by a task that has not begun it",
                    {use_of(step_)}));
    }

    task& self_;
    const event& step_;
    std::vector<finding> findings_;
};

}  // namespace wedge::detail
