#include "explain/matching.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include <cxxabi.h>

namespace wedge::explain {
namespace {

/// Parts of the names of functions that belong to a library of threads, not to the program.
constexpr std::string_view library_parts[] = {
    "pthread_",   "boost::",     "lll_",        "futex",          "__gthread",      "std::mutex",
    "lock_guard", "unique_lock", "scoped_lock", "shared_lock",    "absl::",         "go-deadlock.",
    "sync.(*",    "???",         "__tsan",      "std::recursive", "std::shared",    "std::timed",
    "runtime.",   "Unsafe.park", "LockSupport", "AbstractQueued", "locks.Reentrant"};

/// Returns the function of a frame without its place and its arguments.
std::string_view function_in(std::string_view frame) {
    if (frame.ends_with(')') && has(frame, " (")) frame = frame.substr(0, frame.rfind(" ("));
    if (!frame.ends_with(')')) return frame;
    int depth = 0;
    for (std::size_t i = frame.size(); i-- > 0;) {
        if (frame[i] == ')') ++depth;
        if (frame[i] == '(' && --depth == 0) return frame.substr(0, i);
    }
    return frame;
}

bool is_library(std::string_view frame) {
    return std::any_of(std::begin(library_parts), std::end(library_parts),
                       [&](std::string_view part) { return has(function_in(frame), part); });
}

/// Takes the library of threads off the inner end of a stack, and unnamed namespaces and the type
/// that a template returns off its innermost frame: that is where the program acquires.
void begin_in_program(std::vector<std::string>& stack) {
    const auto own = std::find_if_not(stack.begin(), stack.end(), is_library);
    if (own == stack.end()) return;
    stack.erase(stack.begin(), own);
    std::string& frame = stack.front();
    frame = without_namespace(frame);
    const std::size_t arguments = frame.find('(');
    int depth = 0;
    for (std::size_t i = 0; i < std::min(arguments, frame.size()); ++i) {
        if (frame[i] == '<') ++depth;
        if (frame[i] == '>') --depth;
        if (frame[i] != ' ' || depth != 0 || i + 1 == arguments) continue;
        frame.erase(0, i + 1);
        return;
    }
}

/// A task waits for another one that holds a lock.
struct wait_link {
    std::size_t to = 0;
    std::size_t number = 0;  ///< of the wait among those of the task
    const wait_for* why = nullptr;
};

/// A task that holds a lock.
struct holder {
    std::size_t task = 0;
    acquire_mode mode{};
};

/// The tasks of a dump and whom they wait for.
class wait_links {
public:
    explicit wait_links(std::span<const task_state> tasks) : of(tasks.size()) {
        std::map<std::string, std::size_t> by_name;
        std::map<std::pair<std::string, std::string>, std::vector<holder>> holders;
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            by_name.emplace(tasks[i].task, i);
            for (const lock_use& lock : tasks[i].held)
                if (!lock.instance.empty())
                    holders[{lock.name, lock.instance}].push_back({i, lock.mode});
        }
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            for (std::size_t number = 0; number < tasks[i].waits.size(); ++number) {
                const wait_for& wait = tasks[i].waits[number];
                if (const auto owner = by_name.find(wait.owner); owner != by_name.end()) {
                    of[i].push_back({owner->second, number, &wait});
                    continue;
                }
                const auto held = holders.find({wait.lock, wait.instance});
                if (held == holders.end()) continue;
                // Of many readers the first ones are enough to show a cycle.
                const std::size_t most = std::min<std::size_t>(held->second.size(), 8);
                for (std::size_t k = 0; k < most; ++k) {
                    const holder& each = held->second[k];
                    const bool both_read =
                        wait.mode == acquire_mode::read && each.mode == acquire_mode::read;
                    if (!both_read) of[i].push_back({each.task, number, &wait});
                }
            }
        }
    }

    /// Returns cycles, each as the tasks and the links that lead to the next one.
    std::vector<std::vector<std::pair<std::size_t, wait_link>>> cycles() const {
        enum : char { unseen, open, done };
        std::vector<char> state(of.size(), unseen);
        std::vector<std::pair<std::size_t, std::size_t>> path;  // a task, and its next link
        std::vector<std::vector<std::pair<std::size_t, wait_link>>> found;
        for (std::size_t start = 0; start < of.size(); ++start) {
            if (state[start] != unseen) continue;
            path.assign(1, {start, 0});
            state[start] = open;
            while (!path.empty()) {
                const std::size_t at = path.back().first;
                if (path.back().second == of[at].size()) {
                    state[at] = done;
                    path.pop_back();
                    continue;
                }
                const wait_link next = of[at][path.back().second++];
                if (state[next.to] == open) found.push_back(cut(path, next.to));
                if (state[next.to] != unseen) continue;
                state[next.to] = open;
                path.emplace_back(next.to, 0);
            }
        }
        return found;
    }

    std::vector<std::vector<wait_link>> of;  ///< by task

private:
    /// The end of a path, from a task on.
    std::vector<std::pair<std::size_t, wait_link>> cut(
        const std::vector<std::pair<std::size_t, std::size_t>>& path, std::size_t from) const {
        std::vector<std::pair<std::size_t, wait_link>> cycle;
        std::size_t first = path.size();
        while (path[--first].first != from) {
        }
        for (std::size_t i = first; i < path.size(); ++i)
            cycle.emplace_back(path[i].first, of[path[i].first][path[i].second - 1]);
        return cycle;
    }
};

