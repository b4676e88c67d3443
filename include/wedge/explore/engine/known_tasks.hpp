// What tasks do between their steps, as it was seen once, so that executions along it need no run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/explore/engine/execution.hpp"
#include "wedge/explore/engine/persistent.hpp"
#include "wedge/explore/engine/step_model.hpp"
#include "wedge/explore/engine/task_scheduler.hpp"
#include "wedge/explore/engine/whole_state.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// The known points of tasks that share nothing but locks. The next point of such a task follows
/// from its current point and the outcome of its step or choice. Executions that run add points. An
/// execution along known points takes the models' steps and runs no code of the subject.
class known_tasks {
public:
    using tasks = std::span<const std::unique_ptr<controlled_task>>;

    explicit known_tasks(const subject_facts& what) : facts_(what) {}

    bool is_empty() const noexcept { return points_.empty(); }
    void forget() {
        points_.clear();
        by_key_.clear();
        locks_.clear();
        begins_.clear();
        saved_ = 0;  // they point to points
    }

    void begin_execution(std::size_t n) {
        if (points_.size() > points_max) forget();
        is_played_ = false;
        if (begins_.size() < n) begins_.resize(n);
        leads_to_.clear();
        for (std::size_t i = 0; i < n; ++i) leads_to_.push_back(&begins_[i]);
    }

    // While an execution runs.

    /// Called when the task is about to take `pending`, or has ended.
    void stands(controlled_task& who) {
        point*& here = *leads_to_[who.self.ordinal];
        if (here == nullptr) here = &find_or_add(who);
        who.known = &here->facts;
    }
    /// Called after the task has taken its step.
    void took(const controlled_task& who, bool is_taken) { follow(who.self.ordinal, is_taken); }
    void chose(std::uint32_t task, std::uint32_t n, std::uint32_t answer) {
        point*& here = *leads_to_[task];
        if (here == nullptr) {
            here = &points_.emplace_back();
            here->leads_to.resize(n);
        }
        follow(task, answer);
    }

    // While an execution is played through.

    /// Called before each execution. Lets the tasks stand where they stood at the last saved moment
    /// that the execution shares with the one before it.
    ///
    /// @return false: no moment is shared, or the execution before ran. It must begin at the start
    bool resume(const search_strategy& how, tasks all, step_model& model,
                task_scheduler& scheduler) {
        if (std::exchange(moments_of_, &how) != &how) saved_ = 0;
        const std::size_t common = how.resumes_after();
        while (saved_ != 0 && last_saved().when.decisions > common) --saved_;
        if (saved_ == 0 || !is_played_) return false;
        const moment& from = last_saved();
        scheduler.resume(from.when);
        adopt_locks(model.locks());
        model.restore(from.models);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const standing_task& each = from.tasks[i];
            leads_to_[i] = each.leads_to;
            stand(*all[i], **each.leads_to);
            all[i]->phase = each.phase;
            all[i]->has_woken_by_itself = each.has_woken_by_itself;
        }
        return true;
    }

    /// Lets the tasks of an execution go to their first steps; returns false if one is unknown.
    bool begin(tasks all, step_model& model, task_scheduler& scheduler) {
        begin_execution(all.size());
        adopt_locks(model.locks());
        for (const std::unique_ptr<controlled_task>& each : all)
            if (!go_on(*each, model, scheduler)) return false;
        return true;
    }

    /// Plays an execution that has begun, or goes on, through to its end.
    ///
    /// @return false: a task reaches an unknown point. The scheduler has recorded the decisions
    ///     until then
    bool go_through(tasks all, step_model& model, task_scheduler& scheduler, ending& over) {
        for (;;) {
            const std::uint32_t next = scheduler.next(over);
            if (next == no_task) break;
            if (scheduler.comes_back()) save(all, model, scheduler);
            if (take_turn(*all[next], model, scheduler) && !go_on(*all[next], model, scheduler))
                return false;
        }
        if (over == ending::deadlock)
            for (const std::unique_ptr<controlled_task>& each : all) hold(*each);
        is_played_ = true;
        return true;
    }

