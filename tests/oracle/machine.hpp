// The meaning of the scenario language, from docs/scenarios.md: all possible steps of a state. Of
// the engine it uses only the parser.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wedge/scenario/resolve.hpp"

#include "oracle/code.hpp"
#include "oracle/state.hpp"

namespace oracle {

using wedge::scenario::comparison;
using wedge::scenario::gfp_base;
using wedge::scenario::gfp_flags;
using wedge::scenario::lock_sort;
using wedge::scenario::operand;
using wedge::scenario::reference;

/// One step of a task, or the start of a handler.
struct step {
    int actor = 0;  ///< a task, or a handler: handlers are numbered after the tasks
    bool is_progress = false;
    bool is_failure = false;   ///< an assertion failed: the execution ends
    bool leaves_rule = false;  ///< a delayed item queues itself, which the language only begins
    bool is_signal = false;    ///< a signal ends a wait: no hang may count on it
    bool is_given_up = false;  ///< a wait ends without what it waited for
    state after;
};

/// Thrown if a program does something undefined.
struct meaningless {
    const char* why;
};

class machine {
public:
    explicit machine(const document& all) {
        for (const declaration& each : all.all)
            if (each.what == declares::lock && wedge::scenario::is_sequence(each.kind))
                sequences_.insert(each.name);
        for (const declaration& each : all.all) declare(each);
        for (const declaration& each : all.all) declare_tasks(each);
        if (has_memory_) declare_kswapd();
        for (task& t : first_.tasks) t.locals = locals_;
        first_.queues.resize(kinds_.size());
        for (std::size_t i = 0; i < first_.tasks.size(); ++i) settle(first_, i);
    }

    const state& first() const { return first_; }
    int actors() const { return static_cast<int>(first_.tasks.size() + first_.has_come.size()); }

    /// Returns whether all tasks have ended in a state without steps.
    bool is_over(const state& s) const {
        for (std::size_t i = 0; i < s.tasks.size(); ++i)
            if (is_worker(i) ? !s.tasks[i].stack.empty() : !s.tasks[i].is_done) return false;
        return true;
    }

    /// Returns whether some tasks wait for locks in a cycle. Nothing that other tasks do can end
    /// it.
    bool has_circle_of_locks(const state& s) const {
        std::vector<int> wanted(s.tasks.size());
        for (std::size_t i = 0; i < s.tasks.size(); ++i) wanted[i] = lock_waited_for(s, i);
        for (bool is_smaller = true; is_smaller;) {
            is_smaller = false;
            for (std::size_t i = 0; i < s.tasks.size(); ++i) {
                if (wanted[i] < 0 || is_behind_one_of(s, i, wanted)) continue;
                wanted[i] = -1;
                is_smaller = true;
            }
        }
        return std::ranges::any_of(wanted, [](int lock) { return lock >= 0; });
    }

    std::vector<step> steps(const state& s) const {
        std::vector<step> found;
        for (std::size_t i = 0; i < s.tasks.size(); ++i) {
            if (s.tasks[i].is_done || !may_run(s, i)) continue;
            if (s.tasks[i].stack.empty())
                start_work(s, i, found);
            else
                step_of(s, i, found);
            for (std::size_t h = 0; h < handlers_.size(); ++h) start_handler(s, i, h, found);
            for (std::size_t w = 0; w < items_.size(); ++w) start_on_top(s, i, w, found);
        }
        return found;
    }

private:
    // ---- processors ----

    struct place {
        std::int64_t processor = -1;  ///< -1: one of its own
        std::uint32_t priority = 0;
    };

    static bool is_spun_for(lock_sort kind) {
        return kind == lock_sort::spinlock || kind == lock_sort::raw_spinlock ||
               kind == lock_sort::local_lock || kind == lock_sort::rwlock ||
               kind == lock_sort::qrwlock;
    }
    /// Whether the task spins now for a lock that keeps it on its processor.
    bool is_spinning(const state& s, std::size_t i) const {
        const frame& f = s.tasks[i].stack.back();
        const instruction& now = at(f);
        if (f.phase == spinning) return true;
        return now.what == op::act && now.of->what == action::acquire && f.phase == 1 &&
               kind_of(lock_of(now.of->on, i)) == lock_sort::qrwlock;
    }
    /// Whether no task preempts this one.
    bool is_unpreemptible(const state& s, std::size_t i) const {
        const task& t = s.tasks[i];
        return t.irq_off || t.bh_off != 0 || t.preempt_off != 0 || is_in_interrupt(t) ||
               std::ranges::any_of(t.held,
                                   [&](const hold& h) { return is_spun_for(kind_of(h.lock)); }) ||
               (!t.stack.empty() && is_spinning(s, i));
    }
    /// Whether the task waits in its sleep: nothing but the end of its time or a signal lets it go
    /// on.
    bool is_asleep(const state& s, std::size_t i) const {
        const frame& f = s.tasks[i].stack.back();
        const instruction& now = at(f);
        if (f.is_giving_up || now.what != op::act) return false;
        switch (now.of->what) {
            case action::acquire:
                if (sequences_.count(now.of->on.name) != 0) return false;
                if (is_spun_for(kind_of(lock_of(now.of->on, i)))) return false;
                break;
            case action::wait:
            case action::down:
            case action::join:
            case action::flush:
            case action::cancel:
            case action::sync: break;
            default: return false;
        }
        std::vector<step> own;
        step_of(s, i, own);
        return std::ranges::all_of(own, &step::is_given_up);
    }
    bool is_runnable(const state& s, std::size_t i) const {
        const task& t = s.tasks[i];
        if (t.is_done || t.stack.empty()) return false;
        if (t.stack.size() == 1 && at(t.stack[0]).what == op::begin) return false;
        return !is_asleep(s, i);
    }
    bool may_run(const state& s, std::size_t i) const {
        if (places_[i].processor < 0 || is_unpreemptible(s, i)) return true;
        for (std::size_t k = 0; k < s.tasks.size(); ++k) {
            if (k == i || places_[k].processor != places_[i].processor) continue;
            if (places_[k].priority <= places_[i].priority && !is_unpreemptible(s, k)) continue;
            if (is_runnable(s, k)) return false;
        }
        return true;
    }

    /// The lock for which a task waits without a way out; -1: none.
    int lock_waited_for(const state& s, std::size_t i) const {
        if (s.tasks[i].stack.empty()) return -1;
        const frame& f = s.tasks[i].stack.back();
        const instruction& now = at(f);
        std::vector<step> own;
        step_of(s, i, own);
        if (!own.empty() || now.of == nullptr) return -1;
        if (now.what == op::read_begin) return lock_of(now.of->on, i);
        if (now.what != op::act) return -1;
        if (now.of->what == action::wait && f.phase >= woken && !now.of->other.name.empty())
            return lock_of(now.of->other, i);
        if (now.of->what != action::acquire || !now.of->ticket.name.empty()) return -1;
        const bool wants_spinlock = sequences_.count(now.of->on.name) != 0 && f.phase == 0 &&
                                    kind_of(lock_of(now.of->on, i)) == lock_sort::seqlock;
        return wants_spinlock ? spinlock_of(now.of->on, i) : lock_of(now.of->on, i);
    }
    /// Whether one of the tasks that want a lock has the lock that a task wants, or queues for it.
    bool is_behind_one_of(const state& s, std::size_t i, const std::vector<int>& wanted) const {
        for (std::size_t k = 0; k < s.tasks.size(); ++k) {
            if (wanted[k] < 0) continue;
            if (k != i && wanted[k] == wanted[i]) continue;  // it does not have it either
            for (const hold& each : s.tasks[k].held)
                if (each.lock == wanted[i]) return true;
        }
        return false;
    }

