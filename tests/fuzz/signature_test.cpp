// A bug has one signature for every input that shows it. Two bugs have two, and neither hides the
// other bug.
#include <array>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/explore/verdict/reached_signature.hpp"
#include "wedge/fuzz/engine.hpp"
#include "wedge/lock/completion.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/pseudo_lock.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/lock/ww_mutex.hpp"
#include "wedge/model/fence.hpp"
#include "wedge/model/prime.hpp"
#include "wedge/workload/workload.hpp"

namespace signature_test {

using signatures = std::set<std::string>;

/// Two jobs that wait for themselves. The first walks over pages before its signal, and waits there
/// for that signal, or for a task that waits for it. The second needs a table, which another task
/// holds while it waits.
template <bool Repaired>
struct jobs {
    wedge::signalling_map signallers;
    wedge::fence done{"done", &signallers};
    wedge::pseudo_lock walking{"walking"};
    wedge::mutex list{"job list"}, table{"table"};
    wedge::shared_mutex pages{"pages"};
    bool is_queued = false;  // by list

    void walking_job() {
        queue();
        {
            const wedge::signalling_section promise(signallers);
            if (!Repaired) walk();
            done.signal();
        }
    }
    void table_job() {
        queue();
        const wedge::signalling_section promise(signallers);
        if (!Repaired) const wedge::guard held(table);
        done.signal();
    }
    void swap() { walk(); }
    void look() {
        const wedge::guard held(table);
        wait_for_jobs();
    }

    void queue() {
        const wedge::guard held(list);
        is_queued = true;
    }
    void walk() {
        walking.acquire();
        {
            const wedge::shared_guard held(pages);
            wait_for_jobs();
        }
        walking.release();
    }
    void map() { const wedge::guard held(pages); }
    void wait_for_jobs() {
        bool must_wait = false;
        {
            const wedge::guard held(list);
            must_wait = is_queued;
        }
        if (must_wait) done.wait({"jobs.cpp", "wait", 1});
    }

    static constexpr auto actions = wedge::actions(
        wedge::action<&jobs::walking_job>{"walking_job"},
        wedge::action<&jobs::table_job>{"table_job"}, wedge::action<&jobs::swap>{"swap"},
        wedge::action<&jobs::look>{"look"}, wedge::action<&jobs::map>{"map"});
    static constexpr const char* name = Repaired ? "jobs<repaired>" : "jobs<broken>";
};

/// Two independent inversions.
struct two_pairs {
    wedge::mutex a{"a"}, b{"b"}, c{"c"}, d{"d"};

    void first(std::uint32_t how) { how % 2 == 0 ? nest(a, b) : nest(b, a); }
    void second(std::uint32_t how) { how % 2 == 0 ? nest(c, d) : nest(d, c); }
    void nest(wedge::mutex& outer, wedge::mutex& inner) {
        const wedge::guard one(outer);
        const wedge::guard two(inner);
    }

    static constexpr auto actions = wedge::actions(wedge::action<&two_pairs::first>{"first"},
                                                   wedge::action<&two_pairs::second>{"second"});
};

/// A table, entries and a log, taken in that order. `States` states the order. The other parameters
/// select the actions that break it; a repaired workload has none of them.
template <bool States, bool Evicts, bool Flushes>
struct cache {
    wedge::mutex table{"table"}, entry{"entry"}, log{"log"};

    cache() {
        if (States)
            wedge::prime(std::array<wedge::primed_lock, 3>{{{"table"}, {"entry"}, {"log"}}});
    }
    void look_up() { nest(table, log); }
    void insert() { nest(table, entry); }
    void change() { nest(entry, log); }
    void evict() {
        if (Evicts) nest(log, table);
    }
    void flush() {
        if (Flushes) nest(log, entry);
    }
    void nest(wedge::mutex& outer, wedge::mutex& inner) {
        const wedge::guard one(outer);
        const wedge::guard two(inner);
    }

