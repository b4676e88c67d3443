// The search over states: each state is visited once, and endless cycles are livelocks.
#include <array>
#include <cstdint>
#include <optional>

#include <doctest/doctest.h>

#include "wedge/explore/session.hpp"
#include "wedge/wedge.hpp"

namespace state_search_test {
namespace {

struct locks {
    wedge::mutex own[2];
    wedge::atomic<int> flag{0, "flag"};
};

/// Two tasks with equal code. Beside locks and variables, their only state is `at`.
class two_tasks : public wedge::subject, public wedge::subject_facts {
public:
    const wedge::subject_facts& facts() const override { return *this; }
    std::uint32_t tasks() const override { return 2; }
    std::string task_name(std::uint32_t) const override { return {}; }
    void begin() override {
        shared_.emplace();
        at_ = {};
    }
    void run(std::uint32_t task) override { act(task); }
    void check() override {}
    void end() override { shared_.reset(); }
    wedge::schedule blank() const override { return {}; }
    std::optional<std::uint64_t> state() const override {
        return wedge::combine(wedge::combine(at_[0], at_[1]), flag_);
    }

protected:
    virtual void act(std::uint32_t task) = 0;

    std::optional<locks> shared_;
    std::array<std::uint64_t, 2> at_{};
    std::uint64_t flag_ = 0;
};

wedge::outcome all_states_of(wedge::subject& what) {
    return wedge::session(what, {.how = wedge::strategy::states}).explore();
}

/// Each task takes a lock `turns` times.
class counting final : public two_tasks {
public:
    counting(bool share, bool may_circle) : share_(share), may_circle_(may_circle) {}
    bool may_circle() const override { return may_circle_; }

private:
    void act(std::uint32_t task) override {
        for (unsigned turn = 0; turn < 3; ++turn) {
            wedge::mutex& mine = shared_->own[share_ ? 0 : task];
            mine.lock();
            ++at_[task];
            mine.unlock();
            ++at_[task];
        }
    }
    const bool share_;
    const bool may_circle_;
};

/// Philosophers that put their first fork down and try again.
class polite final : public two_tasks {
public:
    explicit polite(bool same_order) : same_order_(same_order) {}

private:
    void act(std::uint32_t task) override {
        wedge::mutex& first = shared_->own[same_order_ ? 0 : task];
        wedge::mutex& second = shared_->own[same_order_ ? 1 : 1 - task];
        for (;;) {
            at_[task] = 0;
            first.lock();
            at_[task] = 1;
            const bool is_mine = second.try_lock();
            at_[task] = is_mine ? 2 : 3;
            if (is_mine) second.unlock();
            first.unlock();
            if (is_mine) return;
        }
    }
    const bool same_order_;
};

/// One task spins until the other task sets its flag.
class spinning final : public two_tasks {
public:
    explicit spinning(bool sets) : sets_(sets) {}

private:
    void act(std::uint32_t task) override {
        if (task == 0) {
            while (shared_->flag.load() == 0) at_[0] = 1;
            at_[0] = 2;
            return;
        }
        if (sets_) {
            shared_->flag.store(1);
            flag_ = 1;
        }
        at_[1] = 2;
    }
    void begin() override {
        two_tasks::begin();
        flag_ = 0;
    }
    const bool sets_;
};

}  // namespace

TEST_CASE("states: independent tasks have the product of their states, unless steps are reduced") {
    counting apart(false, true);
    const wedge::outcome all = all_states_of(apart);
    CHECK(all.exhausted);
    CHECK(all.what == wedge::result::sound);
    CHECK(all.states == 48);  // 7 x 7 without the last state, where no task can go on
    counting reduced(false, false);
    const wedge::outcome some = all_states_of(reduced);
    CHECK(some.exhausted);
    CHECK(some.steps < all.steps);
}

TEST_CASE("states: a lock excludes states, whether steps are reduced or not") {
    counting full(true, true);
    counting reduced(true, false);
    const wedge::outcome all = all_states_of(full);
    const wedge::outcome some = all_states_of(reduced);
    CHECK(all.what == wedge::result::sound);
    CHECK(some.what == wedge::result::sound);
    CHECK(all.states == 39);  // the 48 without the states in which both tasks hold the lock
    CHECK(some.executions + some.pruned <= all.executions + all.pruned);
}

TEST_CASE("states: a cycle that a fair schedule can follow forever is a livelock") {
    polite broken(false);
    const wedge::outcome circle = all_states_of(broken);
    CHECK(circle.what == wedge::result::livelock);
    REQUIRE(circle.findings.size() == 1);
    CHECK(circle.findings[0].kind == wedge::finding_kind::livelock);
    CHECK(!circle.findings[0].best.decisions.empty());
    polite repaired(true);
    CHECK(all_states_of(repaired).what == wedge::result::sound);
}

TEST_CASE("states: a loop that only an unfair schedule prolongs is not a livelock") {
    spinning sound(true);
    const wedge::outcome ends = all_states_of(sound);
    CHECK(ends.what == wedge::result::sound);
    CHECK(ends.exhausted);
    spinning broken(false);
    CHECK(all_states_of(broken).what == wedge::result::livelock);
}

}  // namespace state_search_test
