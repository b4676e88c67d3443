#include "predict/history.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

#include "wedge/core/check.hpp"

namespace wedge::predict {

void join(clock_vector& into, const clock_vector& other) {
    if (into.size() < other.size()) into.resize(other.size());
    for (std::size_t i = 0; i < other.size(); ++i) into[i] = std::max(into[i], other[i]);
}

clock_vector history::clock_of(std::size_t event) const {
    clock_vector clock = versions[version_of[event]];
    clock.resize(thread_numbers.size());
    clock[thread_of[event]] = std::max(clock[thread_of[event]], index_of[event]);
    return clock;
}

namespace {

/// Numbers from 0 in the order in which they are first seen.
class places {
public:
    std::uint32_t of(std::uint32_t number, std::vector<std::uint32_t>& numbers) {
        const auto [known, is_new] =
            all_.try_emplace(number, static_cast<std::uint32_t>(numbers.size()));
        if (is_new) numbers.push_back(number);
        return known->second;
    }

private:
    std::unordered_map<std::uint32_t, std::uint32_t> all_;
};

/// Reads a trace once, from its first event to its last.
class history_maker {
public:
    explicit history_maker(const trace& recorded) : recorded_(recorded) {}

    history make() {
        for (std::size_t i = 0; i < recorded_.events.size(); ++i) take(i);
        add_last_requests();
        return std::move(made_);
    }

private:
    struct thread_state {
        clock_vector causes;  // as of its last event that had a cause in another thread
        std::uint32_t version = 0;
        std::uint32_t count = 0;  // of its events
        std::vector<history_hold> holds;
        std::vector<unsigned> depths;  // of `holds`
        std::size_t wants = no_event;  // a request without an answer
    };
    struct lock_state {
        std::vector<std::size_t> held;  // sections that are open
    };

    void take(std::size_t at) {
        const trace_event& event = recorded_.events[at];
        const std::uint32_t thread = place_of_thread(event.thread);
        made_.thread_of.push_back(thread);
        thread_state& self = threads_[thread];
        made_.index_of.push_back(++self.count);
        causes_of(event, self);
        made_.version_of.push_back(self.version);
        effects_of(event, at, thread);
    }

    std::uint32_t place_of_thread(std::uint32_t number) {
        const std::uint32_t place = thread_places_.of(number, made_.thread_numbers);
        if (place < threads_.size()) return place;
        threads_.emplace_back();
        made_.sections_of.emplace_back();
        // What its starter did before the start.
        const auto started = spawns_.find(number);
        if (started != spawns_.end()) threads_.back().causes = started->second;
        new_version(threads_.back());
        return place;
    }
    void new_version(thread_state& self) {
        self.version = static_cast<std::uint32_t>(made_.versions.size());
        made_.versions.push_back(self.causes);
    }
    void add_causes(thread_state& self, const clock_vector& more) {
        const clock_vector before = self.causes;
        join(self.causes, more);
        if (self.causes != before) new_version(self);
    }

    /// Joins what the event needs of other threads.
    void causes_of(const trace_event& event, thread_state& self) {
        switch (event.op) {
            case trace_op::wake: return add_causes(self, notified_[event.object]);
            // A unit may be of any `up` before, and be left over by any `down`.
            case trace_op::down: return add_causes(self, units_[event.object]);
            case trace_op::join: {
                const std::uint32_t joined = place_of_thread(event.object);
                return add_causes(threads_[made_.thread_of.back()], clock_of_thread(joined));
            }
            case trace_op::load: return add_causes(self, stored_[event.object]);
            case trace_op::give_up: self.wants = no_event; return;
            case trace_op::try_failed: {
                // It fails again only while a holder holds the lock.
                const std::uint32_t lock = place_of_lock(event.object);
                for (const std::size_t section : locks_[lock].held)
                    add_causes(self, made_.clock_of(made_.sections[section].acquire));
                return;
            }
            default: return;
        }
    }

    clock_vector clock_of_thread(std::uint32_t thread) const {
        clock_vector clock = threads_[thread].causes;
        clock.resize(std::max<std::size_t>(clock.size(), thread + 1));
        clock[thread] = threads_[thread].count;
        return clock;
    }

