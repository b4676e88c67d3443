// Random lock programs, and the truth about them: whether some interleaving deadlocks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/hash.hpp"

#include "support/notation.hpp"

namespace order_truth {

enum class act : std::uint8_t { exclusive, shared, recursive, tried, release };
struct step {
    act what;
    unsigned lock;
};
using program = std::vector<std::vector<step>>;

inline constexpr unsigned locks = 3;
inline constexpr const char* names[] = {"A", "B", "C"};

/// Makes a random program.
///
/// @param random  has `below(n)`: a generator, or the bytes of a fuzz input
template <class Random>
program make(Random& random) {
    program made(random.below(8) == 0 ? 3 : 2);  // three sequences make the search much slower
    for (std::vector<step>& sequence : made) {
        unsigned order[] = {0, 1, 2};
        for (unsigned i = locks; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
        const unsigned depth = 2 + random.below(2);
        std::vector<unsigned> held;
        for (unsigned i = 0; i < depth; ++i) {
            constexpr act kinds[] = {act::exclusive, act::exclusive, act::shared,
                                     act::recursive, act::recursive, act::tried};
            sequence.push_back({kinds[random.below(6)], order[i]});
            held.push_back(order[i]);
            if (held.size() == 2 && i + 1 < depth && random.below(4) == 0) {  // hand over hand
                sequence.push_back({act::release, held.front()});
                held.erase(held.begin());
            }
        }
        for (; !held.empty(); held.pop_back()) sequence.push_back({act::release, held.back()});
    }
    return made;
}

inline std::string text_of(const program& p) {
    constexpr const char* words[] = {"L", "R", "RR", "T", "U"};
    std::string text;
    for (const std::vector<step>& sequence : p) {
        if (!text.empty()) text += " | ";
        for (const step& s : sequence)
            text += std::string(words[static_cast<unsigned>(s.what)]) + "(" + names[s.lock] + ") ";
    }
    return text;
}

/// A set of numbers other than 0. The one of the standard library takes four times as long here.
class number_set {
public:
    bool insert(std::uint64_t key) {
        if (++size_ * 2 > slots_.size()) {
            std::vector<std::uint64_t> old(slots_.size() * 2);
            old.swap(slots_);
            for (const std::uint64_t k : old)
                if (k != 0) put(k);
        }
        return put(key);
    }

private:
    bool put(std::uint64_t key) {
        const std::size_t mask = slots_.size() - 1;
        std::size_t i = wedge::mix(key) & mask;
        for (; slots_[i] != 0; i = (i + 1) & mask)
            if (slots_[i] == key) return false;
        slots_[i] = key;
        return true;
    }

    std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(256);
    std::size_t size_ = 0;
};

/// Searches all interleavings of two copies of each sequence, with first-come-first-served locks
/// whose recursive readers pass the queue. A trylock that fails ends its task.
///
/// Two reductions: a release is taken at once, since it waits for nothing and only lets others go
/// on; and states that differ only by an exchange of two copies are one state.
class oracle {
public:
    explicit oracle(const program& p) {
        for (const std::vector<step>& sequence : p)
            for (int copy = 0; copy < 2; ++copy) {
                std::array<std::uint8_t, locks> now{};
                for (std::size_t i = 0; i < sequence.size(); ++i) {
                    held_[tasks_][i] = now;
                    const act what = sequence[i].what;
                    now[sequence[i].lock] = what == act::release                           ? 0
                                            : what == act::exclusive || what == act::tried ? 2
                                                                                           : 1;
                }
                steps_[tasks_++] = &sequence;
            }
    }

    bool deadlocks() {
        std::vector<state> open{state{}};
        while (!open.empty()) {
            const state now = open.back();
            open.pop_back();
            bool moved = false;
            bool unfinished = false;
            for (unsigned t = 0; t < tasks_; ++t) {
                if (now.at[t] == steps_[t]->size()) continue;
                unfinished = true;
                state next = now;
                if (!advance(next, t)) continue;
                moved = true;
                if (seen_.insert(key(next))) open.push_back(next);
            }
            if (unfinished && !moved) return true;
        }
        return false;
    }

private:
    static constexpr unsigned tasks_max = 6;
    static constexpr unsigned steps_max = 2 * locks + 1;
    struct state {
        std::array<std::uint8_t, tasks_max> at{};  // the number of the next step
        // Place in the queue of its lock, from 1; 0: not queued.
        std::array<std::uint8_t, tasks_max> rank{};
    };

    static std::uint64_t key(const state& s) noexcept {
        std::uint64_t all = 1;
        for (unsigned t = 0; t < tasks_max; t += 2) {
            const unsigned one = s.at[t] * 8U + s.rank[t];
            const unsigned other = s.at[t + 1] * 8U + s.rank[t + 1];
            all = all << 14 | (one < other ? one << 7 | other : other << 7 | one);
        }
        return all;
    }

    bool is_free_for(const state& s, unsigned t, const step& next) const noexcept {
        const bool writes = next.what == act::exclusive || next.what == act::tried;
        for (unsigned o = 0; o < tasks_; ++o) {
            if (o == t || s.at[o] == steps_[o]->size()) continue;
            const unsigned how = held_[o][s.at[o]][next.lock];
            if (how == 2 || (how == 1 && writes)) return false;
            if (next.what == act::recursive || s.rank[o] == 0) continue;
            const step& waiting = (*steps_[o])[s.at[o]];
            if (waiting.lock != next.lock || (s.rank[t] != 0 && s.rank[o] > s.rank[t])) continue;
            if (writes || waiting.what == act::exclusive) return false;
        }
        return true;
    }

    void leave_queue(state& s, unsigned t, unsigned lock) const noexcept {
        if (s.rank[t] == 0) return;
        for (unsigned o = 0; o < tasks_; ++o)
            if (s.rank[o] > s.rank[t] && (*steps_[o])[s.at[o]].lock == lock) --s.rank[o];
        s.rank[t] = 0;
    }

    /// Takes the task's next step and the releases after it; returns false if the task must wait.
    bool advance(state& s, unsigned t) const noexcept {
        const std::vector<step>& all = *steps_[t];
        const step& next = all[s.at[t]];
        if (is_free_for(s, t, next)) {
            leave_queue(s, t, next.lock);
            ++s.at[t];
            while (s.at[t] < all.size() && all[s.at[t]].what == act::release) ++s.at[t];
            return true;
        }
        if (next.what == act::tried) {
            s.at[t] = static_cast<std::uint8_t>(all.size());
            return true;
        }
        if (s.rank[t] != 0) return false;
        std::uint8_t last = 0;
        for (unsigned o = 0; o < tasks_; ++o)
            if (s.rank[o] > last && (*steps_[o])[s.at[o]].lock == next.lock) last = s.rank[o];
        s.rank[t] = static_cast<std::uint8_t>(last + 1);
        return true;
    }

    const std::vector<step>* steps_[tasks_max]{};
    std::array<std::uint8_t, locks> held_[tasks_max][steps_max]{};  // 1 shared, 2 exclusive
    unsigned tasks_ = 0;
    number_set seen_;
};

/// Compares the order checker with the truth about a program. Returns its mistake; empty: none.
inline std::string mistake_about(const program& p, bool deadlocks) {
    const std::string text = text_of(p);
    const auto live = notation::findings_of(text);
    wedge::checker checker(wedge::evidence::exact);
    notation::player(checker).play(text);
    auto exact = checker.findings();
    if (live.empty() != exact.empty()) return "evidence decides: " + text;
    if (!deadlocks) return {};
    if (live.empty()) return "missed: " + text;
    for (wedge::finding& found : exact) {
        checker.regrade(found);  // a guard that was seen at first may not hold at the end
        if (found.judged != wedge::verdict::refuted) return {};
    }
    return "refuted: " + text;
}

}  // namespace order_truth
