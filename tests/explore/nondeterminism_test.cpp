#include "wedge/explore/engine/nondeterminism.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "wedge/core/sanitizer.hpp"

#include "explore/workloads.hpp"
#include "support/trials.hpp"

using namespace workloads;
using wedge::finding;
using wedge::finding_kind;
using wedge::result;
using wedge::verdict;

namespace {

/// Returns a number that no execution has seen before, as a random one would be. Searches on
/// several threads call it at once, so the state is atomic.
std::uint32_t next_number() {
    static std::atomic<std::uint32_t> calls = 0;
    return (++calls * 2654435769U) >> 16;
}

struct two_locks {
    wedge::mutex a{"a"}, b{"b"}, c{"c"};
    void ab() {
        const wedge::guard first(a);
        const wedge::guard second(b);
    }
    void ba() {
        const wedge::guard first(b);
        const wedge::guard second(a);
    }
    void just_a() { const wedge::guard held(a); }
};

/// Takes the second lock by a random number, before its first step.
struct by_chance : two_locks {
    void x() { next_number() % 2 != 0 ? ab() : just_a(); }
    static constexpr auto actions =
        wedge::actions(wedge::action<&by_chance::x>{"x"}, wedge::action<&by_chance::ba>{"y"});
};
/// The repaired twin.
struct by_choice : two_locks {
    void x() { wedge::choose(2, "both locks") != 0 ? ab() : just_a(); }
    static constexpr auto actions =
        wedge::actions(wedge::action<&by_choice::x>{"x"}, wedge::action<&by_choice::ba>{"y"});
};

/// Draws the number after its first step, where no other task sees the difference.
struct by_chance_at_the_end : two_locks {
    void x() {
        just_a();
        if (next_number() % 2 != 0) const wedge::guard held(c);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&by_chance_at_the_end::x>{"x"});
};

/// A counter that outlives the execution.
struct every_other : two_locks {
    void x() {
        static unsigned n = 0;
        n++ % 2 != 0 ? ab() : just_a();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&every_other::x>{"x"}, wedge::action<&every_other::ba>{"y"});
};

/// An object made at its first use. Only the first execution makes it.
struct at_first_use : two_locks {
    static inline bool is_made = false;
    void x() {
        if (!is_made) {
            is_made = true;
            ab();
        }
        just_a();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&at_first_use::x>{"x"}, wedge::action<&at_first_use::ba>{"y"});
};

/// Chooses among as many branches as there were executions.
struct growing_choice : two_locks {
    void x() {
        static std::uint32_t n = 2;
        if (wedge::choose(n++, "one of them") == 1) ab();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&growing_choice::x>{"x"},
                                                   wedge::action<&growing_choice::ba>{"y"});
};

/// Only the check differs.
struct by_chance_in_the_check : two_locks {
    void check() const {
        if (next_number() % 2 != 0) throw std::runtime_error("odd");
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&by_chance_in_the_check::just_a>{"x"});
};

/// A deadlock that needs the number.
struct hangs_by_chance : two_locks {
    void x() { next_number() % 4 != 0 ? ab() : just_a(); }
    static constexpr auto actions = wedge::actions(wedge::action<&hangs_by_chance::x>{"x"},
                                                   wedge::action<&hangs_by_chance::ba>{"y"});
};

/// One of many executions differs.
struct seldom : two_locks {
    void x() { next_number() % 50 == 0 ? ab() : just_a(); }
    static constexpr auto actions =
        wedge::actions(wedge::action<&seldom::x>{"x"}, wedge::action<&seldom::ba>{"y"});
};

/// The order of two blocks of the heap.
struct by_address : two_locks {
    void x() {
        const auto one = std::make_unique<long>(1), other = std::make_unique<long>(2);
        const std::set<const long*> both{one.get(), other.get()};
        *both.begin() == one.get() ? ab() : just_a();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&by_address::x>{"x"}, wedge::action<&by_address::ba>{"y"});
};

/// A time-out by the real clock, which no execution reaches that runs at full speed.
struct by_clock : two_locks {
    void x() {
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(200);
        just_a();
        if (std::chrono::steady_clock::now() > end) ab();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&by_clock::x>{"x"}, wedge::action<&by_clock::ba>{"y"});
};

/// Owns a thread that is no task.
struct beside_a_thread : two_locks {
    std::atomic<bool> is_over{false};
    std::thread idler{[this] { is_over.wait(false); }};
    ~beside_a_thread() {
        is_over = true;
        is_over.notify_all();
        idler.join();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&beside_a_thread::just_a>{"x"});
};

const finding* difference_in(const wedge::outcome& out) {
    const auto is_it = [](const finding& f) { return f.kind == finding_kind::nondeterministic; };
    const auto found = std::find_if(out.findings.begin(), out.findings.end(), is_it);
    return found == out.findings.end() ? nullptr : &*found;
}

/// Checks that the finding is reported, and that no proof, replay or refutation is claimed.
void check_it_differs(const wedge::outcome& out) {
    REQUIRE(difference_in(out) != nullptr);
    CHECK(out.what != result::sound);
    CHECK(out.what != result::unresolved);
    CHECK(!out.exhausted);
    for (const finding& each : out.findings) {
        CHECK(each.judged != verdict::refuted);
        CHECK(each.judged != verdict::confirmed);
    }
}

template <class W>
void check_all_strategies() {
    for (const wedge::strategy how :
         {wedge::strategy::portfolio, wedge::strategy::random, wedge::strategy::pct,
          wedge::strategy::surw, wedge::strategy::round_robin, wedge::strategy::exhaustive}) {
        CAPTURE(static_cast<int>(how));
        check_it_differs(
            wedge::explore<W>(wedge::default_program<W>(), {.how = how, .executions_max = 500}));
    }
}

}  // namespace

