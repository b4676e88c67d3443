#include "explain/scenario_text.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "wedge/scenario/statements.hpp"

#include "explain/roles.hpp"

namespace wedge::explain {

namespace {

/// Names of a scenario: letters, digits and `_`, each for one thing.
class name_book {
public:
    std::string add(std::string_view wanted, std::string_view otherwise) {
        std::string name;
        for (const char c : wanted) {
            const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
            if (is_plain)
                name += c;
            else if (!name.empty() && name.back() != '_')
                name += '_';
        }
        while (name.ends_with('_')) name.pop_back();
        if (name.empty() || (name[0] >= '0' && name[0] <= '9'))
            name = std::string(otherwise) + "_" + name;
        while (name.ends_with('_')) name.pop_back();
        if (name.size() > 48) name.resize(48);
        bool is_word = false;
        scenario::for_all_words([&](const auto& words) {
            is_word = is_word || scenario::is_among(std::string_view(name), words);
        });
        if (is_word) name += "_lock";
        std::string unique = name;
        for (int i = 2; !taken_.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
        return unique;
    }

private:
    std::set<std::string> taken_;
};

bool is_spinning(const lock_use& lock, const std::vector<std::string>& stack) {
    for (std::size_t i = 0; i < stack.size() && i < 4; ++i)
        for (const std::string_view start :
             {"_raw_spin", "_spin_lock", "_raw_read", "_raw_write", "rt_spin"})
            if (stack[i].starts_with(start)) return true;
    if (lock.wait_type == "2:2") return true;
    return lock.name.ends_with("->rlock") || lock.name.starts_with("slock-");
}

bool is_read(acquire_mode mode) {
    return mode == acquire_mode::read || mode == acquire_mode::recursive_read;
}

/// A lock of the cycle as the scenario has it.
struct node {
    std::string lock;
    std::string name;  ///< in the scenario
    role what = role::plain;
    lock_use use;
    std::vector<std::string> stack;  ///< of its acquire in the cycle
    bool has_reads = false;
};

/// A party of the scenario: it has `from` and goes on to `to`.
struct party {
    std::size_t from = 0;
    std::size_t to = 0;
    cycle_edge edge;
};

std::string short_text(std::string_view text, std::size_t size) {
    std::string one(text.substr(0, size));
    for (char& c : one)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return one;
}

/// Writes the scenario of a cycle.
class cycle_writer {
public:
    cycle_writer(const report& from, const scenario_plan& plan) : from_(from), plan_(plan) {}

    std::string write() {
        if (!collect()) return {};
        std::string text = heading();
        if (!plan_.guard.empty()) {
            guard_ = names_.add(plan_.guard, "guard");
            text += "lock " + guard_ + " mutex  # " + short_text(plan_.guard, 120) + "\n";
        }
        declare(text);
        std::string parties;
        if (plan_.with_two_instances && nodes_.size() == 1)
            write_instances(parties);
        else if (!plan_.with_second_task && has_one_task(from_))
            write_one_task(parties);
        else
            for (const party& each : parties_) write_party(parties, each);
        if (plan_.with_writers) write_writers(parties);
        return text + parties;
    }

private:
    /// @return whether the report has a whole cycle
    bool collect() {
        const std::vector<role> roles = roles_of(from_);
        std::map<std::string, std::size_t> place;
        std::vector<std::size_t> merged(roles.size());
        const std::size_t size = roles.size();
        if (size == 0 || from_.edges.size() != size) return false;
        for (std::size_t i = 0; i < size; ++i) {
            const role next = roles[(i + 1) % size];
            // The context of a ticket and its lock are one wait, a queue and its work as well.
            const bool is_part = size > 1 && !plan_.as_plain_locks &&
                                 ((roles[i] == role::ticket && next == role::reservation) ||
                                  (roles[i] == role::workqueue && next == role::work));
            merged[i] = is_part ? size : 0;
        }
        for (std::size_t i = 0; i < size; ++i) {
            if (merged[i] == size) continue;
            merged[i] = nodes_.size();
            place[from_.cycle_locks[i]] = nodes_.size();
            node one;
            one.lock = from_.cycle_locks[i];
            one.what = roles[i];
            one.name = names_.add(one.lock, "lock");
            if (i < from_.locks.size()) one.use = from_.locks[i];
            nodes_.push_back(std::move(one));
        }
        for (std::size_t i = size; i-- > 0;)
            if (merged[i] == size)
                merged[i] = merged[(i + 1) % size] == size ? 0 : merged[(i + 1) % size];
        if (nodes_.empty()) return false;
        for (std::size_t i = 0; i < size; ++i) {
            party one;
            one.edge = from_.edges[i];
            one.from = merged[i];
            one.to = merged[(i + 1) % size];
            if (one.from == one.to && size > 1 && nodes_.size() > 1) continue;
            nodes_[one.to].stack = one.edge.stack;
            const auto& use = nodes_[one.to].use;
            nodes_[one.to].has_reads =
                nodes_[one.to].has_reads || is_read(one.edge.mode) ||
                (use.usage.size() >= 4 && (use.usage[1] != '.' || use.usage[3] != '.'));
            parties_.push_back(std::move(one));
        }
        return true;
    }

