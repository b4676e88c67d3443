// Reads dumps of hung tasks, and finds out who waits for whom.
#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "explain/kernel_kinds.hpp"
#include "explain/kernel_tokens.hpp"

namespace wedge::explain::kernel {

namespace {

/// `TASK:PID` as these dumps have it, in the form `TASK/PID` of the lists.
std::string with_slash(std::string task) {
    const std::size_t colon = task.rfind(':');
    if (colon != std::string::npos) task[colon] = '/';
    return task;
}

/// Whether a stack stands in an acquire that blocks, and how; `unknown`: it waits for no lock.
acquire_mode blocked_acquire(const std::vector<std::string>& stack) {
    static constexpr std::pair<std::string_view, acquire_mode> known[] = {
        {"rwsem_down_read", acquire_mode::read},    {"rwsem_down_write", acquire_mode::write},
        {"__down_read", acquire_mode::read},        {"__down_write", acquire_mode::write},
        {"down_read", acquire_mode::read},          {"down_write", acquire_mode::write},
        {"__mutex_lock", acquire_mode::write},      {"mutex_lock", acquire_mode::write},
        {"__ww_mutex_lock", acquire_mode::write},   {"rt_mutex", acquire_mode::write},
        {"__rt_mutex", acquire_mode::write},        {"percpu_rwsem_wait", acquire_mode::write},
        {"percpu_down_write", acquire_mode::write}, {"__percpu_down_read", acquire_mode::read},
    };
    std::size_t looked_at = 0;
    for (const std::string& frame : stack) {
        for (const auto& [function, mode] : known)
            if (std::string_view(frame).starts_with(function)) return mode;
        if (++looked_at == 8) break;
    }
    return acquire_mode::unknown;
}

/// Reads the parts of a dump.
class hang_reader {
public:
    explicit hang_reader(const report_text& from) : from_(from), text_(from.text.text()) {
        result_.kind = "hung";
        result_.has_happened = true;
    }

    report read() {
        read_blocked();
        read_lists();
        find_waits();
        find_cycle();
        result_.first_line = from_.text.line_number(0);
        result_.last_line = from_.text.line_number(std::min(last_, text_.size()));
        if (result_.task.empty()) result_.lacks("the task");
        if (!has_lists_) result_.missing.push_back("the locks held in the system");
        return std::move(result_);
    }

private:
    void read_blocked();
    void read_lists();
    void find_waits();
    void find_cycle();

    task_state& state_of(const std::string& task) {
        const auto known = index_.find(task);
        if (known != index_.end()) return result_.tasks[known->second];
        index_[task] = result_.tasks.size();
        result_.tasks.emplace_back().task = task;
        return result_.tasks.back();
    }

