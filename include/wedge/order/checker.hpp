// The order checker: hears every step, keeps the graph of lock order, reports what breaks it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sched.h>

#include "wedge/event/finding.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/order/knowledge.hpp"
#include "wedge/task/chain_key.hpp"

namespace wedge {

/// One lock of a stated order.
struct stated_hold {
    lock_class cls;
    mode how = mode::exclusive;
    std::uint8_t subclass = 0;
};

/// Finds lock-order inversions in the events of any number of tasks, and mistakes of single locks.
///
/// Events may come from several threads at once. An acquire over a chain of holds that was
/// validated before costs one look-up and writes to nothing but its task. The other functions are
/// for the engine that owns the checker, between executions or when no task is in a step.
class checker final : public sink {
public:
    /// @param reports  hears of each finding once, outside the checker's lock; may be null
    explicit checker(evidence kept, finding_sink* reports = nullptr)
        : sink(reader::order, &chains_),
          chains_{.key = chain_key(kept), .known = {}},
          reports_(reports),
          knowledge_(kept) {}

    void on(task& self, const event& step) noexcept override {
        switch (step.kind) {
            case event_kind::attempt:
                attempt(self, step);
                break;
            case event_kind::try_acquired:
                self.chain = key_of(self, step);
                break;
            case event_kind::released:
                released(self, step);
                break;
            case event_kind::downgraded:
                downgraded(self, step);
                break;
            case event_kind::sync:
                attempt(self, step);
                break;  // an acquire and release at once
            case event_kind::init:
            case event_kind::destroy:
                destroyed(self, step);
                break;
            case event_kind::task_end:
                ended(self);
                break;
            case event_kind::prime:
                stated(step);
                break;
            default:
                break;
        }
    }

    /// One a signature, in the order of discovery.
    const std::vector<finding>& findings() const noexcept { return knowledge_.findings(); }
    const order_graph& graph() const noexcept { return knowledge_.graph(); }

    /// Replaces the receiver of findings; null: nobody.
    void report_to(finding_sink* reports) noexcept {
        reports_.store(reports, std::memory_order_release);
    }

    /// Whether new dependencies keep the stack of their acquire. Off at first: addresses differ
    /// from run to run, which an engine's output must not. Call it before the first event.
    void keep_stacks(bool keeps) noexcept { knowledge_.keep_stacks(keeps); }

    /// Ordinals of tasks and instances start again; what was learnt is kept. Nothing here counts
    /// executions: an ordinal means the same lock or task in each of them.
    void begin_execution() noexcept {}

    /// Forgets everything, in time proportional to what was added.
    void reset() noexcept {
        knowledge_.clear();
        chains_.known.clear();
    }

    /// States an order before any path has run: each lock is taken while all before it are held.
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

    /// Judges a circular finding again, from all that was seen meanwhile. A claim made early may
    /// not hold any more, and its best explanation may be a better one. Other kinds stay.
    void regrade(finding& found) const { knowledge_.regrade(found); }

    /// Around a fork: the child must not inherit a writer's turn that nobody ends.
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
        while (writing_.test_and_set(std::memory_order_acquire))
            ::sched_yield();
    }
    void end_writing() noexcept { writing_.clear(std::memory_order_release); }

