#include "wedge/model/mmap_lock.hpp"

#include <thread>

#include <doctest/doctest.h>

#include "wedge/explore/explore.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/model/reservation.hpp"

#include "support/watched.hpp"

using namespace wedge;

namespace {

/// A fault that takes the lock again while it copies to user memory.
struct nested_fault {
    mmap_lock mmap;
    void fault() WEDGE_NO_THREAD_SAFETY {  // clang sees the mistake too
        const shared_guard outer(mmap);
        const shared_guard inner(mmap);
    }
    void map() { const guard held(mmap); }
    static constexpr auto actions =
        wedge::actions(action<&nested_fault::fault>{"fault"}, action<&nested_fault::map>{"map"});
};

}  // namespace

TEST_CASE("mmap_lock: readers share it, and a writer excludes them") {
    mmap_lock mmap;
    const auto reads = [&] {
        if (!mmap.try_lock_shared()) return false;
        mmap.unlock_shared();
        return true;
    };
    const auto read_elsewhere = [&] {
        bool is_read = false;
        std::thread([&] { is_read = reads(); }).join();
        return is_read;
    };
    {
        const shared_guard held(mmap);
        CHECK(read_elsewhere());
    }
    const guard held(mmap);
    CHECK(!read_elsewhere());
}

TEST_CASE("mmap_lock: a second read hangs behind a queued writer") {
    const outcome done = explore<nested_fault>(default_program<nested_fault>());
    CHECK(done.what == result::deadlock);
    CHECK(explore<nested_fault>({{{"fault", 0}}, {{"fault", 0}}}).what == result::sound);
}

TEST_CASE("mmap_lock: it is outside of reservations") {
    const watched all;
    mmap_lock mmap;
    reservation resv;
    {
        const shared_guard mm(mmap);
        const guard held(resv);
    }
    CHECK(all.findings().empty());
    {
        const guard held(resv);
        const shared_guard mm(mmap);
    }
    REQUIRE(all.findings().size() == 1);
    CHECK(all.findings()[0].kind == finding_kind::circular);
}
