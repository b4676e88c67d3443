// The findings of executions that got stuck, each described once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wedge/explore/engine/livelock.hpp"
#include "wedge/explore/engine/state_hash.hpp"
#include "wedge/explore/verdict/deadlock.hpp"

namespace wedge {

/// Descriptions of deadlocks. Most deadlocks of a search repeat a few, and describing one costs
/// more than reaching it.
class stuck_descriptions {
public:
    using tasks = std::span<const std::unique_ptr<controlled_task>>;

    /// @param circle  of a livelock; else null
    std::shared_ptr<const finding> of(tasks all, const lock_table& locks,
                                      const livelock_watch* circle) {
        if (known_.size() == known_max) known_.clear();
        std::shared_ptr<const finding>& known = known_[key_of(all, locks, circle != nullptr)];
        if (known == nullptr) known = std::make_shared<const finding>(describe(all, locks, circle));
        return known;
    }

private:
    static constexpr std::size_t known_max = 4096;  // a few megabytes

    static std::uint64_t key_of(tasks all, const lock_table& locks, bool is_livelock) {
        std::uint64_t key = combine(state_hash(all), is_livelock ? 1 : 0);
        for (const std::unique_ptr<controlled_task>& each : all) {
            key = combine(key, hash_text(each->self.name));
            if (each->self.action != nullptr) key = combine(key, hash_text(each->self.action));
            const lock_identity* const wanted = each->self.pending.lock;
            if (each->is_done || wanted == nullptr) continue;
            for (const lock_state::use& waiting : locks.at(wanted->instance()).state.queue())
                key = combine(key, waiting.task);
        }
        return key;
    }

    static finding describe(tasks all, const lock_table& locks, const livelock_watch* circle) {
        std::vector<stuck_task> standing;
        for (const std::unique_ptr<controlled_task>& each : all)
            standing.push_back(
                {&each->self, each->is_done,
                 each->self.pending.what == step::wait && each->phase == wait_phase::sleeping,
                 each->processor.number, each->waits_for_processor_of});
        finding stuck = describe_deadlock(standing, locks);
        if (circle == nullptr) return stuck;
        return describe_livelock(std::move(stuck), circle->retries());
    }

    std::unordered_map<std::uint64_t, std::shared_ptr<const finding>> known_;
};

}  // namespace wedge
