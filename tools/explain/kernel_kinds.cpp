#include "explain/kernel_kinds.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "explain/kernel_tokens.hpp"

namespace wedge::explain::kernel {

namespace {

constexpr std::string_view is_trying = "is trying to acquire lock:";
constexpr std::string_view is_holding = "task is already holding";
constexpr std::string_view chain_head = "the existing dependency chain (in reverse order) is:";

/// `IN-HARDIRQ-W`, `SOFTIRQ-ON-R`, `INITIAL USE`; in lower case in the oldest kernels.
bool is_usage_state(std::string text) {
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (text == "INITIAL USE" || text == "INITIAL READ USE" || text == "IN-NMI") return true;
    for (const std::string_view context : {"HARDIRQ", "SOFTIRQ", "RECLAIM_FS", "HARD", "SOFT"}) {
        for (const std::string_view end : {"-W", "-R"}) {
            if (text == "IN-" + std::string(context) + std::string(end)) return true;
            if (text == std::string(context) + "-ON" + std::string(end)) return true;
        }
    }
    return false;
}

/// A text without what a broken line changes.
std::string letters(std::string_view text) {
    std::string kept;
    for (const char c : text)
        if (c != ' ' && c != '>') kept += c;
    return kept;
}

/// The number of a task `comm/12`.
std::string_view number_of(std::string_view task) {
    const std::size_t slash = task.rfind('/');
    return slash == none ? std::string_view() : task.substr(slash + 1);
}

/// Reads one body. What it touches last is where the report ends.
class body_reader {
public:
    explicit body_reader(const report_text& from)
        : from_(from), text_(from.text.text()), end_(from.text.size()) {
        result_.kind = from.kind;
        last_ = from.heading_end;
    }

    report read() {
        if (from_.heading_end == 0) result_.lacks("the heading");
        read_version();
        const std::string_view kind = from_.kind;
        if (kind == "circular")
            read_circular();
        else if (kind == "recursive")
            read_recursive();
        else if (kind == "inconsistent")
            read_inconsistent();
        else if (kind == "safe-unsafe")
            read_safe_unsafe();
        else if (kind == "irq-inversion")
            read_irq_inversion();
        else
            read_simple(kind);
        read_held();
        check_scenario();
        finish();
        return std::move(result_);
    }

private:
    std::size_t find(std::string_view phrase, std::size_t at = 0) const {
        return from_.text.find(phrase, std::max(at, from_.heading_end), end_);
    }
    void touch(std::size_t at) { last_ = std::max(last_, at); }

    void read_version();
    void read_task(std::size_t phrase);

    /// The lock between a phrase and the next one of those that may follow.
    std::optional<lock_use> lock_behind(std::size_t phrase, std::size_t length,
                                        std::initializer_list<std::string_view> stops,
                                        const char* what) {
        if (phrase == none) {
            result_.lacks(what);
            return std::nullopt;
        }
        touch(phrase + length);
        std::size_t stop = std::min(end_, phrase + length + 1200);
        for (const std::string_view each : stops)
            stop = std::min(stop, from_.text.find(each, phrase + length, stop));
        // Where the lock is cut off, the next one is that of another sentence.
        for (const std::string_view each :
             {" #0: ", "is trying to", "is already holding", "-> #", " held by ", " takes:"})
            stop = std::min(stop, from_.text.find(each, phrase + length, stop));
        const std::optional<found_lock> found = first_lock(text_, {phrase + length, stop});
        if (!found) {
            result_.lacks(what);
            return std::nullopt;
        }
        touch(found->end);
        lock_use lock = found->lock;
        lock.name = settled(*found);
        return lock;
    }

    void read_circular();
    void read_chain(std::size_t head);
    bool has_told_lock(std::size_t head) const;
    void check_chain();
    void read_scenario_modes();
    void read_recursive();
    void read_inconsistent();
    void read_safe_context(std::size_t from);
    void read_safe_unsafe();
    void read_irq_inversion();
    void read_simple(std::string_view kind);
    void read_released(std::string_view phrase);
    bool is_own(const held_list& list) const;
    std::optional<held_list> own_list() const;
    void read_first_held();
    void read_sleeping(std::string_view kind);
    void read_held();
    void mend_task(const std::string& listed);
    void check_task(const std::string& listed);
    std::string settled(std::string_view raw, bool is_broken);
    std::string settled(const found_lock& found) {
        const std::size_t begin = found.name_begin;
        const std::size_t end = found.name_end;
        return settled(text_.substr(begin, end - begin),
                       from_.text.line_start(begin) != from_.text.line_start(end));
    }
    void check_scenario();
    void finish();

