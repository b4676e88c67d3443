// The rules on wound/wait tickets, beside those on nesting.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "wedge/order/knowledge.hpp"
#include "wedge/task/ticket.hpp"

namespace wedge {

/// Rules 14 and 15. They depend on the state of the ticket, so they are checked on every step
/// that names one, never from the cache of chains.
class ww_rules {
public:
    explicit ww_rules(order_knowledge& known) noexcept : known_(known) {}

    void begun(task& self, const event& step, std::vector<finding>& fresh) {
        const auto ww_class = static_cast<std::uint32_t>(step.payload);
        for (const held_lock& hold : self.held) {
            if (detail::ww_class_of(hold) == ww_class)
                broken(self, "begun while another ticket of its class is held",
                       {use_of(hold), use_of(step)}, fresh);
            else if (hold.class_id == ww_class)
                broken(self, "begun while a lock of its class is held",
                       {use_of(hold), use_of(step)}, fresh);
        }
    }

    void done(task& self, const event& step, std::vector<finding>& fresh) {
        const held_lock* const ticket = self.held.find(step.instance);
        if (ticket == nullptr)
            not_begun(self, step, "done", fresh);
        else if (has(ticket->with, flags::done))
            broken(self, "done twice", {use_of(step)}, fresh);
    }

    void ended(task& self, const event& step, std::vector<finding>& fresh) {
        if (self.held.find(step.instance) == nullptr)
            not_begun(self, step, "ended", fresh);
        for (const held_lock& hold : self.held)
            if (is_under(hold, step.instance))
                broken(self, "ended while a lock is held under it", {use_of(hold), use_of(step)},
                       fresh);
    }

    /// A blocking acquire with a ticket.
    void taking(task& self, const event& step, std::vector<finding>& fresh) {
        const held_lock* const mine = self.held.find(step.instance);
        if (mine != nullptr && has(mine->with, flags::ticketed))
            return;  // answers at once, whatever the ticket
        const held_lock* const ticket = detail::hold_of_ticket(self, step.payload);
        if (ticket == nullptr)
            return broken(self, "not begun by the task that takes a lock with it", {use_of(step)},
                          fresh);
        const std::uint32_t contended = detail::contended_by(*ticket);
        const lock_use with = use_of(*ticket);
        const lock_use wanted = use_of(step);
        if (detail::ww_class_of(*ticket) != step.class_id)
            broken(self, "used for a lock of another class", {with, wanted}, fresh);
        if (has(ticket->with, flags::done))
            broken(self, "used to take a lock after it was done", {with, wanted}, fresh);
        if (contended == 0) {
            if (has(step.with, flags::slow))
                broken(self, "used for the slow path with nothing contended", {with, wanted},
                       fresh);
            return;
        }
        if (contended != step.instance)
            broken(self, "told to back off, but another lock than the contended one is taken",
                   {with, wanted}, fresh);
        for (const held_lock& hold : self.held)
            if (is_under(hold, ticket->instance))
                return broken(self, "told to back off, but a lock is still held under it",
                              {use_of(hold), with, wanted}, fresh);
    }

private:
    template <class Step>
    static lock_use use_of(const Step& step) {
        return detail::use_of(step);
    }
    static bool is_under(const held_lock& hold, std::uint32_t ticket) noexcept {
        return has(hold.with, flags::ticketed) && hold.payload == ticket;
    }

    void broken(const task& self, const char* how, std::vector<lock_use> locks,
                std::vector<finding>& fresh) {
        known_.keep(detail::hygiene(finding_kind::ww_rule, self, std::string("a ticket ") + how,
                                    std::move(locks)),
                    fresh);
    }
    void not_begun(const task& self, const event& step, const char* what,
                   std::vector<finding>& fresh) {
        known_.keep(detail::hygiene(finding_kind::unlock_imbalance, self,
                                    use_of(step).class_name + " " + what +
                                        " by a task that has not begun it",
                                    {use_of(step)}),
                    fresh);
    }

    order_knowledge& known_;
};

}  // namespace wedge
