// An execution written down as a scenario: what each task of a deadlock took, as text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/explore/controller.hpp"
#include "wedge/explore/strategy/replay.hpp"
#include "wedge/scenario/words.hpp"

namespace wedge::scenario {

/// Hears an execution, and keeps each task's steps on real locks in their order.
class step_recorder final : public sink {
public:
    struct taken {
        event_kind kind{};
        mode how = mode::exclusive;
        std::uint32_t instance = 0;
    };

    step_recorder() : sink(reader::trace) {}

    void on(task& self, const event& step) noexcept override {
        switch (step.kind) {
            case event_kind::attempt:
            case event_kind::try_acquired:
            case event_kind::released:
            case event_kind::downgraded: break;
            default: return;
        }
        if (lock_class::from_id(step.class_id).options().never_waits) return;
        classes[step.instance] = step.class_id;
        if (step.how == mode::shared) kinds[step.class_id] = "rwsem";
        if (step.how == mode::recursive_shared) kinds[step.class_id] = "rwlock";
        steps[self.ordinal].push_back({step.kind, step.how, step.instance});
        names[self.ordinal] = self.name;
    }

    std::map<std::uint32_t, std::vector<taken>> steps;  // by task
    std::map<std::uint32_t, std::string> names;         // by task
    std::map<std::uint32_t, std::uint32_t> classes;     // by instance
    std::map<std::uint32_t, std::string_view> kinds;    // by class, if it was ever shared
};

namespace detail {

/// A name of the language: other characters become `_`, a keyword gets one more.
inline std::string identifier(std::string_view name) {
    std::string text;
    for (const char c : name) {
        const bool is_word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (is_word)
            text += c;
        else if (!text.empty() && text.back() != '_')
            text += '_';
    }
    while (!text.empty() && text.back() == '_') text.pop_back();
    if (text.empty() || (text[0] >= '0' && text[0] <= '9')) text.insert(0, "x");
    return is_keyword(text) ? text + "_" : text;
}

class scenario_writer {
public:
    scenario_writer(const step_recorder& heard, const finding& of) : heard_(heard) {
        for (const task_report& each : of.tasks)
            if (each.wanted) tasks_.insert(each.name);
        for (const auto& [task, name] : heard.names)
            if (tasks_.contains(name)) wanted_tasks_.insert(task);
        find_locks();
    }

    std::string write(std::string_view head) const {
        std::string text(head);
        for (const auto& [cls, count] : counts_) {
            const auto kind = heard_.kinds.find(cls);
            text += "lock " + name_of_class(cls) + " " +
                    std::string(kind == heard_.kinds.end() ? "mutex" : kind->second);
            if (count > 1) text += " x" + std::to_string(count);
            text += "\n";
        }
        for (const std::uint32_t task : wanted_tasks_) {
            text += "\nthread " + identifier(heard_.names.at(task)) + " {\n";
            for (const step_recorder::taken& each : heard_.steps.at(task)) {
                if (!places_.contains(each.instance)) continue;
                text += "    " + statement(each) + "\n";
            }
            text += "}\n";
        }
        return text + "\nexpect deadlock\n";
    }

private:
    /// A lock that only one task touches cannot be waited for, and is left out.
    void find_locks() {
        std::map<std::uint32_t, std::set<std::uint32_t>> users;
        for (const std::uint32_t task : wanted_tasks_)
            for (const step_recorder::taken& each : heard_.steps.at(task))
                users[each.instance].insert(task);
        for (const auto& [instance, by] : users)
            if (by.size() > 1 || wanted_tasks_.size() == 1)
                places_[instance] = counts_[heard_.classes.at(instance)]++;
    }

    std::string name_of_class(std::uint32_t cls) const {
        return identifier(lock_class::from_id(cls).name());
    }
    std::string statement(const step_recorder::taken& each) const {
        const std::uint32_t cls = heard_.classes.at(each.instance);
        std::string lock = name_of_class(cls);
        if (counts_.at(cls) > 1) lock += "[" + std::to_string(places_.at(each.instance)) + "]";
        const char* const verb = is_shared(each.how) ? "read " : "lock ";
        switch (each.kind) {
            case event_kind::try_acquired: return std::string("try ") + verb + lock;
            case event_kind::released: return "unlock " + lock;
            case event_kind::downgraded: return "downgrade " + lock;
            default: return verb + lock;
        }
    }

    const step_recorder& heard_;
    std::set<std::string> tasks_;
    std::set<std::uint32_t> wanted_tasks_;
    std::map<std::uint32_t, std::uint32_t> counts_;  // instances of a class
    std::map<std::uint32_t, std::uint32_t> places_;  // of an instance within its class
};

}  // namespace detail

/// The tasks of a deadlock as a scenario of their locks alone: what they took, in their order.
///
/// Choices and memory are gone: it is the skeleton of this one execution. `wedge check` of it says
/// deadlock again.
///
/// @param head  comment lines to begin with
inline std::string scenario_of(subject& what, const finding& of, std::string_view head) {
    step_recorder heard;
    schedule_replay how(of.best.decisions, replay_mode::strict);
    controller(what, substrate::automatic, &heard, ~std::uint64_t{0}).run(how);
    return detail::scenario_writer(heard, of).write(head);
}

}  // namespace wedge::scenario
