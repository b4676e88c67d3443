// Ways to hang, each with its repair. The portfolio finds each hang without a hint. It proves the
// repair sound, or finds nothing in it.
#include <shared_mutex>

#include <doctest/doctest.h>

#include "wedge/core/sanitizer.hpp"
#include "wedge/model/fence.hpp"

#include "explore/workloads.hpp"

namespace hangs_test {
using wedge::action;
using wedge::result;

namespace {

template <class W>
wedge::outcome tried(const char* program, wedge::explore_options options) {
    return wedge::explore<W>(wedge::parse_program(program), options);
}

/// @param options  for the broken workload; a repair with an endless loop cannot be exhausted
template <class W>
void check_pair(const char* broken, const char* repaired, result expected = result::deadlock,
                wedge::explore_options options = {.executions_max = 1000, .steps_max = 1000}) {
    CAPTURE(broken);
    const wedge::outcome bad = tried<W>(broken, options);
    CHECK(name_of(bad.what) == std::string(name_of(expected)));
    CAPTURE(repaired);
    const wedge::outcome good = tried<W>(repaired, options);
    const bool is_clean =
        good.what == result::sound || (good.what == result::unresolved && good.findings.empty());
    CHECK(is_clean);
}

struct meeting {
    wedge::barrier two{2, "two"}, three{3, "three"};
    wedge::latch once{2, "once"};
    wedge::completion first{"first"}, second{"second"};

    void meet_two() { two.arrive_and_wait(); }
    void meet_three() { three.arrive_and_wait(); }
    void meet_twice() {
        two.arrive_and_wait();
        two.arrive_and_wait();
    }
    void count_down() { once.count_down(); }
    void wait_latch() { once.wait(); }
    void wait_a_while() { once.wait_for(std::chrono::milliseconds(1)); }
    void first_then_complete() {
        first.wait();
        second.complete();
    }
    void second_then_complete() {
        second.wait();
        first.complete();
    }
    void complete_then_second() {
        first.complete();
        second.wait();
    }
    static constexpr auto actions = wedge::actions(
        action<&meeting::meet_two>{"meet_two"}, action<&meeting::meet_three>{"meet_three"},
        action<&meeting::meet_twice>{"meet_twice"}, action<&meeting::count_down>{"count_down"},
        action<&meeting::wait_latch>{"wait_latch"}, action<&meeting::wait_a_while>{"wait_a_while"},
        action<&meeting::first_then_complete>{"first_then_complete"},
        action<&meeting::second_then_complete>{"second_then_complete"},
        action<&meeting::complete_then_second>{"complete_then_second"});
};

/// Reads a flag outside of the lock before a wait. Notifies without the lock.
struct sleeper {
    wedge::mutex lock{"lock"};
    wedge::condition changed{"changed"}, other{"other"};
    wedge::atomic<bool> is_ready{false};
    int waiting = 0;

    void check_then_wait() {
        if (is_ready) return;
        wedge::guard held(lock);
        changed.wait(held);
    }
    void wait() {
        wedge::guard held(lock);
        changed.wait(held, [&] { return is_ready.load(); });
    }
    void set_and_notify() {
        const wedge::guard held(lock);
        is_ready = true;
        changed.notify_all();
    }
    void set_unseen() {
        is_ready = true;
        changed.notify_one();
    }
    void set_and_notify_other() {
        const wedge::guard held(lock);
        is_ready = true;
        other.notify_all();
    }
    void set_and_notify_one() {
        const wedge::guard held(lock);
        is_ready = true;
        changed.notify_one();
    }
    static constexpr auto actions = wedge::actions(
        action<&sleeper::check_then_wait>{"check_then_wait"}, action<&sleeper::wait>{"wait"},
        action<&sleeper::set_and_notify>{"set_and_notify"},
        action<&sleeper::set_unseen>{"set_unseen"},
        action<&sleeper::set_and_notify_other>{"set_and_notify_other"},
        action<&sleeper::set_and_notify_one>{"set_and_notify_one"});
};

/// A semaphore used as a mutex, with acquire and release swapped on one path. A second semaphore
/// is nested with a mutex.
struct counted {
    wedge::semaphore one{1, "one"}, items{0, "items"}, room{1, "room"};
    wedge::mutex lock{"lock"};
    wedge::atomic<int> inside{0};