    static constexpr auto actions = wedge::actions(
        wedge::action<&cache::look_up>{"look_up"}, wedge::action<&cache::insert>{"insert"},
        wedge::action<&cache::change>{"change"}, wedge::action<&cache::evict>{"evict"},
        wedge::action<&cache::flush>{"flush"});
    static constexpr const char* name = "cache";
};

/// A rule broken at one site, reached from two callers that hold the lock from different sites.
template <bool Repaired>
struct two_callers {
    wedge::ww_class entries{"entry"};
    wedge::ww_mutex one{entries}, other{entries};

    void insert() {
        const wedge::guard held(one);
        link();
    }
    void replace() {
        const wedge::guard held(one);
        link();
    }
    void link() {
        if (!Repaired) const wedge::guard held(other);
    }

    static constexpr auto actions = wedge::actions(wedge::action<&two_callers::insert>{"insert"},
                                                   wedge::action<&two_callers::replace>{"replace"});
    static constexpr const char* name = Repaired ? "two_callers<repaired>" : "two_callers<broken>";
};

/// `walk` takes an entry against the stated order, and a second entry without a ticket.
template <bool Repaired>
struct walker {
    wedge::ww_class entries{"entry"};
    wedge::ww_mutex one{entries}, other{entries};
    wedge::mutex walk{"walk"};

    walker() { wedge::prime(std::array<wedge::primed_lock, 2>{{{"entry"}, {"walk"}}}); }
    void shrink() { go(); }
    void insert() {
        const wedge::guard held(one);
        go();
    }
    void touch() {
        const wedge::guard held(other);
        const wedge::guard walking(walk);
    }
    void go() {
        const wedge::guard walking(walk);
        if (!Repaired) const wedge::guard held(other);
    }

    static constexpr auto actions = wedge::actions(wedge::action<&walker::shrink>{"shrink"},
                                                   wedge::action<&walker::insert>{"insert"},
                                                   wedge::action<&walker::touch>{"touch"});
    static constexpr const char* name = Repaired ? "walker<repaired>" : "walker<broken>";
};

/// `copy` takes the walk under an entry, against the stated order, and then another entry.
template <bool Repaired>
struct copier {
    wedge::ww_class entries{"entry"};
    wedge::ww_mutex one{entries}, other{entries};
    wedge::mutex walk{"walk"};

    copier() { wedge::prime(std::array<wedge::primed_lock, 2>{{{"walk"}, {"entry"}}}); }
    void copy() {
        if (Repaired) return fault();
        const wedge::guard held(one);
        fault();
    }
    void fault() {
        const wedge::guard walking(walk);
        const wedge::guard held(other);
    }

    static constexpr auto actions = wedge::actions(wedge::action<&copier::copy>{"copy"},
                                                   wedge::action<&copier::fault>{"fault"});
    static constexpr const char* name = Repaired ? "copier<repaired>" : "copier<broken>";
};

/// Two locks of a class, with a ticket or without a ticket.
template <bool Repaired>
struct transfers {
    wedge::ww_class accounts{"account"};
    wedge::ww_mutex one{accounts}, other{accounts};

    void there() { move(one, other); }
    void back() { move(other, one); }
    void move(wedge::ww_mutex& from, wedge::ww_mutex& to) {
        if (Repaired) {
            static_cast<void>(wedge::transaction(accounts, [&](wedge::ww_ticket& ticket) {
                const wedge::ww_result got = from.lock(ticket);
                return got == wedge::ww_result::back_off ? got : to.lock(ticket);
            }));
        } else {
            const wedge::guard held(from);
            const wedge::guard wanted(to);
        }
    }

    static constexpr auto actions = wedge::actions(wedge::action<&transfers::there>{"there"},
                                                   wedge::action<&transfers::back>{"back"});
    static constexpr const char* name = Repaired ? "transfers<repaired>" : "transfers<broken>";
};

/// A consumer holds a table and waits for a notification that never comes. Tasks that want the
/// table wait for the consumer. `Line` is the line of the wait in its source, which a comment above
/// moves.
template <bool Repaired, unsigned Line>
struct queue_of_one {
    wedge::mutex table{"table"}, log{"log"};
    wedge::completion filled{"filled"};

