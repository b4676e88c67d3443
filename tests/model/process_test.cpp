#include "wedge/model/process.hpp"

#include <thread>

#include <doctest/doctest.h>

#include "support/explored.hpp"

namespace process_test {
using namespace wedge;

namespace {

/// A device that must sleep before it lets go of its pages.
class sleepy final : public mmu_notifier {
public:
    bool invalidate(bool may_block) override {
        has_blocked |= may_block;
        return may_block;
    }
    bool has_blocked = false;
};

/// A process full of pages, and a task that needs them.
struct machine {
    memory zone{zone_limits{.pages = 8, .min = 0, .low = 1, .high = 2}};
    mmap_lock mm;
    notifier_list notifiers{zone};
    process victim{zone, mm, notifiers};

    machine() {
        zone.add(victim);
        static_cast<void>(victim.grow(8));
    }
    void need() {
        if (zone.alloc(4, gfp_kernel)) zone.free(4);
    }
    void change() {
        const guard held(mm);
        if (zone.alloc(1, gfp_kernel)) zone.free(1);
    }
    void quit() { victim.exit(); }
    void check() const {
        if (zone.free_pages() + victim.pages() != 8) throw std::logic_error("pages are lost");
    }
    static constexpr auto actions =
        wedge::actions(action<&machine::need>{"need"}, action<&machine::change>{"change"},
                       action<&machine::quit>{"quit"});
};

}  // namespace

TEST_CASE("process: it is reaped for an allocation that must succeed") {
    machine one;
    CHECK(one.zone.alloc(4, gfp_kernel));
    CHECK(one.victim.pages() == 0);
    CHECK(!one.victim.reap());  // no pages are left
}

TEST_CASE("process: reaping waits neither for its lock nor for a notifier") {
    machine one;
    {
        const guard busy(one.mm);
        std::thread other([&] { CHECK(!one.zone.alloc(4, gfp_kernel)); });
        other.join();
    }
    sleepy device;
    {
        const guard held(one.mm);
        one.notifiers.add(device, one.mm);
    }
    CHECK(!one.zone.alloc(4, gfp_kernel));
    CHECK(!device.has_blocked);
    CHECK(one.victim.pages() == 8);
}

TEST_CASE("process: killing is sound while others change the address space or exit") {
    for (const char* text : {"need | quit", "change | quit"}) {
        CAPTURE(std::string(text));
        const outcome done = explored<machine>(text);
        CHECK(done.what == result::sound);
        CHECK(done.findings.empty());
    }
    const outcome busy = explored<machine>("need | change", {.executions_max = 500});
    CHECK(busy.findings.empty());
    CHECK(busy.what >= result::unresolved);
}

}  // namespace process_test
