#include "predict/predict.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "predict/history.hpp"

namespace wedge::predict {
namespace {

/// Candidates that differ only in when they happen, in the order of the trace.
struct abstract_acquire {
    std::uint32_t thread = 0;
    std::uint32_t lock = 0;
    bool is_read = false;
    std::vector<history_hold> holds;
    std::vector<std::size_t> concrete;  // places in `history::candidates`
};

bool excludes(bool is_read, bool is_other_read) noexcept {
    return !is_read || !is_other_read;
}

/// Returns whether the holder keeps the other from its lock.
bool blocks(const abstract_acquire& waiter, const abstract_acquire& holder) {
    for (const history_hold& hold : holder.holds)
        if (hold.lock == waiter.lock) return excludes(waiter.is_read, hold.is_read);
    return false;
}

/// Returns whether both may hold their locks at one time.
bool may_hold_together(const abstract_acquire& a, const abstract_acquire& b) {
    for (const history_hold& mine : a.holds)
        for (const history_hold& other : b.holds)
            if (mine.lock == other.lock && excludes(mine.is_read, other.is_read)) return false;
    return true;
}

/// The smallest set of events that can happen and contains what it was told to: closed under
/// causes, and with the releases of all sections but the last one of each lock. It only grows.
class closure {
public:
    explicit closure(const history& known)
        : known_(known), now_(known.thread_numbers.size()), next_(known.thread_numbers.size()) {}

    bool has(std::uint32_t thread, std::uint32_t index) const { return index <= now_[thread]; }
    bool is_possible() const noexcept { return is_possible_; }
    const clock_vector& events() const noexcept { return now_; }

    /// Adds events, and everything that they need.
    void add(const clock_vector& more) {
        join(now_, more);
        while (true) {
            take_sections();
            if (dirty_.empty()) return;
            const std::uint32_t lock = dirty_.back();
            dirty_.pop_back();
            close(locks_[lock]);
        }
    }

private:
    struct last_sections {
        std::vector<std::size_t> of_threads;  // the last reads and writes of each thread
        std::size_t latest = 0;               // section + 1
        std::size_t latest_write = 0;
    };

    /// Takes the sections that have just come into the set.
    void take_sections() {
        for (std::uint32_t thread = 0; thread < now_.size(); ++thread) {
            const std::vector<std::size_t>& all = known_.sections_of[thread];
            for (std::size_t& next = next_[thread]; next < all.size(); ++next) {
                const critical_section& section = known_.sections[all[next]];
                if (section.acquire_index > now_[thread]) break;
                last_sections& of = locks_[section.lock];
                std::erase_if(of.of_threads, [&](std::size_t other) {
                    return known_.sections[other].thread == thread;
                });
                of.of_threads.push_back(all[next]);
                of.latest = std::max(of.latest, all[next] + 1);
                if (!section.is_read) of.latest_write = std::max(of.latest_write, all[next] + 1);
                dirty_.push_back(section.lock);
            }
        }
    }

    /// Adds the releases of sections that come before another one which they exclude.
    void close(const last_sections& of) {
        // Adding events changes the list, but not before `take_sections`.
        for (const std::size_t each : of.of_threads) {
            const critical_section& section = known_.sections[each];
            if (each + 1 >= (section.is_read ? of.latest_write : of.latest)) continue;
            if (section.release == no_event) {
                is_possible_ = false;
                continue;
            }
            join(now_, known_.clock_of(section.release));
        }
    }

    const history& known_;
    clock_vector now_;
    std::vector<std::size_t> next_;  // by thread: the first section that is not in the set
    std::unordered_map<std::uint32_t, last_sections> locks_;
    std::vector<std::uint32_t> dirty_;
    bool is_possible_ = true;
};

class predictor {
public:
    predictor(const trace& recorded, const prediction_limits& limits)
        : known_(history_of(recorded)), limits_(limits) {}

    prediction_result run() {
        result_.has_accesses = known_.has_accesses;
        result_.acquires = known_.candidates.size();
        collect();
        result_.abstract_acquires = all_.size();
        // A cycle is found from its first abstract acquire only.
        for (std::size_t first = 0; first < all_.size() && !result_.has_more; ++first) {
            path_ = {first};
            extend();
        }
        return std::move(result_);
    }

private:
    void collect() {
        using key = std::tuple<std::uint32_t, std::uint32_t, bool,
                               std::vector<std::pair<std::uint32_t, bool>>>;
        std::map<key, std::size_t> numbers;
        for (std::size_t i = 0; i < known_.candidates.size(); ++i) {
            const candidate& each = known_.candidates[i];
            std::vector<std::pair<std::uint32_t, bool>> holds;
            for (const history_hold& hold : each.holds) holds.emplace_back(hold.lock, hold.is_read);
            const auto [known, is_new] = numbers.try_emplace(
                {each.thread, each.lock, each.is_read, std::move(holds)}, all_.size());
            if (is_new) all_.push_back({each.thread, each.lock, each.is_read, each.holds, {}});
            all_[known->second].concrete.push_back(i);
        }
        // Who may keep a waiter from a lock.
        for (std::size_t i = 0; i < all_.size(); ++i)
            for (const history_hold& hold : all_[i].holds) holders_[hold.lock].push_back(i);
    }

