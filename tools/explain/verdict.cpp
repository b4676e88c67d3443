#include "explain/verdict.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "wedge/core/schedule_text.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/check.hpp"
#include "wedge/scenario/parse.hpp"
#include "wedge/scenario/print.hpp"

#include "explain/roles.hpp"
#include "explain/scenario_text.hpp"

namespace wedge::explain {

namespace {

/// A scenario that was checked, and says itself what it comes to.
struct trial {
    std::string text;
    std::string outcome;
    std::string schedule;
    std::string hang;
};

std::string expectations(const scenario::check_result& result) {
    std::set<std::string> lines;
    for (const finding& each : result.found.findings) {
        if (scenario::is_deadlock(each)) lines.insert("expect deadlock");
        if (each.is_livelock()) lines.insert("expect livelock");
        if (each.kind != finding_kind::deadlock && each.kind != finding_kind::livelock)
            lines.insert(std::string("expect finding ") + name_of(each.kind));
    }
    std::string text;
    if (result.what == "sound" || result.what == "unresolved")
        text = "expect " + result.what + "\n";
    for (const std::string& each : lines) text += each + "\n";
    return text;
}

/// The first confirmed hang, replayed: its schedule leads to the same signature again.
void add_hang(const scenario::document& all, const scenario::check_result& result, trial& made) {
    for (const finding& each : result.found.findings) {
        if (!scenario::is_deadlock(each)) continue;
        if (each.best.workload.empty()) continue;
        const outcome again = scenario::replay(all, each.best, replay_mode::strict);
        const bool is_again =
            std::any_of(again.findings.begin(), again.findings.end(), [&](const finding& other) {
                return other.signature == each.best.signature || other.signature == each.signature;
            });
        if (!is_again) continue;
        finding named = each;
        scenario::name_locks(named, result.titles);
        made.schedule = to_string(each.best);  // without decisions, if one task hangs itself
        made.hang = wedge::text_of(named);
        return;
    }
}

/// Checks a scenario twice: to learn what it comes to, then with this as what it expects.
///
/// @return nothing: the language has no word for something, or it does not come to the same again
std::optional<trial> try_scenario(const std::string& text, const std::string& path,
                                  const std::atomic<bool>* stop) {
    if (text.empty()) return std::nullopt;
    try {
        scenario::check_options options;
        options.explore.executions_max = 20'000;
        options.explore.stop = stop;
        const scenario::check_result first = scenario::check(scenario::parse(text, path), options);
        const scenario::document all = scenario::parse(text + expectations(first), path);
        const scenario::check_result again = scenario::check(all, options);
        if (!again.is_met || again.what != first.what) return std::nullopt;
        trial made;
        made.text = scenario::to_string(all);
        made.outcome = again.what;
        if (again.what == "deadlock") add_hang(all, again, made);
        if (again.what == "deadlock" && made.schedule.empty()) return std::nullopt;
        return made;
    } catch (const error&) {
        return std::nullopt;
    }
}

/// Returns whether the report shows a writer that waits for a lock which a task of the cycle reads.
/// Readers queue behind it.
bool has_waiting_writer(const report& found) {
    const auto is_read = [&](const std::string& lock) {
        return std::any_of(found.edges.begin(), found.edges.end(), [&](const cycle_edge& each) {
            return (each.to == lock && each.mode == acquire_mode::read) ||
                   (each.from == lock && each.from_mode == acquire_mode::read);
        });
    };
    return std::any_of(found.tasks.begin(), found.tasks.end(), [&](const task_state& each) {
        return each.is_held_known && each.held.empty() && !each.waits.empty() &&
               each.waits.front().mode == acquire_mode::write && is_read(each.waits.front().lock);
    });
}

/// Judges one report.
class judge_of {
public:
    judge_of(const report& found, const std::string& path, const std::atomic<bool>* stop)
        : found_(found), path_(path), stop_(stop) {}

