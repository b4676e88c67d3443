// Runs the order checker over a recorded trace (docs/traces.md).
#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/lock_identity.hpp"
#include "wedge/core/steps.hpp"
#include "wedge/core/trace.hpp"
#include "wedge/order/attributes.hpp"
#include "wedge/order/checker.hpp"

namespace wedge {

/// What the order checker says about a trace.
struct trace_findings {
    std::vector<finding> findings;
    /// Cycles that the threads of the trace may never meet in: a guard excludes it, no two threads
    /// had a lock in common, or only one thread runs the code.
    std::vector<finding> remarks;
};

namespace detail {

/// The places of a trace as sites, whose strings live as long as this object.
class trace_sites {
public:
    explicit trace_sites(const trace& recorded) : file_(recorded.file) {
        for (const auto& [number, name] : recorded.sites) add(number, name);
    }

    /// Returns the site of an event; where it has none, its place in the trace.
    site of(const trace_event& event) const {
        const auto known = sites_.find(event.site);
        if (known != sites_.end()) return known->second;
        return {file_.c_str(), "", static_cast<unsigned>(event.line)};
    }

private:
    /// Reads `FILE:LINE` or `FUNCTION (FILE:LINE)`. Other names, such as an address, are no site.
    void add(std::uint32_t number, std::string_view name) {
        std::string_view function;
        const std::size_t open = name.rfind('(');
        if (open != name.npos && name.ends_with(')')) {
            function = name.substr(0, open);
            while (function.ends_with(' ')) function.remove_suffix(1);
            name = name.substr(open + 1, name.size() - open - 2);
        }
        const std::size_t colon = name.rfind(':');
        if (colon == name.npos || colon == 0) return;
        unsigned line = 0;
        const char* const end = name.data() + name.size();
        const auto read = std::from_chars(name.data() + colon + 1, end, line);
        if (read.ptr != end || read.ec != std::errc() || line == 0) return;
        sites_[number] = {kept(name.substr(0, colon)), kept(function), line};
    }
    const char* kept(std::string_view text) { return texts_.emplace_back(text).c_str(); }

    const std::string file_;
    std::deque<std::string> texts_;
    std::map<std::uint32_t, site> sites_;
};

/// A lock of a trace, and who has it.
struct traced_lock {
    std::unique_ptr<lock_identity> identity;
    mode reads_as = mode::shared;
    bool is_ww = false;
    std::vector<std::pair<task*, bool>> holders{};  ///< with whether the thread only reads
};

/// Returns the kind that the name of a lock begins with; other words count as a mutex.
inline lock_kind kind_of_traced(std::string_view word) noexcept {
    for (std::size_t i = 0; i < std::size(lock_kind_names); ++i)
        if (word == lock_kind_names[i]) return static_cast<lock_kind>(i);
    return lock_kind::mutex;
}

/// Makes the lock of that number.
inline traced_lock make_traced(const trace& recorded, std::uint32_t number) {
    const lock_kind kind = kind_of_traced(recorded.kind_of(number));
    const std::string name = recorded.class_of(number);
    traced_lock made;
    made.is_ww = kind == lock_kind::ww_mutex;
    made.reads_as = recorded.reads_of(number);
    // A trace has no tickets, which make any order of wound/wait mutexes right.
    lock_class cls(name.c_str(), {.unchecked = made.is_ww});
    if (made.is_ww && !cls.options().unchecked)  // this process has given the name another meaning
        cls = lock_class((name + " (ww)").c_str(), {.unchecked = true});
    // How long a lock's tasks wait is not known, so wait types are not checked.
    made.identity =
        std::make_unique<lock_identity>(made.is_ww ? lock_kind::mutex : kind, cls, wait_type::none);
    made.identity->adopt(0, number);
    return made;
}

}  // namespace detail

/// Feeds the events of a trace to an order checker, as the locks of a live program would.
///
///     trace_check checked(parse_trace(text, "run.trace"));
///     const trace_findings& all = checked.run();
///
/// The findings point to names that this object owns. Pseudo-locks, contexts, wait types and
/// tickets are in no trace, so their rules are not checked.
class trace_check {
public:
    explicit trace_check(trace recorded)
        : recorded_(std::move(recorded)), sites_(recorded_), next_(next_of_thread(recorded_)) {
        for (checker* each : {&alone_, &together_}) each->nest_by_instance(true);
    }
    trace_check(const trace_check&) = delete;
    trace_check& operator=(const trace_check&) = delete;

    /// States an order before the trace is read: attributes of a file (order/attributes.hpp).
    void prime(const std::vector<stated_pair>& stated, const std::string& file) {
        const char* const name = files_.emplace_back(file).c_str();
        for (const stated_pair& each : stated)
            together_.prime({{lock_class(each.first.c_str())}, {lock_class(each.then.c_str())}},
                            {name, "", each.line});
    }

