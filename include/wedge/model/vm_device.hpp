// A GPU driver with an address space for its jobs, and with timeouts that reset it, as a workload.
#pragma once

#include <array>

#include "wedge/model/device.hpp"
#include "wedge/model/gpu_vm.hpp"
#include "wedge/model/job_timeout.hpp"
#include "wedge/model/scheduler.hpp"

namespace wedge {

/// `device` whose objects are mapped into an address space of the GPU. Submissions reserve all of
/// them, bind jobs change the address space asynchronously, and a job that takes too long has the
/// device reset.
///
///     wedge::explore<wedge::vm_device<mine>>(wedge::parse_program("bind, exec | suspend"))
template <const locking_design& D>
struct vm_device : device<D> {
    using base = device<D>;
    using typename base::object;

    vm_device() { prime(D.fence_order); }

    /// Maps an object (VM_BIND): all that the job needs is allocated before its fence is published.
    void bind(std::uint32_t index) {
        job_fence& job = make_job();
        object& bo = this->at(index);
        const std::array both{&space_.resv(), &bo.resv};
        reserve(this->resv_, both, [&](ww_ticket&) {
            space_.add(bo);
            if (!space_.resv().reserve_fences(1, this->zone_)) return;
            if (!bo.resv.reserve_fences(1, this->zone_)) return;
            const signalling_section promise(signallers_);
            space_.resv().add_fence(job, fence_use::kernel);
            bo.resv.add_fence(job, fence_use::kernel);
            {
                const guard held(binds_lock_);
                binds_.push_back(&bo);
            }
            queue(job);
        });
    }

    /// Submits a job that may use every object of the address space.
    void exec() {
        job_fence& job = make_job();
        space_.exec([this](object& bo) { this->populate(bo); },
                    [&] {
                        if (!space_.resv().reserve_fences(1, this->zone_)) return;
                        const signalling_section promise(signallers_);
                        space_.resv().add_fence(job, fence_use::write);
                        queue(job);
                    },
                    D.exec_lock);
    }

    /// Evicts an object; the next submission restores it.
    void evict(std::uint32_t index) {
        object& bo = this->at(index);
        const guard held(bo.resv);
        bo.resv.wait(fence_use::read);
        this->depopulate(bo);
        space_.evicted(bo);
    }

    /// Lets the device sleep: no job runs, and no timeout, until the next job is queued.
    void suspend() {
        if (D.timeout_stop == design::stop_at::before_reset_lock) timeout_.stop();
        const guard one_at_a_time(reset_lock_);
        if (D.timeout_stop == design::stop_at::under_reset_lock) timeout_.stop();
        jobs_.drain();
    }

    /// Recovers from a hang that the user has reported.
    void recover() {
        const guard one_at_a_time(reset_lock_);
        jobs_.reset();
    }

    static constexpr auto actions = wedge::actions(
        action<&vm_device::fault>{"fault"}, action<&vm_device::evict>{"evict"},
        action<&vm_device::unmap>{"unmap"}, action<&vm_device::kswapd>{"kswapd"},
        action<&vm_device::hog>{"hog"}, action<&vm_device::strain>{"strain"},
        action<&vm_device::bind>{"bind"}, action<&vm_device::exec>{"exec"},
        action<&vm_device::suspend>{"suspend"}, action<&vm_device::recover>{"recover"});

private:
    job_fence& make_job() {
        timeout_.prepare();
        return jobs_.make_job();
    }
    void queue(job_fence& job) {
        jobs_.queue(job);
        timeout_.start();
    }
    /// Runs the next job: a bind job links its mapping.
    void run_job() {
        object* bound = nullptr;
        {
            const guard held(binds_lock_);
            if (!binds_.empty()) {
                bound = binds_.front();
                binds_.erase(binds_.begin());
            }
        }
        if (bound != nullptr) space_.link(*bound, D.link_under);
    }
    void timed_out() {
        if (jobs_.has_pending()) recover();
    }

    signalling_map signallers_;
    mutex reset_lock_{"reset_lock"};
    gpu_vm<object> space_{this->resv_};
    spinlock binds_lock_{"binds_lock"};
    std::vector<object*> binds_;  // guarded by binds_lock_
    scheduler jobs_{signallers_, [this] { run_job(); }};
    job_timeout timeout_{[this] { timed_out(); }};
};

}  // namespace wedge