    /// The frames of the trace at the end, without those of the checker itself.
    std::vector<std::string> backtrace() const {
        const std::size_t start = find("stack backtrace:");
        const std::size_t trace = find("Call Trace:", start == none ? 0 : start);
        if (trace == none) return {};
        std::vector<std::string> all = frames_of(text_, {trace, std::min(end_, trace + 12000)});
        constexpr std::size_t deepest = 16;
        for (std::size_t i = std::min(all.size(), deepest); i-- > 0;) {
            if (!all[i].starts_with("lock_acquire") && !all[i].starts_with("__lock_acquire"))
                continue;
            all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i) + 1);
            break;
        }
        return all;
    }

    const report_text& from_;
    std::string_view text_;
    std::size_t end_;
    std::size_t last_ = 0;
    std::size_t settled_ = 0;  // names that other mentions were asked about
    report result_;
    std::optional<lock_use> new_;
    std::optional<lock_use> held_;
};

/// Reads the release from the line behind the heading, and asks the trace where that is unsure.
void body_reader::read_version() {
    const kernel_release said =
        from_.heading_end == 0
            ? kernel_release()
            : release_behind(text_, {from_.heading_end, from_.heading_end + 160});
    result_.version = said.name;
    std::size_t trace = find("stack backtrace:");
    if (trace == none && said.name.empty()) trace = find("omm: ");
    const std::size_t near = trace == none ? 0 : std::min(end_, trace + 300);
    if (trace != none) trace = from_.text.find("ainted", trace, near);
    std::string again;
    if (trace != none) again = version_of(text_, {trace, std::min(end_, trace + 120)});
    // A line is broken in it, or the heading is cut.
    if (again.starts_with(said.name) && !again.empty())
        result_.version = again;
    else if (!said.is_sure && !said.name.empty())
        result_.lacks("a readable release of the kernel");
}

/// Reads the task in front of a phrase.
void body_reader::read_task(std::size_t phrase) {
    std::size_t line = from_.text.line_start(phrase);
    const auto has_broken_name = [&] {  // the name follows a hyphen that belongs to no ruler
        return line > from_.heading_end + 2 && text_[line - 1] == ' ' && text_[line - 2] == '-' &&
               std::isalnum(static_cast<unsigned char>(text_[line - 3])) != 0;
    };
    std::string broken;
    if (has_broken_name()) {
        const std::size_t before = std::max(from_.text.line_start(line - 1), from_.heading_end);
        broken = task_before(text_, before, phrase);
        const std::size_t hyphen = broken.find("- ");
        if (hyphen != std::string::npos) broken.erase(hyphen + 1, 1);
    }
    result_.task = task_before(text_, std::max(line, from_.heading_end), phrase);
    if (result_.task.empty() && line > from_.heading_end)  // a broken line
        result_.task = task_before(
            text_, std::max(from_.text.line_start(line - 1), from_.heading_end), phrase);
    if (!broken.empty()) result_.task = broken;
    if (result_.task.empty()) result_.lacks("the task");
    touch(phrase);
}

/// Returns the name of a lock. Where a broken line may be in it, the report's other mentions of the
/// lock decide.
///
/// @param raw        what stands between the parentheses
/// @param is_broken  a line may end in it
std::string body_reader::settled(std::string_view raw, bool is_broken) {
    std::string name = clean_name(raw);
    constexpr std::size_t most = 64;  // as each looks at the whole report
    if (raw.find(' ') == none || ++settled_ > most) return name;
    std::string joined;
    for (const char c : raw)
        if (c != ' ') joined += c;
    const auto count = [&](const std::string& wanted) {
        const std::string in_parentheses = "(" + wanted + ")";
        std::size_t found = 0;
        for (std::size_t at = text_.find(in_parentheses); at != none && found < 2;
             at = text_.find(in_parentheses, at + 1))
            ++found;
        return found;
    };
    if (joined != name && count(joined) > 0) return joined;
    if (!is_broken || count(name) > 1) return name;
    if (name.find(' ') == std::string::npos && raw.starts_with(name + " ")) return name;
    for (std::size_t at = raw.find(' '); at != none && at > 0; at = raw.find(' ', at + 1)) {
        const std::string_view rest = raw.substr(at + 1);
        const bool is_plain =
            std::string_view(",\"?:").find(raw[at - 1]) != none ||
            (raw[at - 1] == '-' && (rest.starts_with(">") || rest.starts_with("AF_")));
        if (is_plain || (raw[at - 1] == '-' && count(name) > 0)) continue;
        result_.lacks("a readable name of a lock");
        break;
    }
    return name;
}

