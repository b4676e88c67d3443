// Mutations of a fuzzer's input as a program.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "wedge/core/rng.hpp"
#include "wedge/fuzz/action_program.hpp"

namespace wedge {

/// Changes a program at random, a few changes at a time.
class program_mutator {
public:
    /// @param only  the design that is fuzzed; -1: all
    program_mutator(const action_counts& designs, int only, std::uint64_t seed)
        : designs_(designs), only_(only), random_(seed) {}

    void mutate(action_program& what) {
        if (only_ >= 0)
            move_to(what, static_cast<std::uint8_t>(only_));
        else if (what.records.empty() || random_.below(64) == 0)
            move_to(what, byte(designs_.size()));
        if (what.tasks < 2) what.tasks = 2;
        for (unsigned changes = 1 + random_.below(3); changes > 0; --changes) change(what);
    }

    /// Crosses two programs: the result has tasks of both, each with all its calls. The schedule is
    /// that of the first program up to some place, and then that of the second.
    action_program cross(const action_program& one, action_program other) {
        action_program made = one;
        move_to(other, one.design);
        made.records.clear();
        made.tasks = std::max(one.tasks, other.tasks);
        const std::uint32_t of_one = random_.below(1U << action_program::tasks_max);
        const auto take = [&](const records& from, bool is_one) {
            for (const action_record& each : from)
                if ((of_one >> each.task & 1U) == (is_one ? 1U : 0U) &&
                    made.records.size() < action_program::records_max)
                    made.records.push_back(each);
        };
        take(one.records, true);
        take(other.records, false);
        if (!made.answers.empty()) made.answers.resize(random_.below(size32(made.answers)) + 1);
        if (other.answers.size() > made.answers.size())
            made.answers.insert(
                made.answers.end(),
                other.answers.begin() + static_cast<std::ptrdiff_t>(made.answers.size()),
                other.answers.end());
        return made;
    }

private:
    using records = std::vector<action_record>;

    template <class Vector>
    static std::uint32_t size32(const Vector& of) noexcept {
        return static_cast<std::uint32_t>(of.size());
    }

    std::uint8_t byte(std::size_t n) noexcept {
        return static_cast<std::uint8_t>(random_.below(static_cast<std::uint32_t>(n)));
    }
    std::ptrdiff_t place(std::size_t n) noexcept {
        return static_cast<std::ptrdiff_t>(random_.below(static_cast<std::uint32_t>(n)));
    }

    void move_to(action_program& what, std::uint8_t design) const {
        what.design = design;
        for (action_record& each : what.records)
            each.action = static_cast<std::uint8_t>(each.action % designs_[design]);
    }

    action_record any(const action_program& what) {
        return {byte(what.tasks), byte(designs_[what.design]), small()};
    }
    /// Returns a small number most of the time, since arguments select among few objects.
    std::uint8_t small() noexcept { return byte(random_.below(8) == 0 ? 256 : 4); }

    void change(action_program& what) {
        records& all = what.records;
        // Weights out of 32. Programs change more often than schedules, since a wrong order shows
        // in any schedule that reaches it.
        const std::uint32_t draw = random_.below(32);
        if (all.size() < 2 || draw < 7) {
            if (all.size() < action_program::records_max) insert(what);
        } else if (draw < 10) {
            all.erase(all.begin() + place(all.size()));
        } else if (draw < 13) {
            all[random_index(all)].action = byte(designs_[what.design]);
        } else if (draw < 15) {
            all[random_index(all)].argument = small();
        } else if (draw < 16) {
            all[random_index(all)].task = byte(what.tasks);
        } else if (draw < 18) {
            const std::size_t i = random_index(all);
            std::swap(all[i], all[i == 0 ? all.size() - 1 : i - 1]);
        } else if (draw < 19) {
            contend(what);
        } else if (draw < 20) {
            nest(what);
        } else if (draw < 21) {
            what.tasks = static_cast<std::uint8_t>(2 + byte(3));
            for (action_record& each : all)
                each.task = static_cast<std::uint8_t>(each.task % what.tasks);
        } else {
            change_answers(what.answers, draw);
        }
    }

    /// Inserts a call. Half of the calls go to the end, where they continue what the input has
    /// reached; half of these into the last task, since tasks run one after the other unless the
    /// answers say otherwise.
    void insert(action_program& what) {
        records& all = what.records;
        action_record added = any(what);
        if (all.empty() || random_.below(2) == 0) {
            all.insert(all.begin() + place(all.size() + 1), added);
            return;
        }
        if (random_.below(2) == 0)
            added.task = std::ranges::max(all, {}, &action_record::task).task;
        all.push_back(added);
    }

    std::size_t random_index(const records& all) noexcept { return random_.below(size32(all)); }

    /// Lets another task make the same call.
    void contend(action_program& what) {
        if (what.records.size() == action_program::records_max) return;
        action_record copy = what.records[random_index(what.records)];
        copy.task = static_cast<std::uint8_t>((copy.task + 1) % what.tasks);
        what.records.push_back(copy);
    }

    /// Nests a call of a task within another call: that call is put before it; and after it that
    /// call again, or the action listed next, since a release often follows its acquire in the
    /// list.
    void nest(action_program& what) {
        records& all = what.records;
        if (all.size() + 2 > action_program::records_max) return;
        const auto inner = all.begin() + place(all.size());
        action_record around = any(what);
        around.task = inner->task;
        action_record behind = around;
        behind.action =
            static_cast<std::uint8_t>((behind.action + byte(2)) % designs_[what.design]);
        const auto nested = all.insert(inner, around);
        all.insert(nested + 2, behind);
    }

    void change_answers(std::vector<std::uint8_t>& all, std::uint32_t draw) {
        constexpr std::size_t answers_max = 256;  // programs are far shorter
        if (all.size() < answers_max && (all.empty() || draw < 24)) {
            // After a run of zeros, so that a late switch is as likely as an early one.
            all.insert(all.end(), random_.below(6), 0);
            all.push_back(static_cast<std::uint8_t>(1 + random_.below(3)));
        } else if (draw < 26) {
            all.insert(all.begin() + place(all.size() + 1), small());
        } else if (draw < 28) {
            all.erase(all.begin() + place(all.size()));
        } else if (draw < 31) {
            all[random_.below(size32(all))] = small();
        } else {
            all.resize(all.size() / 2);
        }
    }

    const action_counts& designs_;
    const int only_;
    rng random_;
};

/// Mutates the bytes of an input in place.
///
/// @return the new size, at most size_max
inline std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t size_max,
                          std::uint64_t seed, const action_counts& designs, int only) {
    action_program what = decode(std::span<const std::uint8_t>(data, size), designs);
    program_mutator(designs, only, seed).mutate(what);
    return encode(what, std::span(data, size_max));
}

/// Crosses the programs of two inputs.
///
/// @return the size of what was written to `data`, at most size_max
inline std::size_t cross_over(std::span<const std::uint8_t> one,
                              std::span<const std::uint8_t> other, std::uint8_t* data,
                              std::size_t size_max, std::uint64_t seed,
                              const action_counts& designs, int only) {
    const action_program made =
        program_mutator(designs, only, seed).cross(decode(one, designs), decode(other, designs));
    return encode(made, std::span(data, size_max));
}

}  // namespace wedge
