// Workloads for the tests of stress: what wedges for real must come free again.
#pragma once

#include <atomic>
#include <mutex>
#include <stdexcept>

#include <sched.h>

#include "wedge/core/contexts.hpp"
#include "wedge/lock/assert.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/pseudo_lock.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/workload/workload.hpp"

namespace samples {

/// A mutex that lets everybody in once the test has seen enough.
class openable_mutex {
public:
    void lock() noexcept {
        while (taken_.exchange(true, std::memory_order_acquire) && !is_open.load()) ::sched_yield();
    }
    bool try_lock() noexcept { return !taken_.exchange(true, std::memory_order_acquire); }
    void unlock() noexcept { taken_.store(false, std::memory_order_release); }

    static inline std::atomic<bool> is_open{false};

private:
    std::atomic<bool> taken_{false};
};

using openable = wedge::checked<openable_mutex>;

/// Each task meets the other between its two locks, so that the first round wedges.
template <bool Repaired>
struct certain_wedge {
    openable a{"a"}, b{"b"};
    std::atomic<int> met{0};

    certain_wedge() { ++alive; }
    ~certain_wedge() { --alive; }

    void forth() { nest(a, b); }
    void back() { Repaired ? nest(a, b) : nest(b, a); }

    void nest(openable& outer, openable& inner) {
        const wedge::guard first(outer);
        ++met;
        if constexpr (!Repaired)
            while (met.load() < 2) ::sched_yield();
        const wedge::guard second(inner);
    }

    static inline std::atomic<int> alive{0};
    static constexpr auto actions = wedge::actions(wedge::action<&certain_wedge::forth>{"forth"},
                                                   wedge::action<&certain_wedge::back>{"back"});
};

/// Two locks, nested by one of the actions.
struct ordered_pair {
    wedge::mutex outer{"outer"}, inner{"inner"};

    void alone() { const wedge::guard held(inner); }
    void nested() {
        const wedge::guard first(outer);
        const wedge::guard second(inner);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&ordered_pair::alone>{"alone"},
                                                   wedge::action<&ordered_pair::nested>{"nested"});
};

/// A task throws, and then the others wedge.
struct throws_beside_wedge {
    certain_wedge<false> others;
    std::atomic<bool> is_over{false};

    void forth() {
        await();
        others.forth();
    }
    void back() {
        await();
        others.back();
    }
    void fail() {
        is_over.store(true);
        throw std::runtime_error("no more memory");
    }
    void await() const {
        while (!is_over.load()) ::sched_yield();
    }

    static constexpr auto actions =
        wedge::actions(wedge::action<&throws_beside_wedge::forth>{"forth"},
                       wedge::action<&throws_beside_wedge::back>{"back"},
                       wedge::action<&throws_beside_wedge::fail>{"fail"});
};

/// Two orders that a third lock keeps apart: no run wedges, and the checker says "guarded".
struct guarded {
    wedge::mutex gate{"gate"}, a{"ga"}, b{"gb"};

    void forth() {
        const wedge::guard alone(gate);
        const wedge::guard one(a);
        const wedge::guard two(b);
    }
    void back() {
        const wedge::guard alone(gate);
        const wedge::guard one(b);
        const wedge::guard two(a);
    }

    static constexpr auto actions = wedge::actions(wedge::action<&guarded::forth>{"forth"},
                                                   wedge::action<&guarded::back>{"back"});
};

/// Inverts an order only if asked to, never at the same time as its opposite.
template <bool Repaired>
struct inversion {
    std::mutex turn;  // plain: the checker does not know of it
    wedge::mutex a{"ia"}, b{"ib"};
    wedge::shared_mutex table{"table"};
    int rows = 0;

    void forth() {
        const std::lock_guard alone(turn);
        const wedge::guard one(a);
        const wedge::guard two(b);
    }
    void back(std::uint32_t which) {
        if (Repaired || which % 2 == 0) return forth();
        const std::lock_guard alone(turn);
        const wedge::guard one(b);
        const wedge::guard two(a);
    }
    void insert() {
        const wedge::guard held(table);
        ++rows;
    }
    void look() {
        const wedge::shared_guard held(table);
        if (rows < 0) throw std::logic_error("rows");
    }

    static constexpr auto actions = wedge::actions(
        wedge::action<&inversion::forth>{"forth"}, wedge::action<&inversion::back>{"back"},
        wedge::action<&inversion::insert>{"insert"}, wedge::action<&inversion::look>{"look"});
};

/// A call that throws, and a check that does.
template <bool Repaired>
struct thrower {
    wedge::mutex lock{"thrower"};
    void act() {
        const wedge::guard held(lock);
        if (!Repaired) throw std::runtime_error("planted");
    }
    void check() const {
        if (!Repaired) throw std::runtime_error("checked");
    }
    static constexpr auto actions = wedge::actions(wedge::action<&thrower::act>{"act"});
};

/// Stays in an action, without a lock, until the test lets go.
struct sleeper {
    wedge::mutex lock{"sleeper"};
    void stay() {
        const wedge::guard held(lock);
        while (!openable_mutex::is_open.load()) ::sched_yield();
    }
    sleeper() { ++alive; }
    ~sleeper() { --alive; }
    static inline std::atomic<int> alive{0};
    static constexpr auto actions = wedge::actions(wedge::action<&sleeper::stay>{"stay"});
};

/// Throws if it begins with interrupts off, and leaves them so.
struct leaver {
    wedge::spinlock lock{"leaver"};  // the next call must not sleep
    void leave() {
        const wedge::guard held(lock);
        if (wedge::current().contexts.irqs_are_off) throw std::runtime_error("not new");
        wedge::irqs_off();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&leaver::leave>{"leave"});
};

/// Holds a lock over a section, and where user memory may be touched.
struct reclaimer {
    wedge::mutex outer{"outer"};
    wedge::mutex user{"user memory"};
    wedge::pseudo_lock section{"a section"};

    void act() {
        const wedge::guard held(outer);
        section.touch();
        wedge::might_lock(user);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&reclaimer::act>{"act"});
};

/// Takes one lock, and tries another one that is always free.
struct trier {
    wedge::mutex outer{"trier outer"};
    wedge::mutex tried{"tried"};

    void act() {
        const wedge::guard held(outer);
        const wedge::try_guard mine(tried);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&trier::act>{"act"});
};

}  // namespace samples
