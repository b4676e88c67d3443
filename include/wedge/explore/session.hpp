// One exploration: executions under a strategy, and a verdict for every finding.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/signature.hpp"
#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/engine/progress.hpp"
#include "wedge/explore/engine/repeat_check.hpp"
#include "wedge/explore/search/make_strategy.hpp"
#include "wedge/explore/search/replay.hpp"
#include "wedge/explore/verdict/build_cycle.hpp"
#include "wedge/explore/verdict/minimize.hpp"
#include "wedge/explore/verdict/proof.hpp"
#include "wedge/explore/verdict/ring.hpp"
#include "wedge/explore/verdict/sighting.hpp"
#include "wedge/explore/verdict/verdicts.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/order/lock_pairs.hpp"
#include "wedge/order/observed_waits.hpp"

namespace wedge {

/// Explores, replays and confirms one subject. It is not shared between threads.
class session {
public:
    session(subject& what, explore_options options)
        : subject_(what),
          options_(options),
          pace_(options),
          order_(evidence::exact),
          infers_waits_(what.facts().has_unseen_state()),  // the order pass of a scenario does it
          control_(what, options.on, &order_, options.steps_max,
                   {options.all_policies, options.spurious_wakeups}) {
        out_.has_modelled_state = false;
        control_.so_far = [this] { return so_far(); };
        control_.schedule_so_far = [this] { return shown({}, {}); };
        control_.notes().compare_executions();
    }

    /// Adds a finding that was made without an execution, so that it gets a verdict too. Call it
    /// before `explore`.
    void add(finding known) {
        known.judged = verdict::unresolved;
        known.reason.clear();
        note_locks(known, cycle_locks_);
        found_.push_back({std::move(known), {}, true});
    }

    /// Searches within the budget, then settles every finding.
    outcome explore() {
        while (search(~std::uint64_t{0})) {
        }
        return settle();
    }

    /// Searches for this many more executions or steps, whichever comes first. Returns false if the
    /// budget is spent, or if everything was tried.
    bool search(std::uint64_t more, std::uint64_t steps_more = ~std::uint64_t{0}) {
        if (how_ == nullptr) how_ = make_strategy(subject_, options_, cycle_locks_);
        const std::uint64_t before = out_.steps;
        for (; more != 0 && out_.steps - before < steps_more && !is_over(); --more) {
            if (!how_->new_execution()) return end_search(how_->is_exhaustive() && !is_cut_);
            observe_waits(is_observed(out_.executions + out_.pruned));
            run(*how_);
            out_.states = how_->states();
        }
        return !is_over() || end_search(false);
    }

    /// Returns whether an execution behaved differently from an earlier one with equal decisions.
    /// Then nothing is proved, refuted or repeated any more.
    bool differs() const noexcept { return differs_; }

    /// Returns what is known between executions, without verdicts.
    outcome so_far() const {
        outcome known = out_;
        known.has_modelled_state = has_modelled_state();
        if (control_.weaker_order().is_known())
            known.weaker_order = to_string(control_.weaker_order());
        known.has_limited_wakes = control_.has_limited_wakes();
        add_unsettled(known, found_);
        return known;
    }

    /// Adds the lock pairs that the executions have shown.
    void add_lock_pairs(lock_pair_list& to) const { to.add(order_.graph()); }

    /// Hands over what was found, for another session to settle.
    std::vector<sighting> sightings() {
        add_inferred();
        for (sighting& each : found_) {
            if (each.is_of_order && !each.is_reached) order_.regrade(each.what);
            each.is_graded = true;
        }
        return std::exchange(found_, {});
    }

    /// Settles what other sessions have found, each finding once.
    ///
    /// @param counts  of all their executions
    outcome settle(std::vector<sighting> found, outcome counts) {
        out_ = std::move(counts);
        for (sighting& each : found) take_over(std::move(each));
        return settle();
    }

