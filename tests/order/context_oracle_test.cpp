// The checker against the truth: random programs with an interrupt, every schedule tried.
#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"

#include "support/notation.hpp"
#include "support/trials.hpp"

namespace context_oracle_test {
namespace {

constexpr int locks = 3;

/// A step: `L` and `R` (a recursive read) take the lock, `U` releases it; `-` and `+` disable and
/// enable interrupts.
struct step {
    char what = 'L';
    int lock = 0;
};
using steps = std::vector<step>;

std::string text_of(const steps& all) {
    std::string text;
    for (const step& each : all) {
        text += text.empty() ? "" : " ";
        if (each.what == '-' || each.what == '+')
            text += std::string(1, each.what) + "irq";
        else
            text += std::string(each.what == 'R' ? "RR" : std::string(1, each.what)) + "(" +
                    static_cast<char>('A' + each.lock) + ")";
    }
    return text;
}

/// Two processors, each of which runs one task; the handler may come once on each.
class machine {
public:
    machine(const std::vector<steps>& tasks, const steps& handler)
        : tasks_(tasks), handler_(handler) {}

    bool can_deadlock() {
        add({});
        while (!open_.empty()) {
            const state now = open_.back();
            open_.pop_back();
            bool goes_on = false;
            bool has_ended = true;
            for (std::size_t i = 0; i < now.processors.size(); ++i) {
                const processor& on = now.processors[i];
                const bool interrupted = on.in_handler != not_in_handler;
                if (!interrupted && on.at == tasks_[i / 2].size()) continue;
                has_ended = false;
                goes_on = run(now, i) || goes_on;
                if (!interrupted && !on.keeps_out && !on.was_interrupted) {
                    state next = now;  // the handler may never come, so it does not end a deadlock
                    next.processors[i].in_handler = 0;
                    next.processors[i].was_interrupted = true;
                    add(next);
                }
            }
            if (!has_ended && !goes_on) return true;
        }
        return false;
    }

private:
    static constexpr std::size_t not_in_handler = 99;

    struct processor {
        std::size_t at = 0;
        std::size_t in_handler = not_in_handler;
        bool keeps_out = false;
        bool was_interrupted = false;
        auto operator<=>(const processor&) const = default;
    };
    struct state {
        std::array<processor, 4> processors{};
        std::array<bool, locks> written{};
        std::array<int, locks> readers{};
        auto operator<=>(const state&) const = default;
    };

    void add(const state& next) {
        if (seen_.insert(next).second) open_.push_back(next);
    }

    /// Takes the next step of a processor; returns false if it must wait.
    bool run(state next, std::size_t i) {
        processor& on = next.processors[i];
        const bool interrupted = on.in_handler != not_in_handler;
        const step& now = interrupted ? handler_[on.in_handler] : tasks_[i / 2][on.at];
        const auto lock = static_cast<std::size_t>(now.lock);
        if (now.what == 'L') {
            if (next.written[lock] || next.readers[lock] != 0) return false;
            next.written[lock] = true;
        } else if (now.what == 'R') {
            if (next.written[lock]) return false;
            ++next.readers[lock];
        } else if (now.what == 'U') {
            if (!next.written[lock]) --next.readers[lock];
            next.written[lock] = false;
        } else {
            on.keeps_out = now.what == '-';
        }
        if (!interrupted)
            ++on.at;
        else if (++on.in_handler == handler_.size())
            on.in_handler = not_in_handler;
        add(next);
        return true;
    }

    const std::vector<steps>& tasks_;
    const steps& handler_;
    std::set<state> seen_;
    std::vector<state> open_;
};

/// Makes random steps. A task may disable interrupts, and enable them while it holds locks.
steps random_steps(wedge::rng& in, bool is_handler) {
    steps made;
    bool keeps_out = !is_handler && in.below(2) == 0;
    if (keeps_out) made.push_back({'-', 0});
    std::array<int, locks> order{0, 1, 2};
    for (std::uint32_t i = locks - 1; i > 0; --i) std::swap(order[i], order[in.below(i + 1)]);
    const std::size_t depth = 1 + in.below(is_handler ? 2 : locks);
    for (std::size_t i = 0; i < depth; ++i) {
        made.push_back({in.below(3) != 0 ? 'L' : 'R', order[i]});
        if (keeps_out && in.below(6) == 0) {
            made.push_back({'+', 0});
            keeps_out = false;
        }
    }
    for (std::size_t i = depth; i-- > 0;) made.push_back({'U', order[i]});
    if (keeps_out) made.push_back({'+', 0});
    return made;
}

}  // namespace

TEST_CASE("contexts, oracle: no deadlock of a random program with an interrupt is missed") {
    constexpr unsigned programs = wedge::trials(40);
    wedge::rng in(7);
    unsigned deadlocks = 0;
    for (unsigned i = 0; i < programs; ++i) {
        const std::vector<steps> tasks{random_steps(in, false), random_steps(in, false)};
        const steps handler = random_steps(in, true);
        if (!machine(tasks, handler).can_deadlock()) continue;
        ++deadlocks;
        const std::vector<std::string> parts{text_of(tasks[0]), text_of(tasks[1]),
                                             "H{ " + text_of(handler) + " }"};
        for (const std::string& text : notation::permuted(parts))
            for (const auto kept : {wedge::evidence::classes, wedge::evidence::exact}) {
                const std::vector<wedge::finding> found = notation::findings_of(text, kept);
                CAPTURE(text);
                CHECK(std::any_of(found.begin(), found.end(), [](const wedge::finding& each) {
                    return each.judged != wedge::verdict::refuted;
                }));
            }
    }
    CHECK(deadlocks > programs / 3);
    CHECK(deadlocks < programs);
}

}  // namespace context_oracle_test
