// Signalling sections against waits for fences.
#include "wedge/lock/signalling.hpp"

#include <doctest/doctest.h>

#include "wedge/core/contexts.hpp"
#include "wedge/wedge.hpp"

#include "support/watched.hpp"

using wedge::finding_kind;

TEST_CASE("signalling: a lock that a section takes must not be held over a wait for a fence") {
    for (const bool held_over_wait : {true, false}) {
        wedge::signalling_map fences;
        wedge::mutex lock("a");
        watched here;
        {
            const wedge::signalling_section section(fences);
            const wedge::guard held(lock);
        }
        {
            wedge::guard held(lock);
            if (held_over_wait) fences.touch();
        }
        if (!held_over_wait) fences.touch();
        CHECK(here.findings().size() == (held_over_wait ? 1U : 0U));
        if (held_over_wait) CHECK(here.findings()[0].kind == finding_kind::circular);
    }
}

TEST_CASE("signalling: sections nest, and the outermost one counts") {
    wedge::signalling_map fences;
    watched here;
    {
        const wedge::signalling_section outer(fences);
        { const wedge::signalling_section inner(fences); }
        CHECK(wedge::current().held.size() == 1);
    }
    CHECK(wedge::current().held.empty());
    CHECK(here.findings().empty());
}

TEST_CASE("signalling: a wait inside a section is ordered only by the locks around it") {
    wedge::signalling_map fences;
    wedge::mutex lock("a");
    watched here;
    {
        const wedge::signalling_section section(fences);
        fences.touch();
        CHECK(wedge::current().held.size() == 1);
    }
    CHECK(here.findings().empty());
    const wedge::signalling_section section(fences);
    const wedge::guard held(lock);
    fences.touch();
    REQUIRE(here.findings().size() == 1);
    CHECK(here.findings()[0].kind == finding_kind::circular);
}

TEST_CASE("signalling: a section takes no map where the task cannot sleep") {
    wedge::signalling_map fences;
    wedge::spinlock spin("s");
    watched here;
    const auto holds = [&] {
        const wedge::signalling_section section(fences);
        return wedge::current().held.size();
    };
    CHECK(holds() == 1);
    {
        const wedge::guard held(spin);
        CHECK(holds() == 1);
    }
    {
        const wedge::in_context handler(wedge::context::softirq);
        CHECK(holds() == 0);
    }
    wedge::irqs_off();
    CHECK(holds() == 0);
    wedge::irqs_on();
    wedge::bh_off();
    CHECK(holds() == 0);
    wedge::bh_on();
    CHECK(holds() == 1);
    CHECK(here.findings().empty());
}
