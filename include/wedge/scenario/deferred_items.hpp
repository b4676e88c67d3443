// The blocks of a scenario that run later: works, delayed works, timers and irq works.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/core/idle.hpp"
#include "wedge/lock/timer.hpp"
#include "wedge/lock/work.hpp"
#include "wedge/scenario/modelled_lock.hpp"

namespace wedge::scenario {

/// Runs blocks for `deferred_items`.
class deferred_host {
public:
    /// Runs a block as code of a task.
    virtual void run_deferred(const declaration& what, std::uint32_t task) = 0;
    virtual site place_of(const declaration& what) const = 0;

protected:
    ~deferred_host() = default;
};

namespace detail {

/// What the worker of an item runs.
struct deferred_body {
    /// Returns where the block is declared.
    site where() const { return host->place_of(*what); }
    void operator()() const {
        if (is_worker && current().runtime != nullptr) current().name = what->name;
        host->run_deferred(*what, runner);
    }

    deferred_host* host;
    const declaration* what;
    std::uint32_t runner;  ///< the task that runs it
    bool is_worker = true;
};

/// As `deferred_body`, on top of another task too.
struct interrupting_body : deferred_body {
    void interrupt() const {
        const idle_section until_enabled;
        task& self = current();
        self.runtime->perform(
            self, {.what = step::interrupt,
                   .other = static_cast<std::uint32_t>(
                       what->what == declares::irq_work ? context::hardirq : context::softirq),
                   .where = host->place_of(*what)});
    }
};

/// Returns the context in which a deferred block runs.
constexpr context context_of_item(const declaration& what) noexcept {
    return what.what == declares::timer      ? context::softirq
           : what.what == declares::irq_work ? context::hardirq
                                             : context::task;
}

/// An item of any kind. Names of functions are those of the statements.
class deferred_item {
public:
    deferred_item() = default;
    deferred_item(const deferred_item&) = delete;
    deferred_item& operator=(const deferred_item&) = delete;
    virtual ~deferred_item() = default;

    virtual void queue(site where) = 0;
    virtual void flush(site) {}
    virtual void cancel(site) {}
    virtual void drop(site) {}
    /// Runs the block on top of the running task.
    virtual void interrupt(const deferred_body&) {}
    virtual std::uint64_t state() const = 0;

    // On real threads the item has no worker of its own: a thread of the owner serves it.

    /// Runs the block whenever the item is queued, until `stop`.
    virtual void serve() = 0;
    virtual void stop() = 0;
    /// Takes a queued run from the worker, for `interrupt`.
    virtual bool claim() = 0;
    /// Waits until a queued or running run has ended. Returns whether there was one.
    virtual bool finish() = 0;

protected:
    /// Returns the delay of a run. Under control the time does not matter; on real threads delays
    /// are short and random, so that runs come at every place.
    static std::chrono::microseconds later() {
        task& self = current();
        return std::chrono::microseconds(self.runtime != nullptr ? 1000 : self.random.below(50));
    }
};

/// A type of wedge as an item.
///
/// @tparam Real  wedge::work, delayed_work, timer or irq_work
template <class Real, class Body>
class deferred_item_of : public deferred_item {
public:
    deferred_item_of(Body body, lock_class cls) : body_(body), where_(body.where()) {
        if (current().runtime != nullptr)
            real_.emplace(body, cls, where_);
        else
            real_.emplace(cls, where_);
    }

    void interrupt(const deferred_body& body) override { real_->run_on_top(body); }
    std::uint64_t state() const override { return real_->state(); }
    void serve() override { real_->serve(body_); }
    void stop() override { real_->stop_serving(where_); }
    bool claim() override { return real_->claim(where_); }
    bool finish() override {
        if (!real_->is_busy(where_)) return false;
        real_->flush_now(where_);
        return true;
    }

protected:
    struct open_type : Real {
        using base = typename Real::deferred;
        open_type(Body body, lock_class cls, site where) : Real(body, cls, where) {}
        open_type(lock_class cls, site where) : Real(label(cls), where) {}
        using base::claim;
        using base::flush_now;
        using base::is_busy;
        using base::run_on_top;
        using base::serve;
        using base::stop_serving;
    };
    Body body_;
    const site where_;
    std::optional<open_type> real_;
};

class work_item final : public deferred_item_of<work, deferred_body> {
public:
    using deferred_item_of::deferred_item_of;
    void queue(site where) override { real_->queue(where); }
    void flush(site where) override { real_->flush(where); }
    void cancel(site where) override { real_->cancel(where); }
};

class delayed_work_item final : public deferred_item_of<delayed_work, deferred_body> {
public:
    using deferred_item_of::deferred_item_of;
    void queue(site where) override { real_->queue(later(), where); }
    void flush(site where) override { real_->flush(where); }
    void cancel(site where) override { real_->cancel_sync(where); }
    void drop(site where) override { real_->cancel(where); }
};

class timer_item final : public deferred_item_of<timer, interrupting_body> {
public:
    using deferred_item_of::deferred_item_of;
    void queue(site where) override { real_->arm(later(), where); }
    void cancel(site where) override { real_->stop_and_wait(where); }
    void drop(site where) override { real_->stop(where); }
};

class irq_work_item final : public deferred_item_of<irq_work, interrupting_body> {
public:
    using deferred_item_of::deferred_item_of;
    void queue(site where) override { real_->queue(where); }
    void flush(site where) override { real_->sync(where); }
};

}  // namespace detail

/// All items of a scenario. Each has a worker, which is a task. An interrupt comes on its worker,
/// as on an idle processor, or on top of a task that has its context enabled.
class deferred_items {
public:
    /// Makes an item in the current task, which starts the worker.
    ///
    /// @param worker  the ordinal that the worker gets
    void make(const declaration& what, std::uint32_t worker, deferred_host& host) {
        const detail::deferred_body body{&host, &what, worker};
        std::unique_ptr<detail::deferred_item>& made = items_[what.name];
        switch (what.what) {
            case declares::timer:
                made = std::make_unique<detail::timer_item>(detail::interrupting_body{body},
                                                            class_of_item(what));
                break;
            case declares::irq_work:
                made = std::make_unique<detail::irq_work_item>(detail::interrupting_body{body},
                                                               class_of_item(what));
                break;
            case declares::delayed_work:
                made = std::make_unique<detail::delayed_work_item>(body, class_of_item(what));
                break;
            default: made = std::make_unique<detail::work_item>(body, class_of_item(what)); break;
        }
        by_worker_[worker] = {made.get(), &what};
    }
    /// The order pass: makes the lock of the running block alone.
    void make_walked(const declaration& what) {
        walked_.try_emplace(what.name, std::pair{&what, std::make_unique<modelled_plain_lock>(
                                                            lock_of(what), class_of_item(what))});
    }
    void clear() {
        by_worker_.clear();
        items_.clear();
        walked_.clear();
    }