    // ---- what is declared ----

    void declare(const declaration& each) {
        switch (each.what) {
            case declares::lock:
                lock_at_[each.name] = static_cast<int>(kinds_.size());
                count_of_[each.name] = static_cast<int>(each.count);
                kinds_.insert(kinds_.end(), each.count, each.kind);
                // The spinlocks of the writers are locks of their own, behind those with names.
                if (each.kind == lock_sort::seqlock)
                    kinds_.insert(kinds_.end(), each.count, lock_sort::spinlock);
                break;
            case declares::counter:
                if (each.is_local) {
                    local_at_[each.name] = locals_.size();
                    locals_.push_back(each.value);
                } else {
                    counter_at_[each.name] = first_.counters.size();
                    first_.counters.push_back(each.value);
                }
                break;
            case declares::completion:
            case declares::semaphore:
                unit_at_[each.name] = first_.units.size();
                first_.units.push_back(each.value);
                break;
            case declares::fence:
                fence_at_[each.name] = first_.signalled.size();
                first_.signalled.push_back(false);
                break;
            case declares::condition:
                condition_at_[each.name] = static_cast<int>(condition_at_.size());
                break;
            case declares::memory:
                has_memory_ = true;
                zone_ = {each.pages, each.min, each.low, each.high};
                first_.free_pages = each.pages;
                break;
            case declares::wait_queue:
                sleepers_at_[each.name] = first_.sleepers.size();
                first_.sleepers.emplace_back();
                break;
            default: break;
        }
    }
    void declare_tasks(const declaration& each) {
        switch (each.what) {
            case declares::thread: {
                const int body = add_body(each, each.has_cpu);
                for (std::uint32_t i = 0; i < each.count; ++i) {
                    copy_.push_back(static_cast<int>(i));
                    thread_of_.push_back(each.name);
                    works_.push_back(-1);
                    places_.push_back({each.has_cpu ? std::int64_t{each.cpu} : -1, each.fifo});
                    first_.tasks.emplace_back();
                    start(first_.tasks.back(), body);
                }
                break;
            }
            case declares::work:
            case declares::delayed_work:
            case declares::timer:
            case declares::irq_work:
                work_at_[each.name] = first_.pending.size();
                copy_.push_back(0);
                thread_of_.emplace_back();
                works_.push_back(static_cast<int>(first_.pending.size()));
                places_.emplace_back();
                items_.push_back({add_body(each), each.what});
                first_.pending.push_back(false);
                first_.on_top.push_back(false);
                first_.tasks.emplace_back();
                break;
            case declares::handler:
                handlers_.push_back({add_body(each), each.is_nmi    ? arrival::nmi
                                                     : each.is_hard ? arrival::hard
                                                                    : arrival::soft});
                first_.has_come.push_back(false);
                break;
            case declares::refcount:
                references_at_[each.name] = first_.references.size();
                first_.references.push_back(each.value);
                release_body_.push_back(add_body(each));
                break;
            case declares::shrinker:
            case declares::notifier:
                hooks_.push_back({add_body(each), each.needs, each.what == declares::notifier});
                break;
            default: break;
        }
    }
    /// kswapd is a worker whose work is queued by an allocation.
    void declare_kswapd() {
        copy_.push_back(0);
        thread_of_.emplace_back();
        works_.push_back(kswapd_work);
        places_.emplace_back();
        first_.tasks.emplace_back();
        bodies_.push_back(compiler::kswapd());
        kswapd_body_ = static_cast<int>(bodies_.size()) - 1;
    }
    int add_body(const declaration& each, bool has_begin = false) {
        bodies_.push_back(compiler::compile(each.body, sequences_, has_begin));
        return static_cast<int>(bodies_.size()) - 1;
    }

    static constexpr int kswapd_work = 1 << 20;  // among the numbers of works

    bool is_worker(std::size_t task) const { return works_[task] >= 0; }
    bool is_kswapd(std::size_t task) const { return works_[task] == kswapd_work; }
    bool is_queued(const state& s, std::size_t worker) const {
        return is_kswapd(worker) ? s.is_kswapd_woken : s.pending[work_of(worker)];
    }
    std::size_t work_of(std::size_t task) const { return static_cast<std::size_t>(works_[task]); }
    int lock_of(const reference& use, std::size_t task) const {
        int index = static_cast<int>(use.index);
        if (use.indexed == reference::index_sort::self) index += copy_[task];
        return lock_at_.at(use.name) + index % count_of_.at(use.name);
    }
    std::int64_t& counter(state& s, std::size_t task, const std::string& name) const {
        const auto local = local_at_.find(name);
        if (local != local_at_.end()) return s.tasks[task].locals[local->second];
        return s.counters[counter_at_.at(name)];
    }
    std::int64_t value(const state& s, std::size_t task, const operand& of) const {
        if (of.counter.empty()) return of.number;
        return counter(const_cast<state&>(s), task, of.counter);
    }
    bool holds(const state& s, std::size_t task, const statement& test) const {
        const std::int64_t left = value(s, task, test.left);
        const std::int64_t right = value(s, task, test.right);
        switch (test.compared) {
            case comparison::equal: return left == right;
            case comparison::unequal: return left != right;
            case comparison::less: return left < right;
            case comparison::greater: return left > right;
        }
        return false;
    }

    // ---- runs: blocks on a task's stack ----

