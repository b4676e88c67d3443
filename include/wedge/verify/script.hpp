// The second reader of scenarios: words and the objects that they name. The engine has no part in
// this code.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace wedge::verify {

/// A certificate that does not show what it claims.
struct rejected : std::runtime_error {
    using std::runtime_error::runtime_error;
};
/// No certificate, or a scenario that the verifier does not understand, so that nothing is known.
struct cannot_verify : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline constexpr std::size_t nowhere = ~std::size_t{0};

inline bool is_among(const std::string& word, const char* words) {
    return (" " + std::string(words) + " ").find(" " + word + " ") != std::string::npos;
}

struct word {
    std::string text;
    std::size_t line;
    bool is_role = false;          ///< written by the verifier
    std::size_t match = nowhere;   ///< of a brace: the matching brace
    std::size_t inside = nowhere;  ///< the brace around it; of a closing brace: its opening one
    std::size_t owner = nowhere;   ///< of an opening brace: the statement that owns the block
};
struct object {
    std::string sort;
    std::size_t first = 0, count = 1;
};
struct lock_object {
    std::string class_name, kind;
    std::size_t index;
    std::size_t inner = nowhere;  ///< of a sequence lock: the spinlock of its writers
};
struct task_object {
    std::string name;
    std::size_t body;  ///< its opening brace
    std::size_t copy;
};

/// A scenario that the engine has accepted, so most errors are not checked. What a work does in
/// addition to its body is text of this language with a few more words: `flag` and `let` are parts
/// of the step before, `loop` is endless, `run` calls a block, and at `idle` a task need not go on.
/// `enlist`, `delist`, `listed` and `rouse` change a wait queue or look at it.
/// No handler comes before the step behind `whole`, and `interrupt` is the arrival of a handler.
class script {
public:
    explicit script(const std::string& text) {
        read(text, false);
        // A scenario may be cut off. Empty words keep a look beyond its end in bounds.
        constexpr std::size_t looked_ahead = 16;
        const std::size_t end = words.size();
        words.insert(words.end(), looked_ahead, {"", words.empty() ? 1 : words.back().line});
        for (std::size_t at = 0; at < end;) declare(at);
        add_zone(end);
        for (std::size_t i = 0; i < handlers.size(); ++i)
            tasks.push_back(
                {handlers[i],
                 add_role(handlers[i] + " task", "{ idle interrupt " + handlers[i] + " }"), 0});
        for (std::size_t at = 0; at < end; ++at)
            if (is(at, "queue")) check_delay(at);
        for (const std::string& name : works_) add_work(name);
        for (const std::string& name : queues_) add_queue(name);
        for (std::size_t at = 0; at < end; ++at)
            if (words[at].text == "wait" && is_queue(at + 1)) add_wait(at);
        for (std::size_t at = 0; at < end; ++at)
            if (words[at].text == "sync") synced.insert(objects.at(words[at + 1].text).first);
    }

    std::vector<word> words;
    std::map<std::string, object> objects;
    std::map<std::string, std::size_t> bodies;
    std::vector<task_object> tasks;  ///< threads, handlers, works
    std::vector<std::string> handlers;
    std::vector<bool> is_hard;  ///< for each handler: whether it is a hardirq
    std::vector<lock_object> locks;
    std::vector<std::int64_t> counts, counters;
    std::vector<bool> is_local;
    /// Locks whose sections a task waits for, by their first instance.
    std::set<std::size_t> synced;
    std::size_t threads = 0, conditions = 0;
    std::int64_t pages = -1, min = 0, low = 0, high = 0;  ///< -1: the pages never run out