    void enter() {
        one.down();
        if (inside.fetch_add(1) != 0) throw std::logic_error("two are inside");
        inside.fetch_sub(1);
        one.up();
    }
    void enter_inverted() {
        one.up();
        one.down();
    }
    void forget() { one.down(); }
    void put() {
        room.down();
        const wedge::guard held(lock);
        items.up();
    }
    void take() {
        items.down();
        const wedge::guard held(lock);
        room.up();
    }
    void take_inside() {
        const wedge::guard held(lock);
        items.down();
        room.up();
    }
    static constexpr auto actions = wedge::actions(
        action<&counted::enter>{"enter"}, action<&counted::enter_inverted>{"enter_inverted"},
        action<&counted::forget>{"forget"}, action<&counted::put>{"put"},
        action<&counted::take>{"take"}, action<&counted::take_inside>{"take_inside"});
};

/// Work items that wait for themselves, for each other, or for a lock whose holder waits for them.
struct worker {
    wedge::mutex lock{"lock"};
    wedge::work locking{[this] { const wedge::guard held(lock); }, "locking"};
    int rounds = 0;
    wedge::work again{[this] {
                          const wedge::guard held(lock);
                          if (++rounds == 1) again.queue();
                      },
                      "again"};
    wedge::work waits_for_itself{[this] { waits_for_itself.flush(); }, "waits_for_itself"};

    void flush_under_lock() {
        locking.queue();
        const wedge::guard held(lock);
        locking.flush();
    }
    void flush() {
        locking.queue();
        locking.flush();
        const wedge::guard held(lock);
    }
    void cancel_under_lock() {
        again.queue();
        const wedge::guard held(lock);
        again.cancel();
    }
    void cancel() {
        again.queue();
        again.cancel();
    }
    void flush_itself() { waits_for_itself.queue(); }
    static constexpr auto actions = wedge::actions(
        action<&worker::flush_under_lock>{"flush_under_lock"}, action<&worker::flush>{"flush"},
        action<&worker::cancel_under_lock>{"cancel_under_lock"}, action<&worker::cancel>{"cancel"},
        action<&worker::flush_itself>{"flush_itself"});
};

/// Falls back when a timed lock fails. The broken fallback waits for a third lock.
struct fallback {
    wedge::timed_mutex a{"a"}, b{"b"};
    wedge::mutex spare{"spare"};

    void ab() {
        const wedge::guard first(a);
        const wedge::guard second(b);
    }
    void ab_and_spare() {
        const wedge::guard first(spare);
        ab();
    }
    void ba_or_spare_holding() {
        const wedge::guard first(b);
        if (a.try_lock_for(std::chrono::milliseconds(1)))
            a.unlock();
        else
            const wedge::guard instead(spare);
    }
    void ba_or_spare() {
        {
            const wedge::guard first(b);
            if (a.try_lock_for(std::chrono::milliseconds(1))) return a.unlock();
        }
        const wedge::guard instead(spare);
    }
    static constexpr auto actions =
        wedge::actions(action<&fallback::ab>{"ab"}, action<&fallback::ab_and_spare>{"ab_and_spare"},
                       action<&fallback::ba_or_spare_holding>{"ba_or_spare_holding"},
                       action<&fallback::ba_or_spare>{"ba_or_spare"});
};

/// Takes ww mutexes without a back-off where wound/wait demands one.
template <wedge::ww_algorithm How>
struct tickets {
    wedge::ww_class resv{"resv", How};
    wedge::ww_mutex a{resv}, b{resv};
    wedge::ww_mutex& at(std::uint32_t which) { return which == 0 ? a : b; }

    void stubborn(std::uint32_t first) {
        wedge::ww_ticket ticket(resv);
        static_cast<void>(at(first).lock(ticket));
        if (at(1 - first).lock(ticket) == wedge::ww_result::back_off)
            at(1 - first).lock_slow(ticket);
        ticket.unlock_all();
    }
    /// Begins a new ticket on each retry, so that it stays the youngest, and never gives up.
    void reborn(std::uint32_t first) {
        for (;;) {
            wedge::ww_ticket ticket(resv);
            if (at(first).lock(ticket) == wedge::ww_result::ok &&
                at(1 - first).lock(ticket) == wedge::ww_result::ok)
                return ticket.unlock_all();
            ticket.unlock_all();
        }
    }
    void move(std::uint32_t first) {
        static_cast<void>(wedge::transaction(resv, [&](wedge::ww_ticket& ticket) {
            const wedge::ww_result got = at(first).lock(ticket);
            return got == wedge::ww_result::back_off ? got : at(1 - first).lock(ticket);
        }));
    }
    static constexpr auto actions =
        wedge::actions(action<&tickets::stubborn>{"stubborn"}, action<&tickets::reborn>{"reborn"},
                       action<&tickets::move>{"move"});
};

/// Hidden recursive reads: through a callback, behind a writer, in a chain of three tasks.
struct read_chain {
    wedge::shared_mutex a{"a"}, b{"b"}, c{"c"};
    // The class allows nested readers, which the standard's rule would report.
    wedge::checked<std::shared_mutex> native{
        wedge::lock_class("native with nested reads", {.reads_nest = true})};