    static void start(task& t, int body) {
        t.stack.emplace_back();
        t.stack.back().body = body;
    }
    const instruction& at(const frame& f) const {
        return bodies_[static_cast<std::size_t>(f.body)][static_cast<std::size_t>(f.at)];
    }
    /// Leaves the `hardirq { }`s of a run that ends early.
    /// Sections without softirqs or preemption nest, up to fifteen times.
    static int after_switch(int depth, bool is_on) {
        return is_on ? std::max(depth - 1, 0) : std::min(depth + 1, 15);
    }
    static void keep_out(task& t, bool is_hard) {
        if (is_hard)
            t.irq_off = true;
        else
            t.bh_off = after_switch(t.bh_off, false);
    }
    /// Returns what a task keeps out as a number, in which the bits 1 and 4 are free.
    static int masks_of(const task& t) {
        return (t.irq_off ? 2 : 0) + t.bh_off * 16 + t.preempt_off * 256;
    }
    static void restore_masks(task& t, int from) {
        t.irq_off = (from & 2) != 0;
        t.bh_off = from / 16 % 16;
        t.preempt_off = from / 256;
    }
    static void leave_contexts(task& t, frame& f) {
        if (f.contexts.empty()) return;
        restore_masks(t, f.contexts.front());
        f.contexts.clear();
    }
    /// Goes to the end of the run, which is a step.
    void leave_run(task& t, frame& f) const {
        if (!f.transactions.empty()) throw meaningless{"a run ends within its transaction"};
        leave_contexts(t, f);
        f.counts.clear();
        f.scopes.clear();
        f.readings.clear();
        f.at = static_cast<int>(bodies_[static_cast<std::size_t>(f.body)].size()) - 1;
    }
    /// Ends the run. Locks that it holds stay held.
    void end_run(state& s, std::size_t task) const {
        oracle::task& t = s.tasks[task];
        if (!t.stack.back().transactions.empty())
            throw meaningless{"a run ends within its transaction"};
        leave_contexts(t, t.stack.back());
        if (const int saved = t.stack.back().saved; saved >= 0) {
            restore_masks(t, saved);
        }
        t.stack.pop_back();
        if (t.stack.empty() && !is_worker(task)) t.is_done = true;
    }
    /// Goes to the next instruction.
    static void advance(frame& f) {
        ++f.at;
        f.phase = f.extra = 0;
    }
    /// Goes to the target of an instruction that failed; without a target, the run gives up.
    void fail(frame& f) const {
        const instruction& i = at(f);
        f.phase = f.extra = 0;
        if (i.to.empty())
            f.is_giving_up = true;
        else
            f.at = i.to[0];
    }

    /// Runs all instructions up to the next one that is a step.
    void settle(state& s, std::size_t i) const {
        while (!s.tasks[i].stack.empty()) {
            frame& f = s.tasks[i].stack.back();
            if (f.is_giving_up) return leave_contexts(s.tasks[i], f);
            const instruction& now = at(f);
            switch (now.what) {
                case op::jump: f.at = now.to[0]; break;
                case op::repeat_begin:
                    f.counts.push_back(static_cast<int>(now.of->number));
                    ++f.at;
                    break;
                case op::repeat_next:
                    if (f.counts.back()-- > 0) {
                        ++f.at;
                    } else {
                        f.counts.pop_back();
                        f.at = now.to[0];
                    }
                    break;
                case op::repeat_drop:
                    f.counts.pop_back();
                    ++f.at;
                    break;
                case op::read_drop:
                    f.readings.pop_back();
                    ++f.at;
                    break;
                case op::scope_enter:
                    f.scopes.push_back(now.of->scopes);
                    ++f.at;
                    break;
                case op::scope_leave:
                    f.scopes.pop_back();
                    ++f.at;
                    break;
                case op::leave: leave_run(s.tasks[i], f); break;
                case op::act:
                case op::kswapd_look:
                    if (f.phase != in_hooks) return;
                    next_hook(s, i);
                    break;
                default: return;
            }
        }
    }

    /// Adds one successor for task `i`. `change` turns a copy of the state into the successor.
    template <class Change>
    void add(const state& s, std::size_t i, std::vector<step>& found, Change change) const {
        step made{.actor = static_cast<int>(i), .after = s};
        change(made.after, made.after.tasks[i], made.after.tasks[i].stack.back());
        settle(made.after, i);
        found.push_back(std::move(made));
    }

    /// Makes each `flush` of a work check again whether the work is queued.
    void wake_flushes(state& s, std::size_t work) const {
        for (task& t : s.tasks)
            for (frame& f : t.stack)
                if (const instruction& now = at(f); f.phase == asleep && now.what == op::act &&
                                                    now.of->what == action::flush &&
                                                    work_at_.at(now.of->on.name) == work)
                    f.phase = 0;
    }

    /// An item begins on a task: on its worker, or on top of what a task does.
    void start_item(state& s, std::size_t i, std::size_t work) const {
        task& t = s.tasks[i];
        start(t, items_[work].body);
        if (!interrupts(work)) return;
        t.stack.back().saved = masks_of(t);
        keep_out(t, items_[work].sort == declares::irq_work);
    }
    bool interrupts(std::size_t work) const {
        return wedge::scenario::comes_in_interrupt(items_[work].sort);
    }
    /// A timer or an irq work that is to come on top of a task comes on top of one that lets it in,
    /// and runs as that task. If it was taken back meanwhile, nothing runs.
    void start_on_top(const state& s, std::size_t i, std::size_t work,
                      std::vector<step>& found) const {
        const std::size_t worker = worker_of(work);
        if (!s.on_top[work] || is_running(s, work) || i == worker || !may_run(s, i) ||
            !lets_in(s.tasks[i],
                     items_[work].sort == declares::irq_work ? arrival::hard : arrival::soft))
            return;
        step made{.actor = static_cast<int>(worker), .after = s};
        made.after.on_top[work] = false;
        if (s.pending[work]) {
            made.after.pending[work] = false;
            wake_flushes(made.after, work);
            start_item(made.after, i, work);
            settle(made.after, i);
        }
        found.push_back(std::move(made));
    }
    std::size_t worker_of(std::size_t work) const {
        return static_cast<std::size_t>(std::ranges::find(works_, static_cast<int>(work)) -
                                        works_.begin());
    }

    void start_work(const state& s, std::size_t i, std::vector<step>& found) const {
        if (!is_queued(s, i)) return;
        if (!is_kswapd(i)) {
            if (is_running(s, work_of(i)) || s.on_top[work_of(i)]) return;  // on top of a task
            if (interrupts(work_of(i))) {
                found.push_back({.actor = static_cast<int>(i), .after = s});
                found.back().after.on_top[work_of(i)] = true;
            }
        }
        step made{.actor = static_cast<int>(i), .after = s};
        if (is_kswapd(i)) {
            made.after.is_kswapd_woken = false;
            start(made.after.tasks[i], kswapd_body_);
        } else {
            made.after.pending[work_of(i)] = false;
            wake_flushes(made.after, work_of(i));
            start_item(made.after, i, work_of(i));
        }
        settle(made.after, i);
        found.push_back(std::move(made));
    }

    enum class arrival : std::uint8_t { soft, hard, nmi };
    enum : int { nmi_runs = 4 };  ///< in `frame::saved`

    /// Whether an interrupt may come on top of a task. Nothing comes on top of an NMI, and nothing
    /// else keeps an NMI out.
    static bool lets_in(const task& t, arrival sort) {
        bool is_in_hard = false, is_in_any = false, is_in_nmi = false;
        for (const frame& f : t.stack) {
            is_in_nmi = is_in_nmi || (f.saved >= 0 && (f.saved & nmi_runs) != 0);
            is_in_any = is_in_any || f.saved >= 0 || !f.contexts.empty();
            for (const int each : f.contexts) is_in_hard = is_in_hard || (each & 1) != 0;
        }
        if (is_in_nmi || sort == arrival::nmi) return !is_in_nmi;
        return !t.irq_off && (sort == arrival::hard ? !is_in_hard : !is_in_any && t.bh_off == 0);
    }

