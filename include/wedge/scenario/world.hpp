// The objects of a scenario in one execution: ordinary locks, counters, and the zone.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/base/annotate.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/recursive_mutex.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/scenario/resolve.hpp"

namespace wedge::scenario {

/// A lock, whatever its kind.
class any_lock {
public:
    any_lock() = default;
    any_lock(const any_lock&) = delete;
    any_lock& operator=(const any_lock&) = delete;
    virtual ~any_lock() = default;

    virtual void acquire(bool is_read, under annotation, site where) = 0;
    virtual bool try_acquire(bool is_read, site where) = 0;
    virtual bool acquire_timed(bool is_read, site where) = 0;
    virtual void might_acquire(bool is_read, site where) = 0;
    virtual void release(bool is_read, site where) = 0;
    virtual void downgrade(site where) = 0;
    /// False: it gave up.
    virtual bool wait(condition& on, bool is_timed, site where) = 0;
    virtual lock_identity& identity() = 0;
};

namespace detail {

/// Copies of strings that sites point to: findings outlive executions, and tests outlive files.
inline const char* interned(const std::string& text) {
    static std::mutex guard;
    static std::set<std::string>& all = *new std::set<std::string>;
    const std::lock_guard<std::mutex> turn(guard);
    return all.insert(text).first->c_str();
}

/// Clang's analysis cannot follow it: what one function takes, another one releases.
template <class Lock, class Native>
class lock_of final : public any_lock {
public:
    explicit lock_of(lock_class cls) : lock_(cls) {}

    void acquire(bool is_read, under annotation, site where) WEDGE_NO_THREAD_SAFETY override {
        if constexpr (shared_lockable<Lock>) {
            if (is_read) return lock_.lock_shared(where);
        }
        lock_.lock(annotation, where);
    }
    bool try_acquire(bool is_read, site where) WEDGE_NO_THREAD_SAFETY override {
        if constexpr (shared_lockable<Lock>) {
            if (is_read) return lock_.try_lock_shared(where);
        }
        return lock_.try_lock(where);
    }
    bool acquire_timed(bool is_read, site where) override {
        return wedge::detail::controlled_acquire(
            current(), identity(), {.how = how(is_read), .with = flags::timed, .where = where});
    }
    void might_acquire(bool is_read, site where) override {
        wedge::detail::attempt(current(), identity(), {.how = how(is_read), .where = where});
    }
    void release(bool is_read, site where) WEDGE_NO_THREAD_SAFETY override {
        if constexpr (shared_lockable<Lock>) {
            if (is_read) return lock_.unlock_shared(where);
        }
        lock_.unlock(where);
    }
    void downgrade(site where) WEDGE_NO_THREAD_SAFETY override {
        if constexpr (downgradable<Lock>) lock_.downgrade(where);
    }
    bool wait(condition& on, bool is_timed, site where) WEDGE_NO_THREAD_SAFETY override {
        if (is_timed) return on.wait_for(lock_, std::chrono::milliseconds(1), where);
        on.wait(lock_, where);
        return true;
    }
    lock_identity& identity() override { return lock_.identity(); }

private:
    static mode how(bool is_read) noexcept {
        return is_read ? lock_traits<Native>::shared_how : mode::exclusive;
    }

    Lock lock_;
};

inline std::unique_ptr<any_lock> make_lock(lock_sort kind, lock_class cls) {
    switch (kind) {
        case lock_sort::mutex: return std::make_unique<lock_of<mutex, std::mutex>>(cls);
        case lock_sort::recursive_mutex:
            return std::make_unique<lock_of<recursive_mutex, std::recursive_mutex>>(cls);
        case lock_sort::rwsem:
            return std::make_unique<lock_of<shared_mutex, plain_shared_mutex>>(cls);
        case lock_sort::rwlock:
            return std::make_unique<lock_of<checked<std::shared_mutex>, std::shared_mutex>>(cls);
        case lock_sort::spinlock: break;
    }
    return std::make_unique<lock_of<spinlock, plain_spinlock>>(cls);
}

/// The name of a lock's class in this process. A class keeps the options of its first lock, so
/// one with others has another name; likewise a lock that is called like one of `memory`'s.
inline std::string class_text(const declaration& lock) {
    const std::string& name = lock.class_name.empty() ? lock.name : lock.class_name;
    if (lock.is_unchecked) return name + " (unchecked)";
    const bool is_taken = name == "zone" || name == "kswapd_wait" || name == "mmu_notifier";
    return is_taken ? name + " (lock)" : name;
}

}  // namespace detail

/// A counter: a step on it touches its identity, so that the search knows which steps share it.
/// The value orders nothing, but is no race either: a statement on it is one step.
struct counter {
    explicit counter(std::int64_t start, bool local)
        : value(start), is_local(local), identity(lock_kind::map, lock_class("counter")) {}

    std::atomic<std::int64_t> value;
    const bool is_local;
    lock_identity identity;
};

/// Everything that tasks share. Made anew for every execution; what is made first has the same
/// ordinals in each of them.
class world {
public:
    /// Makes all objects, in the task that is current.
    void begin(const document& all) {
        for (const declaration& each : all.all)
            if (each.what == declares::lock) add_locks(each);
        for (const declaration& each : all.all) {
            if (each.what == declares::condition)
                conditions_[each.name] = std::make_unique<condition>(each.name.c_str());
            if (each.what == declares::counter)
                counters_[each.name] = std::make_unique<counter>(each.value, each.is_local);
            if (each.what == declares::memory)
                zone_.emplace(zone_limits{pages(each.pages), pages(each.min), pages(each.low),
                                          pages(each.high)});
        }
        if (!zone_) zone_.emplace();
    }

    void end() {
        order_.reset();
        zone_.reset();
        counters_.clear();
        conditions_.clear();
        lock_names_.clear();
        locks_.clear();
    }

    any_lock& lock(const reference& use, std::uint32_t copy) {
        const auto& [first, count] = lock_names_.find(use.name)->second;
        const std::uint32_t index =
            use.indexed == reference::index_sort::self ? (copy + use.index) % count : use.index;
        return *locks_[first + index];
    }
    condition& waiting(const reference& use) { return *conditions_.find(use.name)->second; }
    counter& number(const std::string& name) { return *counters_.find(name)->second; }
    memory& zone() noexcept { return *zone_; }

    /// The order of reclaim where no zone takes part: in the order pass.
    reclaim_order& order() {
        if (!order_) order_.emplace();
        return *order_;
    }

private:
    struct instances {
        std::size_t first;
        std::uint32_t count;
    };

    static std::uint32_t pages(std::int64_t n) noexcept { return static_cast<std::uint32_t>(n); }

    void add_locks(const declaration& each) {
        lock_names_[each.name] = {locks_.size(), each.count};
        const lock_class cls(detail::class_text(each).c_str(), {.unchecked = each.is_unchecked});
        for (std::uint32_t i = 0; i < each.count; ++i)
            locks_.push_back(detail::make_lock(each.kind, cls));
    }

    std::vector<std::unique_ptr<any_lock>> locks_;
    std::map<std::string, instances> lock_names_;
    std::map<std::string, std::unique_ptr<condition>> conditions_;
    std::map<std::string, std::unique_ptr<counter>> counters_;
    std::optional<memory> zone_;
    std::optional<reclaim_order> order_;
};

}  // namespace wedge::scenario
