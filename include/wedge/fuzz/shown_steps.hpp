// What executions have shown so far, and how often the current one shows it again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "wedge/core/inline_vector.hpp"

namespace wedge {

/// The chains of holds and other steps that executions have shown, each with the counters that it
/// raises. A step is counted by one look-up; the counters are raised at the end of the execution.
class shown_steps {
public:
    shown_steps() : places_(64), table_(places_.data()), mask_(places_.size() - 1) {}
    shown_steps(const shown_steps&) = delete;
    shown_steps& operator=(const shown_steps&) = delete;

    /// Counts a step of the execution.
    ///
    /// @return whether the step is known; if not, `add` must follow
    [[gnu::always_inline]] bool count(std::uint64_t key) noexcept {
        for (std::uint64_t i = key & mask_;; i = (i + 1) & mask_) {
            if (table_[i].key == key) {
                hit(table_[i].number);
                return true;
            }
            if (table_[i].key == 0) return false;
        }
    }

    /// Adds a step that was unknown, with its counters, and counts it.
    void add(std::uint64_t key, std::span<const std::uint16_t> counters) {
        if ((entries_.size() + 1) * 2 > places_.size()) grow();  // at most half full
        const auto number = static_cast<std::uint32_t>(entries_.size());
        put(key, number);
        entries_.push_back({static_cast<std::uint32_t>(counters_.size()),
                            static_cast<std::uint16_t>(counters.size()), 0});
        for (const std::uint16_t each : counters) counters_.push_back(each);
        hit(number);
    }

    std::size_t size() const noexcept { return entries_.size(); }

    /// @param raise  (counter, amount)
    template <class Raise>
    void end_execution(Raise raise) {
        for (const std::uint32_t each : hit_) {
            entry& shown = entries_[each];
            for (std::uint32_t i = 0; i < shown.size; ++i)
                raise(counters_[shown.first + i], shown.hits);
            shown.hits = 0;
        }
        hit_.clear();
    }

private:
    struct place {
        std::uint64_t key = 0;     // 0: free
        std::uint32_t number = 0;  // of its entry
    };
    struct entry {
        std::uint32_t first;  // of its counters
        std::uint16_t size;
        std::uint16_t hits;  // in this execution
    };

    [[gnu::always_inline]] void hit(std::uint32_t number) {
        entry& shown = entries_[number];
        if (shown.hits == 0) hit_.push_back(number);
        if (shown.hits != 255) ++shown.hits;  // the maximum of a counter
    }
    void put(std::uint64_t key, std::uint32_t number) noexcept {
        std::uint64_t i = key & mask_;
        while (table_[i].key != 0) i = (i + 1) & mask_;
        table_[i] = {key, number};
    }
    void grow() {
        std::vector<place> before(places_.size() * 2);
        before.swap(places_);
        table_ = places_.data();
        mask_ = places_.size() - 1;
        for (const place& each : before)
            if (each.key != 0) put(each.key, each.number);
    }

    std::vector<place> places_;
    place* table_;        // the slots; a std::vector would be too slow for every step
    std::uint64_t mask_;  // their number - 1
    inline_vector<entry, 64> entries_;
    inline_vector<std::uint16_t, 64> counters_;
    inline_vector<std::uint32_t, 64> hit_;  // entries
};

}  // namespace wedge
