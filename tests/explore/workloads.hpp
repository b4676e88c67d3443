// Small workloads, broken and repaired, that the tests of exploration share.
#pragma once

#include <algorithm>
#include <stdexcept>

#include "wedge/explore.hpp"
#include "wedge/wedge.hpp"

namespace workloads {

/// Two locks, taken in both orders.
struct abba {
    wedge::mutex a{"a"}, b{"b"};
    void ab() {
        const wedge::guard first(a);
        const wedge::guard second(b);
    }
    void ba() {
        const wedge::guard first(b);
        const wedge::guard second(a);
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&abba::ab>{"ab"}, wedge::action<&abba::ba>{"ba"});
};

/// The same inversion under a common lock, so that it cannot deadlock.
struct guarded_abba : abba {
    wedge::mutex gate{"gate"};
    void gab() {
        const wedge::guard outer(gate);
        ab();
    }
    void gba() {
        const wedge::guard outer(gate);
        ba();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&guarded_abba::gab>{"gab"},
                                                   wedge::action<&guarded_abba::gba>{"gba"});
};

/// The order that an inversion takes depends on a flag which another task sets.
struct gated_abba : abba {
    wedge::mutex state{"state"};
    bool is_open = false;
    void open() {
        const wedge::guard held(state);
        is_open = true;
    }
    void maybe_ba() {
        bool open_now = false;
        {
            const wedge::guard held(state);
            open_now = is_open;
        }
        if (open_now) ba();
    }
    static constexpr auto actions = wedge::actions(
        wedge::action<&gated_abba::ab>{"ab"}, wedge::action<&gated_abba::open>{"open"},
        wedge::action<&gated_abba::maybe_ba>{"maybe_ba"});
};

/// The inversion comes long after the other task has ended in most executions.
struct staggered_abba : abba {
    wedge::mutex other{"other"};
    void late(std::uint32_t is_inverted) {
        for (int i = 0; i < 40; ++i) const wedge::guard held(other);
        is_inverted != 0 ? ba() : ab();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&staggered_abba::ab>{"ab"},
                                                   wedge::action<&staggered_abba::late>{"late"});
};

/// N philosophers. The argument is the number of the philosopher who eats.
template <std::uint32_t N>
struct table {
    wedge::mutex forks[N];
    void eat(std::uint32_t who) {
        const wedge::guard left(forks[who]);
        const wedge::guard right(forks[(who + 1) % N]);
    }
    void eat_in_order(std::uint32_t who) {
        const std::uint32_t next = (who + 1) % N;
        const wedge::guard lower(forks[std::min(who, next)]);
        const wedge::guard upper(forks[std::max(who, next)]);
    }
    /// Puts the first fork down when the second fork is taken, and tries again.
    void retry(std::uint32_t who) { take_or_retry(forks[who], forks[(who + 1) % N]); }
    void retry_in_order(std::uint32_t who) {
        const std::uint32_t next = (who + 1) % N;
        take_or_retry(forks[std::min(who, next)], forks[std::max(who, next)]);
    }
    static void take_or_retry(wedge::mutex& first, wedge::mutex& second) {
        for (;;) {
            const wedge::guard one(first);
            if (const wedge::try_guard other(second); other) return;
        }
    }
    static constexpr auto actions = wedge::actions(
        wedge::action<&table::eat>{"eat"}, wedge::action<&table::eat_in_order>{"eat_in_order"},
        wedge::action<&table::retry>{"retry"},
        wedge::action<&table::retry_in_order>{"retry_in_order"});