    void effects_of(const trace_event& event, std::size_t at, std::uint32_t thread) {
        switch (event.op) {
            case trace_op::request:
            case trace_op::request_read: threads_[thread].wants = at; return;
            case trace_op::acquire: return acquire(at, thread, event.object, false, true);
            case trace_op::read: return acquire(at, thread, event.object, true, true);
            case trace_op::timed_acquire:
            case trace_op::try_acquire: return acquire(at, thread, event.object, false, false);
            case trace_op::timed_read:
            case trace_op::try_read: return acquire(at, thread, event.object, true, false);
            case trace_op::release: return release(at, thread, event.object);
            case trace_op::wait: return release(at, thread, event.lock);
            case trace_op::wake: return acquire(at, thread, event.lock, false, true);
            case trace_op::notify:
            case trace_op::notify_all: return join(notified_[event.object], made_.clock_of(at));
            case trace_op::up:
            case trace_op::down: return join(units_[event.object], made_.clock_of(at));
            case trace_op::spawn: spawns_[event.object] = made_.clock_of(at); return;
            case trace_op::load: made_.has_accesses = true; return;
            case trace_op::store:
                made_.has_accesses = true;
                stored_[event.object] = made_.clock_of(at);
                return;
            default: return;
        }
    }

    void acquire(std::size_t at, std::uint32_t thread, std::uint32_t number, bool is_read,
                 bool may_block) {
        const std::uint32_t lock = place_of_lock(number);
        thread_state& self = threads_[thread];
        self.wants = no_event;
        for (std::size_t i = 0; i < self.holds.size(); ++i)
            if (self.holds[i].lock == lock) {
                ++self.depths[i];  // again: no section of its own
                return;
            }
        for (const std::size_t open : locks_[lock].held)
            if (!is_read || !made_.sections[open].is_read)
                throw error(recorded_.place_of(recorded_.events[at]) + ": lock " +
                            std::to_string(number) + " is acquired by thread " +
                            std::to_string(made_.thread_numbers[thread]) + " while thread " +
                            std::to_string(made_.thread_numbers[made_.sections[open].thread]) +
                            " holds it");
        if (may_block) add_candidate(at, thread, lock, is_read, self.count);
        const std::size_t section = made_.sections.size();
        made_.sections.push_back({thread, lock, is_read, at, no_event, self.count});
        made_.sections_of[thread].push_back(section);
        locks_[lock].held.push_back(section);
        self.holds.push_back({lock, is_read, section});
        self.depths.push_back(1);
    }

    void release(std::size_t at, std::uint32_t thread, std::uint32_t number) {
        const std::uint32_t lock = place_of_lock(number);
        thread_state& self = threads_[thread];
        for (std::size_t i = self.holds.size(); i-- > 0;) {
            if (self.holds[i].lock != lock) continue;
            if (--self.depths[i] != 0) return;
            const std::size_t section = self.holds[i].section;
            made_.sections[section].release = at;
            std::erase(locks_[lock].held, section);
            self.holds.erase(self.holds.begin() + static_cast<std::ptrdiff_t>(i));
            self.depths.erase(self.depths.begin() + static_cast<std::ptrdiff_t>(i));
            return;
        }
        // A release without an acquire: the trace began later.
    }

    void add_candidate(std::size_t at, std::uint32_t thread, std::uint32_t lock, bool is_read,
                       std::uint32_t index) {
        const thread_state& self = threads_[thread];
        if (self.holds.empty()) return;
        candidate made{thread, lock, is_read, at, index, self.holds};
        std::sort(made.holds.begin(), made.holds.end(),
                  [](const auto& a, const auto& b) { return a.lock < b.lock; });
        made_.candidates.push_back(std::move(made));
    }

    /// Adds the requests that the trace never answers.
    void add_last_requests() {
        for (std::uint32_t thread = 0; thread < threads_.size(); ++thread) {
            const thread_state& self = threads_[thread];
            if (self.wants == no_event) continue;
            const trace_event& event = recorded_.events[self.wants];
            const std::uint32_t lock = place_of_lock(event.object);
            const bool is_again = std::any_of(self.holds.begin(), self.holds.end(),
                                              [&](const auto& h) { return h.lock == lock; });
            if (!is_again)
                add_candidate(self.wants, thread, lock, event.op == trace_op::request_read,
                              self.count + 1);
        }
    }

    std::uint32_t place_of_lock(std::uint32_t number) {
        const std::uint32_t place = lock_places_.of(number, made_.lock_numbers);
        if (place == locks_.size()) locks_.emplace_back();
        return place;
    }

    const trace& recorded_;
    history made_;
    places thread_places_;
    places lock_places_;
    std::vector<thread_state> threads_;
    std::vector<lock_state> locks_;
    std::map<std::uint32_t, clock_vector> spawns_;
    std::map<std::uint32_t, clock_vector> notified_;
    std::map<std::uint32_t, clock_vector> units_;
    std::map<std::uint32_t, clock_vector> stored_;
};

}  // namespace

history history_of(const trace& recorded) {
    return history_maker(recorded).make();
}

}  // namespace wedge::predict
