// The objects of a scenario in one execution.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/refcount.hpp"
#include "wedge/lock/semaphore.hpp"
#include "wedge/lock/signalling.hpp"
#include "wedge/lock/wait_queue.hpp"
#include "wedge/model/fence.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/scenario/modelled_lock.hpp"
#include "wedge/scenario/native_lock.hpp"
#include "wedge/scenario/native_sections.hpp"
#include "wedge/scenario/uses.hpp"

namespace wedge::scenario {

namespace detail {

/// Returns a copy of a string that lives as long as the program. Sites point to such copies:
/// findings outlive executions, and tests outlive files.
inline const char* interned(const std::string& text) {
    static std::mutex guard;
    static std::set<std::string>& all = *new std::set<std::string>;
    const std::lock_guard<std::mutex> turn(guard);
    return all.insert(text).first->c_str();
}

inline class_options options_of(const declaration& lock) noexcept {
    return {.unchecked = lock.is_unchecked,
            .never_waits = lock.kind == lock_sort::map,
            .order = lock.is_ordered ? &by_creation : nullptr,
            .allows = is_rcu(lock) ? wait_type::spin : wait_type::none};
}

}  // namespace detail

/// A shared integer, or the initial value of each task's own integer. A statement on it is one
/// step.
struct counter {
    counter(const std::string& name, std::int64_t start, bool local)
        : value(start),
          is_local(local),
          identity(lock_kind::variable, lock_class((name + " (counter)").c_str())) {}

    std::atomic<std::int64_t> value;  // orders nothing, but is not a race either
    const bool is_local;
    lock_identity identity;
};

/// Everything that tasks share, new in every execution. What is made first has equal ordinals in
/// each execution. Made by a task without an engine, its objects are those of real threads.
class world {
public:
    explicit world(const object_uses& uses) : uses_(uses) {}

    /// Makes all objects, in the current task.
    void begin(const document& all) {
        is_native_ = current().runtime == nullptr;
        if (is_native_) locks_.clear();
        if (locks_.empty())
            add_locks(all);
        else
            for (const std::unique_ptr<modelled_lock>& each : locks_) each->renew();
        for (const declaration& each : all.all) {
            const char* const name = each.name.c_str();
            if (each.what == declares::fence)
                fences_.try_emplace(each.name, name);
            else if (each.what == declares::completion)
                completions_.try_emplace(each.name, name);
            else if (each.what == declares::condition)
                conditions_.try_emplace(each.name, name);
            else if (each.what == declares::semaphore)
                semaphores_.try_emplace(each.name, count(each.value), name);
            else if (each.what == declares::counter)
                counters_.try_emplace(each.name, each.name, each.value, each.is_local);
            else if (each.what == declares::wait_queue)
                wait_queues_.try_emplace(each.name, name);
            else if (each.what == declares::refcount)
                refcounts_.try_emplace(each.name, count(each.value), name);
            else if (each.what == declares::memory)
                zone_.emplace(zone_limits{count(each.pages), count(each.min), count(each.low),
                                          count(each.high)});
        }
        if (!zone_ && uses_.needs_zone()) zone_.emplace();
        if (uses_.needs_signalling()) signalling_.emplace();
    }

    /// Destroys all objects. What an ended task left open was reported when it ended, so no sink
    /// hears it.
    void end() {
        task& self = current();
        wedge::sink* const before = std::exchange(self.sink, nullptr);
        tickets_.clear();
        signalling_.reset();
        zone_.reset();
        counters_.clear();
        refcounts_.clear();
        wait_queues_.clear();
        semaphores_.clear();
        conditions_.clear();
        completions_.clear();
        fences_.clear();
        // They remember tickets and numbers; other locks remember nothing.
        if (!ww_classes_.empty() || uses_.has_sequences()) locks_.clear();
        ww_classes_.clear();
        self.sink = before;
    }

    modelled_lock& lock(const reference& use, std::uint32_t copy) {
        const auto& [first, count] = instances_[uses_.place_of(use.name)];
        const std::uint32_t index =
            use.indexed == reference::index_sort::self ? (copy + use.index) % count : use.index;
        return *locks_[first + index];
    }
    wedge::fence* find_fence(const std::string& name) { return find(fences_, name); }
    wedge::completion* find_completion(const std::string& name) { return find(completions_, name); }
    wedge::condition& condition(const std::string& name) { return *find(conditions_, name); }
    wedge::semaphore& semaphore(const std::string& name) { return *find(semaphores_, name); }
    counter& number(const std::string& name) { return *find(counters_, name); }
    wedge::wait_queue* find_wait_queue(const std::string& name) { return find(wait_queues_, name); }
    wedge::refcount& refcount(const std::string& name) { return *find(refcounts_, name); }
    memory& zone() noexcept { return *zone_; }