    bool is(std::size_t at, const char* text) const { return words[at].text == text; }
    bool is_queue(std::size_t at) const {
        const auto found = objects.find(words[at].text);
        return found != objects.end() && found->second.sort == "queue";
    }
    /// Where the test of a wait for a wait queue begins.
    std::size_t test_of_wait(std::size_t at) const {
        return at + (is(at + 2, "exclusive") ? 4 : 3);
    }
    bool is_number(std::size_t at) const {
        const std::string& text = words[at].text;
        return !text.empty() && (is_digit(text[0]) || (text[0] == '-' && text.size() > 1));
    }
    std::int64_t number(std::size_t at) const {
        if (!is_number(at)) refuse(at, "a number is missing");
        return std::stoll(words[at].text);
    }
    const object& named(std::size_t at) const {
        const auto found = objects.find(words[at].text);
        if (found == objects.end()) refuse(at, "`" + words[at].text + "` is not declared");
        return found->second;
    }
    [[noreturn]] void refuse(std::size_t at, const std::string& what) const {
        throw cannot_verify("scenario, line " + std::to_string(words[at].line) + ": " + what);
    }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    static bool is_letter(char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
    }

    /// Appends the words of a text.
    ///
    /// @return where the text begins
    std::size_t read(const std::string& text, bool is_role) {
        const std::size_t first = words.size();
        std::size_t line = 1;
        const auto at = [&](std::size_t i) { return i < text.size() ? text[i] : '\0'; };
        for (std::size_t i = 0, end = 0; i < text.size(); i = end) {
            end = i + 1;
            if (text[i] == '#') end = std::min(text.find('\n', i), text.size());
            if (text[i] == '\n') ++line;
            if (std::string("#; \t\r\n").find(text[i]) != std::string::npos) continue;
            if (is_letter(text[i]) || (text[i] == '-' && is_digit(at(end))))
                while (is_letter(at(end)) || (at(end) == '-' && is_letter(at(end + 1)))) ++end;
            else if ((text[i] == '-' && at(end) == '>') || (text[i] != '<' && at(end) == '='))
                ++end;
            words.push_back({text.substr(i, end - i), line, is_role});
        }
        match_braces(first);
        return first;
    }
    void match_braces(std::size_t first) {
        std::size_t open = nowhere;
        for (std::size_t i = first; i < words.size(); ++i) {
            words[i].inside = open;
            if (is(i, "{")) {
                std::size_t owner = i;
                while (owner > first && !is_among(words[owner].text, owners)) --owner;
                words[i].owner = owner;
                open = i;
            } else if (is(i, "}")) {
                if (open == nowhere) refuse(i, "`}` without `{`");
                words[i].match = open;
                words[open].match = i;
                open = words[open].inside;
            }
        }
        if (open != nowhere) refuse(open, "`{` without `}`");
    }