    /// @throws error  the trace contradicts itself: FILE:LINE:COLUMN: what is wrong
    const trace_findings& run() {
        const std::vector<trace_event>& all = recorded_.events;
        is_alone_ = std::any_of(all.begin(), all.end(),
                                [](const trace_event& each) { return each.op == trace_op::spawn; });
        for (std::size_t i = 0; i < all.size(); ++i) take(i);
        for (checker* each : {&together_, &alone_}) collect(*each);
        return found_;
    }
    const trace& recorded() const noexcept { return recorded_; }
    /// Returns the number of dependencies between classes of locks.
    std::size_t dependencies() const noexcept { return together_.graph().edges(); }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    struct thread_state {
        task self;
        std::size_t requested = none;  // the event of a request without an answer yet
    };

    /// Returns the next event of the same thread for each event.
    static std::vector<std::size_t> next_of_thread(const trace& recorded) {
        std::vector<std::size_t> next(recorded.events.size(), none);
        std::map<std::uint32_t, std::size_t> last;
        for (std::size_t i = 0; i < next.size(); ++i) {
            const auto [before, is_first] = last.try_emplace(recorded.events[i].thread, i);
            if (!is_first) next[std::exchange(before->second, i)] = i;
        }
        return next;
    }

    void take(std::size_t at) {
        const trace_event& event = recorded_.events[at];
        thread_state& thread = thread_of(event.thread);
        switch (event.op) {
            case trace_op::request:
            case trace_op::request_read:
                wants(thread, event, flags_of_request(at));
                thread.requested = at;
                return;
            case trace_op::acquire:
            case trace_op::read: return gets(thread, event, event.object, flags::none);
            case trace_op::timed_acquire:
            case trace_op::timed_read: return gets(thread, event, event.object, flags::timed);
            case trace_op::try_acquire:
            case trace_op::try_read: return gets(thread, event, event.object, flags::tried);
            case trace_op::give_up: return gives_up(thread, event);
            case trace_op::release: return loses(thread, event, event.object);
            case trace_op::wait: return loses(thread, event, event.lock);
            case trace_op::wake: return gets(thread, event, event.lock, flags::none);
            case trace_op::spawn: return second_thread();
            case trace_op::end: return detail::task_ended(thread.self);
            default: return;
        }
    }

    thread_state& thread_of(std::uint32_t number) {
        std::unique_ptr<thread_state>& known = threads_[number];
        if (known != nullptr) return *known;
        known = std::make_unique<thread_state>();
        const auto named = recorded_.threads.find(number);
        known->self.ordinal = number;
        known->self.name =
            named == recorded_.threads.end() ? "thread " + std::to_string(number) : named->second;
        known->self.sink = is_alone_ ? &alone_ : &together_;
        return *known;
    }
    /// What the first thread did before it had company can meet nothing.
    void second_thread() {
        is_alone_ = false;
        for (const auto& [number, thread] : threads_) thread->self.sink = &together_;
    }

    detail::traced_lock& lock_of(std::uint32_t number) {
        detail::traced_lock& known = locks_[number];
        if (known.identity != nullptr) return known;
        known = detail::make_traced(recorded_, number);
        return known;
    }

    detail::acquire_terms terms_of(const trace_event& event, const detail::traced_lock& lock,
                                   flags with) const {
        return {.how = is_read(event.op) ? lock.reads_as : mode::exclusive,
                .with = with,
                .where = sites_.of(event)};
    }

    /// Returns how a request waits, from the thread's next event.
    flags flags_of_request(std::size_t at) const {
        if (next_[at] == none) return flags::none;
        const trace_event& answer = recorded_.events[next_[at]];
        const bool may_give_up = answer.op == trace_op::timed_acquire ||
                                 answer.op == trace_op::timed_read ||
                                 answer.op == trace_op::give_up;
        return may_give_up ? flags::timed : flags::none;
    }
    /// Returns whether the thread gets what it requests.
    bool is_answered(std::size_t at) const {
        if (next_[at] == none) return false;
        const trace_event& answer = recorded_.events[next_[at]];
        return answer.object == recorded_.events[at].object && answer.op != trace_op::give_up;
    }

    /// A timed wait that fails may stand in a trace without its request.
    void gives_up(thread_state& thread, const trace_event& event) {
        const std::size_t requested = std::exchange(thread.requested, none);
        if (requested != none && recorded_.events[requested].object == event.object) return;
        detail::traced_lock& lock = lock_of(event.object);
        if (lock.is_ww) return;  // it backs off
        detail::attempt(thread.self, *lock.identity, terms_of(event, lock, flags::timed));
    }

