// Predictions, against traces whose deadlocks are known and against all reorderings of small
// traces.
#include "predict/predict.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"

namespace predict_test {
namespace {

using namespace wedge::predict;
using wedge::parse_trace;
using wedge::trace;
using wedge::trace_event;
using wedge::trace_op;

prediction_result of(const std::string& events) {
    return predict(parse_trace("wedge-trace 1\n" + events, "test"));
}
std::size_t deadlocks(const std::string& events) {
    return of(events).deadlocks.size();
}

const std::string forward = "1 acquire 1\n1 acquire 2\n1 release 2\n1 release 1\n";
const std::string backward = "2 acquire 2\n2 acquire 1\n2 release 1\n2 release 2\n";

TEST_CASE("two orders, and one order") {
    CHECK(deadlocks(forward + backward) == 1);
    CHECK(deadlocks(forward + "2 acquire 1\n2 acquire 2\n2 release 2\n2 release 1\n") == 0);
}

TEST_CASE("a guard lock, and none") {
    CHECK(deadlocks("1 acquire 3\n" + forward + "1 release 3\n2 acquire 3\n" + backward +
                    "2 release 3\n") == 0);
    CHECK(deadlocks("1 acquire 3\n1 release 3\n" + forward + backward) == 1);
}

TEST_CASE("a start and a join order the threads") {
    CHECK(deadlocks(forward + "1 spawn 2\n" + backward) == 0);
    CHECK(deadlocks("1 spawn 2\n" + forward + backward) == 1);
    CHECK(deadlocks("1 spawn 2\n" + backward + "1 join 2\n" + forward) == 0);
}

TEST_CASE("a value that was read orders the threads") {
    CHECK(deadlocks(forward + "1 store 7\n2 load 7\n" + backward) == 0);
    const prediction_result found = of("1 store 7\n" + forward + "2 load 7\n" + backward);
    CHECK(found.deadlocks.size() == 1);
    CHECK(found.has_accesses);
}

TEST_CASE("a semaphore and a notification order the threads") {
    CHECK(deadlocks(forward + "1 up 7\n2 down 7\n" + backward) == 0);
    CHECK(deadlocks("1 up 7\n" + forward + "2 down 7\n" + backward) == 1);
    CHECK(deadlocks("2 acquire 9\n2 wait 7 9\n" + forward +
                    "1 notify 7\n2 wake 7 9\n2 release 9\n" + backward) == 0);
    CHECK(deadlocks("2 acquire 9\n2 wait 7 9\n1 notify 7\n" + forward +
                    "2 wake 7 9\n2 release 9\n" + backward) == 1);
}

TEST_CASE("a lock that is handed on in the sections before") {
    // The section of thread 2 stays behind that of thread 1, which has then released all.
    CHECK(deadlocks("1 acquire 3\n" + forward + "1 release 3\n2 acquire 3\n2 release 3\n" +
                    backward) == 0);
    // Thread 1 waits before its section, so there is nothing to stay behind.
    CHECK(deadlocks("1 acquire 1\n1 acquire 2\n1 acquire 3\n1 release 3\n1 release 2\n1 release 1\n"
                    "2 acquire 3\n2 release 3\n" +
                    backward) == 1);
    CHECK(deadlocks("1 acquire 1\n1 acquire 2\n1 release 2\n1 release 1\n1 acquire 3\n1 release 3\n"
                    "2 acquire 4\n2 release 4\n" +
                    backward) == 1);
}

TEST_CASE("a trylock waits for nothing, but its lock is held") {
    CHECK(deadlocks(forward + "2 acquire 2\n2 try_acquire 1\n2 release 1\n2 release 2\n") == 0);
    CHECK(deadlocks(forward + "2 try_acquire 2\n2 acquire 1\n2 release 1\n2 release 2\n") == 1);
    CHECK(deadlocks(forward + "2 acquire 2\n2 timed_acquire 1\n2 release 1\n2 release 2\n") == 0);
}

TEST_CASE("a failed trylock fails again only while the lock is held") {
    // Thread 2 has seen lock 3 held, so thread 1 is past its second acquire.
    const std::string seen = "1 acquire 3\n2 try_failed 3\n1 release 3\n";
    CHECK(deadlocks(forward + seen + backward) == 0);
    CHECK(deadlocks(seen + forward + backward) == 1);
}

TEST_CASE("readers") {
    CHECK(deadlocks("1 read 1\n1 read 2\n1 release 2\n1 release 1\n"
                    "2 read 2\n2 read 1\n2 release 1\n2 release 2\n") == 0);
    CHECK(deadlocks("1 read 1\n1 acquire 2\n1 release 2\n1 release 1\n"
                    "2 read 2\n2 acquire 1\n2 release 1\n2 release 2\n") == 1);
    // Both may hold the guard at one time if both read it.
    CHECK(deadlocks("1 read 3\n" + forward + "1 release 3\n2 read 3\n" + backward +
                    "2 release 3\n") == 1);
}

TEST_CASE("a recursive lock, and a wait while another lock is held") {
    CHECK(deadlocks("1 acquire 1\n1 acquire 1\n1 release 1\n" + forward.substr(12) + backward) ==
          1);
    CHECK(deadlocks("1 acquire 1\n1 acquire 2\n1 wait 7 1\n2 acquire 1\n2 notify 7\n2 release 1\n"
                    "1 wake 7 1\n1 release 2\n1 release 1\n") == 0);
    CHECK(deadlocks("1 acquire 1\n1 acquire 2\n1 wait 7 1\n2 notify 7\n1 wake 7 1\n1 release 2\n"
                    "1 release 1\n2 acquire 1\n2 acquire 2\n2 release 2\n2 release 1\n") == 1);
}

TEST_CASE("three threads") {
    const std::string ring =
        "1 acquire 1\n1 acquire 2\n1 release 2\n1 release 1\n"
        "2 acquire 2\n2 acquire 3\n2 release 3\n2 release 2\n";
    CHECK(deadlocks(ring + "3 acquire 3\n3 acquire 1\n3 release 1\n3 release 3\n") == 1);
    CHECK(deadlocks(ring + "3 acquire 1\n3 acquire 3\n3 release 3\n3 release 1\n") == 0);
}

TEST_CASE("a trace that hangs, and a trace that contradicts itself") {
    CHECK(deadlocks("1 acquire 1\n2 acquire 2\n1 request 2\n2 request 1\n") == 1);
    CHECK_THROWS_WITH(of("1 acquire 1\n2 acquire 1\n"),
                      doctest::Contains("test:3:1: lock 1 is acquired by thread 2 while thread 1"));
    CHECK_THROWS_WITH(of("1 take 1\n"), doctest::Contains("test:2:3: unknown step 'take'"));
    CHECK_THROWS_WITH(of("1 acquire x\n"), doctest::Contains("test:2:11: 'x' is no object"));
    CHECK_THROWS_WITH(parse_trace("", "empty"), doctest::Contains("empty:1:1: expected"));
}

TEST_CASE("a trace is written as it was read") {
    const std::string text =
        "wedge-trace 1\nthread 1 main\nlock 4 mutex a lock\nsite 9 f (a.c:3)\n1 acquire 4 @9\n"
        "1 wait 2 4\n1 wake 2 4 @9\n1 release 4\n";
    CHECK(text_of(parse_trace(text, "test")) == text);
}

// All reorderings of a small trace.

using state = std::vector<std::size_t>;  // by thread: how many of its events have happened

/// Tries each order of the events in which each thread does what it did and the critical sections
/// of each lock keep their order.
class all_orders {
public:
    explicit all_orders(const trace& recorded) : events_(recorded.events) {
        for (std::size_t i = 0; i < events_.size(); ++i) of_thread_[events_[i].thread].push_back(i);
        for (const auto& [thread, all] : of_thread_) threads_.push_back(thread);
    }