/// An entry `-> #1 (a){+.+.}-{3:3}:` of a chain.
struct chain_entry {
    std::size_t number = 0;
    lock_use lock;
    std::vector<std::string> stack;
};

void body_reader::read_circular() {
    const std::size_t acquires = find(is_trying);
    if (acquires == none)
        result_.lacks("the task");
    else
        read_task(acquires);
    new_ = lock_behind(acquires, is_trying.size(), {is_holding, chain_head, "-> #"},
                       "the lock that the task wants");
    const std::size_t holds = find(is_holding, acquires == none ? 0 : acquires);
    held_ = lock_behind(holds, is_holding.size(), {"which lock already", chain_head, "-> #"},
                        "the lock that the task holds");
    if (new_) result_.new_lock = new_->name;
    if (held_) result_.held_lock = held_->name;
    const std::size_t head = find(chain_head);
    std::size_t chain = head;
    if (head == none) chain = find("-> #", holds == none ? 0 : holds);
    if (chain == none)
        result_.lacks("the dependency chain");
    else
        read_chain(chain);
    if (head == none && chain != none)
        result_.missing.push_back("the head of the dependency chain");
    read_scenario_modes();
}

void body_reader::read_chain(std::size_t head) {
    std::size_t stop = end_;
    for (const std::string_view each : {"other info that might", "Possible unsafe locking",
                                        "stack backtrace:", "Chain exists of"})
        stop = std::min(stop, from_.text.find(each, head, stop));
    std::vector<chain_entry> chain;
    bool is_whole = true;
    for (std::size_t at = from_.text.find("-> #", head, stop); at != none;) {
        const std::size_t next = from_.text.find("-> #", at + 4, stop);
        chain_entry entry;
        std::size_t i = at + 4;
        while (i < stop && text_[i] >= '0' && text_[i] <= '9' && i < at + 7)
            entry.number = entry.number * 10 + static_cast<std::size_t>(text_[i++] - '0');
        const std::size_t behind = std::min(next, stop);
        const std::optional<found_lock> lock = first_lock(text_, {i, std::min(behind, i + 480)});
        if (lock && i > at + 4 && lock->begin <= i + 24) {
            entry.lock = lock->lock;
            entry.lock.name = settled(*lock);
            entry.stack = frames_of(text_, {lock->end, behind});
            entry.lock.mode = mode_of(entry.stack);
            touch(behind == stop && stop == end_ ? lock->end : behind);
            chain.push_back(std::move(entry));
        }
        // Without a lock it is a sentence about an entry, or the entry's number is missing below.
        at = next;
    }
    std::reverse(chain.begin(), chain.end());
    for (std::size_t i = 0; i < chain.size(); ++i)
        if (chain[i].number != i) is_whole = false;
    if (chain.size() < 2) is_whole = false;
    for (const chain_entry& each : chain) {
        result_.cycle_locks.push_back(each.lock.name);
        result_.locks.push_back(each.lock);
    }
    for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
        if (chain[i + 1].number != chain[i].number + 1) continue;
        cycle_edge edge;
        edge.from = chain[i].lock.name;
        edge.to = chain[i + 1].lock.name;
        edge.stack = chain[i + 1].stack;
        edge.mode = chain[i + 1].lock.mode;
        result_.edges.push_back(std::move(edge));
    }
    if (!chain.empty() && chain.front().number == 0 && held_ &&
        clean_name(chain.back().lock.name) == held_->name) {
        cycle_edge edge;
        edge.from = chain.back().lock.name;
        edge.to = chain.front().lock.name;
        edge.task = result_.task;
        edge.stack = chain.front().stack;
        edge.mode = chain.front().lock.mode;
        if (!held_->at.empty()) edge.from_stack.push_back(held_->at);
        result_.edges.push_back(std::move(edge));
    }
    if (!is_whole || !has_told_lock(head)) result_.lacks("a part of the dependency chain");
    check_chain();
}

/// Whether one of the inner locks of the chain is that of `Chain exists of: NEW --> INNER -->
/// HELD`.
bool body_reader::has_told_lock(std::size_t head) const {
    constexpr std::string_view phrase = "Chain exists of:";
    const std::size_t tells = find(phrase, head);
    if (tells == none || result_.cycle_locks.size() < 3) return true;
    const std::size_t stop = from_.text.find("unsafe locking", tells, tells + 1200);
    if (stop == none) return true;  // it may be cut
    const std::string said = letters(text_.substr(tells, stop - tells));
    const auto inner = std::span(result_.cycle_locks).subspan(1, result_.cycle_locks.size() - 2);
    return said.find("--") == std::string::npos ||
           std::any_of(inner.begin(), inner.end(), [&](const std::string& name) {
               return said.find("--" + letters(name) + "--") != std::string::npos;
           });
}