    /// Notes that a thread waits for a lock, before it has it.
    void wants(thread_state& thread, const trace_event& event, flags with) {
        detail::traced_lock& lock = lock_of(event.object);
        const held_lock* const mine = thread.self.held.find(lock.identity->instance());
        const auto at = static_cast<std::size_t>(&event - recorded_.events.data());
        // A second acquire that succeeds is one of a recursive lock; of readers, a writer may come
        // between the two.
        const bool are_reads = mine != nullptr && is_shared(mine->how) && is_read(event.op);
        if (mine != nullptr && !are_reads && (lock.is_ww || is_answered(at))) return;
        detail::attempt(thread.self, *lock.identity, terms_of(event, lock, with));
    }

    void gets(thread_state& thread, const trace_event& event, std::uint32_t number, flags with) {
        detail::traced_lock& lock = lock_of(number);
        const std::size_t requested = std::exchange(thread.requested, none);
        const bool is_asked = requested != none && recorded_.events[requested].object == number;
        held_lock* const mine = thread.self.held.find(lock.identity->instance());
        const detail::acquire_terms terms = terms_of(event, lock, with);
        const bool are_reads = mine != nullptr && is_shared(mine->how) && is_shared(terms.how);
        if (!is_asked && !has(with, flags::tried) && (mine == nullptr || are_reads))
            detail::attempt(thread.self, *lock.identity, terms);
        if (mine != nullptr) {
            ++mine->depth;
            return;
        }
        check_free(lock, event, number, is_shared(terms.how));
        detail::acquired(thread.self, *lock.identity, terms);
        lock.holders.emplace_back(&thread.self, is_shared(terms.how));
    }
    void check_free(const detail::traced_lock& lock, const trace_event& event, std::uint32_t number,
                    bool reads) const {
        for (const auto& [holder, only_reads] : lock.holders)
            if (!reads || !only_reads)
                throw error(recorded_.place_of(event) + ": lock " + std::to_string(number) +
                            " is acquired by thread " + std::to_string(event.thread) +
                            " while thread " + std::to_string(holder->ordinal) + " holds it");
    }

    void loses(thread_state& thread, const trace_event& event, std::uint32_t number) {
        detail::traced_lock& lock = lock_of(number);
        thread.requested = none;
        task& self = thread.self;
        const held_lock* const mine = self.held.find(lock.identity->instance());
        // Without any holder the trace began later.
        if (mine == nullptr && lock.holders.empty()) return;
        const bool is_last = mine == nullptr || mine->depth == 1;
        const mode how = mine == nullptr ? mode::exclusive : mine->how;
        detail::released(self, *lock.identity, how, sites_.of(event));
        if (!is_last) return;
        task* const loser = mine == nullptr ? lock.holders.front().first : &self;
        std::erase_if(lock.holders, [&](const auto& each) { return each.first == loser; });
        if (loser != &self) take_from(*loser, lock.identity->instance());
    }
    /// Drops a hold that another thread has released.
    static void take_from(task& loser, std::uint32_t instance) {
        if (held_lock* const hold = loser.held.find(instance)) loser.held.erase(hold);
        for (held_lock& each : loser.held) each.chain = 0;  // the keys covered the hold
    }

    void collect(checker& from) {
        for (finding found : from.findings()) {
            from.regrade(found);
            const auto is_known = [&](const finding& each) {
                return each.signature == found.signature;
            };
            if (std::any_of(found_.findings.begin(), found_.findings.end(), is_known)) continue;
            const bool is_remark =
                found.judged != verdict::observed && (&from == &alone_ || is_remote(found));
            (is_remark ? found_.remarks : found_.findings).push_back(std::move(found));
        }
    }
    bool is_remote(const finding& found) const {
        if (!found.graded.guard.empty() || found.graded.class_only) return true;
        if (!found.graded.one_task) return false;
        const std::string& who = found.cycle.empty() ? found.task : found.cycle[0].task;
        return std::count_if(threads_.begin(), threads_.end(), [&](const auto& each) {
                   return without_digits(each.second->self.name) == without_digits(who);
               }) < 2;
    }
    /// Threads that run the same code have names that differ in their numbers.
    static std::string without_digits(std::string name) {
        std::erase_if(name,
                      [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
        return name;
    }

    const trace recorded_;
    const detail::trace_sites sites_;
    const std::vector<std::size_t> next_;
    // Exact evidence: a trace names each lock and thread.
    checker alone_{evidence::exact};
    checker together_{evidence::exact};
    bool is_alone_ = false;
    std::deque<std::string> files_;  // of stated orders
    std::map<std::uint32_t, detail::traced_lock> locks_;
    std::map<std::uint32_t, std::unique_ptr<thread_state>> threads_;
    trace_findings found_;
};

}  // namespace wedge