    /// Returns a hash of what the engine does not see: the counters, the queues, the zone.
    std::uint64_t hash() const noexcept {
        std::uint64_t all = zone_ ? zone_->state() : 0;
        for (const auto& [name, each] : counters_)
            all = combine(all,
                          static_cast<std::uint64_t>(each.value.load(std::memory_order_relaxed)));
        for (const auto& [name, each] : refcounts_) all = combine(all, each.state());
        for (const auto& [name, each] : wait_queues_) all = combine(all, each.state());
        return all;
    }
    /// Returns what the engine does not see of one task.
    bool has_freed(std::uint32_t task) const noexcept { return zone_ && zone_->has_freed(task); }
    signalling_map& signalling() noexcept { return *signalling_; }

    /// Begins a ticket for objects of a class. It stays until the end of the execution, since an
    /// object that is still held refers to it.
    ww_ticket& begin_ticket(const std::string& text, site where) {
        const std::unique_lock<std::mutex> alone = turn();
        const sanitizer::ignore_scope ours;  // the list is not part of a task's step
        return tickets_.emplace_back(class_for_tickets(text), where);
    }

    /// While it lives, a real thread is alone with the counters. Under control steps are whole
    /// anyway.
    std::unique_lock<std::mutex> turn() {
        return is_native_ ? std::unique_lock(turn_) : std::unique_lock<std::mutex>();
    }

private:
    struct instances {
        std::size_t first;
        std::uint32_t count;
    };

    static std::uint32_t count(std::int64_t n) noexcept { return static_cast<std::uint32_t>(n); }

    template <class Object>
    static Object* find(std::map<std::string, Object>& all, const std::string& name) {
        const auto found = all.find(name);
        return found == all.end() ? nullptr : &found->second;
    }

    ww_class& class_for_tickets(const std::string& text) {
        const auto how =
            uses_.is_wait_die(text) ? ww_algorithm::wait_die : ww_algorithm::wound_wait;
        return ww_classes_.try_emplace(text, text.c_str(), how).first->second;
    }

    void add_locks(const document& all) {
        instances_.resize(all.all.size());
        for (std::size_t i = 0; i < all.all.size(); ++i) {
            if (all.all[i].what != declares::lock) continue;
            instances_[i] = {locks_.size(), all.all[i].count};
            add_locks(all.all[i]);
        }
    }
    void add_locks(const declaration& each) {
        const std::string text = class_text(each);
        const lock_class cls(text.c_str(), detail::options_of(each));
        for (std::uint32_t i = 0; i < each.count; ++i) {
            if (each.kind == lock_sort::map && is_native_)
                locks_.push_back(std::make_unique<native_map>(cls));
            else if (each.kind == lock_sort::map)
                locks_.push_back(std::make_unique<modelled_map>(cls, uses_.is_synced(each.name)));
            else if (each.kind == lock_sort::seqcount)
                locks_.push_back(
                    std::make_unique<modelled_sequence_of<wedge::seqcount>>(each.kind, cls));
            else if (each.kind == lock_sort::seqlock)
                locks_.push_back(
                    std::make_unique<modelled_sequence_of<wedge::seqlock>>(each.kind, cls));
            else if (each.kind == lock_sort::ww_mutex)
                locks_.push_back(std::make_unique<modelled_ww_mutex>(class_for_tickets(text)));
            else if (is_native_)
                locks_.push_back(native(each.kind, cls));
            else
                locks_.push_back(std::make_unique<modelled_plain_lock>(each.kind, cls));
        }
    }

    static std::unique_ptr<modelled_lock> native(lock_sort kind, lock_class cls) {
        if (kind == lock_sort::recursive_mutex)
            return std::make_unique<native_lock<std::recursive_mutex>>(kind, cls);
        if (kind == lock_sort::rwlock)  // its readers pass queued writers, as glibc's do
            return std::make_unique<native_lock<std::shared_timed_mutex>>(kind, cls);
        return std::make_unique<native_lock<plain_shared_mutex>>(kind, cls);
    }

    const object_uses& uses_;
    bool is_native_ = false;
    std::mutex turn_;
    std::map<std::string, ww_class> ww_classes_;
    std::vector<std::unique_ptr<modelled_lock>> locks_;
    std::vector<instances> instances_;  // by the place of their declaration
    std::map<std::string, wedge::fence> fences_;
    std::map<std::string, wedge::completion> completions_;
    std::map<std::string, wedge::condition> conditions_;
    std::map<std::string, wedge::semaphore> semaphores_;
    std::map<std::string, counter> counters_;
    std::map<std::string, wedge::wait_queue> wait_queues_;
    std::map<std::string, wedge::refcount> refcounts_;
    std::list<ww_ticket> tickets_;
    std::optional<memory> zone_;
    std::optional<signalling_map> signalling_;
};

}  // namespace wedge::scenario