    /// Returns the deadlocks as sets of (thread, wanted lock, held locks).
    std::set<std::string> run() {
        std::vector<state> open{state(threads_.size(), 0)};
        std::set<state> seen(open.begin(), open.end());
        while (!open.empty()) {
            const state now = open.back();
            open.pop_back();
            find_deadlocks(now);
            for (std::size_t i = 0; i < threads_.size(); ++i) {
                if (now[i] == of_thread_[threads_[i]].size() || !may_happen(now, i)) continue;
                state next = now;
                ++next[i];
                if (seen.insert(next).second) open.push_back(next);
            }
        }
        return found_;
    }

private:
    const trace_event& next_of(const state& now, std::size_t i) {
        return events_[of_thread_[threads_[i]][now[i]]];
    }
    std::set<std::uint32_t> held_by(const state& now, std::size_t i) {
        std::set<std::uint32_t> held;
        for (std::size_t e = 0; e < now[i]; ++e) {
            const trace_event& each = events_[of_thread_[threads_[i]][e]];
            if (each.op == trace_op::acquire) held.insert(each.object);
            if (each.op == trace_op::release) held.erase(each.object);
        }
        return held;
    }
    bool has_happened(const state& now, std::size_t event) {
        for (std::size_t i = 0; i < threads_.size(); ++i)
            for (std::size_t e = 0; e < now[i]; ++e)
                if (of_thread_[threads_[i]][e] == event) return true;
        return false;
    }
    bool may_happen(const state& now, std::size_t i) {
        const trace_event& next = next_of(now, i);
        const std::size_t at = of_thread_[threads_[i]][now[i]];
        if (next.op == trace_op::acquire) {
            for (std::size_t other = 0; other < threads_.size(); ++other)
                if (held_by(now, other).count(next.object) != 0) return false;
            for (std::size_t later = at + 1; later < events_.size(); ++later)
                if (events_[later].op == trace_op::acquire &&
                    events_[later].object == next.object && has_happened(now, later))
                    return false;
        }
        return true;
    }
    void find_deadlocks(const state& now) {
        std::map<std::size_t, std::size_t> waits_for;
        for (std::size_t i = 0; i < threads_.size(); ++i) {
            if (now[i] == of_thread_[threads_[i]].size()) continue;
            const trace_event& next = next_of(now, i);
            if (next.op != trace_op::acquire) continue;
            for (std::size_t other = 0; other < threads_.size(); ++other)
                if (other != i && held_by(now, other).count(next.object) != 0) waits_for[i] = other;
        }
        for (const auto& [from, to] : waits_for) {
            std::vector<std::size_t> path{from};
            std::size_t at = to;
            while (std::find(path.begin(), path.end(), at) == path.end() &&
                   waits_for.count(at) != 0) {
                path.push_back(at);
                at = waits_for[at];
            }
            if (at == from) found_.insert(name_of(now, path));
        }
    }
    std::string name_of(const state& now, const std::vector<std::size_t>& path) {
        std::set<std::string> parts;
        for (const std::size_t i : path) {
            std::string part = std::to_string(threads_[i]) + " wants " +
                               std::to_string(next_of(now, i).object) + " holding";
            for (const std::uint32_t lock : held_by(now, i)) part += " " + std::to_string(lock);
            parts.insert(part);
        }
        std::string name;
        for (const std::string& part : parts) name += part + "; ";
        return name;
    }

