// A scenario as a subject: its threads, the tasks that serve them, and what reclaim runs.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/engine/task_set.hpp"
#include "wedge/explore/options.hpp"
#include "wedge/model/prime.hpp"
#include "wedge/scenario/deferred_items.hpp"
#include "wedge/scenario/interrupts.hpp"
#include "wedge/scenario/native_interrupts.hpp"
#include "wedge/scenario/schedule_words.hpp"

namespace wedge::scenario {

/// Returns the options with the choices that the language leaves to every engine.
inline explore_options with_choices_of_scenarios(explore_options options) {
    options.spurious_wakeups = true;
    return options;
}

/// Everything that runs in a scenario. Its state is made again for every execution.
class scenario_subject final : public subject,
                               public subject_facts,
                               private neighbours,
                               private deferred_host {
public:
    /// @param all  checked by `parse`; must outlive the subject
    /// @param walk  the order pass; null: everything really happens
    explicit scenario_subject(const document& all, pressure how = {}, walk_guide* walk = nullptr)
        : all_(all),
          uses_(all),
          world_(uses_),
          interpreter_(all, uses_, world_, *this, walk),
          interrupts_(all),
          native_interrupts_(interrupts_.names_and_contexts(), real_threads_in(all)),
          pressure_(how),
          is_walk_(walk != nullptr) {
        for (const declaration& each : all.all) {
            if (each.what == declares::memory) zone_at_ = &each;
            if (each.what == declares::shrinker || each.what == declares::notifier)
                reclaimers_.push_back(std::make_unique<reclaimer>(*this, each));
            if (is_deferred(each.what)) work_count_ += 1;
            if (each.what != declares::thread) continue;
            first_copy_[each.name] = static_cast<std::uint32_t>(threads_.size());
            for (std::uint32_t copy = 0; copy < each.count; ++copy)
                threads_.push_back(
                    {&each, copy,
                     copy == 0 ? each.name : each.name + "#" + std::to_string(copy + 1),
                     !detail::uses_self(each.body) && !uses_.is_joined(each.name) &&
                         !is_self_used_by_handlers()});
        }
        served_.resize(tasks() + work_count_);
        if (zone_at_ != nullptr) served_[threads_.size()] = uses_.objects_in_reclaim();
        std::uint32_t number = tasks();
        for (const declaration& each : all.all)
            if (is_deferred(each.what)) served_[number++] = uses_.objects_in(each.body);
    }

    /// Returns the number of threads, kswapd and handlers, in this order. Workers are spawned after
    /// them.
    std::uint32_t tasks() const override { return first_handler() + interrupts_.size(); }
    /// Returns the number of threads alone.
    std::uint32_t threads() const noexcept { return static_cast<std::uint32_t>(threads_.size()); }
    /// Returns how many real threads run the scenario: those of `tasks`, and one for each item that
    /// runs later.
    static std::uint32_t real_threads_in(const document& all) {
        std::uint32_t sum = 0;
        for (const declaration& each : all.all)
            if (each.what == declares::thread || each.what == declares::memory ||
                each.what == declares::handler || is_deferred(each.what))
                sum += each.count;
        return sum;
    }
    std::string task_name(std::uint32_t number) const override {
        if (number >= tasks()) return items_named(number - tasks());
        if (number >= first_handler()) return interrupts_[number - first_handler()].name;
        return number < threads_.size() ? threads_[number].name : "kswapd";
    }

    void begin() override {
        world_.begin(all_);
        if (uses_.needs_zone()) world_.zone().set(pressure_);
        for (const std::unique_ptr<reclaimer>& each : reclaimers_) world_.zone().add(*each);
        actors_.resize(tasks() + work_count_);
        for (actor& each : actors_) each.reset();
        for (std::size_t i = 0; i < threads_.size(); ++i) actors_[i].copy = threads_[i].copy;
        interrupts_.begin();
        if (current().runtime == nullptr) begin_natively();
        make_items();
        state_orders();
        if (titles_.empty() && current().runtime != nullptr) note_locks();
    }

    void run(std::uint32_t number) override {
        if (current().runtime == nullptr) return run_natively(number);
        actor& who = actors_[number];
        if (number >= first_handler())
            return interrupts_.serve(number - first_handler(), interpreter_);
        if (number >= threads_.size()) return run_kswapd();
        const declaration& what = *threads_[number].what;
        if (what.has_cpu) {  // it may be started at any time
            task& self = current();
            self.runtime->perform(self, {.what = step::spawn, .where = interpreter_.at(what)});
        }
        interpreter_.run(what, who);
        step_if_interrupted(interpreter_.at(what));  // a handler may come before the end
    }
    /// On real threads, when all threads of the file have ended: lets the items end that are
    /// queued, and ends the threads that serve.
    ///
    /// @param has_failed  a thread has ended by an exception, so items may wait forever
    void stop_serving(bool has_failed) {
        if (!has_failed) items_.finish();
        native_interrupts_.end();
        items_.stop();
        if (zone_at_ != nullptr) world_.zone().stop_kswapd(interpreter_.at(*zone_at_));
    }
    void interrupted(std::uint32_t handler, std::uint32_t victim) override {
        if (handler >= tasks()) return items_.interrupt(handler, victim, *this);
        interrupts_.run(handler - first_handler(), interpreter_, actors_[victim]);
    }

    const subject_facts& facts() const override { return *this; }
    void check() override {}
    void end() override {
        items_.clear();
        lives_.clear();
        for (actor& each : actors_) each.reads.clear();  // they point to locks of this execution
        world_.end();
    }
    schedule blank() const override {
        return {schedule_word(all_.path), fingerprint_of(all_), program_word(pressure_), {}, {}};
    }

    /// Unknown if there are more tasks than the search can distinguish.
    std::optional<std::uint64_t> state() const override {
        if (served_.size() > task_set::capacity) return {};
        if (meets_in_locks_alone()) return 0;
        std::uint64_t all = combine(combine(world_.hash(), interrupts_.hash()), items_.state());
        for (const actor& each : actors_)
            for (const auto& [count, seen] : each.reads)
                all = combine(all, std::uint64_t{count->state() == seen} + 1);
        return all;
    }
    std::uint64_t state_of(std::uint32_t task) const override {
        const actor& who = actors_[task];
        std::uint64_t all = who.path.size() << 1 | std::uint64_t{world_.has_freed(task)};
        for (const std::uint64_t part : who.path) all = combine(all, part);
        for (const hold& each :
             who.taken)  // in the order in which a run that fails gives them back
            all = combine(all, each.lock->identity().instance());
        for (const auto& [name, value] : who.locals)
            all = combine(all, combine(hash_text(name), static_cast<std::uint64_t>(value)));
        return all;
    }
    /// Fairness concerns each task by itself. A ticket, a place in a queue and a read of a sequence
    /// count show which task they belong to.
    std::uint32_t same_as(std::uint32_t number) const override {
        if (number >= threads_.size() || !threads_[number].is_alike || may_circle() ||
            uses_.has_processors() || uses_.has_tickets() || uses_.has_wait_queues() ||
            uses_.has_sequences())
            return number;
        return number - threads_[number].copy;
    }
    bool is_only_waited_for(const lock_identity& lock) const override {
        const use_of_lock* const use = use_of(lock);
        return use != nullptr && !use->is_tried;
    }
    /// Unknown while a handler may come: the handler may want the lock on top of its holder, and
    /// its arrival commutes with no step.
    std::uint64_t opponents_of(const operation& next) const override {
        const use_of_lock* const use = use_of(*next.lock);
        if (use == nullptr || uses_.has_interrupting_items() || !interrupts_.have_all_come())
            return 0;
        return is_shared(next.how) && next.what != step::release ? use->change
                                                                 : use->change | use->look;
    }
    /// A handler's steps are not distinguished from those of its victim, and a ticket may be
    /// wounded at another object.
    std::uint64_t may_do(std::uint32_t task) const override {
        if (uses_.has_interrupts() || uses_.has_tickets()) return ~std::uint64_t{0};
        const actor& who = actors_[task];
        std::uint64_t all = served_[task] | (who.ahead.empty() ? 0 : who.ahead.back());
        for (const hold& each : who.taken) {
            const use_of_lock* const use = use_of(each.lock->identity());
            if (use->is_tried) all |= use->change;
        }
        return all;
    }

    bool meets_in_locks_alone() const override {
        return uses_.has_locks_alone() && !uses_.has_processors();
    }
    bool shares_processors() const override { return uses_.has_processors(); }
    processor_share processor_of(std::uint32_t task) const override {
        if (task >= threads_.size() || !threads_[task].what->has_cpu) return {};
        return {threads_[task].what->cpu + 1, threads_[task].what->fifo};
    }
    /// The loops of roles need an exception to leave them.
    bool leaves_quietly() const override { return !uses_.has_roles(); }
    /// Not if a task only states that it is in an interrupt.
    bool has_unseen_state() const override { return false; }
    bool delivers_interrupts() const override {
        return uses_.has_interrupts() && !uses_.has_contexts_in_line();
    }
    bool may_circle() const override { return uses_.has_loops(); }

    /// A run of the order pass: one block alone, and how it is entered.
    struct walk_visit {
        const declaration* what = nullptr;
        std::uint32_t copy = 0;
        std::uint32_t ordinal = 0;
        /// The flags of the reclaim pass that it runs in; none: no pass.
        gfp reclaimer = gfp::none;
    };

    /// Returns every block once, in the order of the file. A thread that uses its number is visited
    /// once per copy, a shrinker once per mask under which it may run, a notifier as reclaim runs
    /// it, and as an invalidation does if there is one.
    std::vector<walk_visit> visits() const {
        std::vector<walk_visit> all;
        std::uint32_t served = static_cast<std::uint32_t>(threads_.size());
        for (const declaration& each : all_.all) {
            if (each.what == declares::thread) {
                const std::uint32_t first = first_copy_.find(each.name)->second;
                const std::uint32_t copies = detail::uses_self(each.body) ? each.count : 1;
                for (std::uint32_t i = 0; i < copies; ++i) all.push_back({&each, i, first + i});
            } else if (each.what == declares::shrinker || each.what == declares::notifier) {
                const bool is_notifier = each.what == declares::notifier;
                for (const gfp flags : {gfp_kernel, gfp_nofs, gfp_noio})
                    if (may_run(each, flags) && !(is_notifier && flags != gfp_kernel))
                        all.push_back({&each, 0, served, flags});
                if (is_notifier && uses_.has_invalidate()) all.push_back({&each, 0, served});
                ++served;
            } else if (has_body(each.what) && each.what != declares::refcount) {
                all.push_back({&each, 0, served++});
            }
        }
        return all;
    }

    /// Makes one visit, in the current task.
    void walk(const walk_visit& visit) {
        actor who;
        who.copy = visit.copy;
        const declaration& what = *visit.what;
        const site where = interpreter_.at(what);
        std::optional<reclaim_order::section> pass;
        if (visit.reclaimer != gfp::none)
            pass.emplace(world_.zone().order(), visit.reclaimer, where);
        if (what.what == declares::notifier) return run_notifier(what, who);
        if (is_deferred(what.what))
            return items_.walk(what, where, [&] { interpreter_.run(what, who); });
        if (what.what == declares::handler) {
            const in_context inside(context_of(what), what.is_threaded, where);
            return interpreter_.run(what, who);
        }
        interpreter_.run(what, who);
    }

    /// Returns the name of a thread without the number of its copy.
    const std::string& thread_name(std::uint32_t number) const {
        return threads_[number].what->name;
    }
    bool has_joins() const noexcept { return uses_.has_joins(); }
    bool is_joined(const declaration& block) const {
        return block.what == declares::thread && uses_.is_joined(block.name);
    }
    site place_of(const declaration& what) const override { return interpreter_.at(what); }

    /// Returns the names of the scenario's locks by their ordinals, as reports show them:
    /// `resv[1]`. They are equal in every execution, and known after the first one.
    const std::map<std::uint32_t, std::string>& lock_titles() const noexcept { return titles_; }

private:
    struct thread_of {
        const declaration* what;
        std::uint32_t copy;
        std::string name;
        bool is_alike;  ///< nothing distinguishes it from the other copies
    };

    struct use_of_lock {
        std::uint64_t look = 0;  ///< a set of bits; 0: not a lock of the scenario
        std::uint64_t change = 0;
        bool is_tried = false;
    };

    /// A block that a pass of reclaim runs.
    class reclaimer final : public shrinker {
    public:
        reclaimer(scenario_subject& of, const declaration& what) : of_(of), what_(what) {}
        const declaration& what() const noexcept { return what_; }

        bool may_run(gfp effective) const override {
            return scenario_subject::may_run(what_, effective);
        }
        void scan() override {
            actor& who = of_.running();
            if (what_.what == declares::notifier) return of_.run_notifier(what_, who);
            of_.interpreter_.run(what_, who);
        }

    private:
        scenario_subject& of_;
        const declaration& what_;
    };

    /// A handler has the number of the copy that it interrupts.
    bool is_self_used_by_handlers() const {
        return std::any_of(all_.all.begin(), all_.all.end(), [](const declaration& each) {
            return each.what == declares::handler && detail::uses_self(each.body);
        });
    }
    static bool may_run(const declaration& what, gfp effective) noexcept {
        return what.needs == needs::nothing ||
               has(effective, what.needs == needs::fs ? gfp::fs : gfp::io);
    }
    std::uint32_t first_handler() const noexcept {
        return static_cast<std::uint32_t>(threads_.size()) + (zone_at_ != nullptr ? 1 : 0);
    }

    /// Returns the state of the running task.
    actor& running() {
        const task& self = current();
        return actors_[self.runtime != nullptr ? self.ordinal : running_here_];
    }

    std::string items_named(std::uint32_t number) const {
        for (const declaration& each : all_.all)
            if (is_deferred(each.what) && number-- == 0) return each.name;
        return {};
    }

    void begin_natively() {
        for (std::size_t i = 0; i < actors_.size(); ++i)
            actors_[i].number = static_cast<std::uint32_t>(i);
        native_interrupts_.begin(current().random);
        for (const declaration& each : all_.all)
            if (is_joined(each))
                lives_.try_emplace(each.name, lock_class((each.name + " (thread)").c_str(),
                                                         {.never_waits = true}));
    }
    void run_natively(std::uint32_t number) {
        running_here_ = number;
        if (number >= first_handler() && number < tasks()) {
            const std::uint32_t handler = number - first_handler();
            return native_interrupts_.serve(handler, [&](std::size_t victim) {
                const native_interrupts::entrance on_top(native_interrupts_, number);
                actors_[number].copy = actors_[victim].copy;
                interrupts_.run(handler, interpreter_, actors_[number]);
            });
        }
        const native_interrupts::entrance open(native_interrupts_, number);
        if (number >= tasks()) return items_.serve(number);
        if (number >= threads_.size()) return run_kswapd();
        const declaration& what = *threads_[number].what;
        const thread_life inside(lives_, what, interpreter_.at(what));
        interpreter_.run(what, actors_[number]);
        before_statement(actors_[number]);
    }
    /// A thread that others join is in a section while it lives.
    class thread_life {
    public:
        thread_life(std::map<std::string, native_sections>& all, const declaration& what,
                    site where)
            : where_(where) {
            const auto found = all.find(what.name);
            if (found == all.end()) return;
            mine_ = &found->second;
            mine_->enter({.how = mode::recursive_shared, .where = where});
        }
        ~thread_life() {
            if (mine_ != nullptr) mine_->leave(where_);
        }
        thread_life(const thread_life&) = delete;
        thread_life& operator=(const thread_life&) = delete;

    private:
        const site where_;
        native_sections* mine_ = nullptr;
    };

    void run_kswapd() {
        const site where = interpreter_.at(*zone_at_);
        for (;;) {
            {
                const idle_section without_work;
                if (!world_.zone().wait_for_kswapd_wake(where)) return;
            }
            world_.zone().balance(where);
        }
    }
    void run_notifier(const declaration& what, actor& who) {
        const reclaim_order::notifier_section inside(world_.zone().order(), interpreter_.at(what));
        interpreter_.run(what, who);
    }

    void make_items() {
        std::uint32_t worker = tasks();
        for (const declaration& each : all_.all)
            if (is_deferred(each.what))
                is_walk_ ? items_.make_walked(each) : items_.make(each, worker++, *this);
    }
    void run_deferred(const declaration& what, std::uint32_t task) override {
        interpreter_.run(what, actors_[task]);
    }

    void join(const std::string& thread, site where) override {
        task& self = current();
        wedge::detail::might_sleep(self, (thread + " (thread)").c_str(), where);
        if (self.runtime == nullptr)
            return lives_.find(thread)->second.await(uses_.names().task(thread)->count, where);
        const std::uint32_t first = first_copy_.find(thread)->second;
        for (std::uint32_t i = 0; i < uses_.names().task(thread)->count; ++i) {
            wedge::detail::emit(self,
                                {.kind = event_kind::join, .payload = first + i, .where = where});
            self.runtime->perform(self, {.what = step::join, .other = first + i, .where = where});
        }
    }
    void queue(const std::string& item, site where) override {
        if (!is_walk_) items_[item].queue(where);
    }
    void drop(const std::string& item, site where) override {
        if (!is_walk_) items_[item].drop(where);
    }
    void flush(const std::string& item, site where) override {
        is_walk_ ? items_.touch(item, where) : items_[item].flush(where);
    }
    void cancel(const std::string& item, site where) override {
        is_walk_ ? items_.touch(item, where) : items_[item].cancel(where);
    }
    void invalidate(site where) override {
        wedge::detail::might_sleep(current(), "notifiers", where);
        if (is_walk_) {
            const reclaim_order::notifier_section inside(world_.zone().order(), where);
            return;
        }
        for (const std::unique_ptr<reclaimer>& each : reclaimers_)
            if (each->what().what == declares::notifier) run_notifier(each->what(), running());
    }
    void step_if_interrupted(site where) override {
        const bool is_seen = uses_.has_interrupts() || uses_.has_processors();
        task& self = current();
        if (!is_seen || is_walk_ || self.runtime == nullptr) return;
        self.runtime->perform(self, {.what = step::access, .where = where});
    }

    void before_statement(actor& who) override {
        if (!uses_.has_interrupts()) return;
        native_interrupts_.pass(
            [&](std::uint32_t handler) { interrupts_.run(handler, interpreter_, who); });
        task& self = current();
        if (uses_.has_interrupting_items() && self.unbroken == 0)
            items_.come_on_top(who.number, self.random, *this);
    }

    const use_of_lock* use_of(const lock_identity& lock) const {
        const std::uint32_t instance = lock.instance();
        if (instance >= uses_of_locks_.size() || uses_of_locks_[instance].look == 0) return nullptr;
        return &uses_of_locks_[instance];
    }
    void note_locks() {
        for (const declaration& each : all_.all) {
            if (each.what != declares::lock) continue;
            reference use{each.name, reference::index_sort::number, 0, {}};
            for (; use.index < each.count; ++use.index) {
                const std::uint32_t instance = world_.lock(use, 0).identity().instance();
                titles_[instance] =
                    each.count == 1 ? each.name : each.name + "[" + std::to_string(use.index) + "]";
                if (uses_of_locks_.size() <= instance) uses_of_locks_.resize(instance + 1);
                uses_of_locks_[instance] = {uses_.read_bit_of(each.name),
                                            uses_.write_bit_of(each.name),
                                            uses_.is_tried(each.name)};
            }
        }
    }

    void state_orders() {
        for (const declaration& each : all_.all) {
            if (each.what != declares::order) continue;
            std::vector<primed_lock> order;
            for (const reference& next : each.chain) {
                const declaration* const lock = uses_.names().object(next.name);
                const std::string text = lock != nullptr           ? class_text(*lock)
                                         : next.name == "notifier" ? "mmu_notifier"
                                                                   : next.name;
                order.push_back({detail::interned(text)});
            }
            prime(order, interpreter_.at(each));
        }
    }

    static inline thread_local std::uint32_t running_here_ = 0;  // the number of a real thread

    const document& all_;
    const object_uses uses_;
    world world_;
    interpreter interpreter_;
    interrupts interrupts_;
    native_interrupts native_interrupts_;
    const pressure pressure_;
    const bool is_walk_;
    const declaration* zone_at_ = nullptr;
    std::vector<thread_of> threads_;
    std::map<std::string, std::uint32_t> first_copy_;
    std::vector<std::unique_ptr<reclaimer>> reclaimers_;
    std::uint32_t work_count_ = 0;
    deferred_items items_;
    std::map<std::string, native_sections> lives_;  // on real threads: of those that are joined
    std::vector<actor> actors_;                     // by task
    std::map<std::uint32_t, std::string> titles_;
    std::vector<use_of_lock> uses_of_locks_;  // by instance
    std::vector<std::uint64_t> served_;  // by task: the objects of what it does when it is called
};

}  // namespace wedge::scenario
