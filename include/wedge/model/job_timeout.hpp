// The timeout of a scheduler's jobs: a delayed work that resets the device.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/work.hpp"

namespace wedge {

/// Calls a handler on a worker of its own if jobs do not end in time (Linux: the work_tdr of
/// drm_gpu_scheduler). The handler takes the lock of resets. So nobody may stop the timeout under
/// that lock, and the handler must not stop it either.
class job_timeout {
public:
    /// @param handler  resets the device, if a job still waits
    explicit job_timeout(std::function<void()> handler) : handler_(std::move(handler)) {}

    /// Makes the worker. Called before a job is published, since it allocates.
    void prepare(site where = site::current()) {
        const guard held(made_lock_, where);
        if (!work_) work_.emplace([this] { handler_(); }, "job timeout");
    }
    /// Begins to wait for a job; the caller has called `prepare`. Never sleeps.
    void start(site where = site::current()) { work_->queue(after, where); }

    /// Waits until the handler does not run, and will not (Linux: cancel_delayed_work_sync).
    void stop(site where = site::current()) {
        if (is_made(where)) work_->cancel_sync(where);
    }

private:
    static constexpr std::chrono::seconds after{1};

    bool is_made(site where) {
        const guard held(made_lock_, where);
        return work_.has_value();
    }

    const std::function<void()> handler_;
    mutex made_lock_{"job_timeout.made"};
    std::optional<delayed_work> work_;  // made for the first job
};

}  // namespace wedge