/// The chain begins with the new lock and ends with the held one, or something is garbled.
void body_reader::check_chain() {
    if (result_.cycle_locks.empty()) return;
    const auto is_same = [](const std::string& full, const std::string& name) {
        return full == name || full.starts_with(name + " ");
    };
    const std::string& first = result_.cycle_locks.front();
    const std::string& last = result_.cycle_locks.back();
    if (new_ && !is_same(new_->name, first))
        result_.lacks("a readable name of the wanted lock");
    else
        result_.new_lock = first;
    if (held_ && !is_same(held_->name, last))
        result_.lacks("a readable name of the held lock");
    else
        result_.held_lock = last;
}

/// `rlock(a)` in the scenario says that the task of the report reads.
void body_reader::read_scenario_modes() {
    const std::size_t scenario = find("Possible unsafe locking scenario");
    if (scenario == none) {
        result_.missing.push_back("the scenario");
        return;
    }
    std::size_t stop = std::min(end_, scenario + 1500);
    stop = std::min(stop, from_.text.find("*** DEADLOCK ***", scenario, stop));
    touch(stop);
    const auto mode_in = [&](const std::string& lock) {
        if (from_.text.find("rlock(" + lock + ")", scenario, stop) != none)
            return acquire_mode::read;
        if (from_.text.find("sync(" + lock + ")", scenario, stop) != none)
            return acquire_mode::sync;
        return acquire_mode::unknown;
    };
    for (cycle_edge& edge : result_.edges) {
        if (edge.task.empty()) continue;
        const acquire_mode wanted = mode_in(edge.to);
        if (wanted != acquire_mode::unknown && edge.mode != acquire_mode::recursive_read)
            edge.mode = wanted;
        edge.from_mode = mode_in(edge.from);
    }
}

void body_reader::read_recursive() {
    const std::size_t acquires = find(is_trying);
    if (acquires == none)
        result_.lacks("the task");
    else
        read_task(acquires);
    new_ = lock_behind(acquires, is_trying.size(), {is_holding, "other info"},
                       "the lock that the task wants");
    const std::size_t holds = find(is_holding, acquires == none ? 0 : acquires);
    held_ =
        lock_behind(holds, is_holding.size(),
                    {"other info", "Possible unsafe", "and the lock comparison", "stack backtrace"},
                    "the lock that the task holds");
    if (new_) result_.new_lock = new_->name;
    if (held_) result_.held_lock = held_->name;
    if (new_ && held_ && new_->name != held_->name) result_.lacks("readable names of the locks");
    if (new_) {
        result_.cycle_locks = {new_->name};
        result_.locks.push_back(*new_);
    }
    if (new_ && held_ && new_->name == held_->name) {
        cycle_edge edge;
        edge.from = edge.to = new_->name;
        edge.task = result_.task;
        edge.stack = backtrace();
        edge.mode = mode_of(edge.stack);
        if (!held_->at.empty()) edge.from_stack.push_back(held_->at);
        result_.edges.push_back(std::move(edge));
    }
    if (find("comparison function returns") != none)
        result_.notes.push_back(
            "The class has a function that compares instances, and it forbids this order.");
}

void body_reader::read_inconsistent() {
    const std::size_t usage = find("inconsistent {");
    if (usage == none) {
        result_.lacks("the states of the lock");
    } else {
        const std::size_t arrow = from_.text.find("->", usage, usage + 80);
        const std::size_t close = text_.find('}', usage);
        const std::size_t open = arrow == none ? none : text_.find('{', arrow);
        const std::size_t end = open == none ? none : text_.find('}', open);
        if (close == none || open == none || end == none || close > arrow || end > open + 40) {
            result_.lacks("the states of the lock");
        } else {
            const auto state = [&](std::size_t from, std::size_t to) {
                std::string word(text_.substr(from, to - from));
                for (std::size_t i = 1; i < word.size(); ++i)  // a mail breaks behind hyphens
                    if (word[i] == ' ' && word[i - 1] == '-') word.erase(i, 1);
                return word;
            };
            const std::string before = state(usage + 14, close);
            const std::string now = state(open + 1, end);
            result_.usage_states = before + "/" + now;
            if (!is_usage_state(before) || !is_usage_state(now))
                result_.lacks("readable states of the lock");
            touch(end);
        }
    }
    const std::size_t takes = find(" takes:");
    if (takes == none)
        result_.lacks("the task");
    else
        read_task(takes);
    new_ = lock_behind(takes, 7, {"state was registered", "irq event stamp", "other info"},
                       "the lock that the task takes");
    if (!new_) return;
    result_.new_lock = new_->name;
    result_.cycle_locks = {new_->name};
    result_.locks.push_back(*new_);
    const std::size_t registered = find("state was registered at:");
    if (registered == none) {
        result_.missing.push_back("where the first state was registered");
        return;
    }
    std::size_t stop = std::min(end_, registered + 8000);
    stop = std::min(stop, from_.text.find("irq event stamp", registered, stop));
    stop = std::min(stop, from_.text.find("other info", registered, stop));
    cycle_edge first;  // the two uses; they are no edges, since there is one lock
    first.from = first.to = new_->name;
    first.from_stack = frames_of(text_, {registered, stop});
    first.from_mode = mode_of(first.from_stack);
    first.stack = backtrace();
    first.mode = mode_of(first.stack);
    first.task = result_.task;
    result_.uses.push_back(std::move(first));
    touch(registered);
}

