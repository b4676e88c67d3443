// The order checker: it hears every step, keeps the graph of lock order, and reports violations.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sched.h>

#include "wedge/core/chain_key.hpp"
#include "wedge/core/finding.hpp"
#include "wedge/order/context_rules.hpp"
#include "wedge/order/hygiene_rules.hpp"
#include "wedge/order/knowledge.hpp"
#include "wedge/order/nesting_rules.hpp"
#include "wedge/order/observe.hpp"
#include "wedge/order/wait_rules.hpp"
#include "wedge/order/ww_rules.hpp"

namespace wedge {

/// A lock of a stated order.
struct stated_hold {
    lock_class cls;
    mode how = mode::exclusive;
    std::uint8_t subclass = 0;
};

/// Finds lock-order inversions in the events of any number of tasks, and mistakes with single
/// locks. docs/RULES.md lists the rules.
///
/// A sink of the tasks it listens to (`task::sink`). Events may come from several threads at once.
/// An acquire over a validated chain of holds costs one look-up and writes to nothing but its task;
/// a chain that two threads validate at once has the same result (rule 25). All other functions are
/// for the owner of the checker, between executions or while no task takes a step.
class checker final : public sink {
public:
    /// @param reports  receives each finding once, outside of the checker's lock; may be null
    explicit checker(evidence kept, finding_sink* reports = nullptr)
        : sink(reader::order, &chains_),
          chains_{.key = chain_key(kept), .known = {}},
          reports_(reports),
          knowledge_(kept) {}

    void on(task& self, const event& step) noexcept override {
        switch (step.kind) {
            case event_kind::attempt: attempt(self, step); break;
            case event_kind::try_acquired: try_acquired(self, step); break;
            case event_kind::released: released(self, step); break;
            case event_kind::downgraded: downgraded(self, step); break;
            case event_kind::sync: attempt(self, step); break;  // an acquire and release at once
            case event_kind::ticket_begin:
            case event_kind::ticket_done:
            case event_kind::ticket_end: ticket(self, step); break;
            case event_kind::irq_on:
            case event_kind::bh_on: let_in(self, step); break;
            case event_kind::prime: stated(step); break;
            case event_kind::might_sleep: sleeps(self, step); break;
            default: hygiene(self, step); break;
        }
    }

    /// Returns the findings, one per signature, in the order of discovery.
    const std::vector<finding>& findings() const noexcept { return knowledge_.findings(); }
    const order_graph& graph() const noexcept { return knowledge_.graph(); }

    /// Replaces the receiver of findings; null: no receiver.
    void report_to(finding_sink* reports) noexcept {
        reports_.store(reports, std::memory_order_release);
    }

    /// Sets whether new dependencies keep the stack of their acquire; off at first. The addresses
    /// of a stack differ from run to run, which the output of an engine must not. Call it before
    /// the first event.
    void keep_stacks(bool keeps) noexcept { knowledge_.keep_stacks(keeps); }

    /// Sets whether two instances of a class may nest in one order, as in live programs; off at
    /// first (rule 10). Call it before the first event.
    void nest_by_instance(bool does) noexcept { knowledge_.nest_by_instance(does); }

    /// Forgets everything, in time proportional to what was added.
    void reset() noexcept {
        knowledge_.clear();
        contexts_.clear();
        chains_.known.clear();
    }

    /// States an order before any path has run: each lock is taken while all locks before it are
    /// held (rule 20).
    void prime(std::span<const stated_hold> order, site where = site::current()) {
        std::vector<finding> fresh;
        {
            const writer turn(*this);
            for (std::size_t to = 1; to < order.size(); ++to)
                for (std::size_t from = 0; from < to; ++from)
                    add_stated(order[from], order[to], where, fresh);
        }
        deliver(fresh);
    }
    void prime(std::initializer_list<stated_hold> order, site where = site::current()) {
        prime(std::span(order.begin(), order.size()), where);
    }

    /// Judges a cycle again, from everything seen since. A claim made early may no longer hold, and
    /// a better explanation may have been seen. Findings of other kinds stay.
    void regrade(finding& found) const { knowledge_.regrade(found); }

