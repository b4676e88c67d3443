// Textbook mistakes. The portfolio finds each without a hint, and proves each repair sound.
#include <shared_mutex>

#include <doctest/doctest.h>

#include "wedge/model/fence.hpp"

#include "explore/workloads.hpp"

namespace classics_test {
using wedge::action;
using wedge::result;

namespace {

template <class W>
wedge::outcome tried(const char* program) {
    return wedge::explore<W>(wedge::parse_program(program));
}

template <class W>
void check_pair(const char* broken, const char* repaired, result expected = result::deadlock) {
    CAPTURE(broken);
    CHECK(tried<W>(broken).what == expected);
    CAPTURE(repaired);
    const wedge::outcome sound = tried<W>(repaired);
    CHECK(sound.what == result::sound);
    CHECK(sound.exhausted);
}

/// A buffer for one item. Producers and consumers share a condition, or have one each.
struct buffer {
    wedge::mutex lock{"lock"};
    wedge::condition not_empty{"not_empty"}, not_full{"not_full"};
    int items = 0;

    void put() {
        wedge::guard held(lock);
        not_full.wait(held, [&] { return items == 0; });
        ++items;
        not_empty.notify_one();
    }
    void take() {
        wedge::guard held(lock);
        not_empty.wait(held, [&] { return items != 0; });
        --items;
        not_full.notify_one();
    }
    void take_swapped() {
        wedge::guard held(lock);
        not_empty.wait(held, [&] { return items != 0; });
        --items;
        not_empty.notify_one();
    }
    void take_if() {
        wedge::guard held(lock);
        if (items == 0) not_empty.wait(held);
        if (--items < 0) throw std::logic_error("took what is not there");
    }
    void put_unseen() {
        {
            const wedge::guard held(lock);
            ++items;
        }
        not_empty.notify_one();
    }
    static constexpr auto actions = wedge::actions(
        action<&buffer::put>{"put"}, action<&buffer::take>{"take"},
        action<&buffer::take_swapped>{"take_swapped"}, action<&buffer::take_if>{"take_if"},
        action<&buffer::put_unseen>{"put_unseen"});
};

/// Waits for a condition of an inner monitor, which is called from an outer monitor.
struct nested_monitors {
    wedge::mutex outer{"outer"}, inner{"inner"};
    wedge::condition changed{"changed"};
    bool is_ready = false;

    void wait() {
        wedge::guard held(inner);
        changed.wait(held, [&] { return is_ready; });
    }
    void wait_inside() {
        const wedge::guard held(outer);
        wait();
    }
    void set_inside() {
        const wedge::guard held(outer);
        const wedge::guard within(inner);
        is_ready = true;
        changed.notify_all();
    }
    static constexpr auto actions =
        wedge::actions(action<&nested_monitors::wait>{"wait"},
                       action<&nested_monitors::wait_inside>{"wait_inside"},
                       action<&nested_monitors::set_inside>{"set_inside"});
};

struct semaphores {
    wedge::semaphore a{1, "a"}, b{1, "b"};
    void ab() {
        a.down();
        b.down();
        b.up();
        a.up();
    }
    void ba() {
        b.down();
        a.down();
        a.up();
        b.up();
    }
    static constexpr auto actions =
        wedge::actions(action<&semaphores::ab>{"ab"}, action<&semaphores::ba>{"ba"});
};

/// Philosophers with as many seats as forks, or with one seat fewer.
template <std::uint32_t Seats>
struct seated : workloads::table<3> {
    wedge::semaphore seats{Seats, "seats"};
    void sit(std::uint32_t who) {
        seats.down();
        eat(who);
        seats.up();
    }
    static constexpr auto actions = wedge::actions(action<&seated::sit>{"sit"});
};

struct readers_writers {
    wedge::shared_mutex lock{"lock"};
    wedge::checked<std::shared_mutex> recursive{
        wedge::lock_class("recursive reads", {.reads_nest = true})};
    int value = 0;

    void upgrade() {
        const wedge::shared_guard reading(recursive);
        const wedge::guard writing(recursive);
    }
    void downgrade() {
        lock.lock();
        ++value;
        lock.downgrade();
        lock.unlock_shared();
    }
    void read_twice() {
        const wedge::shared_guard first(lock);
        const wedge::shared_guard again(lock);
    }
    void read_recursively() {
        const wedge::shared_guard first(recursive);
        const wedge::shared_guard again(recursive);
    }
    void write() { const wedge::guard held(lock); }
    void write_recursive() { const wedge::guard held(recursive); }
    static constexpr auto actions =
        wedge::actions(action<&readers_writers::upgrade>{"upgrade"},
                       action<&readers_writers::downgrade>{"downgrade"},
                       action<&readers_writers::read_twice>{"read_twice"},
                       action<&readers_writers::read_recursively>{"read_recursively"},
                       action<&readers_writers::write>{"write"},
                       action<&readers_writers::write_recursive>{"write_recursive"});
};

/// Backs off from a ww mutex while it holds a plain mutex, which the back-off does not release.
struct ticket_and_mutex {
    wedge::ww_class resv{"resv"};
    wedge::ww_mutex bo{resv};
    wedge::mutex foreign{"foreign"};

    void bo_first() {
        static_cast<void>(wedge::transaction(resv, [&](wedge::ww_ticket& ticket) {
            const wedge::ww_result got = bo.lock(ticket);
            if (got == wedge::ww_result::ok) const wedge::guard held(foreign);
            return got;
        }));
    }
    void foreign_first() {
        const wedge::guard held(foreign);
        bo.lock();
        bo.unlock();
    }
    static constexpr auto actions =
        wedge::actions(action<&ticket_and_mutex::bo_first>{"bo_first"},
                       action<&ticket_and_mutex::foreign_first>{"foreign_first"});
};

struct fenced {
    wedge::mutex resv{"resv"};
    wedge::fence done{"done"};