    void consume() {
        const wedge::guard held(table);
        filled.wait({"queue.cpp", "consume", Line});
    }
    void produce() {
        if (Repaired) filled.complete_all();
    }
    void look() { const wedge::guard held(table, {"queue.cpp", "look", Line + 10}); }
    void write() {
        const wedge::guard held(log);
        const wedge::guard also(table, {"queue.cpp", "write", Line + 20});
    }
    void read_log() { const wedge::guard held(log, {"queue.cpp", "read_log", Line + 30}); }

    static constexpr auto actions = wedge::actions(
        wedge::action<&queue_of_one::consume>{"consume"},
        wedge::action<&queue_of_one::produce>{"produce"},
        wedge::action<&queue_of_one::look>{"look"}, wedge::action<&queue_of_one::write>{"write"},
        wedge::action<&queue_of_one::read_log>{"read_log"});
    static constexpr const char* name = "queue_of_one";
};

/// Two independent waits for notifications that never come.
struct two_waits {
    wedge::completion left{"left"}, right{"right"};

    void wait_left() { left.wait(); }
    void wait_right() { right.wait(); }

    static constexpr auto actions =
        wedge::actions(wedge::action<&two_waits::wait_left>{"wait_left"},
                       wedge::action<&two_waits::wait_right>{"wait_right"});
    static constexpr const char* name = "two_waits";
};

/// Returns all signatures that inputs of three seeds show. The engine goes on after each finding.
template <wedge::workload W>
signatures found(std::uint64_t executions) {
    signatures all;
    constexpr std::uint64_t seeds = wedge::sanitizer::any ? 1 : 3;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        wedge::fuzz_group group({wedge::fuzz_design_of<W>()});
        wedge::fuzz_engine engine(group, seed);
        signatures known;
        while (engine.executions() < executions) {
            const auto seen = engine.run(executions - engine.executions());
            if (!seen) break;
            CHECK_MESSAGE(known.insert(seen->signature).second, "said twice: ", seen->signature);
            group.pass_over(*seen);
        }
        all.merge(known);
    }
    return all;
}

/// Returns the signatures of all deadlocks that a program can reach.
template <wedge::workload W>
signatures deadlocks(const char* program) {
    wedge::explore_options all;
    all.how = wedge::strategy::exhaustive;
    signatures made;
    for (const wedge::finding& each :
         wedge::explore<W>(wedge::parse_program(program), all).findings)
        if (each.is_stuck()) made.insert(wedge::reached_signature(each));
    return made;
}

/// Returns the signature of one input in a new runner.
template <wedge::workload W>
std::string signature_of(std::uint8_t tasks, std::vector<wedge::action_record> calls,
                         std::vector<std::uint8_t> answers = {}) {
    const wedge::fuzz_design design = wedge::fuzz_design_of<W>();
    const auto seen = wedge::fuzz_runner(design).run({0, tasks, calls, answers});
    return seen ? seen->signature : "";
}

}  // namespace signature_test

using namespace signature_test;

TEST_CASE("fuzz signature: two bugs of one workload are each found once") {
    CHECK(found<two_pairs>(400) == signatures{"cycle a/EE b/EE", "cycle c/EE d/EE"});
}

TEST_CASE("fuzz signature: all hangs of one acquire against the stated order have one signature") {
    using wrong = cache<true, true, false>;
    const std::string one = "cycle log/EE table/EE";
    CHECK(signature_of<wrong>(2, {{0, 0, 0}, {1, 3, 0}}) == one);
    CHECK(signature_of<wrong>(3, {{0, 1, 0}, {1, 2, 0}, {2, 3, 0}}) == one);
    CHECK(found<wrong>(400) == signatures{one});
    CHECK(found<cache<true, false, false>>(400) == signatures{});
    CHECK(found<cache<false, true, false>>(400) ==  // no stated order tells which acquire is wrong
          signatures{one, "cycle entry/EE log/EE table/EE"});
}

