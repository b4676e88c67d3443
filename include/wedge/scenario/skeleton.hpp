// A recorded execution as the text of a scenario: the steps of its tasks without loops and data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/scenario/record.hpp"
#include "wedge/scenario/statements.hpp"
#include "wedge/scenario/words.hpp"

namespace wedge::scenario {

/// How a skeleton expresses what the language has no exact word for.
struct skeleton_terms {
    bool is_locks_alone = false;    ///< leaves out all other waits
    bool tries_wait = false;        ///< a try that succeeded is a plain acquire
    bool conditions_forget = true;  ///< false: a wait that was woken cannot miss its notification
    /// If not empty: only these tasks, with their locks and the wait in which each of them ends.
    std::set<std::string> tasks{};
};

namespace detail {

/// Returns a name of the language: other characters become `_`, and a keyword gets another `_`.
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

}  // namespace detail

/// Writes a recorded run. Choices, memory and data are left out: it is the skeleton of this one
/// execution. Each task releases what it holds where it would have gone on.
class skeleton_writer {
public:
    skeleton_writer(const recorded_run& of, const skeleton_terms& terms) : run_(of), terms_(terms) {
        for (const auto& [task, steps] : run_.steps)
            if (!steps.empty() && is_wanted(task))
                threads_[task] = fresh(detail::identifier(run_.names.at(task)));
        for (const auto& [instance, object] : run_.objects) declare(instance, object);
    }

    /// @param expected  one `expect` line each
    std::string write(std::string_view head, const std::vector<std::string>& expected) {
        std::string tasks;
        for (const auto& [task, name] : threads_) tasks += thread(task, name);
        std::string text(head);
        for (const auto& [cls, made] : locks_) {
            text += "lock " + made.name + " " + made.kind;
            if (made.count > 1) text += " x" + std::to_string(made.count);
            text += "\n";
        }
        for (const std::string& line : others_) text += line + "\n";
        text += tasks + "\n";
        for (const std::string& line : expected) text += "expect " + line + "\n";
        return text;
    }

    /// Returns the class that a name of the text stands for; a name of the writer stands for
    /// itself.
    const std::string& class_of(const std::string& name) const {
        const auto known = classes_.find(name);
        return known == classes_.end() ? name : known->second;
    }

private:
    struct lock_array {
        std::string name;
        std::string kind;
        std::uint32_t count = 0;
    };

    std::string fresh(const std::string& wanted) {
        std::string name = wanted;
        for (unsigned n = 2; !used_.insert(name).second; ++n)
            name = wanted + "_" + std::to_string(n);
        return name;
    }

    bool is_wanted(std::uint32_t task) const {
        return terms_.tasks.empty() || terms_.tasks.contains(run_.names.at(task));
    }
    bool is_of_lock(const recorded_step& each) const {
        return each.condition == 0 && each.instance != 0 &&
               is_lock(run_.objects.at(each.instance).kind);
    }
    static bool is_lock(lock_kind kind) noexcept {
        return !is_counted(kind) && kind != lock_kind::condition && kind != lock_kind::map &&
               kind != lock_kind::variable;
    }
    static std::string kind_word(const recorded_object& object) {
        switch (object.kind) {
            case lock_kind::recursive_mutex: return "recursive_mutex";
            case lock_kind::spinlock: return "spinlock";
            case lock_kind::raw_spinlock: return "raw_spinlock";
            case lock_kind::local_lock: return "spinlock";
            case lock_kind::shared_mutex: return "rwsem";
            case lock_kind::rwlock: return "rwlock";
            case lock_kind::qrwlock: return "qrwlock";
            default:
                return object.how == mode::shared             ? "rwsem"
                       : object.how == mode::recursive_shared ? "rwlock"
                                                              : "mutex";
        }
    }

    void declare(std::uint32_t instance, const recorded_object& object) {
        const auto named = [&] {
            std::string name = fresh(detail::identifier(object.class_name));
            classes_[name] = object.class_name;
            return name;
        };
        if (is_lock(object.kind)) {
            lock_array& made = locks_[{object.class_name, object.kind}];
            if (made.count == 0) made = {named(), kind_word(object), 0};
            places_[instance] = {made.name, made.count++};
            return;
        }
        if (terms_.is_locks_alone || object.kind == lock_kind::map) return;
        const std::string name = named();
        places_[instance] = {name, 0};
        if (object.kind == lock_kind::condition)
            others_.push_back("condition " + name);
        else if (object.kind == lock_kind::semaphore)
            others_.push_back("semaphore " + name + " = " + std::to_string(object.count));
        else
            others_.push_back("completion " + name);
    }

    std::string called(std::uint32_t instance) const {
        const auto& [name, place] = places_.at(instance);
        const recorded_object& object = run_.objects.at(instance);
        if (!is_lock(object.kind)) return name;
        return locks_.at({object.class_name, object.kind}).count == 1
                   ? name
                   : name + "[" + std::to_string(place) + "]";
    }

    /// Returns the name of the completion that a spawned thread waits for before its first
    /// statement. Declares it at the first call.
    std::string started(std::uint32_t task) {
        const auto known = starts_.find(task);
        if (known != starts_.end()) return known->second;
        const std::string name = fresh(threads_.at(task) + "_started");
        others_.push_back("completion " + name);
        return starts_[task] = name;
    }

