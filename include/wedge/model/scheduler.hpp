// A device's queue of jobs, and the task that runs them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "wedge/lock/mutex.hpp"
#include "wedge/lock/work.hpp"
#include "wedge/model/job_fence.hpp"

namespace wedge {

/// Runs jobs one after the other on a worker of its own (Linux: drm_gpu_scheduler).
///
/// A job's fence is published before the job runs, so the whole job is on the way to signal it: it
/// must not allocate with direct reclaim, nor take a lock that others hold over a fence wait.
class scheduler {
public:
    /// @param run_job  starts a job on the device, as the driver does
    scheduler(signalling_map& signallers, std::function<void()> run_job)
        : signallers_(signallers), run_job_(std::move(run_job)) {}

    /// Makes a job that is not queued yet. Its fence lives as long as the scheduler.
    job_fence& make_job(site where = site::current()) {
        const guard held(jobs_lock_, where);
        jobs_.push_back(std::make_unique<job_fence>(signallers_));
        if (!worker_) worker_.emplace([this] { run_all(); }, "job work");
        return *jobs_.back();
    }

    /// Queues a job. From here on its fence must be signalled whatever happens. Does not allocate.
    void queue(job_fence& job, site where = site::current()) {
        {
            const guard held(jobs_lock_, where);
            pending_.push_back(&job);
        }
        worker_->queue(where);
    }

    /// Stops the worker, drops the waiting jobs, and goes on (Linux: drm_sched_stop and
    /// drm_sched_start, from the timeout handler). Must not be called under a lock that a job
    /// takes.
    void reset(site where = site::current()) {
        if (!has_worker(where)) return;
        worker_->cancel(where);
        {
            const signalling_section promise(signallers_, where);
            while (job_fence* const job = next(where)) job->signal(where);
        }
        worker_->queue(where);  // another task may have queued a job while the worker was stopped
    }

    /// Returns whether a job waits for the worker, as its timeout asks (Linux:
    /// drm_sched_job_timedout).
    bool has_pending(site where = site::current()) {
        const guard held(jobs_lock_, where);
        return !pending_.empty();
    }

    /// Waits until all queued jobs have run.
    void drain(site where = site::current()) {
        if (has_worker(where)) worker_->flush(where);
    }

private:
    bool has_worker(site where) {
        const guard held(jobs_lock_, where);
        return worker_.has_value();
    }
    job_fence* next(site where = site::current()) {
        const guard held(jobs_lock_, where);
        if (pending_.empty()) return nullptr;
        job_fence* const first = pending_.front();
        pending_.erase(pending_.begin());
        return first;
    }
    void run_all() {
        while (job_fence* const job = next()) {
            const signalling_section promise(signallers_);
            run_job_();
            job->signal();
        }
    }

    signalling_map& signallers_;
    const std::function<void()> run_job_;
    mutex jobs_lock_{"job_list_lock"};
    std::vector<std::unique_ptr<job_fence>> jobs_;  // guarded by jobs_lock_, as the next one
    std::vector<job_fence*> pending_;
    std::optional<work> worker_;  // made for the first job; an execution without one needs no task
};

}  // namespace wedge