    /// Extends the path by each acquire that blocks its last one.
    void extend() {
        const abstract_acquire& last = all_[path_.back()];
        const auto found = holders_.find(last.lock);
        if (found == holders_.end()) return;
        for (const std::size_t next : found->second) {
            if (result_.has_more) return;
            if (!blocks(last, all_[next])) continue;
            if (next == path_.front() && path_.size() > 1) check();
            if (next <= path_.front() || path_.size() == limits_.threads_max) continue;
            const auto fits = [&](std::size_t before) {
                return all_[before].thread != all_[next].thread &&
                       all_[before].lock != all_[next].lock &&
                       may_hold_together(all_[before], all_[next]);
            };
            if (!std::all_of(path_.begin(), path_.end(), fits)) continue;
            path_.push_back(next);
            extend();
            path_.pop_back();
        }
    }

    /// Looks for the first events of the pattern that can be waits at one time. Each event is tried
    /// once, because the set of events that must have happened only grows.
    void check() {
        if (++result_.patterns == limits_.patterns_max) result_.has_more = true;
        closure needed(known_);
        std::vector<std::size_t> tried(path_.size(), 0);
        while (true) {
            for (std::size_t i = 0; i < path_.size(); ++i) {
                const candidate& each = known_.candidates[all_[path_[i]].concrete[tried[i]]];
                needed.add(before(each));
            }
            if (!needed.is_possible()) return;
            bool is_open = true;
            for (std::size_t i = 0; i < path_.size(); ++i) {
                const abstract_acquire& each = all_[path_[i]];
                while (tried[i] < each.concrete.size() &&
                       needed.has(each.thread, known_.candidates[each.concrete[tried[i]]].index)) {
                    ++tried[i];
                    is_open = false;
                }
                if (tried[i] == each.concrete.size()) return;
            }
            if (is_open) return add(needed, tried);
        }
    }

    /// Returns everything that must have happened before the acquire is attempted.
    clock_vector before(const candidate& each) const {
        clock_vector clock = known_.versions[known_.version_of[each.event]];
        clock.resize(known_.thread_numbers.size());
        clock[each.thread] = std::max(clock[each.thread], each.index - 1);
        return clock;
    }

    void add(const closure& needed, const std::vector<std::size_t>& tried) {
        prediction made;
        for (std::size_t i = 0; i < path_.size(); ++i) {
            const candidate& each = known_.candidates[all_[path_[i]].concrete[tried[i]]];
            const std::size_t before_it = (i + path_.size() - 1) % path_.size();
            const std::uint32_t wanted_by_other = all_[path_[before_it]].lock;
            predicted_wait wait;
            wait.thread = known_.thread_numbers[each.thread];
            wait.wanted = known_.lock_numbers[each.lock];
            wait.held = known_.lock_numbers[wanted_by_other];
            wait.wanted_at = each.event;
            for (const history_hold& hold : each.holds)
                if (hold.lock == wanted_by_other)
                    wait.held_at = known_.sections[hold.section].acquire;
            made.waits.push_back(wait);
        }
        for (std::size_t e = 0; e < known_.index_of.size(); ++e)
            if (needed.has(known_.thread_of[e], known_.index_of[e])) made.witness.push_back(e);
        result_.deadlocks.push_back(std::move(made));
    }

    const history known_;
    const prediction_limits limits_;
    std::vector<abstract_acquire> all_;
    std::unordered_map<std::uint32_t, std::vector<std::size_t>> holders_;  // by lock
    std::vector<std::size_t> path_;
    prediction_result result_;
};

}  // namespace

prediction_result predict(const trace& recorded, const prediction_limits& limits) {
    return predictor(recorded, limits).run();
}

trace witness_of(const trace& recorded, const prediction& deadlock) {
    trace made = recorded;
    made.events.clear();
    for (const std::size_t event : deadlock.witness) made.events.push_back(recorded.events[event]);
    for (const predicted_wait& wait : deadlock.waits) {
        trace_event request = recorded.events[wait.wanted_at];
        request.op = is_read(request.op) ? trace_op::request_read : trace_op::request;
        request.object = wait.wanted;
        made.events.push_back(request);
    }
    return made;
}

}  // namespace wedge::predict
