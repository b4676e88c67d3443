// What a thread does at its very end: the `_at_thread_exit` functions of the standard.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wedge/core/sanitizer.hpp"
#include "wedge/core/task.hpp"
#include "wedge/lock/spinlock.hpp"

namespace wedge::std_like::parts {

using exit_actions = std::vector<std::function<void()>>;

/// While it lives, actions that the running task adds wait in it. The thread's function is its
/// scope. Under control a task is no native thread, so the destructors of thread_local objects
/// cannot run the actions.
class exit_scope {
public:
    exit_scope() {
        task& self = current();
        if (self.runtime == nullptr) return;
        of_ = &self;
        const sanitizer::ignore_scope ours;
        const std::lock_guard mine(busy_);
        // Takes the place of a scope that an abandoned execution has left.
        all_[of_] = {self.runtime->execution(), &actions_};
    }
    ~exit_scope() {
        if (of_ == nullptr) return;
        const sanitizer::ignore_scope ours;
        const std::lock_guard mine(busy_);
        all_.erase(of_);
    }
    exit_scope(const exit_scope&) = delete;
    exit_scope& operator=(const exit_scope&) = delete;

    /// Runs the actions, in the order in which they were added. Call it where the function ends.
    void run() { run_all(actions_); }

    /// Lets the running thread do something at its end. A controlled task that no thread of
    /// `std_like` carries does it at once.
    static void add(std::function<void()> action) {
        task& self = current();
        if (self.runtime == nullptr) {
            native().push_back(std::move(action));
            return;
        }
        if (exit_actions* const mine = actions_of(self))
            mine->push_back(std::move(action));
        else
            action();
    }

private:
    struct entry {
        std::uint64_t execution = 0;
        exit_actions* actions = nullptr;
    };

    /// An action may add others.
    static void run_all(exit_actions& all) {
        for (std::size_t i = 0; i < all.size(); ++i) std::exchange(all[i], {})();
    }
    static exit_actions* actions_of(const task& self) {
        const sanitizer::ignore_scope ours;
        const std::lock_guard mine(busy_);
        const auto known = all_.find(&self);
        if (known == all_.end() || known->second.execution != self.runtime->execution())
            return nullptr;
        return known->second.actions;
    }
    static exit_actions& native() {
        struct at_end {
            ~at_end() { run_all(actions); }
            exit_actions actions;
        };
        static thread_local at_end mine;
        return mine.actions;
    }

    inline static plain_spinlock busy_;  // for the table
    inline static std::unordered_map<const task*, entry> all_;

    const task* of_ = nullptr;
    exit_actions actions_;
};

}  // namespace wedge::std_like::parts
