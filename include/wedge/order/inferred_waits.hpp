// Waits in the lock order: what a signaller must take before it signals is inferred (rule 19d).
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/signature.hpp"
#include "wedge/core/task.hpp"
#include "wedge/order/knowledge.hpp"

namespace wedge {

/// Learns from walks through whole bodies what tasks hold while they wait for an event, and what
/// tasks must take before they signal it. An event is a completion, a fence, a condition, a wait
/// queue, the units of a semaphore, or the end of a task.
///
/// The section of a signal reaches back to the last wait of its body, or to the start of the body.
/// A wait is an acquire of what its signaller takes in that section. The section of a semaphore's
/// unit begins where the body itself took the unit.
///
/// The walks of a scenario know no instances of events. Executions do, and then a cycle must close
/// in one instance of each event and lock.
///
/// The number of a task or an object that is made during an execution may be another one's in the
/// next execution. So facts about them join only facts of their own execution, and facts that last.
class inferred_waits {
public:
    /// An event: the name that reports of hangs show, such as `completion idle`, and the number of
    /// the object, or of the task whose end it is. 0: any object of that name.
    struct event_id {
        std::string name;
        std::uint32_t instance = 0;
        bool is_lasting = true;  ///< `instance` is the same object in every execution

        bool is_none() const noexcept { return name.empty(); }
        friend bool operator==(const event_id& a, const event_id& b) noexcept {
            return a.instance == b.instance && a.name == b.name;
        }
        friend auto operator<=>(const event_id& a, const event_id& b) noexcept {
            return std::tie(a.name, a.instance) <=> std::tie(b.name, b.instance);
        }
    };

    /// The numbers that mean the same task or lock in every execution: those below these bounds.
    struct lasting_numbers {
        std::uint32_t tasks = ~std::uint32_t{0};
        std::uint32_t locks = ~std::uint32_t{0};
    };

private:
    struct pass {
        acquisition lock;
        event_id event;  ///< the event that was waited for; none: a lock was acquired

        acquisition acquired() const {
            return event.is_none() ? lock : acquisition_of_event(event, lock.where);
        }
    };

public:
    /// What a walk or a task has passed since its start.
    class body {
        friend class inferred_waits;

        std::vector<pass> passed_;
        std::size_t first_ = 0;  // in `passed_`: what follows the last wait
        /// Where the sections of the units begin that the body took.
        std::map<event_id, std::size_t> open_;
    };

    /// Call it between executions.
    void begin_execution(lasting_numbers numbers) {
        numbers_ = numbers;
        if (passing_.is_empty()) return;
        if (executions_.size() < executions_max &&
            std::find(executions_.begin(), executions_.end(), passing_) == executions_.end())
            executions_.push_back(std::move(passing_));
        passing_ = {};
    }

    /// Notes a blocking acquire, or a pseudo-lock that stands for a wait. An acquire that may give
    /// up keeps nobody from a signal.
    static void passes(body& mine, const acquisition& lock) {
        if (!may_give_up(lock)) mine.passed_.push_back({lock, {}});
    }
    /// Notes what the task holds at an acquire, if the numbers do not last. The order checker keeps
    /// no executions apart.
    void nests(const task& self, const acquisition& wanted) {
        if (may_give_up(wanted)) return;
        for (const held_lock& hold : self.held) {
            const acquisition held = acquisition_of(hold);
            const bool is_lasting = lasts(self.ordinal) && lasts(held) && lasts(wanted);
            if (is_lasting || held.class_id == wanted.class_id || !is_obstacle(self, hold))
                continue;
            fact made;  // gcc 12 takes parts of a temporary for uninitialised
            made.what.lock = wanted;
            made.held = held;
            made.task = self.ordinal;
            made.title = self.title();
            passing_.nestings.add(std::move(made));
        }
    }

    /// Notes a wait. Its task holds all locks of `self.held`.
    ///
    /// @param is_endless  only a signal ends it. Other waits hang nobody, and only begin a section
    /// @param is_unit     the wait takes a unit, which the body may give back
    void waits(body& mine, const task& self, const event_id& event, site where, bool is_endless,
               bool is_unit) {
        if (is_endless)
            for (const held_lock& hold : self.held)
                if (is_obstacle(self, hold))
                    keep(event, &event_facts::waits, {acquisition_of(hold), {}}, self, where);
        mine.passed_.push_back({{.where = where}, is_endless ? event : event_id()});
        mine.first_ = mine.passed_.size();
        if (is_unit) mine.open_[event] = mine.first_;
    }

