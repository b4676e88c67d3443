// Findings that share a wrong acquire or wait have one cause; other findings are not grouped.
#include "wedge/report/cause.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/signature.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"

namespace cause_test {

wedge::lock_use use(const char* name, const char* function, unsigned line) {
    wedge::lock_use lock;
    lock.class_name = name;
    lock.where = {"cache.cpp", function, line};
    return lock;
}

/// Returns the edge `outer -> inner`, with the acquire of `inner` in a function.
wedge::dependency edge(const char* outer, const char* inner, const char* function, unsigned line,
                       bool is_stated = false) {
    return {use(outer, function, line - 1), use(inner, function, line), function, is_stated};
}

wedge::finding circular(std::vector<wedge::dependency> cycle,
                        wedge::verdict judged = wedge::verdict::confirmed) {
    wedge::finding found;
    found.kind = wedge::finding_kind::circular;
    found.judged = judged;
    found.cycle = std::move(cycle);
    found.signature = wedge::signature_of(found);
    return found;
}

wedge::finding lost_wakeup(std::vector<wedge::task_report> others = {}) {
    wedge::finding found;
    found.kind = wedge::finding_kind::deadlock;
    found.judged = wedge::verdict::observed;
    found.tasks = std::move(others);
    found.tasks.push_back({"consume", {}, {}, "condition ready", {"cache.cpp", "consume", 61}});
    found.signature = wedge::signature_of(found);
    return found;
}

wedge::outcome run_with(std::vector<wedge::finding> findings) {
    wedge::outcome all;
    all.what = wedge::result::deadlock;
    all.findings = std::move(findings);
    return all;
}

/// Returns the causes, each with the places of its findings: `acquire of … : 0 2`.
std::vector<std::string> causes(const std::vector<wedge::finding>& all) {
    std::vector<std::string> texts;
    for (const wedge::report::cause& each : wedge::report::causes_of(all)) {
        texts.push_back(each.what + ":");
        for (const std::size_t at : each.findings) texts.back() += " " + std::to_string(at);
    }
    return texts;
}

using texts = std::vector<std::string>;

/// Three cycles through one acquire of `table` in `evict`, among them a wait.
std::vector<wedge::finding> two_faults() {
    return {
        circular({edge("table", "entry", "insert", 12), edge("entry", "table", "evict", 42)}),
        lost_wakeup(),
        circular({edge("table", "log", "change", 22), edge("log", "table", "evict", 42)},
                 wedge::verdict::refuted),
        circular({edge("entry", "log", "look_up", 32), edge("log", "table", "evict", 44),
                  edge("table", "entry", "insert", 12)}),
    };
}

TEST_CASE("cause: findings that share an acquire have one cause, whatever else is in them") {
    CHECK(causes(two_faults()) == texts{"acquire of table at cache.cpp:42 in evict: 0 2 3",
                                        "wait for condition ready at cache.cpp:61 in consume: 1"});
}

TEST_CASE("cause: cycles of one class that share no acquire have two causes") {
    CHECK(causes({circular({edge("a", "b", "first", 12), edge("b", "a", "second", 22)}),
                  circular({edge("a", "b", "third", 32), edge("b", "a", "fourth", 42)})}) ==
          texts{"acquire of b at cache.cpp:12 in first: 0",
                "acquire of b at cache.cpp:32 in third: 1"});
}

TEST_CASE("cause: with a stated order, the acquire against it is the cause") {
    // Two functions break the order, and each cycle has the stated edge.
    const wedge::dependency stated = edge("a", "b", "", 2, true);
    CHECK(causes({circular({stated, edge("b", "a", "first", 12)}),
                  circular({stated, edge("b", "a", "second", 22)})}) ==
          texts{"acquire of a at cache.cpp:12 in first: 0",
                "acquire of a at cache.cpp:22 in second: 1"});
}

TEST_CASE("cause: a cycle and the hang that confirmed it share the wait") {
    wedge::finding cycle =
        circular({edge("table", "signalling", "look", 8), edge("signalling", "table", "job", 9)});
    cycle.tasks = lost_wakeup().tasks;
    CHECK(causes({cycle, lost_wakeup()}) ==
          texts{"wait for condition ready at cache.cpp:61 in consume: 0 1"});
    wedge::finding other =
        circular({edge("log", "signalling", "look", 8), edge("signalling", "log", "job", 10)});
    other.tasks = cycle.tasks;
    CHECK(causes({cycle, other}) ==  // the section that stands for the wait is the wait
          texts{"wait for condition ready at cache.cpp:61 in consume: 0 1"});
}

TEST_CASE("cause: the text begins with the causes, then has the findings of each") {
    const std::string text = wedge::text_of(run_with(two_faults()));
    CHECK(text.starts_with(
        "2 causes for 4 findings:\n\n"
        "  1  acquire of table at cache.cpp:42 in evict: 3 findings (2 confirmed, 1 refuted)\n"
        "  2  wait for condition ready at cache.cpp:61 in consume: 1 finding (1 observed)\n\n"
        "cause 1: acquire of table at cache.cpp:42 in evict\n\n"
        "confirmed deadlock: "));
    const std::size_t second = text.find("\ncause 2: wait for condition ready at ");
    REQUIRE(second != std::string::npos);
    CHECK(text.find("refuted order inversion: ") < second);
    CHECK(text.find("\n\ndeadlock: ") > second);
}

TEST_CASE("cause: causes are not mentioned if each finding has its own") {
    std::vector<wedge::finding> each = two_faults();
    each.resize(2);
    CHECK(wedge::text_of(run_with(each)).starts_with("confirmed deadlock: "));
    CHECK(wedge::text_of(run_with(each)).find("cause") == std::string::npos);
    each.resize(1);
    CHECK(wedge::text_of(run_with(each)).find("cause") == std::string::npos);
    CHECK(wedge::text_of(run_with({})).find("cause") == std::string::npos);
}

TEST_CASE(
    "cause: JSON keeps the order of discovery, and each finding has the number of its cause") {
    const std::string json = wedge::json_of(run_with(two_faults()));
    texts numbers;
    for (std::size_t at = json.find("\"cause\":"); at != std::string::npos;
         at = json.find("\"cause\":", at + 1))
        numbers.push_back(json.substr(at + 8, 1));
    CHECK(numbers == texts{"1", "2", "1", "1"});
}

}  // namespace cause_test