    const std::vector<trace_event>& events_;
    std::map<std::uint32_t, std::vector<std::size_t>> of_thread_;
    std::vector<std::uint32_t> threads_;
    std::set<std::string> found_;
};

/// Returns the predictions in the words of `all_orders`, and checks that each witness can happen.
std::set<std::string> predicted(const trace& recorded) {
    std::set<std::string> names;
    for (const prediction& each : predict(recorded).deadlocks) {
        std::map<std::uint32_t, std::set<std::uint32_t>> held;
        std::map<std::uint32_t, std::uint32_t> owner;
        for (const std::size_t at : each.witness) {
            const trace_event& event = recorded.events[at];
            if (event.op == trace_op::acquire) {
                REQUIRE(owner.count(event.object) == 0);
                owner[event.object] = event.thread;
                held[event.thread].insert(event.object);
            } else if (event.op == trace_op::release) {
                owner.erase(event.object);
                held[event.thread].erase(event.object);
            }
        }
        std::set<std::string> parts;
        for (std::size_t i = 0; i < each.waits.size(); ++i) {
            const predicted_wait& wait = each.waits[i];
            REQUIRE(owner.at(wait.wanted) == each.waits[(i + 1) % each.waits.size()].thread);
            std::string part =
                std::to_string(wait.thread) + " wants " + std::to_string(wait.wanted) + " holding";
            for (const std::uint32_t lock : held[wait.thread]) part += " " + std::to_string(lock);
            parts.insert(part);
        }
        std::string name;
        for (const std::string& part : parts) name += part + "; ";
        names.insert(name);
    }
    return names;
}

/// Makes a trace that can happen: each step is one that some thread may take.
trace random_trace(wedge::rng& random) {
    trace made;
    const std::uint32_t threads = 2 + random.below(2);
    std::map<std::uint32_t, std::vector<std::uint32_t>> held;
    std::set<std::uint32_t> taken;
    const std::uint32_t steps = 14 + random.below(16);
    for (std::uint32_t i = 0; i < steps; ++i) {
        trace_event next;
        next.thread = 1 + random.below(threads);
        std::vector<std::uint32_t>& mine = held[next.thread];
        const std::uint32_t lock = 1 + random.below(3);
        if (!mine.empty() && random.below(2) == 0) {
            const std::size_t which = random.below(static_cast<std::uint32_t>(mine.size()));
            next.op = trace_op::release;
            next.object = mine[which];
            mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(which));
            taken.erase(next.object);
        } else {
            if (taken.count(lock) != 0) continue;
            next.op = trace_op::acquire;
            next.object = lock;
            mine.push_back(lock);
            taken.insert(lock);
        }
        made.events.push_back(next);
    }
    return made;
}

TEST_CASE("random traces: what is predicted is what some reordering does") {
    wedge::rng random(20231);
    unsigned with_deadlocks = 0;
    for (int i = 0; i < 1000; ++i) {
        const trace recorded = random_trace(random);
        const std::set<std::string> truth = all_orders(recorded).run();
        INFO(text_of(recorded));
        REQUIRE(predicted(recorded) == truth);
        with_deadlocks += truth.empty() ? 0 : 1;
    }
    CHECK(with_deadlocks > 30);  // or the test compares nothing
}

}  // namespace
}  // namespace predict_test