    void signals(body& mine, const task& self, const event_id& event, site where) {
        std::size_t from = mine.first_;
        if (const auto unit = mine.open_.find(event); unit != mine.open_.end()) {
            from = unit->second;
            mine.open_.erase(unit);
        }
        for (; from < mine.passed_.size(); ++from)
            if (mine.passed_[from].event != event)
                keep(event, &event_facts::signals, mine.passed_[from], self, where);
    }

    /// Returns the cycles that the inferred sections close, one per signature.
    ///
    /// @param known     the order without them
    /// @param is_valid  (const finding&) -> bool, whether to report the cycle
    template <class Predicate>
    std::vector<finding> findings(const order_graph& known, Predicate is_valid) const {
        std::vector<finding> found;
        const auto add = [&](const facts& of_execution) {
            facts all = lasting_;
            all.add(of_execution);
            for (finding& each : findings_of(all, known)) {
                const bool is_known = std::any_of(
                    found.begin(), found.end(),
                    [&](const finding& other) { return other.signature == each.signature; });
                if (!is_known && is_valid(each)) found.push_back(std::move(each));
            }
        };
        for (const facts& each : executions_) add(each);
        add(passing_);
        return found;
    }

private:
    struct event_facts;

    // Executions that differ in their own facts. Each one costs a search for cycles.
    static constexpr std::size_t executions_max = 64;

    struct fact {
        pass what;
        acquisition held;  ///< of a nesting: what was held at the acquire
        std::uint32_t task = 0;
        std::string title;
        site where{};  ///< of the wait or the signal

        observation observed(const acquisition& before, const acquisition& wanted) const {
            observation made;
            made.held = before;
            made.wanted = behind_writers_only(wanted);
            made.task = task;
            made.title = title;
            return made;
        }
        bool is_unawaited(const std::map<event_id, event_facts>& events) const {
            if (what.event.is_none()) return false;
            const auto found = events.find(what.event);
            return found == events.end() || found->second.signals.empty();
        }
        using lock_key = std::tuple<std::uint32_t, std::uint32_t, mode, std::uint8_t, unsigned>;
        using key_type = std::tuple<lock_key, lock_key, event_id, std::uint32_t, unsigned>;
        static lock_key key_of(const acquisition& of) {
            return {of.class_id, of.instance, of.how, of.subclass, of.where.line};
        }
        key_type key() const {
            return {key_of(what.lock), key_of(held), what.event, task, where.line};
        }
    };

    /// Different facts in the order of discovery. The numbers of classes may differ from run to
    /// run.
    class fact_list {
    public:
        void add(fact each) {
            if (keys_.insert(each.key()).second) all_.push_back(std::move(each));
        }
        bool empty() const noexcept { return all_.empty(); }
        void add(const fact_list& others) {
            for (const fact& each : others) add(each);
        }
        friend bool operator==(const fact_list& a, const fact_list& b) {
            return a.keys_ == b.keys_;
        }
        std::vector<fact>::const_iterator begin() const { return all_.begin(); }
        std::vector<fact>::const_iterator end() const { return all_.end(); }

    private:
        std::vector<fact> all_;
        std::set<fact::key_type> keys_;
    };
    struct event_facts {
        fact_list waits;    ///< what was held at a wait
        fact_list signals;  ///< what was passed on the way to a signal

        friend bool operator==(const event_facts&, const event_facts&) = default;
    };
    struct facts {
        std::map<event_id, event_facts> events;
        fact_list nestings;  ///< of locks alone

        bool is_empty() const noexcept { return events.empty() && nestings.empty(); }
        void add(const facts& others) {
            nestings.add(others.nestings);
            for (const auto& [event, of] : others.events) {
                events[event].waits.add(of.waits);
                events[event].signals.add(of.signals);
            }
        }
        friend bool operator==(const facts&, const facts&) = default;
    };

    static bool is_inferred(const dependency& edge) { return is_inferred_wait(edge.held); }
    static acquisition acquisition_of_event(const event_id& event, site where) {
        const lock_class cls(event.name.c_str(), {.never_waits = true, .is_inferred = true});
        return {.class_id = cls.id(), .instance = event.instance, .where = where};
    }

