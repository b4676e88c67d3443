// The checker while threads take validated chains and new chains.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/lock/mutex.hpp"
#include "wedge/order/checker.hpp"

#include "support/notation.hpp"

TEST_CASE("threads: validated and new chains at once, while classes, graph and table grow") {
    constexpr int threads = 4;
    constexpr int rounds = 150;
    wedge::checker checker(wedge::evidence::classes);
    checker.keep_stacks(true);
    wedge::mutex outer("concurrent outer");
    wedge::mutex inner("concurrent inner");
    int guarded = 0;
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            wedge::task& self = wedge::current();
            self.sink = &checker;
            for (int i = 0; i < rounds; ++i) {
                const std::string own = "concurrent " + std::to_string(t) + "." + std::to_string(i);
                const std::string common = "concurrent " + std::to_string(i);
                wedge::mutex fresh(own.c_str());
                wedge::mutex contested(common.c_str());
                outer.lock();
                inner.lock();
                contested.lock();
                fresh.lock();
                ++guarded;
                fresh.unlock();
                contested.unlock();
                inner.unlock();
                outer.unlock();
            }
            self.sink = nullptr;
        });
    for (std::thread& thread : all) thread.join();
    CHECK(guarded == threads * rounds);
    CHECK(checker.findings().empty());
    // outer -> inner; both -> each contested; these three -> each fresh
    CHECK(checker.graph().edges() == 1 + 2 * rounds + 3 * threads * rounds);
}

TEST_CASE("stacks: both sides of a cycle have their stacks, except in engines") {
    for (const bool keeps : {false, true}) {
        wedge::checker checker(wedge::evidence::classes);
        checker.keep_stacks(keeps);
        notation::player(checker).play("L(A) L(B) U(B) U(A) | L(B) L(A) U(A) U(B)");
        REQUIRE(checker.findings().size() == 1);
        const wedge::finding& found = checker.findings()[0];
        for (const wedge::dependency& edge : found.cycle) CHECK(edge.stack.empty() == !keeps);
        const std::string text = wedge::detail::plain_text_of(found);
        CHECK((text.find("+0x") != std::string::npos) == keeps);
    }
}
