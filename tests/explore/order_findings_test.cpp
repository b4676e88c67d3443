// Verdicts on order findings that are neither inversions nor recursion.
#include <atomic>
#include <cstddef>
#include <mutex>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/wedge.hpp"

using wedge::finding_kind;
using wedge::verdict;

namespace {

constexpr wedge::under level_1{.subclass = 1};

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
