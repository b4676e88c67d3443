// Compares executions that are played through on the models of the locks with the same executions
// run.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"
#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/search/make_strategy.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/scenario/run.hpp"

#include "scenario/read.hpp"
#include "support/trials.hpp"

namespace known_tasks_test {
namespace {

/// The result of an execution, and all questions that the strategy answered.
struct shown {
    std::uint64_t states = 0;  ///< that the search has met so far
    std::vector<std::string> executions;
    std::vector<std::string> findings;  ///< of the order checker

    bool operator==(const shown&) const = default;
};

std::string text_of(const wedge::execution_record& done,
                    const std::vector<wedge::decision>& decisions) {
    std::string text = std::to_string(static_cast<int>(done.how)) + " " + done.thrown + ":";
    for (const wedge::decision& each : decisions)
        text += (each.what == wedge::decision::sort::run ? " "
                                                         : " of " + std::to_string(each.of) + ":") +
                std::to_string(each.value);
    if (done.stuck == nullptr) return text;
    text += " " + done.stuck->what + " " + done.stuck->signature;
    for (const wedge::task_report& task : done.stuck->tasks) {
        text += "\n" + task.name + " at " + wedge::to_string(task.where);
        for (const wedge::lock_use& held : task.held)
            text += " " + held.class_name + " " + wedge::to_string(held.where);
    }
    return text;
}

/// @param is_run  runs every execution, even if all its tasks are known
shown searched(const wedge::scenario::document& all, bool is_run, unsigned most,
               wedge::strategy by = wedge::strategy::states) {
    wedge::scenario::scenario_subject subject(all);
    REQUIRE(subject.meets_in_locks_alone());
    wedge::checker order(wedge::evidence::exact);
    wedge::controller control(subject, wedge::substrate::automatic, &order, 500);
    const std::vector<std::uint32_t> no_cycle;  // the strategy looks at it later
    const std::unique_ptr<wedge::search_strategy> how =
        wedge::make_strategy(subject, {.how = by}, no_cycle);
    shown seen;
    for (unsigned i = 0; i < most && how->new_execution(); ++i) {
        if (is_run) control.forget();
        const wedge::execution_record& done = control.run(*how);
        seen.executions.push_back(text_of(done, control.decisions()));
    }
    seen.states = how->states();
    for (const wedge::finding& each : order.findings())
        seen.findings.push_back(each.signature + " " + wedge::name_of(each.judged));
    return seen;
}

/// Writes what one task can do alone: tries, time-outs, readers, choices, loops.
class generator {
public:
    explicit generator(std::uint64_t seed) : random_(seed) {}

    std::string text() {
        constexpr const char* kinds[] = {"mutex", "rwsem", "rwlock", "recursive_mutex"};
        std::string all = "counter own = 0 local\n";
        for (char lock = 'a'; lock <= 'c'; ++lock)
            all += std::string("lock ") + lock + " " + kinds[random_.below(4)] + "\n";
        for (unsigned i = 0; i < 2; ++i)
            all += "thread t" + std::to_string(i) + (random_.below(3) == 0 ? " x2 {\n" : " {\n") +
                   section(2) + section(2) + "}\n";
        return all;
    }

private:
    /// Writes statements under a lock.
    std::string section(unsigned depth) {
        const std::string lock(1, static_cast<char>('a' + random_.below(3)));
        const std::string inside = depth == 0 ? "yield\n" : statement(depth - 1);
        switch (random_.below(4)) {
            case 0: return "try lock " + lock + " { " + inside + "unlock " + lock + " }\n";
            case 1:
                return "lock " + lock + " timed { unlock " + lock + " } else {" + inside + "}\n";
            default: return "lock " + lock + "\n" + inside + "unlock " + lock + "\n";
        }
    }
    std::string statement(unsigned depth) {
        switch (random_.below(7)) {
            case 0: return "add own 1\n";
            case 1: return "if own == 1 { " + section(depth) + "}\n";
            case 2: return "choose { " + section(depth) + "} or { add own 1 }\n";
            case 3: return "repeat 2 { " + section(depth) + "}\n";
            case 4: return "while own < 1 { add own 1; yield }\n";
            default: return section(depth);
        }
    }

    wedge::rng random_;
};

}  // namespace

TEST_CASE("known tasks: executions that are played through have the outcome of those that run") {
    if (wedge::sanitizer::thread) return;  // a task takes a lock twice, which TSan reports
    for (std::uint64_t seed = 0; seed < wedge::trials(60); ++seed) {
        const std::string text = generator(seed).text();
        CAPTURE(text);
        const wedge::scenario::document all = parsed(text);
        CHECK(searched(all, false, 150) == searched(all, true, 150));
    }
}

TEST_CASE(
    "known tasks: each strategy sees in executions that are played through what it sees in "
    "those that run") {
    if (wedge::sanitizer::thread) return;
    for (const wedge::strategy by :
         {wedge::strategy::exhaustive, wedge::strategy::random, wedge::strategy::pct,
          wedge::strategy::pos, wedge::strategy::urw, wedge::strategy::surw,
          wedge::strategy::round_robin, wedge::strategy::portfolio})
        for (std::uint64_t seed = 0; seed < wedge::trials(40); ++seed) {
            const std::string text = generator(seed).text();
            CAPTURE(text);
            CAPTURE(static_cast<int>(by));
            const wedge::scenario::document all = parsed(text);
            CHECK(searched(all, false, 60, by) == searched(all, true, 60, by));
        }
}

TEST_CASE("known tasks: every execution that reaches an exception throws it") {
    const wedge::scenario::document all = parsed(
        "lock a mutex\ncounter own = 0 local\n"
        "thread t x2 { try lock a { unlock a } else { assert own == 1 } }\n");
    const shown found = searched(all, false, 100);
    CHECK(found == searched(all, true, 100));
    CHECK(std::count_if(found.executions.begin(), found.executions.end(), [](const auto& text) {
              return text.find("does not hold") != std::string::npos;
          }) > 0);
}

TEST_CASE("known tasks: tasks that share more than locks are run") {
    const auto meets_in_locks_alone = [](const std::string& text) {
        const wedge::scenario::document all = parsed(text);
        return wedge::scenario::scenario_subject(all).meets_in_locks_alone();
    };
    CHECK(meets_in_locks_alone("lock a mutex\ncounter K = 0 local\nthread t { lock a; unlock a }"));
    CHECK_FALSE(meets_in_locks_alone("counter K = 0\nthread t { add K 1 }"));
    CHECK_FALSE(meets_in_locks_alone("lock a ww_mutex\nthread t { }"));
    CHECK_FALSE(meets_in_locks_alone("condition c\nthread t { }"));
    CHECK_FALSE(meets_in_locks_alone("semaphore S = 1\nthread t { }"));
    CHECK_FALSE(meets_in_locks_alone("work w { }\nthread t { }"));
    CHECK_FALSE(meets_in_locks_alone("thread t { alloc 1 GFP_KERNEL }"));
    CHECK_FALSE(meets_in_locks_alone("lock a spinlock\nhandler h hardirq { }\nthread t { }"));
    CHECK_FALSE(meets_in_locks_alone("thread t { while 0 == 0 { yield; progress } }"));
}

}  // namespace known_tasks_test