    /// Starts a handler, once per execution, on top of a task that has its context enabled. The
    /// handler runs as that task.
    void start_handler(const state& s, std::size_t i, std::size_t h,
                       std::vector<step>& found) const {
        const task& t = s.tasks[i];
        if (s.has_come[h] || !lets_in(t, handlers_[h].sort) || !may_run(s, i)) return;
        step made{.actor = static_cast<int>(s.tasks.size() + h), .after = s};
        task& victim = made.after.tasks[i];
        made.after.has_come[h] = true;
        start(victim, handlers_[h].body);
        const bool is_nmi = handlers_[h].sort == arrival::nmi;
        victim.stack.back().saved = masks_of(t) + (is_nmi ? int{nmi_runs} : 0);
        keep_out(victim, handlers_[h].sort != arrival::soft);
        settle(made.after, i);
        found.push_back(std::move(made));
    }

    // ---- steps ----

    void step_of(const state& s, std::size_t i, std::vector<step>& found) const {
        const frame& f = s.tasks[i].stack.back();
        if (f.is_giving_up) return give_up(s, i, found);
        const instruction& now = at(f);
        switch (now.what) {
            case op::act: return act(s, i, *now.of, found);
            case op::begin: return add(s, i, found, [&](state&, task&, frame& own) { ++own.at; });
            case op::test:
                return add(s, i, found, [&](state& next, task&, frame& own) {
                    const bool is_true = now.of->what == action::if_held
                                             ? held_by(next, i, lock_of(now.of->on, i)) != nullptr
                                             : holds(next, i, *now.of);
                    own.at = is_true ? own.at + 1 : now.to[0];
                });
            case op::choose:
                for (const int to : now.to)
                    add(s, i, found, [&](state&, task&, frame& own) { own.at = to; });
                return;
            case op::jump:
            case op::repeat_begin:
            case op::repeat_next:
            case op::repeat_drop:
            case op::scope_enter:
            case op::scope_leave:
            case op::read_drop:
            case op::leave: return;  // `settle` has passed them
            case op::context_enter:
                return add(s, i, found, [&](state&, task& t, frame& own) {
                    own.contexts.push_back((now.of->is_hard ? 1 : 0) + masks_of(t));
                    keep_out(t, now.of->is_hard);
                    ++own.at;
                });
            case op::context_leave:
                return add(s, i, found, [&](state&, task& t, frame& own) {
                    restore_masks(t, own.contexts.back());
                    own.contexts.pop_back();
                    ++own.at;
                });
            case op::transaction_begin:
                return add(s, i, found, [&](state& next, task& t, frame& own) {
                    begin_ticket(next, t, false);
                    own.transactions.push_back(now.to[0]);
                    ++own.at;
                });
            case op::transaction_end:
                return add(s, i, found, [&](state& next, task& t, frame& own) {
                    if (release_last_with_ticket(t)) return;
                    end_ticket(next, t);
                    own.transactions.pop_back();
                    ++own.at;
                });
            case op::read_begin: return act_read_begin(s, i, *now.of, found);
            case op::read_end:
                return add(s, i, found, [&](state&, task&, frame& own) {
                    const bool has_changed = own.readings.back() % 2 != 0;
                    own.readings.pop_back();
                    has_changed ? own.at = now.to[0] : ++own.at;
                });
            case op::kswapd_look: return act_kswapd(s, i, found);
            case op::end:
                return add(s, i, found, [&](state& next, task&, frame&) { end_run(next, i); });
        }
    }

    /// Releases the last lock that the run took, or ends the run if it holds none.
    void give_up(const state& s, std::size_t i, std::vector<step>& found) const {
        add(s, i, found, [&](state& next, task& t, frame&) {
            const int run = static_cast<int>(t.stack.size());
            for (std::size_t k = t.held.size(); k-- > 0;) {
                if (t.held[k].run != run) continue;
                t.held.erase(t.held.begin() + static_cast<std::ptrdiff_t>(k));
                return;
            }
            end_run(next, i);
        });
    }

    // ---- locks ----

    static const hold* held_by(const state& s, std::size_t i, int lock) {
        const hold* last = nullptr;
        for (const hold& each : s.tasks[i].held)
            if (each.lock == lock) last = &each;
        return last;
    }

    static bool is_fair(lock_sort kind) {
        return kind == lock_sort::rwsem || kind == lock_sort::qrwlock;
    }
    lock_sort kind_of(int lock) const { return kinds_[static_cast<std::size_t>(lock)]; }
    static bool is_in_interrupt(const task& t) {
        for (const frame& f : t.stack)
            if (f.saved >= 0 || !f.contexts.empty()) return true;
        return false;
    }

    /// Returns whether a task may take a lock now.
    ///
    /// @param is_recursive  a reader that does not wait behind queued writers
    bool may_take(const state& s, std::size_t i, int lock, bool is_read, bool is_recursive) const {
        const lock_sort kind = kind_of(lock);
        if (kind == lock_sort::map) return true;
        for (std::size_t other = 0; other < s.tasks.size(); ++other)
            for (const hold& each : s.tasks[other].held) {
                if (each.lock != lock || (each.is_read && is_read)) continue;
                if (kind == lock_sort::recursive_mutex && other == i) continue;
                return false;
            }
        if (!is_fair(kind)) return true;
        if (is_read &&
            (is_recursive || (kind == lock_sort::qrwlock && is_in_interrupt(s.tasks[i]))))
            return true;
        const int run = static_cast<int>(s.tasks[i].stack.size());
        for (const queued& ahead : s.queues[static_cast<std::size_t>(lock)]) {
            if (ahead.task == static_cast<int>(i) && ahead.run == run) return true;
            if (!is_read || !ahead.is_read) return false;
        }
        return s.queues[static_cast<std::size_t>(lock)]
            .empty();  // a new task waits behind all queued tasks
    }
    static void leave_queue(state& s, std::size_t i, int lock) {
        const int run = static_cast<int>(s.tasks[i].stack.size());
        std::erase_if(s.queues[static_cast<std::size_t>(lock)], [&](const queued& each) {
            return each.task == static_cast<int>(i) && each.run == run;
        });
    }
    static void take(state& s, std::size_t i, int lock, bool is_read) {
        leave_queue(s, i, lock);
        task& t = s.tasks[i];
        t.held.push_back({lock, is_read, static_cast<int>(t.stack.size()), false});
    }

    /// Takes one step of a blocking acquire: takes the lock or queues. The phases are `begun` (not
    /// in the queue) and `begun + 1` (in the queue). `then` continues after the acquire. On a
    /// processor that it shares a task goes over to `spinning`, unless it is timed.
    ///
    /// @returns whether a step was possible
    template <class Then>
    bool acquire(const state& s, std::size_t i, int lock, bool is_read, bool is_recursive,
                 int begun, std::vector<step>& found, Then then, bool is_timed = false) const {
        if (may_take(s, i, lock, is_read, is_recursive)) {
            add(s, i, found, [&](state& next, task&, frame& own) {
                take(next, i, lock, is_read);
                then(own);
            });
            return true;
        }
        if (is_fair(kind_of(lock)) && s.tasks[i].stack.back().phase == begun)
            add(s, i, found, [&](state& next, task& t, frame& own) {
                next.queues[static_cast<std::size_t>(lock)].push_back(
                    {static_cast<int>(i), static_cast<int>(t.stack.size()), is_read});
                own.phase = begun + 1;
            });
        else if (places_[i].processor >= 0 && !is_timed && is_spun_for(kind_of(lock)) &&
                 s.tasks[i].stack.back().phase == begun)
            add(s, i, found, [&](state&, task&, frame& own) { own.phase = spinning; });
        return false;
    }

