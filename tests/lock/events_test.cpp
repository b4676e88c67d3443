#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/wedge.hpp"

namespace {

/// Records every event of a task while it lives.
class recorder final : public wedge::sink {
public:
    recorder() : sink(wedge::reader::trace), before_(wedge::current().sink) {
        wedge::current().sink = this;
    }
    ~recorder() override { wedge::current().sink = before_; }

    void on(wedge::task&, const wedge::event& step) noexcept override {
        seen.emplace_back(row_of(step.kind).name);
        last = step;
    }

    std::vector<std::string> seen;
    wedge::event last;

private:
    wedge::sink* before_;
};

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("events: a blocking acquire is attempt, acquired; then released") {
    wedge::mutex lock("m");
    recorder heard;
    lock.lock();
    lock.unlock();
    CHECK(heard.seen == names{"attempt", "acquired", "released"});
}

TEST_CASE("events: a successful try is one event, and a failed try another") {
    wedge::mutex lock("m");
    recorder heard;
    REQUIRE(lock.try_lock());
    CHECK(!wedge::current().held.empty());
    std::thread([&] {
        recorder there;
        CHECK(!lock.try_lock());
        CHECK(there.seen == names{"try_failed"});
    }).join();
    lock.unlock();
    CHECK(heard.seen == names{"try_acquired", "released"});
}

TEST_CASE("events: scoped_lock of two locks makes one blocking acquire, hence no order edge") {
    wedge::mutex a("a");
    wedge::mutex b("b");
    recorder heard;
    { const std::scoped_lock both(a, b); }
    CHECK(std::count(heard.seen.begin(), heard.seen.end(), "attempt") == 1);
}

TEST_CASE("events: the second hold of a recursive mutex is no event") {
    wedge::recursive_mutex lock("r");
    recorder heard;
    lock.lock();
    lock.lock();
    lock.unlock();
    lock.unlock();
    CHECK(heard.seen == names{"attempt", "acquired", "released"});
}

TEST_CASE("events: annotations of an acquire travel with it") {
    wedge::mutex lock("m");
    wedge::mutex outer("outer");
    recorder heard;
    lock.lock(wedge::under{&outer.identity(), 3});
    CHECK(has(heard.last.with, wedge::flags::subclassed));
    CHECK(has(heard.last.with, wedge::flags::nest));
    CHECK(heard.last.subclass == 3);
    CHECK(heard.last.payload == outer.identity().instance());
    lock.unlock();
}

TEST_CASE("events: a wait is wait, released, attempt, acquired, wake") {
    wedge::mutex lock("m");
    wedge::condition changed("c");
    recorder heard;
    lock.lock();
    changed.wait_for(lock, std::chrono::milliseconds(1));
    lock.unlock();
    CHECK(heard.seen == names{"attempt", "acquired", "wait", "released", "attempt", "acquired",
                              "wake", "released"});
}

TEST_CASE("events: downgrading changes the mode that is held") {
    wedge::shared_mutex lock("s");
    lock.lock();
    recorder heard;
    lock.downgrade();
    CHECK(heard.seen == names{"downgraded"});
    CHECK(wedge::current().held[0].how == wedge::mode::shared);
    lock.unlock_shared();
}

TEST_CASE("events: a hook that takes a lock of wedge is not called for it") {
    struct locking final : wedge::sink {
        locking() : sink(wedge::reader::trace) {}
        void on(wedge::task&, const wedge::event&) noexcept override {
            ++calls;
            const wedge::guard held(own);
        }
        wedge::mutex own{"own"};
        int calls = 0;
    };
    locking hook;
    wedge::mutex lock("m");
    wedge::sink* const before = std::exchange(wedge::current().sink, &hook);
    lock.lock();
    lock.unlock();
    wedge::current().sink = before;
    CHECK(hook.calls == 3);
}