    std::string thread(std::uint32_t task, const std::string& name) {
        std::vector<std::string> lines;
        std::vector<std::uint32_t> held;
        std::vector<recorded_step> steps = run_.steps.at(task);
        // A daemon that waits for work at the end is done with its earlier work.
        if (run_.idle.contains(task)) steps.pop_back();
        if (!terms_.tasks.empty() && !steps.empty()) {
            const recorded_step last = steps.back();
            steps.pop_back();
            std::erase_if(steps, [&](const recorded_step& each) { return !is_of_lock(each); });
            steps.push_back(last);
        }
        const bool is_spawned =
            run_.spawned.contains(task) && !terms_.is_locks_alone && terms_.tasks.empty();
        if (is_spawned) lines.push_back("wait " + started(task));
        for (const recorded_step& each : steps) add(each, lines, held);
        while (!held.empty()) {
            lines.push_back("unlock " + called(held.back()));
            held.pop_back();
        }
        std::string text = "\nthread " + name + " {\n";
        for (const std::string& line : lines) text += "    " + line + "\n";
        return text + "}\n";
    }

    void add(const recorded_step& each, std::vector<std::string>& lines,
             std::vector<std::uint32_t>& held) {
        if (each.what == step::spawn || each.what == step::join) {
            if (terms_.is_locks_alone || !threads_.contains(each.other)) return;
            lines.push_back(each.what == step::spawn ? "complete " + started(each.other)
                                                     : "join " + threads_.at(each.other));
            return;
        }
        const std::uint32_t object = each.condition != 0 ? each.condition : each.instance;
        if (!places_.contains(object)) return;
        if (each.condition != 0)
            condition(each, lines);
        else if (is_lock(run_.objects.at(object).kind))
            lock(each, lines, held);
        else if (each.has_succeeded)
            count(each, lines);
    }

    void lock(const recorded_step& each, std::vector<std::string>& lines,
              std::vector<std::uint32_t>& held) {
        const std::string name = called(each.instance);
        switch (each.what) {
            case step::acquire:
            case step::try_acquire: {
                if (!each.has_succeeded) return;
                const bool is_try = each.what == step::try_acquire && !terms_.tries_wait;
                const char* const verb = is_shared(each.how) ? "read " : "lock ";
                const char* const recurs =
                    each.how == mode::recursive_shared &&
                            run_.objects.at(each.instance).kind == lock_kind::shared_mutex
                        ? " recursive"
                        : "";
                lines.push_back((is_try ? "try " : "") + std::string(verb) + name + recurs);
                held.push_back(each.instance);
                return;
            }
            case step::downgrade: lines.push_back("downgrade " + name); return;
            case step::release: {
                lines.push_back("unlock " + name);
                const auto mine = std::find(held.rbegin(), held.rend(), each.instance);
                if (mine != held.rend()) held.erase(std::next(mine).base());
                return;
            }
            default: return;
        }
    }

    void count(const recorded_step& each, std::vector<std::string>& lines) {
        const std::string name = called(each.instance);
        const bool is_semaphore = run_.objects.at(each.instance).kind == lock_kind::semaphore;
        if (each.what == step::acquire) lines.push_back((is_semaphore ? "down " : "wait ") + name);
        if (each.what != step::release) return;
        constexpr std::uint32_t units_max = 16;  // no program counts that far
        if (!is_semaphore) {
            const bool is_for_good = each.other == for_good;
            lines.push_back("complete " + name + (is_for_good ? " all" : ""));
            return;
        }
        for (std::uint32_t i = 0; i < std::min(each.other, units_max); ++i)
            lines.push_back("up " + name);
    }

    /// Writes a wait for a condition. A program waits in a loop, so a wait that was woken misses no
    /// notification: it becomes a wait for a completion, unless the skeleton is to forget like
    /// conditions.
    void condition(const recorded_step& each, std::vector<std::string>& lines) {
        const std::string name = called(each.condition);
        const bool is_all = each.what == step::notify_all;
        if (each.what != step::wait) {
            lines.push_back("notify " + name + (is_all ? " all" : ""));
            if (!terms_.conditions_forget)
                lines.push_back("complete " + remembered(name) + (is_all ? " all" : ""));
            return;
        }
        if (!places_.contains(each.instance)) return;
        const std::string under = called(each.instance);
        if (terms_.conditions_forget || !each.is_woken) {
            lines.push_back("wait " + name + " " + under);
            return;
        }
        lines.push_back("unlock " + under);
        lines.push_back("wait " + remembered(name));
        lines.push_back((is_shared(each.how) ? "read " : "lock ") + under);
    }
    std::string remembered(const std::string& condition) {
        std::string& name = memories_[condition];
        if (!name.empty()) return name;
        name = fresh(condition + "_notified");
        classes_[name] = class_of(condition);
        others_.push_back("completion " + name);
        return name;
    }

    const recorded_run& run_;
    const skeleton_terms terms_;
    std::set<std::string> used_;
    std::map<std::uint32_t, std::string> threads_;
    std::map<std::pair<std::string, lock_kind>, lock_array> locks_;
    std::map<std::uint32_t, std::pair<std::string, std::uint32_t>> places_;  // by instance
    std::map<std::uint32_t, std::string> starts_;                            // by task
    std::map<std::string, std::string> memories_;                            // by condition
    std::map<std::string, std::string> classes_;                             // by name
    std::vector<std::string> others_;  // declarations of what is no lock
};

}  // namespace wedge::scenario