    void act_acquire(const state& s, std::size_t i, const statement& st,
                     std::vector<step>& found) const {
        const int lock = lock_of(st.on, i);
        if (sequences_.count(st.on.name) != 0) return act_write_begin(s, i, st, found);
        if (!st.ticket.name.empty()) return act_with_ticket(s, i, lock, st, found);
        if (st.is_tried) {
            const bool may = may_take(s, i, lock, st.is_read, st.is_recursive);
            return add(s, i, found, [&](state& next, task&, frame& own) {
                if (may) {
                    take(next, i, lock, st.is_read);
                    advance(own);
                } else {
                    fail(own);
                }
            });
        }
        const bool may = acquire(
            s, i, lock, st.is_read, st.is_recursive, 0, found, [](frame& own) { advance(own); },
            st.is_timed);
        if (!st.is_timed || may) return;
        add(s, i, found, [&](state& next, task&, frame& own) {
            leave_queue(next, i, lock);
            fail(own);
        });
        found.back().is_given_up = true;
    }

    // ---- sequence counts ----

    bool is_written(const state& s, int section) const {
        return std::ranges::any_of(s.tasks, [&](const task& t) {
            return std::ranges::any_of(t.held, [&](const hold& h) { return h.lock == section; });
        });
    }
    int spinlock_of(const reference& section, std::size_t i) const {
        return lock_of(section, i) + count_of_.at(section.name);
    }
    /// A writer takes the spinlock, if there is one, and then the section.
    void act_write_begin(const state& s, std::size_t i, const statement& st,
                         std::vector<step>& found) const {
        const int section = lock_of(st.on, i);
        const bool has_lock = kind_of(section) == lock_sort::seqlock;
        const int phase = s.tasks[i].stack.back().phase;
        if (has_lock && (phase == 0 || phase == spinning)) {
            acquire(s, i, spinlock_of(st.on, i), false, false, 0, found,
                    [](frame& own) { own.phase = 1; });
            return;
        }
        if (is_written(s, section)) return;
        add(s, i, found, [&](state& next, task&, frame& own) {
            take(next, i, section, false);
            for (task& t : next.tasks)
                for (frame& f : t.stack)
                    for (int& each : f.readings)
                        if (each / 2 == section) each |= 1;
            advance(own);
        });
    }
    /// A writer makes the number even, and then releases the spinlock, if there is one.
    void act_write_end(const state& s, std::size_t i, const statement& st,
                       std::vector<step>& found) const {
        const int section = lock_of(st.on, i);
        const bool has_lock = kind_of(section) == lock_sort::seqlock;
        const bool is_second = s.tasks[i].stack.back().phase == 1;
        add(s, i, found, [&](state&, task& t, frame& own) {
            release(t, is_second ? spinlock_of(st.on, i) : section);
            has_lock && !is_second ? void(own.phase = 1) : advance(own);
        });
    }
    /// A reader waits until there is no writer, then takes the number.
    void act_read_begin(const state& s, std::size_t i, const statement& st,
                        std::vector<step>& found) const {
        const int section = lock_of(st.on, i);
        const bool is_odd = is_written(s, section);
        const bool has_waited = s.tasks[i].stack.back().phase == 1;
        if (!has_waited && is_odd) return;
        add(s, i, found, [&](state&, task&, frame& own) {
            if (!has_waited || is_odd) {
                own.phase = has_waited ? 0 : 1;
                return;
            }
            own.readings.push_back(2 * section);
            advance(own);
        });
    }

    // ---- tickets ----

    static void begin_ticket(state& s, task& t, bool is_wait_die) {
        if (t.with.name >= 0) throw meaningless{"a ticket is begun within another one"};
        int begun = 0;
        for (const task& each : s.tasks) begun += each.with.name >= 0 ? 1 : 0;
        t.with = {0, begun, is_wait_die, false};
    }
    static void end_ticket(state& s, task& t) {
        if (t.with.name < 0) throw meaningless{"a ticket is ended that is not begun"};
        for (task& each : s.tasks)
            if (each.with.name >= 0 && each.with.age > t.with.age) --each.with.age;
        t.with = {};
    }
    /// Releases the last object that was taken with the ticket. Returns false if the ticket has
    /// none.
    static bool release_last_with_ticket(task& t) {
        for (std::size_t k = t.held.size(); k-- > 0;) {
            if (!t.held[k].has_ticket) continue;
            t.held.erase(t.held.begin() + static_cast<std::ptrdiff_t>(k));
            return true;
        }
        return false;
    }

    /// The phases of an acquire with a ticket.
    enum : int { queued_up = 1, giving_way = 10, wants_contended = 11, queued_for_contended = 12 };

    /// The object that a task with a ticket is queued for; -1: none.
    int object_wanted(const state& s, std::size_t i) const {
        if (s.tasks[i].stack.empty() || s.tasks[i].with.name < 0) return -1;
        const frame& f = s.tasks[i].stack.back();
        const instruction& now = at(f);
        const bool is_queued = f.phase == queued_up || f.phase == queued_for_contended;
        if (now.what != op::act || now.of->what != action::acquire || !is_queued ||
            now.of->ticket.name.empty())
            return -1;
        return lock_of(now.of->on, i);
    }
    static bool has_with_ticket(const task& t, int lock) {
        return std::ranges::any_of(t.held, [&](const hold& each) {
            return each.has_ticket && (lock < 0 || each.lock == lock);
        });
    }
    /// Returns whether a task that is queued for an object must back off. Wound/wait: an older task
    /// waits for an object that this task holds. Wait/die: an older task holds the object.
    bool must_give_way(const state& s, std::size_t i, int lock) const {
        const task& t = s.tasks[i];
        if (!has_with_ticket(t, -1)) return false;
        for (std::size_t k = 0; k < s.tasks.size(); ++k) {
            const task& other = s.tasks[k];
            if (k == i || other.with.name < 0 || other.with.age > t.with.age) continue;
            if (t.with.is_wait_die
                    ? has_with_ticket(other, lock)
                    : object_wanted(s, k) >= 0 && has_with_ticket(t, object_wanted(s, k)))
                return true;
        }
        return false;
    }
    void act_with_ticket(const state& s, std::size_t i, int lock, const statement& st,
                         std::vector<step>& found) const {
        const task& t = s.tasks[i];
        const int phase = t.stack.back().phase;
        if (t.with.name < 0) throw meaningless{"an acquire with a ticket that is not begun"};
        const auto to_phase = [&](int next_phase) {
            add(s, i, found, [&](state&, task&, frame& own) { own.phase = next_phase; });
        };
        if (phase == giving_way)
            return add(s, i, found, [&](state&, task& own_task, frame& own) {
                if (!release_last_with_ticket(own_task)) own.phase = wants_contended;
            });
        const bool is_again = phase >= wants_contended;
        if (st.is_slow && has_with_ticket(t, -1))
            throw meaningless{"a slow acquire while objects are held"};
        if (has_with_ticket(t, lock))
            return add(s, i, found, [&](state&, task&, frame& own) { advance(own); });
        if (may_take(s, i, lock, false, false))
            return add(s, i, found, [&](state& next, task& own_task, frame& own) {
                take(next, i, lock, false);
                own_task.held.back().has_ticket = true;
                advance(own);
                if (is_again) own.at = own.transactions.back();
            });
        if (phase == 0 || phase == wants_contended) return to_phase(phase + 1);
        if (is_again || st.is_slow || !must_give_way(s, i, lock)) return;
        add(s, i, found, [&](state&, task&, frame& own) {
            if (!at(own).to.empty()) return fail(own);
            if (own.transactions.empty()) throw meaningless{"a back-off without an else"};
            if (!own.counts.empty() || !own.scopes.empty() || !own.contexts.empty() ||
                !own.readings.empty())
                throw meaningless{"a back-off within a block of a transaction"};
            own.phase = giving_way;
        });
    }

