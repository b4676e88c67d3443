#include <csignal>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/stress_words.hpp"

#include "main/fake_program.hpp"
#include "stress/sample_workloads.hpp"

namespace stress_command_test {

using namespace std::chrono_literals;

/// Two actions. Each takes its own lock.
struct ledger {
    wedge::mutex books{"books"};
    wedge::mutex coins{"coins"};

    void look() { const wedge::guard held(books); }
    void pay() {
        const wedge::guard held(books);
        const wedge::guard inner(coins);
    }
    static constexpr wedge::result expects = wedge::result::sound;
    static constexpr auto actions =
        wedge::actions(wedge::action<&ledger::look>{"look"}, wedge::action<&ledger::pay>{"pay"});
};
/// Takes both locks in both orders. One thread calls the actions, so that none hangs and only the
/// order is found.
struct inverted {
    wedge::mutex books{"inverted books"};
    wedge::mutex coins{"inverted coins"};

    void pay(std::uint32_t how) {
        const wedge::guard held(how % 2 == 0 ? books : coins);
        const wedge::guard inner(how % 2 == 0 ? coins : books);
    }
    static constexpr wedge::result expects = wedge::result::deadlock;
    static constexpr auto actions = wedge::actions(wedge::action<&inverted::pay>{"pay"});
};
/// Raises SIGINT during the run.
struct interrupter {
    wedge::mutex lock{"interrupted"};
    void act() {
        const wedge::guard held(lock);
        if (!wedge::interrupt_scope::requested.load()) std::raise(SIGINT);  // once
    }
    static constexpr auto actions = wedge::actions(wedge::action<&interrupter::act>{"act"});
};

const wedge::workload_entry ledgers[] = {wedge::entry_of<ledger>(), wedge::entry_of<inverted>()};

called stress(std::initializer_list<const char*> more) {
    std::vector<const char*> words{"stress"};
    words.insert(words.end(), more);
    return call_program(ledgers, words);
}

TEST_CASE("stress: a run ends after its operations, and prints one table per kind of measurement") {
    const called done =
        stress({"ledger", "--threads", "2", "--operations", "200", "--weights", "look, pay=3"});
    CHECK(done.status == 0);
    CHECK(done.out.starts_with("ledger: clean, 400 calls by 2 threads in "));
    for (const char* const part :
         {"\n  action  calls ", "\n  look ", "\n  pay ", "\n  lock class  acquired", "\n  books ",
          "\n  coins ", "\n  call site ", "fairness 1.000: 200 to 200 calls per thread\n",
          "\n  longest wait ", "\n  memory "})
        CHECK_MESSAGE(done.out.find(part) != std::string::npos, part);
}

TEST_CASE("stress: weights and roles decide which thread calls what") {
    const called looks = stress({"ledger", "--threads", "3", "--operations", "50", "--roles",
                                 "2: look | 1: pay", "--json"});
    CHECK(looks.out.find("\"action\":\"look\",\"latency_ns\":{\"count\":100,") !=
          std::string::npos);
    CHECK(looks.out.find("\"action\":\"pay\",\"latency_ns\":{\"count\":50,") != std::string::npos);
    CHECK(looks.out.find("\"class\":\"coins\",\"acquired\":50,") != std::string::npos);
    CHECK(looks.out.find("\"calls_by_thread\":[50,50,50]") != std::string::npos);
}

TEST_CASE("stress: --expect compares with what each workload states") {
    const called both = stress({"--expect", "--threads", "1", "--operations", "50"});
    CHECK(both.status == 0);
    CHECK(both.out.starts_with("ledger: clean"));
    CHECK(both.out.find("inverted coins") != std::string::npos);
    CHECK(both.out.find("calls/s, as expected\n") != std::string::npos);
    const called missed = stress({"inverted", "--expect", "--threads", "1", "--operations", "1"});
    CHECK(missed.status == 1);
    CHECK(missed.out.find("; expected: deadlock\n") != std::string::npos);
    CHECK(stress({"inverted", "--threads", "1", "--operations", "50"}).status == 1);
    CHECK(stress({"--list"}).out == "ledger sound\ninverted deadlock\n");
}

TEST_CASE("stress: a deadlock is saved as a scenario, and the explorer reaches it") {
    using broken = samples::certain_wedge<false>;
    const scratch_folder here;
    const wedge::workload_entry entries[] = {wedge::entry_of<broken>()};
    const called found = call_program(
        entries, {"stress", "--threads", "2", "--roles", "forth | back", "--out", "found"});
    samples::openable_mutex::is_open.store(true);
    while (broken::alive.load() != 0) ::sched_yield();
    samples::openable_mutex::is_open.store(false);
    CHECK(found.status == 1);
    CHECK(found.out.find(": wedged, 0 calls by 2 threads") != std::string::npos);
    CHECK(found.out.find("stack of worker 1\n    ") != std::string::npos);
    CHECK(found.out.find("\n  lock class ") != std::string::npos);
    const std::string head = "confirmed: the explorer repeats the deadlock of the scenario in ";
    const std::size_t at = found.out.find(head);
    REQUIRE(at != std::string::npos);
    const std::size_t from = at + head.size();
    const std::string file = found.out.substr(from, found.out.find('\n', from) - from);
    CHECK(call_program({}, {"check", file.c_str()}).status == 0);
    const std::size_t replay = found.out.find("replay: ./bin/bank replay ", at) + 26;
    const std::string schedule = found.out.substr(replay, found.out.find('\n', replay) - replay);
    CHECK(call_program({}, {"replay", schedule.c_str()}).status == 1);
}

TEST_CASE("stress: an interrupted run prints its whole summary, and says that it was cut") {
    const wedge::workload_entry entries[] = {wedge::entry_of<interrupter>()};
    const called cut = call_program(entries, {"stress", "--threads", "1", "--seconds", "1000"});
    CHECK(cut.status == 130);
    CHECK(cut.out.starts_with("interrupter: clean so far (cut), "));
    CHECK(cut.out.find("\n  interrupted ") != std::string::npos);
    CHECK(cut.err.find("bank: cut: interrupted before the time was over\n") != std::string::npos);
}

TEST_CASE("stress: a sweep prints a line for each number of threads") {
    const called swept = stress({"ledger", "--sweep", "1,2", "--operations", "20"});
    CHECK(swept.status == 0);
    const std::size_t at = swept.out.find("ledger: scaling\n\n  threads  calls/s");
    REQUIRE(at != std::string::npos);
    CHECK(swept.out.find("\n  1  ", at) != std::string::npos);
    CHECK(swept.out.find("\n  2  ", at) != std::string::npos);
}

/// Two threads take two locks. They never hang, since the second one waits for the first.
std::string both_orders(const char* first, const char* second) {
    const std::string in = "    lock ", out = "    unlock ";
    const std::string a = std::string(first) + "\n", b = std::string(second) + "\n";
    return "lock left mutex\nlock right mutex\ncompletion done\nthread one {\n" + in + "left\n" +
           in + "right\n" + out + "right\n" + out +
           "left\n    complete done\n}\nthread two {\n    wait done\n" + in + a + in + b + out + b +
           out + a + "}\n";
}

TEST_CASE("stress: each thread of a scenario runs on a real thread, in rounds") {
    const scratch_folder here;
    wedge::write_text("inverted.wedge", both_orders("right", "left"));
    wedge::write_text("ordered.wedge", both_orders("left", "right"));
    const called found = stress({"inverted.wedge", "--operations", "20", "--threads", "2"});
    CHECK(found.status == 1);
    CHECK(found.out.find("right -> left here, by worker 2") != std::string::npos);
    CHECK(found.out.find("\n  one        20 ") != std::string::npos);
    CHECK(found.out.find("\n  two        20 ") != std::string::npos);
    const called clean = stress({"ordered.wedge", "--operations", "20", "--threads", "4"});
    CHECK(clean.status == 0);
    CHECK_MESSAGE(clean.out.starts_with("ordered.wedge: clean, 80 calls by 4 threads"), clean.out);
}

TEST_CASE("stress: the expectations of a scenario are about what happens") {
    const scratch_folder here;
    const auto status_of = [](const std::string& text) {
        wedge::write_text("one.wedge", text);
        return stress({"one.wedge", "--operations", "5", "--expect"}).status;
    };
    const std::string fails = "counter k = 0\nthread one { assert k == 1 }\n";
    const std::string works = "counter k = 1\nthread one { assert k == 1 }\n";
    CHECK(status_of(both_orders("right", "left")) == 0);  // the explorer refutes that order
    CHECK(status_of(fails) == 1);
    CHECK(status_of(fails + "expect finding assertion\n") == 0);
    CHECK(status_of(works) == 0);
    CHECK(status_of(works + "expect finding assertion\n") == 1);
}

TEST_CASE("stress: the objects of a scenario are new in each round, and kswapd serves it") {
    const scratch_folder here;
    wedge::write_text("all.wedge",
                      "memory 8 pages min 1 low 4 high 6\nlock a rwsem\nlock r ww_mutex x2\n"
                      "lock s spinlock\nlock q seqlock\nlock m recursive_mutex\nlock w rwlock\n"
                      "counter k = 0\nsemaphore free = 1\ncondition some\nwait_queue idle\n"
                      "refcount users = 2 { lock s\n unlock s }\nfence done\n"
                      "shrinker cache { try lock a { free 4\n unlock a } }\n"
                      "thread one {\n lock a\n downgrade a\n unlock a\n alloc 4 GFP_KERNEL\n"
                      " lock m\n lock m\n add k 1\n unlock m\n unlock m\n lock s\n"
                      " notify some all\n unlock s\n add k 1\n wake idle\n put users\n"
                      " signal done\n}\n"
                      "thread two {\n transaction t { lock r[0] with t\n lock r[1] with t }\n"
                      " alloc 3 GFP_KERNEL\n read q { until k > 0 }\n wait idle until k == 2\n"
                      " lock w\n unlock w\n wait done\n down free\n up free\n put users\n"
                      " assert k == 2\n}\n");
    const called clean = stress({"all.wedge", "--operations", "40"});
    CAPTURE(clean.out);
    CAPTURE(clean.err);
    CHECK(clean.status == 0);
    CHECK(clean.out.find("\n  kswapd ") != std::string::npos);
}

TEST_CASE("stress: works, timers, handlers and joins of a scenario run on real threads") {
    const scratch_folder here;
    wedge::write_text(
        "served.wedge",
        "lock a mutex\nlock s spinlock\nlock hard raw_spinlock\nlock q qrwlock\nlock m map\n"
        "lock n recursive_mutex\ncompletion came\ncompletion done\ncounter runs = 0\n"
        "work w {\n lock a\n add runs 1\n unlock a\n}\n"
        "delayed_work d {\n lock a\n unlock a\n queue w\n}\n"
        "timer t {\n lock s\n read q\n unlock q\n unlock s\n arm t\n}\n"
        "irq_work i {\n lock hard\n unlock hard\n}\n"
        "handler h hardirq {\n lock hard\n complete came\n unlock hard\n}\n"
        "handler soft softirq {\n read q\n unlock q\n}\nhandler e nmi {\n try lock hard {\n"
        " unlock hard\n } else {\n }\n}\n"
        "thread helper x2 {\n read m\n lock a\n unlock a\n unlock m\n}\n"
        "thread main {\n queue w\n queue d\n arm t\n queue i\n wait came\n irq off\n lock hard\n"
        " unlock hard\n irq on\n bh off\n lock s\n lock q\n unlock q\n unlock s\n bh on\n"
        " bh off\n read q\n unlock q\n bh on\n sync m\n join helper\n flush w\n flush d\n flush "
        "i\n cancel t\n"
        " assert runs > 0\n lock n\n lock n\n unlock n\n unlock n\n}\n");
    const called clean = stress({"served.wedge", "--operations", "40", "--threads", "10"});
    CAPTURE(clean.out);
    CAPTURE(clean.err);
    CHECK(clean.status == 0);
    for (const char* const served : {"\n  w ", "\n  d ", "\n  t ", "\n  i ", "\n  h ", "\n  e "})
        CHECK(clean.out.find(served) != std::string::npos);
}

TEST_CASE("stress: a queued work runs before its round ends, and what it queues too") {
    const scratch_folder here;
    wedge::write_text("chain.wedge",
                      "counter runs = 0\nwork first {\n queue second\n}\n"
                      "delayed_work second {\n add runs 1\n assert runs == 0\n}\n"
                      "thread one {\n queue first\n}\n");
    const called found = stress({"chain.wedge", "--operations", "1"});
    CHECK(found.status == 1);
    CHECK(found.out.find("the assertion runs == 0") != std::string::npos);
}

TEST_CASE("stress: a handler that asks for its thread is refused with the place") {
    const scratch_folder here;
    const auto complains = [](const std::string& in_handler, const char* about) {
        wedge::write_text("asks.wedge",
                          "lock r recursive_mutex\nlock a spinlock\n"
                          "counter own = 0 local\nmemory 4 pages low 0 high 0\nthread one {\n}\n"
                          "refcount o {\n}\nhandler h hardirq {\n    " +
                              in_handler + "\n}\n");
        const called refused = stress({"asks.wedge"});
        CHECK(refused.status == 2);
        CHECK_MESSAGE(refused.err.starts_with(std::string("bank: asks.wedge:10:5: ") + about),
                      refused.err);
    };
    complains("try lock r", "a recursive mutex in a handler exists under control only");
    complains("if held a {\n    }", "a test of what is held in a handler");
    complains("assert held a", "a test of what is held in a handler");
    complains("add own 1", "a local counter in a handler");
    complains("alloc 1 GFP_KERNEL", "reclaim in a handler");
    wedge::write_text("put.wedge",
                      "lock r recursive_mutex\nrefcount o {\n    lock r\n    unlock r\n}\n"
                      "thread one {\n}\nhandler h hardirq {\n    put o\n}\n");
    CHECK(stress({"put.wedge"})
              .err.starts_with("bank: put.wedge:3:5: a recursive mutex in a handler"));
}

TEST_CASE("stress: a scenario whose threads share a processor is refused with the place") {
    const scratch_folder here;
    wedge::write_text("two.wedge", "lock a mutex\nthread one x2 {\n    lock a\n    unlock a\n}\n");
    wedge::write_text("cpu.wedge", "thread one {\n}\nthread two cpu 0 {\n}\n");
    wedge::write_text("none.wedge", "lock a mutex\nhandler h hardirq {\n}\n");
    const called refused = stress({"cpu.wedge"});
    CHECK(refused.status == 2);
    CHECK(refused.err ==
          "bank: cpu.wedge:3:1: 'cpu' exists under control only: to share a processor by priority "
          "needs rights of the system; `wedge check` tries the interleavings of the file\n");
    CHECK(stress({"none.wedge"}).err == "bank: none.wedge: there is no thread to stress\n");
    std::filesystem::remove("none.wedge");
    const called odd = stress({"two.wedge", "--threads", "3"});
    CHECK(odd.status == 2);
    CHECK(odd.err ==
          "bank: --threads: two.wedge has 2 threads, so the number is a multiple of 2\n");
    const called drawn = stress({"two.wedge", "--weights", "one=2"});
    CHECK(drawn.status == 2);
    CHECK(drawn.err == "bank: --weights: a scenario says itself what each thread does\n");
    const called mixed = stress({"none.wedge", "two.wedge", "--operations", "5"});
    CHECK(mixed.status == 2);
    CHECK(mixed.err == "bank: none.wedge: No such file or directory\n");
    CHECK(mixed.out.starts_with("two.wedge: clean, 10 calls"));
}

TEST_CASE("stress: misuse names the option, the bad value and the expected value") {
    const auto complains = [](std::initializer_list<const char*> words, const char* about) {
        const called wrong = stress(words);
        CHECK(wrong.status == 2);
        CHECK_MESSAGE(wrong.err.find(about) != std::string::npos, wrong.err);
    };
    complains({"ledgr"}, "WORKLOAD: there is no workload 'ledgr' (did you mean ledger?)");
    complains({"ledger", "--seconds", "5x"}, "--seconds: '5x' is not a time; expected a number");
    complains({"ledger", "--hold", "5us-2us"}, "--hold: 5us-2us ends before it begins");
    complains({"ledger", "--weights", "lok"}, "--weights: there is no 'lok' (did you mean look?)");
    complains({"ledger", "--weights", "look=0"}, "--weights: all weights are 0");
    complains({"ledger", "--phases", "calm,strom"},
              "--phases: there is no 'strom'; there is steady, calm");
    complains({"ledger", "--sweep", "1,,2"}, "--sweep: '', expected an integer >= 1");
    complains({"ledger", "--place", "here"}, "--place: there is no 'here'");
    complains({"ledger", "--weights", "look", "--roles", "pay"}, "--weights: --roles says it");
}

TEST_CASE("stress: times and distributions print as the text that they were read from") {
    CHECK(wedge::duration_of("x", "250ns") == 250ns);
    CHECK(wedge::duration_of("x", "1.5ms") == 1500us);
    CHECK(wedge::duration_of("x", "2m") == 2min);
    const wedge::random_time uniform = wedge::random_time_of("x", "1us-3us");
    wedge::rng random(3);
    for (int i = 0; i < 100; ++i) {
        const auto drawn = uniform.draw(random);
        CHECK(drawn >= 1us);
        CHECK(drawn <= 3us);
    }
    const wedge::random_time mean = wedge::random_time_of("x", "exp:10us");
    std::chrono::nanoseconds sum{0};
    for (int i = 0; i < 10'000; ++i) sum += mean.draw(random);
    CHECK(sum / 10'000 > 9us);
    CHECK(sum / 10'000 < 11us);
}

}  // namespace stress_command_test
