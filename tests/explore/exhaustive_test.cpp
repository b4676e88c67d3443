#include "wedge/explore/search/exhaustive.hpp"

#include <set>
#include <shared_mutex>

#include <doctest/doctest.h>

#include "explore/plain_search.hpp"
#include "explore/workloads.hpp"
#include "support/trials.hpp"

namespace exhaustive_test {
namespace {

enum class act : std::uint8_t { lock, unlock, try_lock, read, unread, wait, notify, choose, mark };
struct statement {
    act what{};
    std::uint32_t on = 0;
};
using small_program = std::vector<std::vector<statement>>;

struct lock_set {
    wedge::mutex a{"a"}, b{"b"};
    wedge::shared_mutex s{"s"};
    wedge::checked<std::shared_mutex> r{"r"};
    wedge::condition c{"c"};
};

/// Runs a program over two mutexes, two kinds of reader-writer locks and a condition. The end state
/// depends on the order of all steps that do not commute.
class small_subject final : public wedge::subject {
public:
    explicit small_subject(const small_program& what) : program_(what) {}

    std::uint32_t tasks() const override { return static_cast<std::uint32_t>(program_.size()); }
    std::string task_name(std::uint32_t) const override { return {}; }
    void begin() override {
        locks_.emplace();
        seen_.assign(program_.size(), {});
        marks_ = {};
    }
    void run(std::uint32_t task) override {
        std::string& seen = seen_[task];
        std::vector<bool> held(locks);
        for (const statement& each : program_[task]) {
            seen += ';';
            step(each, held, seen);
        }
    }
    void check() override {}
    void end() override { locks_.reset(); }
    wedge::schedule blank() const override { return {}; }

    /// The position of each task, and what it has read.
    std::string end_state() const {
        std::string all;
        for (const std::string& each : seen_) all += each + "|";
        for (const std::string& each : marks_) all += each + "|";
        return all;
    }

    static constexpr std::uint32_t locks = 4;

private:
    template <class Do>
    void with(std::uint32_t lock, Do what) {
        switch (lock) {
            case 0: what(locks_->a); break;
            case 1: what(locks_->b); break;
            case 2: what(locks_->s); break;
            default: what(locks_->r); break;
        }
    }

    void step(const statement& each, std::vector<bool>& held, std::string& seen) {
        switch (each.what) {
            case act::lock: with(each.on, [](auto& l) { l.lock(); }); break;
            case act::unlock:
                if (held[each.on]) with(each.on, [](auto& l) { l.unlock(); });
                break;
            case act::try_lock:
                with(each.on, [&](auto& l) { held[each.on] = l.try_lock(); });
                break;
            case act::read: each.on == 2 ? locks_->s.lock_shared() : locks_->r.lock_shared(); break;
            case act::unread:
                each.on == 2 ? locks_->s.unlock_shared() : locks_->r.unlock_shared();
                break;
            case act::wait: locks_->c.wait(locks_->a); break;
            case act::notify: locks_->c.notify_one(); break;
            case act::choose: seen += std::to_string(wedge::choose(2, "any")); break;
            case act::mark: {  // under the lock `on`
                seen += marks_[each.on];
                marks_[each.on] += letter(seen);
                break;
            }
        }
        if (each.what == act::lock) held[each.on] = true;
        if (each.what == act::unlock) held[each.on] = false;
        if (each.what == act::try_lock) seen += held[each.on] ? '1' : '0';
    }
    char letter(const std::string& seen) const {
        return static_cast<char>('a' + (&seen - seen_.data()));
    }

    const small_program& program_;
    std::optional<lock_set> locks_;
    std::vector<std::string> seen_;
    std::array<std::string, locks> marks_;
};

std::string text_of(const small_program& what) {
    static constexpr const char* names[] = {"lock", "unlock", "try",    "read", "unread",
                                            "wait", "notify", "choose", "mark"};
    std::string text;
    for (const auto& task : what) {
        for (const statement& each : task)
            text += std::string(names[static_cast<int>(each.what)]) + std::to_string(each.on) + " ";
        text += "| ";
    }
    return text;
}

/// Critical sections, some of them nested. Tries may fail, and waits may never end.
small_program random_program(std::uint64_t seed) {
    wedge::rng random(seed);
    small_program all(2 + random.below(2));
    const std::uint32_t sections = all.size() == 2 ? 2 : 1;
    for (auto& task : all) {
        for (std::uint32_t i = 0; i < sections; ++i) {
            const std::uint32_t on = random.below(4);
            const std::uint32_t other = (on + 1 + random.below(3)) % 4;
            const std::uint32_t kind = random.below(8);
            if (kind == 0 && on < 2) {
                task.insert(task.end(),
                            {{act::lock, 0}, {act::wait, 0}, {act::mark, 0}, {act::unlock, 0}});
            } else if (kind == 1) {
                task.push_back({act::notify, 0});
            } else if (kind == 2) {
                task.insert(task.end(), {{act::try_lock, on}, {act::unlock, on}});
            } else if (kind == 3) {
                task.push_back({act::choose, 0});
            } else if (kind <= 5 && on >= 2) {
                task.insert(task.end(), {{act::read, on}, {act::unread, on}});
            } else {
                task.insert(task.end(), {{act::lock, on}, {act::mark, on}});
                const std::uint32_t inner = random.below(4);
                if (inner == 0)
                    task.insert(task.end(), {{act::try_lock, other}, {act::unlock, other}});
                if (inner == 1) task.insert(task.end(), {{act::lock, other}, {act::unlock, other}});
                if (inner == 2 && other >= 2)
                    task.insert(task.end(), {{act::read, other}, {act::unread, other}});
                task.push_back({act::unlock, on});
            }
        }
    }
    return all;
}

}  // namespace

TEST_CASE("exhaustive: reaches the same end states and deadlocks as plain depth-first search") {
    std::size_t compared = 0, plain = 0, reduced = 0, dead = 0;
    for (std::uint64_t seed = 1; seed <= wedge::trials(400); ++seed) {
        const small_program what = random_program(seed);
        CAPTURE(seed);
        const std::string text = text_of(what);
        CAPTURE(text);
        plain_search oracle;
        const search_result all = all_of<small_subject>(what, oracle, 3000);
        if (!all.is_over) continue;
        wedge::exhaustive_search how;
        const search_result some = all_of<small_subject>(what, how, 100'000);
        REQUIRE(some.is_over);
        CHECK(how.is_exhaustive());
        CHECK(some.complete == all.complete);
        CHECK(some.stuck == all.stuck);
        ++compared;
        plain += all.executions;
        reduced += some.executions;
        dead += all.stuck.size();
    }
    CHECK(compared * 4 > wedge::trials(400));
    CHECK(dead * 20 > wedge::trials(400));
    CHECK(reduced * 5 < plain);
}

}  // namespace exhaustive_test
