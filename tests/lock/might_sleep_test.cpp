// Waits of C++ programs for other things than locks: a finding where the task must not sleep.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/contexts.hpp"
#include "wedge/lock/barrier.hpp"
#include "wedge/lock/completion.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/refcount.hpp"
#include "wedge/lock/semaphore.hpp"
#include "wedge/lock/seqlock.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/lock/timer.hpp"
#include "wedge/lock/wait_queue.hpp"
#include "wedge/lock/work.hpp"
#include "wedge/model/fence.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/order/checker.hpp"

namespace might_sleep_test {
namespace {

using wedge::context;
using wedge::finding_kind;

/// Listens to the running thread while it lives.
class watched {
public:
    watched() { wedge::current().sink = &order_; }
    ~watched() { wedge::current().sink = nullptr; }
    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;

    std::size_t wait_types() const {
        return static_cast<std::size_t>(
            std::ranges::count(order_.findings(), finding_kind::wait_type, &wedge::finding::kind));
    }
    std::string first() const { return order_.findings().empty() ? "" : order_.findings()[0].what; }

private:
    wedge::checker order_{wedge::evidence::classes};
};

/// Runs the wait where a task may sleep, and in every place where it must not.
///
/// @param is_lock  it takes a lock of its own as well, which is one more finding
template <class Wait>
void check(const char* what, Wait wait) {
    CAPTURE(what);
    {
        const watched here;
        wedge::mutex plain("might_sleep_test plain");
        const wedge::guard held(plain);
        wait();
        CHECK(here.wait_types() == 0);
    }
    const auto refuses = [&](auto enter) {
        const watched here;
        enter([&] { wait(); });
        CAPTURE(here.first());
        CHECK(here.wait_types() == 1);
    };
    refuses([](auto inside) {
        wedge::spinlock spin("might_sleep_test spin");
        const wedge::guard held(spin);
        inside();
    });
    refuses([](auto inside) {
        wedge::seqcount count("might_sleep_test count");
        count.write_begin();
        inside();
        count.write_end();
    });
    refuses([](auto inside) {
        const wedge::in_context irq(context::softirq);
        inside();
    });
    refuses([](auto inside) {
        wedge::irqs_off();
        inside();
        wedge::irqs_on();
    });
}

}  // namespace

TEST_CASE("waits: each is a finding where the task must not sleep") {
    wedge::completion done("might_sleep_test done");
    done.complete_all();
    check("a completion", [&] { done.wait(); });
    wedge::semaphore units(100, "might_sleep_test units");
    check("a semaphore", [&] { units.down(); });
    wedge::fence drawn("might_sleep_test fence");
    drawn.signal();
    check("a fence", [&] { drawn.wait(); });
    wedge::wait_queue queue("might_sleep_test queue");
    check("a wait queue", [&] { queue.wait([] { return true; }); });
    wedge::condition changed("might_sleep_test condition");
    check("a condition, timed", [&] {
        wedge::spinlock its("might_sleep_test lock of the condition");
        const wedge::guard held(its);
        changed.wait_for(its, std::chrono::nanoseconds(1));
    });
    wedge::work later([] {}, "might_sleep_test work");
    check("a work", [&] { later.flush(); });
    check("a work that is cancelled", [&] { later.cancel(); });
    wedge::irq_work soon([] {}, "might_sleep_test irq work");
    check("an irq work", [&] { soon.sync(); });
    check("the end of a thread", [] { wedge::thread([] {}).join(); });
    wedge::memory zone;
    check("memory", [&] { zone.alloc(1, wedge::gfp_kernel); });
    check("memory, perhaps", [&] { zone.might_alloc(wedge::gfp_nofs); });
    check("reclaim", [&] { zone.reclaim(); });
}

TEST_CASE("waits: what does not sleep may stand everywhere") {
    const watched here;
    wedge::completion done("might_sleep_test done");
    wedge::semaphore units(1, "might_sleep_test units");
    wedge::wait_queue queue("might_sleep_test queue");
    wedge::condition changed("might_sleep_test condition");
    wedge::memory zone;
    wedge::seqcount count("might_sleep_test count");
    wedge::seqlock clock("might_sleep_test clock");
    wedge::raw_spinlock raw("might_sleep_test raw");
    wedge::timer late([] {}, "might_sleep_test timer");
    const auto all = [&] {
        done.complete();
        CHECK(done.try_wait());
        CHECK(units.try_down());
        units.up();
        queue.wake_up_all();
        changed.notify_all();
        CHECK(zone.alloc(1, wedge::gfp_atomic));
        count.write_begin();
        count.write_end();
        CHECK(!count.read_retry(count.read_begin()));
        CHECK(!clock.read_retry(clock.read_begin()));
        late.stop();
    };
    {
        const wedge::guard held(raw);
        all();
    }
    {
        const wedge::in_context irq(context::hardirq);
        all();
    }
    {
        wedge::spinlock spin("might_sleep_test spin");
        const wedge::guard held(spin);
        all();
        late.stop_and_wait();  // it spins
        clock.write_lock();
        clock.write_unlock();
    }
    CAPTURE(here.first());
    CHECK(here.wait_types() == 0);
}

}  // namespace might_sleep_test