    role as(const node& one) const {
        if (plan_.as_plain_locks) return role::plain;
        switch (one.what) {
            case role::notifier: return invalidates_in_notifier() ? role::plain : one.what;
            case role::reclaim:
            case role::fence:
            case role::work:
            case role::completion: return one.what;
            case role::workqueue: return role::work;
            default: return role::plain;
        }
    }

    /// A scenario has no notifier that invalidates, as this notifier would run itself.
    bool invalidates_in_notifier() const {
        return std::any_of(parties_.begin(), parties_.end(), [&](const party& each) {
            return nodes_[each.from].what == role::notifier &&
                   nodes_[each.to].what == role::notifier;
        });
    }

    std::string heading() const {
        std::string text = "# From a report: " + from_.kind;
        if (!from_.version.empty()) text += ", " + short_text(from_.version, 60);
        text += "\n";
        if (!from_.task.empty())
            text +=
                "# " + short_text(from_.task, 60) + " wants " + short_text(from_.new_lock, 120) +
                (from_.held_lock.empty() ? "" : " and holds " + short_text(from_.held_lock, 120)) +
                ".\n";
        if (plan_.as_plain_locks && has_pseudo())
            text +=
                "# What is no lock (reclaim, a fence, a work) is written as one: only its order "
                "counts.\n";
        return text;
    }
    bool has_pseudo() const {
        return std::any_of(nodes_.begin(), nodes_.end(), [](const node& each) {
            return each.what != role::plain && each.what != role::mmap_lock &&
                   each.what != role::reservation && each.what != role::i_mmap;
        });
    }

    std::string kind_of(const node& one) const {
        const bool is_spin = all_spin() && is_spinning(one.use, one.stack);
        const bool has_reads = one.has_reads || one.what == role::mmap_lock;
        if (is_spin) return has_reads ? "qrwlock" : "spinlock";
        return has_reads ? "rwsem" : "mutex";
    }
    /// A lock that sleeps under one that spins is another finding, so kinds are not mixed.
    bool all_spin() const {
        return std::all_of(nodes_.begin(), nodes_.end(), [&](const node& each) {
            return as(each) == role::plain && is_spinning(each.use, each.stack);
        });
    }

    void declare(std::string& text) const {
        for (const node& each : nodes_) {
            const std::string comment = "  # " + short_text(each.lock, 120) + "\n";
            switch (as(each)) {
                case role::plain:
                    text += "lock " + each.name + " " + kind_of(each) +
                            (plan_.with_two_instances ? " x2 unchecked" : "") + comment;
                    break;
                case role::fence: text += "fence " + each.name + comment; break;
                case role::completion: text += "completion " + each.name + comment; break;
                default: break;
            }
        }
        text += "\n";
    }

    bool reads(std::size_t index, acquire_mode mode, bool is_shown) const {
        const node& one = nodes_[index];
        if (kind_of(one) != "rwsem" && kind_of(one) != "qrwlock") return false;
        if (is_read(mode)) return true;
        if (has_readers_only(one.use)) return true;
        return mode == acquire_mode::unknown && !is_shown && plan_.reads_held_locks;
    }

    std::string acquire(std::size_t index, bool is_reading, const std::string& place) const {
        return std::string(is_reading ? "read " : "lock ") + nodes_[index].name +
               (place.empty() ? "" : "  # " + short_text(place, 100));
    }

