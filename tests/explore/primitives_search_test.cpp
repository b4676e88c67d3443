// Over every blocking type the reduced search reaches the same end states as plain search.
#include <array>
#include <optional>
#include <shared_mutex>

#include <doctest/doctest.h>

#include "wedge/explore/search/exhaustive.hpp"
#include "wedge/wedge.hpp"

#include "explore/plain_search.hpp"
#include "support/trials.hpp"

namespace primitives_search_test {
namespace {

enum class act : std::uint8_t {
    down,
    up,
    try_down,
    down_for,
    wait,
    complete,
    complete_all,
    load,
    store,
    add,
    lock,
    lock_ticket,
    unlock_all,
    read,
    write,
};
struct statement {
    act what{};
    std::uint32_t on = 0;
};
using task_text = std::vector<statement>;

template <wedge::ww_algorithm How>
class subject final : public wedge::subject {
public:
    explicit subject(const std::vector<task_text>& what) : program_(what) {}

    std::uint32_t tasks() const override { return static_cast<std::uint32_t>(program_.size()); }
    std::string task_name(std::uint32_t) const override { return {}; }
    void begin() override {
        all_.emplace();
        seen_.assign(program_.size(), {});
    }
    void run(std::uint32_t task) override {
        std::string& seen = seen_[task];
        std::optional<wedge::ww_ticket> ticket;
        for (const statement& each : program_[task]) {
            seen += ';';
            step(each, ticket, task, seen);
        }
    }
    void check() override {}
    void end() override { all_.reset(); }
    wedge::schedule blank() const override { return {}; }

    std::string end_state() const {
        std::string text;
        for (const std::string& each : seen_) text += each + "|";
        for (const std::string& each : marks_of(*all_)) text += each + "|";
        return text;
    }

private:
    struct objects {
        wedge::semaphore units{1, "units"};
        wedge::completion done{"done"};
        wedge::atomic<int> value[2]{0, 0};
        wedge::ww_class resv{"resv", How};
        wedge::ww_mutex bo[3]{wedge::ww_mutex(resv), wedge::ww_mutex(resv), wedge::ww_mutex(resv)};
        wedge::shared_mutex fair{"fair"};
        wedge::checked<std::shared_mutex> native{"native"};
        std::array<std::string, 5> marks;  // the order of the holders, per lock
    };
    static const std::array<std::string, 5>& marks_of(const objects& all) { return all.marks; }

    void mark(std::uint32_t on, std::uint32_t task) {
        all_->marks[on] += static_cast<char>('a' + task);
    }

    void step(const statement& each, std::optional<wedge::ww_ticket>& ticket, std::uint32_t task,
              std::string& seen) {
        using std::chrono::milliseconds;
        objects& o = *all_;
        switch (each.what) {
            case act::down: o.units.down(); break;
            case act::up: o.units.up(); break;
            case act::try_down: seen += o.units.try_down() ? '1' : '0'; break;
            case act::down_for: seen += o.units.down_for(milliseconds(1)) ? '1' : '0'; break;
            case act::wait: o.done.wait(); break;
            case act::complete: o.done.complete(); break;
            case act::complete_all: o.done.complete_all(); break;
            case act::load: seen += std::to_string(o.value[each.on % 2].load()); break;
            case act::store: o.value[each.on % 2].store(static_cast<int>(task) + 1); break;
            case act::add: seen += std::to_string(o.value[each.on % 2].fetch_add(1)); break;
            case act::lock:
                o.bo[each.on].lock();
                mark(each.on, task);
                o.bo[each.on].unlock();
                break;
            case act::lock_ticket: {
                if (!ticket) ticket.emplace(o.resv);
                const wedge::ww_result got = o.bo[each.on].lock(*ticket);
                seen += std::to_string(static_cast<int>(got));
                if (got == wedge::ww_result::ok) mark(each.on, task);
                if (got == wedge::ww_result::back_off) ticket->unlock_all();
                break;
            }
            case act::unlock_all:
                if (ticket) ticket->unlock_all();
                ticket.reset();
                break;
            case act::read:
                each.on == 0 ? o.fair.lock_shared() : o.native.lock_shared();
                seen += static_cast<char>('0' + o.marks[3 + each.on].size());
                each.on == 0 ? o.fair.unlock_shared() : o.native.unlock_shared();
                break;
            case act::write: {
                const auto with = [&](auto& lock) {
                    const wedge::guard held(lock);
                    mark(3 + each.on, task);
                };
                each.on == 0 ? with(o.fair) : with(o.native);
                break;
            }
        }
    }

    const std::vector<task_text>& program_;
    std::optional<objects> all_;
    std::vector<std::string> seen_;
};

/// A few statements per task, all about one type, so that the tasks interact.
std::vector<task_text> random_program(std::uint64_t seed) {
    wedge::rng random(seed);
    std::vector<task_text> all(2 + random.below(2));
    const std::uint32_t family = random.below(4);
    for (task_text& task : all) {
        const std::uint32_t length = all.size() == 2 ? 4 : 2;
        const auto draw = [&](std::initializer_list<act> among) {
            const std::uint32_t n = random.below(static_cast<std::uint32_t>(among.size()));
            task.push_back({among.begin()[n], 0});
        };
        for (std::uint32_t i = 0; i < length; ++i) {
            switch (family) {
                case 0:
                    draw({act::down, act::up, act::try_down, act::down_for, act::load, act::add});
                    break;
                case 1: draw({act::wait, act::complete, act::complete_all, act::add}); break;
                case 2:
                    task.push_back({random.below(4) == 0 ? act::lock : act::lock_ticket,
                                    random.below(all.size() == 2 ? 2 : 3)});
                    break;
                default:
                    draw({act::read, act::write, act::read, act::store});
                    task.back().on = random.below(2);
            }
        }
        if (family == 2) task.push_back({act::unlock_all, 0});
    }
    return all;
}

template <wedge::ww_algorithm How>
struct algorithm {
    static constexpr wedge::ww_algorithm value = How;
};

}  // namespace

TEST_CASE_TEMPLATE("exhaustive: no end and no deadlock of a blocking object is left out", Algorithm,
                   algorithm<wedge::ww_algorithm::wound_wait>,
                   algorithm<wedge::ww_algorithm::wait_die>) {
    std::size_t compared = 0;
    std::size_t dead = 0;
    for (std::uint64_t seed = 1; seed <= wedge::trials(40); ++seed) {
        const std::vector<task_text> what = random_program(seed);
        const wedge::model_options open{.all_policies = seed % 2 == 0};
        using subject_of = subject<Algorithm::value>;
        CAPTURE(seed);
        plain_search oracle;
        const search_result all = all_of<subject_of>(what, oracle, 3000, open);
        if (!all.is_over) continue;
        wedge::exhaustive_search how;
        const search_result some = all_of<subject_of>(what, how, 100'000, open);
        REQUIRE(some.is_over);
        CHECK(some.complete == all.complete);
        CHECK(some.stuck == all.stuck);
        CHECK(some.executions <= all.executions);
        ++compared;
        dead += all.stuck.size();
    }
    CHECK(compared * 3 > wedge::trials(40));
    CHECK(dead * 20 > wedge::trials(40));
}

}  // namespace primitives_search_test