/// `SOFTIRQ-safe` in a heading or in a sentence.
void body_reader::read_safe_context(std::size_t from) {
    const std::size_t stop = std::min(end_, from + 200);
    const std::size_t safe =
        std::min(from_.text.find("-safe", from, stop), from_.text.find("-unsafe", from, stop));
    if (safe == none) return;
    std::size_t begin = safe;
    while (begin > 0 && text_[begin - 1] != ' ') --begin;
    std::string word(text_.substr(begin, safe - begin));
    for (char& c : word) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    // The oldest kernels say `hard-irq-safe` and `soft-safe`.
    result_.safe_context = word.starts_with("HARD")   ? "HARDIRQ"
                           : word.starts_with("SOFT") ? "SOFTIRQ"
                                                      : word;
}

void body_reader::read_safe_unsafe() {
    read_safe_context(from_.heading_begin);
    const std::size_t acquires = find("is trying to acquire:");
    if (acquires == none)
        result_.lacks("the task");
    else
        read_task(acquires);
    new_ = lock_behind(acquires, 21, {is_holding, "which would create"},
                       "the lock that the task wants");
    const std::size_t holds = find(is_holding, acquires == none ? 0 : acquires);
    held_ = lock_behind(holds, is_holding.size(), {"which would create", "but this new"},
                        "the lock that the task holds");
    if (new_) result_.new_lock = new_->name;
    if (held_) result_.held_lock = held_->name;
    if (!new_ || !held_) return;
    result_.cycle_locks = {held_->name, new_->name};
    result_.locks = {*held_, *new_};
    cycle_edge edge;
    edge.from = held_->name;
    edge.to = new_->name;
    edge.task = result_.task;
    edge.stack = backtrace();
    edge.mode = mode_of(edge.stack);
    result_.edges.push_back(edge);
    const std::size_t creates = find("which would create a new lock dependency:");
    if (creates != none) {
        touch(creates);
        const auto from = first_lock(text_, {creates, std::min(end_, creates + 700)});
        const auto to =
            from ? first_lock(text_, {from->end, std::min(end_, from->end + 400)}) : std::nullopt;
        if (from && to && (settled(*from) != held_->name || settled(*to) != new_->name))
            result_.lacks("readable names of the locks");
    }
    const auto use = [&](std::string_view phrase, std::string_view became, bool is_safe) {
        const std::size_t at = find(phrase);
        if (at == none) return;
        const auto lock = first_lock(text_, {at, std::min(end_, at + 500)});
        if (!lock) return;
        cycle_edge one;
        one.from = one.to = lock->lock.name;
        const std::size_t start = find(became, at);
        const std::size_t stop = start == none ? end_ : std::min(end_, start + 6000);
        std::size_t close = stop;
        for (const std::string_view each : {"irq-unsafe lock:", "other info", "to a "})
            if (start != none) close = std::min(close, from_.text.find(each, start + 12, close));
        if (start != none) one.stack = frames_of(text_, {start, close});
        one.mode = mode_of(one.stack);
        one.task = is_safe ? "interrupt" : "";
        result_.uses.push_back(std::move(one));
    };
    use("-irq-safe lock:", "which became", true);
    use("-irq-unsafe lock:", "which became", false);
}

