#include "explain/say.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "explain/roles.hpp"

namespace wedge::explain {

namespace {

/// A text of the input that is safe to print on one line.
std::string shown(std::string_view text) {
    std::string one(text.substr(0, 200));
    for (char& c : one)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return one;
}

std::string in_function(const std::vector<std::string>& stack) {
    const std::string name = function_of(stack);
    return name.empty() ? std::string() : ", in " + shown(name);
}

std::string mode_word(acquire_mode mode) {
    switch (mode) {
        case acquire_mode::read:
        case acquire_mode::recursive_read: return " (to read)";
        case acquire_mode::write: return "";
        case acquire_mode::trylock: return " (trylock)";
        case acquire_mode::sync: return " (waits for all holders)";
        case acquire_mode::unknown: return "";
    }
    return "";
}

std::string task_or(const std::string& task, const char* otherwise) {
    return task.empty() ? std::string(otherwise) : shown(task);
}

std::string lock_or(const std::string& lock) {
    return lock.empty() ? std::string("a lock that the report does not name") : shown(lock);
}

using sentences = std::vector<std::string>;

sentences say_circular(const report& found) {
    sentences all;
    const cycle_edge* const last = found.edges.empty() ? nullptr : &found.edges.back();
    all.push_back(task_or(found.task, "A task") + (found.has_happened ? " waits for " : " wants ") +
                  lock_or(found.new_lock) +
                  (last != nullptr ? mode_word(last->mode) + in_function(last->stack) : "") +
                  ", and holds " + lock_or(found.held_lock) + ".");
    if (found.edges.size() == 2) {
        const cycle_edge& other = found.edges.front();
        if (is_primed(other)) {
            const std::string where = function_of(other.stack);
            all.push_back("No task was seen to take them the other way round: " + shown(where) +
                          " only states at boot that " + shown(other.to) + " may come under " +
                          shown(other.from) + ".");
            all.push_back(
                "If some task does take them so, each waits for the other and none goes on.");
            return all;
        }
        all.push_back(task_or(other.task, "Elsewhere a task") +
                      " took them the other way round: " + shown(other.to) + mode_word(other.mode) +
                      " under " + shown(other.from) + in_function(other.stack) + ".");
    } else if (found.edges.size() > 2) {
        all.push_back("The way back from " + lock_or(found.new_lock) + " to " +
                      lock_or(found.held_lock) + " takes " +
                      std::to_string(found.edges.size() - 1) +
                      " steps, each taken by some task before; the cycle is below.");
    } else {
        all.push_back("The report does not show the way back.");
    }
    all.push_back(found.has_happened
                      ? "Each of these tasks waits for the next one, so none of them goes on."
                      : "If these tasks meet, each waits for the next one and none goes on.");
    return all;
}

sentences say_recursive(const report& found) {
    sentences all;
    const lock_use* held = nullptr;
    for (const task_state& each : found.tasks)
        for (const lock_use& lock : each.held)
            if (lock.name == found.held_lock) held = &lock;
    const std::string wanted = found.locks.empty() ? "" : found.locks.front().instance;
    const bool is_shown = held != nullptr && !held->instance.empty() && !wanted.empty();
    // Checkers of user space name objects, not classes.
    const bool is_object = found.reader != "kernel" && (!is_shown || held->instance == wanted);
    all.push_back(
        task_or(found.task, "A task") + " wants " + lock_or(found.new_lock) +
        (is_object ? " and holds it already." : " and holds a lock of the same class already."));
    if (is_object) {
        all.push_back("Both are the same object.");
        all.push_back("It waits for itself forever.");
        return all;
    }
    if (!is_shown)
        all.push_back("The report does not say whether they are one object or two.");
    else if (held->instance == wanted)
        all.push_back("Both are the same object, at " + shown(wanted) + ".");
    else if (found.reader != "kernel")
        all.push_back("They are two objects.");
    else
        all.push_back("They are two objects, at " + shown(wanted) + " and " +
                      shown(held->instance) + ".");
    all.push_back(
        "One object would wait for itself; of two, another task may hold the second and want the "
        "first.");
    return all;
}

sentences say_interrupt(const report& found) {
    sentences all;
    if (found.kind == "inconsistent") {
        const std::size_t slash = found.usage_states.find('/');
        all.push_back(task_or(found.task, "A task") + " takes " + lock_or(found.new_lock) +
                      " in a context that does not fit an earlier use.");
        all.push_back("The states are " +
                      (slash == std::string::npos
                           ? std::string("not readable")
                           : shown(found.usage_states.substr(0, slash)) + " before and " +
                                 shown(found.usage_states.substr(slash + 1)) + " now") +
                      ": IN- means inside of the context, -ON with the context enabled.");
        all.push_back(found.usage_states.find("RECLAIM_FS") != std::string::npos
                          ? "Reclaim may run on top of the holder, and wait for it forever."
                          : "The interrupt may come on top of the holder, and spin forever.");
        return all;
    }
    const std::string context =
        found.safe_context.empty() ? "interrupt" : shown(found.safe_context);
    const bool is_order = found.kind == "safe-unsafe";
    all.push_back(task_or(found.task, "A task") + " takes " + lock_or(found.new_lock) +
                  (is_order ? " under " + lock_or(found.held_lock) + "."
                            : " in a context that changes what the lock is used for."));
    std::string safe = found.cycle_locks.empty() ? found.held_lock : found.cycle_locks.front();
    std::string unsafe = found.cycle_locks.size() < 2 ? found.new_lock : found.cycle_locks.back();
    if (found.uses.size() == 2) {
        safe = found.uses[0].to;
        unsafe = found.uses[1].to;
    }
    all.push_back("So " + lock_or(safe) + ", which is taken in " + context +
                  " context, comes before " + lock_or(unsafe) +
                  ", which is held with that context enabled.");
    all.push_back("An interrupt on top of the holder of " + lock_or(unsafe) + " waits for " +
                  lock_or(safe) + ", whose holder waits for " + lock_or(unsafe) + ".");
    return all;
}

sentences say_other(const report& found) {
    const std::string task = task_or(found.task, "A task");
    const std::string lock = lock_or(found.new_lock);
    const std::string& kind = found.kind;
    if (kind == "wait-context")
        return {task + " wants " + lock + " in a context in which it may not sleep.",
                "What it holds, or the interrupt in which it is, spins or is atomic; " + lock +
                    " may sleep.",
                "The processor would be switched away from the holder of a spinning lock."};
    if (kind == "bad-unlock")
        return {task + " releases " + lock + ", which it does not hold.",
                "It released the lock twice, or never took it on this path.",
                "Whoever holds the lock now loses its protection."};
    if (kind == "bad-contention")
        return {task + " waits for " + lock + " without a record of the attempt.",
                "The lock's memory or its annotation is damaged.",
                "What is held cannot be trusted."};
    if (kind == "held-freed")
        return {task + " frees memory in which " + lock + " lies, and holds that lock.",
                "The unlock that follows writes into freed memory.",
                "Other tasks that wait for the lock wait in freed memory."};
    if (kind == "user-return" || kind == "still-held" || kind == "leaked-lock")
        return {task + " leaves the code that took " + lock + " and still holds it.",
                "A path returns without the unlock.", "The next task that wants it waits forever."};
    if (kind == "nested")
        return {task + " wants " + lock + " and says that another lock makes that safe.",
                "It does not hold that other lock.",
                "Two tasks may take two such locks in both orders."};
    if (kind == "sleeping")
        return {task + " calls a function that may sleep where it must not.",
                "A spinlock is held, or interrupts or preemption are off.",
                "The processor would be switched away in the middle of that."};
    if (kind == "rcu")
        return {task + " reads data of RCU outside of a section that protects it.",
                "The data may be freed meanwhile.", "This is no deadlock."};
    if (kind == "hung")
        return {task + (found.new_lock.empty() ? " does not go on."
                                               : " waits for " + lock + " for a long time."),
                found.tasks.size() > 1 ? std::to_string(found.tasks.size()) +
                                             " tasks are in the dump; who waits for whom is below."
                                       : std::string("The dump has no other task."),
                "No cycle can be seen in what the dump says."};
    if (found.reader != "kernel")
        return {task + " breaks the rule " + kind + " with " + lock + ".",
                "The program runs on, but the lock need not protect what it should.",
                "The report shows no cycle."};
    return {task + " got a report of the kind " + kind + ".",
            "The lock checker of the kernel is off from here on.", "The report shows no cycle."};
}

sentences say(const report& found) {
    if (!found.edges.empty() && (found.kind == "circular" || found.kind == "hung"))
        return say_circular(found);
    if (found.kind == "circular") return say_circular(found);
    if (found.kind == "recursive") return say_recursive(found);
    if (found.kind == "inconsistent" || found.kind == "safe-unsafe" ||
        found.kind == "irq-inversion")
        return say_interrupt(found);
    return say_other(found);
}

std::string edges_text(const report& found) {
    if (found.edges.empty()) return {};
    std::string text = "\n  the cycle: the second was taken under the first\n";
    for (const cycle_edge& each : found.edges) {
        text += "    " + shown(each.from) + " -> " + shown(each.to) + mode_word(each.mode);
        if (!each.task.empty()) text += ", by " + shown(each.task);
        text += in_function(each.stack);
        if (is_primed(each)) text += " (stated at boot, no task did it)";
        text += "\n";
    }
    return text;
}

std::string roles_text(const report& found) {
    const std::vector<role> roles = roles_of(found);
    std::string text;
    for (std::size_t i = 0; i < roles.size(); ++i)
        if (roles[i] != role::plain)
            text += "    " + shown(found.cycle_locks[i]) + ": " + std::string(words_of(roles[i])) +
                    "\n";
    return text.empty() ? text : "\n  what they are\n" + text;
}

std::string tasks_text(const report& found) {
    constexpr std::size_t most = 40;
    std::string text;
    std::size_t count = 0;
    for (const task_state& each : found.tasks) {
        if (each.held.empty() && each.waits.empty()) continue;
        if (++count > most) break;
        text += "    " + task_or(each.task, "a task");
        for (std::size_t i = 0; i < each.held.size(); ++i)
            text += (i == 0 ? " holds " : ", ") + shown(each.held[i].name);
        for (const wait_for& wait : each.waits) {
            text += each.held.empty() ? " waits for " : "; waits for ";
            text += wait.lock.empty() ? std::string("something that is no lock of the dump")
                                      : shown(wait.lock);
            if (!wait.owner.empty()) text += ", which " + shown(wait.owner) + " holds";
        }
        text += "\n";
    }
    if (count > most) text += "    and more tasks\n";
    return text.empty() ? text : "\n  who holds what\n" + text;
}

std::string in_quotes(std::string_view text) {
    std::string result = "\"";
    for (const char c : shown(text)) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + "\"";
}

}  // namespace

std::string text_of(const report& found) {
    std::string text = found.kind;
    if (!found.version.empty())
        text += ", " + std::string(found.reader == "kernel" ? "Linux " : "") + shown(found.version);
    text += found.complete ? "\n" : ", incomplete\n";
    text += "\n";
    for (const std::string& each : say(found)) text += "  " + each + "\n";
    for (const std::string& each : found.notes) text += "  " + shown(each) + "\n";
    text += edges_text(found) + roles_text(found) + tasks_text(found);
    if (!found.missing.empty()) {
        text += "\n  missing: ";
        for (std::size_t i = 0; i < found.missing.size(); ++i)
            text += (i == 0 ? "" : ", ") + found.missing[i];
        text += "\n";
    }
    const std::vector<std::string> advice = advice_for(found);
    if (!advice.empty()) text += "\n  what to do\n";
    for (const std::string& each : advice) text += "    " + shown(each) + "\n";
    return text;
}

std::string dot_of(const report& found) {
    const std::vector<role> roles = roles_of(found);
    std::string text =
        "digraph explained {\n  label=" +
        in_quotes(found.kind + (found.version.empty() ? "" : ", " + found.version)) +
        ";\n  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n";
    for (std::size_t i = 0; i < found.cycle_locks.size(); ++i)
        text += "  " + in_quotes(found.cycle_locks[i]) +
                (roles[i] == role::plain ? "" : " [style=rounded]") + ";\n";
    for (const cycle_edge& each : found.edges) {
        std::string label = each.task;
        const std::string where = function_of(each.stack);
        if (!where.empty()) label += (label.empty() ? "" : ", ") + where;
        text += "  " + in_quotes(each.from) + " -> " + in_quotes(each.to) +
                " [label=" + in_quotes(label) + (is_primed(each) ? ", style=dashed" : "") + "];\n";
    }
    for (const task_state& each : found.tasks)
        for (const wait_for& wait : each.waits)
            if (!wait.owner.empty())
                text += "  " + in_quotes(each.task) + " -> " + in_quotes(wait.owner) +
                        " [label=" + in_quotes(wait.lock) + "];\n";
    return text + "}\n";
}

std::string what_of(const report& found) {
    if (found.cycle_locks.empty()) return say(found).front();
    std::string text;
    for (const std::string& each : found.cycle_locks) text += shown(each) + " -> ";
    return text + shown(found.cycle_locks.front());
}

std::string signature_of(const report& found) {
    std::vector<std::string> locks = found.cycle_locks;
    if (locks.size() > 1 && (found.kind == "circular" || found.kind == "hung"))
        std::rotate(locks.begin(), std::min_element(locks.begin(), locks.end()), locks.end());
    std::string text = found.kind;
    for (const std::string& each : locks) text += "\n" + each;
    if (locks.empty()) text += "\n" + found.task + "\n" + found.new_lock + "\n" + found.held_lock;
    return text + "\n" + found.usage_states;
}

}  // namespace wedge::explain