    template <class Lock>
    void with_callback(Lock& lock) {
        const wedge::shared_guard held(lock);
        const auto callback = [&] { const wedge::shared_guard again(lock); };
        callback();
    }
    void call_back() { with_callback(a); }
    void call_back_native() { with_callback(native); }
    void write_a() { const wedge::guard held(a); }
    void write_b() { const wedge::guard held(b); }
    void write_c() { const wedge::guard held(c); }
    void write_native() { const wedge::guard held(native); }
    void read(wedge::shared_mutex& first, wedge::shared_mutex& second) {
        const wedge::shared_guard one(first);
        const wedge::shared_guard two(second);
    }
    void ab() { read(a, b); }
    void bc() { read(b, c); }
    void ca() { read(c, a); }
    void ac() { read(a, c); }
    static constexpr auto actions = wedge::actions(
        action<&read_chain::call_back>{"call_back"},
        action<&read_chain::call_back_native>{"call_back_native"},
        action<&read_chain::write_a>{"write_a"}, action<&read_chain::write_b>{"write_b"},
        action<&read_chain::write_c>{"write_c"}, action<&read_chain::write_native>{"write_native"},
        action<&read_chain::ab>{"ab"}, action<&read_chain::bc>{"bc"}, action<&read_chain::ca>{"ca"},
        action<&read_chain::ac>{"ac"});
};

/// Threads that wait for the task that joins them.
struct family {
    wedge::mutex lock{"lock"};
    wedge::completion go{"go"};

    void join_before_go() {
        wedge::thread child([this] { go.wait(); });
        child.join();
        go.complete();
    }
    void go_before_join() {
        wedge::thread child([this] { go.wait(); });
        go.complete();
        child.join();
    }
    void join_grandchild_under_lock() {
        wedge::thread child([this] {
            wedge::thread grandchild([this] { const wedge::guard held(lock); });
            grandchild.join();
        });
        const wedge::guard held(lock);
        child.join();
    }
    void join_grandchild() {
        wedge::thread child([this] {
            wedge::thread grandchild([this] { const wedge::guard held(lock); });
            grandchild.join();
        });
        { const wedge::guard held(lock); }
        child.join();
    }
    static constexpr auto actions =
        wedge::actions(action<&family::join_before_go>{"join_before_go"},
                       action<&family::go_before_join>{"go_before_join"},
                       action<&family::join_grandchild_under_lock>{"join_grandchild_under_lock"},
                       action<&family::join_grandchild>{"join_grandchild"});
};

/// Each fence is signalled after a wait for the next fence.
struct fences {
    wedge::fence one{"one"}, two{"two"}, three{"three"};

    void pass(wedge::fence& wait_for, wedge::fence& then) {
        wait_for.wait();
        then.signal();
    }
    void one_two() { pass(one, two); }
    void two_three() { pass(two, three); }
    void three_one() { pass(three, one); }
    void begin() { one.signal(); }
    static constexpr auto actions =
        wedge::actions(action<&fences::one_two>{"one_two"}, action<&fences::two_three>{"two_three"},
                       action<&fences::three_one>{"three_one"}, action<&fences::begin>{"begin"});
};

/// Two tasks that give way to each other forever: by flags, and at the request of a third task.
struct polite {
    wedge::atomic<bool> wants[2]{false, false};
    wedge::atomic<int> turn{0};

    void after_you(std::uint32_t me) {
        wants[me] = true;
        while (wants[1 - me]) {
        }
        wants[me] = false;
    }
    void peterson(std::uint32_t me) {
        wants[me] = true;
        turn = static_cast<int>(1 - me);
        while (wants[1 - me] && turn != static_cast<int>(me)) {
        }
        wants[me] = false;
    }
    static constexpr auto actions = wedge::actions(action<&polite::after_you>{"after_you"},
                                                   action<&polite::peterson>{"peterson"});
};

/// A task that holds a spinlock with interrupts on, while the interrupt takes that spinlock.
struct interrupted {
    wedge::spinlock lock{"lock"};

