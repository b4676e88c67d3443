#include "wedge/model/job_fence.hpp"

#include <thread>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/model/memory.hpp"

#include "support/watched.hpp"

using namespace wedge;

namespace {

class counting final : public fence_callback {
public:
    void signalled() override { ++calls; }
    int calls = 0;
};

/// A callback that takes a lock which tasks hold too (Linux: drm_sched's job_list_lock).
class locking final : public fence_callback {
public:
    explicit locking(spinlock& jobs) : jobs_(jobs) {}
    void signalled() override { const guard held(jobs_); }

private:
    spinlock& jobs_;
};

/// A driver that removes its callback, under the lock that the callback takes or without it.
template <bool is_under_lock>
struct removing {
    signalling_map map;
    job_fence done{map};
    spinlock jobs{"job_list_lock"};
    locking callback{jobs};
    removing() { done.add(callback); }
    void signal() { done.signal(); }
    void remove() {
        if (is_under_lock) {
            const irq_guard held(jobs);
            done.remove(callback);
        } else {
            done.remove(callback);
            const irq_guard held(jobs);
        }
    }
    static constexpr auto actions =
        wedge::actions(action<&removing::signal>{"signal"}, action<&removing::remove>{"remove"});
};

}  // namespace

TEST_CASE("job_fence: callbacks are called once, when it is signalled") {
    signalling_map map;
    job_fence done(map);
    counting first;
    counting gone;
    CHECK(done.add(first));
    CHECK(done.add(gone));
    CHECK(done.remove(gone));
    CHECK(!done.is_signalled());
    done.signal();
    done.signal();
    CHECK(done.is_signalled());
    CHECK(first.calls == 1);
    CHECK(gone.calls == 0);
    CHECK(!done.add(gone));
    CHECK(!done.remove(first));
    done.wait();
}

TEST_CASE("job_fence: a waiter goes on when another thread signals") {
    signalling_map map;
    job_fence done(map);
    std::thread device([&] { done.signal(); });
    done.wait();
    device.join();
}

TEST_CASE("job_fence: callbacks run in interrupt context, under the fence's lock") {
    const watched all;
    signalling_map map;
    job_fence done(map);
    spinlock jobs("jobs of callback");
    locking callback(jobs);
    done.add(callback);
    done.signal();
    CHECK(all.has_edge("fence.lock", "jobs of callback"));
    CHECK(all.findings().empty());
    const guard with_interrupts_on(jobs);  // the callback may interrupt this
    REQUIRE(!all.findings().empty());
    CHECK(all.findings()[0].kind == finding_kind::inconsistent_context);
}

TEST_CASE("job_fence: a callback that sleeps is found") {
    const watched all;
    class sleeping final : public fence_callback {
    public:
        void signalled() override { const guard held(lock_); }

    private:
        mutex lock_{"slept for in a callback"};
    } callback;
    signalling_map map;
    job_fence done(map);
    done.add(callback);
    done.signal();
    REQUIRE(!all.findings().empty());
    CHECK(all.findings()[0].kind == finding_kind::wait_type);
}

TEST_CASE("job_fence: waiting within the signalling section, and under a lock that it needs") {
    for (const bool is_broken : {true, false}) {
        const watched all;
        signalling_map map;
        job_fence done(map);
        mutex gpu("gpu.lock");
        done.signal();
        {
            const signalling_section promise(map);
            const guard held(gpu);
        }
        if (is_broken) {
            const guard held(gpu);
            done.wait();
        } else {
            done.wait();
        }
        CHECK(all.findings().size() == (is_broken ? 1 : 0));
    }
}

TEST_CASE("job_fence: a task that allocates before it signals waits for itself, even without FS") {
    for (const gfp flags : {gfp_kernel, gfp_noio | gfp::noretry, gfp_nowait, gfp_atomic}) {
        const watched all;
        memory zone;
        signalling_map map;
        job_fence done(map);
        done.signal();
        {
            const reclaim_order::notifier_section callback(zone.order(), site::current());
            done.wait();
        }
        const signalling_section promise(map);
        zone.might_alloc(flags);
        CHECK(all.findings().empty() == !has(flags, gfp::direct_reclaim));
    }
}

TEST_CASE("job_fence: removing a callback under the lock that it takes deadlocks") {
    using broken = removing<true>;
    using repaired = removing<false>;
    CHECK(explore<broken>(default_program<broken>()).what == result::deadlock);
    CHECK(explore<repaired>(default_program<repaired>()).what == result::sound);
}