    /// The statements that go on to the `to` of a party, and what releases it.
    void go_on(const party& each, std::vector<std::string>& lines,
               std::vector<std::string>& releases) const {
        const node& to = nodes_[each.to];
        const std::string where = function_of(each.edge.stack);
        const std::string comment = where.empty() ? "" : "  # in " + short_text(where, 80);
        switch (as(to)) {
            case role::reclaim:
                lines.push_back("reclaim  # an allocation finds no free memory" +
                                (where.empty() ? "" : ", in " + short_text(where, 80)));
                break;
            case role::notifier: lines.push_back("invalidate" + comment); break;
            case role::fence:
            case role::completion: lines.push_back("wait " + to.name + comment); break;
            case role::work: lines.push_back("flush " + to.name + comment); break;
            default:
                lines.push_back(acquire(each.to, reads(each.to, each.edge.mode, true),
                                        where.empty() ? "" : "in " + where));
                releases.push_back("unlock " + to.name);
        }
    }

    static void add(std::string& text, const std::vector<std::string>& lines, int depth) {
        for (const std::string& each : lines)
            text += std::string(static_cast<std::size_t>(depth) * 4, ' ') + each + "\n";
    }

    /// Leaves out the step behind `from` where only a function at boot has it.
    bool is_left_out(const party& each) const {
        return !plan_.with_primed && is_primed(each.edge) &&
               !is_documented(nodes_[each.from].what, nodes_[each.to].what);
    }

    std::string party_name(const party& each, std::string_view otherwise) {
        std::string wanted = each.edge.task;
        if (wanted.empty()) wanted = function_of(each.edge.stack);
        return names_.add(wanted, otherwise);
    }

    void write_party(std::string& text, const party& each) {
        const node& from = nodes_[each.from];
        const role as_from = as(from);
        // Reclaim calls the notifiers by itself.
        if (as_from == role::reclaim && as(nodes_[each.to]) == role::notifier) return;
        std::vector<std::string> lines;
        std::vector<std::string> releases;
        if (!is_left_out(each)) go_on(each, lines, releases);
        std::reverse(releases.begin(), releases.end());
        const bool flushes = !is_left_out(each) && as(nodes_[each.to]) == role::work;
        const std::string twice = plan_.with_second_task ? " x2" : "";
        switch (as_from) {
            case role::reclaim:
                text += "shrinker " + names_.add("shrink", "shrinker") + " {\n";
                break;
            case role::notifier:
                text += "notifier " + names_.add("range", "notifier") + " {\n";
                break;
            case role::work:
                text += "work " + from.name + " {  # " + short_text(from.lock, 100) + "\n";
                break;
            default: text += "thread " + party_name(each, "task") + twice + " {\n";
        }
        // Shrinkers, notifiers and works run for another task, which may hold the guard already.
        const bool is_guarded =
            !guard_.empty() && (as_from == role::plain || as_from == role::fence);
        if (is_guarded) add(text, {"lock " + guard_}, 1);
        if (flushes && as_from != role::work) add(text, {"queue " + nodes_[each.to].name}, 1);
        if (as_from == role::fence) {
            add(text, {"signalling {"}, 1);
            add(text, lines, 2);
            add(text, releases, 2);
            add(text, {"signal " + from.name}, 2);
            add(text, {"}"}, 1);
        } else if (as_from == role::plain) {
            const std::string place =
                each.edge.from_stack.empty() ? "" : "at " + each.edge.from_stack.front();
            add(text, {acquire(each.from, reads(each.from, each.edge.from_mode, false), place)}, 1);
            if (is_left_out(each))
                add(text,
                    {"# The order behind this is stated at boot only, no task is known to need "
                     "it."},
                    1);
            add(text, lines, 1);
            add(text, releases, 1);
            add(text, {"unlock " + from.name}, 1);
        } else {
            add(text, lines, 1);
            add(text, releases, 1);
            if (as_from == role::completion) add(text, {"complete " + from.name}, 1);
        }
        if (is_guarded) add(text, {"unlock " + guard_}, 1);
        text += "}\n";
        // A step that is left out may be the only one that reclaims or invalidates.
        if (is_left_out(each) && as(nodes_[each.to]) == role::reclaim)
            text += "thread " + names_.add("allocate", "task") + " {\n    reclaim\n}\n";
    }

    void write_one_task(std::string& text) {
        text += "thread " + party_name(parties_.front(), "task") + " {\n";
        for (const party& each : parties_) {
            std::vector<std::string> lines;
            std::vector<std::string> releases;
            go_on(each, lines, releases);
            add(text, {acquire(each.from, reads(each.from, each.edge.from_mode, false), "")}, 1);
            add(text, lines, 1);
            add(text, releases, 1);
            add(text, {"unlock " + nodes_[each.from].name}, 1);
        }
        text += "}\n";
    }

