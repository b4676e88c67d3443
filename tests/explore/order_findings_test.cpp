// Verdicts on order findings that are neither inversions nor recursion.
#include <atomic>
#include <cstddef>
#include <mutex>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/wedge.hpp"

#include "support/lock_pair_text.hpp"

using wedge::finding_kind;
using wedge::verdict;

namespace {

constexpr wedge::under level_1{.subclass = 1};

/// Nests a lock only if another task has set the flag before.
struct flagged {
    wedge::mutex outer{"outer"}, inner{"inner"}, flag{"flag"};
    bool is_set = false;

    void look() {
        const wedge::guard held(outer);
        {
            const wedge::guard looking(flag);
            if (!is_set) return;
        }
        const wedge::guard nested(inner);
    }
    void set() {
        const wedge::guard held(flag);
        is_set = true;
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&flagged::look>{"look"}, wedge::action<&flagged::set>{"set"});
    static constexpr const char* name = "flagged";
};

}  // namespace

TEST_CASE("instance order: a swap under a subclass is confirmed, or refuted under a common lock") {
    for (const bool is_guarded : {false, true}) {
        const wedge::lock_class cls("x");
        wedge::checked<std::mutex> first(cls);
        wedge::checked<std::mutex> second(cls);
        wedge::mutex gate("gate");
        const auto nest = [&](auto& outer, auto& inner) {
            const wedge::guard held(outer);
            inner.lock(level_1);
            inner.unlock();
        };
        const auto body = [&](auto& outer, auto& inner) {
            if (!is_guarded) return nest(outer, inner);
            const wedge::guard held(gate);
            nest(outer, inner);
        };
        const wedge::outcome out =
            wedge::explore({[&] { body(first, second); }, [&] { body(second, first); }});
        REQUIRE(out.findings.size() == 1);
        CHECK(out.findings[0].kind == finding_kind::instance_order);
        CHECK(out.findings[0].judged == (is_guarded ? verdict::refuted : verdict::confirmed));
        CHECK(out.what == (is_guarded ? wedge::result::sound : wedge::result::deadlock));
    }
}

TEST_CASE("contexts: a conflict is not refuted if no interrupt was delivered") {
    wedge::spinlock lock("x");
    const wedge::outcome out = wedge::explore({[&] {
        lock.lock();
        lock.unlock();
        const wedge::in_context handler(wedge::context::softirq);
        lock.lock();
        lock.unlock();
    }});
    CHECK(out.exhausted);
    REQUIRE(out.findings.size() == 1);
    CHECK(out.findings[0].kind == finding_kind::inconsistent_context);
    CHECK(out.findings[0].judged == verdict::unresolved);
    CHECK(out.what == wedge::result::finding);
}

TEST_CASE("contexts: masks of one execution do not reach the next one") {
    wedge::spinlock lock("x");
    std::atomic<std::size_t> entered_with_them_out{0};
    const auto body = [&] {
        entered_with_them_out += wedge::current().contexts.irqs_are_off ? 1 : 0;
        wedge::irqs_off();
        lock.lock();
        lock.unlock();
    };
    CHECK(wedge::explore({body, body}).executions > 1);
    CHECK(entered_with_them_out == 0);
}

TEST_CASE("lock pairs: those of some execution are in the outcome, whatever searches") {
    const auto shown = [](const char* calls, wedge::strategy how, unsigned jobs) {
        wedge::explore_options options;
        options.how = how;
        options.jobs = jobs;
        options.executions_max = 2000;
        return text_of_lock_pairs(
            wedge::explore<flagged>(wedge::parse_program(calls), options).lock_pairs);
    };
    for (const unsigned jobs : {1U, 2U})
        for (const wedge::strategy how :
             {wedge::strategy::exhaustive, wedge::strategy::random, wedge::strategy::portfolio}) {
            CHECK(shown("look | set", how, jobs) == "outer>flag outer>inner");
            CHECK(shown("look | look", how, jobs) == "outer>flag");  // nobody sets the flag
        }
}
