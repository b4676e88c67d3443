// Reads wedge's own findings: the order checker's text, the text of explore, check, hunt and
// replay, and the lines of `--json`.
#include <algorithm>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "explain/matching.hpp"
#include "explain/reader.hpp"

namespace wedge::explain {
namespace {

using strings = std::vector<std::string>;

/// A lock of a finding and where it is used.
struct used_lock {
    std::string name;
    std::string at;
    acquire_mode mode = acquire_mode::unknown;
};

/// `wanted` was acquired while `held` was held.
struct order_part {
    used_lock held;
    used_lock wanted;
    std::string task;
    bool is_stated = false;  ///< by `prime`; no task did it
    strings calls;           ///< the call stack, if it is printed
};

struct task_part {
    std::string name;
    std::vector<used_lock> held;
    std::optional<used_lock> wanted;
    std::string owner;       ///< the task that is printed as the holder, or as the first to wait
    bool is_queued = false;  ///< the owner waits for the lock too, and before this task
};

/// A finding as wedge prints it, in any of the three forms.
struct finding_parts {
    std::string kind;  ///< the word of wedge
    std::string what;
    std::string verdict;  ///< `confirmed`, `refuted: guarded by gate`
    std::vector<order_part> orders;
    std::vector<used_lock> locks;  ///< of a broken rule
    std::string task;              ///< that broke it
    std::vector<task_part> tasks;
    strings grades;
    bool has_end = false;  ///< it is there to its end
};

/// The kinds of findings and the words that reports have for them. Livelocks are dumps of tasks
/// that do not go on. Empty: it is no finding about locks.
struct kind_word {
    std::string_view wedge;
    std::string_view report;
};
constexpr kind_word kind_words[] = {
    {"circular", "circular"},
    {"recursive", "recursive"},
    {"instance-order", "circular"},
    {"inconsistent-context", "inconsistent"},
    {"context-inversion", "irq-inversion"},
    {"wait-type", "wait-context"},
    {"nest-not-held", "nested"},
    {"ww-rule", "ww-rule"},
    {"unlock-imbalance", "bad-unlock"},
    {"held-at-exit", "still-held"},
    {"held-when-destroyed", "held-freed"},
    {"not-held", "not-held"},
    {"pin-broken", "pin-broken"},
    {"bad-downgrade", "bad-downgrade"},
    {"deadlock", "circular"},
    {"livelock", "hung"},
};

std::string_view report_kind(std::string_view kind) {
    for (const kind_word& each : kind_words)
        if (each.wedge == kind) return each.report;
    return {};
}

/// Returns the text without the word, if it begins with it and a space.
bool skip_word(std::string_view& text, std::string_view word) {
    if (!text.starts_with(word) || !text.substr(word.size()).starts_with(' ')) return false;
    text = trimmed(text.substr(word.size()));
    return true;
}

/// The first line of a finding: `confirmed deadlock (recursive): a taken again while held`.
struct wedge_heading {
    std::string kind;
    std::string_view what;
};

std::optional<wedge_heading> heading_of(std::string_view text) {
    text = trimmed(text);
    for (const std::string_view word : {"confirmed", "possible", "refuted"})
        if (skip_word(text, word)) break;
    const std::size_t colon = text.find(": ");
    if (colon == text.npos || colon > 48) return std::nullopt;
    std::string kind(text.substr(0, colon));
    const std::string_view what = trimmed(text.substr(colon + 2));
    for (const std::string_view word : {"deadlock", "order inversion"}) {
        if (!kind.starts_with(word)) continue;
        const std::string_view inner = between(kind, "(", ")");
        // Without a word in parentheses it is an order if it names one.
        kind = !inner.empty() ? std::string(inner) : has(what, " here") ? "circular" : "deadlock";
        break;
    }
    std::replace(kind.begin(), kind.end(), ' ', '-');
    if (report_kind(kind).empty() || what.empty()) return std::nullopt;
    // The summary of a run begins as a finding does.
    const std::string_view rest = what.substr(leading_number(what).size());
    if (rest.starts_with(" finding") || what.starts_with("no findings")) return std::nullopt;
    return wedge_heading{std::move(kind), what};
}

/// A text split at the first place `file:12` behind ` at `.
struct split_place {
    std::string_view before;
    std::string_view place;
    std::string_view rest;
};

std::optional<split_place> split_at_place(std::string_view text) {
    constexpr std::string_view at = " at ";
    for (std::size_t found = text.find(at); found != text.npos; found = text.find(at, found + 1)) {
        const std::string_view behind_it = text.substr(found + at.size());
        const std::size_t end = std::min(behind_it.find_first_of(" ,"), behind_it.size());
        const std::string_view place = behind_it.substr(0, end);
        const std::size_t colon = place.rfind(':');
        const bool has_line =
            colon != place.npos && colon + 1 < place.size() &&
            leading_number(place.substr(colon + 1)).size() == place.size() - colon - 1;
        if (!has_line && place != "?") continue;
        return split_place{trimmed(text.substr(0, found)), place, behind_it.substr(end)};
    }
    return std::nullopt;
}

/// Reads a name and how it differs from an exclusive acquire: `mmap_lock (shared, tried)`.
///
/// @param usual  the mode if nothing is printed
used_lock lock_of(std::string_view text, acquire_mode usual) {
    used_lock made{std::string(trimmed(text)), {}, usual};
    const std::size_t open = made.name.rfind(" (");
    if (open == made.name.npos || !made.name.ends_with(')')) return made;
    acquire_mode mode = acquire_mode::write;
    std::string_view terms = made.name;
    terms = terms.substr(open + 2, terms.size() - open - 3);
    while (!terms.empty()) {
        const std::string_view term = before(terms, ", ");
        if (term == "shared")
            mode = acquire_mode::read;
        else if (term == "recursive shared")
            mode = acquire_mode::recursive_read;
        else if (term == "tried")
            mode = acquire_mode::trylock;
        else if (term != "exclusive" && term != "timed" && term != "interruptible" &&
                 term != "with a ticket")
            return made;  // a part of the name, as `reset (work)`
        terms = term.size() == terms.size() ? "" : terms.substr(term.size() + 2);
    }
    made.name.resize(open);
    made.mode = mode;
    return made;
}

/// Reads `a (shared)  taken at file.cpp:12` and leaves what stands behind.
std::optional<used_lock> use_of(std::string_view& text, acquire_mode usual) {
    const auto split = split_at_place(text);
    if (!split) return std::nullopt;
    std::string_view name = split->before;
    for (const std::string_view word : {" taken", " stated", " later", " begun"})
        if (name.ends_with(word)) {
            name.remove_suffix(word.size());
            break;
        }
    used_lock made = lock_of(name, usual);
    if (made.name.empty()) return std::nullopt;
    made.at = split->place;
    text = split->rest;
    return made;
}

/// The number of an instance, `[2]`; empty: there is none.
std::string_view instance_in(std::string_view name) {
    if (!name.ends_with(']')) return {};
    const std::size_t open = name.rfind('[');
    if (open == name.npos) return {};
    const std::string_view number = name.substr(open + 1, name.size() - open - 2);
    return !number.empty() && leading_number(number) == number ? number : std::string_view();
}
std::string_view class_in(std::string_view name) {
    const std::string_view number = instance_in(name);
    return number.empty() ? name : name.substr(0, name.size() - number.size() - 2);
}

/// Returns an instance without the subclass of one acquire: `dir[1]` of `dir/1[1]`.
std::string object_of(std::string_view name) {
    const std::string_view number = instance_in(name);
    if (number.empty()) return std::string(name);
    std::string_view of = class_in(name);
    const std::size_t slash = of.rfind('/');
    if (slash != of.npos && slash + 1 < of.size() &&
        leading_number(of.substr(slash + 1)).size() == of.size() - slash - 1)
        of = of.substr(0, slash);
    return std::string(of) + "[" + std::string(number) + "]";
}

/// Returns a name without what scenarios add to the class: `reset` of `reset (work)`.
std::string_view without_sort(std::string_view name) {
    const std::size_t open = name.ends_with(')') ? name.rfind(" (") : name.npos;
    return open == name.npos || open == 0 ? name : name.substr(0, open);
}

/// Returns whether two names may mean one lock. A heading names classes as the checker does, its
/// parts name instances and the words of the scenario.
bool is_same(std::string_view a, std::string_view b) {
    const std::string_view first = without_sort(a);
    const std::string_view second = without_sort(b);
    // Only one of them has the addition; two additions tell classes apart.
    if (first.size() == a.size() || second.size() == b.size()) {
        a = first;
        b = second;
    }
    if (instance_in(a).empty() != instance_in(b).empty()) return class_in(a) == class_in(b);
    return object_of(a) == object_of(b);
}

using lock_pair = std::pair<std::string, std::string>;

/// Splits `a -> b` into both. Empty: it has no arrow, or several.
std::optional<lock_pair> pair_of(std::string_view text) {
    constexpr std::string_view arrow = " -> ";
    const std::size_t at = text.find(arrow);
    if (at == text.npos) return std::nullopt;
    const std::string_view from = trimmed(text.substr(0, at));
    const std::string_view to = trimmed(text.substr(at + arrow.size()));
    if (from.empty() || to.empty() || has(to, arrow)) return std::nullopt;
    return lock_pair{object_of(from), object_of(to)};
}

bool is_closed(const std::vector<lock_pair>& cycle) {
    for (std::size_t i = 0; i < cycle.size(); ++i)
        if (cycle[i].second != cycle[(i + 1) % cycle.size()].first) return false;
    // A lock that is passed twice cannot be told from a name that was misread.
    for (std::size_t i = 0; i < cycle.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (cycle[i].first == cycle[k].first) return false;
    return !cycle.empty();
}

/// Reads `a -> b here, b -> c, c -> a before`. Empty: it is cut, or a name makes it ambiguous.
std::vector<lock_pair> cycle_in(std::string_view what) {
    constexpr std::string_view end = " before";
    constexpr std::string_view here = " here";
    if (!what.ends_with(end)) return {};
    what.remove_suffix(end.size());
    std::vector<lock_pair> cycle;
    while (!what.empty() && cycle.size() < cycle_limit) {
        std::string_view part = before(what, ", ");
        what = part.size() == what.size() ? std::string_view() : what.substr(part.size() + 2);
        if (cycle.empty()) {
            if (!part.ends_with(here)) return {};
            part.remove_suffix(here.size());
        }
        auto pair = pair_of(part);
        if (!pair) return {};
        cycle.push_back(std::move(*pair));
    }
    return what.empty() && is_closed(cycle) ? cycle : std::vector<lock_pair>();
}

bool is_context(std::string_view lock) {
    return lock == "hardirq context" || lock == "softirq context" || lock == "NMI context";
}

/// Turns the parts of a finding into a report.
class report_maker {
public:
    report_maker(const finding_parts& from, std::size_t first, std::size_t last) : from_(from) {
        made_.kind = report_kind(from.kind);
        made_.first_line = first;
        made_.last_line = last;
    }

    void make(std::vector<report>& found) {
        made_.has_happened = from_.verdict.starts_with("observed");
        for (const std::string& each : from_.grades) made_.notes.push_back("wedge: " + each + ".");
        if (!from_.verdict.empty())
            made_.notes.push_back("The verdict of wedge then: " + from_.verdict + ".");
        if (!from_.has_end) made_.lacks("the end of the finding");
        set_guard();
        for (const char* const each : {"confirmed", "refuted"})
            if (from_.verdict.starts_with(each)) made_.proved = each;
        if (from_.kind == "circular")
            set_order(cycle_in(from_.what));
        else if (from_.kind == "inconsistent-context" || from_.kind == "context-inversion")
            set_contexts(cycle_in(from_.what));
        else if (from_.kind == "recursive")
            set_recursive();
        else if (from_.kind == "instance-order")
            return make_instances(found);
        else if (from_.kind == "deadlock" || from_.kind == "livelock")
            return make_hang(found);
        else
            set_rule();
        found.push_back(std::move(made_));
    }

private:
    void set_guard() {
        const std::string reason = "guarded by ";
        for (const std::string& each : from_.grades)
            if (each.starts_with(reason)) made_.guard = before(each.substr(reason.size()), ": ");
    }

    /// What the finding shows of an edge. Only its locks: nothing is shown.
    cycle_edge edge_of(const lock_pair& pair) const {
        cycle_edge made{pair.first, pair.second, {}, {}, {}, {}, {}};
        const auto fill = [&](const used_lock& held, const used_lock& wanted) {
            if (!wanted.at.empty()) made.stack.push_back(wanted.at);
            if (!held.at.empty()) made.from_stack.push_back(held.at);
            made.mode = wanted.mode;
            made.from_mode = held.mode;
        };
        for (const order_part& each : from_.orders) {
            if (!is_same(each.held.name, pair.first) || !is_same(each.wanted.name, pair.second))
                continue;
            fill(each.held, each.wanted);
            made.task = each.task;
            made.stack.insert(made.stack.end(), each.calls.begin(), each.calls.end());
            return made;
        }
        for (const task_part& each : from_.tasks) {
            if (!each.wanted || !is_same(each.wanted->name, pair.second)) continue;
            for (const used_lock& held : each.held) {
                if (!is_same(held.name, pair.first)) continue;
                fill(held, *each.wanted);
                made.task = each.name;
                return made;
            }
        }
        return made;
    }

    bool is_stated(const lock_pair& pair) const {
        return std::any_of(from_.orders.begin(), from_.orders.end(), [&](const order_part& each) {
            return each.is_stated && is_same(each.held.name, pair.first) &&
                   is_same(each.wanted.name, pair.second);
        });
    }

    /// The first pair is the acquire that was reported, so it comes last in a report.
    std::vector<cycle_edge> edges_of(const std::vector<lock_pair>& cycle) {
        std::vector<cycle_edge> edges;
        for (std::size_t i = 0; i < cycle.size(); ++i) {
            const lock_pair& pair = cycle[(i + 1) % cycle.size()];
            edges.push_back(edge_of(pair));
            if (is_stated(pair))
                made_.notes.push_back("The order " + pair.first + " -> " + pair.second +
                                      " is stated by the program; no task did it.");
            if (edges.back().stack.empty())
                made_.lacks("where " + pair.second + " was acquired while " + pair.first +
                            " was held");
        }
        return edges;
    }

    void add_lock(const std::string& name) {
        lock_use made{name, std::string(instance_in(name)), {}, {}, {}, {}};
        for (const order_part& each : from_.orders)
            if (made.at.empty() && is_same(each.held.name, name)) made.at = each.held.at;
        for (const task_part& each : from_.tasks)
            for (const used_lock& held : each.held)
                if (made.at.empty() && is_same(held.name, name)) made.at = held.at;
        made_.locks.push_back(std::move(made));
    }

    void set_order(const std::vector<lock_pair>& cycle) {
        if (cycle.empty()) {
            made_.lacks("the line with the cycle up to its end");
            return;
        }
        set_edges(edges_of(cycle));
        for (const std::string& each : made_.cycle_locks) add_lock(each);
        for (const task_part& each : from_.tasks) made_.tasks.push_back(state_of(each));
    }

    /// As `set_cycle`, whose places in stacks are functions.
    void set_edges(std::vector<cycle_edge> edges) {
        made_.cycle_locks.clear();
        for (const cycle_edge& edge : edges) made_.cycle_locks.push_back(edge.from);
        made_.new_lock = edges.back().to;
        made_.held_lock = edges.back().from;
        made_.task = edges.back().task;
        made_.edges = std::move(edges);
    }

    /// A cycle through an interrupt: the pair from its context leads to the lock that it takes, the
    /// pair back leads from the lock that is held with the interrupt let in.
    void set_contexts(std::vector<lock_pair> cycle) {
        const auto inside = std::find_if(cycle.begin(), cycle.end(), [](const lock_pair& each) {
            return is_context(each.first);
        });
        if (inside == cycle.end()) {
            made_.lacks("the line with the context and its locks");
            return;
        }
        const bool is_inside_last = inside == cycle.begin();
        std::rotate(cycle.begin(), inside, cycle.end());
        const std::string context =
            before(cycle.front().first, " ") == "softirq" ? "SOFTIRQ" : "HARDIRQ";
        made_.safe_context = context;
        cycle_edge in = edge_of(cycle.front());
        cycle_edge out = edge_of(cycle.back());
        in.from = in.to;
        out.to = out.from;
        out.stack = out.from_stack;
        made_.task = is_inside_last ? in.task : out.task;
        if (made_.task.empty() && !from_.tasks.empty()) made_.task = from_.tasks.front().name;
        const auto letter = [](acquire_mode mode) {
            return mode == acquire_mode::read || mode == acquire_mode::recursive_read ? "R" : "W";
        };
        const std::string safe = "IN-" + context + "-" + letter(in.mode);
        const std::string unsafe = context + "-ON-" + letter(out.from_mode);
        if (cycle.size() == 2) {
            made_.kind = "inconsistent";
            made_.new_lock = in.to;
            made_.cycle_locks = {in.to};
            made_.usage_states = is_inside_last ? unsafe + "/" + safe : safe + "/" + unsafe;
        } else {
            made_.kind = "irq-inversion";
            for (std::size_t i = 1; i < cycle.size(); ++i)
                made_.cycle_locks.push_back(cycle[i].first);
            for (std::size_t i = 1; i + 1 < cycle.size(); ++i)
                made_.edges.push_back(edge_of(cycle[i]));
            made_.new_lock = is_inside_last ? in.to : out.from;
            made_.held_lock = is_inside_last ? out.from : in.to;
        }
        made_.uses = {std::move(in), std::move(out)};
        for (const std::string& each : made_.cycle_locks) add_lock(each);
    }

    void set_recursive() {
        const std::string name(before(from_.what, " taken "));
        const bool is_again = has(from_.what, " taken again while held");
        const bool is_other = has(from_.what, " taken while another " + name + " is held");
        if (name.empty() || is_again == is_other) {
            made_.lacks("the line with the lock up to its end");
            return;
        }
        cycle_edge edge = edge_of({name, name});
        if (from_.locks.size() == 2 && edge.stack.empty()) {
            edge.from_stack = {from_.locks[0].at};
            edge.from_mode = from_.locks[0].mode;
            edge.stack = {from_.locks[1].at};
            edge.mode = from_.locks[1].mode;
            edge.task = from_.task;
        }
        if (edge.stack.empty()) made_.lacks("where " + name + " was acquired");
        set_pair(name, is_other, std::move(edge));
    }

    /// A second lock of a class, which is the same one or another one.
    void set_pair(const std::string& name, bool is_other, cycle_edge edge) {
        task_state holder{edge.task, {}, {}, {}, false};
        const std::string at = edge.from_stack.empty() ? "" : edge.from_stack.front();
        holder.held.push_back({name, "the first one", {}, {}, at, edge.from_mode});
        made_.tasks = {std::move(holder)};
        made_.locks = {{name, is_other ? "the second one" : "the first one", {}, {}, {}, {}}};
        made_.kind = "recursive";
        set_edges({std::move(edge)});
    }

    /// Orders within a class. The heading counts instances in another way than the parts do.
    void make_instances(std::vector<report>& found) {
        std::vector<lock_pair> cycle;
        for (const order_part& each : from_.orders)
            cycle.emplace_back(object_of(each.held.name), object_of(each.wanted.name));
        if (is_closed(cycle)) {
            set_order(cycle);
        } else if (from_.locks.size() == 2) {
            const used_lock& first = from_.locks[0];
            const used_lock& second = from_.locks[1];
            const std::string name(class_in(first.name));
            set_pair(name, true,
                     {name, name, from_.task, {second.at}, {first.at}, second.mode, first.mode});
        } else if (!from_.tasks.empty()) {
            return make_hang(found);
        } else if (!from_.locks.empty()) {
            const std::string name(class_in(from_.locks[0].name));
            made_.lacks("where " + name + " was acquired");
            set_pair(name, true, {name, name, {}, {}, {}, {}, {}});
        } else {
            made_.lacks("the lock");
        }
        found.push_back(std::move(made_));
    }

    /// Tasks that wait: who holds what they wait for is printed, or follows from what they hold.
    void make_hang(std::vector<report>& found) {
        for (const task_part& each : from_.tasks) made_.tasks.push_back(state_of(each));
        made_.kind = "hung";
        std::vector<report> all;
        add_waits(made_, all);
        if (all.empty()) all.push_back(made_);
        report& first = all.front();
        first.has_happened = from_.kind != "instance-order";
        if (!first.edges.empty()) leave_out_queues(first);
        if (from_.kind == "livelock")
            first.notes.emplace_back("The tasks retry forever; none of them is blocked.");
        found.push_back(std::move(first));
    }

    task_state state_of(const task_part& part) {
        task_state made{part.name, {}, {}, {}, true};
        for (const used_lock& each : part.held)
            made.held.push_back({each.name, each.name, {}, {}, each.at, each.mode});
        if (!part.wanted) return made;
        constexpr std::string_view end = "the end of ";
        const std::string& lock = part.wanted->name;
        std::string owner = part.owner;
        if (lock.starts_with(end)) owner = lock.substr(end.size());
        if (!owner.empty() && !is_confirmed(owner, part)) {
            made_.lacks("what " + owner + " has of " + lock);
            owner.clear();
        }
        made.stack.push_back(part.wanted->at);
        made.waits.push_back({lock, lock, owner, part.wanted->at, part.wanted->mode});
        return made;
    }

    /// Whether a task that is named as the owner is there and has the lock, or waits for it before
    /// this one. So a name that is cut off does not become another task.
    bool is_confirmed(const std::string& owner, const task_part& waiter) const {
        const std::string& lock = waiter.wanted->name;
        for (const task_part& each : from_.tasks) {
            if (each.name != owner) continue;
            if (lock.starts_with("the end of ")) return true;
            if (waiter.is_queued)
                return each.name != waiter.name && each.wanted && each.wanted->name == lock;
            return std::any_of(each.held.begin(), each.held.end(),
                               [&](const used_lock& held) { return held.name == lock; });
        }
        return false;
    }

    /// A writer that queues before readers waits for the lock that they want: it adds no lock.
    static void leave_out_queues(report& made) {
        std::vector<cycle_edge> edges;
        for (const cycle_edge& each : made.edges)
            if (each.from != each.to || !each.from_stack.empty()) edges.push_back(each);
        if (edges.empty()) return;
        std::vector<lock_use> locks;
        for (const cycle_edge& each : edges)
            for (const lock_use& lock : made.locks)
                if (lock.name == each.from) {
                    locks.push_back(lock);
                    break;
                }
        made.locks = std::move(locks);
        made.task.clear();
        set_cycle(made, std::move(edges));
    }

    void set_rule() {
        made_.has_happened = true;
        made_.task = from_.task;
        if (from_.task.empty()) made_.lacks("the task");
        if (from_.locks.empty()) {
            made_.lacks("the lock");
            return;
        }
        made_.new_lock = class_in(from_.locks.back().name);
        if (from_.locks.size() > 1) made_.held_lock = class_in(from_.locks.front().name);
        made_.cycle_locks = {made_.new_lock};
        for (const used_lock& each : from_.locks)
            made_.locks.push_back({std::string(class_in(each.name)),
                                   std::string(instance_in(each.name)),
                                   {},
                                   {},
                                   each.at,
                                   each.mode});
    }

    const finding_parts& from_;
    report made_;
};

/// Words that begin a line of a finding, behind its indentation.
constexpr std::string_view lock_words[] = {"lock", "unlocks", "holds", "downgrades", "lacks"};

/// Reads one finding of the text forms, from its heading on.
class text_finding {
public:
    explicit text_finding(std::span<const line> text) : text_(text) {}

    /// @return the number of lines that belong to it; 0: it is no finding
    std::size_t read(std::vector<report>& found) {
        const std::string first = joined_heading();
        const auto head = heading_of(first);
        if (!head) return 0;
        parts_.kind = head->kind;
        parts_.what = head->what;
        is_live_ = next_ < text_.size() && !trimmed(text_[next_].text).empty();
        usual_ = is_live_ ? acquire_mode::unknown : acquire_mode::write;
        while (next_ < text_.size() && take()) {
        }
        const bool has_parts =
            !parts_.orders.empty() || !parts_.locks.empty() || !parts_.tasks.empty();
        if (!has_parts && cycle_in(parts_.what).empty()) return 0;
        parts_.has_end = parts_.has_end || is_live_;
        if (is_live_ && parts_.verdict.empty() && !parts_.locks.empty())
            parts_.verdict = "observed";
        if (is_live_ && report_kind(parts_.kind) == "recursive") parts_.verdict.clear();
        report_maker(parts_, text_.front().number, text_[next_ - 1].number).make(found);
        return next_;
    }

private:
    std::string_view at(std::size_t i) const {
        return i < text_.size() ? trimmed(text_[i].text) : std::string_view();
    }

    /// The heading, with the lines that a mail has broken off it.
    std::string joined_heading() {
        std::string text(at(0));
        next_ = 1;
        const bool is_order = has(text, " -> ") || has(text, "deadlock") ||
                              has(text, "order inversion") || text.starts_with("recursive: ");
        for (int more = 0; is_order && more < 8; ++more) {
            if (text.ends_with(" before") || text.ends_with(" held") || at(next_).empty()) break;
            if (is_word_line(at(next_)) || heading_of(at(next_))) break;
            text += ' ';
            text += at(next_++);
        }
        return text;
    }

    static bool is_word_line(std::string_view text) {
        for (const std::string_view word : lock_words)
            if (skip_word(text, word)) return true;
        for (const std::string_view word :
             {"holding", "taking", "awaits", "before", "earlier", "waits", "verdict"})
            if (skip_word(text, word)) return true;
        return false;
    }

    /// The line `next_`, with the next one if a mail has broken that off.
    std::string whole() {
        std::string text(at(next_++));
        for (int more = 0; more < 2; ++more) {
            const bool is_open = !split_at_place(text) || text.ends_with(" by") ||
                                 text.ends_with(" and") || text.ends_with(" behind") ||
                                 text.ends_with(',') || text.ends_with(" taken") ||
                                 text.ends_with(" at");
            if (!is_open || at(next_).empty() || is_word_line(at(next_))) break;
            text += ' ';
            text += at(next_++);
        }
        return text;
    }

    /// Takes the next line.
    ///
    /// @return whether the finding goes on
    bool take() {
        const std::string_view text = at(next_);
        if (heading_of(text) || text.starts_with("replay: ")) return false;
        std::string_view rest = text;
        if (skip_word(rest, "verdict") && !is_live_) {
            parts_.verdict = rest;
            parts_.has_end = true;
            ++next_;
            return false;
        }
        if (skip_word(rest, "grade")) {
            parts_.grades.emplace_back(rest);
            ++next_;
            return true;
        }
        if (is_order_use(text)) return take_order_use();
        if (text.starts_with("earlier ")) return take_earlier();
        if (is_task_line()) {
            parts_.tasks.push_back({std::string(text), {}, {}, {}, {}});
            parts_.task = text;
            ++next_;
            return true;
        }
        if (text.starts_with("waits for ")) return take_wait();
        for (const std::string_view word : lock_words)
            if (text.starts_with(std::string(word) + " ")) return take_lock(word);
        if (is_live_) return take_live();
        if (const std::string_view order = before(text, ", by ");
            pair_of(order) && is_order_use(at(next_ + 1)))
            start_order(text);
        ++next_;
        return true;
    }

    /// A line with the name of a task: what it holds or waits for follows.
    bool is_task_line() const {
        const std::string_view text = at(next_);
        if (is_live_ || text.empty() || is_word_line(text)) return false;
        const std::string_view next = at(next_ + 1);
        if (next.starts_with("waits for ") || next.starts_with("goes on at ") ||
            next == "has ended")
            return true;
        return std::any_of(std::begin(lock_words), std::end(lock_words),
                           [&](auto word) { return next.starts_with(std::string(word) + "  "); });
    }

    /// `a -> b here, by withdraw`
    void start_order(std::string_view text) {
        std::string_view by = behind(text, ", by ");
        order_ = {};
        order_.is_stated = has(by, ", stated by prime");
        if (!order_.is_stated) order_.task = by;
    }

    /// `taking  a  at x.cpp:1`, or `awaits` an event. `before` a signal stands behind them.
    static bool is_order_use(std::string_view text) {
        for (const std::string_view word : {"holding ", "taking ", "awaits ", "before "})
            if (text.starts_with(word)) return true;
        return false;
    }

    bool take_order_use() {
        const bool is_held = at(next_).starts_with("holding ");
        const bool is_signal = at(next_).starts_with("before ");
        const std::string text = whole();
        std::string_view rest = trimmed(std::string_view(text).substr(is_held ? 8 : 7));
        auto use = use_of(rest, usual_);
        if (!use) return true;
        if (is_held || is_signal) {
            order_.held = std::move(*use);
            if (is_live_) read_by(rest, order_);
        } else {
            order_.wanted = std::move(*use);
        }
        if (order_.held.name.empty() || order_.wanted.name.empty()) return true;
        parts_.orders.push_back(std::move(order_));
        order_ = {};
        return true;
    }

    static void read_by(std::string_view rest, order_part& made) {
        made.is_stated = trimmed(rest).starts_with("(stated)");
        if (trimmed(rest).starts_with("by ")) made.task = trimmed(rest).substr(3);
    }

    /// `earlier  a -> b at x.cpp:1 by thread 0, a taken at x.cpp:2`
    bool take_earlier() {
        const std::string text = whole();
        std::string_view rest = trimmed(std::string_view(text).substr(8));
        const auto split = split_at_place(rest);
        const auto pair = split ? pair_of(split->before) : std::nullopt;
        if (!pair) return true;
        const std::size_t comma = split->rest.rfind(", " + pair->first + " taken at ");
        if (comma == std::string_view::npos) return true;
        order_part made;
        made.wanted = {pair->second, std::string(split->place), usual_};
        std::string_view held = split->rest.substr(comma + 2);
        const auto use = use_of(held, usual_);
        if (!use) return true;
        made.held = *use;
        read_by(split->rest.substr(0, comma), made);
        parts_.orders.push_back(std::move(made));
        return true;
    }

    bool take_wait() {
        const std::string text = whole();
        if (parts_.tasks.empty() || parts_.tasks.back().wanted) return true;
        std::string_view rest = trimmed(std::string_view(text).substr(10));
        auto use = use_of(rest, usual_);
        if (!use) return true;
        task_part& task = parts_.tasks.back();
        task.wanted = std::move(*use);
        constexpr std::string_view held = ", held by ";
        constexpr std::string_view queued = ", queued behind ";
        task.is_queued = rest.starts_with(queued);
        if (rest.starts_with(held)) task.owner = rest.substr(held.size());
        if (task.is_queued) task.owner = rest.substr(queued.size());
        // Of several holders the one that a cycle runs through is not known; what they hold tells.
        if (has(task.owner, " and ")) task.owner.clear();
        return true;
    }

    bool take_lock(std::string_view word) {
        const std::string text = whole();
        std::string_view rest = trimmed(std::string_view(text).substr(word.size()));
        auto use = use_of(rest, usual_);
        if (!use) return true;
        if (is_live_) {
            if (rest.starts_with(" by ")) parts_.task = rest.substr(4);
            parts_.locks.push_back(std::move(*use));
        } else if (report_kind(parts_.kind) != "still-held" && word == "holds" &&
                   report_kind(parts_.kind) != "held-freed") {
            if (!parts_.tasks.empty()) parts_.tasks.back().held.push_back(std::move(*use));
        } else {
            parts_.locks.push_back(std::move(*use));
        }
        return true;
    }

    /// A line below an order of the order checker: a grade, or a call of the stack.
    bool take_live() {
        const std::string_view text = at(next_);
        if (text.empty()) return false;
        if (text.starts_with("guarded by ") || text == "needs a writer" ||
            text == "one task seen" || text == "class only" || text.starts_with("one of ")) {
            parts_.grades.emplace_back(text);
        } else if (!parts_.orders.empty() && is_deep(text_[next_])) {
            if (parts_.orders.back().calls.size() < 64)
                parts_.orders.back().calls.emplace_back(text);
        } else {
            return false;
        }
        ++next_;
        return true;
    }

    /// Whether a line is indented as the calls of a stack are. A stamp takes the indentation off
    /// the text, so the raw line tells.
    static bool is_deep(const line& one) {
        if (one.raw.size() > 4096) return false;
        const std::size_t at = one.raw.rfind(trimmed(one.text));
        return at != one.raw.npos && at >= 4 && one.raw.substr(at - 4, 4) == "    ";
    }

    std::span<const line> text_;
    std::size_t next_ = 0;
    bool is_live_ = false;  ///< the order checker prints it, while the program runs
    acquire_mode usual_ = acquire_mode::write;
    order_part order_;  // of which only the lock that is held was read
    finding_parts parts_;
};

using nlohmann::json;

std::string text_in(const json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Returns the texts of a list. Empty: there is none.
strings texts_in(const json& from, const char* key) {
    strings all;
    const auto found = from.find(key);
    if (found == from.end() || !found->is_array()) return all;
    for (const json& each : *found)
        if (each.is_string()) all.push_back(each.get<std::string>());
    return all;
}

/// Reads a finding of a line of JSON.
class json_finding {
public:
    explicit json_finding(const json& from) : from_(from) {}

    std::optional<finding_parts> read() {
        parts_.kind = text_in(from_, "kind");
        if (report_kind(parts_.kind).empty()) return std::nullopt;
        parts_.has_end = true;
        parts_.verdict = text_in(from_, "verdict");
        if (const std::string reason = text_in(from_, "reason"); !reason.empty())
            parts_.verdict += ": " + reason;
        parts_.grades = texts_in(from_, "grade");
        read_hang();
        parts_.what = text_in(from_, "what");
        const strings classes = texts_in(from_, "classes");
        if (parts_.what.empty()) parts_.what = what_of(classes);
        if (parts_.tasks.empty())
            for (const std::string& each : classes) parts_.locks.push_back({each, {}, {}});
        return std::move(parts_);
    }

private:
    void read_hang() {
        const auto links = from_.find("hang");
        if (links == from_.end() || !links->is_array()) return;
        strings offered;           // what the task before waits for
        std::vector<bool> queued;  // and this task waits for it as well
        for (const json& each : *links) {
            if (!each.is_object()) return;
            task_part task;
            task.name = text_in(each, "task");
            const std::string holds = text_in(each, "holds");
            const std::string queues = text_in(each, "queues_for");
            const std::string at = text_in(each, "at");
            if (!holds.empty()) task.held.push_back(lock_of(holds, acquire_mode::write));
            task.wanted = lock_of(text_in(each, "waits_for"), acquire_mode::write);
            task.wanted->at = at;
            queued.push_back(holds.empty());
            offered.push_back(lock_of(holds.empty() ? queues : holds, {}).name);
            parts_.tasks.push_back(std::move(task));
        }
        for (std::size_t i = 0; i < parts_.tasks.size(); ++i) {
            const std::size_t next = (i + 1) % parts_.tasks.size();
            const std::string& wanted = parts_.tasks[i].wanted->name;
            if (wanted.empty() || offered[next] != wanted) continue;
            parts_.tasks[i].owner = parts_.tasks[next].name;
            parts_.tasks[i].is_queued = queued[next];
        }
    }

    /// `check` prints no `what`. The classes stand in the order of the cycle; its signature, where
    /// it is known, says how many locks that has.
    std::string what_of(const strings& classes) const {
        if (classes.empty()) return {};
        if (parts_.kind == "recursive")
            return parts_.tasks.size() == 1
                       ? classes[0] + " taken again while held"
                       : classes[0] + " taken while another " + classes[0] + " is held";
        const bool is_hang = is_hang_of(classes);
        if (!is_hang && nodes_in_signature() != classes.size()) return {};
        std::string text;
        for (std::size_t i = 0; i < classes.size(); ++i)
            text += (i == 0 ? "" : ", ") + classes[i] + " -> " + classes[(i + 1) % classes.size()] +
                    (i == 0 ? " here" : "");
        return text + " before";
    }

    /// Whether the tasks of the hang wait for each other over just these classes in their order.
    bool is_hang_of(const strings& classes) const {
        if (parts_.tasks.size() != classes.size() || classes.size() < 2) return false;
        for (std::size_t i = 0; i < classes.size(); ++i) {
            const std::string& next = classes[(i + 1) % classes.size()];
            const bool is_there =
                std::any_of(parts_.tasks.begin(), parts_.tasks.end(), [&](const task_part& each) {
                    return !each.held.empty() && class_in(each.held[0].name) == classes[i] &&
                           class_in(each.wanted->name) == next;
                });
            if (!is_there) return false;
        }
        return true;
    }

    /// The locks in `signature cycle a/EE b/EE`.
    std::size_t nodes_in_signature() const {
        std::string text = text_in(from_, "signature");
        if (text.empty())
            text = std::string(between(text_in(from_, "schedule") + "\n", "\nsignature ", "\n"));
        if (!text.starts_with("cycle ")) return 0;
        const auto is_mode = [](char c) { return c == 'E' || c == 'S' || c == 'R'; };
        std::size_t count = 0;
        for (std::size_t i = 0; i + 2 < text.size(); ++i)
            count += text[i] == '/' && is_mode(text[i + 1]) && is_mode(text[i + 2]) &&
                     (i + 3 == text.size() || text[i + 3] == ' ');
        return count;
    }

    const json& from_;
    finding_parts parts_;
};

/// Reads a line of `--json`, if it is one.
void read_json(const line& from, std::vector<report>& found) {
    const std::string_view text = trimmed(from.text);
    if (!text.starts_with("{\"") || !has(text, "\"outcome\":") || !has(text, "\"findings\":"))
        return;
    const json all = json::parse(text, nullptr, false);
    if (all.is_discarded()) {
        // The line is cut. Its first finding says what it was about.
        report made;
        made.kind = report_kind(between(text, "\"findings\":[{\"kind\":\"", "\""));
        if (made.kind.empty()) return;
        made.first_line = made.last_line = from.number;
        made.lacks("the end of the line of JSON");
        found.push_back(std::move(made));
        return;
    }
    const auto findings = all.find("findings");
    if (findings == all.end() || !findings->is_array()) return;
    for (const json& each : *findings) {
        if (!each.is_object()) continue;
        if (const auto parts = json_finding(each).read())
            report_maker(*parts, from.number, from.number).make(found);
    }
}

class wedge_findings final : public reader {
public:
    const char* name() const override { return "wedge"; }

    void find(std::span<const line> text, std::vector<report>& found) const override {
        for (std::size_t i = 0; i < text.size();) {
            read_json(text[i], found);
            const std::size_t taken =
                heading_of(text[i].text) ? text_finding(text.subspan(i)).read(found) : 0;
            i += std::max<std::size_t>(taken, 1);
        }
    }
};

}  // namespace

const reader& wedge_reader() {
    static const wedge_findings only;
    return only;
}

}  // namespace wedge::explain
