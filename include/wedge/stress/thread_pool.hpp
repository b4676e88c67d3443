// Threads that serve one run after another.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "wedge/core/doorbell.hpp"
#include "wedge/core/sanitizer.hpp"

namespace wedge {

/// Runs a job on several threads at once, and keeps the threads for the next job: creating a thread
/// costs tens of microseconds, and more under sanitizers. One thread uses the pool. After a fork,
/// the child's pool has no threads.
///
/// The thread_local objects of the program live on from job to job. For TSan, each thread's part of
/// a job happens after its start and before the end of `wait_for`; the threads have no order among
/// themselves.
class thread_pool {
public:
    thread_pool() = default;
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool() {
        drop_if_forked();
        dismiss();
        for (std::thread& each : threads_) each.join();
    }

    /// Starts `count` threads on `job(0)`, `job(1)` and so on. The last job must have ended
    /// everywhere.
    void start(unsigned count, const std::function<void(unsigned)>& job) {
        drop_if_forked();
        while (threads_.size() < count) add();
        started_ = count;
        {
            const sanitizer::ignore_scope ours;
            crew_->running.store(count, std::memory_order_relaxed);
        }
        for (unsigned i = 0; i < count; ++i) {
            seat& each = *crew_->seats[i];
            each.job = job;
            sanitizer::release(&each);
            const sanitizer::ignore_scope ours;
            each.work.ring();
        }
    }

    /// Waits until all threads have ended the job, but at most that long.
    ///
    /// @return whether all have ended it
    bool wait_for(std::chrono::nanoseconds at_most) {
        {
            const sanitizer::ignore_scope ours;
            if (!crew_->all_ended.await_for(at_most)) return false;
        }
        for (unsigned i = 0; i < started_; ++i) sanitizer::acquire(crew_->seats[i].get());
        return true;
    }

    /// Abandons all threads, since some may never end. The next job gets new threads.
    void give_up() {
        dismiss();
        for (std::thread& each : threads_) each.detach();
        threads_.clear();
        crew_ = std::make_shared<crew>();
    }

private:
    struct seat {
        doorbell work;
        std::function<void(unsigned)> job;  // none when the doorbell rings: the thread must end
    };
    /// The threads of the pool. Abandoned threads keep theirs.
    struct crew {
        std::vector<std::unique_ptr<seat>> seats;
        std::atomic<unsigned> running{0};
        doorbell all_ended;
    };

    void add() {
        const auto number = static_cast<unsigned>(threads_.size());
        seat& made = *crew_->seats.emplace_back(std::make_unique<seat>());
        threads_.emplace_back([all = crew_, number, &made] { serve(*all, number, made); });
    }

    static void serve(crew& all, unsigned number, seat& mine) {
        for (;;) {
            {
                const sanitizer::ignore_scope ours;
                mine.work.await();
            }
            sanitizer::acquire(&mine);
            if (!mine.job) return;
            mine.job(number);
            mine.job = nullptr;
            sanitizer::release(&mine);
            const sanitizer::ignore_scope ours;
            if (all.running.fetch_sub(1, std::memory_order_acq_rel) == 1) all.all_ended.ring();
        }
    }

    /// Lets all threads end: idle threads at once, others after their job.
    void dismiss() {
        for (const auto& each : crew_->seats) {
            const sanitizer::ignore_scope ours;
            each->work.ring();
        }
    }

    /// Drops the parent's threads in a child: they do not exist here, and must not be joined.
    void drop_if_forked() {
        if (home_ == ::getpid()) return;
        home_ = ::getpid();
        static_cast<void>(new std::vector<std::thread>(std::move(threads_)));
        threads_.clear();
        crew_ = std::make_shared<crew>();
    }

    std::shared_ptr<crew> crew_ = std::make_shared<crew>();
    std::vector<std::thread> threads_;
    unsigned started_ = 0;
    pid_t home_ = ::getpid();
};

}  // namespace wedge
