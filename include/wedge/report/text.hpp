// A finding as text: what it is, the evidence, how it hangs, the verdict, how to repeat it.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/report/cause.hpp"
#include "wedge/report/scenario_table.hpp"
#include "wedge/report/words.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

namespace report {

/// Prints one finding. The functions stand in the order of the parts in the report.
class finding_printer {
public:
    explicit finding_printer(const finding& found)
        : found_(found), cycle_(cycle_of(found)), hang_(hang_of(found)), name_(found) {
        for_each_lock(found, [&](const lock_use& lock) {
            name_width_ = std::max(name_width_, described(lock).size());
        });
        for (const task_report& task : found.tasks) {
            name_width_ = std::max(name_width_, task.waits_for.size());
            holds_any_ = holds_any_ || !task.held.empty();
        }
    }

    std::string print(std::string_view replay) {
        text_ = heading_of(found_) + "\n";
        if (!tasks_show_cycle()) dependencies();
        locks();
        tasks();
        stack();
        scenario();
        conclusion();
        if (!replay.empty()) text_ += "replay: " + std::string(replay) + "\n";
        return std::move(text_);
    }

private:
    /// Returns whether every dependency is shown by where some task stands. It need not be printed
    /// twice then.
    bool tasks_show_cycle() const {
        return std::all_of(cycle_.begin(), cycle_.end(), [&](const dependency& edge) {
            const auto is_held = [&](const lock_use& lock) { return is_same(lock, edge.held); };
            return std::any_of(found_.tasks.begin(), found_.tasks.end(), [&](const auto& task) {
                return task.wanted && is_same(*task.wanted, edge.wanted) &&
                       std::any_of(task.held.begin(), task.held.end(), is_held);
            });
        });
    }
    static bool is_same(const lock_use& a, const lock_use& b) {
        return a.class_name == b.class_name && a.instance == b.instance && a.how == b.how &&
               to_string(a.where) == to_string(b.where);
    }

    void dependencies() {
        for (std::size_t i = 0; i < cycle_.size(); ++i) {
            const dependency& edge = cycle_[i];
            text_ += "\n  " + name_(edge.held) + " -> " + name_(edge.wanted);
            if (found_.kind == finding_kind::circular) text_ += i == 0 ? " here" : " before";
            if (!edge.task.empty()) text_ += ", by " + edge.task;
            if (edge.primed) text_ += ", stated by prime and not seen";
            text_ += "\n";
            if (!is_inferred_wait(edge.held))
                use("holding", edge.held, edge.primed ? "stated at " : "taken at ");
            use(is_inferred_wait(edge.wanted) ? "awaits" : "taking", edge.wanted,
                edge.primed ? "stated at " : "      at ");
            if (is_inferred_wait(edge.held))
                use("before", edge.held,
                    edge.held.class_name.starts_with("the end of ") ? "begun at " : "later at ");
            for (const std::string& call : names_of(edge.stack)) text_ += "        " + call + "\n";
        }
    }

    void locks() {
        if (found_.locks.empty() || !cycle_.empty()) return;
        text_ += "\n";
        if (!found_.task.empty()) text_ += "  " + found_.task + "\n";
        for (const lock_use& lock : found_.locks)
            use(verb_of(found_.kind), lock, preposition_of(found_.kind));
    }

    void tasks() {
        for (const task_report& task : found_.tasks) {
            text_ += "\n  " + task.name + "\n";
            for (const lock_use& lock : task.held) use("holds", lock, "taken at ");
            const char* const at = holds_any_ ? "      at " : "at ";
            if (task.wanted) {
                use("waits for", *task.wanted, at, holders_of(*task.wanted));
            } else if (!task.waits_for.empty()) {
                lock_use shown;
                shown.class_name = task.waits_for;
                shown.where = task.where;
                use("waits for", shown, at,
                    task.behind.empty() ? "" : ", where " + task.behind + " runs");
            } else if (task.where.line != 0) {
                text_ += "    goes on at " + to_string(task.where) + "\n";
            } else {
                text_ += "    has ended\n";
            }
        }
    }

    void stack() {
        if (found_.stack.empty()) return;
        text_ += "\n  the stack of " + found_.task + "\n";
        for (const std::string& call : names_of(found_.stack)) {
            // Further out, the stack contains the engine only.
            if (call.find("wedge::detail::call_") != std::string::npos ||
                call.starts_with("wedge::controller::"))
                break;
            text_ += "    " + call + "\n";
        }
    }

    void scenario() {
        // An interrupt and the task below it exchange no steps.
        if (!hang_.is_circle || (is_about_interrupts(found_.kind) && !hang_.has_happened)) return;
        constexpr const char* titles[] = {"how it could hang", "how it hangs", "how it would hang",
                                          "how it hangs"};  // by verdict
        text_ += std::string("\n  ") + titles[static_cast<std::size_t>(found_.judged)] + "\n";
        text_ += scenario_table(hang_, name_, "    ");
        for (const hang_link& link : hang_.links)
            if (link.task.ends_with('\''))
                text_ += "    (" + link.task + " is another task in the same code)\n";
    }

