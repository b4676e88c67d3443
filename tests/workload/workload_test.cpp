#include "wedge/workload/workload.hpp"

#include <doctest/doctest.h>

namespace {

struct counter {
    int sum = 0;
    void one() { ++sum; }
    void add(std::uint32_t n) { sum += static_cast<int>(n); }
    static constexpr auto actions =
        wedge::actions(wedge::action<&counter::one>{"one"}, wedge::action<&counter::add>{"add"});
};

template <class T>
struct device {
    void run() {}
    static constexpr auto actions = wedge::actions(wedge::action<&device::run>{"run"});
};

struct named : counter {
    static constexpr const char* name = "a_better_name";
};

static_assert(wedge::workload<counter>);
static_assert(!wedge::workload<int>);

}  // namespace

TEST_CASE("workload: its name is that of its type without namespaces, or its own") {
    CHECK(wedge::workload_name<counter>() == "counter");
    CHECK(wedge::workload_name<device<counter>>() == "device<counter>");
    CHECK(wedge::workload_name<named>() == "a_better_name");
}

TEST_CASE("workload: actions are numbered in order and get their argument") {
    counter state;
    wedge::detail::call_numbered(state, 1, 40);
    wedge::detail::call_numbered(state, 0, 7);
    CHECK(state.sum == 41);
    CHECK(wedge::action_names<counter>() == std::vector<std::string>{"one", "add"});
    CHECK(to_string(wedge::default_program<counter>()) == "one | add");
}

TEST_CASE("workload: the fingerprint changes with the name and the actions") {
    CHECK(wedge::fingerprint(wedge::type_of<counter>) != wedge::fingerprint(wedge::type_of<named>));
    CHECK(wedge::fingerprint(wedge::type_of<counter>) ==
          wedge::fingerprint(wedge::type_of<counter>));
}