    void write_instances(std::string& text) {
        const std::string& name = nodes_.front().name;
        for (const auto& [first, second] : {std::pair{"[0]", "[1]"}, std::pair{"[1]", "[0]"}}) {
            text += "thread " + party_name(parties_.front(), "task") + " {\n";
            add(text,
                {"lock " + name + first, "lock " + name + second, "unlock " + name + second,
                 "unlock " + name + first},
                1);
            text += "}\n";
        }
    }

    void write_writers(std::string& text) {
        for (const node& each : nodes_) {
            const std::string kind = kind_of(each);
            if (as(each) != role::plain || (kind != "rwsem" && kind != "qrwlock")) continue;
            text += "thread " + names_.add("writer_of_" + each.name, "writer") + " {\n";
            add(text, {"lock " + each.name, "unlock " + each.name}, 1);
            text += "}\n";
        }
    }

    const report& from_;
    const scenario_plan plan_;
    name_book names_;
    std::string guard_;  // its name in the scenario
    std::vector<node> nodes_;
    std::vector<party> parties_;
};

std::string handler_text(const std::string& lock, bool is_soft) {
    return std::string("handler interrupt ") + (is_soft ? "softirq" : "hardirq threaded") +
           " {\n    " + lock + "\n}\n";
}

std::string body(std::initializer_list<std::string> lines) {
    std::string text = " {\n";
    for (const std::string& each : lines)
        if (!each.empty()) text += "    " + each + "\n";
    return text + "}\n";
}

bool reads_in(std::string_view state) {
    return state.ends_with("-R");
}

/// A lock that is taken in an interrupt, or in reclaim, and outside with that let in.
std::string inconsistent_text(const report& from) {
    const std::size_t slash = from.usage_states.find('/');
    if (slash == std::string::npos || from.new_lock.empty()) return {};
    std::string inside = from.usage_states.substr(0, slash);
    std::string outside = from.usage_states.substr(slash + 1);
    if (inside.find("IN-") != 0 && inside.find("in-") != 0) std::swap(inside, outside);
    if (inside.find("IN-") != 0 && inside.find("in-") != 0) return {};
    name_book names;
    const std::string name = names.add(from.new_lock, "lock");
    const bool has_reads = reads_in(inside) || reads_in(outside);
    const std::string in = (reads_in(inside) ? "read " : "lock ") + name;
    const std::string out = (reads_in(outside) ? "read " : "lock ") + name;
    const std::string comment = "  # " + short_text(from.new_lock, 120) + "\n";
    const std::string head =
        "# From a report: inconsistent, " + short_text(from.usage_states, 60) + "\n";
    if (inside.find("RECLAIM_FS") != std::string::npos)
        return head + "lock " + name + (has_reads ? " rwsem" : " mutex") + comment + "\nthread " +
               names.add("allocate", "task") +
               body({out, "reclaim  # an allocation finds no free memory", "unlock " + name}) +
               "shrinker " + names.add("shrink", "shrinker") + body({in, "unlock " + name});
    const bool is_soft =
        inside.find("SOFT") != std::string::npos || inside.find("soft") != std::string::npos;
    return head + "lock " + name + (has_reads ? " qrwlock" : " spinlock") + comment + "\n" +
           handler_text(in + "\n    unlock " + name, is_soft) + "thread " +
           names.add("outside", "task") + body({out, "unlock " + name});
}

/// A lock of an interrupt, behind which stands a lock that is held with the interrupt let in.
std::string inversion_text(const report& from, const std::string& safe, const std::string& held,
                           const std::string& wanted, const std::string& unsafe) {
    name_book names;
    std::map<std::string, std::string> named;
    std::string text = "# From a report: " + from.kind + "\n";
    for (const std::string* const each : {&safe, &held, &wanted, &unsafe}) {
        if (each->empty()) return {};
        if (named.count(*each) != 0) continue;
        named[*each] = names.add(*each, "lock");
        text += "lock " + named[*each] + " spinlock  # " + short_text(*each, 120) + "\n";
    }
    const auto nested = [&](const std::string& outer, const std::string& inner) {
        return body({"irq off", "lock " + named[outer], "lock " + named[inner],
                     "unlock " + named[inner], "unlock " + named[outer], "irq on"});
    };
    const bool is_soft = from.safe_context == "SOFTIRQ";
    text += "\n" + handler_text("lock " + named[safe] + "\n    unlock " + named[safe], is_soft);
    if (safe != held) text += "thread " + names.add("first", "task") + nested(safe, held);
    if (held != wanted) text += "thread " + names.add("order", "task") + nested(held, wanted);
    if (wanted != unsafe) text += "thread " + names.add("last", "task") + nested(wanted, unsafe);
    return text + "thread " + names.add("outside", "task") +
           body({"lock " + named[unsafe], "unlock " + named[unsafe]});
}

std::string misuse_text(const report& from) {
    if (from.new_lock.empty()) return {};
    name_book names;
    const std::string name = names.add(from.new_lock, "lock");
    const std::string head = "# From a report: " + from.kind + "\nlock " + name + " mutex  # " +
                             short_text(from.new_lock, 120) + "\n";
    const std::string task = "thread " + names.add(from.task, "task");
    if (from.kind == "bad-unlock")
        return head + "\n" + task + body({"lock " + name, "unlock " + name, "unlock " + name});
    if (from.kind == "user-return" || from.kind == "still-held" || from.kind == "leaked-lock")
        return head + "\n" + task + body({"lock " + name});
    if (from.kind == "wait-context") {
        for (const task_state& each : from.tasks)
            for (const lock_use& held : each.held) {
                if (!is_spinning(held, {})) continue;
                const std::string outer = names.add(held.name, "lock");
                return head + "lock " + outer + " spinlock  # " + short_text(held.name, 120) +
                       "\n\n" + task +
                       body({"lock " + outer, "lock " + name, "unlock " + name, "unlock " + outer});
            }
    }
    return {};
}

}  // namespace

std::string scenario_of(const report& from, const scenario_plan& plan) {
    if (from.kind == "circular" || from.kind == "recursive" || from.kind == "hung")
        return cycle_writer(from, plan).write();
    if (from.kind == "inconsistent") return inconsistent_text(from);
    if (from.kind == "safe-unsafe") {
        std::string safe = from.held_lock;
        std::string unsafe = from.new_lock;
        if (from.uses.size() == 2) {
            safe = from.uses[0].to;
            unsafe = from.uses[1].to;
        }
        return inversion_text(from, safe, from.held_lock, from.new_lock, unsafe);
    }
    if (from.kind == "irq-inversion" && from.cycle_locks.size() == 2)
        return inversion_text(from, from.cycle_locks[0], from.cycle_locks[0], from.cycle_locks[1],
                              from.cycle_locks[1]);
    return misuse_text(from);
}

possible_guard guard_of(const report& from) {
    if (from.edges.size() < 2 || from.has_happened) return {};
    for (const task_state& task : from.tasks) {
        if (task.task != from.task) continue;
        for (const lock_use& held : task.held) {
            const bool excludes = held.usage.size() >= 4 && !has_readers_only(held) &&
                                  held.wait_type != "0:0" &&
                                  held.name.find("rcu") == std::string::npos;
            const bool is_in_cycle = std::find(from.cycle_locks.begin(), from.cycle_locks.end(),
                                               held.name) != from.cycle_locks.end();
            const std::string function = function_of({held.at});
            if (!excludes || is_in_cycle || function.empty()) continue;
            const auto calls = [&](const std::string& frame) {
                return frame.starts_with(function + "+");
            };
            const bool is_everywhere =
                std::all_of(from.edges.begin(), from.edges.end() - 1, [&](const cycle_edge& each) {
                    return std::any_of(each.stack.begin(), each.stack.end(), calls);
                });
            if (is_everywhere) return {held.name, function};
        }
    }
    return {};
}

bool has_unknown_modes(const report& from) {
    return std::any_of(from.edges.begin(), from.edges.end(), [&](const cycle_edge& each) {
        return each.from_mode == acquire_mode::unknown &&
               std::any_of(from.edges.begin(), from.edges.end(), [&](const cycle_edge& other) {
                   return other.to == each.from && is_read(other.mode);
               });
    });
}

bool has_only_reads(const report& from) {
    return std::any_of(from.locks.begin(), from.locks.end(), &has_readers_only);
}

bool has_one_task(const report& from) {
    if (from.edges.size() < 2 || from.edges.front().task.empty()) return false;
    return std::all_of(from.edges.begin(), from.edges.end(), [&](const cycle_edge& each) {
        return each.task == from.edges.front().task;
    });
}

bool has_primed_edge(const report& from) {
    return std::any_of(from.edges.begin(), from.edges.end(), [&](const cycle_edge& each) {
        return is_primed(each) &&
               !is_documented(role_of(each.from, {}), role_of(each.to, each.stack));
    });
}

}  // namespace wedge::explain
