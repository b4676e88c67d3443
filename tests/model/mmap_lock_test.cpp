#include "wedge/model/mmap_lock.hpp"

#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/lock/guard.hpp"
#include "wedge/model/reservation.hpp"

#include "support/explored.hpp"
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

TEST_CASE("mmap_lock: it is taken outside of reservations") {
    const watched all;
    mmap_lock mmap;
    ww_class of("dma_resv");
    reservation resv(of);
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

namespace {

/// A fault handler that waits for an object which another task holds while it copies from user
/// space. It waits as the protocol allows, or under the mmap lock.
template <bool drops>
struct faulting {
    mmap_lock mm;
    mutex object{"object"};
    unsigned passes = 0;

    fault_result handle(fault_flags how) WEDGE_NO_THREAD_SAFETY {
        ++passes;
        if (object.try_lock()) {
            object.unlock();
            return fault_result::done;
        }
        if (!is_first_pass(how) || !drops) {
            const guard held(object);
            return fault_result::done;
        }
        mm.unlock_shared();
        const guard held(object);
        return fault_result::retry;
    }
    void fault() {
        handle_fault(mm, fault_flags::allow_retry, [this](fault_flags how) { return handle(how); });
    }
    void change() { const guard held(mm); }
    static constexpr auto actions =
        wedge::actions(action<&faulting::fault>{"fault"}, action<&faulting::change>{"change"});
};

/// ioctl: copies from user space with the object held, or before.
template <bool under_lock>
struct copying : faulting<false> {
    void ioctl() {
        const auto copy = [this] {
            return user_copy(mm, [this] {
                return handle_fault(mm, fault_flags::none,
                                    [](fault_flags) { return fault_result::done; });
            });
        };
        if (!under_lock) copy();
        const guard held(object);
        if (under_lock) copy();
    }
    static constexpr auto actions =
        wedge::actions(action<&copying::fault>{"fault"}, action<&copying::ioctl>{"ioctl"},
                       action<&copying::change>{"change"});
};

}  // namespace

TEST_CASE("fault: the handler is called again after it dropped the lock, and only once") {
    mmap_lock mm;
    std::vector<bool> first;
    const auto retries = [&](fault_flags how) WEDGE_NO_THREAD_SAFETY {
        CHECK(!current().held.empty());
        first.push_back(is_first_pass(how));
        if (!first.back()) return fault_result::failed;
        mm.unlock_shared();
        return fault_result::retry;
    };
    CHECK(handle_fault(mm, fault_flags::allow_retry, retries) == fault_result::failed);
    CHECK(first == std::vector{true, false});
    CHECK(current().held.empty());
}

TEST_CASE("fault: a retry that must not wait keeps the lock, and the caller drops it") {
    const watched all;
    mmap_lock mm;
    const auto busy = [](fault_flags) { return fault_result::retry; };
    CHECK(handle_fault(mm, fault_flags::allow_retry | fault_flags::nowait, busy) ==
          fault_result::retry);
    CHECK(current().held.empty());
    CHECK(all.findings().empty());
}

TEST_CASE("fault: a handler that drops the lock and reports success is found") {
    const watched all;
    mmap_lock mm;
    handle_fault(mm, fault_flags::allow_retry, [&](fault_flags) WEDGE_NO_THREAD_SAFETY {
        mm.unlock_shared();
        return fault_result::done;
    });
    REQUIRE(all.findings().size() == 1);
    CHECK(all.findings()[0].kind == finding_kind::unlock_imbalance);
}

TEST_CASE("fault: a handler that asks for another pass without dropping the lock leaks it") {
    const watched all;
    mmap_lock mm;
    handle_fault(mm, fault_flags::allow_retry, [&](fault_flags how) {
        return is_first_pass(how) ? fault_result::retry : fault_result::done;
    });
    CHECK(all.findings().size() == 1);  // the second pass reads again what it reads already
    CHECK(current().held.size() == 1);
    mm.unlock_shared();
}

TEST_CASE("fault: a killed task handles nothing") {
    std::set<int> seen;
    mmap_lock mm;
    const auto body = [&] {
        bool ran = false;
        const fault_result got = handle_fault(mm, fault_flags::killable, [&](fault_flags) {
            ran = true;
            return fault_result::done;
        });
        seen.insert((ran ? 1 : 0) + (got == fault_result::killed ? 2 : 0));
    };
    const auto writer = [&] { const guard held(mm); };
    CHECK(explore({body, writer}).what == result::sound);
    CHECK(seen == std::set{1, 2});
}

TEST_CASE("user_copy: under a lock that the fault handler takes it deadlocks") {
    const outcome broken = explored_fully<copying<true>>();
    CHECK(broken.what == result::deadlock);
    const outcome repaired = explored_fully<copying<false>>();
    CHECK(repaired.what == result::sound);
    CHECK(explored_fully<faulting<false>>().what == result::sound);
}

TEST_CASE("user_copy: one task suffices to find it, and with page faults off nothing is found") {
    for (const bool is_off : {false, true}) {
        const watched all;
        mmap_lock mm;
        mutex object("object of copy");
        const guard held(object);
        const auto copy = [&] { return user_copy(mm, [] { return fault_result::failed; }); };
        if (is_off) {
            const pagefaults_off none;
            copy();
        } else {
            copy();
        }
        CHECK(all.has_edge("object of copy", "mmap_lock") == !is_off);
    }
}