    void declare(std::size_t& at) {
        const std::size_t first = at;
        const std::string sort = words[at++].text;
        const std::string name = words[at++].text;
        if (name.empty()) refuse(first, "the scenario is cut off");
        const bool has_name = sort != "expect" && sort != "order";
        if (has_name && is_among(name, owners)) refuse(first, "a keyword as a name");
        if (sort == "expect") {
            at += name == "finding" ? 1 : 0;
        } else if (sort == "order") {
            while (is(at, "->")) at += 2;
        } else if (sort == "memory") {
            declare_memory(first + 1, at);
        } else if (is_among(sort, "thread work delayed_work handler shrinker notifier")) {
            declare_task(sort, name, at);
        } else if (sort == "lock") {
            declare_lock(name, at);
        } else if (sort == "condition") {
            objects[name] = {sort, conditions++};
        } else if (sort == "counter") {
            const std::int64_t value = number(++at);
            add_counter(name, value, is(at + 1, "local"));
            at += is(at + 1, "local") ? 2 : 1;
        } else if (sort == "wait_queue") {
            objects[name] = {"queue", locks.size()};
            locks.push_back({"", "", 0});
            queues_.push_back(name);
        } else if (sort == "refcount") {
            const bool has_value = is(at, "=");
            add_counter(name, has_value ? number(at + 1) : 1, false);
            declare_task(sort, name, at += has_value ? 2 : 0);
        } else if (sort == "semaphore") {
            add_count(name, number(++at));
            ++at;
        } else if (is_among(sort, "fence completion")) {
            add_count(name, 0);
        } else {
            refuse(first, "`" + sort + "`");
        }
    }
    void declare_task(const std::string& sort, const std::string& name, std::size_t& at) {
        const std::size_t count = sort == "thread" ? copies(at) : 1;
        if (is(at, "cpu")) refuse(at, "`cpu`");
        if (sort == "handler") {
            if (is(at, "nmi")) refuse(at, "`nmi`");
            handlers.push_back(name);
            is_hard.push_back(is(at, "hardirq"));
            at += is(at + 1, "threaded") ? 2 : 1;
        }
        if (is_among(sort, "shrinker notifier")) {
            const bool has_needs = is(at, "needs");
            reclaimers_.push_back({name, has_needs ? words[at + 1].text : "", sort == "notifier"});
            at += has_needs ? 2 : 0;
        }
        if (!is(at, "{")) refuse(at, "`{` is missing");
        words[at].owner = at;  // a block without a statement
        bodies[name] = at;
        objects["task " + name] = {sort, threads, count};
        if (is_among(sort, "work delayed_work")) works_.push_back(name);
        for (std::size_t i = 0; i < count && sort == "thread"; ++i, ++threads)
            tasks.push_back({name, at, i});
        at = words[at].match + 1;
    }
    void declare_memory(std::size_t first, std::size_t& at) {
        pages = number(first);
        ++at;  // past `pages`
        for (; is_among(words[at].text, "min low high"); at += 2)
            (is(at, "min") ? min : is(at, "low") ? low : high) = number(at + 1);
    }
    std::size_t copies(std::size_t& at) {
        const std::string& next = words[at].text;
        const bool is_count = next.size() > 1 && next[0] == 'x' && is_digit(next[1]);
        return is_count ? std::stoul(words[at++].text.substr(1)) : 1;
    }
    void declare_lock(const std::string& name, std::size_t& at) {
        std::string kind = words[at].text;
        const bool has_inner = kind == "seqlock";
        if (is_among(kind, "rcu srcu")) kind = "map";
        if (is_among(kind, "seqcount seqlock")) kind = "sequence";
        if (is_among(kind, "rw_semaphore percpu_rw_semaphore")) kind = "rwsem";
        if (!is_among(kind,
                      "mutex rtmutex spinlock raw_spinlock local_lock "
                      "recursive_mutex rwsem "
                      "rwlock qrwlock map ww_mutex sequence"))
            refuse(at, "`" + kind + "`");
        const std::size_t count = copies(++at);
        std::string class_name = name;
        for (; is_among(words[at].text, "class ordered unchecked"); ++at)
            if (is(at, "class")) class_name = words[++at].text;
        objects[name] = {"lock", locks.size(), count};
        for (std::size_t i = 0; i < count; ++i)
            locks.push_back({class_name, kind, i, has_inner ? locks.size() + count : nowhere});
        for (std::size_t i = 0; i < count && has_inner; ++i) locks.push_back({"", "spinlock", 0});
    }
    void add_counter(const std::string& name, std::int64_t value, bool is_own) {
        objects[name] = {"counter", counters.size()};
        counters.push_back(value);
        is_local.push_back(is_own);
    }
    void add_count(const std::string& name, std::int64_t value) {
        objects[name] = {"count", counts.size()};
        counts.push_back(value);
    }
    /// Adds the text of a role.
    ///
    /// @param text  the role's text, in which % stands for the name of what it serves
    std::size_t add_role(const std::string& name, const std::string& text,
                         const std::string& of = "") {
        std::string all;
        for (const char c : text) c == '%' ? all += of : all += c;
        const std::size_t first = read(all, true);
        words[first].owner = first;
        return bodies[name] = first;
    }
    /// Adds what allocations need: counters, the passes of reclaim by what they may enter, and
    /// kswapd. It notes in its first step that it is there, and sleeps until it is woken.
    void add_zone(std::size_t end) {
        const bool is_used = std::any_of(
            words.begin(), words.begin() + static_cast<std::ptrdiff_t>(end), [](const word& each) {
                return is_among(each.text, "memory alloc free scope reclaim invalidate");
            });
        if (!is_used) return;
        for (const char* const own :
             {"pass.in", "pass.freed", "scope.nofs", "scope.noio", "scope.noreclaim"})
            add_counter(own, 0, true);
        std::string all, io, none, notifiers;
        for (const reclaimer& each : reclaimers_) {
            const std::string run = "run " + each.name + " ";
            all += run;
            if (each.needs != "fs") io += run;
            if (each.needs.empty()) none += run;
            if (each.is_notifier) notifiers += run;
        }
        const auto add_pass = [&](const char* name, const std::string& runs) {
            add_role(name, "{ let pass.in + 1 let pass.freed = 0 " + runs + "let pass.in + -1 }");
        };
        add_pass("pass.fs", all);
        add_pass("pass.io", io);
        add_pass("pass.none", none);
        add_role("zone.notifiers", "{ " + notifiers + "}");
        if (pages < 0) return;
        for (const char* const shared : {"zone.there", "zone.told", "zone.woken"})
            add_counter(shared, 0, false);
        add_counter("zone.free", pages, false);
        objects["zone.lock"] = {"lock", locks.size()};
        locks.push_back({"", "spinlock", 0});
        objects["zone.wait"] = {"condition", conditions++};
        add_role("zone.wake",
                 "{ flag zone.there != 0 { lock zone.lock let zone.woken = 1 whole notify "
                 "zone.wait whole unlock zone.lock } }");
        const std::size_t kswapd = add_role(
            "zone.kswapd",
            "{ yield let zone.there = 1 flag zone.free < " + std::to_string(low) +
                " { let zone.told = 1 } loop { lock zone.lock loop { flag zone.told != 0 { break } "
                "flag zone.woken != 0 { break } whole idle wait zone.wait zone.lock } "
                "let zone.told = 0 let zone.woken = 0 whole unlock zone.lock "
                "loop { yield flag zone.free < " +
                std::to_string(high) +
                " { } else { break } run pass.fs flag pass.freed == 0 { break } let pass.freed = 0 "
                "} } }");
        tasks.push_back({"kswapd", kswapd, 0});
    }
    /// Refuses a delayed work that may queue itself: the engine leaves runs of it out. Others queue
    /// it only in the blocks of threads and works.
    void check_delay(std::size_t at) const {
        const auto found = objects.find("task " + words[at + 1].text);
        if (found == objects.end() || found->second.sort != "delayed_work") return;
        std::size_t open = at;
        while (words[open].inside != nowhere) open = words[open].inside;
        for (const auto& [name, body] : bodies)
            if (body == open && (name == words[at + 1].text ||
                                 !is_among(objects.at("task " + name).sort, "thread work")))
                refuse(at, "a delayed work that may queue itself");
    }
    /// Adds the worker of a work. It waits until the work is queued. A task that waits for the body
    /// takes the lock of the run.
    void add_work(const std::string& name) {
        for (const char* const part : {".run", ".state"}) {
            objects[name + part] = {"lock", locks.size()};
            locks.push_back({"", "mutex", 0});
        }
        for (const char* const part : {".due", ".begun"})
            objects[name + part] = {"condition", conditions++};
        add_counter(name + ".queued", 0, false);
        add_counter(name + ".cancels", 0, false);
        const bool is_delayed = objects.at("task " + name).sort == "delayed_work";
        if (is_delayed) add_counter(name + ".delayed", 0, false);
        add_role("queue " + name,
                 std::string("{ lock %.state flag %.queued == 0 { flag %.cancels == 0 { let "
                             "%.queued = 1 ") +
                     (is_delayed ? "let %.delayed = 1 " : "") +
                     "whole notify %.due all } } whole unlock %.state }",
                 name);
        add_role("flush " + name,
                 std::string("{ lock %.state ") +
                     (is_delayed ? "flag %.queued != 0 { flag %.delayed != 0 { let %.delayed = 0 "
                                   "whole notify %.due all } } "
                                 : "") +
                     "loop { flag %.queued == 0 { break } whole wait %.begun "
                     "%.state } "
                     "whole unlock %.state lock %.run whole unlock %.run }",
                 name);
        add_role("drop " + name,
                 "{ lock %.state whole notify %.begun all let %.queued = 0 whole unlock %.state }",
                 name);
        add_role("cancel " + name,
                 "{ lock %.state let %.queued = 0 let %.cancels + 1 whole notify %.begun all "
                 "whole unlock %.state lock %.run whole unlock %.run "
                 "lock %.state let %.cancels + -1 whole unlock %.state }",
                 name);
        const std::size_t worker =
            add_role(name + " worker",
                     "{ loop { lock %.state loop { flag %.queued != 0 { break } "
                     "whole idle wait %.due %.state } "
                     "whole unlock %.state lock %.run whole lock %.state whole notify %.begun all "
                     "flag %.queued != 0 { let %.queued = 0 whole unlock %.state run % "
                     "unlock %.run } else { whole unlock %.state whole unlock %.run } } }",
                     name);
        tasks.push_back({name, worker, 0});
    }