    static wedge::program all(const char* action = "eat") {
        wedge::program each;
        for (std::uint32_t i = 0; i < N; ++i) each.push_back({{action, i}});
        return each;
    }
};

/// Loops that wait for a flag which another task sets after a while.
struct spinners {
    wedge::mutex lock{"lock"}, work{"work"};
    bool is_set = false;
    void spin() {
        for (bool seen = false; !seen;) {
            const wedge::guard held(lock);
            seen = is_set;
        }
    }
    void spin_with_try() {
        for (bool seen = false; !seen;)
            if (const wedge::try_guard held(lock); held) seen = is_set;
    }
    void try_once() { const wedge::try_guard held(lock); }
    void set() {
        for (int i = 0; i < 30; ++i) const wedge::guard held(work);
        const wedge::guard held(lock);
        is_set = true;
    }
    static constexpr auto actions = wedge::actions(
        wedge::action<&spinners::spin>{"spin"},
        wedge::action<&spinners::spin_with_try>{"spin_with_try"},
        wedge::action<&spinners::try_once>{"try_once"}, wedge::action<&spinners::set>{"set"});
};

/// Loops that end by themselves, and loops that no task ends.
struct patience {
    wedge::timed_mutex lock{"patience"};
    wedge::atomic<bool> is_set[2]{false, false};
    wedge::atomic<bool> is_wanted{true};
    /// Ends when the other task has given up.
    void hold_while_wanted() {
        const wedge::guard held(lock);
        while (is_wanted) {
        }
    }
    void insist() {
        while (!lock.try_lock()) {
        }
        lock.unlock();
        is_wanted = false;
    }
    void try_often() {
        for (int tries = 0; tries < 200; ++tries)
            if (const wedge::try_guard held(lock); held) break;
        is_wanted = false;
    }
    void wait_again_and_again() {
        while (!lock.try_lock_for(std::chrono::milliseconds(1))) {
        }
        lock.unlock();
        is_wanted = false;
    }
    /// Waits for the flag of the other task, and sets its own flag only after that.
    void wait_for(std::uint32_t which) {
        while (!is_set[which]) {
        }
        is_set[1 - which] = true;
    }
    void yield_for(std::uint32_t which) {
        while (!is_set[which]) wedge::yield();
    }
    void set(std::uint32_t which) { is_set[which] = true; }
    void count() {
        for (int i = 0; i < 1500; ++i) is_set[0] = true;
    }
    static constexpr auto actions = wedge::actions(
        wedge::action<&patience::hold_while_wanted>{"hold_while_wanted"},
        wedge::action<&patience::insist>{"insist"},
        wedge::action<&patience::try_often>{"try_often"},
        wedge::action<&patience::wait_again_and_again>{"wait_again_and_again"},
        wedge::action<&patience::wait_for>{"wait_for"},
        wedge::action<&patience::yield_for>{"yield_for"}, wedge::action<&patience::set>{"set"},
        wedge::action<&patience::count>{"count"});
};

/// Readers in both orders. Only a waiting writer completes the cycle.
struct readers {
    wedge::shared_mutex a{"a"}, b{"b"};
    void ab() {
        const wedge::shared_guard first(a);
        const wedge::shared_guard second(b);
    }
    void ba() {
        const wedge::shared_guard first(b);
        const wedge::shared_guard second(a);
    }
    void write_a() { const wedge::guard held(a); }
    void write_b() { const wedge::guard held(b); }
    static constexpr auto actions = wedge::actions(
        wedge::action<&readers::ab>{"ab"}, wedge::action<&readers::ba>{"ba"},
        wedge::action<&readers::write_a>{"write_a"}, wedge::action<&readers::write_b>{"write_b"});
};

/// A notification before the wait is lost, unless a flag remembers it.
struct hand_over {
    wedge::mutex lock{"lock"};
    wedge::condition changed{"changed"};
    bool is_ready = false;
    void wait_blindly() {
        wedge::guard held(lock);
        changed.wait(held);
    }
    void wait() {
        wedge::guard held(lock);
        changed.wait(held, [&] { return is_ready; });
    }
    void wait_for_a_while() {
        wedge::guard held(lock);
        changed.wait_for(held, std::chrono::milliseconds(1));
    }
    void set() {
        const wedge::guard held(lock);
        is_ready = true;
        changed.notify_one();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&hand_over::wait_blindly>{"wait_blindly"},
                       wedge::action<&hand_over::wait>{"wait"},
                       wedge::action<&hand_over::wait_for_a_while>{"wait_for_a_while"},
                       wedge::action<&hand_over::set>{"set"});
};

/// Reads and writes a counter in two critical sections: an update can be lost.
struct account {
    wedge::mutex lock{"lock"};
    int balance = 0;
    void split() {
        int seen = 0;
        {
            const wedge::guard held(lock);
            seen = balance;
        }
        const wedge::guard held(lock);
        balance = seen + 1;
    }
    void whole() {
        const wedge::guard held(lock);
        ++balance;
    }
    void check() const {
        if (balance != 2) throw std::runtime_error("an update was lost");
    }
    static constexpr auto actions = wedge::actions(wedge::action<&account::split>{"split"},
                                                   wedge::action<&account::whole>{"whole"});
};

/// An action that starts a thread.
struct parent {
    wedge::mutex lock{"lock"};
    int sum = 0;
    void good() {
        wedge::thread child([this] { add(); }, "child");
        add();
        child.join();
    }
    void bad() {
        wedge::thread child([this] { add(); }, "child");
        const wedge::guard held(lock);
        child.join();
    }
    void add() {
        const wedge::guard held(lock);
        ++sum;
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&parent::good>{"good"}, wedge::action<&parent::bad>{"bad"});
};

}  // namespace workloads