    /// Gives each finding a verdict: reached, built, refuted, or unresolved.
    outcome settle() {
        add_inferred();
        note_lock_pairs();  // now, since minimising resets the checker
        out_.phase = "building deadlocks";
        explain_by_hangs(found_);
        // Confirming may add sightings, so the loop counts places in the list.
        for (std::size_t i = 0; i < found_.size() && !out_.exhausted && !differs_; ++i) {
            regrade(found_[i]);
            if (found_[i].needs_verdict() && !is_about_interrupts(found_[i].what.kind))
                static_cast<void>(confirm_cycle(finding(found_[i].what)));
        }
        note_lock_pairs();
        return judged();
    }

    /// Runs an execution along a schedule, with the options that the schedule was recorded under.
    /// What it shows is final.
    outcome replay(const schedule& along, replay_mode mode) {
        options_.all_policies |= along.open.all_policies;
        options_.spurious_wakeups |= along.open.spurious_wakeups;
        control_.leave_open(open());
        control_.set_bound(
            std::max(options_.steps_max, livelock_watch::bound_of(along, options_.steps_max)));
        schedule_replay how(along.decisions, mode, along.circle);
        const execution_record done = run(how);
        left_early_ = how.is_left_early();
        // A search may have given the execution up after the finding, so its schedule ends there.
        const bool is_over =
            mode == replay_mode::strict && how.ends_first() && has(found_, along.signature);
        if (!is_over) out_.diverged = how.diverged();
        if (mode == replay_mode::strict && !out_.diverged.empty()) found_.clear();
        for (sighting& each : found_) {
            if (is_difference(each)) continue;
            regrade(each);  // later steps may give a better explanation
            each.what.best = shown(done, each.what.signature);
            if (done.stuck && is_among(each.what, *done.stuck)) adopt(each.what, *done.stuck);
        }
        return finish();
    }

    /// Runs an execution along these decisions, and minimises what happened in it, as `explore`
    /// does.
    outcome minimized_along(const std::vector<decision>& decisions) {
        schedule_replay how(decisions, replay_mode::strict);
        run(how);
        if (!how.diverged().empty()) found_.clear();
        std::erase_if(found_, [](const sighting& each) { return each.needs_verdict(); });
        for (std::size_t i = 0; i < found_.size() && !differs_; ++i)
            if (found_[i].what.judged != verdict::refuted) make_definitive(i);
        return finish();
    }

    /// Returns whether another deadlock is as good as the one that is looked for.
    using accepts = std::function<bool(const finding& stuck)>;

    /// Tries to build the deadlock of one cycle. An accepted other deadlock ends the attempt too;
    /// nothing else that is seen counts.
    outcome confirm(const finding& cycle, const accepts& or_else = nullptr) {
        found_.push_back({cycle, {}, true});
        static_cast<void>(confirm_cycle(cycle, or_else));
        std::erase_if(found_, [&](const sighting& each) {
            const bool counts = each.is_reached && or_else && or_else(each.what);
            return &each != found_.data() && !counts && !is_difference(each);
        });
        return judged();
    }

    /// Returns the decisions of an execution that shows again what has happened once. It follows
    /// the hints as far as they lead, then searches like `confirm` or `explore`. It minimises
    /// nothing, and gives no verdict.
    std::optional<std::vector<decision>> reach(const finding& like,
                                               const std::vector<decision>& hints) {
        schedule_replay along(hints, replay_mode::lenient);
        const sighting wanted{like, {}, false, like.is_stuck()};
        const execution_record done = run(along);
        const bool is_there =
            is_shown(wanted, done, order_.findings()) ||
            (done.stuck && is_part_of(*done.stuck, like)) ||
            (!like.cycle.empty() ? confirm_cycle(like)
                                 : builds(*make_strategy(subject_, options_, {}), wanted));
        return is_there ? std::optional(control_.decisions()) : std::nullopt;
    }

private:
    static constexpr std::uint64_t confirmations_max = 1000;