void body_reader::read_irq_inversion() {
    constexpr std::string_view changed = "just changed the state of lock:";
    const std::size_t changes = find(changed);
    if (changes == none)
        result_.lacks("the task");
    else
        read_task(changes);
    new_ = lock_behind(changes, changed.size(), {"but this lock"}, "the lock whose state changed");
    const std::size_t took = find("but this lock took another");
    const std::size_t taken = find("but this lock was taken by another");
    const std::size_t other = std::min(took, taken);
    held_ = lock_behind(other, 20, {"and interrupt", "other info"}, "the other lock");
    if (new_) result_.new_lock = new_->name;
    if (held_) result_.held_lock = held_->name;
    if (!new_ || !held_) return;
    const bool is_taker = took < taken;
    read_safe_context(other);
    const lock_use& from = is_taker ? *new_ : *held_;
    const lock_use& to = is_taker ? *held_ : *new_;
    result_.cycle_locks = {from.name, to.name};
    result_.locks = {from, to};
    cycle_edge edge;
    edge.from = from.name;
    edge.to = to.name;
    result_.edges.push_back(std::move(edge));
}

/// `TASK is trying to release lock (a) at:`, where the lock has no mask.
void body_reader::read_released(std::string_view phrase) {
    const std::size_t releases = find(phrase);
    if (releases == none) {
        result_.lacks("the task");
        result_.lacks("the lock");
        return;
    }
    read_task(releases);
    std::size_t open = releases + phrase.size();
    while (open < end_ && text_[open] == ' ') ++open;
    std::size_t close = none;
    int depth = 0;
    for (std::size_t i = open; i < std::min(end_, open + 320); ++i) {
        if (text_[i] == '(') ++depth;
        if (text_[i] == ')' && --depth == 0) {
            close = i;
            break;
        }
    }
    if (open >= end_ || text_[open] != '(' || close == none) {
        result_.lacks("the lock");
        return;
    }
    const std::size_t place = from_.text.find("at:", close, close + 8);
    if (place == none) result_.lacks("a readable name of the lock");
    lock_use lock;
    lock.name = settled(text_.substr(open + 1, close - open - 1),
                        from_.text.line_start(open) != from_.text.line_start(close));
    if (place != none) {
        const std::vector<std::string> frames =
            frames_of(text_, {place, std::min(end_, place + 200)});
        if (!frames.empty()) lock.at = frames.front();
    }
    result_.new_lock = lock.name;
    result_.cycle_locks = {lock.name};
    result_.locks = {lock};
    touch(close);
}

/// Whether a list is that of the task; any is where the task is not known.
bool body_reader::is_own(const held_list& list) const {
    return result_.task.empty() || letters(list.state.task) == letters(result_.task) ||
           number_of(list.state.task) == number_of(result_.task);
}

/// The list of the task; the first list where there is none of the task.
std::optional<held_list> body_reader::own_list() const {
    const std::optional<held_list> first = next_held_list(text_, {from_.heading_end, end_});
    std::optional<held_list> list = first;
    constexpr int most = 64;  // lists of other tasks
    for (int i = 0; list && i < most; ++i) {
        if (is_own(*list)) return list;
        list = next_held_list(text_, {std::max(list->end, from_.heading_end + 1), end_});
    }
    return first;
}

/// The lock is in the list of those that the task still holds.
void body_reader::read_first_held() {
    const std::size_t leaves = find("with locks still held");
    if (leaves != none) {
        touch(leaves);
        std::size_t verb = from_.text.find(" is leaving", from_.heading_end, leaves);
        if (verb == none) verb = from_.text.find(" is exiting", from_.heading_end, leaves);
        if (verb != none) read_task(verb);
    }
    const std::optional<held_list> list = own_list();
    if (!list || list->state.held.empty() || !is_own(*list)) {
        result_.lacks("the list of held locks");
        return;
    }
    if (result_.task.empty() && from_.kind == "user-return") result_.lacks("the task");
    if (result_.task.empty()) result_.task = list->state.task;
    lock_use first = list->state.held.front();
    first.name = settled(first.name, true);
    result_.new_lock = first.name;
    result_.cycle_locks = {first.name};
    result_.locks = {first};
    if (!list->is_whole) result_.lacks("a part of the list of held locks");
}

void body_reader::read_sleeping(std::string_view kind) {
    if (kind == "sleeping") {
        const std::size_t pid = find("pid: ");
        const std::size_t name = pid == none ? none : from_.text.find("name: ", pid, pid + 40);
        if (name != none) {
            std::size_t digits = pid + 5;
            while (digits < end_ && text_[digits] >= '0' && text_[digits] <= '9') ++digits;
            const std::size_t stop = std::min(from_.text.line_end(name), end_);
            std::string comm(text_.substr(name + 6, stop - name - 6));
            const std::size_t space = comm.find(" preempt_count:");
            if (space != std::string::npos) comm.resize(space);
            while (comm.ends_with(' ')) comm.pop_back();
            result_.task = comm + "/" + std::string(text_.substr(pid + 5, digits - pid - 5));
            touch(stop);
        }
    }
    if (result_.task.empty()) result_.task = traced_task(text_, {from_.heading_end, end_});
    if (result_.task.empty()) {
        const std::optional<held_list> list = next_held_list(text_, {from_.heading_end, end_});
        if (list) result_.task = list->state.task;
    }
    if (result_.task.empty()) result_.lacks("the task");
}

