#include "wedge/lock/seqlock.hpp"

#include <stdexcept>

#include <doctest/doctest.h>

#include "wedge/core/contexts.hpp"

#include "lock/both.hpp"
#include "support/explored.hpp"
#include "support/watched.hpp"

namespace seqlock_test {

using wedge::finding_kind;
using wedge::result;

TEST_CASE("seqlock: natively readers see both halves of a change or none") {
    wedge::seqlock both("both");
    std::atomic<int> left{0};
    std::atomic<int> right{0};
    bool is_torn = false;
    const auto write = [&] {
        for (int i = 0; i < 1000; ++i) {
            both.write_lock();
            ++left;
            ++right;
            both.write_unlock();
        }
    };
    both::natively({write, write, [&] {
                        for (int i = 0; i < 1000; ++i) {
                            std::uint32_t seen = 0;
                            int l = 0;
                            int r = 0;
                            do {
                                seen = both.read_begin();
                                l = left;
                                r = right;
                            } while (both.read_retry(seen));
                            is_torn = is_torn || l != r;
                        }
                    }});
    CHECK(!is_torn);
    CHECK(left == 2000);
}

namespace {

/// A pair of numbers that are equal outside of a writer's section.
template <bool Retries>
struct pair {
    wedge::seqlock lock{"pair"};
    wedge::atomic<int> left{0, "left"};
    wedge::atomic<int> right{0, "right"};

    void write() {
        lock.write_lock();
        left.fetch_add(1);
        right.fetch_add(1);
        lock.write_unlock();
    }
    void read() {
        for (;;) {
            const std::uint32_t seen = lock.read_begin();
            const int l = left;
            const int r = right;
            if (Retries && lock.read_retry(seen)) continue;
            if (l != r) throw std::logic_error("torn");
            return;
        }
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&pair::write>{"write"}, wedge::action<&pair::read>{"read"});
};

}  // namespace

TEST_CASE("seqlock: a reader that does not read again sees half of a change") {
    CHECK(explored_fully<pair<true>>("write | read").what == result::sound);
    CHECK(explored_fully<pair<false>>("write | read").what == result::exception);
}

TEST_CASE("seqlock: a reader that holds a lock of the writer's section hangs") {
    wedge::mutex other("other");
    wedge::seqcount count("count");
    for (const bool is_inside : {true, false}) {
        const auto write = [&] {
            if (!is_inside) other.lock();
            count.write_begin();
            if (is_inside) other.lock();
            if (is_inside) other.unlock();
            count.write_end();
            if (!is_inside) other.unlock();
        };
        const auto read = [&] {
            const wedge::guard held(other);
            static_cast<void>(count.read_begin());
        };
        const wedge::outcome got = both::controlled({write, read});
        CHECK(got.what == (is_inside ? result::deadlock : result::sound));
        // The mutex sleeps, and the section is one of a spinning kind.
        if (!is_inside) CHECK(got.findings.empty());
    }
}

TEST_CASE("seqlock: a reader that comes in the middle of its own writer's section spins forever") {
    wedge::seqcount count("count");
    wedge::seqcount untouched("count");  // each execution that hangs leaves the other in a section
    const auto read_in_interrupt = [](wedge::seqcount& of) {
        const wedge::in_context timer(wedge::context::softirq);
        static_cast<void>(of.read_begin());
    };
    const wedge::outcome stuck = both::controlled({[&] {
        count.write_begin();
        read_in_interrupt(count);
        count.write_end();
    }});
    CHECK(stuck.what == result::deadlock);
    const wedge::outcome repaired = both::controlled({[&] {
        wedge::bh_off();  // the interrupt comes after the section
        untouched.write_begin();
        untouched.write_end();
        wedge::bh_on();
        read_in_interrupt(untouched);
    }});
    CHECK(repaired.what == result::sound);
}

TEST_CASE("seqlock: the checker sees a reader in an interrupt that the writer does not keep out") {
    for (const bool are_off : {true, false}) {
        wedge::seqcount count("count");
        watched here;
        if (are_off) wedge::irqs_off();
        count.write_begin();
        count.write_end();
        if (are_off) wedge::irqs_on();
        {
            const wedge::in_context interrupt(wedge::context::softirq);
            static_cast<void>(count.read_begin());
        }
        CHECK(here.findings().size() == (are_off ? 0U : 1U));
        if (!are_off) CHECK(here.findings()[0].kind == finding_kind::inconsistent_context);
    }
}

TEST_CASE("seqlock: a writer in an interrupt may come on top of a reader") {
    wedge::seqcount count("count");
    const watched here;
    static_cast<void>(count.read_begin());
    {
        const wedge::in_context interrupt(wedge::context::softirq);
        count.write_begin();
        count.write_end();
    }
    static_cast<void>(count.read_begin());
    CHECK(here.findings().empty());
}

}  // namespace seqlock_test
