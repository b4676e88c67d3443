// Small workloads for the tests of fuzz/. Each has a planted mistake and a repaired twin.
#pragma once

#include <stdexcept>

#include "wedge/lock/condition.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/workload/workload.hpp"

namespace samples {

/// Two accounts. One of the orders needs an argument above 1.
template <bool Repaired>
struct transfer {
    wedge::mutex a{"a"}, b{"b"};

    void withdraw() {
        const wedge::guard first(a);
        const wedge::guard second(b);
    }
    void deposit(std::uint32_t how) {
        if (Repaired || how < 2) return withdraw();
        const wedge::guard first(b);
        const wedge::guard second(a);
    }
    void look() { const wedge::guard held(b); }

    static constexpr auto actions = wedge::actions(wedge::action<&transfer::withdraw>{"withdraw"},
                                                   wedge::action<&transfer::deposit>{"deposit"},
                                                   wedge::action<&transfer::look>{"look"});
    static constexpr const char* name = Repaired ? "transfer<repaired>" : "transfer<broken>";
};

/// A cycle of three locks that needs three tasks. In the twin a gate lock guards it.
template <bool Repaired>
struct ring {
    wedge::mutex gate{"gate"}, a{"ring a"}, b{"ring b"}, c{"ring c"};

    void first() { nest(a, b); }
    void second() { nest(b, c); }
    void third() { nest(c, a); }

    void nest(wedge::mutex& outer, wedge::mutex& inner) {
        if constexpr (Repaired) {
            const wedge::guard alone(gate);
            const wedge::guard one(outer);
            const wedge::guard two(inner);
        } else {
            const wedge::guard one(outer);
            const wedge::guard two(inner);
        }
    }

    static constexpr auto actions =
        wedge::actions(wedge::action<&ring::first>{"first"}, wedge::action<&ring::second>{"second"},
                       wedge::action<&ring::third>{"third"});
    static constexpr const char* name = Repaired ? "ring<repaired>" : "ring<broken>";
};

/// A notification before the wait is lost, unless a flag remembers it.
template <bool Repaired>
struct mailbox {
    wedge::mutex lock{"box"};
    wedge::condition filled{"filled"};
    bool is_filled = false;

    void receive() {
        const wedge::guard held(lock);
        if constexpr (Repaired)
            while (!is_filled) filled.wait(held);
        else
            filled.wait(held);
    }
    void send() {
        const wedge::guard held(lock);
        is_filled = true;
        filled.notify_all();
    }

    static constexpr auto actions = wedge::actions(wedge::action<&mailbox::receive>{"receive"},
                                                   wedge::action<&mailbox::send>{"send"});
};

/// A check that fails when two updates interleave. `choose` decides whether an update releases the
/// lock in between.
template <bool Repaired>
struct counter {
    wedge::mutex lock{"count"};
    int added = 0;
    int value = 0;

    void add() {
        int seen = 0;
        {
            const wedge::guard held(lock);
            ++added;
            seen = value;
            if (Repaired || wedge::choose(4, "let go") != 3) {
                ++value;
                return;
            }
        }
        const wedge::guard held(lock);
        value = seen + 1;
    }
    void check() const {
        if (value != added) throw std::runtime_error("an update was lost");
    }

    static constexpr auto actions = wedge::actions(wedge::action<&counter::add>{"add"});
};

}  // namespace samples