    /// Call these around a fork. Otherwise the child could inherit a writer's turn that never ends.
    void before_fork() noexcept {
        const sanitizer::ignore_scope ours;
        begin_writing();
    }
    void after_fork() noexcept {
        const sanitizer::ignore_scope ours;
        end_writing();
    }

private:
    void begin_writing() noexcept {
        while (writing_.test_and_set(std::memory_order_acquire)) ::sched_yield();
    }
    void end_writing() noexcept { writing_.clear(std::memory_order_release); }

    /// A writer's turn. It is never held while code of the user runs.
    class writer {
    public:
        explicit writer(checker& of) noexcept : of_(of) { of_.begin_writing(); }
        ~writer() { of_.end_writing(); }
        writer(const writer&) = delete;
        writer& operator=(const writer&) = delete;

    private:
        checker& of_;
    };

    void attempt(task& self, const event& step) noexcept {
        if (has(step.with, flags::ticketed)) [[unlikely]]
            check_ticket(self, step);
        const std::uint64_t key = chains_.key.of_step(self, step);
        self.chain = key;
        if (chains_.known.contains(key)) [[likely]]
            return;
        validate(self, step, key);
    }

    /// Checks a blocking acquire against every lock that its task holds in this context (rule 3).
    /// A `sync` is an acquire and release at once (rule 19a).
    [[gnu::noinline, gnu::cold]] void validate(task& self, const event& step, std::uint64_t key) {
        if (has(step.with, flags::recursive)) return;
        std::vector<finding> fresh;
        {
            const writer turn(*this);
            detail::check_nest_lock(knowledge_, self, step, fresh);
            detail::check_wait_type(knowledge_, self, step, fresh);
            contexts_.taken(self, step, fresh);
            if (step.kind != event_kind::sync)
                contexts_.held(self, detail::hold_of(self.context, step), self.contexts, step.where,
                               fresh);
            for (std::size_t i = 0; i < self.held.size(); ++i) {
                const held_lock& held = self.held[i];
                if (held.context != static_cast<std::uint8_t>(self.context)) continue;
                if (held.class_id == step.class_id && step.kind != event_kind::ticket_begin)
                    detail::check_nesting(knowledge_, self, i, step, fresh);
                observation seen = detail::observe(self, i, step);
                const std::string who = seen.title;
                knowledge_.add(std::move(seen), who, fresh);
            }
            chains_.known.insert(key);
        }
        deliver(fresh);
    }

    /// Checks a wait for something else than a lock. Senders leave out the waits that are allowed.
    [[gnu::noinline, gnu::cold]] void sleeps(const task& self, const event& step) noexcept {
        std::vector<finding> fresh;
        {
            const writer turn(*this);
            detail::check_wait_type(knowledge_, self, step, fresh);
        }
        deliver(fresh);
    }

    void try_acquired(task& self, const event& step) noexcept {
        const std::uint64_t key = chains_.key.of_step(self, step);
        self.chain = key;
        if (!chains_.known.contains(key)) [[unlikely]]
            validate_tried(self, step, key);
    }

    /// Validates a successful trylock: it counts only as held (rule 2).
    [[gnu::noinline, gnu::cold]] void validate_tried(task& self, const event& step,
                                                     std::uint64_t key) {
        std::vector<finding> fresh;
        {
            const writer turn(*this);
            detail::check_nest_lock(knowledge_, self, step, fresh);
            detail::check_tried_nesting(knowledge_, self, step, fresh);
            contexts_.held(self, detail::hold_of(self.context, step), self.contexts, step.where,
                           fresh);
            chains_.known.insert(key);
        }
        deliver(fresh);
    }

    /// Handles a step of a ticket. A ticket that is held is an exclusive pseudo-lock (rule 14).
    void ticket(task& self, const event& step) noexcept {
        check_ticket(self, step);
        if (step.kind == event_kind::ticket_begin)
            attempt(self, step);
        else if (step.kind == event_kind::ticket_end)
            forget(self, self.held.find(step.instance));
    }
    [[gnu::noinline]] void check_ticket(task& self, const event& step) noexcept {
        for (finding& broken : detail::ticket_check(self, step).run()) report(std::move(broken));
    }

