#include "wedge/scenario/parse.hpp"

#include <algorithm>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"
#include "wedge/scenario/print.hpp"

#include "scenario/read.hpp"
#include "support/trials.hpp"

namespace parse_test {
namespace {

std::string message_of(const std::string& text) {
    try {
        static_cast<void>(parsed(text));
    } catch (const wedge::error& wrong) {
        return wrong.what();
    }
    return "no error";
}

struct bad_text {
    const char* text;
    const char* message;
};

}  // namespace

TEST_CASE("parse: each error is one line with its place, what stood there and what was expected") {
    const bad_text all[] = {
        {"", "1:1: found the end of the file, expected a declaration"},
        {"# only a comment\n", "2:1: found the end of the file, expected a declaration"},
        {"lok a mutex",
         "1:1: found 'lok', expected a declaration as 'lock' or 'thread' (did you mean 'lock'?)"},
        {"}", "1:1: found '}', expected a declaration as 'lock' or 'thread'"},
        {"12ab", "1:1: found '12ab', expected a declaration as 'lock' or 'thread'"},
        {"\xc3\xa9", "1:1: found '\\xc3\\xa9', expected a declaration as 'lock' or 'thread'"},
        {"lock a mutx",
         "1:8: found 'mutx', expected the kind of the lock: mutex, recursive_mutex, rtmutex, "
         "rwsem, rwlock, qrwlock, spinlock, raw_spinlock, local_lock, seqcount, seqlock, ww_mutex "
         "or map (did you mean 'mutex'?)"},
        {"lock a lock",
         "1:8: found 'lock' (a keyword), expected the kind of the lock: mutex, recursive_mutex, "
         "rtmutex, rwsem, rwlock, qrwlock, spinlock, raw_spinlock, local_lock, seqcount, seqlock, "
         "ww_mutex or map"},
        {"lock a",
         "1:7: found the end of the file, expected the kind of the lock: mutex, recursive_mutex, "
         "rtmutex, rwsem, rwlock, qrwlock, spinlock, raw_spinlock, local_lock, seqcount, seqlock, "
         "ww_mutex or map"},
        {"lock a mutex x0", "1:14: found 'x0', expected xN, N from 1 to 1024"},
        {"lock a mutex b",
         "1:14: found 'b', expected xN, 'class', 'ordered', 'unchecked' or the end of the "
         "statement"},
        {"lock a mutex\nlock a rwsem", "2:6: 'a' is declared in line 1 already"},
        {"lock a mutex class c\nlock b mutex class c unchecked",
         "2:6: class 'c' is not unchecked in line 1"},
        {"lock a mutex class c ordered\nlock b mutex class c",
         "2:6: class 'c' is ordered in line 1"},
        {"lock a map class c\nlock b mutex class c", "2:6: class 'c' is a map's in line 1"},
        {"fence", "1:6: found the end of the file, expected the name of a fence"},
        {"semaphore S 3", "1:13: found '3', expected '='"},
        {"semaphore S = -1", "1:15: found '-1', expected a number from 0 to 1000000000"},
        {"counter K = 0 locl", "1:15: found 'locl', expected 'local' or the end of the statement"},
        {"handler h nmi threaded { }", "1:15: found 'threaded' (a keyword), expected '{'"},
        {"handler h { }", "1:11: found '{', expected 'hardirq', 'softirq' or 'nmi'"},
        {"handler h hardirk { }",
         "1:11: found 'hardirk', expected 'hardirq', 'softirq' or 'nmi' (did you mean 'hardirq'?)"},
        {"work w x2 { }", "1:8: found 'x2', expected '{'"},
        {"memory 3 pages low 4 high 2",
         "1:1: the watermarks must rise: min <= low <= high <= pages"},
        {"memory 3 low", "1:10: found 'low' (a keyword), expected 'pages'"},
        {"memory 3 pags low 1 high 1",
         "1:10: found 'pags', expected 'pages' (did you mean 'pages'?)"},
        {"memory 1 pages low 0 high 0\nmemory 1 pages low 0 high 0",
         "2:1: a second memory; there is one zone"},
        {"counter K 3", "1:11: found '3', expected '='"},
        {"expect",
         "1:7: found the end of the file, expected 'sound', 'deadlock', 'livelock', "
         "'finding' or 'unresolved'"},
        {"expect finding deadlok",
         "1:16: found 'deadlok', expected the kind of a finding (did you mean 'deadlock'?)"},
        {"lock a mutex; order a", "1:22: found the end of the file, expected '->'"},
        {"order a -> b", "1:7: there is no lock 'a'\ntest.wedge:1:12: there is no lock 'b'"},
        {"thread t", "1:9: found the end of the file, expected '{'"},
        {"thread t x65 {}", "1:10: found 'x65', expected xN, N from 1 to 64"},
        {"thread a x60 {}\nthread b x5 {}",
         "2:8: more than 64 threads, works, timers and handlers in all"},
        {"thread t cpu 64 {}", "1:14: found '64', expected the number of a processor from 0 to 63"},
        {"thread t cpu 0 fifo 0 {}", "1:21: found '0', expected a priority from 1 to 99"},
        {"thread t fifo 1 {}", "1:10: found 'fifo' (a keyword), expected '{'"},
        {"thread a cpu 0 fifo 5 {}\nthread b cpu 1 fifo 5 {}\nthread c cpu 0 fifo 5 {}",
         "3:8: two threads of processor 0 have the priority 5, expected different ones"},
        {"thread t x2 cpu 0 fifo 5 {}",
         "1:8: two threads of processor 0 have the priority 5, expected different ones"},
        {"timer r {}\nthread t cpu 0 {}",
         "1:7: a timer cannot stand beside threads with 'cpu': to cancel it spins, which is not "
         "modelled there"},
        {"lock a local_lock\nthread t cpu 0 {}",
         "1:6: a local_lock cannot stand beside threads with 'cpu': each processor has its own, "
         "which is not modelled there"},
        {"lock a rtmutex\nthread t cpu 0 fifo 5 {}",
         "1:6: an rtmutex cannot stand beside threads with 'fifo': it passes priorities on, which "
         "is not modelled"},
        {"lock s spinlock; condition c\nthread t cpu 0 { wait c s }",
         "2:25: a wait that gives back 's', which spins, cannot stand beside threads with 'cpu'"},
        {"thread t\n{", "1:9: found the end of the line, expected '{'"},
        {"thread t {\n", "2:1: found the end of the file, expected '}' for the '{' of line 1"},
        {"thread t {} x", "1:13: found 'x', expected the end of the statement"},
        {"thread t { lok a }", "1:12: found 'lok', expected a statement (did you mean 'lock'?)"},
        {"thread t { lock }", "1:17: found '}', expected the name of a lock"},
        {"thread t { lock abc }", "1:17: there is no lock 'abc'"},
        {"lock abd mutex\nthread t { lock abc }",
         "2:17: there is no lock 'abc' (did you mean 'abd'?)"},
        {"counter K = 1\nthread t { lock K }", "2:17: 'K' is a counter, a lock is wanted"},
        {"lock a mutex\nthread t { lock a b }",
         "2:19: found 'b', expected 'timed', 'nest', 'subclass', 'with' or the end of the "
         "statement"},
        {"lock a mutex\nthread t { read a }", "2:17: 'a' is a mutex, which has no readers"},
        {"lock a rwlock\nthread t { downgrade a }",
         "2:22: 'a' is an rwlock, which has no downgrade"},
        {"lock a mutex x2\nthread t { lock a[2] }", "2:17: 'a' has 2 instances, from 0 on"},
        {"lock a mutex\nshrinker s { lock a[self] }",
         "2:19: 'self' is the number of a thread's copy, this is no thread"},
        {"lock a mutex\nthread t { lock a[x] }", "2:19: found 'x', expected an index or 'self'"},
        {"thread t { try unlock a }",
         "1:16: found 'unlock' (a keyword), expected 'lock', 'read' or 'get' (did you mean "
         "'lock'?)"},
        {"thread t { alloc x GFP_KERNEL }", "1:18: found 'x', expected a number of pages"},
        {"thread t { alloc 99999999999999999999 GFP_KERNEL }",
         "1:18: found '99999999999999999999', expected a number of pages from 0 to 1000000000"},
        {"thread t { alloc 1 GFP_KERNL }",
         "1:20: found 'GFP_KERNL', expected GFP flags as "
         "GFP_KERNEL (did you mean 'GFP_KERNEL'?)"},
        {"thread t { break }", "1:12: 'break' stands in no loop"},
        {"notifier n { if k == 1 { invalidate } }\ncounter k = 0",
         "1:26: 'invalidate' in a notifier would run the notifier itself"},
        {"thread t { if 3 = 4 {} }", "1:17: found '=', expected '==', '!=', '<' or '>'"},
        {"thread t { else {} }", "1:12: found 'else' (a keyword), expected a statement"},
        {"thread t { ww start T }", "1:15: found 'start', expected 'begin', 'done' or 'end'"},
        {"thread t { ww begin T class C }", "1:21: there is no class 'C' of ww_mutexes"},
        {"thread t { ww end T }",
         "1:19: there is no ticket 'T'; 'ww begin' or 'transaction' of this block makes one"},
        {"lock o ww_mutex\nthread t { lock o with T }",
         "2:24: there is no ticket 'T'; 'ww begin' or 'transaction' of this block makes one"},
        {"lock o mutex\nthread t { ww begin T; lock o with T }",
         "2:29: 'o' is a mutex, which takes no ticket"},
        {"lock o ww_mutex\nthread t { lock o slow T }", "2:24: found 'T', expected 'with'"},
        {"lock o ww_mutex\nthread t { transaction o { } }",
         "2:24: 'o' is a lock, the name of a ticket is wanted"},
        {"lock a mutex\nthread t { lock a nest b }", "2:24: there is no lock 'b'"},
        {"fence f\nlock a mutex\nthread t { wait f a }",
         "3:19: 'f' is a fence, only a wait for a condition names a lock"},
        {"condition v\nthread t { wait v }",
         "2:17: a wait for a condition names the lock that is held"},
        {"fence done_1\nthread t { wait done_2 }",
         "2:17: there is no fence, completion, condition or wait_queue 'done_2' (did you mean "
         "'done_1'?)"},
        {"lock a mutex\nthread t { wait a }",
         "2:17: 'a' is a lock, a fence, completion, condition or wait_queue is wanted"},
        {"condition v\nlock m map\nthread t { wait v m }", "3:19: 'm' is a map, a lock is wanted"},
        {"thread t { flush t }",
         "1:18: 't' is a thread, a work, delayed_work or irq_work is wanted"},
        {"work w { }\nthread t { join w }", "2:17: 'w' is a work, a thread is wanted"},
        {"fence f\nthread t { complete f }", "2:21: 'f' is a fence, a completion is wanted"},
        {"thread t { irq of }", "1:16: found 'of', expected 'off' or 'on' (did you mean 'off'?)"},
        {"thread t { assert held a }", "1:24: there is no lock 'a'"},
        {"fence f x2", "1:9: found 'x2', expected the end of the statement"},
        {"fence f\nthread t { wait f[1] }", "2:17: 'f' has no instances"},
        {"thread unlock-imbalance {}",
         "1:8: found 'unlock-imbalance', expected the name of a "
         "thread: letters, digits and '_'"},
    };
    for (const bad_text& each : all) {
        CAPTURE(each.text);
        CHECK(message_of(each.text) == std::string("test.wedge:") + each.message);
    }
}

TEST_CASE("parse: no text makes it crash, hang or exhaust memory") {
    std::string deep = "thread t { ";
    for (int i = 0; i < 100'000; ++i) deep += "choose { ";
    CHECK(message_of(deep).find(": blocks nest deeper than 64") != std::string::npos);
    CHECK(message_of(std::string(3 << 20, ' ')) ==
          "test.wedge: larger than 1 MiB, which is no scenario");
    wedge::rng random(7);
    const std::vector<std::string> files = corpus();
    for (unsigned i = 0; i < wedge::trials(3'000); ++i) {
        std::string text =
            text_of_file(files[random.below(static_cast<std::uint32_t>(files.size()))]);
        for (std::uint32_t n = random.below(4) + 1; n > 0; --n) {
            const auto at = random.below(static_cast<std::uint32_t>(text.size()));
            const auto size = random.below(12);
            switch (random.below(3)) {
                case 0: text[at] = static_cast<char>(random.below(256)); break;
                case 1: text.erase(at, size); break;
                default: text.insert(at, text.substr(random.below(at + 1), size));
            }
            if (text.empty()) text = "#";
        }
        const std::string message = message_of(text);
        std::istringstream lines(message);
        unsigned count = 0;
        for (std::string line; std::getline(lines, line); ++count)
            CHECK((message == "no error" || line.starts_with("test.wedge:")));
        CHECK(count <= 21);  // the last line counts the others
    }
}

TEST_CASE("parse: all mistakes of a file are reported at once, in the order of its lines") {
    CHECK(message_of(
              "lock a mutx\nlock b mutex\nthread t {\n    lok b\n    lock b {\n        lock b\n"
              "    }\n    unlock b c\n}\n}\nexpect sond\n") ==
          "test.wedge:1:8: found 'mutx', expected the kind of the lock: mutex, recursive_mutex, "
          "rtmutex, rwsem, rwlock, qrwlock, spinlock, raw_spinlock, local_lock, seqcount, seqlock, "
          "ww_mutex or map (did you mean 'mutex'?)\n"
          "test.wedge:4:5: found 'lok', expected a statement (did you mean 'lock'?)\n"
          "test.wedge:5:12: found '{', expected 'timed', 'nest', 'subclass', 'with' or the end of "
          "the "
          "statement\n"
          "test.wedge:8:14: found 'c', expected the end of the statement\n"
          "test.wedge:10:1: found '}', expected a declaration as 'lock' or 'thread'\n"
          "test.wedge:11:8: found 'sond', expected 'sound', 'deadlock', 'livelock', 'finding' or "
          "'unresolved' (did you mean 'sound'?)");
    // Names are checked if all declarations can be read.
    CHECK(message_of(
              "lock a mutex\nlock a mutex\nthread t {\n    lock b\n    unlok a\n    break\n}\n") ==
          "test.wedge:2:6: 'a' is declared in line 1 already\n"
          "test.wedge:4:10: there is no lock 'b'\n"
          "test.wedge:5:5: found 'unlok', expected a statement (did you mean 'unlock'?)\n"
          "test.wedge:6:5: 'break' stands in no loop");
    std::string many = "thread t {\n";
    for (unsigned i = 0; i < 50; ++i) many += "lok a\n";
    const std::string message = message_of(many + "}\n");
    CHECK(std::ranges::count(message, '\n') == 20);
    CHECK(message.ends_with("\ntest.wedge: 30 more mistakes"));
}

TEST_CASE("parse: kinds of locks have the names that Linux has for them") {
    const std::string text =
        "lock a percpu_rw_semaphore\nlock b rw_semaphore x2\nlock r rcu\nlock s srcu class c\n\n"
        "thread t {\n    read a\n    read b[1]\n    read r\n    unlock r\n    sync s\n    "
        "downgrade a\n}\n";
    const wedge::scenario::document all = parsed(text);
    CHECK(wedge::scenario::to_string(all) == text);
    CHECK(all.all[0].kind == wedge::scenario::lock_sort::rwsem);
    CHECK(all.all[2].kind == wedge::scenario::lock_sort::map);
}

TEST_CASE("parse: keywords are names wherever a name is expected") {
    const std::string text =
        "lock lock mutex\nlock timeout mutex x2\nlock until mutex\ncounter held = 0\n"
        "counter self = 1 local\ncondition condition\nfence done\nsemaphore up = 1\n\n"
        "thread up {\n    lock lock nest timeout[self]\n    wait condition lock\n"
        "    wait condition timeout[0]\n    wait condition until\n"
        "    wait done timeout {\n        up up\n    }\n    if held == self {\n        down up\n   "
        " }\n"
        "    if held lock {\n        set held = self\n    }\n    assert held != 1\n"
        "    try lock lock {\n        unlock lock\n    } else {\n        yield\n    }\n}\n"
        "thread x2 x2 {\n    join up\n}\nthread pin {\n    signal done\n}\n"
        "shrinker invalidate {\n    invalidate\n}\norder lock -> until\n";
    CHECK(wedge::scenario::to_string(parsed(text)) == text);
}

TEST_CASE("parse: all words of the language are keywords") {
    for (const char* word : {"lock", "mutex", "qrwlock", "x", "min", "threaded", "wait_die",
                             "RETRY_MAYFAIL", "begin", "bh", "self", "or"})
        CHECK(wedge::scenario::is_keyword(word) == (std::string(word) != "x"));
}

}  // namespace parse_test