    /// Adds the lock of a wait queue, what its waiters sleep on, and the two ways to wake them.
    void add_queue(const std::string& name) {
        objects[name + ".lock"] = {"lock", locks.size()};
        locks.push_back({"", "mutex", 0});
        objects[name + ".woken"] = {"condition", conditions++};
        if (!objects.contains("wait.ended")) add_counter("wait.ended", 0, true);
        for (const char* const which : {"one", "all"})
            add_role("wake " + name + " " + which,
                     std::string("{ lock %.lock rouse % ") + which +
                         " { whole notify %.woken all } whole unlock %.lock }",
                     name);
    }
    /// Adds what one wait for a wait queue does, with its test. The wait begins anew after each
    /// wake-up, which has taken the task out of the queue.
    void add_wait(std::size_t at) {
        const std::size_t test = test_of_wait(at);
        const std::string look =
            "if " + words[test].text + " " + words[test + 1].text + " " + words[test + 2].text;
        const std::string sleep = "whole wait %.woken %.lock";
        const std::string or_end =
            sleep + " timeout { listed % { delist % let wait.ended = 1 } break }";
        const bool is_timed = is(test + 3, "timeout"), is_endable = is(test + 3, "interrupted");
        add_role("wait " + std::to_string(at),
                 "{ loop { " + look + " { break } lock %.lock enlist % " +
                     (is(at + 2, "exclusive") ? "last" : "first") + " whole unlock %.lock " + look +
                     " { lock %.lock delist % whole unlock %.lock break } "
                     "lock %.lock loop { listed % { } else { break } " +
                     (is_timed     ? or_end
                      : is_endable ? "choose { " + sleep + " } or { " + or_end + " }"
                                   : sleep) +
                     " } whole unlock %.lock flag wait.ended != 0 { " +
                     (is_timed ? look + " { let wait.ended = 0 } " : "") + "break } } }",
                 words[at + 1].text);
    }

    static constexpr const char* owners =
        "if while repeat choose or else scope signalling transaction hardirq softirq try "
        "lock read wait loop "
        "flag listed rouse";

    struct reclaimer {
        std::string name, needs;
        bool is_notifier;
    };
    std::vector<std::string> works_, queues_;
    std::vector<reclaimer> reclaimers_;
};

}  // namespace wedge::verify