TEST_CASE("nondeterminism: a random number is found before, between and after the steps") {
    check_all_strategies<by_chance>();
    check_all_strategies<by_chance_at_the_end>();
    check_all_strategies<by_chance_in_the_check>();
    check_all_strategies<hangs_by_chance>();
}

TEST_CASE("nondeterminism: few executions of a proof do not hide what differs seldom") {
    for (const wedge::strategy how : {wedge::strategy::portfolio, wedge::strategy::exhaustive}) {
        check_it_differs(wedge::explore<seldom>(wedge::default_program<seldom>(), {.how = how}));
        // The sanitizers' heaps do not hand out a block again soon, so its address says nothing.
        if (!wedge::sanitizer::address && !wedge::sanitizer::thread)
            check_it_differs(
                wedge::explore<by_address>(wedge::default_program<by_address>(), {.how = how}));
        check_it_differs(
            wedge::explore<by_clock>(wedge::default_program<by_clock>(), {.how = how}));
    }
}

TEST_CASE("nondeterminism: nothing is proved of a workload with a thread that is no task") {
    for (const wedge::substrate on : {wedge::substrate::automatic, wedge::substrate::threads}) {
        const wedge::outcome out =
            wedge::explore<beside_a_thread>(wedge::default_program<beside_a_thread>(),
                                            {.executions_max = wedge::trials(5000), .on = on});
        CHECK(out.what == result::unresolved);
        CHECK(out.reason.find("a thread that is no task") != std::string::npos);
        CHECK(wedge::explore<by_choice>(wedge::parse_program("x | x"), {.on = on}).what ==
              result::sound);
    }
}

TEST_CASE("nondeterminism: state kept across executions is found") {
    check_all_strategies<every_other>();
    check_all_strategies<growing_choice>();
    for (const wedge::strategy how :
         {wedge::strategy::portfolio, wedge::strategy::random, wedge::strategy::exhaustive}) {
        at_first_use::is_made = false;
        const wedge::outcome out =
            wedge::explore<at_first_use>(wedge::default_program<at_first_use>(), {.how = how});
        check_it_differs(out);
        CHECK(difference_in(out)->reason.find("made at its first use") != std::string::npos);
    }
}

TEST_CASE("nondeterminism: a random number is found on threads and with several jobs") {
    check_it_differs(
        wedge::explore<by_chance>(wedge::default_program<by_chance>(),
                                  {.executions_max = 100, .on = wedge::substrate::threads}));
    check_it_differs(wedge::explore<by_chance>(wedge::default_program<by_chance>(), {.jobs = 3}));
}

TEST_CASE("nondeterminism: the finding names the steps of both executions and the source") {
    const wedge::outcome out = wedge::explore<every_other>(wedge::default_program<every_other>(),
                                                           {.how = wedge::strategy::exhaustive});
    const finding* const found = difference_in(out);
    REQUIRE(found != nullptr);
    CAPTURE(found->what);
    CHECK(found->task == "x");
    CHECK(found->what.starts_with("after the same 0 decisions x comes to acquire a ("));
    CHECK(found->what.find(" in one execution, and x comes to acquire a (explore/nondetermini") !=
          std::string::npos);
    CHECK(found->reason.find("a random number, a clock") != std::string::npos);
    CHECK(found->signature == "nondeterministic x");
}

TEST_CASE("nondeterminism: wedge::choose is deterministic") {
    const wedge::outcome out = wedge::explore<by_choice>(wedge::default_program<by_choice>(),
                                                         {.how = wedge::strategy::exhaustive});
    CHECK(difference_in(out) == nullptr);
    CHECK(out.what == result::deadlock);
    CHECK(out.exhausted);
    const wedge::outcome sound = wedge::explore<by_choice>(wedge::parse_program("x | x"), {});
    CHECK(sound.what == result::sound);
}

TEST_CASE("nondeterminism: a replay is run twice too") {
    wedge::schedule along;
    along.workload = wedge::workload_name<by_chance>();
    along.program = "x | y";
    for (const std::uint32_t task : {0U, 0U, 1U})
        along.decisions.push_back({wedge::decision::sort::run, task, 0});
    bool is_seen = false;
    for (int i = 0; i < 20 && !is_seen; ++i)
        is_seen =
            difference_in(wedge::replay<by_chance>(along, wedge::replay_mode::lenient)) != nullptr;
    CHECK(is_seen);
}