private:
    static constexpr std::size_t points_max = 65'536;  // about twenty megabytes

    enum class sort : std::uint8_t { choice, step, end };

    struct point {
        sort what = sort::choice;
        operation pending;
        std::vector<held_lock> held;
        wedge::context context = wedge::context::task;
        context_state contexts;
        std::uint8_t scopes = 0;
        standing facts;
        std::vector<point*> leads_to;  // by answer; of a step: failed, taken. Null: unknown
    };

    /// Where a task stands in front of its next step, or at its end.
    struct standing_task {
        point** leads_to = nullptr;
        wait_phase phase = wait_phase::fresh;
        bool has_woken_by_itself = false;
    };
    /// An execution just before a decision that the search is to take in another way too.
    struct moment {
        task_scheduler::moment when;
        step_model::moment models;
        std::vector<standing_task> tasks;
    };
    /// A depth-first search comes back to the last of them next.
    static constexpr std::size_t moments_max = 64;

    moment& last_saved() noexcept { return moments_[(first_saved_ + saved_ - 1) % moments_max]; }
    void save(tasks all, const step_model& model, const task_scheduler& scheduler) {
        if (saved_ != 0 && last_saved().when.decisions + 1 >= scheduler.decided()) return;
        moments_.resize(moments_max);
        if (saved_ == moments_max)
            first_saved_ = (first_saved_ + 1) % moments_max;  // the earliest one is forgotten
        else
            ++saved_;
        moment& made = last_saved();
        scheduler.save(made.when);
        model.save(made.models);
        made.tasks.clear();
        for (std::size_t i = 0; i < all.size(); ++i)
            made.tasks.push_back({leads_to_[i], all[i]->phase, all[i]->has_woken_by_itself});
    }

    /// Adopts the locks. They may have been in an execution of another engine.
    void adopt_locks(lock_table& in) {
        for (lock_identity* const each : locks_)
            each->adopt(each->execution(), each->instance(), &in.at(each->instance()).state);
    }

    void follow(std::uint32_t task, std::uint32_t answer) {
        leads_to_[task] = &(*leads_to_[task])->leads_to[answer];
    }

    /// Returns the point of a task. Paths to equal points are joined, so that a loop is finite.
    point& find_or_add(const controlled_task& who) {
        const task& self = who.self;
        const std::uint64_t own =
            whole_state::of_itself(self, facts_, [](std::uint64_t) { return std::uint64_t{0}; });
        std::uint64_t key = combine(self.ordinal, own);
        for (const held_lock& each : self.held) key = combine(key, hash_of(each));
        point*& known = by_key_[key];
        if (known != nullptr) return *known;
        point& made = points_.emplace_back();
        known = &made;
        note(self.pending.lock);
        made.what = who.is_done ? sort::end : sort::step;
        made.pending = self.pending;
        made.held.assign(self.held.begin(), self.held.end());
        made.context = self.context;
        made.contexts = self.contexts;
        made.scopes = self.scopes;
        made.facts = {own, facts_.may_do(self.ordinal),
                      persistent_sets::opponents_of(self.pending, facts_)};
        if (!who.is_done) made.leads_to.resize(2);
        return made;
    }
    void note(lock_identity* lock) {
        if (lock == nullptr || std::find(locks_.begin(), locks_.end(), lock) != locks_.end())
            return;
        locks_.push_back(lock);
    }
    /// Returns a hash of a hold, with what the state leaves out: where the lock was taken, and how.
    static std::uint64_t hash_of(const held_lock& hold) {
        return combine(
            combine(std::uint64_t{hold.class_id} << 32 | hold.instance,
                    std::uint64_t{hold.where.line} << 32 | std::uint64_t{hold.subclass} << 16 |
                        std::uint64_t{hold.context} << 8 | static_cast<std::uint64_t>(hold.how)),
            static_cast<std::uint64_t>(hold.with));
    }

    /// Takes the task's pending step; returns false if it needs another turn.
    bool take_turn(controlled_task& who, step_model& model, task_scheduler& scheduler) {
        if (lock_state* const plain = model.plain_lock(who.self.pending)) {
            step_model::take_plainly(who, *plain);
            scheduler.step_taken(who);
            took(who, true);
            return true;
        }
        const turn got = model.take(
            who, [&](std::uint32_t n, const char*) { return n < 2 ? 0 : scheduler.choose(n); });
        scheduler.step_taken(who, got);
        if (got == turn::waits) return false;
        took(who, got == turn::taken);
        return true;
    }

    /// Moves the task to its next point; returns false if that is unknown.
    bool go_on(controlled_task& who, step_model& model, task_scheduler& scheduler) {
        task& self = who.self;
        point**& next = leads_to_[self.ordinal];
        while (*next != nullptr && (*next)->what == sort::choice) {
            std::vector<point*>& answers = (*next)->leads_to;
            next = &answers[scheduler.choose(static_cast<std::uint32_t>(answers.size()))];
        }
        if (*next == nullptr) return false;
        stand(who, **next);
        if (scheduler.looks_at_holds()) hold(who);
        who.phase = wait_phase::fresh;
        if (who.is_done)
            scheduler.ended(who);
        else
            scheduler.published(who, model.plain_lock(self.pending));
        return true;
    }
    static void stand(controlled_task& who, const point& here) {
        if (who.known == &here.facts) return;
        task& self = who.self;
        self.pending = here.pending;
        self.context = here.context;
        self.contexts = here.contexts;
        self.scopes = here.scopes;
        who.known = &here.facts;
        who.is_done = here.what == sort::end;
    }
    /// Gives the task its holds. The models know who holds which lock, so they are needed for
    /// descriptions, and where the strategy looks at them.
    void hold(controlled_task& who) const {
        held_locks& held = who.self.held;
        held.clear();
        for (const held_lock& each : (*leads_to_[who.self.ordinal])->held) held.push(each);
    }

    const subject_facts& facts_;
    std::deque<point> points_;
    std::unordered_map<std::uint64_t, point*> by_key_;
    std::vector<lock_identity*> locks_;  // of all points
    std::vector<point*> begins_;         // by task: the first point
    std::vector<point**> leads_to_;      // by task: where the next point is noted
    bool is_played_ = false;             // the last execution was played through
    const search_strategy* moments_of_ = nullptr;
    // Of that strategy's path, from its start to its end: a ring of which `saved_` are valid.
    std::vector<moment> moments_;
    std::size_t first_saved_ = 0;
    std::size_t saved_ = 0;
};

}  // namespace wedge
