// The handlers of a scenario: when they come, and on top of whom.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/core/idle.hpp"
#include "wedge/scenario/interpreter.hpp"

namespace wedge::scenario {

/// Returns the context in which a handler runs.
constexpr context context_of(const declaration& handler) noexcept {
    if (handler.is_nmi) return context::nmi;
    return handler.is_hard ? context::hardirq : context::softirq;
}

/// Lets each handler come at most once an execution. It has a task of its own whose only step is
/// its arrival. That step chooses a task that has the handler's context enabled; from then on the
/// handler is code of that task, which goes on with its own step when the handler has ended.
class interrupts {
public:
    explicit interrupts(const document& all) {
        for (const declaration& each : all.all)
            if (each.what == declares::handler) handlers_.push_back(&each);
    }

    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(handlers_.size()); }
    const declaration& operator[](std::uint32_t i) const { return *handlers_[i]; }
    std::vector<std::pair<std::string, context>> names_and_contexts() const {
        std::vector<std::pair<std::string, context>> all;
        for (const declaration* const each : handlers_)
            all.emplace_back(each->name, context_of(*each));
        return all;
    }

    /// A new execution.
    void begin() { have_come_.assign(handlers_.size(), false); }

    /// The task of one handler. It is idle until the handler comes: nobody needs that.
    void serve(std::uint32_t i, const interpreter& runs) {
        const idle_section until_enabled;
        task& self = current();
        self.runtime->perform(self, {.what = step::interrupt,
                                     .other = static_cast<std::uint32_t>(context_of(*handlers_[i])),
                                     .where = runs.at(*handlers_[i])});
    }

    /// Runs a handler on top of the running task.
    void run(std::uint32_t i, interpreter& runs, actor& who) {
        note_arrival(i);
        const declaration& what = *handlers_[i];
        const in_context inside(context_of(what), what.is_threaded, runs.at(what));
        runs.run(what, who);
    }

    bool have_all_come() const noexcept {
        return std::find(have_come_.begin(), have_come_.end(), false) == have_come_.end();
    }
    /// Which handlers have come.
    std::uint64_t hash() const noexcept {
        std::uint64_t all = 0;
        for (const bool has_come : have_come_) all = combine(all, has_come ? 1 : 0);
        return all;
    }

private:
    /// No step of the tasks': what is remembered here orders nothing between them.
    void note_arrival(std::uint32_t i) {
        if (current().runtime == nullptr) return;  // `native_interrupts` remembers it
        const sanitizer::ignore_scope ours;
        have_come_[i] = true;
    }

    std::vector<const declaration*> handlers_;
    std::vector<bool> have_come_;
};

}  // namespace wedge::scenario