    judgement run() {
        const bool is_cycle =
            !found_.edges.empty() && (found_.kind == "circular" || found_.kind == "hung");
        if (is_cycle)
            judge_cycle();
        else if (found_.kind == "recursive")
            judge_recursive();
        else
            judge_other();
        if (found_.proved == "refuted" && result_.verdict == "confirmed") believe_refuted();
        return std::move(result_);
    }

private:
    std::optional<trial> run(const scenario_plan& plan) const {
        return try_scenario(scenario_of(found_, plan), path_, stop_);
    }

    /// Under a plan, in the words of roles or, where these come to nothing, as plain locks.
    std::optional<trial> run_either(scenario_plan plan, bool wants_deadlock) const {
        std::optional<trial> made = run(plan);
        if (made && (!wants_deadlock || made->outcome == "deadlock")) return made;
        plan.as_plain_locks = true;
        std::optional<trial> plain = run(plan);
        if (plain && (!made || plain->outcome == "deadlock")) return plain;
        return made;
    }

    void take(const trial& made) {
        result_.scenario = made.text;
        result_.schedule = made.schedule;
        result_.hang = made.hang;
    }

    void ask(const std::string& assumption, const scenario_plan& plan, bool wants_deadlock) {
        const std::optional<trial> made = run_either(plan, wants_deadlock);
        if (made) result_.answers.push_back({assumption, made->outcome});
    }

    /// The tool tried the whole program, of which the report shows only the parties of the cycle.
    void believe_refuted() {
        result_.verdict = "refuted";
        result_.why = "Every schedule of the program was tried when this was found; none hangs.";
        result_.answers.insert(result_.answers.begin(),
                               {"if nothing else keeps these parties apart", "deadlock"});
        result_.schedule.clear();
        result_.hang.clear();
    }

    void judge_cycle();
    void judge_recursive();
    void judge_other();

