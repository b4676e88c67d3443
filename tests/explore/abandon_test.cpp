#include <atomic>
#include <exception>
#include <memory>
#include <optional>

#include <doctest/doctest.h>

#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/session.hpp"
#include "wedge/report/text.hpp"

#include "explore/workloads.hpp"

namespace abandon_test {
using wedge::result;
using wedge::strategy;
using wedge::substrate;

namespace {

/// Counts its living objects. A stack that was not unwound leaves some.
struct counted {
    static inline std::atomic<int> alive = 0;
    counted() { ++alive; }
    ~counted() { --alive; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
};

struct hoarder {
    wedge::mutex a{"a"}, b{"b"};
    void take(std::uint32_t order) {
        const auto memory = std::make_unique<counted>();
        const wedge::guard first(order == 0 ? a : b);
        const counted local;
        const wedge::guard second(order == 0 ? b : a);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&hoarder::take>{"take"});
};

/// Catches everything and tries again, as retry loops do.
struct stubborn : hoarder {
    void insist(std::uint32_t order) {
        for (int tries = 0; tries < 3; ++tries) {
            try {
                take(order);
                return;
            } catch (...) {
            }
        }
    }
    static constexpr auto actions = wedge::actions(wedge::action<&stubborn::insist>{"insist"});
};

/// Tasks that hold objects in several frames; one of them looks at what passes.
struct in_frames : hoarder {
    static inline std::atomic<int> unwound = 0;
    static inline std::atomic<int> passed = 0;
    struct witness {
        ~witness() { unwound += std::uncaught_exceptions(); }
    };
    void outer(std::uint32_t order) {
        const witness here;
        const counted local;
        take(order);
    }
    void looks(std::uint32_t order) {
        try {
            outer(order);
        } catch (...) {
            ++passed;
            throw;
        }
    }
    static constexpr auto actions = wedge::actions(wedge::action<&in_frames::outer>{"outer"},
                                                   wedge::action<&in_frames::looks>{"looks"});
};

/// Takes its second lock in a destructor, which no exception can leave.
struct late {
    wedge::mutex a{"a"}, b{"b"};
    struct at_end {
        wedge::mutex& lock;
        ~at_end() { const wedge::guard held(lock); }
    };
    void take(std::uint32_t order) {
        const wedge::guard first(order == 0 ? a : b);
        ++*(order == 0 ? under_a : under_b);
        const at_end second{order == 0 ? b : a};
    }
    static constexpr auto actions = wedge::actions(wedge::action<&late::take>{"take"});

private:
    // ThreadSanitizer watches these writes on an abandoned stack.
    std::unique_ptr<int> under_a = std::make_unique<int>(0), under_b = std::make_unique<int>(0);
};

/// Throws and catches across switches: exceptions belong to the task.
struct thrower {
    wedge::mutex lock{"lock"};
    void nested(std::uint32_t value) {
        try {
            throw static_cast<int>(value);
        } catch (int outer) {
            { const wedge::guard held(lock); }
            try {
                throw outer + 100;
            } catch (int inner) {
                const wedge::guard held(lock);
                if (inner != static_cast<int>(value) + 100) throw std::logic_error("mixed up");
            }
            try {
                throw;
            } catch (int again) {
                if (again != outer) throw std::logic_error("mixed up");
            }
        }
    }
    static constexpr auto actions = wedge::actions(wedge::action<&thrower::nested>{"nested"});
};

/// A task that asks after each step whether it must leave, so that no exception unwinds it.
class polite final : public wedge::subject, public wedge::subject_facts {
public:
    const wedge::subject_facts& facts() const override { return *this; }
    std::atomic<int> left_early{0};

