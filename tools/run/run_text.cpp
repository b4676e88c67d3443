// The report of a run as text, as JSON, and the names in it.
#include <algorithm>
#include <charconv>
#include <functional>
#include <set>
#include <string_view>

#include "wedge/core/signature.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/words.hpp"

#include "run/run_report.hpp"

namespace wedge::run {
namespace {

/// Wrappers around locks, which say nothing about who made the lock.
bool is_wrapper(const std::string& function) {
    for (const char* const each :
         {"std::", "__gthread", "__gnu_cxx::", "boost::", "absl::", "pthread_", "mtx_"})
        if (function.starts_with(each)) return true;
    return false;
}

std::string last_part(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

/// Gives everything in a run its name.
class naming {
public:
    explicit naming(std::vector<run_process>& run) : run_(run) {}

    void name_all() {
        for (run_process& each : run_) {
            if (each.findings.empty()) continue;
            for (auto& [id, known] : each.class_names)
                for (const code_address& where : known.addresses)
                    is_data(known) ? names_.want_data(where) : names_.want_code(where);
            for (raw_finding& one : each.findings) {
                for (const auto& stack : one.stacks)
                    for (const code_address& call : stack) names_.want_code(call);
                for (const auto& [text, where] : one.sites) names_.want_code(where);
                for_each_title(one, [&](std::string& title) { want_function(title); });
            }
        }
        names_.look_up();
        for (run_process& each : run_) {
            std::set<std::string> taken;
            for (auto& [id, known] : each.class_names) name_class(known, taken);
            for (raw_finding& one : each.findings) name_finding(one, each);
        }
    }

    const symbols& names() const noexcept { return names_; }

private:
    static bool is_data(const class_name& known) { return known.how == 'a' || known.how == 'o'; }

    static void for_each_title(raw_finding& one, const std::function<void(std::string&)>& visit) {
        visit(one.found.task);
        for (dependency& edge : one.found.cycle) visit(edge.task);
        for (task_report& each : one.found.tasks)
            for (std::string* const title : {&each.name, &each.waits_for, &each.joins})
                visit(*title);
    }

    /// The address in `thread 3 ({@FILE:OFFSET})`. addr2line is asked for the byte before an
    /// address, so one is added.
    static bool function_in(const std::string& title, code_address& where, std::size_t& begin,
                            std::size_t& end) {
        begin = title.find("{@");
        end = title.find('}', begin);
        if (begin == title.npos || end == title.npos) return false;
        const std::string text = title.substr(begin + 2, end - begin - 2);
        const std::size_t colon = text.rfind(':');
        where.file = text.substr(0, colon);
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), where.offset);
        ++where.offset;
        return true;
    }
    void want_function(const std::string& title) {
        code_address where;
        std::size_t begin = 0;
        std::size_t end = 0;
        if (function_in(title, where, begin, end)) names_.want_code(where);
    }
    void name_title(std::string& title) const {
        code_address where;
        std::size_t begin = 0;
        std::size_t end = 0;
        if (!function_in(title, where, begin, end)) return;
        const code_place place = names_.calls_at(where).back();
        std::string name = place.function.empty() ? place.fallback : place.function;
        // The C++ library does not export the function in which each std::thread begins, and
        // addr2line gives the name of the one before it.
        if (place.source.empty() && last_part(where.file).starts_with("libstdc++"))
            name = "std::thread";
        title.replace(begin, end - begin + 1, name);
    }

    void name_class(class_name& known, std::set<std::string>& taken) const {
        if (known.addresses.empty()) {
            known.name = "lock";
        } else if (is_data(known)) {
            const std::string name = names_.variable_at(known.addresses.front());
            known.name = known.how == 'o' ? "once " + name : name;
            known.explanation = "in " + last_part(known.addresses.front().file);
        } else {
            name_made(known);
        }
        // Text that `wedge explain` reads has no spaces in names.
        std::replace(known.name.begin(), known.name.end(), ' ', '_');
        const std::string plain = known.name;
        for (unsigned i = 2; !taken.insert(known.name).second; ++i)
            known.name = plain + "#" + std::to_string(i);
    }

    void name_made(class_name& known) const {
        std::vector<code_place> calls;
        for (const code_address& each : known.addresses)
            for (code_place& call : names_.calls_at(each)) calls.push_back(std::move(call));
        auto maker = std::find_if(calls.begin(), calls.end(), [](const code_place& call) {
            return !is_wrapper(call.function);
        });
        if (maker == calls.end()) maker = calls.begin();
        const bool is_once = known.how == 'p';
        known.name =
            (is_once ? "once@" : "lock@") +
            (maker->source.empty() && !maker->function.empty() ? maker->function : maker->where());
        known.explanation = known.how == 'i' ? "made by " : "first ";
        if (known.how != 'i') known.explanation += is_once ? "run by " : "taken by ";
        constexpr std::ptrdiff_t shown = 4;
        for (auto call = maker; call != calls.end() && call - maker < shown; ++call)
            known.explanation += (call == maker ? "" : ", called by ") + call->call();
    }

