// The order pass: each block alone, no waiting, both branches of everything.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/signature.hpp"
#include "wedge/core/steps.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/order/lock_pairs.hpp"
#include "wedge/scenario/run.hpp"
#include "wedge/scenario/walked_waits.hpp"

namespace wedge::scenario {

/// Walks all paths through each block, as a runtime that grants every wait.
///
/// A try of a lock that the task holds fails; every other try, and every test, is answered both
/// ways. Loops run 0, 1 and 2 times; `repeat` runs as often as it says, but at most twice.
class order_walk final : public runtime, private walk_guide {
public:
    explicit order_walk(const document& all) : waits_(all, order_), subject_(all, {}, this) {
        has_exclusion_ = false;
        setup_.runtime = this;
        setup_.sink = &order_;
        setup_.ordinal = ~0U;
        setup_.name = "set-up";
        self_.runtime = this;
        self_.sink = &order_;
        if (waits_.has_events() || subject_.has_joins()) self_.sink = &waits_;
    }

    /// Returns what the order checker says about all paths. Paths that were not walked are a
    /// finding.
    ///
    /// @param stop  may be null
    std::vector<finding> run(const std::atomic<bool>* stop) {
        execution_ = reserve_executions(1);
        task* const before = wedge::detail::current_task;
        wedge::detail::current_task = &setup_;
        subject_.begin();
        for (const scenario_subject::walk_visit& visit : subject_.visits()) walk(visit, stop);
        giving_up_ = true;
        wedge::detail::current_task = &setup_;
        subject_.end();
        giving_up_ = false;
        wedge::detail::current_task = before;
        std::vector<finding> found = order_.findings();
        for (finding& each : waits_.findings(order_.graph())) found.push_back(std::move(each));
        for (finding& each : found) settle(each);
        found.insert(found.end(), cut_.begin(), cut_.end());
        return found;
    }

    /// Returns every dependency between classes that was seen or stated, in the order of discovery,
    /// once per way in which it was seen. Call it after `run`.
    std::vector<dependency> dependencies() const {
        std::vector<dependency> all;
        const order_graph& graph = order_.graph();
        for (std::uint32_t e = 0; e < graph.edges(); ++e)
            for (const observation& seen : graph.edge_at(e).seen)
                all.push_back(wedge::detail::dependency_of(seen));
        return all;
    }

    /// Returns the lock pairs of the text: of all paths through all blocks. Call it after `run`.
    std::vector<dependency> lock_pairs() const {
        lock_pair_list all;
        all.add(order_.graph());
        return all.all();
    }

    /// Returns the name of each lock, by its ordinal, which is equal in the exploration. Call it
    /// after `run`.
    const std::map<std::uint32_t, std::string>& titles() const noexcept {
        return subject_.lock_titles();
    }

    bool perform_pending(task& self) override {
        const operation& next = self.pending;
        if (next.what == step::join)
            waits_.joins(self, subject_.thread_name(next.other), next.where);
        else if (&self == &self_)
            waits_.performs(self);
        const bool backs_off = next.ticket != nullptr && next.ticket->may_back_off && may_back_off;
        const bool may_fail = next.what == step::try_acquire || next.timed || backs_off;
        if (!may_fail) return true;
        if (next.what == step::try_acquire) {
            const held_lock* const mine = self.held.find(next.lock->instance());
            if (mine != nullptr && next.lock->kind() != lock_kind::recursive_mutex &&
                (!is_shared(mine->how) || !is_shared(next.how)))
                return false;
        }
        return choose(self, 2, "both branches") == 0;
    }

    std::uint32_t choose(task&, std::uint32_t n, const char*) noexcept override {
        if (depth_ == path_.size()) path_.push_back({0, n});
        return path_[depth_++].chosen;
    }

    std::uint32_t spawn(task&, task_body, const char*, bool) override { return 0; }
    void created(lock_identity& lock) noexcept override { lock.adopt(execution_, ++locks_); }
    void met(lock_identity& lock) noexcept override { lock.adopt(execution_, ++locks_); }
    void destroyed(lock_identity&) noexcept override {}
    void progress(task&) noexcept override {}

private:
    static constexpr unsigned paths_max = 4096;           // per block: twelve tests in a row
    static constexpr unsigned statements_max = 10'000;    // per path
    static constexpr std::uint64_t all_max = 20'000'000;  // over all paths: a few seconds

    struct answer {
        std::uint32_t chosen;
        std::uint32_t among;
    };
    struct too_long {};
    struct endless {};

    [[noreturn]] void never_ends() override { throw endless{}; }
    void count_statement() override {
        if (statements_ == 0) waits_.begin_body();  // what it was entered through is no step of it
        if (++statements_ > statements_max || ++all_statements_ > all_max) throw too_long{};
    }

    void waits_for_wake(const std::string& queue, bool is_endless, site where) override {
        waits_.waits_for_wake(self_, queue, is_endless, where);
    }
    void wakes(const std::string& queue, site where) override { waits_.wakes(self_, queue, where); }

    void walk(const scenario_subject::walk_visit& visit, const std::atomic<bool>* stop) {
        path_.clear();
        self_.name = visit.what->name;
        self_.ordinal = visit.ordinal;
        for (unsigned paths = 0; stop == nullptr || !stop->load(std::memory_order_relaxed);) {
            depth_ = 0;
            statements_ = 0;
            bool is_whole = true;
            wedge::detail::current_task = &self_;
            try {
                subject_.walk(visit);
                wedge::detail::task_ended(self_);
                if (subject_.is_joined(*visit.what))
                    waits_.ends(self_, visit.what->name, subject_.place_of(*visit.what));
            } catch (const too_long&) {
                is_whole = false;
            } catch (const endless&) {  // an endless loop has no end at which locks could be held
            }
            self_.held.clear();
            self_.chain = 0;
            self_.scopes = 0;
            self_.contexts = {};
            self_.context = context::task;
            if (all_statements_ > all_max)
                return add_cut(visit, "paths left out, after", all_max, "statements");
            if (!is_whole) add_cut(visit, "a path longer than", statements_max, "statements");
            if (!next_path()) return;
            if (++paths == paths_max) return add_cut(visit, "more than", paths_max, "paths");
        }
    }

    bool next_path() {
        path_.resize(depth_);
        while (!path_.empty() && path_.back().chosen + 1 == path_.back().among) path_.pop_back();
        if (path_.empty()) return false;
        ++path_.back().chosen;
        return true;
    }

    void add_cut(const scenario_subject::walk_visit& visit, const char* what, std::uint64_t most,
                 const char* unit) {
        finding cut;
        cut.kind = finding_kind::capacity;
        cut.what = "order pass: " + visit.what->name + " has " + what + " " + std::to_string(most) +
                   " " + unit;
        cut.task = visit.what->name;
        cut.signature = signature_of(cut) + " " + cut.what;
        for (const finding& known : cut_)
            if (known.signature == cut.signature) return;
        cut_.push_back(std::move(cut));
    }

    void settle(finding& found) const {
        order_.regrade(found);
        if (found.judged == verdict::refuted) return;
        found.judged = verdict::unresolved;
        found.reason = "seen in the order pass, where every branch is walked and nothing blocks";
    }

    checker order_{evidence::exact};
    walked_waits waits_;
    task setup_;
    task self_;
    scenario_subject subject_;
    std::vector<answer> path_;
    std::size_t depth_ = 0;
    unsigned statements_ = 0;
    std::uint64_t all_statements_ = 0;
    std::uint32_t locks_ = 0;
    std::vector<finding> cut_;
};

}  // namespace wedge::scenario
