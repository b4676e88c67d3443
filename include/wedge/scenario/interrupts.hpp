// The handlers of a scenario: when they come, and on top of whom.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "wedge/base/hash.hpp"
#include "wedge/lock/semaphore.hpp"
#include "wedge/scenario/interpreter.hpp"
#include "wedge/task/idle.hpp"

namespace wedge::scenario {

/// Runs each handler at most once an execution: before a statement of a task that has its context
/// enabled, or in a task of its own on behalf of one that waits.
///
/// The second way exists because what is waited for may be the handler. Tasks with the context
/// enabled are units of a semaphore; a handler that comes by the second way takes one, and so
/// keeps the last such task from masking the context or ending meanwhile.
class interrupts {
public:
    explicit interrupts(const document& all) {
        for (const declaration& each : all.all)
            if (each.what == declares::handler)
                handlers_.push_back(std::make_unique<handler>(each));
    }

    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(handlers_.size()); }
    const declaration& operator[](std::uint32_t i) const { return handlers_[i]->what; }

    /// A new execution with so many tasks to interrupt.
    void begin(std::uint32_t tasks) {
        for (const std::unique_ptr<handler>& each : handlers_) {
            each->has_come = false;
            each->gate.emplace(lock_kind::variable, lock_class("handler"));
        }
        for (std::optional<semaphore>& each : enabled_)
            if (!handlers_.empty()) each.emplace(tasks, "interrupts enabled");
    }
    void end() {
        for (const std::unique_ptr<handler>& each : handlers_) each->gate.reset();
        for (std::optional<semaphore>& each : enabled_) each.reset();
    }

    /// Before a statement of the running task. It may be interrupted here or at a later one.
    void strike(interpreter& runs, actor& who) {
        for (const std::unique_ptr<handler>& each : handlers_) {
            if (each->has_come || has_tried(who, *each) ||
                !current().contexts.admits(each->sort()) || choose(2, "an interrupt") == 0)
                continue;
            who.interrupted_by.push_back(&each->what);
            run(*each, runs, who);
        }
    }

    /// The task of one handler.
    void serve(std::uint32_t i, interpreter& runs, actor& who) {
        handler& mine = *handlers_[i];
        const site where = runs.at(mine.what);
        semaphore& enabled = *enabled_[mine.what.is_hard];
        {
            const idle_section until_enabled;
            enabled.down(where);
        }
        if (current().runtime->is_giving_up()) return;
        run(mine, runs, who);
        enabled.up(where);
    }

    /// The running task may have masked or enabled a context. What a handler does about that ends
    /// with it.
    void note(actor& who, site where) {
        if (who.handlers != 0) return;
        for (const bool is_hard : {false, true})
            set(who, is_hard, current().contexts.admits(sort(is_hard)), where);
    }
    /// Nobody interrupts a task that has ended.
    void note_end(actor& who, site where) {
        for (const bool is_hard : {false, true}) set(who, is_hard, false, where);
    }

    /// Which handlers have come.
    std::uint64_t hash() const noexcept {
        std::uint64_t all = 0;
        for (const std::unique_ptr<handler>& each : handlers_)
            all = combine(all, each->has_come ? 1 : 0);
        return all;
    }
    /// By whom a task was interrupted, and what it keeps out.
    static std::uint64_t hash_of(const actor& who) noexcept {
        std::uint64_t all = (who.is_masked[0] ? 1U : 0U) + (who.is_masked[1] ? 2U : 0U) +
                            who.handlers * std::uint64_t{4};
        for (const declaration* const each : who.interrupted_by) all = combine(all, each->at.line);
        return all;
    }

private:
    struct handler {
        explicit handler(const declaration& of) : what(of) {}
        context sort() const noexcept { return interrupts::sort(what.is_hard); }

        const declaration& what;
        bool has_come = false;
        std::optional<lock_identity> gate;  // a step on it decides who has the handler
    };

    static context sort(bool is_hard) noexcept {
        return is_hard ? context::hardirq : context::softirq;
    }
    static bool has_tried(const actor& who, const handler& which) {
        return std::find(who.interrupted_by.begin(), who.interrupted_by.end(), &which.what) !=
               who.interrupted_by.end();
    }

    static void run(handler& which, interpreter& runs, actor& who) {
        const site where = runs.at(which.what);
        task& self = current();
        self.runtime->perform(self, {.what = step::access, .lock = &*which.gate, .where = where});
        if (!comes_now(which, who)) return;
        const in_context inside(which.sort(), which.what.is_threaded, where);
        runs.run(which.what, who);
        const sanitizer::ignore_scope ours;
        --who.handlers;
    }

    /// No step of the tasks': what is remembered here orders nothing between them.
    static bool comes_now(handler& which, actor& who) {
        const sanitizer::ignore_scope ours;
        if (which.has_come) return false;
        which.has_come = true;
        ++who.handlers;
        return true;
    }

    void set(actor& who, bool is_hard, bool is_enabled, site where) {
        if (!enabled_[is_hard] || who.is_masked[is_hard] == !is_enabled) return;
        who.is_masked[is_hard] = !is_enabled;
        is_enabled ? enabled_[is_hard]->up(where) : enabled_[is_hard]->down(where);
    }

    std::vector<std::unique_ptr<handler>> handlers_;
    std::array<std::optional<semaphore>, 2> enabled_;  // by `is_hard`
};

}  // namespace wedge::scenario
