#include "wedge/core/signature.hpp"

#include <doctest/doctest.h>

namespace {

wedge::lock_use use(const char* name, wedge::mode how = wedge::mode::exclusive,
                    std::uint32_t instance = 1) {
    wedge::lock_use lock;
    lock.class_name = name;
    lock.instance = instance;
    lock.how = how;
    return lock;
}

}  // namespace

TEST_CASE("signature: a cycle has one signature wherever it is entered") {
    const std::vector<wedge::dependency> one = {{use("a"), use("b"), "t", false},
                                                {use("b"), use("c"), "u", false},
                                                {use("c"), use("a"), "v", false}};
    const std::vector<wedge::dependency> two = {one[1], one[2], one[0]};
    CHECK(wedge::cycle_signature(one) == wedge::cycle_signature(two));
    CHECK(wedge::cycle_signature(one) == "a/EE b/EE c/EE");
}

TEST_CASE("signature: modes matter, instances and tasks do not") {
    const std::vector<wedge::dependency> exclusive = {{use("a"), use("b"), "t", false},
                                                      {use("b"), use("a"), "u", false}};
    std::vector<wedge::dependency> other = exclusive;
    other[0].held.instance = 9;
    other[1].task = "w";
    CHECK(wedge::cycle_signature(exclusive) == wedge::cycle_signature(other));
    other[1].wanted.how = wedge::mode::shared;
    CHECK(wedge::cycle_signature(exclusive) != wedge::cycle_signature(other));
}

TEST_CASE("signature: a hygiene finding has its kind, class and function, and no line") {
    wedge::finding found;
    found.kind = wedge::finding_kind::unlock_imbalance;
    found.locks = {use("a")};
    found.locks[0].where = {"dir/x.cpp", "f", 3};
    CHECK(wedge::signature_of(found) == "unlock-imbalance a in f");
    const std::string before = wedge::signature_of(found);
    found.locks[0].where.line = 4;
    CHECK(wedge::signature_of(found) == before);
    found.locks[0].where.function = "";
    found.task = "deposit#2";
    CHECK(wedge::signature_of(found) == "unlock-imbalance a in deposit");
    CHECK(wedge::short_hash(wedge::signature_of(found)).size() == 8);
}

TEST_CASE("signature: an exception's has no place in a source") {
    const auto of = [](const char* thrown) { return wedge::exception_signature(thrown); };
    CHECK(of("open#2 threw: the assertion k == 1 at dir/test.wedge:12 does not hold") ==
          "assertion open threw: the assertion k == 1 does not hold");
    CHECK(of("a thread took a at x.cpp:3, where b was at x.cpp:4") ==
          "assertion a thread took a, where b was");
    CHECK(of("t threw: x.cpp:3:7: broken (see y.hpp:9)") == "assertion t threw:: broken (see)");
    for (const char* const kept : {"at 12:30", "v1.2", "ratio 3:1", "std::x", "1.5:", "a.b:c"})
        CHECK(of(kept) == std::string("assertion ") + kept);
}
