#include "wedge/scenario/minimize.hpp"

#include <doctest/doctest.h>

#include "scenario/read.hpp"

namespace minimize_test {

using namespace wedge::scenario;

/// Returns the smallest text that still contains all of these words.
std::string reduced(const std::string& text, std::initializer_list<const char*> words) {
    return to_string(reducer(parsed(text), [&](const document& tried) {
                         const std::string now = to_string(tried);
                         return std::all_of(words.begin(), words.end(), [&](const char* word) {
                             return now.find(word) != std::string::npos;
                         });
                     }).run());
}

std::string minimized(const std::string& text) {
    const document all = parsed(text);
    const check_result first = check(all, small_search());
    return to_string(minimize(all, first, small_search(), [](const minimize_progress&) {}));
}

TEST_CASE("reduce: everything that the test does not need is removed, except expectations") {
    CHECK(reduced("lock a mutex; lock b mutex x3; thread t x4 { lock a; yield; unlock a }\n"
                  "thread u { repeat 2 { choose { yield } or { lock b[2]; unlock b[2] } } }\n"
                  "expect deadlock\n",
                  {" lock b["}) == "lock b mutex\nthread u {\n    lock b[0]\n}\nexpect deadlock\n");
}

TEST_CASE("reduce: a cycle of copies and instances shrinks as a whole") {
    CHECK(reduced("lock f mutex x5; thread t x5 { lock f[self]; unlock f[self] }\n", {"x2 {"}) ==
          "thread t x2 {}\n");
}

TEST_CASE("reduce: threads leave the processors that they need not share") {
    CHECK(reduced("thread t cpu 1 fifo 7 {}\nthread u cpu 1 {}\nthread v cpu 0 fifo 9 {}\n",
                  {"t cpu 1 {", "v cpu 0 fifo"}) ==
          "thread t cpu 1 {}\nthread v cpu 0 fifo 9 {}\n");
}

TEST_CASE("reduce: the comment at the top stays, others go with their statements") {
    CHECK(reduced("# top\nlock a mutex\n\n# of b\nlock b mutex  # b\nthread t {\n    # first\n"
                  "    lock a\n    lock b  # second\n}\n",
                  {"lock b  "}) ==
          "# top\n\n# of b\nlock b mutex  # b\n"
          "thread t {\n    lock b  # second\n}\n");
}

TEST_CASE("reduce: an object goes with its statements, and of a branch the taken part stays") {
    CHECK(reduced("lock a mutex; lock b mutex\n"
                  "thread t { try lock a { lock b; unlock a } else { yield }; unlock b }\n",
                  {" lock b\n", "unlock b"}) ==
          "lock b mutex\nthread t {\n    lock b\n    unlock b\n}\n");
}

TEST_CASE("minimize: the remaining deadlock is the original one") {
    const std::string text = minimized(
        "lock a mutex; lock b mutex; lock c mutex; lock d mutex\n"
        "thread p { lock a; lock b; unlock b; unlock a }\n"
        "thread q { lock b; lock a; unlock a; unlock b }\n"
        "thread r { lock c; lock d; unlock d; unlock c }\n"
        "thread s { lock d; lock c; unlock c; unlock d }\n");
    CHECK(statements_of(parsed(text)) == 8);
    CHECK(text.find("lock c") == std::string::npos);
}

TEST_CASE("minimize: of a livelock the waits of other tasks stay") {
    // Without `low`, `mid` polls in vain as well, but starves no task.
    const std::string smallest = minimized(
        "counter k = 0; counter other = 0\nthread low cpu 0 { set other = 1; set k = 1 }\n"
        "thread mid cpu 0 fifo 10 { set other = 2; until k == 1 }\n"
        "thread high cpu 0 fifo 50 { set other = 3 }\n");
    CHECK(smallest.find("thread low cpu 0 {") != std::string::npos);
    CHECK(smallest.find("thread mid cpu 0 fifo 10 {") != std::string::npos);
    CHECK(smallest.find("high") == std::string::npos);
}

TEST_CASE("minimize: a guard that refutes another finding stays") {
    const std::string gated =
        "lock gate mutex; lock a mutex; lock b mutex; lock z mutex\n"
        "thread p { lock gate; lock a; lock b; unlock b; unlock a; unlock gate }\n"
        "thread q { lock gate; lock b; lock a; unlock a; unlock b; unlock gate }\n"
        "thread r { choose { lock z; lock z } or {} }\n"
        "expect deadlock; expect finding circular; expect finding recursive\n"
        "expect finding held-at-exit\n";
    const std::string text = minimized(gated);
    CAPTURE(text);
    CHECK(text.find("lock gate") != std::string::npos);
    CHECK(check(parsed(text), small_search()).is_met);
}

TEST_CASE("minimize: a smaller scenario is judged like the whole one") {
    for (const char* name : {"irq_unsafe_lock", "mutex_under_spinlock", "semaphore_order"}) {
        const std::string file = std::string(TESTS_DIR "/../corpora/scenarios/") + name + ".wedge";
        CAPTURE(file);
        const document all = parse(text_of_file(file), file);
        const check_result first = check(all, small_search());
        const document small = minimize(all, first, small_search(), [](const auto&) {});
        const check_result again = check(parse(to_string(small), file), small_search());
        CHECK(again.what == first.what);
        CHECK(again.is_met);
        CHECK(statements_of(small) <= statements_of(all));
    }
}

TEST_CASE("minimize: when it is stopped, it returns the smallest scenario so far") {
    const document all = parsed("lock a mutex; thread t { lock a; yield; yield; yield }\n");
    auto options = small_search();
    const check_result first = check(all, options);
    std::atomic<bool> stop{false};
    options.explore.stop = &stop;
    const document small = minimize(all, first, options, [&](const minimize_progress& now) {
        if (now.tried == 3) stop = true;
    });
    CHECK(same_outcome(first).holds(check(small, small_search())));
    CHECK(statements_of(small) >= 1);
}

}  // namespace minimize_test