    /// Returns whether the next execution shows what tasks do around their waits. That costs about
    /// as much as the checker, and later executions of a search show little that is new.
    bool is_observed(std::uint64_t number) const noexcept {
        constexpr std::uint64_t first = 16;
        constexpr std::uint64_t first_of_waits = 1024;
        constexpr std::uint64_t later = 64;  // one of so many
        return infers_waits_ &&
               (number < (waits_.has_waits() ? first_of_waits : first) || number % later == 0);
    }
    void observe_waits(bool does) noexcept {
        if (!infers_waits_) return;
        waits_.begin_execution(
            {.tasks = subject_.tasks(), .locks = lock_table::first_made_by_task});
        control_.report_to(does ? static_cast<sink*>(&waits_) : &order_);
    }
    /// Adds the cycles through waits that no known hang explains (rule 19d). It is called when the
    /// search is over.
    void add_inferred() {
        observe_waits(false);
        for (finding& each : waits_.findings(order_.graph())) {
            const bool is_explained =
                has(found_, each.signature) ||
                std::any_of(found_.begin(), found_.end(), [&](const sighting& other) {
                    const finding* const hang = detail::hang_of(other);
                    return hang != nullptr && is_among(each, *hang);
                });
            if (is_explained) continue;
            note_locks(each, cycle_locks_);
            found_.push_back({std::move(each), {}, true});
            found_.back().is_graded = true;
        }
    }

    bool is_over() const {
        return differs_ || out_.executions + out_.pruned >= options_.executions_max ||
               out_.steps >= options_.steps_all_max || is_to_stop();
    }
    bool is_to_stop() const { return options_.is_to_stop(); }

    execution_record run(search_strategy& how) {
        const std::size_t before = found_.size();
        repeats_.before(out_.executions + out_.pruned + 1);
        execution_record done = control_.run(how);
        observe_waits(false);  // the check of repeats runs other executions
        ++(done.how == ending::pruned ? out_.pruned : out_.executions);
        out_.steps += done.steps;
        if (done.left != 0 && out_.left == 0) out_.first_left = done.first_left;
        out_.left += done.left;
        leaves_out_ = leaves_out_ || done.leaves_out;
        if (done.how == ending::bounded && !std::exchange(out_.bounded, true))
            out_.best = shown(done, {});
        is_cut_ = is_cut_ || (how.counts_for_proof() ? is_cut(done, how) : done.is_foreign);
        for (; known_ < order_.findings().size(); ++known_)
            see_order(order_.findings()[known_], done);
        if (done.stuck) see_stuck(*done.stuck, done);
        if (done.how == ending::threw) see_exception(done);
        if (auto other =
                repeats_.after(done, out_.executions + out_.pruned, found_.size() != before))
            see_difference(std::move(*other));
        if (pace_.is_due(out_.executions + out_.pruned, out_.steps))
            options_.on_progress(so_far(), options_.progress_data);
        return done;
    }

    /// Returns whether an execution ended before all its tasks could.
    static bool is_cut(const execution_record& done, const search_strategy& how) {
        if (done.how == ending::threw) return done.is_foreign || !how.follows_failures();
        return done.how == ending::bounded || done.how == ending::livelock;
    }

    /// Replays the livelock that the search found, if any, and determines what the search proves.
    ///
    /// @return false
    bool end_search(bool is_exhausted) {
        if (auto other = repeats_.at_the_end()) see_difference(std::move(*other));
        if (differs_) return false;
        const std::vector<decision> circle = how_->livelock(livelock_watch::rounds);
        bool is_replayed = true;
        if (!circle.empty()) {
            schedule_replay along(circle, replay_mode::strict);
            control_.set_bound(std::max<std::uint64_t>(options_.steps_max, circle.size() + 1));
            is_replayed = run(along).how == ending::livelock;
            control_.set_bound(options_.steps_max);
        }
        out_.exhausted = is_exhausted;
        out_.reason =
            is_exhausted && leaves_out_
                ? "a timer or delayed work queued itself, and its later runs were left out"
                : why_unproved(*how_, options_, out_, is_replayed);
        if (is_exhausted && out_.reason.empty())
            out_.reason = control_.notes().missed_notification();
        if (is_exhausted && out_.reason.empty() && repeats_.has_foreign_thread())
            out_.reason =
                "the workload starts a thread that is no task, and what that does is not "
                "explored; start it as a wedge::thread";
        out_.exhausted = is_exhausted && out_.reason.empty() && !differs_;
        return false;
    }

