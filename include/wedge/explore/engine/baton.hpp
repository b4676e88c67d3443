// Tasks as real threads that pass a baton: for programs that need true thread identity.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "wedge/core/doorbell.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/explore/engine/stack_user.hpp"

namespace wedge {

/// Lets one thread run at a time. All threads are pinned to one processor, where a hand-over costs
/// a microsecond (across processors it costs forty).
///
/// The hand-over must not be a happens-before edge for TSan, since it would hide every race of the
/// program under test. So it runs within scopes that TSan ignores.
class baton_switcher {
public:
    explicit baton_switcher(stack_user& user) : user_(user) {
        runners_.push_back(std::make_unique<runner>());
        ::sched_getaffinity(0, sizeof before_, &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        const int here = ::sched_getcpu();
        CPU_SET(static_cast<std::size_t>(here < 0 ? 0 : here), &one);
        ::sched_setaffinity(0, sizeof one, &one);  // inherited by the threads; a refusal is slow
    }
    baton_switcher(const baton_switcher&) = delete;
    baton_switcher& operator=(const baton_switcher&) = delete;
    ~baton_switcher() {
        {
            const sanitizer::ignore_scope ours;
            stopping_ = true;
            for (std::size_t i = 1; i < runners_.size(); ++i) runners_[i]->baton.ring();
        }
        for (std::size_t i = 1; i < runners_.size(); ++i) {
            if (runners_[i]->is_spent)
                abandon(runners_[i]);
            else
                runners_[i]->thread.join();
        }
        ::sched_setaffinity(0, sizeof before_, &before_);
    }

    void switch_to(std::uint32_t from, std::uint32_t to) {
        while (runners_.size() <= to) add();
        if (runners_[to]->is_spent) renew(to);
        const sanitizer::ignore_scope ours;
        runner& leaving = *runners_[from];
        runners_[to]->baton.ring();
        leaving.baton.await();
        running_.store(::pthread_self(), std::memory_order_relaxed);
    }

    /// Returns the thread that has the baton. Any thread may call it.
    pthread_t running_thread(pthread_t home) const noexcept {
        const pthread_t running = running_.load(std::memory_order_relaxed);
        return running != pthread_t{} ? running : home;
    }

    /// Leaves a thread that can neither end nor be joined: it stands still until the process ends.
    [[noreturn]] void leave(std::uint32_t from, std::uint32_t to) {
        const sanitizer::ignore_scope ours;
        runners_[from]->is_spent = true;
        runners_[to]->baton.ring();
        for (;;) ::pause();
    }

private:
    struct runner {
        doorbell baton;
        bool is_spent = false;
        std::thread thread;
    };

    void add() {
        runners_.emplace_back();
        begin(static_cast<std::uint32_t>(runners_.size() - 1));
    }
    void begin(std::uint32_t number) {
        runners_[number] = std::make_unique<runner>();
        runner& made = *runners_[number];
        made.thread = std::thread([this, number, &made] { loop(number, made); });
    }
    void renew(std::uint32_t number) {
        abandon(runners_[number]);
        begin(number);
    }
    /// Abandons a runner; its thread still refers to it.
    static void abandon(std::unique_ptr<runner>& spent) { spent.release()->thread.detach(); }

    void loop(std::uint32_t number, runner& self) {
        const sanitizer::ignore_scope ours;
        self.baton.await();
        running_.store(::pthread_self(), std::memory_order_relaxed);
        while (!stopping_) {
            const std::uint32_t next = user_.run_on(number);
            switch_to(number, next);
        }
    }

    stack_user& user_;
    bool stopping_ = false;
    std::atomic<pthread_t> running_{};
    cpu_set_t before_{};
    std::vector<std::unique_ptr<runner>> runners_;
};

}  // namespace wedge
