#include <memory>
#include <new>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "wedge/lock/mutex.hpp"
#include "wedge/model/replace_new.hpp"

#include "support/explored.hpp"
#include "support/watched.hpp"

namespace heap_test {
using namespace wedge;

namespace {

const doctest::skip skipped(!wedge::detail::heap_is_asked);

/// Allocates in a way that the compiler cannot remove.
void allocate() {
    auto* volatile kept = new int;
    delete kept;
}

struct failing {
    memory zone;
    heap_of heap{zone};
    failing() { zone.set({.failing = {.percent = 1, .times = 1}}); }
    void twice() {
        int done = 0;
        try {
            const heap_section counts;
            allocate();
            ++done;
            allocate();
            ++done;
        } catch (const std::bad_alloc&) {
        }
        seen |= 1U << done;
    }
    static constexpr auto actions = wedge::actions(action<&failing::twice>{"twice"});
    static inline unsigned seen = 0;
};

}  // namespace

TEST_CASE("heap: the order checker sees that a `new` under a lock may reclaim" * skipped) {
    const watched all;
    memory zone;
    mutex lock("heap user");
    mutex quiet("allocates nothing");
    {
        const heap_of heap(zone);
        {
            const guard held(lock);
            allocate();
        }
        const guard held(quiet);
    }
    CHECK(all.has_edge("heap user", "reclaim"));
    CHECK(!all.has_edge("allocates nothing", "reclaim"));
    const guard held(quiet);
    allocate();
    CHECK(!all.has_edge("allocates nothing", "reclaim"));
}

TEST_CASE("heap: `new` fails only in a section, by throwing or with null" * skipped) {
    memory zone;
    zone.set({.failing = {.percent = 100}});
    const heap_of heap(zone);
    static_cast<void>(current());
    allocate();
    bool has_thrown = false;
    bool is_null = false;
    {
        const heap_section counts;
        try {
            allocate();
        } catch (const std::bad_alloc&) {
            has_thrown = true;
        }
        is_null = ::operator new(1, std::nothrow) == nullptr;
    }
    CHECK(has_thrown);
    CHECK(is_null);
}

TEST_CASE("heap: a section runs the shrinkers, whose own allocations do not count" * skipped) {
    class cache final : public shrinker {
    public:
        void scan() override {
            allocate();
            ++scans;
        }
        int scans = 0;
    } one;
    memory zone;
    zone.add(one);
    zone.set({.reclaiming = {.percent = 100}});
    const heap_of heap(zone);
    static_cast<void>(current());
    {
        const heap_section counts;
        allocate();
    }
    CHECK(one.scans == 1);
}

TEST_CASE("heap: aligned objects are aligned, and threads without a lock are not affected") {
    struct alignas(256) wide {
        char bytes[300];
    };
    memory zone;
    zone.set({.failing = {.percent = 100}});
    const heap_of heap(zone);
    bool is_aligned = false;
    std::thread other([&] {
        const std::unique_ptr<wide> one = std::make_unique<wide>();
        is_aligned = reinterpret_cast<std::uintptr_t>(one.get()) % 256 == 0;
    });
    other.join();
    CHECK(is_aligned);
}

TEST_CASE("heap: under control each failure is explored" * skipped) {
    CHECK(explored<failing>().what == result::sound);
    CHECK(failing::seen == 0b111);
}

}  // namespace heap_test
