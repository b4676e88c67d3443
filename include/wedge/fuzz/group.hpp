// All workloads of a fuzz target. The first byte of an input selects one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/fuzz/mutate.hpp"
#include "wedge/fuzz/runner.hpp"

namespace wedge {

class fuzz_group {
public:
    explicit fuzz_group(std::vector<fuzz_design> designs)
        : designs_(std::move(designs)), runners_(designs_.size()), known_(designs_.size()) {
        for (const fuzz_design& each : designs_)
            counts_.push_back(static_cast<std::uint8_t>(each.actions.size()));
    }

    /// Runs an input; returns nothing if it shows nothing, or is of a design that was not selected.
    std::optional<fuzz_sighting> run(std::span<const std::uint8_t> bytes) {
        decode(bytes, counts_, input_);
        if (only_ >= 0 && input_.design != only_) {
            count_execution();
            return std::nullopt;
        }
        last_ = &runner_of(input_.design);
        return last_->run(input_);
    }

    /// Ignores from now on what the last input has shown, so that other findings come to light.
    void pass_over(const fuzz_sighting& known) {
        if (last_ != nullptr) last_->pass_over(known);
    }

    /// Ignores a finding of a design from now on, by its signature. A name that no design has is
    /// left out.
    void pass_over(const std::string& design, const std::string& signature) {
        for (std::size_t i = 0; i < designs_.size(); ++i) {
            if (designs_[i].name != design) continue;
            known_[i].push_back(signature);
            if (runners_[i] != nullptr) runners_[i]->pass_over(signature);
        }
    }

    /// Returns the runner of the current or last input, for a watchdog.
    const fuzz_runner* last_run() const noexcept { return last_; }

    /// What all inputs together have shown.
    struct knowledge {
        std::size_t edges = 0;     ///< from one lock to another, with the locks around them
        std::size_t chains = 0;    ///< chains of holds
        std::size_t composed = 0;  ///< programs composed of several inputs
        std::size_t refuted = 0;   ///< composed programs of which every schedule was tried
    };
    knowledge known() const {
        knowledge all;
        for (const std::unique_ptr<fuzz_runner>& each : runners_) {
            if (each == nullptr) continue;
            all.edges += each->memory().edges();
            all.chains += each->chains();
            all.composed += each->programs_composed();
            all.refuted += each->refuted();
        }
        return all;
    }

    /// Calls `visit` with the number of each design that has run, and with the lock pairs that its
    /// inputs have shown.
    template <class Visit>
    void for_each_lock_pairs(Visit visit) const {
        for (std::size_t i = 0; i < runners_.size(); ++i)
            if (runners_[i] != nullptr) visit(i, runners_[i]->lock_pairs());
    }

    /// Fuzzes this design alone. The name is that of the workload, or the text within `<>`; if two
    /// workloads share that text, it means the first one.
    ///
    /// @throws error  there is no such design
    void restrict_to(std::string_view name) {
        std::vector<std::string> words;
        for (std::size_t i = 0; i < designs_.size(); ++i) {
            const std::string shorter = short_name(designs_[i].name);
            const bool is_first = std::find(words.begin(), words.end(), shorter) == words.end();
            words.push_back(is_first ? shorter : designs_[i].name);
            if (name != designs_[i].name && name != words.back()) continue;
            only_ = static_cast<int>(i);
            return;
        }
        std::string all;
        for (const std::string& each : words) all += (all.empty() ? "" : ", ") + each;
        throw error("there is no design " + std::string(name) + "; there is " + all);
    }

    /// Forgets what inputs have shown, so that the next one is judged alone.
    void forget() {
        last_ = nullptr;
        for (std::unique_ptr<fuzz_runner>& each : runners_) each.reset();
    }

    std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t size_max,
                       std::uint64_t seed) const {
        return wedge::mutate(data, size, size_max, seed, counts_, only_);
    }

    std::size_t cross_over(std::span<const std::uint8_t> one, std::span<const std::uint8_t> other,
                           std::uint8_t* data, std::size_t size_max, std::uint64_t seed) const {
        return wedge::cross_over(one, other, data, size_max, seed, counts_, only_);
    }

    /// Makes one input from two, for a loop other than libFuzzer's: sometimes crossed, then
    /// mutated.
    ///
    /// @return the size of what was written to `into`
    std::size_t offspring(std::span<const std::uint8_t> one, std::span<const std::uint8_t> other,
                          std::span<std::uint8_t> into, rng& random) const {
        std::size_t size = std::min(one.size(), into.size());
        if (random.below(4) == 0)
            size = cross_over(one, other, into.data(), into.size(), random.next());
        else
            std::copy_n(one.begin(), size, into.begin());
        for (std::uint32_t n = 1 + random.below(4); n > 0; --n)
            size = mutate(into.data(), size, into.size(), random.next());
        return size;
    }

    const std::vector<fuzz_design>& designs() const noexcept { return designs_; }
    const action_counts& counts() const noexcept { return counts_; }
    const fuzz_design& design_of(std::span<const std::uint8_t> bytes) const {
        return designs_[decode(bytes, counts_).design];
    }

    /// Returns a number that changes with the list of workloads, their names and their actions: the
    /// bytes of an input then mean something else.
    std::uint64_t fingerprint() const {
        std::uint64_t print = designs_.size();
        for (const fuzz_design& each : designs_) {
            print = combine(print, hash_text(each.name));
            for (const std::string& action : each.actions)
                print = combine(print, hash_text(action));
        }
        return print;
    }

    /// Returns `upstream` for `device<upstream>`.
    static std::string short_name(const std::string& name) {
        const std::size_t open = name.find('<');
        if (open == std::string::npos || name.back() != '>') return name;
        return name.substr(open + 1, name.size() - open - 2);
    }

private:
    fuzz_runner& runner_of(std::uint8_t design) {
        if (runners_[design] == nullptr) {
            runners_[design] = std::make_unique<fuzz_runner>(designs_[design], design);
            for (const std::string& each : known_[design]) runners_[design]->pass_over(each);
        }
        return *runners_[design];
    }

    const std::vector<fuzz_design> designs_;
    action_counts counts_;
    std::vector<std::unique_ptr<fuzz_runner>> runners_;
    std::vector<std::vector<std::string>> known_;  // signatures to ignore, by design
    action_program input_;
    fuzz_runner* last_ = nullptr;
    int only_ = -1;
};

}  // namespace wedge