void body_reader::read_simple(std::string_view kind) {
    if (kind == "bad-unlock") return read_released("is trying to release lock");
    if (kind == "bad-contention") return read_released("is trying to contend lock");
    if (kind == "user-return" || kind == "still-held" || kind == "leaked-lock") {
        if (kind != "user-return" && from_.heading_end != 0) {
            const std::size_t verb =
                from_.text.find(" still has locks", from_.heading_begin, from_.heading_end);
            if (verb != none) {
                result_.task = task_before(text_, from_.text.line_start(from_.heading_begin), verb);
                for (const std::string_view each : {"[ BUG: ", "BUG: ", "WARNING: ", "INFO: "})
                    if (const std::size_t at = result_.task.rfind(each); at != std::string::npos)
                        result_.task.erase(0, at + each.size());
            }
        }
        return read_first_held();
    }
    if (kind == "wait-context" || kind == "nested") {
        const std::size_t tries = find("is trying to lock:");
        if (tries == none)
            result_.lacks("the task");
        else
            read_task(tries);
        new_ = lock_behind(tries, 18, {"other info", "context-{", "but this task"},
                           "the lock that the task wants");
        if (kind == "nested") {
            const std::size_t lacks = find("but this task is not holding:");
            if (lacks != none) {
                std::string name(
                    text_.substr(lacks + 29, from_.text.line_end(lacks + 31) - lacks - 29));
                name = clean_name(name);
                if (!name.empty())
                    result_.notes.push_back("It does not hold " + name +
                                            ", which must be held around it.");
            }
        }
    } else if (kind == "held-freed") {
        const std::size_t frees = find("is freeing memory");
        if (frees == none)
            result_.lacks("the task");
        else
            read_task(frees);
        new_ = lock_behind(frees, 17, {"held by", "stack backtrace"}, "the lock that is freed");
    } else {
        return read_sleeping(kind);
    }
    if (!new_) return;
    result_.new_lock = new_->name;
    result_.cycle_locks = {new_->name};
    result_.locks = {*new_};
}

/// Takes off what stands in front of the task in its line: dress that is not known.
void body_reader::mend_task(const std::string& listed) {
    for (std::string again : {listed, traced_task(text_, {from_.heading_end, end_})}) {
        if (again.empty() || result_.task.empty()) continue;
        for (std::size_t at = again.find("- "); at != std::string::npos; at = again.find("- ", at))
            again.erase(at + 1, 1);  // a mail breaks lines behind hyphens
        const bool has_dress = result_.task.ends_with(" " + again);
        const bool is_cut = again.ends_with(result_.task);
        if (!has_dress && !is_cut && letters(again) != letters(result_.task)) continue;
        result_.task = again;
        return;
    }
    constexpr std::size_t longest = 15;  // of what the kernel keeps of a name
    const std::size_t name = result_.task.rfind('/');
    if (name != std::string::npos && name > longest) result_.lacks("a readable name of the task");
}

void body_reader::read_held() {
    const std::optional<held_list> list = own_list();
    mend_task(list ? list->state.task : std::string());
    if (!list) {
        result_.missing.push_back("the list of held locks");
        return;
    }
    check_task(list->state.task);
    if (!result_.task.empty() && letters(list->state.task) != letters(result_.task)) return;
    // The other lock of an inversion was held by a task of the past.
    const bool holds = held_ && !result_.held_lock.empty() && from_.kind != "irq-inversion";
    if (list->is_whole && holds) {
        const std::string held = letters(result_.held_lock);
        const bool is_listed =
            std::any_of(list->state.held.begin(), list->state.held.end(),
                        [&](const lock_use& each) { return letters(each.name).starts_with(held); });
        if (!is_listed) result_.lacks("a readable name of the held lock");
    }
    if (from_.kind == "held-freed" && list->is_whole && new_) {
        const bool is_listed = std::any_of(
            list->state.held.begin(), list->state.held.end(),
            [&](const lock_use& each) { return letters(each.name) == letters(new_->name); });
        if (!is_listed) result_.lacks("a readable name of the lock");
    }
    if (!list->is_whole) result_.missing.push_back("a part of the list of held locks");
    touch(list->end);
    result_.tasks.push_back(list->state);
    result_.tasks.back().stack = backtrace();
}