    /// Ends the last hold of this run, or else the last hold of an outer run.
    static void release(task& t, int lock) {
        const int run = static_cast<int>(t.stack.size());
        for (const bool is_of_this_run : {true, false})
            for (std::size_t k = t.held.size(); k-- > 0;) {
                if (t.held[k].lock != lock || (t.held[k].run == run) != is_of_this_run) continue;
                t.held.erase(t.held.begin() + static_cast<std::ptrdiff_t>(k));
                return;
            }
        throw meaningless{"a lock is released that is not held"};
    }

    // ---- conditions ----

    enum : int { waiting = 1, waiting_spuriously = 2, woken = 3, timed_out = 5 };

    /// A wait releases the lock, is woken, and takes the lock again. `extra` is the mode of the
    /// lock.
    void act_condition(const state& s, std::size_t i, const statement& st,
                       std::vector<step>& found) const {
        const frame& f = s.tasks[i].stack.back();
        const int lock = lock_of(st.other, i);
        const auto begin = [&](int phase) {
            add(s, i, found, [&](state&, task& t, frame& own) {
                const hold* const had = held_by(s, i, lock);
                if (had == nullptr) throw meaningless{"a wait without its lock"};
                own.extra = had->is_read ? 1 : 0;
                release(t, lock);
                own.phase = phase;
                if (phase == waiting_spuriously) t.has_woken_spuriously = true;
            });
        };
        const auto go_to = [&](int phase) {
            add(s, i, found, [&](state&, task&, frame& own) { own.phase = phase; });
        };
        switch (f.phase) {
            case 0:
                begin(waiting);
                if (!s.tasks[i].has_woken_spuriously) begin(waiting_spuriously);
                return;
            case waiting:
                if (!st.is_timed) return;
                go_to(timed_out);
                found.back().is_given_up = true;
                return;
            case waiting_spuriously: go_to(woken); return;
            default: {
                const bool has_timed_out = f.phase >= timed_out;
                acquire(s, i, lock, f.extra != 0, false, has_timed_out ? timed_out : woken, found,
                        [&](frame& own) { has_timed_out ? fail(own) : advance(own); });
                return;
            }
        }
    }

    /// Adds steps of task `i` that wake one waiter (one step per possible waiter), or all.
    void act_notify(const state& s, std::size_t i, const statement& st,
                    std::vector<step>& found) const {
        std::vector<std::pair<std::size_t, std::size_t>> waiters;
        for (std::size_t t = 0; t < s.tasks.size(); ++t)
            for (std::size_t k = 0; k < s.tasks[t].stack.size(); ++k) {
                const frame& f = s.tasks[t].stack[k];
                const instruction& now = at(f);
                if (now.what == op::act && now.of->what == action::wait &&
                    now.of->on.name == st.on.name &&
                    (f.phase == waiting || f.phase == waiting_spuriously))
                    waiters.emplace_back(t, k);
            }
        const auto wake = [](state& next, std::pair<std::size_t, std::size_t> who) {
            next.tasks[who.first].stack[who.second].phase = woken;
        };
        if (waiters.empty() || st.is_all)
            return add(s, i, found, [&](state& next, task&, frame& own) {
                for (const auto& each : waiters) wake(next, each);
                advance(own);
            });
        for (const auto& each : waiters)
            add(s, i, found, [&](state& next, task&, frame& own) {
                wake(next, each);
                advance(own);
            });
    }

    // ---- wait queues ----

    enum : int { must_join = 1, has_joined = 2, sleeps = 3, last_look = 4 };

    static void leave_sleepers(state& s, std::size_t i, std::size_t queue) {
        const int run = static_cast<int>(s.tasks[i].stack.size());
        std::erase_if(s.sleepers[queue], [&](const queued& each) {
            return each.task == static_cast<int>(i) && each.run == run;
        });
    }
    void act_wait_queue(const state& s, std::size_t i, const statement& st,
                        std::vector<step>& found) const {
        const std::size_t queue = sleepers_at_.at(st.on.name);
        const int phase = s.tasks[i].stack.back().phase;
        if (phase == sleeps && !st.is_timed && !st.is_interruptible) return;
        add(s, i, found, [&](state& next, task& t, frame& own) {
            if (phase == must_join) {
                next.sleepers[queue].push_back(
                    {static_cast<int>(i), static_cast<int>(t.stack.size()), st.is_exclusive});
                own.phase = has_joined;
            } else if (phase == sleeps) {
                leave_sleepers(next, i, queue);
                own.phase = last_look;
            } else if (holds(next, i, st)) {
                leave_sleepers(next, i, queue);
                advance(own);
            } else if (phase == last_look) {
                fail(own);
            } else {
                own.phase = phase == 0 ? must_join : sleeps;
            }
        });
        found.back().is_signal = phase == sleeps && st.is_interruptible;
        found.back().is_given_up = phase == sleeps;
    }
    /// Takes waiters out of the queue: all, or the first exclusive one and all that are not.
    void act_wake(const state& s, std::size_t i, const statement& st,
                  std::vector<step>& found) const {
        add(s, i, found, [&](state& next, task&, frame& own) {
            bool has_one = false;
            std::erase_if(next.sleepers[sleepers_at_.at(st.on.name)], [&](const queued& each) {
                if (each.is_read && has_one && !st.is_all) return false;
                has_one = has_one || each.is_read;
                next.tasks[static_cast<std::size_t>(each.task)]
                    .stack[static_cast<std::size_t>(each.run) - 1]
                    .phase = 0;
                return true;
            });
            advance(own);
        });
    }

    // ---- reference counts ----

    void act_reference(const state& s, std::size_t i, const statement& st,
                       std::vector<step>& found) const {
        const std::size_t object = references_at_.at(st.on.name);
        const bool is_dead = s.references[object] == 0;
        add(s, i, found, [&](state& next, task& t, frame& own) {
            if (is_dead) return st.is_tried ? fail(own) : advance(own);
            next.references[object] += st.what == action::get ? 1 : -1;
            advance(own);
            if (next.references[object] == 0) start(t, release_body_[object]);
        });
        found.back().is_failure = is_dead && !st.is_tried;
    }

    // ---- memory ----