TEST_CASE(
    "fuzz signature: two acquires against the stated order have two, if circles share an edge") {
    const signatures both{"cycle log/EE table/EE", "cycle entry/EE log/EE"};
    CHECK(found<cache<true, true, true>>(400) == both);
    CHECK(found<cache<true, false, true>>(400) == signatures{"cycle entry/EE log/EE"});
}

TEST_CASE(
    "fuzz signature: a rule broken by an acquire against the stated order adds no second bug") {
    const std::string one = "cycle entry/EE walk/EE";
    CHECK(signature_of<walker<false>>(1, {{0, 1, 0}}) == one);
    CHECK(signature_of<walker<false>>(2, {{0, 0, 0}, {1, 2, 0}}) == one);
    CHECK(found<walker<false>>(400) == signatures{one});
    CHECK(found<walker<true>>(400) == signatures{});
}

TEST_CASE("fuzz signature: a rule broken after such an acquire adds no second bug") {
    CHECK(found<copier<false>>(400) == signatures{"cycle entry/EE walk/EE"});
    CHECK(found<copier<true>>(400) == signatures{});
}

TEST_CASE("fuzz signature: a hang without a ticket is the broken rule of tickets") {
    const signatures made = found<transfers<false>>(400);
    CHECK(made == signatures{"ww-rule account account in move"});
    CHECK(found<transfers<true>>(400) == signatures{});
}

TEST_CASE(
    "fuzz signature: a fence that is never signalled has one, without tasks stuck behind it") {
    const signatures walking{"deadlock signalling walking completion done"};
    CHECK(deadlocks<jobs<false>>("walking_job") == walking);
    CHECK(deadlocks<jobs<false>>("walking_job | swap") == walking);
    CHECK(deadlocks<jobs<false>>("walking_job | look") == walking);
    CHECK(deadlocks<jobs<false>>("walking_job | swap | map") == walking);  // queues between them
    const signatures table{"deadlock signalling table completion done"};
    CHECK(deadlocks<jobs<false>>("table_job | look") == table);
    CHECK(deadlocks<jobs<false>>("table_job | look | swap") == table);
    CHECK(deadlocks<jobs<true>>("table_job | walking_job | look | swap") == signatures{});
}

TEST_CASE("fuzz signature: a rule is broken in the function that breaks it, not in its caller") {
    const std::string one = signature_of<two_callers<false>>(1, {{0, 0, 0}});
    CHECK(one == "ww-rule entry entry in link");
    CHECK(signature_of<two_callers<false>>(1, {{0, 1, 0}}) == one);
    CHECK(signature_of<two_callers<true>>(1, {{0, 1, 0}}) == "");
}

TEST_CASE("fuzz signature: a wait that never ends has one, for every set of waiting tasks") {
    const signatures one{"deadlock completion filled by consume"};
    using wrong = queue_of_one<false, 10>;
    for (const char* const program :
         {"consume", "consume | look", "look | consume", "consume | write | read_log",
          "read_log | write | look | consume", "produce, consume | look | look",
          "consume | consume | write"})
        CHECK_MESSAGE(deadlocks<wrong>(program) == one, program);
    CHECK(deadlocks<queue_of_one<true, 10>>("produce, consume | look | write") == signatures{});
}

TEST_CASE("fuzz signature: a comment above a wait does not change the signature") {
    const char* const program = "consume | look | write";
    CHECK(deadlocks<queue_of_one<false, 10>>(program) ==
          deadlocks<queue_of_one<false, 11>>(program));
    CHECK(found<queue_of_one<false, 10>>(3000) == found<queue_of_one<false, 11>>(3000));
}

TEST_CASE("fuzz signature: one wait has one signature in thousands of inputs, two waits have two") {
    CHECK(found<queue_of_one<false, 10>>(3000) ==
          signatures{"deadlock completion filled by consume"});
    CHECK(found<two_waits>(400) == signatures{"deadlock completion left by wait_left",
                                              "deadlock completion right by wait_right"});
}
