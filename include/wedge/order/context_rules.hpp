// The rules on contexts: a lock that an interrupt takes must not be held by what it interrupts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/order/knowledge.hpp"

namespace wedge {

/// Expresses rule 21 as dependencies. A lock held while an interrupt is enabled precedes the
/// context of that interrupt, and the context precedes the locks taken in it. A conflict is then a
/// cycle, with the same rules on readers and in either order of discovery.
///
/// As long as nothing runs in a context, the order does not contain it.
class context_rules {
public:
    explicit context_rules(order_knowledge& known) noexcept : known_(known) {}

    /// Adds a blocking acquire in the task's context.
    void taken(const task& self, const event& step, std::vector<finding>& fresh) {
        note_kind(step.class_id, step.lock);
        if (self.context == context::task || known_.is_per_cpu(step.class_id)) return;
        sort& in = of(self.context);
        const std::uint32_t node = detail::class_of(self.context).id();
        if (!std::exchange(in.is_used, true)) {
            for (observation& each : in.interruptible)
                known_.add(std::move(each), self.title(), fresh);
            in.interruptible.clear();
        }
        observation seen = made_by(self, step.where);
        seen.held.class_id = node;
        seen.wanted = acquisition_of(step);
        known_.add(std::move(seen), self.title(), fresh);
    }

    /// Adds a lock that is held, or about to be. `now` says which interrupts may arrive.
    void held(const task& self, const held_lock& hold, const context_state& now, site where,
              std::vector<finding>& fresh) {
        note_kind(hold.class_id, hold.lock);
        if (known_.is_per_cpu(hold.class_id)) return;
        if (hold.lock != nullptr && hold.lock->has_free_readers() && is_shared(hold.how)) return;
        for (const context sort_of : {context::softirq, context::hardirq, context::nmi}) {
            if (!now.admits(sort_of)) continue;
            sort& in = of(sort_of);
            // Live programs keep one observation per class and mode, since instances come and go
            // for days.
            const std::uint32_t instance = known_.is_exact() ? hold.instance : 0;
            const std::uint64_t who = known_.is_exact() ? self.ordinal + std::uint64_t{1} : 0;
            const std::uint64_t what = combine(std::uint64_t{hold.class_id} << 32 | instance,
                                               who << 8 | static_cast<unsigned>(hold.how));
            if (!in.seen.insert(what).second) continue;
            observation seen = made_by(self, where);
            seen.held = acquisition_of(hold);
            seen.held.instance = instance;
            seen.wanted.class_id = detail::class_of(sort_of).id();
            if (in.is_used)
                known_.add(std::move(seen), self.title(), fresh);
            else
                in.interruptible.push_back(std::move(seen));
        }
    }

    void clear() noexcept {
        for (sort& each : sorts_) {
            if (!each.seen.empty()) each.seen.clear();
            each.interruptible.clear();
            each.is_used = false;
        }
    }

private:
    struct sort {
        bool is_used = false;  // a lock is taken in it, so the order contains the context
        std::vector<observation> interruptible;  // added once the context is used
        std::unordered_set<std::uint64_t> seen;
    };

    sort& of(context which) noexcept { return sorts_[static_cast<std::size_t>(which) - 1]; }

    static observation made_by(const task& self, site where) {
        observation seen;
        seen.task = self.ordinal;
        seen.title = self.title();
        seen.held.where = seen.wanted.where = where;
        return seen;
    }
    void note_kind(std::uint32_t class_id, const lock_identity* lock) {
        if (lock != nullptr && lock->kind() == lock_kind::local_lock) known_.add_per_cpu(class_id);
    }

    order_knowledge& known_;
    std::array<sort, 3> sorts_;
};

}  // namespace wedge