    void name_use(lock_use& use, const raw_finding& in, const run_process& process) {
        const auto known = process.class_names.find(use.class_id);
        if (known != process.class_names.end()) use.class_name = known->second.name;
        name_site(use.where, in);
    }
    void name_site(site& where, const raw_finding& in) {
        const auto known = in.sites.find(where.file);
        if (known == in.sites.end()) return;
        static std::set<std::string> texts;  // literals of a site live as long as the program
        const code_place place = innermost(names_.calls_at(known->second));
        where.file = texts.insert(place.where()).first->c_str();
        where.function = texts.insert(place.function).first->c_str();
    }
    /// Returns the innermost call that is no wrapper.
    static code_place innermost(const std::vector<code_place>& calls) {
        for (const code_place& each : calls)
            if (!is_wrapper(each.function)) return each;
        return calls.front();
    }

    /// Replaces `{N}` by the name of the class N.
    static std::string with_classes(const std::string& text, const run_process& process) {
        std::string result;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const std::size_t end = text[i] == '{' ? text.find('}', i) : text.npos;
            std::uint32_t id = 0;
            if (end != text.npos) std::from_chars(&text[i + 1], text.data() + end, id);
            const auto known = process.class_names.find(id);
            if (end == text.npos || known == process.class_names.end()) {
                result += text[i];
                continue;
            }
            result += known->second.name;
            i = end;
        }
        return result;
    }

    /// Returns the function in `thread 1 (function)`.
    static std::string function_of(const std::string& title) {
        const std::size_t open = title.find(" (");
        if (open == title.npos || !title.ends_with(')')) return title;
        return title.substr(open + 2, title.size() - open - 3);
    }

    void name_finding(raw_finding& one, const run_process& process) {
        for_each_title(one, [&](std::string& title) { name_title(title); });
        for (dependency& edge : one.found.cycle) {
            name_use(edge.held, one, process);
            name_use(edge.wanted, one, process);
        }
        for (auto* list : {&one.found.locks, &one.found.held})
            for (lock_use& each : *list) name_use(each, one, process);
        for (task_report& each : one.found.tasks) {
            name_site(each.where, one);
            each.action = function_of(each.name);
            each.waits_for = with_classes(each.waits_for, process);
        }
        for (std::string* text : {&one.found.what, &one.found.graded.guard, &one.found.reason})
            *text = with_classes(*text, process);
        one.found.signature = signature_of(one.found);  // by names, and not by addresses
    }

    std::vector<run_process>& run_;
    symbols names_;
};

/// Prints one finding.
class finding_text {
public:
    finding_text(const raw_finding& one, const run_process& process, const symbols& names)
        : one_(one), found_(one.found), process_(process), names_(names) {}

    std::string print() {
        if (one_.is_confirmed())
            text_ = "confirmed deadlock";
        else
            text_ =
                found_.kind == finding_kind::circular ? "possible deadlock" : name_of(found_.kind);
        text_ += ": " + found_.what + "\n";
        for (std::size_t i = 0; i < found_.cycle.size(); ++i) {
            one_.is_confirmed() ? wait(found_.cycle[i]) : edge(found_.cycle[i], i == 0);
            if (i < one_.stacks.size()) stack(one_.stacks[i]);
        }
        for (std::size_t i = 0; i < found_.tasks.size(); ++i) {
            const task_report& each = found_.tasks[i];
            text_ += "\n  " + each.name + "\n    waits for " + each.waits_for + " at " +
                     each.where.file + "\n";
            if (i < one_.stacks.size()) stack(one_.stacks[i]);
        }
        for (const lock_use& lock : found_.locks)
            text_ += "  lock     " + lock.class_name + " (" + name_of(lock.how) + ") at " +
                     lock.where.file + " by " + found_.task + "\n";
        if (found_.cycle.empty() && found_.tasks.empty() && !one_.stacks.empty())
            stack(one_.stacks.back());
        grades();
        classes();
        return std::move(text_);
    }

private:
    void edge(const dependency& d, bool is_first) {
        const std::string held = d.held.class_name + " taken at " + d.held.where.file;
        const std::string wanted =
            d.wanted.class_name + report::terms_of(d.wanted) + " at " + d.wanted.where.file;
        if (is_first)
            text_ += "  holding  " + held + " by " + d.task + "\n  taking   " + wanted + "\n";
        else
            text_ += "  earlier  " + d.held.class_name + " -> " + wanted + " by " + d.task + ", " +
                     held + "\n";
    }