    void conclusion() {
        text_ += "\n";
        if (found_.cycles > 1)
            text_ += "  cycles   the new dependency closes " + std::to_string(found_.cycles) +
                     "; a shortest is shown\n";
        for (const std::string& sentence : grades_of(found_))
            text_ += "  grade    " + sentence + "\n";
        text_ += "  verdict  " + verdict_of(found_) + "\n";
    }

    /// Appends a line about a lock: `    holding  a (shared)  taken at file.cpp:12`.
    void use(const char* verb, const lock_use& lock, const char* preposition,
             const std::string& addition = {}) {
        const std::size_t width = found_.tasks.empty() ? 7 : 9;  // of `holding` or of `waits for`
        text_ += "    " + padded(verb, width) + "  " + padded(described(lock), name_width_ + 2);
        text_ += preposition + to_string(lock.where) + addition + "\n";
    }

    /// Returns what the task did with the lock when it broke a rule.
    static const char* verb_of(finding_kind kind) noexcept {
        switch (kind) {
            case finding_kind::unlock_imbalance: return "unlocks";
            case finding_kind::held_at_exit: return "holds";
            case finding_kind::held_when_destroyed: return "holds";
            case finding_kind::bad_downgrade: return "downgrades";
            case finding_kind::not_held: return "lacks";
            default: return "lock";
        }
    }
    static const char* preposition_of(finding_kind kind) noexcept {
        const bool is_hold =
            kind == finding_kind::held_at_exit || kind == finding_kind::held_when_destroyed;
        return is_hold ? "taken at " : "at ";
    }

    std::string described(const lock_use& lock) const { return name_(lock) + terms_of(lock); }

    /// Returns the tasks that keep a task from a lock: its holders, else writers that queue before
    /// a reader.
    std::string holders_of(const lock_use& wanted) const {
        std::string holders;
        const auto add = [&](const char* how, const std::string& task) {
            holders += (holders.empty() ? std::string(", ") + how : " and ") + task;
        };
        for (const task_report& task : found_.tasks)
            for (const lock_use& lock : task.held)
                if (::wedge::detail::is_of(lock, wanted) && ::wedge::detail::excludes(lock, wanted))
                    add("held by ", task.name);
        if (!holders.empty()) return holders;
        for (const task_report& task : found_.tasks)
            if (task.wanted && ::wedge::detail::is_of(*task.wanted, wanted) &&
                !is_shared(task.wanted->how) && wanted.how == mode::shared)
                add("queued behind ", task.name);
        return holders;
    }

    const finding& found_;
    const std::vector<dependency> cycle_;
    const hang hang_;
    const lock_names name_;
    std::size_t name_width_ = 0;
    bool holds_any_ = false;
    std::string text_;
};

/// Returns one line: the result, how much was tried, and what that means.
inline std::string summary_of(const outcome& all) {
    std::string text = std::string(name_of(all.what)) + ": ";
    text += counted(all.findings.size(), "finding");
    if (all.what == result::sound && !all.findings.empty()) text += " (refuted)";
    text += "; " + counted(all.executions, "execution");
    if (all.pruned != 0) text += ", " + std::to_string(all.pruned) + " pruned";
    text += ", " + counted(all.steps, "step") + "; ";
    if (!all.has_modelled_state)
        text += "the workload touched no lock, so there was nothing to try";
    else if (all.exhausted && all.what == result::sound)
        text +=
            "every schedule was tried: no deadlock is possible, as far as all shared state "
            "lies under modelled locks";
    else if (all.exhausted)
        text += "every schedule was tried";
    else if (!all.reason.empty())
        text += "nothing is proved: " + all.reason;
    else if (all.bounded)
        text += "not every schedule was tried: some were cut at the bound of steps";
    else
        text += "not every schedule was tried";
    if (all.exhausted && all.has_limited_wakes)
        text += "; each task woke up by itself at most once";
    if (!all.weaker_order.empty())
        text += "; weaker memory orders were explored as sequentially consistent (" +
                all.weaker_order + ")";
    if (all.left != 0)
        text += "; " + counted(all.left, "stack") +
                " could not be unwound (the first: " + all.first_left +
                "), since a destructor or a noexcept function was running; what such a stack owns "
                "leaks";
    return text;
}

}  // namespace report

/// Returns the report of a finding, in lines of at most 100 columns if the names are short enough.
///
/// Equal findings give equal bytes: no addresses, no times, no paths of this machine.
///
/// @param replay  the command that repeats the finding; empty: no such line
inline std::string text_of(const finding& found, std::string_view replay = {}) {
    return report::finding_printer(found).print(replay);
}

/// Returns the report of a run: the causes that several findings share, every finding, and one line
/// on how much was tried.
///
/// @param replays  the commands that repeat the findings, in their order; may be shorter
inline std::string text_of(const outcome& all, const std::vector<std::string>& replays = {}) {
    const report::findings_by_cause grouped(all.findings);
    std::string text = grouped.lead();
    for (const std::size_t i : grouped.order())
        text += grouped.heading(i) +
                text_of(all.findings[i], i < replays.size() ? replays[i] : "") + "\n";
    return text + report::summary_of(all) + "\n";
}

}  // namespace wedge