    std::uint32_t tasks() const override { return 2; }
    std::string task_name(std::uint32_t) const override { return {}; }
    void begin() override { locks_.emplace(); }
    void run(std::uint32_t task) override {
        wedge::mutex& second = task == 0 ? locks_->b : locks_->a;
        const counted local;
        const wedge::guard first(task == 0 ? locks_->a : locks_->b);
        const wedge::guard held(second);
        if (!wedge::current().runtime->is_giving_up()) return;
        CHECK(std::uncaught_exceptions() == 0);
        ++left_early;
    }
    void check() override {}
    void end() override { locks_.reset(); }
    wedge::schedule blank() const override { return {}; }
    bool leaves_quietly() const override { return true; }

private:
    std::optional<hoarder> locks_;
};

template <substrate On>
struct on {
    static constexpr substrate value = On;
};

}  // namespace

TEST_CASE_TEMPLATE("abandon: the stacks of a deadlock are unwound", On, on<substrate::automatic>,
                   on<substrate::threads>) {
    const wedge::outcome tried =
        wedge::explore<hoarder>(wedge::parse_program("take | take(1)"),
                                {.how = strategy::random, .executions_max = 50, .on = On::value});
    CHECK(tried.what == result::deadlock);
    CHECK(counted::alive == 0);
    CHECK(tried.left == 0);
}

TEST_CASE_TEMPLATE("abandon: destructors and handlers see an exception", On,
                   on<substrate::automatic>, on<substrate::threads>) {
    in_frames::unwound = in_frames::passed = 0;
    wedge::workload_subject what(wedge::type_of<in_frames>,
                                 wedge::parse_program("outer | looks(1)"));
    wedge::controller control(what, On::value, nullptr, 1'000);
    const auto how = wedge::make_strategy(what, {.how = strategy::exhaustive}, {});
    int deadlocks = 0;
    while (how->new_execution()) deadlocks += control.run(*how).how == wedge::ending::deadlock;
    CHECK(deadlocks > 0);
    CHECK(in_frames::unwound == 2 * deadlocks);
    CHECK(in_frames::passed == deadlocks);
    CHECK(counted::alive == 0);
}

TEST_CASE_TEMPLATE("abandon: a task that stands in a destructor is left there", On,
                   on<substrate::automatic>, on<substrate::threads>) {
    // The objects on the abandoned stack leak, and the sanitizers keep the stack registered.
    if (wedge::sanitizer::thread || wedge::sanitizer::address) return;
    const wedge::outcome tried =
        wedge::explore<late>(wedge::parse_program("take | take(1)"),
                             {.how = strategy::random, .executions_max = 50, .on = On::value});
    CHECK(tried.what == result::deadlock);
    CHECK(tried.executions >= 50);
    CHECK(tried.left > 0);
    CHECK(tried.first_left.starts_with("take"));
    CHECK(wedge::text_of(tried).find("stacks could not be unwound (the first: take") !=
          std::string::npos);
}

TEST_CASE("abandon: code that catches every exception is ended too") {
    const wedge::outcome tried =
        wedge::explore<stubborn>(wedge::parse_program("insist | insist(1)"));
    CHECK(tried.what == result::deadlock);
    CHECK(counted::alive == 0);
}

TEST_CASE_TEMPLATE("abandon: tasks that leave by themselves get no exception", On,
                   on<substrate::automatic>, on<substrate::threads>) {
    polite what;
    const wedge::outcome tried =
        wedge::session(what, {.how = strategy::exhaustive, .on = On::value}).explore();
    CHECK(tried.what == result::deadlock);
    CHECK(tried.findings.size() == 1);
    CHECK(what.left_early >= 2);
    CHECK(counted::alive == 0);
}

TEST_CASE_TEMPLATE("abandon: exceptions in flight belong to their task", On,
                   on<substrate::automatic>, on<substrate::threads>) {
    const wedge::outcome tried =
        wedge::explore<thrower>(wedge::parse_program("nested(1) | nested(2) | nested(3)"),
                                {.how = strategy::random, .executions_max = 100, .on = On::value});
    CHECK(tried.findings.empty());
}

}  // namespace abandon_test