    const report& found_;
    const std::string& path_;
    const std::atomic<bool>* stop_;
    judgement result_;
};

void judge_of::judge_cycle() {
    scenario_plan plan;
    plan.guard = found_.guard;
    plan.with_writers = has_waiting_writer(found_);
    // A hang of one task that is known needs what the report does not show: a second one stands in.
    plan.with_second_task = found_.proved == "confirmed" && has_one_task(found_);
    const bool has_reason = has_primed_edge(found_) || has_only_reads(found_) ||
                            has_one_task(found_) || !found_.guard.empty();
    const std::optional<trial> made = run_either(plan, !has_reason);
    if (!made) {
        result_.verdict = "unresolved";
        result_.why = found_.complete ? "No scenario could be made of the cycle."
                                      : "The report does not show the whole cycle.";
        return;
    }
    take(*made);
    if (made->outcome == "deadlock") {
        result_.verdict = "confirmed";
        result_.why = "The parties of the report can hang; the schedule shows how.";
        if (const possible_guard guard = guard_of(found_); !guard.lock.empty()) {
            scenario_plan guarded;
            guarded.guard = guard.lock;
            ask("if all of them hold one " + guard.lock + ", which " + guard.function + " takes",
                guarded, false);
        }
        if (has_unknown_modes(found_)) {
            scenario_plan reads;
            reads.reads_held_locks = true;
            ask("if the acquires that the report does not show are reads", reads, false);
            reads.with_writers = true;
            ask("if they are reads and a writer comes between", reads, true);
        }
        return;
    }
    if (made->outcome != "sound") {
        result_.verdict = "unresolved";
        result_.why = "The search was not finished.";
        return;
    }
    result_.verdict = "refuted";
    if (!found_.guard.empty()) {
        result_.why = "Each task of the cycle holds " + found_.guard + ", so only one is inside.";
        plan.guard.clear();
        ask("if a task does this without " + found_.guard, plan, true);
    } else if (has_one_task(found_) && !plan.with_second_task) {
        result_.why = "One task does all that the report shows, and cannot meet itself.";
        plan.with_second_task = true;
        ask("if two tasks do this at once", plan, true);
    } else if (has_primed_edge(found_)) {
        result_.why =
            "One of the orders is only stated by a function at boot, against the order "
            "that the kernel documents; no task of the report needs it.";
        plan.with_primed = true;
        ask("if some task takes the locks in the order that is stated at boot", plan, true);
    } else if (has_only_reads(found_)) {
        result_.why = "Only reads of a lock were seen, and readers do not wait for each other.";
        plan.with_writers = true;
        ask("if a writer comes between", plan, true);
    } else {
        result_.why = "These parties cannot hang: everything was tried.";
        plan.with_writers = true;
        ask("if writers of the locks that are read come between", plan, true);
    }
}

void judge_of::judge_recursive() {
    if (found_.edges.empty()) {
        result_.verdict = "unresolved";
        result_.why = "The report does not show both locks.";
        return;
    }
    std::string held;
    for (const task_state& each : found_.tasks)
        for (const lock_use& lock : each.held)
            if (lock.name == found_.held_lock) held = lock.instance;
    const std::string wanted = found_.locks.empty() ? "" : found_.locks.front().instance;
    // Checkers of user space name objects, not classes.
    const bool is_shown = !held.empty() && !wanted.empty();
    const bool is_object = found_.reader != "kernel" && (!is_shown || held == wanted);
    const bool is_known = is_object || is_shown;
    const bool is_one = is_object || held == wanted;
    scenario_plan one;
    one.as_plain_locks = true;
    scenario_plan two = one;
    two.with_two_instances = true;
    const bool is_pseudo = !found_.cycle_locks.empty() && roles_of(found_).front() != role::plain &&
                           roles_of(found_).front() != role::mmap_lock &&
                           roles_of(found_).front() != role::i_mmap;
    const std::optional<trial> same = run(one);
    const std::optional<trial> both = run(two);
    if (same) result_.answers.push_back({"if both are one object", same->outcome});
    if (both && !is_object)
        result_.answers.push_back(
            {"if they are two objects, and another task takes them the other way round",
             both->outcome});
    if (!is_object)
        result_.answers.push_back(
            {"if they are two objects, and all tasks take them in one order", "sound"});
    if (is_known && is_one && same && !is_pseudo) {
        take(*same);
        result_.verdict = "confirmed";
        result_.why = "The task wants the very object that it holds.";
        return;
    }
    if (const auto& shown = is_known && !is_one ? both : same) take(*shown);
    result_.verdict = "unresolved";
    result_.why = is_pseudo  ? "The class stands for something that is no lock; whether it waits "
                               "for itself depends on what runs inside."
                  : is_known ? "The report shows two objects of one class, and one order of them."
                             : "The report does not say whether they are one object or two.";
}

void judge_of::judge_other() {
    const std::optional<trial> made = run({});
    static constexpr std::string_view predictions[] = {"inconsistent", "safe-unsafe",
                                                       "irq-inversion"};
    const bool is_prediction = std::find(std::begin(predictions), std::end(predictions),
                                         found_.kind) != std::end(predictions);
    if (made) take(*made);
    if (!is_prediction) {
        result_.verdict = "observed";
        result_.why = "It has happened: the report is no prediction.";
    } else if (!made) {
        result_.verdict = "unresolved";
        result_.why = "No scenario could be made of the report.";
    } else {
        const bool hangs = made->outcome == "deadlock";
        result_.verdict = hangs ? "confirmed" : made->outcome == "sound" ? "refuted" : "unresolved";
        result_.why = hangs ? "The parties of the report can hang; the schedule shows how."
                            : "These parties cannot hang: everything was tried.";
    }
}

}  // namespace

judgement judge(const report& found, const std::string& path, const std::atomic<bool>* stop) {
    return judge_of(found, path, stop).run();
}

}  // namespace wedge::explain
