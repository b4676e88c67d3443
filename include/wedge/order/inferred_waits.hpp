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
class inferred_waits {
public:
    /// An event: the name that reports of hangs show, such as `completion idle`, and the number of
    /// the object, or of the task whose end it is. 0: any object of that name.
    struct event_id {
        std::string name;
        std::uint32_t instance = 0;

        bool is_none() const noexcept { return name.empty(); }
        friend auto operator<=>(const event_id&, const event_id&) = default;
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

    /// Notes a blocking acquire, or a pseudo-lock that stands for a wait.
    static void passes(body& mine, const acquisition& lock) { mine.passed_.push_back({lock, {}}); }

    /// Notes a wait. Its task holds all locks of `self.held`.
    ///
    /// @param is_endless  only a signal ends it. Other waits hang nobody, and only begin a section
    /// @param is_unit     the wait takes a unit, which the body may give back
    void waits(body& mine, const task& self, const event_id& event, site where, bool is_endless,
               bool is_unit) {
        if (is_endless)
            for (const held_lock& hold : self.held)
                if (hold.context == static_cast<std::uint8_t>(self.context) &&
                    !lock_class::from_id(hold.class_id).options().is_internal)
                    keep(events_[event].waits, {acquisition_of(hold), {}}, self, where);
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
                keep(events_[event].signals, mine.passed_[from], self, where);
    }

    /// Returns whether a task has waited.
    bool has_waits() const {
        return std::any_of(events_.begin(), events_.end(),
                           [](const auto& each) { return !each.second.waits.empty(); });
    }

    /// Returns the cycles that the inferred sections close.
    ///
    /// @param known  the order without them
    std::vector<finding> findings(const order_graph& known) const {
        const auto is_signalled = [](const auto& each) { return !each.second.signals.empty(); };
        if (std::none_of(events_.begin(), events_.end(), is_signalled)) return {};
        order_knowledge all(evidence::exact);
        std::vector<finding> fresh;
        for (std::uint32_t e = 0; e < known.edges(); ++e)
            for (const observation& seen : known.edge_at(e).seen)
                all.add(observation(seen), seen.title, fresh);
        for (const auto& [event, of] : events_) {
            for (const fact& each : of.signals)
                if (!each.is_unawaited(events_))
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
                for (dependency& edge : found.back().cycle) add_places(edge);
            }
        return found;
    }

private:
    struct event_facts;

    struct fact {
        pass what;
        std::uint32_t task;
        std::string title;
        site where;  ///< of the wait or the signal

        observation observed(const acquisition& held, const acquisition& wanted) const {
            observation made;
            made.held = held;
            made.wanted = wanted;
            made.task = task;
            made.title = title;
            return made;
        }
        bool is_unawaited(const std::map<event_id, event_facts>& events) const {
            if (what.event.is_none()) return false;
            const auto found = events.find(what.event);
            return found == events.end() || found->second.signals.empty();
        }
        using key_type = std::tuple<std::uint32_t, std::uint32_t, mode, std::uint8_t, unsigned,
                                    event_id, std::uint32_t, unsigned>;
        key_type key() const {
            return {what.lock.class_id,   what.lock.instance, what.lock.how, what.lock.subclass,
                    what.lock.where.line, what.event,         task,          where.line};
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
        std::vector<fact>::const_iterator begin() const { return all_.begin(); }
        std::vector<fact>::const_iterator end() const { return all_.end(); }

    private:
        std::vector<fact> all_;
        std::set<fact::key_type> keys_;
    };
    struct event_facts {
        fact_list waits;    ///< what was held at a wait
        fact_list signals;  ///< what was passed on the way to a signal
    };

    static bool is_inferred(const dependency& edge) { return is_inferred_wait(edge.held); }
    static acquisition acquisition_of_event(const event_id& event, site where) {
        const lock_class cls(event.name.c_str(), {.never_waits = true, .is_inferred = true});
        return {.class_id = cls.id(), .instance = event.instance, .where = where};
    }

    static void keep(fact_list& all, const pass& what, const task& self, site where) {
        if (what.lock.class_id == 0 && what.event.is_none()) return;  // a wait that may give up
        all.add({what, self.ordinal, self.title(), where});
    }

    /// Adds all places at which signallers take the lock. The cycle shows one of them.
    void add_places(dependency& edge) const {
        const auto of = events_.find({edge.held.class_name, edge.held.instance});
        if (of == events_.end() || !is_inferred(edge)) return;
        for (const fact& each : of->second.signals)
            if (each.what.acquired().class_id == edge.wanted.class_id)
                edge.places.push_back(each.what.lock.where);
    }

    std::map<event_id, event_facts> events_;
};

}  // namespace wedge
