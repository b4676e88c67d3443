#include "wedge/scenario/parse.hpp"

#include <doctest/doctest.h>

#include "wedge/base/rng.hpp"

#include "scenario/read.hpp"

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

TEST_CASE("parse: every mistake is one line with its place, what stood there, what was expected") {
    const bad_text all[] = {
        {"", "1:1: found the end of the file, expected a declaration"},
        {"# only a comment\n", "2:1: found the end of the file, expected a declaration"},
        {"lok a mutex",
         "1:1: found 'lok', expected a declaration as 'lock' or 'thread' (did you mean 'lock'?)"},
        {"}", "1:1: found '}', expected a declaration as 'lock' or 'thread'"},
        {"12ab", "1:1: found '12ab', expected a declaration as 'lock' or 'thread'"},
        {"\xc3\xa9", "1:1: found '\\xc3\\xa9', expected a declaration as 'lock' or 'thread'"},
        {"lock a mutx", "1:8: found 'mutx', expected the kind of the lock (did you mean 'mutex'?)"},
        {"lock lock mutex", "1:6: found 'lock' (a keyword), expected the name of a lock"},
        {"lock a", "1:7: found the end of the file, expected the kind of the lock"},
        {"lock a mutex x0", "1:14: found 'x0', expected xN, N from 1 to 1024"},
        {"lock a mutex b",
         "1:14: found 'b', expected xN, 'class', 'unchecked' or the end of the statement"},
        {"lock a mutex\nlock a rwsem", "2:6: 'a' is declared in line 1 already"},
        {"lock a mutex class c\nlock b mutex class c unchecked",
         "2:6: class 'c' is not unchecked in line 1"},
        {"lock a ww_mutex", "1:8: 'ww_mutex' is not supported yet"},
        {"lock a mutex ordered", "1:14: 'ordered' is not supported yet"},
        {"fence f", "1:1: 'fence' is not supported yet"},
        {"notifier n { }", "1:1: 'notifier' is not supported yet"},
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
        {"order a -> b", "1:7: there is no lock 'a'"},
        {"thread t", "1:9: found the end of the file, expected '{'"},
        {"thread t x65 {}", "1:10: found 'x65', expected xN, N from 1 to 64"},
        {"thread a x60 {}\nthread b x5 {}", "2:8: more than 64 threads in all"},
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
         "2:19: found 'b', expected 'timed', 'subclass' or the end of the statement"},
        {"lock a mutex\nthread t { read a }", "2:17: 'a' is a mutex, which has no readers"},
        {"lock a rwlock\nthread t { downgrade a }",
         "2:22: 'a' is a rwlock, which has no downgrade"},
        {"lock a mutex x2\nthread t { lock a[2] }", "2:17: 'a' has 2 instances, from 0 on"},
        {"lock a mutex\nshrinker s { lock a[self] }",
         "2:19: 'self' is the number of a thread's copy, this is no thread"},
        {"lock a mutex\nthread t { lock a[x] }", "2:19: found 'x', expected an index or 'self'"},
        {"thread t { try unlock a }",
         "1:16: found 'unlock' (a keyword), expected 'lock' or 'read' (did you mean 'lock'?)"},
        {"thread t { alloc x GFP_KERNEL }", "1:18: found 'x', expected a number of pages"},
        {"thread t { alloc 99999999999999999999 GFP_KERNEL }",
         "1:18: found '99999999999999999999', expected a number of pages from 0 to 1000000000"},
        {"thread t { alloc 1 GFP_KERNL }",
         "1:20: found 'GFP_KERNL', expected GFP flags as "
         "GFP_KERNEL (did you mean 'GFP_KERNEL'?)"},
        {"thread t { break }", "1:12: 'break' stands in no loop"},
        {"thread t { if 3 = 4 {} }", "1:17: found '=', expected '==', '!=', '<' or '>'"},
        {"thread t { else {} }", "1:12: found 'else' (a keyword), expected a statement"},
        {"thread t { ww begin T }", "1:12: 'ww' is not supported yet"},
        {"lock a mutex\nthread t { lock a nest a }", "2:19: 'nest' is not supported yet"},
        {"thread unlock-imbalance {}",
         "1:8: found 'unlock-imbalance', expected the name of a "
         "thread: letters, digits and '_'"},
    };
    for (const bad_text& each : all) {
        CAPTURE(each.text);
        CHECK(message_of(each.text) == std::string("test.wedge:") + each.message);
    }
}

TEST_CASE("parse: no text makes it crash, hang or eat memory") {
    std::string deep = "thread t { ";
    for (int i = 0; i < 100'000; ++i) deep += "choose { ";
    CHECK(message_of(deep).ends_with(": blocks nest deeper than 64"));
    CHECK(message_of(std::string(3 << 20, ' ')) ==
          "test.wedge: larger than 1 MiB, which is no scenario");
    wedge::rng random(7);
    const std::vector<std::string> files = corpus();
    for (int i = 0; i < 3'000; ++i) {
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
        CHECK((message == "no error" || message.starts_with("test.wedge:")));
        CHECK(message.find('\n') == std::string::npos);
    }
}

TEST_CASE("parse: all words of the language are keywords") {
    for (const char* word : {"lock", "mutex", "qrwlock", "x", "min", "threaded", "wait_die",
                             "RETRY_MAYFAIL", "begin", "bh", "self", "or"})
        CHECK(wedge::scenario::is_keyword(word) == (std::string(word) != "x"));
}