    void handle() {
        const wedge::in_context handler(wedge::context::softirq);
        const wedge::guard held(lock);
    }
    void hold_open() {
        const wedge::guard held(lock);
        if (wedge::choose(2, "the interrupt comes") != 0) handle();
    }
    void hold_closed() {
        wedge::bh_off();
        { const wedge::guard held(lock); }
        wedge::bh_on();
    }
    static constexpr auto actions = wedge::actions(action<&interrupted::hold_open>{"hold_open"},
                                                   action<&interrupted::hold_closed>{"hold_closed"},
                                                   action<&interrupted::handle>{"handle"});
};

}  // namespace

TEST_CASE("hangs: late inversions, many forks") {
    using workloads::gated_abba;
    using workloads::staggered_abba;
    check_pair<staggered_abba>("ab | late(1)", "ab | late");
    check_pair<gated_abba>("ab | open | maybe_ba", "ab | maybe_ba");
    check_pair<workloads::table<5>>("eat | eat(1) | eat(2) | eat(3) | eat(4)",
                                    "eat_in_order | eat_in_order(1) | eat_in_order(2) | "
                                    "eat_in_order(3) | eat_in_order(4)");
}

TEST_CASE("hangs: waits for a number or an event that never comes") {
    check_pair<meeting>("meet_three | meet_three", "meet_two | meet_two");
    check_pair<meeting>("meet_twice | meet_two", "meet_twice | meet_twice");
    check_pair<meeting>("wait_latch | count_down", "wait_latch | count_down | count_down");
    check_pair<meeting>("wait_latch | count_down", "wait_a_while | count_down");
    check_pair<meeting>("first_then_complete | second_then_complete",
                        "first_then_complete | complete_then_second");
    check_pair<fences>("one_two | two_three | three_one", "one_two | two_three | begin");
}

TEST_CASE("hangs: lost and missed notifications") {
    using workloads::hand_over;
    check_pair<hand_over>("wait_blindly | set", "wait | set");
    check_pair<sleeper>("check_then_wait | set_and_notify", "wait | set_and_notify");
    check_pair<sleeper>("wait | set_unseen", "wait | set_and_notify");
    check_pair<sleeper>("wait | set_and_notify_other", "wait | set_and_notify");
    check_pair<sleeper>("wait | wait | set_and_notify_one", "wait | wait | set_and_notify");
}

TEST_CASE("hangs: semaphores") {
    check_pair<counted>("enter | enter | enter_inverted", "enter | enter", result::exception);
    check_pair<counted>("enter | forget", "enter | enter");
    check_pair<counted>("put, put | take_inside, take_inside", "put, put | take, take");
}

TEST_CASE("hangs: works and threads") {
    check_pair<worker>("flush_under_lock", "flush");
    check_pair<worker>("cancel_under_lock", "cancel");
    check_pair<worker>("flush_itself", "flush");
    check_pair<workloads::parent>("bad", "good");
    check_pair<family>("join_before_go", "go_before_join");
    check_pair<family>("join_grandchild_under_lock", "join_grandchild");
}

TEST_CASE("hangs: a fallback that waits for what the other task holds") {
    check_pair<fallback>("ab_and_spare | ba_or_spare_holding", "ab | ba_or_spare");
}

TEST_CASE("hangs: tickets that do not give way, or never grow old") {
    using wound_wait = tickets<wedge::ww_algorithm::wound_wait>;
    using wait_die = tickets<wedge::ww_algorithm::wait_die>;
    check_pair<wound_wait>("stubborn | stubborn(1)", "move | move(1)");
    check_pair<wait_die>("stubborn | stubborn(1)", "move | move(1)");
}

TEST_CASE("hangs: readers behind writers") {
    check_pair<read_chain>("call_back | write_a", "call_back_native | write_native");
    check_pair<read_chain>("ab | bc | ca | write_a | write_b | write_c",
                           "ab | bc | ac | write_a | write_b");
}

TEST_CASE("hangs: tasks that give way to each other forever") {
    // The repaired programs run up to the limit; under a sanitizer that takes seconds.
    const wedge::explore_options few{.executions_max = wedge::sanitizer::any ? 200U : 1000U,
                                     .steps_max = 1000};
    check_pair<polite>("after_you | after_you(1)", "peterson | peterson(1)", result::livelock, few);
    check_pair<workloads::table<3>>("retry | retry(1) | retry(2)",
                                    "eat_in_order | eat_in_order(1) | eat_in_order(2)",
                                    result::livelock, few);
}

TEST_CASE("hangs: an interrupt that wants a lock of the interrupted task") {
    check_pair<interrupted>("hold_open", "hold_closed | handle");
}

}  // namespace hangs_test
