// The rules on single locks (rule 23): released, destroyed, asserted or left behind.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wedge/order/describe.hpp"

namespace wedge::detail {

inline finding about(finding_kind kind, const task& self, const lock_use& use, const char* how) {
    return hygiene(kind, self, use.class_name + " " + how, {use});
}

/// @param mine  the task's hold of the lock; null: the task does not hold it
inline std::optional<finding> check_release(const task& self, const event& step,
                                            const held_lock* mine) {
    if (mine == nullptr)
        return about(finding_kind::unlock_imbalance, self, use_of(step),
                     "released by a task that does not hold it");
    if (has(mine->with, flags::pinned))
        return about(finding_kind::pin_broken, self, use_of(step), "released while pinned");
    return {};
}

inline std::optional<finding> check_downgrade(const task& self, const event& step,
                                              const held_lock* mine) {
    if (mine != nullptr && mine->how == mode::exclusive) return {};
    return about(finding_kind::bad_downgrade, self, use_of(step),
                 "downgraded without being held for writing");
}

/// Checks a lock that is destroyed or initialised again.
inline std::optional<finding> check_end_of_life(const task& self, const event& step,
                                                const held_lock* mine) {
    if (mine == nullptr) return {};
    return about(
        finding_kind::held_when_destroyed, self, use_of(*mine),
        step.kind == event_kind::init ? "initialised again while held" : "destroyed while held");
}

/// Checks an assertion. With the mode `exclusive` it needs an exclusive hold, otherwise any hold.
inline std::optional<finding> check_assertion(const task& self, const event& step,
                                              const held_lock* mine) {
    if (mine == nullptr) {
        lock_use use = use_of(step);
        use.how = mode::exclusive;  // the assertion claimed no mode
        return about(finding_kind::not_held, self, use, "asserted to be held, but it is not");
    }
    if (step.how == mode::exclusive && is_shared(mine->how))
        return about(finding_kind::not_held, self, use_of(step),
                     "asserted to be held exclusively, but it is shared");
    return {};
}

inline std::optional<finding> check_pin(const task& self, const event& step,
                                        const held_lock* mine) {
    if (step.kind == event_kind::pin && mine == nullptr)
        return about(finding_kind::not_held, self, use_of(step), "pinned without being held");
    if (step.kind == event_kind::unpin && (mine == nullptr || !has(mine->with, flags::pinned)))
        return about(finding_kind::pin_broken, self, use_of(step), "unpinned without being pinned");
    return {};
}

inline std::optional<finding> check_task_end(const task& self) {
    if (self.held.empty()) return {};
    std::vector<lock_use> locks;
    std::string what = self.title() + " ended holding";
    for (const held_lock& hold : self.held) {
        locks.push_back(use_of(hold));
        what += (locks.size() == 1 ? " " : ", ") + locks.back().class_name;
    }
    return hygiene(finding_kind::held_at_exit, self, std::move(what), std::move(locks));
}

}  // namespace wedge::detail
