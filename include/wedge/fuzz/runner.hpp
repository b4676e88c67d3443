// Runs inputs: what an input shows, and whether that is real.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/verdict/reached_signature.hpp"
#include "wedge/fuzz/byte_strategy.hpp"
#include "wedge/fuzz/coverage.hpp"
#include "wedge/fuzz/order_memory.hpp"
#include "wedge/fuzz/settle.hpp"
#include "wedge/fuzz/subject.hpp"
#include "wedge/order/lock_pairs.hpp"
#include "wedge/order/observed_waits.hpp"

namespace wedge {

/// A real finding of a fuzz target.
struct fuzz_sighting {
    finding what;              ///< with a schedule that repeats it
    std::string signature;     ///< of the deadlock itself, whichever finding led to it
    action_program input;      ///< repeats the finding too: the smallest input that was found
    bool is_composed = false;  ///< of tasks of several inputs, none of which shows it alone
    std::vector<std::string> inputs{};  ///< names of those inputs, as `name_of_input` makes them
};

/// Returns a name for an input, made from the hash of its bytes.
inline std::string name_of_input(const action_program& input) {
    const std::vector<std::uint8_t> bytes = encode(input);
    return short_hash({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// Runs inputs of one workload. The controller, the fibers and the checker live on between inputs.
///
/// It reports a lock-order finding only once its deadlock was built. Suspects that were not built
/// yet are tried again at growing intervals, in other programs. Without suspects the order checker
/// hears only executions with something new for it.
class fuzz_runner {
public:
    /// An execution of a program of 32 calls takes a few hundred steps.
    static constexpr std::uint64_t steps_max = 5000;

    explicit fuzz_runner(const fuzz_design& of, std::uint8_t number = 0)
        : design_(of),
          number_(number),
          order_(evidence::exact),
          waits_(order_),
          feedback_(waits_),
          subject_(std::make_unique<fuzz_subject>(*of.type)),
          control_(*subject_, substrate::automatic, &feedback_, steps_max),
          settlement_(of, {.steps_max = steps_max}) {
        // What happens only once, such as making classes, must not count for the first input.
        const uncounted_scope once;
        subject_->begin();
        subject_->end();
    }

    std::optional<fuzz_sighting> run(const action_program& input) {
        split_by_task(input, tasks_);
        if (tasks_.empty()) {
            feedback_.begin_execution(fuzz_pass::counting);
            return std::nullopt;
        }
        answers_.use(input.answers);
        const bool is_hasty = passes_over_ && ++inputs_behind_ % thorough_every != 0;
        const fuzz_pass pass = has_suspects_ && !is_hasty ? fuzz_pass::both : fuzz_pass::counting;
        execution_record done = run(answers_, pass);
        if (pass == fuzz_pass::counting && !feedback_.saw_new() &&
            (done.how == ending::complete || is_passed_over(done)))
            return std::nullopt;
        const uncounted_scope second_look;
        ++inputs_;
        if (pass == fuzz_pass::counting) {
            answers_.use(input.answers);
            done = run(answers_, fuzz_pass::checking);
        }
        lock_pairs_.add(order_.graph());
        const std::optional<std::string> signature = happened(done);
        if (passes_over_ && !signature && done.stuck) passed_over_.insert(key_of(*done.stuck));
        if (signature && inputs_behind_ >= settles_from_ && may_settle()) {
            if (auto made = sighting_of(
                    settlement_.replay(control_.decisions(), *signature, tasks_), *signature))
                return made;
            put_off_settling();
        }
        for (const finding& cycle : cycles()) {
            const std::uint64_t executions_max = worth_of(cycle);
            if (executions_max == 0) continue;
            if (auto made = confirmed(cycle, tasks_, executions_max)) return made;
            has_suspects_ = has_suspects_ || !is_known(cycle.signature);
        }
        for (order_memory::cycle& each :
             memory_.learn(order_.graph(), tasks_, name_of_input(input)))
            waiting_.push_back(std::move(each));
        return composed();
    }

    /// Ignores from now on what this sighting shows, so that other findings come to light.
    void pass_over(const fuzz_sighting& known) {
        known_.insert(known.what.signature);
        pass_over(known.signature);
    }
    /// The same for a finding of which only the signature is known, as from an earlier run.
    void pass_over(const std::string& signature) {
        known_.insert(signature);
        if (!passes_over_) settled_before_ = settlement_.executions();
        passes_over_ = true;
        fruitless_ = 0;
    }

    const fuzz_design& design() const noexcept { return design_; }
    const order_memory& memory() const noexcept { return memory_; }
    std::size_t chains() const noexcept { return feedback_.chains(); }

    /// Returns the lock pairs that inputs have shown.
    const std::vector<dependency>& lock_pairs() const noexcept { return lock_pairs_.all(); }
    std::size_t programs_composed() const noexcept { return composed_; }
    std::size_t refuted() const noexcept { return refuted_; }

    /// Returns the number of programs that were tried to settle findings.
    std::uint64_t tries() const noexcept { return settlement_.tries(); }

    /// Returns the number of executions that settled something since a finding is passed over.
    std::uint64_t settled() const noexcept {
        return passes_over_ ? settlement_.executions() - settled_before_ : 0;
    }

    /// Returns the tasks of the current or last execution; null for a task that took no step.
    std::span<const task* const> tasks() const noexcept { return feedback_.tasks(); }

private:
    /// A cycle whose deadlock could not be built so far.
    struct suspect {
        std::uint64_t inputs = 0;      // the number of inputs that have shown it
        std::uint64_t last_input = 0;  // the number of the last of them
    };

    /// Behind a finding that is passed over most inputs hang in it, and cycles that lead to it stay
    /// suspects. Looking at each of these inputs twice would take nearly all the time, so only one
    /// input of this many is.
    static constexpr std::uint64_t thorough_every = 16;

    static constexpr std::uint64_t confirm_step = 50;
    static constexpr std::uint64_t confirm_composed = 300;  // each program is composed once

    /// An execution that settles something costs as much as so many inputs at most: it is recorded
    /// and checked, and its search begins anew for each program.
    static constexpr std::uint64_t inputs_per_settling = 4;
    /// So many executions may settle something before the inputs count, so that a short run finds a
    /// second bug too.
    static constexpr std::uint64_t settled_at_once = 500;

    /// Behind a finding that is passed over, most cycles and hangs lead back to it, and finding
    /// that out takes hundreds of executions for each of them. So all of it together may cost as
    /// much as the inputs since then: a known finding costs half of the speed at most.
    bool may_settle() const noexcept {
        return settled() <= settled_at_once + inputs_behind_ / inputs_per_settling;
    }

    /// Tries the programs that are composed of several inputs and wait for it.
    std::optional<fuzz_sighting> composed() {
        while (!waiting_.empty() && may_settle()) {
            const order_memory::cycle each = std::move(waiting_.front());
            waiting_.pop_front();
            if (is_known(each.what.signature)) continue;
            ++composed_;
            for (const auto& tasks : each.programs)
                if (auto made = confirmed(each.what, tasks, confirm_composed)) {
                    made->is_composed = true;
                    made->inputs = each.inputs;
                    return made;
                }
            if (is_known(each.what.signature)) continue;
            if (settlement_.is_refuted(each.programs.front())) ++refuted_;
            has_suspects_ = true;
        }
        return std::nullopt;
    }

    /// Returns what the checker says about the last execution, and then the cycles through waits.
    std::vector<finding> cycles() const {
        std::vector<finding> all = order_.findings();
        for (finding& each : waits_.findings(order_.graph())) all.push_back(std::move(each));
        return all;
    }

    execution_record run(search_strategy& how, fuzz_pass pass) {
        subject_->use(tasks_);
        if (pass != fuzz_pass::counting) {
            order_.reset();
            waits_.reset();
        }
        feedback_.begin_execution(pass);
        execution_record done = control_.run(how);
        feedback_.end_execution();
        return done;
    }

    /// Returns the signature of what has happened and is not to be ignored: a deadlock, an
    /// exception, or a mistake that needs no schedule.
    std::optional<std::string> happened(const execution_record& done) const {
        if (done.stuck && !is_known(name_of_bug(*done.stuck))) return done.stuck->signature;
        if (done.how == ending::threw) {
            std::string thrown = exception_signature(done.thrown);
            if (!is_known(thrown)) return thrown;
        }
        for (const finding& each : order_.findings())
            if (each.judged == verdict::observed && each.kind != finding_kind::capacity &&
                !is_known(each.signature) && !is_known(name_of_bug(each)))
                return each.signature;
        return std::nullopt;
    }
    /// Names the bug by the order that the workload has stated, and by what the checker said about
    /// the last execution. Each execution states the order again.
    std::string name_of_bug(const finding& reached, const stated_order& stated) const {
        return reached_signature(reached, stated, order_.findings());
    }
    std::string name_of_bug(const finding& reached) const {
        return name_of_bug(reached, stated_order(order_.graph()));
    }
    bool is_known(const std::string& signature) const { return known_.contains(signature); }

    /// Behind a finding that is passed over, another hang usually turns out to be the same one once
    /// it is minimised, which takes as long as hundreds of inputs. So the pauses between attempts
    /// grow while they bring nothing new.
    void put_off_settling() noexcept {
        if (!passes_over_) return;
        constexpr unsigned pause_max = 12;  // 4096 inputs
        settles_from_ = inputs_behind_ + (std::uint64_t{1} << fruitless_);
        if (fruitless_ < pause_max) ++fruitless_;
    }

    /// Returns a number for what decides the name of a hang: its waits, and what each task held and
    /// wanted where.
    static std::uint64_t key_of(const finding& stuck) {
        std::uint64_t key = hash_text(stuck.signature);
        const auto add = [&](const lock_use& lock) {
            key = combine(key, lock.class_id);
            key = combine(key, static_cast<std::uint64_t>(lock.how) << 32 | lock.where.line);
        };
        for (const task_report& task : stuck.tasks) {
            for (const lock_use& lock : task.held) add(lock);
            if (task.wanted) add(*task.wanted);
            key = combine(key, hash_text(task.waits_for));
        }
        return key;
    }
    /// Returns whether an execution ended in a hang that was looked at, and is to be ignored.
    bool is_passed_over(const execution_record& done) const {
        return passes_over_ && done.stuck && passed_over_.contains(key_of(*done.stuck));
    }

    /// Returns the number of executions to spend on an unresolved cycle. Only the first, second,
    /// fourth … input that shows it gets any, and later ones get more: most cycles are built at
    /// once or never. Cycles that differ only in pseudo-locks count as one, since equal waits would
    /// close them.
    std::uint64_t worth_of(const finding& cycle) {
        if (cycle.judged != verdict::unresolved || is_known(cycle.signature)) return 0;
        if (!may_settle()) {  // it is not counted as an attempt
            has_suspects_ = true;
            return 0;
        }
        const std::vector<dependency> waits = real_cycle(cycle.cycle);
        if (waits.empty()) return 0;
        suspect& tried = suspects_[cycle_signature(waits)];
        if (std::exchange(tried.last_input, inputs_) == inputs_) return 0;
        if (!std::has_single_bit(++tried.inputs)) return 0;
        return confirm_step * static_cast<std::uint64_t>(std::bit_width(tried.inputs));
    }

    /// Returns the deadlock of a cycle, or another deadlock that is new.
    std::optional<fuzz_sighting> confirmed(const finding& cycle,
                                           const fuzz_subject::task_records& tasks,
                                           std::uint64_t executions_max) {
        const stated_order stated(order_.graph());
        const auto is_news = [&](const finding& stuck) {
            return !is_known(name_of_bug(stuck, stated));
        };
        std::optional<fuzz_settlement::settled> shown =
            settlement_.confirm(cycle, tasks, executions_max, is_news);
        const std::string led_by = shown ? shown->what.signature : "";
        return sighting_of(std::move(shown), led_by);
    }

    /// Returns the smallest sighting; nothing if there is none, or if it is to be ignored. What led
    /// to an ignored sighting is ignored from then on.
    ///
    /// @param led_by  the signature of the finding that was settled
    std::optional<fuzz_sighting> sighting_of(std::optional<fuzz_settlement::settled> shown,
                                             const std::string& led_by) {
        if (!shown) return std::nullopt;
        const std::string before = name_of_bug(shown->what);
        if (!is_known(before)) {
            fuzz_sighting made = reported(std::move(*shown));
            if (!is_known(made.signature)) return made;
            known_.insert(before);
        }
        known_.insert(led_by);
        return std::nullopt;
    }

    fuzz_sighting reported(fuzz_settlement::settled shown) {
        shown = settlement_.smallest(std::move(shown));
        fuzz_sighting made;
        made.what = std::move(shown.what);
        tasks_ = std::move(shown.tasks);
        std::erase_if(tasks_, [](const auto& each) { return each.empty(); });
        schedule_replay along(made.what.best.decisions, replay_mode::strict);
        byte_recorder answers(along);
        static_cast<void>(run(answers, fuzz_pass::checking));
        made.signature = name_of_bug(made.what);
        made.input.design = number_;
        made.input.tasks = static_cast<std::uint8_t>(tasks_.size());
        for (std::uint8_t task = 0; task < made.input.tasks; ++task)
            for (action_record each : tasks_[task]) {
                each.task = task;
                made.input.records.push_back(each);
            }
        made.input.answers = answers.answers();
        return made;
    }

    const fuzz_design& design_;
    const std::uint8_t number_;
    checker order_;
    observed_waits waits_;
    lock_pair_list lock_pairs_;
    fuzz_feedback feedback_;
    std::unique_ptr<fuzz_subject> subject_;
    controller control_;
    fuzz_settlement settlement_;
    byte_strategy answers_;
    order_memory memory_;
    fuzz_subject::task_records tasks_;
    bool has_suspects_ = false;                // cycles that could not be built so far
    std::deque<order_memory::cycle> waiting_;  // composed programs that were not tried yet
    std::uint64_t settled_before_ = 0;         // executions of settlements without known findings
    std::size_t composed_ = 0;
    std::size_t refuted_ = 0;
    std::uint64_t inputs_ = 0;                           // inputs that were looked at twice
    std::unordered_map<std::string, suspect> suspects_;  // by their cycle without pseudo-locks
    std::unordered_set<std::string> known_;              // signatures to ignore
    bool passes_over_ = false;                           // there is a finding to ignore
    std::uint64_t inputs_behind_ = 0;                    // inputs since then
    std::uint64_t settles_from_ = 0;                     // the first of these whose hang is settled
    unsigned fruitless_ = 0;  // settlements that brought nothing new, in a row
    std::unordered_set<std::uint64_t> passed_over_;  // hangs that are to be ignored
};

}  // namespace wedge