    void wait() { done.wait(); }
    void wait_under_lock() {
        const wedge::guard held(resv);
        done.wait();
    }
    void wait_a_while() {
        const wedge::guard held(resv);
        done.wait_for(std::chrono::milliseconds(1));
    }
    void signal() {
        const wedge::guard held(resv);
        done.signal();
    }
    static constexpr auto actions = wedge::actions(
        action<&fenced::wait>{"wait"}, action<&fenced::wait_under_lock>{"wait_under_lock"},
        action<&fenced::wait_a_while>{"wait_a_while"}, action<&fenced::signal>{"signal"});
};

/// Forgets to complete on the path where an allocation fails.
struct failing_path {
    wedge::completion done{"done"};
    void wait() { done.wait(); }
    void forget() {
        if (wedge::choose(2, "the allocation fails") == 0) done.complete();
    }
    void remember() {
        static_cast<void>(wedge::choose(2, "the allocation fails"));
        done.complete();
    }
    static constexpr auto actions =
        wedge::actions(action<&failing_path::wait>{"wait"}, action<&failing_path::forget>{"forget"},
                       action<&failing_path::remember>{"remember"});
};

/// Two tasks exclude each other by flags alone. Each tries once, so that every execution ends.
struct flags {
    wedge::atomic<bool> wants[2]{false, false};
    wedge::atomic<int> turn{0};
    wedge::atomic<int> inside{0};

    void enter() {
        if (inside.load() != 0) throw std::logic_error("two are inside");
        inside.store(1);
        inside.store(0);
    }
    void look_then_claim(std::uint32_t me) {
        if (wants[1 - me]) return;
        wants[me] = true;
        enter();
        wants[me] = false;
    }
    void claim_then_look(std::uint32_t me) {
        wants[me] = true;
        if (!wants[1 - me]) enter();
        wants[me] = false;
    }
    /// Peterson's algorithm. Waits for at most one turn.
    void peterson(std::uint32_t me) {
        wants[me] = true;
        turn = static_cast<int>(1 - me);
        if (!wants[1 - me] || turn == static_cast<int>(me)) enter();
        wants[me] = false;
    }
    static constexpr auto actions = wedge::actions(
        action<&flags::look_then_claim>{"look_then_claim"},
        action<&flags::claim_then_look>{"claim_then_look"}, action<&flags::peterson>{"peterson"});
};

/// An object that the first task to use it makes.
struct lazily_made {
    wedge::mutex lock{"lock"};
    wedge::atomic<bool> is_made{false};
    int made = 0;

    void make() {
        if (++made > 1) throw std::logic_error("made twice");
        is_made = true;
    }
    void check_once() {
        if (is_made) return;
        const wedge::guard held(lock);
        make();
    }
    void check_twice() {
        if (is_made) return;
        const wedge::guard held(lock);
        if (!is_made) make();
    }
    static constexpr auto actions =
        wedge::actions(action<&lazily_made::check_once>{"check_once"},
                       action<&lazily_made::check_twice>{"check_twice"});
};

/// Two work items, each of which may wait for the other.
template <bool BothWays>
struct works {
    wedge::work first{[this] { second.flush(); }, "first"};
    wedge::work second{[this] {
                           if (BothWays) first.flush();
                       },
                       "second"};
    void queue_both() {
        second.queue();
        first.queue();
    }
    static constexpr auto actions = wedge::actions(action<&works::queue_both>{"queue_both"});
};

}  // namespace

TEST_CASE("classics: conditions") {
    check_pair<buffer>("put, put | take_swapped | take", "put, put | take | take");
    check_pair<buffer>("take_if | take_if | put_unseen, put_unseen",
                       "take | take | put_unseen, put_unseen", result::exception);
    check_pair<nested_monitors>("wait_inside | set_inside", "wait | set_inside");
}

TEST_CASE("classics: semaphores") {
    check_pair<semaphores>("ab | ba", "ab | ab");
    CHECK(tried<seated<3>>("sit | sit(1) | sit(2)").what == result::deadlock);
}

TEST_CASE("classics: readers and writers") {
    check_pair<readers_writers>("upgrade | upgrade", "downgrade | downgrade");
    check_pair<readers_writers>("read_twice | write", "read_recursively | write_recursive");
}

TEST_CASE("classics: tickets and fences") {
    check_pair<ticket_and_mutex>("bo_first | foreign_first", "bo_first | bo_first");
    check_pair<fenced>("wait_under_lock | signal", "wait | signal");
    check_pair<fenced>("wait", "wait_a_while | signal");
    check_pair<failing_path>("wait | forget", "wait | remember");
}

TEST_CASE("classics: memory") {
    check_pair<flags>("look_then_claim | look_then_claim(1)",
                      "claim_then_look | claim_then_look(1)", result::exception);
    CHECK(tried<flags>("peterson | peterson(1)").what == result::sound);
    check_pair<lazily_made>("check_once | check_once", "check_twice | check_twice",
                            result::exception);
}

TEST_CASE("classics: works that wait for each other") {
    CHECK(tried<works<true>>("queue_both").what == result::deadlock);
    const wedge::outcome one_way = tried<works<false>>("queue_both");
    CHECK(one_way.what == result::sound);
}

}  // namespace classics_test