    const report_text& from_;
    std::string_view text_;
    std::size_t last_ = 0;
    bool has_lists_ = false;
    report result_;
    std::map<std::string, std::size_t> index_;       // of a task in `tasks`
    std::map<std::string, std::string> told_owner_;  // the owner that the kernel names
};

void hang_reader::read_blocked() {
    constexpr std::string_view begin = "INFO: task ";
    for (std::size_t at = text_.find(begin); at != none; at = text_.find(begin, at + 1)) {
        const std::size_t next = text_.find(begin, at + 1);
        std::size_t end = std::min(next, text_.size());
        const std::size_t all_locks = text_.substr(0, end).find("Showing all locks held", at);
        end = std::min(end, all_locks);
        const std::string_view part = text_.substr(0, end);
        const std::size_t name = at + begin.size();
        const std::string_view near = part.substr(0, name + 90);
        const std::size_t verb = near.find(" blocked for more than", name);
        const std::size_t owned = near.find(" is blocked on ", name);
        if (owned < verb && owned < name + 64) {
            const std::size_t by = part.find("owned by task ", owned);
            if (by == none || by > owned + 60) continue;
            std::size_t stop = by + 14;
            while (stop < end && text_[stop] != ' ') ++stop;
            std::string owner(text_.substr(by + 14, stop - by - 14));
            while (owner.ends_with('.') || owner.ends_with(',')) owner.pop_back();
            told_owner_[with_slash(std::string(text_.substr(name, owned - name)))] =
                with_slash(owner);
            continue;
        }
        if (verb == none || verb > name + 64) continue;
        task_state& state = state_of(with_slash(std::string(text_.substr(name, verb - name))));
        if (result_.task.empty()) result_.task = state.task;
        if (result_.version.empty()) result_.version = version_of(text_, {verb, verb + 160});
        const std::size_t trace = part.find("Call Trace:", verb);
        const std::size_t stack = trace == none ? verb : trace;
        state.stack = frames_of(text_, {stack, std::min(end, stack + 8000)});
        if (state.waits.empty()) state.waits.emplace_back();
        state.waits.front().mode = blocked_acquire(state.stack);
        last_ = std::max(last_, verb);
    }
}

void hang_reader::read_lists() {
    std::size_t at = 0;
    for (;;) {
        const std::optional<held_list> list = next_held_list(text_, {at, text_.size()});
        if (!list) return;
        has_lists_ = true;
        task_state& state = state_of(list->state.task);
        if (!state.is_held_known) {
            state.held = list->state.held;
            state.is_held_known = true;
        }
        at = std::max(at + 1, list->end);
        last_ = std::max(last_, list->end);
    }
}

/// A blocked task's last lock is the one that it waits for, since lockdep lists it from the
/// attempt.
void hang_reader::find_waits() {
    std::map<std::string, std::vector<std::size_t>> listed_by;  // an instance's tasks
    for (task_state& each : result_.tasks) {
        if (each.waits.empty()) continue;
        wait_for& wait = each.waits.front();
        if (!each.stack.empty()) wait.at = each.stack.front();
        if (wait.mode != acquire_mode::unknown && !each.held.empty()) {
            wait.lock = each.held.back().name;
            wait.instance = each.held.back().instance;
            wait.at = each.held.back().at;
            each.held.pop_back();
        }
    }
    for (std::size_t i = 0; i < result_.tasks.size(); ++i)
        for (const lock_use& lock : result_.tasks[i].held)
            if (!lock.instance.empty()) listed_by[lock.instance + lock.name].push_back(i);
    for (task_state& each : result_.tasks) {
        if (each.waits.empty()) continue;
        wait_for& wait = each.waits.front();
        const auto told = told_owner_.find(each.task);
        if (told != told_owner_.end()) wait.owner = told->second;
        if (!wait.owner.empty() || wait.instance.empty()) continue;
        const auto holders = listed_by.find(wait.instance + wait.lock);
        if (holders == listed_by.end()) continue;
        // Of several, prefer one that waits itself: readers hold a lock together.
        const task_state* best = nullptr;
        for (const std::size_t i : holders->second) {
            const task_state& holder = result_.tasks[i];
            if (holder.task == each.task) continue;
            if (best == nullptr || (best->waits.empty() && !holder.waits.empty())) best = &holder;
        }
        if (best != nullptr) wait.owner = best->task;
    }
}

/// Follows the waits from each task; a task that comes twice closes a cycle.
void hang_reader::find_cycle() {
    std::map<std::string, std::size_t> seen;  // in which walk
    for (std::size_t walk = 0; walk < result_.tasks.size(); ++walk) {
        std::vector<const task_state*> path;
        const task_state* at = &result_.tasks[walk];
        while (at != nullptr && seen.emplace(at->task, walk).second) {
            path.push_back(at);
            const auto owner = at->waits.empty() ? index_.end() : index_.find(at->waits[0].owner);
            at = owner == index_.end() ? nullptr : &result_.tasks[owner->second];
        }
        if (at == nullptr || seen[at->task] != walk) continue;
        const auto first = std::find(path.begin(), path.end(), at);
        const std::size_t size = static_cast<std::size_t>(path.end() - first);
        // Each waits for a lock of the next one: that holds it, and waits for another.
        for (std::size_t i = 0; i < size; ++i) {
            const task_state& waiter = **(first + static_cast<std::ptrdiff_t>(i));
            const task_state& before =
                **(first + static_cast<std::ptrdiff_t>((i + size - 1) % size));
            result_.cycle_locks.push_back(waiter.waits[0].lock);
            cycle_edge edge;
            edge.from = before.waits[0].lock;
            edge.to = waiter.waits[0].lock;
            edge.task = waiter.task;
            edge.stack = waiter.stack;
            edge.mode = waiter.waits[0].mode;
            result_.edges.push_back(std::move(edge));
        }
        std::rotate(result_.edges.begin(), result_.edges.begin() + 1, result_.edges.end());
        result_.task = result_.edges.back().task;
        break;
    }
    if (result_.tasks.empty()) return;
    const auto first = index_.find(result_.task);
    if (first == index_.end()) return;
    const task_state& task = result_.tasks[first->second];
    if (!task.waits.empty()) result_.new_lock = task.waits[0].lock;
    if (!result_.edges.empty()) result_.held_lock = result_.edges.back().from;
}

}  // namespace

report read_hang(const report_text& from) {
    return hang_reader(from).read();
}

}  // namespace wedge::explain::kernel