    /// A writer's turn. Never held while anything of the user's runs.
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
        const std::uint64_t key = key_of(self, step);
        self.chain = key;
        if (chains_.known.contains(key)) [[likely]]
            return;
        validate(self, step, key);
    }

    std::uint64_t key_of(task& self, const event& next) const noexcept {
        return chains_.key.of(self, {.class_id = next.class_id,
                                     .instance = next.instance,
                                     .how = next.how,
                                     .subclass = next.subclass,
                                     .with = next.with,
                                     .context = static_cast<std::uint8_t>(self.context),
                                     .allows = next.lock ? next.lock->allows() : next.waits,
                                     .payload = next.payload});
    }

    [[gnu::noinline, gnu::cold]] void validate(task& self, const event& step, std::uint64_t key) {
        if (has(step.with, flags::recursive))
            return;
        std::vector<finding> fresh;
        {
            const writer turn(*this);
            for (std::size_t i = 0; i < self.held.size(); ++i) {
                const held_lock& held = self.held[i];
                if (held.context != static_cast<std::uint8_t>(self.context))
                    continue;
                if (held.class_id == step.class_id)
                    check_nesting(self, held, step, fresh);
                add_seen(self, i, step, fresh);
            }
            chains_.known.insert(key);
        }
        deliver(fresh);
    }

    /// Rule 10. Subclasses excuse different instances only.
    void check_nesting(const task& self, const held_lock& held, const event& step,
                       std::vector<finding>& fresh) {
        if (!may_wait(step.how, held.how))
            return;
        if (held.instance != step.instance) {
            if (lock_class::from_id(step.class_id).options().unchecked)
                return;
            if (detail::counted_subclass(held.with, held.subclass) !=
                detail::counted_subclass(step.with, step.subclass))
                return;
        }
        knowledge_.keep(detail::nesting(self, held, step, knowledge_.is_exact()), fresh);
    }

    void add_seen(const task& self, std::size_t index, const event& step,
                  std::vector<finding>& fresh) {
        const held_lock& held = self.held[index];
        observation seen;
        seen.held_instance = held.instance;
        seen.wanted_instance = step.instance;
        seen.held_how = held.how;
        seen.wanted_how = step.how;
        seen.held_with = held.with;
        seen.wanted_with = step.with;
        seen.task = self.ordinal;
        seen.title = self.title();
        seen.held_at = held.where;
        seen.wanted_at = step.where;
        for (std::size_t i = 0; i < index; ++i) {
            const held_lock& outer = self.held[i];
            if (outer.how == mode::exclusive && outer.context == held.context &&
                !lock_class::from_id(outer.class_id).options().never_waits)
                seen.guards.add({outer.class_id, outer.instance});
        }
        const auto from = knowledge_.node_of(held.class_id, held.with, held.subclass);
        const auto to = knowledge_.node_of(step.class_id, step.with, step.subclass);
        knowledge_.add(from, to, std::move(seen), self.title(), fresh);
    }

    void add_stated(const stated_hold& from, const stated_hold& to, site where,
                    std::vector<finding>& fresh) {
        observation seen;
        seen.held_how = from.how;
        seen.wanted_how = to.how;
        seen.primed = true;
        seen.title = "a stated order";
        seen.held_at = seen.wanted_at = where;
        const auto held = knowledge_.node_of(from.cls.id(), flags::subclassed, from.subclass);
        const auto wanted = knowledge_.node_of(to.cls.id(), flags::subclassed, to.subclass);
        knowledge_.add(held, wanted, std::move(seen), "a stated order", fresh);
    }

    void deliver(const std::vector<finding>& fresh) noexcept {
        finding_sink* const reports = reports_.load(std::memory_order_acquire);
        if (reports == nullptr)
            return;
        for (const finding& found : fresh)
            reports->on(found);
    }
    [[gnu::noinline, gnu::cold]] void report(finding&& found) noexcept {
        std::vector<finding> fresh;
        {
            const writer turn(*this);
            knowledge_.keep(std::move(found), fresh);
        }
        deliver(fresh);
    }

    void released(task& self, const event& step) noexcept {
        held_lock* const mine = self.held.find(step.instance);
        if (mine == nullptr) [[unlikely]] {
            const lock_use use = detail::use_of(step);
            report(detail::hygiene(finding_kind::unlock_imbalance, self,
                                   use.class_name + " released by a task that does not hold it",
                                   {use}));
        } else if (mine + 1 != self.held.end()) {
            chains_.key.rebuild(self, static_cast<std::size_t>(mine - self.held.begin()), mine);
        }
    }

    void downgraded(task& self, const event& step) noexcept {
        held_lock* const mine = self.held.find(step.instance);
        if (mine == nullptr || mine->how != mode::exclusive) [[unlikely]] {
            const lock_use use = detail::use_of(step);
            report(detail::hygiene(finding_kind::bad_downgrade, self,
                                   use.class_name + " downgraded without being held for writing",
                                   {use}));
            if (mine == nullptr)
                return;
        }
        mine->how = mode::shared;  // as its task does right after; the keys depend on it
        chains_.key.rebuild(self, static_cast<std::size_t>(mine - self.held.begin()), nullptr);
    }

    void destroyed(task& self, const event& step) noexcept {
        const held_lock* const mine = self.held.find(step.instance);
        if (mine == nullptr) [[likely]]
            return;
        const lock_use use = detail::use_of(*mine);
        report(detail::hygiene(
            finding_kind::held_when_destroyed, self,
            use.class_name + (step.kind == event_kind::init ? " initialised again while held"
                                                            : " destroyed while held"),
            {use}));
    }

    void ended(task& self) noexcept {
        if (self.held.empty())
            return;
        std::vector<lock_use> locks;
        std::string what = self.title() + " ended holding";
        for (const held_lock& hold : self.held) {
            locks.push_back(detail::use_of(hold));
            what += (locks.size() == 1 ? " " : ", ") + locks.back().class_name;
        }
        report(
            detail::hygiene(finding_kind::held_at_exit, self, std::move(what), std::move(locks)));
    }

    /// A stated order in a trace: its first lock is class and instance in one number.
    void stated(const event& step) noexcept {
        const auto from = lock_class::from_id(static_cast<std::uint32_t>(step.payload >> 32));
        const auto to = lock_class::from_id(step.class_id);
        prime({{from}, {to, step.how, detail::counted_subclass(step.with, step.subclass)}},
              step.where);
    }

    validated_chains chains_;
    std::atomic<finding_sink*> reports_;

    // Below: the writers'.
    alignas(64) std::atomic_flag writing_ = ATOMIC_FLAG_INIT;  // not on the readers' cache line
    order_knowledge knowledge_;
};

}  // namespace wedge