    bool lasts(std::uint32_t task) const noexcept { return task < numbers_.tasks; }
    bool lasts(const acquisition& lock) const noexcept { return lock.instance < numbers_.locks; }

    static bool may_give_up(const acquisition& wanted) noexcept {
        return has(wanted.with, flags::timed) || has(wanted.with, flags::interruptible);
    }
    static bool is_obstacle(const task& self, const held_lock& hold) {
        return hold.context == static_cast<std::uint8_t>(self.context) &&
               !lock_class::from_id(hold.class_id).options().is_internal;
    }

    // A reader that waits behind readers needs a writer that waits too. The search finds that hang.
    // So readers count as recursive ones, and `flags::recursive`, which no acquire of a cycle has,
    // marks those that are not.
    static acquisition behind_writers_only(acquisition wanted) noexcept {
        if (wanted.how != mode::shared) return wanted;
        wanted.how = mode::recursive_shared;
        wanted.with = wanted.with | flags::recursive;
        return wanted;
    }
    static void as_seen(finding& found) {
        for (dependency& edge : found.cycle) {
            if (!has(edge.wanted.with, flags::recursive)) continue;
            edge.wanted.how = mode::shared;
            edge.wanted.with = static_cast<flags>(static_cast<unsigned>(edge.wanted.with) &
                                                  ~static_cast<unsigned>(flags::recursive));
        }
        found.signature = signature_of(found);
    }

    void keep(const event_id& event, fact_list event_facts::*list, const pass& what,
              const task& self, site where) {
        if (what.lock.class_id == 0 && what.event.is_none()) return;  // a wait that may give up
        const bool is_lasting =
            event.is_lasting && what.event.is_lasting && lasts(what.lock) && lasts(self.ordinal);
        facts& to = is_lasting ? lasting_ : passing_;
        (to.events[event].*list).add({what, {}, self.ordinal, self.title(), where});
    }

    std::vector<finding> findings_of(const facts& seen, const order_graph& known) const {
        const auto is_signalled = [](const auto& each) { return !each.second.signals.empty(); };
        if (std::none_of(seen.events.begin(), seen.events.end(), is_signalled)) return {};
        order_knowledge all(evidence::exact);
        std::vector<finding> fresh;
        add_known(known, all, fresh);
        for (const fact& each : seen.nestings)
            all.add(each.observed(each.held, each.what.lock), each.title, fresh);
        for (const auto& [event, of] : seen.events) {
            for (const fact& each : of.signals)
                if (!each.is_unawaited(seen.events))
                    all.add(each.observed(acquisition_of_event(event, each.where),
                                          each.what.acquired()),
                            each.title, fresh);
            if (of.signals.empty()) continue;
            for (const fact& each : of.waits)
                all.add(each.observed(each.what.lock, acquisition_of_event(event, each.where)),
                        each.title, fresh);
        }
        std::vector<finding> found;
        for (const finding& each : all.findings())
            if (std::any_of(each.cycle.begin(), each.cycle.end(), is_inferred)) {
                found.push_back(each);
                all.regrade(found.back());
                as_seen(found.back());
                for (dependency& edge : found.back().cycle) add_places(seen, edge);
            }
        return found;
    }
    void add_known(const order_graph& known, order_knowledge& all,
                   std::vector<finding>& fresh) const {
        for (std::uint32_t e = 0; e < known.edges(); ++e)
            for (const observation& seen : known.edge_at(e).seen) {
                if (!lasts(seen.task) || !lasts(seen.held) || !lasts(seen.wanted)) continue;
                if (may_give_up(seen.wanted)) continue;
                observation made = seen;
                made.wanted = behind_writers_only(seen.wanted);
                all.add(std::move(made), seen.title, fresh);
            }
    }

    /// Adds all places at which signallers take the lock. The cycle shows one of them.
    static void add_places(const facts& seen, dependency& edge) {
        const auto of = seen.events.find({edge.held.class_name, edge.held.instance});
        if (of == seen.events.end() || !is_inferred(edge)) return;
        for (const fact& each : of->second.signals)
            if (each.what.acquired().class_id == edge.wanted.class_id)
                edge.places.push_back(each.what.lock.where);
    }

    lasting_numbers numbers_;
    facts lasting_;
    facts passing_;                  ///< of this execution
    std::vector<facts> executions_;  ///< of earlier ones, each different
};

}  // namespace wedge