    /// Handles the enabling of interrupts: all locks held at this moment may be found held by them
    /// (rule 21).
    void let_in(task& self, const event& step) noexcept {
        const std::uint64_t key = chains_.key.of_opening(self, step.kind);
        if (self.held.empty() || chains_.known.contains(key)) return;
        context_state now = self.contexts;
        if (step.kind == event_kind::irq_on)
            now.irqs_are_off = false;
        else
            now.bh_depth = 0;
        std::vector<finding> fresh;
        {
            const writer turn(*this);
            for (const held_lock& hold : self.held)
                contexts_.held(self, hold, now, step.where, fresh);
            chains_.known.insert(key);
        }
        deliver(fresh);
    }

    void add_stated(const stated_hold& from, const stated_hold& to, site where,
                    std::vector<finding>& fresh) {
        observation seen;
        seen.held.class_id = from.cls.id();
        seen.wanted.class_id = to.cls.id();
        seen.held.subclass = from.subclass;
        seen.wanted.subclass = to.subclass;
        seen.held.how = from.how;
        seen.wanted.how = to.how;
        seen.primed = true;
        seen.title = "a stated order";
        seen.held.where = seen.wanted.where = where;
        knowledge_.add(std::move(seen), "a stated order", fresh);
    }

    void deliver(const std::vector<finding>& fresh) noexcept {
        finding_sink* const reports = reports_.load(std::memory_order_acquire);
        if (reports == nullptr) return;
        for (const finding& found : fresh) reports->on(found);
    }
    [[gnu::noinline, gnu::cold]] void report(finding&& found) noexcept {
        std::vector<finding> fresh;
        {
            const writer turn(*this);
            knowledge_.keep(std::move(found), fresh);
        }
        deliver(fresh);
    }

    void report(std::optional<finding>&& found) noexcept {
        if (found) [[unlikely]]
            report(std::move(*found));
    }

    void released(task& self, const event& step) noexcept {
        held_lock* const mine = self.held.find(step.instance);
        if (mine == nullptr || has(mine->with, flags::pinned)) [[unlikely]]
            report(detail::check_release(self, step, mine));
        forget(self, mine);
    }

    /// Recomputes the keys of holds that were taken after a hold that is about to go.
    void forget(task& self, held_lock* mine) noexcept {
        if (mine != nullptr && mine + 1 != self.held.end())
            chains_.key.rebuild(self, static_cast<std::size_t>(mine - self.held.begin()), mine);
    }

    void downgraded(task& self, const event& step) noexcept {
        held_lock* const mine = self.held.find(step.instance);
        report(detail::check_downgrade(self, step, mine));
        if (mine == nullptr) return;
        // The task itself does so after this event; the keys depend on it.
        mine->how = mode::shared;
        chains_.key.rebuild(self, static_cast<std::size_t>(mine - self.held.begin()), nullptr);
    }

    void hygiene(task& self, const event& step) noexcept {
        const held_lock* const mine = self.held.find(step.instance);
        switch (step.kind) {
            case event_kind::init:
            case event_kind::destroy: return report(detail::check_end_of_life(self, step, mine));
            case event_kind::assert_held: return report(detail::check_assertion(self, step, mine));
            case event_kind::pin:
            case event_kind::unpin: return report(detail::check_pin(self, step, mine));
            case event_kind::task_end: return report(detail::check_task_end(self));
            default: return;
        }
    }

    /// Handles a stated order in a trace. Class and instance of the first lock come as one number.
    void stated(const event& step) noexcept {
        const auto from = lock_class::from_id(static_cast<std::uint32_t>(step.payload >> 32));
        const auto to = lock_class::from_id(step.class_id);
        prime({{from}, {to, step.how, acquisition_of(step).subclass}}, step.where);
    }

    validated_chains chains_;
    std::atomic<finding_sink*> reports_;

    // Below: for writers only.
    alignas(64) std::atomic_flag writing_;  // not on the cache line of readers
    order_knowledge knowledge_;
    context_rules contexts_{knowledge_};
};

}  // namespace wedge
