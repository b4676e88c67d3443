// Tickets as held locks.
#include "wedge/core/ticket.hpp"

#include <doctest/doctest.h>

namespace detail = wedge::detail;

TEST_CASE("ticket: its hold stores its class, the contended lock, and whether it is done") {
    const wedge::lock_class of_locks("o");
    wedge::lock_identity ticket(wedge::lock_kind::map,
                                wedge::lock_class("ticket", {.never_waits = true}));
    wedge::lock_identity lock(wedge::lock_kind::ww_mutex, of_locks);
    wedge::task self;
    detail::ticket_begun(self, ticket, of_locks, {});
    const auto hold = [&] { return *detail::hold_of_ticket(self, ticket.instance()); };
    CHECK(detail::ww_class_of(hold()) == of_locks.id());
    CHECK(detail::contended_by(hold()) == 0);

    const detail::acquire_terms terms{.with = wedge::flags::ticketed, .payload = ticket.instance()};
    detail::told_to_back_off(self, lock, terms);
    CHECK(detail::contended_by(hold()) == lock.instance());
    CHECK(detail::ww_class_of(hold()) == of_locks.id());
    detail::contended_is_taken(self, ticket.instance());
    CHECK(detail::contended_by(hold()) == 0);

    detail::acquired(self, lock, terms);
    CHECK(detail::ww_class_of(self.held[1]) == 0);
    detail::ticket_done(self, ticket, of_locks, {});
    CHECK(has(hold().with, wedge::flags::done));
    detail::ticket_ended(self, ticket, of_locks, {});
    CHECK(detail::hold_of_ticket(self, ticket.instance()) == nullptr);
    CHECK(self.held.size() == 1);
}