    /// The phases of a statement that runs notifiers and shrinkers: between them, and after them.
    enum : int { in_hooks = 20, behind_hooks = 21, must_yield = 22 };
    enum : int { asleep = 30 };    ///< the phase of a `flush` that waits for the run to begin
    enum : int { spinning = 40 };  ///< the phase of an acquire that keeps its processor

    struct zone {
        std::int64_t pages, min, low, high;
    };
    struct hook {
        int body;
        wedge::scenario::needs needs;
        bool is_notifier;
    };

    static bool has(const gfp_flags& flags, unsigned modifier) {
        return (flags.modifiers >> modifier & 1U) != 0;
    }
    enum : unsigned { noretry = 0, nofail = 2 };       // in `gfp_modifier_words`
    enum : int { nofs = 0, noio = 1, noreclaim = 2 };  // in `scope_words`

    static bool is_in_scope(const task& t, int which) {
        return std::ranges::any_of(
            t.stack, [&](const frame& f) { return std::ranges::count(f.scopes, which) != 0; });
    }
    static bool may_reclaim(const task& t, const gfp_flags& flags) {
        return flags.base != gfp_base::nowait && flags.base != gfp_base::atomic && !t.is_in_pass &&
               !is_in_scope(t, noreclaim);
    }
    /// Returns the callbacks that a pass with these flags may call.
    static bool may_enter(const task& t, gfp_base base, wedge::scenario::needs what) {
        using wedge::scenario::needs;
        const bool is_noio = base == gfp_base::noio || is_in_scope(t, noio);
        const bool is_nofs = is_noio || base == gfp_base::nofs || is_in_scope(t, nofs);
        return what == needs::nothing || (what == needs::fs ? !is_nofs : !is_noio);
    }

    /// Starts the next notifier or shrinker of a statement that runs them, or ends the statement.
    void next_hook(state& s, std::size_t i) const {
        task& t = s.tasks[i];
        frame& f = t.stack.back();
        const instruction& now = at(f);
        const bool is_alloc = now.what == op::act && now.of->what == action::alloc;
        const bool is_invalidate = now.what == op::act && now.of->what == action::invalidate;
        const auto number = static_cast<std::size_t>(f.extra++);
        if (number < hooks_.size()) {
            const hook& next = hooks_[number];
            const gfp_base base = is_alloc ? now.of->gfp.base : gfp_base::kernel;
            if (is_invalidate ? next.is_notifier : may_enter(t, base, next.needs))
                start(t, next.body);
            return;
        }
        f.phase = behind_hooks;
        f.extra = 0;
        if (!is_invalidate) t.is_in_pass = false;
        if (now.what == op::act && !is_alloc) advance(f);
    }
    static void begin_pass(task& t, frame& f) {
        t.is_in_pass = true;
        t.has_freed = false;
        f.phase = in_hooks;
        f.extra = 0;
    }

    void act_kswapd(const state& s, std::size_t i, std::vector<step>& found) const {
        add(s, i, found, [&](state& next, task& t, frame& own) {
            const bool was_useless = own.phase == behind_hooks && !t.has_freed;
            t.has_freed = false;
            if (next.free_pages >= zone_.high || was_useless)
                advance(own);
            else
                begin_pass(t, own);
        });
    }

    /// Looks at the free pages once, and takes or reclaims.
    void act_alloc(const state& s, std::size_t i, const statement& st,
                   std::vector<step>& found) const {
        add(s, i, found, [&](state& next, task& t, frame& own) {
            if (own.phase == must_yield) {
                own.phase = 0;
                return;
            }
            if (!has_memory_) return advance(own);
            const std::int64_t left = next.free_pages - st.number;
            const bool is_enough = left >= zone_.min;
            if (is_enough && left < zone_.low) next.is_kswapd_woken = true;
            const bool is_second_look = own.phase == behind_hooks;
            const bool has_freed = t.has_freed;
            if (!t.is_in_pass) t.has_freed = false;
            if (is_enough) {
                next.free_pages = left;
                return advance(own);
            }
            const bool may_pass =
                may_reclaim(t, st.gfp) && (!is_second_look || (has_freed && !has(st.gfp, noretry)));
            if (may_pass)
                begin_pass(t, own);
            else if (has(st.gfp, nofail))
                own.phase = must_yield;
            else
                fail(own);
        });
    }
    void act_free(const state& s, std::size_t i, const statement& st,
                  std::vector<step>& found) const {
        add(s, i, found, [&](state& next, task& t, frame& own) {
            const std::int64_t before = next.free_pages;
            next.free_pages = std::min(zone_.pages, before + st.number);
            if (t.is_in_pass && next.free_pages > before) t.has_freed = true;
            advance(own);
        });
    }
    void act_pass(const state& s, std::size_t i, const statement& st,
                  std::vector<step>& found) const {
        add(s, i, found, [&](state&, task& t, frame& own) {
            if (st.what == action::invalidate) {
                own.phase = in_hooks;
            } else if (t.is_in_pass || is_in_scope(t, noreclaim)) {
                advance(own);
            } else {
                begin_pass(t, own);
            }
        });
    }

    // ---- all other statements ----

    /// Waits until something is true. If it is, `pass` continues; if not, a timed wait may give up.
    template <class Pass>
    void wait_until(const state& s, std::size_t i, bool is_so, bool is_timed,
                    std::vector<step>& found, Pass pass) const {
        if (is_so)
            return add(s, i, found, [&](state& next, task&, frame& own) {
                pass(next);
                advance(own);
            });
        if (!is_timed) return;
        add(s, i, found, [&](state&, task&, frame& own) { fail(own); });
        found.back().is_given_up = true;
    }
    void act_completion(const state& s, std::size_t i, const statement& st,
                        std::vector<step>& found) const {
        const std::size_t unit = unit_at_.at(st.on.name);
        wait_for_unit(s, i, unit, st.is_timed || st.is_interruptible, found);
        if (st.is_interruptible && s.units[unit] == 0) found.back().is_signal = true;
    }

    void act_wait(const state& s, std::size_t i, const statement& st,
                  std::vector<step>& found) const {
        if (condition_at_.count(st.on.name) != 0) return act_condition(s, i, st, found);
        const auto fence = fence_at_.find(st.on.name);
        if (fence != fence_at_.end())
            return wait_until(s, i, s.signalled[fence->second], st.is_timed, found, [](state&) {});
        if (st.has_test) return act_wait_queue(s, i, st, found);
        act_completion(s, i, st, found);
    }
    void wait_for_unit(const state& s, std::size_t i, std::size_t unit, bool is_timed,
                       std::vector<step>& found) const {
        wait_until(s, i, s.units[unit] != 0, is_timed, found, [&](state& next) {
            if (next.units[unit] > 0) --next.units[unit];
        });
    }

    /// Whether a task runs an item, perhaps below other blocks.
    bool is_in(const task& t, std::size_t work) const {
        return std::ranges::any_of(t.stack,
                                   [&](const frame& f) { return f.body == items_[work].body; });
    }
    bool is_running(const state& s, std::size_t work) const {
        return std::ranges::any_of(s.tasks, [&](const task& t) { return is_in(t, work); });
    }