    detail::deferred_item& operator[](const std::string& name) const {
        return *items_.find(name)->second;
    }
    /// The worker of an item has interrupted a task: runs the block on top of it.
    void interrupt(std::uint32_t worker, std::uint32_t victim, deferred_host& host) const {
        const auto& [item, what] = by_worker_.find(worker)->second;
        item->interrupt({&host, what, victim, false});
    }

    /// On real threads: the thread of an item, until `stop`.
    void serve(std::uint32_t worker) const {
        detail::deferred_item& item = *by_worker_.find(worker)->second.first;
        try {
            item.serve();
        } catch (...) {
            item.stop();  // nobody may wait for it
            throw;
        }
    }
    /// On real threads: waits until all items are idle at once.
    void finish() const {
        for (bool is_one_busy = true; is_one_busy; std::this_thread::yield()) {
            is_one_busy = false;
            for (const auto& [name, each] : items_) is_one_busy = each->finish() || is_one_busy;
        }
    }
    void stop() const {
        for (const auto& [name, each] : items_) each->stop();
    }
    /// On real threads: lets queued timers and irq works come on top of a thread that runs.
    template <class Random>
    void come_on_top(std::uint32_t victim, Random& random, deferred_host& host) const {
        for (const auto& [worker, served] : by_worker_) {
            const auto& [item, what] = served;
            const context in = detail::context_of_item(*what);
            if (in == context::task || !current().contexts.admits(in)) continue;
            if (random.below(2) == 0 && item->claim()) interrupt(worker, victim, host);
        }
        // So that a run on another thread comes between any two statements of this one.
        if (random.below(32) == 0) std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    std::uint64_t state() const {
        std::uint64_t all = 0;
        for (const auto& [name, each] : items_) all = combine(all, each->state());
        return all;
    }

    /// The order pass: runs a block in its context, under the lock of the item.
    template <class Run>
    void walk(const declaration& what, site where, Run run) {
        std::optional<in_context> inside;
        if (what.what == declares::timer) inside.emplace(context::softirq, false, where);
        if (what.what == declares::irq_work) inside.emplace(context::hardirq, false, where);
        modelled_plain_lock& body = *walked_.find(what.name)->second.second;
        body.lock(where);
        run();
        body.unlock(where);
    }
    /// The order pass: a task waits for the end of a block.
    void touch(const std::string& name, site where) {
        const auto& [what, body] = walked_.find(name)->second;
        context_state& now = current().contexts;
        const bool before = now.irqs_are_off;
        if (what->what == declares::irq_work)
            wedge::detail::might_sleep(current(), class_of_item(*what), where);
        // No interrupt takes the item's own lock on top of a task that waits for it.
        if (comes_in_interrupt(what->what)) now.irqs_are_off = true;
        body->lock(where);
        body->unlock(where);
        now.irqs_are_off = before;
    }

private:
    /// Locks and works have separate names: the class of a work is not that of a lock.
    static lock_class class_of_item(const declaration& what) {
        return lock_class((what.name + " (" + detail::word_of(what.what) + ")").c_str());
    }
    static lock_sort lock_of(const declaration& what) noexcept {
        return what.what == declares::timer      ? lock_sort::spinlock
               : what.what == declares::irq_work ? lock_sort::raw_spinlock
                                                 : lock_sort::mutex;
    }

    std::map<std::string, std::unique_ptr<detail::deferred_item>> items_;
    std::map<std::uint32_t, std::pair<detail::deferred_item*, const declaration*>> by_worker_;
    std::map<std::string, std::pair<const declaration*, std::unique_ptr<modelled_plain_lock>>>
        walked_;
};

}  // namespace wedge::scenario