/// The task is named three times. Where two of them agree against the first, that is garbled.
void body_reader::check_task(const std::string& listed) {
    if (result_.task.empty() || letters(listed) == letters(result_.task)) return;
    if (traced_task(text_, {from_.heading_end, end_}) == listed)
        result_.lacks("a readable name of the task");
    else if (listed.size() == result_.task.size() || from_.kind == "user-return" ||
             number_of(listed) == number_of(result_.task))
        result_.lacks("a readable name of the task");
}

/// The scenario repeats the locks. That of safe-unsafe has other ones: the two ends of the chain.
void body_reader::check_scenario() {
    const std::size_t scenario = find("unsafe locking scenario");
    if (scenario == none || !new_ || from_.kind == "safe-unsafe") return;
    const std::size_t stop = std::min(end_, scenario + 2000);
    const std::size_t dead = from_.text.find("*** DEADLOCK ***", scenario, stop);
    if (dead == none) return;  // it may be cut
    const std::string said = letters(text_.substr(scenario, dead - scenario));
    if (said.find("lock(") == std::string::npos) return;
    const auto check = [&](const std::string& used, const std::string& full, const char* what) {
        if (used.empty()) return;
        // A class may print more about an instance behind its name.
        const std::string name = "(" + letters(used) + (full.size() > used.size() ? "" : ")");
        if (said.find(name) == std::string::npos) result_.lacks(what);
    };
    check(result_.new_lock, new_->name, "a readable name of the wanted lock");
    if (held_) check(result_.held_lock, held_->name, "a readable name of the held lock");
}

void body_reader::finish() {
    const std::size_t trace = find("stack backtrace:");
    if (trace != none) touch(trace);
    result_.first_line = from_.text.line_number(from_.heading_begin);
    result_.last_line = from_.text.line_number(std::min(last_, end_ == 0 ? 0 : end_ - 1));
}

}  // namespace

std::span<const kind_entry> all_kinds() {
    static constexpr kind_entry all[] = {
        {"circular", "possible circular locking dependency detected", "is trying to acquire lock:"},
        {"recursive", "possible recursive locking detected", "is trying to acquire lock:"},
        {"inconsistent", "inconsistent lock state", "inconsistent {"},
        {"safe-unsafe", "-unsafe lock order detected", "is trying to acquire:"},
        {"irq-inversion", "possible irq lock inversion dependency detected",
         "just changed the state of lock:"},
        {"wait-context", "Invalid wait context", "is trying to lock:"},
        {"bad-unlock", "bad unlock balance detected", "is trying to release lock"},
        {"bad-contention", "bad contention detected", "is trying to contend lock"},
        {"held-freed", "held lock freed!", "is freeing memory"},
        {"user-return", "lock held when returning to user space!", "is leaving the kernel"},
        {"still-held", "still has locks held!", "held by"},
        {"still-held", "lock held at task exit time!", "is exiting with"},
        {"nested", "Nested lock was not taken", "is trying to lock:"},
        {"sleeping", "sleeping function called from invalid context", "in_atomic"},
        {"rcu", "suspicious RCU usage", "other info that might"},
        {"rcu", "suspicious rcu_dereference_check() usage", "other info that might"},
        {"non-static-key", "trying to register non-static key", "turning off the locking"},
        {"lock-depth", "MAX_LOCK_DEPTH too low", "turning off the locking"},
        {"chain-collision", "chain_key collision", "Hash chain already cached"},
        {"leaked-lock", "workqueue leaked lock or atomic", "last function:"},
        {"hung", "blocked for more than", "seconds"},
    };
    return all;
}

std::string_view kind_without_heading(const flat_text& text) {
    static constexpr std::pair<std::string_view, std::string_view> all[] = {
        {"inconsistent", "inconsistent {"},
        {"irq-inversion", "just changed the state of lock:"},
        {"safe-unsafe", "which would create a new lock dependency"},
        {"bad-unlock", "is trying to release lock"},
        {"bad-contention", "is trying to contend lock"},
        {"held-freed", "with a lock still held there"},
        {"user-return", "is leaving the kernel with locks still held"},
        {"circular", "which lock already depends on the new lock"},
        {"circular", "the existing dependency chain (in reverse order) is:"},
        {"circular", "-> #0 ("},
        {"circular", "-> #0: ("},
        {"recursive", "May be due to missing lock nesting notation"},
        {"nested", "but this task is not holding:"},
        {"wait-context", "context-{"},
    };
    for (const auto& [kind, phrase] : all)
        if (text.find(phrase) != flat_text::none) return kind;
    return {};
}

report read_body(const report_text& from) {
    return from.kind == "hung" ? read_hang(from) : body_reader(from).read();
}

}  // namespace wedge::explain::kernel