/// The lock that a task of a cycle holds and that the task before it waits for.
const lock_use* held_by(const task_state& task, const wait_for& wait) {
    for (const lock_use& lock : task.held)
        if (lock.name == wait.lock && lock.instance == wait.instance) return &lock;
    return nullptr;
}

}  // namespace

std::string without_namespace(std::string_view name) {
    constexpr std::string_view unnamed = "(anonymous namespace)::";
    std::string made(name);
    for (std::size_t at = made.find(unnamed); at != std::string::npos; at = made.find(unnamed))
        made.erase(at, unnamed.size());
    return made;
}

std::string demangled(std::string_view symbol) {
    const std::string name(symbol);
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
    return without_namespace(status == 0 && text != nullptr ? text.get() : name);
}

acquire_mode mode_of(std::span<const std::string> stack) {
    for (const std::string& text : stack) {
        // A function of the program may have any name.
        if (!is_library(text)) break;
        const std::string_view frame = text;
        for (const std::string_view part : {"trylock", "try_lock", "TryLock", "tryLock"})
            if (has(frame, part)) return acquire_mode::trylock;
        for (const std::string_view part : {"rdlock", "lock_shared", "RLock(", "ReaderLock",
                                            "ReadLock", "read_lock", "doAcquireShared"})
            if (has(frame, part)) return acquire_mode::read;
        for (const std::string_view part :
             {"mutex_lock", "wrlock", "Mutex).Lock", "WriterLock", "Mutex::Lock", "mutex::lock"})
            if (has(frame, part)) return acquire_mode::write;
    }
    return acquire_mode::unknown;
}

std::string place_of_acquire(std::span<const std::string> stack) {
    const auto own = std::find_if_not(stack.begin(), stack.end(), is_library);
    return own == stack.end() ? std::string() : without_namespace(*own);
}

void set_cycle(report& made, std::vector<cycle_edge> edges) {
    made.kind = edges.size() == 1 ? "recursive" : "circular";
    for (cycle_edge& edge : edges) {
        begin_in_program(edge.stack);
        begin_in_program(edge.from_stack);
    }
    made.cycle_locks.clear();
    for (const cycle_edge& edge : edges) made.cycle_locks.push_back(edge.from);
    made.new_lock = edges.back().to;
    made.held_lock = edges.back().from;
    if (made.task.empty()) made.task = edges.back().task;
    made.edges = std::move(edges);
}

void add_waits(const report& dump, std::vector<report>& found) {
    const wait_links links(dump.tasks);
    bool is_found = false;
    for (const auto& cycle : links.cycles()) {
        report made = dump;
        made.has_happened = true;
        // The first task waits for what the second one holds: its wait is the edge that closes.
        std::vector<cycle_edge> edges;
        for (std::size_t i = 0; i < cycle.size(); ++i) {
            const auto& [who, link] = cycle[(i + 1) % cycle.size()];
            const wait_for& wanted_from_us = *cycle[i].second.why;
            const task_state& task = dump.tasks[who];
            cycle_edge edge{wanted_from_us.lock, link.why->lock, task.task, task.stack, {}, {}, {}};
            edge.mode = link.why->mode;
            if (const lock_use* const held = held_by(task, wanted_from_us)) {
                edge.from_mode = held->mode;
                if (!held->at.empty()) edge.from_stack.push_back(held->at);
            }
            edges.push_back(std::move(edge));
        }
        made.task = edges.back().task;
        for (const auto& [who, link] : cycle)
            made.locks.push_back({link.why->lock, link.why->instance, {}, {}, link.why->at, {}});
        set_cycle(made, std::move(edges));
        found.push_back(std::move(made));
        is_found = true;
    }
    if (is_found) return;
    report made = dump;
    made.kind = "hung";
    made.has_happened = true;
    for (std::size_t i = 0; i < made.tasks.size(); ++i)
        for (const wait_link& link : links.of[i])
            made.tasks[i].waits[link.number].owner = made.tasks[link.to].task;
    const auto waits = [](const task_state& task) { return !task.waits.empty(); };
    const auto is_blocked = [](const task_state& task) {
        return !task.waits.empty() && !task.waits.front().instance.empty();
    };
    auto first = std::find_if(made.tasks.begin(), made.tasks.end(), is_blocked);
    if (first == made.tasks.end())
        first = std::find_if(made.tasks.begin(), made.tasks.end(), waits);
    if (first == made.tasks.end()) return;
    made.task = first->task;
    made.new_lock = first->waits.front().lock;
    found.push_back(std::move(made));
}

void tell_instances_apart(report& dump,
                          const std::function<std::string(const std::string&)>& suffix) {
    std::map<std::string, std::set<std::string>> instances;
    const auto each_lock = [&](auto&& body) {
        for (task_state& task : dump.tasks) {
            for (lock_use& lock : task.held) body(lock.name, lock.instance);
            for (wait_for& wait : task.waits) body(wait.lock, wait.instance);
        }
    };
    each_lock(
        [&](std::string& name, const std::string& instance) { instances[name].insert(instance); });
    each_lock([&](std::string& name, const std::string& instance) {
        if (instance.empty()) return;
        if (name.empty() || instances[name].size() > 1) name += suffix(instance);
    });
}

}  // namespace wedge::explain