    /// One thread of a deadlock that has happened.
    void wait(const dependency& d) {
        text_ += "\n  " + d.task + "\n";
        text_ += "    holds     " + d.held.class_name + " taken at " + d.held.where.file + "\n";
        text_ += "    waits for " + d.wanted.class_name + report::terms_of(d.wanted) + " at " +
                 d.wanted.where.file + "\n";
    }

    void stack(const std::vector<code_address>& calls) {
        for (const code_address& each : calls)
            for (const code_place& call : names_.calls_at(each))
                if (!is_wrapper(call.function)) text_ += "             " + call.call() + "\n";
    }

    void grades() {
        if (!found_.graded.guard.empty()) text_ += "  guarded by " + found_.graded.guard + "\n";
        if (found_.graded.needs_writer) text_ += "  needs a writer\n";
        if (found_.graded.one_task) text_ += "  one task seen\n";
        if (found_.graded.class_only) text_ += "  class only\n";
        if (one_.is_alone) text_ += "  seen while the process had one thread\n";
        if (found_.cycles > 1) text_ += "  one of " + std::to_string(found_.cycles) + " cycles\n";
    }

    /// Explains each class of the finding once, and gives the text by which it may be allowed.
    void classes() {
        std::set<std::uint32_t> shown;
        const auto show = [&](const lock_use& use) {
            const auto known = process_.class_names.find(use.class_id);
            if (known == process_.class_names.end() || !shown.insert(use.class_id).second) return;
            text_ += "  class    " + known->second.name + ": " + known->second.explanation + "\n";
        };
        for (const dependency& each : found_.cycle) show(each.held);
        for (const lock_use& each : found_.locks) show(each);
        text_ += "  signature  " + found_.signature + "\n";
        if (one_.is_confirmed()) text_ += "  verdict    confirmed: it has happened in this run\n";
    }

    const raw_finding& one_;
    const finding& found_;
    const run_process& process_;
    const symbols& names_;
    std::string text_;
};

std::string line_of(const run_process& each) {
    std::string line = last_part(each.program) + " (process " + std::to_string(each.pid) + "): ";
    line += report::counted(each.acquires, "acquire") + " of " +
            report::counted(each.locks, "lock") + " in ";
    line += report::counted(each.classes, "class", "classes") + ", ";
    line += report::counted(each.edges, "dependency", "dependencies") + ", " +
            report::counted(each.threads, "thread");
    if (!each.has_ended) line += "; it did not end normally, so some acquires are not counted";
    return line;
}

}  // namespace

run_text text_of(std::vector<run_process>& run, const shown_findings& shown,
                 const std::function<bool(const std::string&)>& is_allowed) {
    run_text result;
    if (!shown.orders)
        for (run_process& process : run)
            std::erase_if(process.findings, [&](const raw_finding& each) {
                if (each.is_certain() && !each.is_confirmed()) ++result.left_out;
                return !each.is_confirmed();
            });
    naming named(run);
    named.name_all();
    std::set<std::string> printed;
    std::string remarks;
    for (run_process& process : run) {
        // A deadlock that has happened stands for the order that may deadlock.
        std::stable_partition(process.findings.begin(), process.findings.end(),
                              [](const raw_finding& each) { return each.is_confirmed(); });
        for (const raw_finding& one : process.findings) {
            // Workers of one program run into one finding each.
            if (!printed.insert(process.program + one.found.signature).second) continue;
            const std::string text = finding_text(one, process, named.names()).print() + "\n";
            const bool is_known = is_allowed(one.found.signature);
            ++(is_known ? result.allowed : one.is_certain() ? result.findings : result.remarks);
            (one.is_certain() ? result.text : remarks) += text;
        }
    }
    if (shown.remarks && !remarks.empty())
        result.text += "remarks: cycles that these threads may never meet in\n\n" + remarks;
    std::size_t without_locks = 0;
    for (const run_process& process : run) {
        if (process.locks == 0)
            ++without_locks;
        else
            result.text += line_of(process) + "\n";
    }
    if (without_locks != 0)
        result.text += report::counted(without_locks, "process", "processes") + " used no lock\n";
    result.text += report::counted(result.findings, "finding") + ", " +
                   report::counted(result.remarks, "remark") +
                   (shown.remarks || result.remarks == 0 ? "" : " (--remarks shows them)");
    if (result.allowed != 0) result.text += ", " + std::to_string(result.allowed) + " allowed";
    result.text += "\n";
    if (result.left_out != 0)
        result.text += report::counted(result.left_out, "finding") +
                       " of the order checker: --check shows them\n";
    return result;
}

}  // namespace wedge::run
