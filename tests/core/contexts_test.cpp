// Contexts that a task enters and leaves.
#include "wedge/core/contexts.hpp"

#include <doctest/doctest.h>

using wedge::context;
using wedge::in_context;

TEST_CASE("contexts: the innermost context counts, and leaving it restores the outer context") {
    wedge::task& self = wedge::current();
    const wedge::context_state before = self.contexts;
    {
        const in_context soft(context::softirq);
        CHECK(self.context == context::softirq);
        {
            const in_context hard(context::hardirq);
            CHECK(self.context == context::hardirq);
            wedge::irqs_on();
        }
        CHECK(self.context == context::softirq);
        CHECK_FALSE(self.contexts.irqs_are_off);
    }
    CHECK(self.context == context::task);
    CHECK(self.contexts == before);
}

TEST_CASE("contexts: which interrupts may arrive") {
    wedge::task& self = wedge::current();
    const auto check = [&](bool hard, bool soft) {
        CHECK(self.contexts.admits(context::hardirq) == hard);
        CHECK(self.contexts.admits(context::softirq) == soft);
        CHECK_FALSE(self.contexts.admits(context::task));
    };
    check(true, true);
    wedge::bh_off();
    check(true, false);
    wedge::irqs_off();
    check(false, false);
    wedge::bh_on();
    check(false, false);
    wedge::irqs_on();
    check(true, true);
    const in_context soft(context::softirq);
    check(true, false);
    const in_context hard(context::hardirq);
    check(false, false);
    wedge::irqs_on();
    check(true, false);
}

TEST_CASE("contexts: sections without softirqs or preemption nest, and irqs_off does not") {
    const wedge::context_state& now = wedge::current().contexts;
    wedge::bh_on();  // nothing to end
    wedge::preempt_on();
    for (unsigned i = 0; i < 20; ++i) {
        wedge::bh_off();
        wedge::preempt_off();
        wedge::irqs_off();
    }
    wedge::irqs_on();
    for (unsigned i = 0; i < wedge::context_state::depth_max; ++i) {
        CHECK_FALSE(now.admits(context::softirq));
        CHECK(now.preempt_depth != 0);
        wedge::bh_on();
        wedge::preempt_on();
    }
    CHECK(now.admits(context::softirq));
    CHECK(now.preempt_depth == 0);
}

TEST_CASE("contexts: only an NMI keeps an NMI out, and it keeps out everything") {
    const wedge::task& self = wedge::current();
    CHECK(self.contexts.admits(context::nmi));
    const in_context hard(context::hardirq);
    wedge::bh_off();
    CHECK(self.contexts.admits(context::nmi));
    {
        const in_context nmi(context::nmi);
        CHECK(self.context == context::nmi);
        wedge::irqs_on();
        for (const context each : {context::softirq, context::hardirq, context::nmi})
            CHECK_FALSE(self.contexts.admits(each));
    }
    CHECK(self.context == context::hardirq);
    CHECK(self.contexts.admits(context::nmi));
}

TEST_CASE("contexts: a hardirq is threaded if all entered hardirqs are") {
    wedge::task& self = wedge::current();
    const in_context first(context::hardirq, true);
    CHECK(self.contexts.is_threaded());
    const in_context second(context::hardirq, false);
    CHECK_FALSE(self.contexts.is_threaded());
}
