#include "wedge/model/vm_device.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "support/explored.hpp"
#include "support/trials.hpp"

namespace vm_device_test {
using namespace wedge;

namespace {

template <const locking_design& D>
outcome tried(const char* text, std::uint64_t executions = 200) {
    return explored<vm_device<D>>(text, {.executions_max = executions});
}

/// Checks that nothing is found in a program of the upstream design.
void check_quiet(const char* text, std::uint64_t executions) {
    CAPTURE(std::string(text));
    const outcome sound = tried<design::upstream>(text, executions);
    CHECK(sound.findings.empty());
    CHECK(sound.what >= result::unresolved);
}

/// Checks that the broken design deadlocks, and that the order checker sees the cycle in a program
/// of one task.
template <const locking_design& Broken>
void check_pair(const char* text, const char* alone) {
    CAPTURE(std::string(text));
    CHECK(tried<Broken>(text).what == result::deadlock);
    const outcome order = tried<Broken>(alone, 50);
    CHECK(std::any_of(order.findings.begin(), order.findings.end(), [](const finding& f) {
        return f.kind == finding_kind::circular || f.kind == finding_kind::recursive ||
               f.kind == finding_kind::ww_rule;
    }));
    check_quiet(text, trials(100));
    check_quiet(alone, trials(100));
}

}  // namespace

TEST_CASE("vm_device: nothing is found in the upstream design") {
    for (const char* text : {"bind | exec", "bind, exec | suspend", "bind, exec | evict",
                             "bind, bind(1), exec | evict, exec", "exec | recover",
                             "bind | bind(1) | fault", "bind, exec | hog", ""})
        check_quiet(text, trials(150));
}

TEST_CASE("gpu_vm: a submission restores what was evicted, and a bind job links its mapping") {
    ww_class all("dma_resv");
    struct object {
        explicit object(ww_class& of) : resv(of) {}
        reservation resv;
    } one(all), other(all);
    gpu_vm<object> space(all);
    {
        const guard held(space.resv());
        space.add(one);
        space.add(other);
        space.add(one);
    }
    {
        const guard held(other.resv);
        space.evicted(other);
        space.evicted(other);
    }
    for (const auto by : {design::several_by::ticket, design::several_by::ticket}) {
        unsigned restored = 0;
        unsigned runs = 0;
        space.exec([&](object& each) { restored += &each == &other ? 1U : 100U; },
                   [&] {
                       ++runs;
                       CHECK(!one.resv.try_lock());
                       CHECK(!other.resv.try_lock());
                   },
                   by);
        CHECK(runs == 1);
        CHECK(restored <= 1);
    }
    space.link(one, design::link_under::own_lock);
    space.link(one, design::link_under::reservation);
    CHECK(space.mappings() == 2);
}

TEST_CASE("design: an address space that is reserved without a ticket deadlocks") {
    CHECK(tried<design::exec_without_ticket>("bind, exec | bind, exec").what <= result::finding);
    CHECK(!tried<design::exec_without_ticket>("bind, exec", 20).findings.empty());
    check_quiet("bind, exec | bind, exec", trials(100));
}

TEST_CASE("design: a bind job that takes the reservation waits for a task that waits for it") {
    check_pair<design::link_under_reservation>("bind | evict", "bind, evict");
}

TEST_CASE("design: a timeout that is stopped under the lock of its handler hangs") {
    check_pair<design::timeout_stopped_under_lock>("exec, suspend", "exec, suspend");
}

}  // namespace vm_device_test