    void see_difference(finding seen) {
        out_.exhausted = false;
        if (std::exchange(differs_, true)) return;
        found_.push_back({std::move(seen), {}});
    }
    static bool is_difference(const sighting& each) {
        return each.what.kind == finding_kind::nondeterministic;
    }

    void see_order(const finding& seen, const execution_record& in) {
        for (sighting& each : found_) {
            if (!each.is_of_order || each.what.signature != seen.signature) continue;
            if (!each.is_graded) each.what = seen;
            if (!each.is_reached) each.shown = shown(in, {});
            return;
        }
        note_locks(seen, cycle_locks_);
        found_.push_back({seen, shown(in, {}), true});
    }

    void take_over(sighting other) {
        differs_ = differs_ || is_difference(other);
        if (is_known_to(found_, other)) return;
        if (other.is_of_order) note_locks(other.what, cycle_locks_);
        add_to(found_, std::move(other));
    }

    void regrade(sighting& each) const {
        if (each.is_of_order && !each.is_graded) order_.regrade(each.what);
    }

    void see_stuck(const finding& stuck, const execution_record& in) {
        if (!note_hang(found_, stuck, in.round, [&] { return shown(in, {}); }))
            add_to(found_, {stuck, shown(in, {}), false, true});
    }

    void see_exception(const execution_record& in) {
        const finding thrown = finding_of_exception(in.thrown, in.tasks);
        if (!has(found_, thrown.signature)) found_.push_back({thrown, shown(in, {})});
    }

    outcome judged() {
        explain_by_hangs(found_);
        for (std::size_t i = 0; i < found_.size() && !differs_; ++i) {
            sighting& each = found_[i];
            if (!each.is_reached) regrade(each);
            if (each.needs_verdict())
                judge_unreached(each, found_, out_.exhausted, subject_);
            else if (each.is_reached || each.what.judged != verdict::refuted)
                make_definitive(i);
        }
        return finish();
    }

    bool confirm_cycle(const finding& wanted, const accepts& or_else = nullptr) {
        return build_cycle(wanted, options_.seed, [&](search_strategy& how, const sighting& like) {
            return builds(how, like, or_else);
        });
    }

    bool builds(search_strategy& how, const sighting& wanted, const accepts& or_else = nullptr) {
        const std::uint64_t most = std::min(confirmations_max, options_.executions_max);
        for (std::uint64_t i = 0; i < most && !is_to_stop() && !differs_ && how.new_execution();
             ++i) {
            const execution_record done = run(how);
            if (is_shown(wanted, done, order_.findings()) ||
                (or_else && done.stuck && or_else(*done.stuck)))
                return true;
        }
        return false;
    }

    /// Minimises the schedule, and takes the finding as a replay of it in a fresh session shows it,
    /// so that a replay in another process prints equal bytes. May add a finding that it does not
    /// repeat.
    void make_definitive(std::size_t number) {
        sighting& each = found_[number];
        if (minimizing_ == nullptr) minimizing_ = std::make_unique<session>(subject_, options_);
        schedule small = minimizing_->smallest(each);
        if (minimizing_->differs_) return see_difference(minimizing_->found_.back().what);
        if (!shown_again(each, small) && small.circle != 0) {
            small = each.shown;  // minimising with fewer rounds took a long loop for a livelock
            static_cast<void>(shown_again(each, small));
        }
        if (different_again_) return see_difference(std::move(*different_again_));
        if (each.hang && each.what.judged != verdict::confirmed) adopt(each.what, *each.hang);
        // A replay alone infers nothing: it shows the hang.
        const bool is_hang_alone = has_inferred_wait(each.what) && !each.what.hang.empty();
        small.signature = is_hang_alone ? each.what.hang : each.what.signature;
        each.what.best = std::move(small);
    }

