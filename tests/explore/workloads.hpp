// Small workloads, broken and repaired, that the tests of exploration share.
#pragma once

#include <stdexcept>

#include "wedge/explore/explore.hpp"
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

/// The same under a common lock: inverted, and impossible.
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

/// N philosophers; the argument is who eats.
template <std::uint32_t N>
struct table {
    wedge::mutex forks[N];
    void eat(std::uint32_t who) {
        const wedge::guard left(forks[who]);
        const wedge::guard right(forks[(who + 1) % N]);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&table::eat>{"eat"});

    static wedge::program all() {
        wedge::program each;
        for (std::uint32_t i = 0; i < N; ++i) each.push_back({{"eat", i}});
        return each;
    }
};

/// Readers in both orders: only a waiting writer closes the cycle.
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

/// A notification before the wait is lost, unless there is a flag.
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
    static constexpr auto actions = wedge::actions(
        wedge::action<&hand_over::wait_blindly>{"wait_blindly"},
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

/// An action that starts a thread of its own.
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
