// Claims about locks: a true claim silences an order that cannot hang, a false claim does not.
#include "wedge/lock/claims.hpp"

#include <doctest/doctest.h>

#include "wedge/lock/guard.hpp"

#include "lock/both.hpp"

namespace claims_test {
using wedge::result;

struct list {
    wedge::mutex all{"all"};
    wedge::mutex node{"node"};
};

TEST_CASE("the lock of an unpublished object has no place in the order") {
    list of;
    const auto add = [](list& to, wedge::mutex& made) {
        const wedge::guard held(to.all);
        const wedge::unpublished mine(made);
        CHECK(mine.was_true());
    };
    const auto look = [&] {
        const wedge::guard mine(of.node);
        const wedge::guard held(of.all);
    };
    // Another lock of the same class, which no task but this one can reach.
    const auto claimed = [&] {
        wedge::mutex made{"node"};
        add(of, made);
    };
    const auto unclaimed = [&] {
        wedge::mutex made{"node"};
        const wedge::guard held(of.all);
        const wedge::guard mine(made);
    };
    const wedge::outcome silent = both::controlled({claimed, look});
    CHECK(silent.what == result::sound);
    CHECK(silent.findings.empty());
    CHECK(both::controlled({unclaimed, look}).findings.size() == 1);  // refuted, but reported
}

TEST_CASE("a false claim that a lock is unpublished is found") {
    list of;
    const auto add = [&] {
        const wedge::guard held(of.all);
        const wedge::unpublished mine(of.node);
    };
    const auto look = [&] {
        const wedge::guard mine(of.node);
        const wedge::guard held(of.all);
    };
    CHECK(both::controlled({add, look}).what == result::deadlock);
}

/// Start-up takes the locks in the other order than work. Work begins when start-up is over, if it
/// waits for that.
template <bool Waits>
struct phases {
    list of;
    wedge::never_together phase{"start or work"};
    wedge::completion started{"started"};

    void start() {
        {
            const wedge::never_together::section here(phase);
            const wedge::guard first(of.all);
            const wedge::guard second(of.node);
        }
        started.complete();
    }
    void work() {
        if (Waits) started.wait();
        const wedge::never_together::section here(phase);
        const wedge::guard first(of.node);
        const wedge::guard second(of.all);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&phases::start>{"start"},
                                                   wedge::action<&phases::work>{"work"});
};

TEST_CASE("sections that never run together guard a cycle") {
    const wedge::outcome out = wedge::explore<phases<true>>({{{"start"}}, {{"work"}}});
    CHECK(out.what == result::sound);
    REQUIRE(out.findings.size() == 1);
    CHECK(out.findings[0].judged == wedge::verdict::refuted);
    CHECK(out.findings[0].graded.guard == "start or work");
}

TEST_CASE("sections that were said to never run together, and do") {
    const wedge::outcome out = wedge::explore<phases<false>>({{{"start"}}, {{"work"}}});
    CHECK(out.what == result::exception);
}

TEST_CASE("each owner has a class of its own") {
    wedge::mutex a{wedge::class_of_owner("item", "pool a")};
    wedge::mutex b{wedge::class_of_owner("item", "pool b")};
    CHECK(wedge::lock_class::from_id(a.identity().class_id()).name() == "item of pool a");
    CHECK(a.identity().class_id() != b.identity().class_id());
}

}  // namespace claims_test