    /// Adds the lock pairs that this session has seen to those of other sessions.
    void note_lock_pairs() {
        lock_pair_list seen;
        seen.add(out_.lock_pairs);
        add_lock_pairs(seen);
        out_.lock_pairs = seen.all();
    }

    bool shown_again(sighting& each, const schedule& by) {
        session apart(subject_, options_);
        const outcome out = apart.replay(by, replay_mode::strict);
        if (apart.differs_) different_again_ = out.findings.back();
        if (by.circle == 0 && apart.left_early_ && control_.notes().are_traces_kept())
            different_again_ = finding_of_divergence(out.diverged);
        for (const finding& again : out.findings) {
            if (again.signature != each.what.signature) continue;
            each.what = again;
            return true;
        }
        return false;
    }

    schedule smallest(const sighting& wanted) {
        const bool is_circle = wanted.shown.circle != 0;
        control_.set_bound(livelock_watch::bound_of(wanted.shown, options_.steps_max));
        std::uint64_t steps = 0;  // a stop waits for at most this many steps
        return minimize(wanted.shown, [&](const schedule& hints) -> std::optional<schedule> {
            if (is_to_stop() && steps >= progress_pace::steps_between) return std::nullopt;
            schedule_replay how(hints.decisions, replay_mode::lenient, hints.circle);
            if (!wanted.is_reached) {  // the order checker must see it again
                order_.reset();
                control_.forget();
            }
            const execution_record done = control_.run(how);
            steps += done.steps;
            if (done.how == ending::differs) see_difference(control_.notes().difference());
            if (differs_) return std::nullopt;
            const bool claims_less = done.how == ending::livelock && !is_circle;
            if (claims_less || !is_shown(wanted, done, order_.findings())) return std::nullopt;
            return shown(done, {});
        });
    }

    /// Returns the last execution as a schedule.
    schedule shown(const execution_record& done, std::string signature) const {
        schedule made = subject_.blank();
        made.signature = std::move(signature);
        made.open = open();
        return with_circle(std::move(made), control_.decisions(), done.round);
    }

    bool has_modelled_state() const noexcept {
        return out_.has_modelled_state || control_.has_seen_locks();
    }

    model_options open() const { return {options_.all_policies, options_.spurious_wakeups}; }

    outcome finish() {
        out_.has_modelled_state = has_modelled_state();
        if (out_.weaker_order.empty() && control_.weaker_order().is_known())
            out_.weaker_order = to_string(control_.weaker_order());
        out_.has_limited_wakes = out_.has_limited_wakes || control_.has_limited_wakes();
        if (differs_) {
            out_.exhausted = false;
            out_.reason = "the workload does not repeat itself";
            std::for_each(found_.begin(), found_.end(), withdraw);
        }
        conclude(out_, std::exchange(found_, {}));
        return std::move(out_);
    }

    subject& subject_;
    explore_options options_;
    progress_pace pace_;
    checker order_;
    observed_waits waits_{order_};
    const bool infers_waits_;
    controller control_;
    std::unique_ptr<search_strategy> how_;
    std::unique_ptr<session> minimizing_;  // one session for all findings
    outcome out_;
    repeat_check repeats_{control_, subject_, options_.how};
    // The difference that a replay in another session showed.
    std::optional<finding> different_again_;
    bool differs_ = false;     // an execution behaved differently from an earlier one
    bool left_early_ = false;  // the replay left its schedule
    bool leaves_out_ = false;  // an execution left out runs of an item that queues itself
    bool is_cut_ = false;    // an execution ended before all its tasks could, so nothing is proved
    std::size_t known_ = 0;  // the number of the checker's findings that are in found_
    std::vector<sighting> found_;
    std::vector<std::uint32_t> cycle_locks_;  // the locks of the cycles in found_
};

}  // namespace wedge