    /// Returns whether a `cancel` of the work waits. Until it ends, the work cannot be queued (as
    /// with cancel_work_sync of Linux).
    bool is_cancelled(const state& s, const std::string& work) const {
        for (const task& t : s.tasks)
            for (const frame& f : t.stack)
                if (const instruction& now = at(f); f.phase == 1 && now.what == op::act &&
                                                    now.of->what == action::cancel &&
                                                    now.of->on.name == work)
                    return true;
        return false;
    }

    void act(const state& s, std::size_t i, const statement& st, std::vector<step>& found) const {
        const auto simply = [&](auto change) {
            add(s, i, found, [&](state& next, task& t, frame& own) {
                change(next, t);
                advance(own);
            });
        };
        switch (st.what) {
            case action::acquire: return act_acquire(s, i, st, found);
            case action::release:
                if (sequences_.count(st.on.name) != 0) return act_write_end(s, i, st, found);
                return simply([&](state&, task& t) { release(t, lock_of(st.on, i)); });
            case action::downgrade:
                return simply([&](state&, task& t) {
                    for (hold& each : t.held)
                        if (each.lock == lock_of(st.on, i) && !each.is_read) {
                            each.is_read = true;
                            return;
                        }
                    throw meaningless{"a downgrade of what is not held exclusively"};
                });
            case action::sync:
                return wait_until(s, i,
                                  std::all_of(s.tasks.begin(), s.tasks.end(),
                                              [&](const task& t) {
                                                  return std::none_of(t.held.begin(), t.held.end(),
                                                                      [&](const hold& each) {
                                                                          return each.lock ==
                                                                                 lock_of(st.on, i);
                                                                      });
                                              }),
                                  false, found, [](state&) {});
            case action::set:
                return simply([&](state& next, task&) {
                    counter(next, i, st.on.name) = value(next, i, st.right);
                });
            case action::add:
                return simply([&](state& next, task&) {
                    counter(next, i, st.on.name) += value(next, i, st.right);
                });
            case action::assert_that:
                simply([](state&, task&) {});
                found.back().is_failure = !holds(s, i, st);
                return;
            case action::until:
                return add(s, i, found, [&](state& next, task&, frame& own) {
                    if (holds(next, i, st)) advance(own);
                });
            case action::progress:
                simply([](state&, task&) {});
                found.back().is_progress = true;
                return;
            case action::wait: return act_wait(s, i, st, found);
            case action::notify: return act_notify(s, i, st, found);
            case action::wake: return act_wake(s, i, st, found);
            case action::get:
            case action::put: return act_reference(s, i, st, found);
            case action::join: {
                bool are_done = true;
                for (std::size_t t = 0; t < s.tasks.size(); ++t)
                    are_done = are_done && (thread_of_[t] != st.on.name || s.tasks[t].is_done);
                return wait_until(s, i, are_done, false, found, [](state&) {});
            }
            case action::signal:
                return simply(
                    [&](state& next, task&) { next.signalled[fence_at_.at(st.on.name)] = true; });
            case action::complete:
                return simply([&](state& next, task&) {
                    std::int64_t& units = next.units[unit_at_.at(st.on.name)];
                    units = st.is_all || units < 0 ? -1 : units + 1;
                });
            case action::up:
                return simply([&](state& next, task&) { ++next.units[unit_at_.at(st.on.name)]; });
            case action::down: return wait_for_unit(s, i, unit_at_.at(st.on.name), false, found);
            case action::queue:
            case action::arm: {
                const std::size_t work = work_at_.at(st.on.name);
                const declares sort = items_[work].sort;
                simply([&](state& next, task&) {
                    if (sort == declares::timer || !is_cancelled(s, st.on.name))
                        next.pending[work] = true;
                });
                found.back().leaves_rule =
                    (sort == declares::delayed_work || sort == declares::timer) &&
                    is_in(s.tasks[i], work);
                return;
            }
            case action::drop:
                return simply([&](state& next, task&) {
                    next.pending[work_at_.at(st.on.name)] = false;
                    wake_flushes(next, work_at_.at(st.on.name));
                });
            case action::ticket_begin:
                return simply([&](state& next, task& t) { begin_ticket(next, t, st.is_wait_die); });
            case action::ticket_done: return simply([](state&, task&) {});
            case action::ticket_end:
                return simply([&](state& next, task& t) { end_ticket(next, t); });
            case action::flush: {
                const std::size_t work = work_at_.at(st.on.name);
                const int phase = s.tasks[i].stack.back().phase;
                if (phase == asleep) return;
                if (phase == 0)
                    return add(s, i, found, [&](state& next, task&, frame& own) {
                        own.phase = next.pending[work] ? asleep : 1;
                    });
                return wait_until(s, i, !is_running(s, work), false, found, [](state&) {});
            }
            case action::cancel: {
                const std::size_t work = work_at_.at(st.on.name);
                if (s.tasks[i].stack.back().phase == 0)
                    return add(s, i, found, [&](state& next, task&, frame& own) {
                        next.pending[work] = false;
                        wake_flushes(next, work);
                        own.phase = 1;
                    });
                const bool is_armed = items_[work].sort == declares::timer && s.pending[work];
                return wait_until(s, i, !is_armed && !is_running(s, work), false, found,
                                  [](state&) {});
            }
            case action::alloc: return act_alloc(s, i, st, found);
            case action::free: return act_free(s, i, st, found);
            case action::reclaim:
            case action::invalidate: return act_pass(s, i, st, found);
            case action::mask:
                return simply([&](state&, task& t) {
                    if (st.is_hard)
                        t.irq_off = !st.is_on;
                    else
                        t.bh_off = after_switch(t.bh_off, st.is_on);
                });
            case action::preempt:
                return simply([&](state&, task& t) {
                    t.preempt_off = after_switch(t.preempt_off, st.is_on);
                });
            case action::yield:
            case action::might_alloc:
            case action::might_lock:
            case action::assert_held:
            case action::pin:
            case action::unpin:
            case action::init: return simply([](state&, task&) {});
            default: throw meaningless{"a statement that is not modelled"};
        }
    }

    struct item {
        int body;
        declares sort;
    };
    struct handler {
        int body;
        arrival sort;
    };

    state first_;
    bool has_memory_ = false;
    zone zone_{};
    int kswapd_body_ = -1;
    std::vector<hook> hooks_;  // shrinkers and notifiers, in the order of their declarations
    std::vector<std::int64_t> locals_;
    std::vector<std::vector<instruction>> bodies_;
    std::vector<lock_sort> kinds_;  // by lock
    std::vector<int> copy_;         // by task: its number among the copies of its thread
    std::vector<std::string> thread_of_;
    std::vector<place> places_;  // by task
    std::vector<int> works_;     // by task: the work that it runs; -1: it is a thread
    std::vector<item> items_;    // works, and what is delayed or interrupts
    std::vector<handler> handlers_;
    std::map<std::string, int> lock_at_, count_of_, condition_at_;
    std::map<std::string, std::size_t> local_at_, counter_at_, unit_at_, fence_at_, work_at_,
        sleepers_at_, references_at_;
    std::set<std::string> sequences_;  // the names of sequence counts
    std::vector<int> release_body_;    // by reference count
};

}  // namespace oracle
