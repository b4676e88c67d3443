// Traces: dumps of lockdep and events, made here, as the kernel prints them.
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "explain/evidence.hpp"
#include "reading.hpp"

namespace {

using namespace wedge::explain;

observations seen_in(const std::vector<std::string>& traces) {
    observations seen;
    for (const std::string& each : traces) {
        std::istringstream in(each);
        read_trace(in, "t", seen);
    }
    mark_shared_names(seen);
    return seen;
}

/// The cycles, each as its names.
std::vector<std::string> cycles_of(const observations& seen) {
    std::vector<std::string> all;
    for (const order_cycle& cycle : seen.order.cycles(100)) {
        std::vector<std::string> names;
        for (const std::uint32_t each : cycle.classes) names.push_back(seen.order.at(each).name);
        all.push_back(reading::joined(names, " ") + (cycle.needs_writer ? " (writer)" : ""));
    }
    return all;
}
using texts = std::vector<std::string>;

/// One event of ftrace. Locks have the address of their first letter.
std::string event(int pid, int cpu, const char* flags, int us, const std::string& what) {
    char text[200];
    std::snprintf(text, sizeof text, "  task %d-%d [%03d] %s  1.%06d: ", pid, pid, cpu, flags, us);
    return text + what + "\n";
}
/// Events of one task, as `a b -b try:c read:d`: a sign takes a lock or gives it back.
class events {
public:
    events& by(int pid, const std::string& steps, const char* flags = "....") {
        for (std::string step : reading::split(steps, ' ')) {
            if (step.empty()) continue;
            std::string how = "lock_acquire: ";
            if (step[0] == '-') {
                how = "lock_release: ";
                step = step.substr(1);
            }
            std::string mode;
            if (step.starts_with("try:")) mode = "try ";
            if (step.starts_with("read:")) mode = "read ";
            if (!mode.empty()) step = step.substr(mode.size());
            text_ += event(pid, 0, flags, ++us_, how + address(step) + " " + mode + step);
        }
        return *this;
    }
    events& line(const std::string& text) {
        text_ += text + "\n";
        return *this;
    }
    events& wait(int pid, int us, const std::string& lock) {
        text_ += event(pid, 0, "....", us_ += us, lock);
        return *this;
    }
    std::string text() const { return text_; }
    static std::string address(const std::string& name) {
        char text[20];
        std::snprintf(text, sizeof text, "%016x", static_cast<unsigned>(name[0]) * 16U);
        return text;
    }

private:
    std::string text_ = "# tracer: nop\n#\n";
    int us_ = 0;
};

TEST_CASE("events: two orders are a cycle, one order is none") {
    CHECK(cycles_of(seen_in({events().by(1, "a b -b -a").by(2, "b a -a -b").text()})) ==
          texts{"a b"});
    CHECK(cycles_of(seen_in({events().by(1, "a b -b -a").by(2, "a b -a -b").text()})).empty());
    CHECK(cycles_of(seen_in({events().by(1, "a b -b -a b c -c -b").by(2, "c a -a -c").text()})) ==
          texts{"a b c"});
}

TEST_CASE("events: a task that gave a lock back does not hold it") {
    CHECK(cycles_of(seen_in({events().by(1, "a b -b -a c -c").by(2, "c a -a -c").text()})).empty());
    CHECK(cycles_of(seen_in({events().by(1, "a b -a c -c -b").by(2, "c b -b -c").text()})) ==
          texts{"b c"});
}

TEST_CASE("events: a trylock waits for nothing, but is held") {
    CHECK(cycles_of(seen_in({events().by(1, "a try:b -b -a").by(2, "b a -a -b").text()})).empty());
    CHECK(cycles_of(seen_in({events().by(1, "try:a b -b -a").by(2, "b a -a -b").text()})) ==
          texts{"a b"});
    // What was taken before the try is held as well.
    CHECK(cycles_of(seen_in({events().by(1, "a try:b c -c -b -a").by(2, "c a -a -c").text()})) ==
          texts{"a c"});
}

TEST_CASE("events: readers that meet need a writer, and readers alone are no cycle") {
    CHECK(cycles_of(seen_in({events().by(1, "read:a b -b -a").by(2, "b read:a -a -b").text()}))
              .empty());
    CHECK(cycles_of(seen_in(
              {events().by(1, "read:a b -b -a").by(2, "b read:a -a -b").by(3, "a -a").text()})) ==
          texts{"a b (writer)"});
    CHECK(cycles_of(seen_in({events().by(1, "read:a b -b -a").by(2, "b a -a -b").text()})) ==
          texts{"a b"});
    // The path goes through a reader that did not wait for the class before it.
    CHECK(cycles_of(seen_in({events().by(1, "a read:r c -c -r -a").by(2, "c a -a -c").text()})) ==
          texts{"a c"});
}

TEST_CASE("events: interrupts have a stack of their own") {
    CHECK(
        cycles_of(
            seen_in(
                {events().by(1, "a").by(1, "b -b", "..s.").by(1, "-a").by(2, "b a -a -b").text()}))
            .empty());
    CHECK(
        cycles_of(
            seen_in(
                {events().by(1, "a").by(1, "b -b", "..h.").by(1, "-a").by(2, "b a -a -b").text()}))
            .empty());
    CHECK(cycles_of(
              seen_in({events().by(1, "a b -b -a", "..s.").by(2, "b a -a -b", "..s.").text()})) ==
          texts{"a b"});
    // Idle tasks of two CPUs share the id 0.
    std::string text = "# tracer: nop\n";
    text += event(0, 0, "....", 1, "lock_acquire: 01 a");
    text += event(0, 1, "....", 2, "lock_acquire: 02 b");
    text += event(0, 0, "....", 3, "lock_release: 01 a");
    text += event(0, 1, "....", 4, "lock_acquire: 01 a");
    CHECK(seen_in({text}).order.edges() == 1);
}

TEST_CASE("steps: traces of wedge have the orders, readers and tries of their locks") {
    const std::string head =
        "wedge-trace 1\nthread 1 writer\nlock 1 mutex a#1\nlock 2 shared_mutex b#2\n"
        "site 1 f (f.c:3)\n";
    const auto cycles = [&](const std::string& steps) {
        return cycles_of(seen_in({head + steps}));
    };
    const std::string forth =
        "1 request 1 @1\n1 acquire 1 @1\n1 acquire 2\n1 release 2\n1 release 1\n";
    CHECK(cycles(forth + "2 acquire 2\n2 acquire 1\n") == texts{"a b"});
    CHECK(cycles(forth + "2 acquire 1\n2 acquire 2\n").empty());
    CHECK(cycles(forth + "2 acquire 2\n2 try_acquire 1\n").empty());
    // A wait for a condition releases its lock and acquires it again.
    CHECK(cycles(forth + "2 acquire 1\n2 acquire 2\n2 wait 9 1\n2 wake 9 1\n") == texts{"a b"});
    CHECK(
        cycles(forth + "2 acquire 2\n2 release 2\n2 acquire 1\n2 wait 9 1\n2 wake 9 1\n").empty());
}

TEST_CASE("steps: a line that is no step is an error with its place, other steps are counted") {
    const auto wrong = [](const std::string& line) -> std::string {
        try {
            seen_in({"wedge-trace 1\n1 acquire 1\n" + line + "\n"});
        } catch (const trace_error& error) {
            return error.what();
        }
        return "";
    };
    CHECK(wrong("1 grab 1") == "t:3: unknown step 'grab'; docs/traces.md lists the steps");
    CHECK(wrong("1 release").starts_with("t:3: expected THREAD STEP OBJECT"));
    CHECK(wrong("1 spawn 2") == "");
    CHECK(seen_in({"wedge-trace 1\n1 request 1\n1 acquire 1\n1 up 3\n1 release 1\n"}).events == 4);
}

TEST_CASE("steps: tasks that want each other's locks at the end of a trace hang") {
    const std::string half = "wedge-trace 1\n1 acquire 1\n2 acquire 2\n1 request 2\n";
    CHECK(seen_in({half + "2 request 1\n"}).hangs.size() == 1);
    CHECK(seen_in({half + "2 release 2\n1 acquire 2\n"}).hangs.empty());
}

TEST_CASE("steps: locks of one class keep their numbers in a hang, others do not") {
    const std::string half =
        "wedge-trace 1\nlock 1 mutex node#1\nlock 2 mutex node#2\nlock 3 mutex map#3\n"
        "1 acquire 1\n2 acquire 2\n";
    const auto locks = [&](const std::string& steps) {
        const observations seen = seen_in({half + steps});
        REQUIRE(seen.hangs.size() == 1);
        texts names = seen.hangs[0].cycle_locks;
        std::sort(names.begin(), names.end());
        return names;
    };
    CHECK(locks("1 request 2\n2 request 1\n") == texts{"node#1", "node#2"});
    CHECK(locks("2 release 2\n3 acquire 3\n3 request 1\n1 request 3\n") == texts{"map", "node"});
}

TEST_CASE("events: what was lost is not taken for held") {
    CHECK(cycles_of(seen_in({events().by(1, "-x a b -b -a").text()})).empty());
    const auto lost = [](const char* line) {
        return seen_in({events().by(1, "a").line(line).by(1, "b -b").by(2, "b a -a -b").text()});
    };
    CHECK(cycles_of(lost("CPU:0 [LOST 12 EVENTS]")).empty());
    CHECK(cycles_of(lost("##### CPU 1 buffer started ####")).empty());
    CHECK(lost("CPU:0 [LOST 12 EVENTS]").notes.size() == 1);
    CHECK(cycles_of(lost("# nothing")) == texts{"a b"});
    // The release of a is missing: nobody takes again what it has.
    CHECK(seen_in({events().by(1, "a b a -a").text()}).order.edges() == 2);
}

TEST_CASE("events: trace-cmd and perf print them as well") {
    const std::string perf =
        "  my task  11/12  [001] 15114.942166: lock:lock_acquire: 0xffff01 a\n"
        "  my task  11/12  [001] 15114.942167:       lock:lock_acquire: 0xffff02 try read b\n"
        "  my task  11/12  [001] 15114.942168:       lock:lock_acquire: 0xffff03 c d\n";
    const observations seen = seen_in({perf});
    CHECK(seen.events == 3);
    CHECK(seen.order.edges() == 2);
    CHECK(seen.order.find("c d") != lock_graph::none);
    const std::string command =
        "cpus=2\n  kswapd0-30    [000] d..2   179.034159: lock_acquire:         0xffff01 a\n"
        "  kswapd0-30    (     30) [000] d..2.   179.034160: lock_acquire:         0xffff02 read "
        "b\n";
    CHECK(seen_in({command}).order.edges() == 1);
}

TEST_CASE("events: waits are counted by lock") {
    const observations seen = seen_in({events()
                                           .by(1, "a")
                                           .wait(1, 1, "contention_begin: 00aa (flags=MUTEX)")
                                           .wait(1, 500, "contention_end: 00aa (ret=0)")
                                           .by(1, "-a fs_reclaim")
                                           .wait(1, 1, "contention_begin: 00bb (flags=SPIN)")
                                           .wait(1, 20, "contention_end: 00bb (ret=0)")
                                           .text()});
    REQUIRE(seen.contended.size() == 2);
    CHECK(seen.contended[0].name == "a");
    CHECK(seen.contended[0].total_ns == 500'000);
    CHECK(seen.contended[1].name == "lock at 00bb (SPIN)");
}

TEST_CASE("events: tasks that wait for each other at the end hang") {
    const observations hung =
        seen_in({events().by(1, "a").by(2, "b").by(1, "b").by(2, "a").text()});
    REQUIRE(hung.hangs.size() == 1);
    CHECK(hung.hangs[0].cycle_locks.size() == 2);
    CHECK(tell(hung, "t", {}).text.find("task 1-1 holds a and waits for b") != std::string::npos);
    CHECK(seen_in({events().by(1, "a").by(2, "b").by(1, "b -b").by(2, "a").text()}).hangs.empty());
}

const char* const dump =
    "all lock classes:\n"
    "00000000aaaaaaa1 OPS:     824 FD:    3 BD:    1 +.+.: &mm->mmap_lock\n"
    " -> [00000000aaaaaaa2] reservation_ww_class_mutex\n"
    "\n"
    "00000000aaaaaaa2 FD:    2 BD:    2 +.+.: reservation_ww_class_mutex\n"
    " -> [00000000aaaaaaa3] fs_reclaim\n"
    "\n"
    "00000000aaaaaaa3 FD:    1 BD:    3 +.+.: fs_reclaim\n"
    " -> [00000000aaaaaaa4] per_cpu_ptr(&lock, cpu)\n"
    "\n"
    "00000000aaaaaaa4: per_cpu_ptr(&lock, cpu)\n";

TEST_CASE("lockdep: classes, their dependencies, and a cycle that a wrong one closes") {
    const observations seen = seen_in({dump});
    CHECK(seen.order.classes().size() == 4);
    CHECK(seen.order.edges() == 3);
    CHECK(seen.order.at(0).acquires == 824);
    CHECK(seen.order.find("per_cpu_ptr(&lock, cpu)") != lock_graph::none);
    CHECK(cycles_of(seen).empty());
    const observations broken =
        seen_in({std::string(dump) + " -> [00000000aaaaaaa2] reservation_ww_class_mutex\n"});
    CHECK(cycles_of(broken).size() == 1);
    // Keys differ at the next boot, and are zeros without the right to see them.
    std::string hidden = dump;
    for (std::size_t at = 0; (at = hidden.find("aaaaaaa", at)) != std::string::npos;)
        hidden.replace(at, 8, "00000000");
    CHECK(seen_in({hidden}).order.edges() == 3);
    CHECK(seen_in({dump, hidden}).order.classes().size() == 4);
}

TEST_CASE("lockdep: two classes of one name stay apart") {
    const observations seen =
        seen_in({"all lock classes:\n"
                 "00a1 FD: 1 BD: 1 +.+.: a\n -> [00b1] b\n\n"
                 "00b2 FD: 1 BD: 1 +.+.: b\n -> [00a1] a\n\n"});
    CHECK(seen.order.classes().size() == 3);
    CHECK(cycles_of(seen).empty());
}

TEST_CASE("chains: what one task held at once") {
    const observations seen =
        seen_in({"all lock chains:\nirq_context: 0\n[00000000a1] a\n[00000000b1] b\n\n"
                 "irq_context: softirq\n[00000000b1] b\n[00000000a1] a\n\n"});
    CHECK(seen.chains == 2);
    CHECK(cycles_of(seen) == texts{"a b"});
    CHECK(
        cycles_of(
            seen_in(
                {"all lock chains:\nirq_context: 0\n[00000000a1] a\n[00000000c1] rcu_read_lock\n\n"
                 "irq_context: 0\n[00000000c1] rcu_read_lock\n[00000000a1] a\n\n"}))
            .empty());
}

TEST_CASE("lock_stat: the longest waits") {
    const observations seen =
        seen_in({"lock_stat version 0.4\n-----\n"
                 "  class name    con-bounces    contentions   waittime-min\n-----\n\n"
                 "      &mm->mmap_lock-W:    5   9   2.66  54.02   62.50  4.91  9  1250  0.00  "
                 "7.32  11.73  9.46\n"
                 "      &mm->mmap_lock-R:    1   6   1.35  58.87   90.67  1.62  1   4404  0.00  "
                 "1.57  22.50  5.65\n"
                 "      ----------------\n"
                 "        &mm->mmap_lock            440          [<0000000036ba715d>] "
                 "vm_mmap_pgoff+0x69/0x130\n"});
    REQUIRE(seen.contended.size() == 1);
    CHECK(seen.contended[0].name == "&mm->mmap_lock");
    CHECK(seen.contended[0].waits == 15);
    CHECK(seen.contended[0].longest_ns == 58870);
    CHECK(seen.contended[0].total_ns == 153170);
    CHECK(seen.contended[0].at == texts{"vm_mmap_pgoff+0x69/0x130"});
    CHECK(!tell(seen, "t", {}).has_findings);
}

TEST_CASE("a stated order") {
    const observations seen = seen_in({dump});
    const auto told = [&](const std::string& order) {
        evidence_options options;
        options.order = order;
        return tell(seen, "t", options);
    };
    CHECK(!told("mmap_lock -> reservation_ww_class_mutex -> fs_reclaim").has_findings);
    const evidence broken = told("fs_reclaim -> mmap_lock");
    CHECK(broken.has_findings);
    CHECK(broken.text.find("fs_reclaim should come before mmap_lock") != std::string::npos);
    CHECK(broken.text.find("&mm->mmap_lock -> reservation_ww_class_mutex") != std::string::npos);
    CHECK(broken.text.find("reservation_ww_class_mutex -> fs_reclaim") != std::string::npos);
    CHECK(told("mmap_lock -> dma_resv").unknown == texts{"dma_resv"});
    CHECK(told("mmap_loc -> fs_reclaim").unknown == texts{"mmap_loc"});
    CHECK(told("&mm->mmap_lock -> fs_reclaim").unknown.empty());
}

TEST_CASE("around a class") {
    evidence_options options;
    options.around = "reservation_ww_class_mutex";
    const std::string text = tell(seen_in({dump}), "t", options).text;
    CHECK(text.find("around reservation_ww_class_mutex: 3 classes") != std::string::npos);
    CHECK(text.find("per_cpu_ptr") == std::string::npos);
    options.depth = 2;
    CHECK(tell(seen_in({dump}), "t", options).text.find("per_cpu_ptr") != std::string::npos);
    options.around = "nothing";
    CHECK(tell(seen_in({dump}), "t", options).unknown == texts{"nothing"});
}

TEST_CASE("two dumps") {
    const std::string more = std::string(dump) +
                             " -> [00000000aaaaaaa2] reservation_ww_class_mutex\n"
                             "\n00000000aaaaaaa5: new\n";
    const evidence told = compare(seen_in({dump}), seen_in({more}), {});
    CHECK(told.has_findings);
    CHECK(told.text.find("added classes: 1\n    new\n") != std::string::npos);
    CHECK(told.text.find("added dependencies: 1\n") != std::string::npos);
    CHECK(told.text.find("new cycle:") != std::string::npos);
    CHECK(compare(seen_in({dump}), seen_in({dump}), {}).text ==
          "the same classes and dependencies\n");
    CHECK(!compare(seen_in({more}), seen_in({dump}), {}).has_findings);
}

TEST_CASE("pictures and JSON") {
    const observations seen = seen_in({events().by(1, "a\"x b -b -a\"x").by(2, "b a\"x").text()});
    const std::string dot = dot_of(seen, {});
    CHECK(dot.find("[label=\"a\\\"x\"]") != std::string::npos);
    CHECK(dot.find("[color=red") != std::string::npos);
    CHECK(json_of(seen, "t", {}).find("\"cycle_locks\":[\"a\\\"x\",\"b\"]") != std::string::npos);
}

TEST_CASE("a name that several classes share is said to be one") {
    const std::string classes = "all lock classes:\n00a1 FD: 1 BD: 1 +.+.: a#2\n\n";
    const observations seen = seen_in({classes, events().by(1, "a b -b -a").by(2, "b a").text()});
    CHECK(tell(seen, "t", {}).text.find("Several classes have one of these names") !=
          std::string::npos);
}

TEST_CASE("what is no trace is refused, and reports are no traces") {
    std::istringstream in("hello\n");
    observations seen;
    CHECK_THROWS_AS(read_trace(in, "t", seen), trace_error);
    CHECK(
        kind_of_trace(
            "WARNING: possible circular locking dependency detected\n lock_acquire+0xc0/0x2d0\n") ==
        trace_kind::none);
    CHECK(kind_of_trace(events().text()) == trace_kind::events);
    CHECK(kind_of_trace("> all lock classes:\n") == trace_kind::lockdep);
}

}  // namespace
