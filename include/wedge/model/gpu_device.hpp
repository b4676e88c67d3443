// A GPU driver with jobs, fences and user memory under memory pressure, as a workload.
#pragma once

#include <array>

#include "wedge/model/device.hpp"
#include "wedge/model/lru.hpp"
#include "wedge/model/notifier.hpp"
#include "wedge/model/scheduler.hpp"
#include "wedge/model/userptr.hpp"

namespace wedge {

/// `device` with all that waits for the hardware: submissions that reserve several objects, user
/// pages that the device works on, suspend, and recovery from a hang.
///
///     wedge::explore<wedge::gpu_device<mine>>(wedge::parse_program("submit | fault(1)"))
template <gpu_design D>
struct gpu_device : device<D> {
    using base = device<D>;
    using typename base::object;

    gpu_device() {
        this->zone_.add(user_reclaim_);
        this->zone_.add(purge_);
        {
            const guard held(this->mmap_);
            notifiers_.add(user_, this->mmap_);
        }
        prime(D::fence_order);
    }

    /// A page fault of an object (Linux: ttm_bo_vm_fault): rather than wait for its reservation
    /// under the mmap lock it waits without, and asks for another pass.
    void fault(std::uint32_t index) {
        object& bo = this->at(index);
        handle_fault(this->mmap_, fault_flags::allow_retry,
                     [&](fault_flags how) { return fault_in(bo, how); });
    }

    /// Copies a list of objects from user space, reserves both, and queues a job that uses them.
    /// An odd argument names them in the other order.
    void submit(std::uint32_t order) {
        if (D::submit_copy == design::copy_at::before_reservation) copy_from_user();
        job_fence& job = jobs_.make_job();
        object& first = this->at(order);
        object& second = this->at(order + 1);
        if (D::submit_lock == design::several_by::ticket) {
            const std::array both{&first.resv, &second.resv};
            reserve(this->resv_, both, [&](ww_ticket&) { queue(first, second, job); });
        } else {
            const guard one(first.resv);
            const guard two(second.resv);
            queue(first, second, job);
        }
    }

    /// Queues a job that works on user pages in place (Linux: amdgpu_cs_parser_bos with userptr).
    void submit_user() {
        job_fence& job = jobs_.make_job();
        const auto outer = [&](auto inner) {
            const guard held(this->at(0).resv);
            inner();
        };
        user_.use([&] { return collect_user_pages(); }, outer, [&] {
            const signalling_section promise(signallers_);
            user_job_.store(&job);
            jobs_.queue(job);
        });
    }

    /// The core takes the user pages away: it walks the mapping, and calls the notifiers.
    void swap_out() { take_user_pages(design::how::block); }

    /// The user no longer needs what is in an object; whoever needs memory may drop it.
    void madvise(std::uint32_t index) {
        object& bo = this->at(index);
        const guard held(bo.resv);
        purgeable_.move_to_tail(bo);
    }

    /// The device goes to sleep: nothing may be on it.
    void suspend() {
        for (object& bo : this->bos_) {
            const guard held(bo.resv);
            bo.resv.wait(fence_use::read);
            this->depopulate(bo);
        }
        jobs_.drain();
    }

    /// A job has timed out: dumps the state of the device, and starts it anew.
    void recover() {
        const guard one_at_a_time(reset_lock_);
        {
            const guard still(gpu_lock_);
            const alloc_scope within(D::recovery_scope);
            if (this->zone_.alloc(1, gfp_kernel)) this->zone_.free(1);
        }
        jobs_.reset();
    }

    void check() const { this->check_pages(user_pages_.load() ? 1 : 0); }

    static constexpr auto actions = wedge::actions(
        action<&gpu_device::fault>{"fault"}, action<&gpu_device::evict>{"evict"},
        action<&gpu_device::unmap>{"unmap"}, action<&gpu_device::kswapd>{"kswapd"},
        action<&gpu_device::hog>{"hog"}, action<&gpu_device::truncate>{"truncate"},
        action<&gpu_device::submit>{"submit"}, action<&gpu_device::submit_user>{"submit_user"},
        action<&gpu_device::swap_out>{"swap_out"}, action<&gpu_device::madvise>{"madvise"},
        action<&gpu_device::suspend>{"suspend"}, action<&gpu_device::recover>{"recover"});

private:
    /// Gives the user pages back, in reclaim.
    class user_reclaim final : public shrinker {
    public:
        explicit user_reclaim(gpu_device& of) : of_(of) {}
        void scan() override { of_.take_user_pages(D::rmap_lock); }

    private:
        gpu_device& of_;
    };
    /// Drops what the user no longer needs.
    class purge final : public shrinker {
    public:
        explicit purge(gpu_device& of) : of_(of) {}
        void scan() override {
            of_.purgeable_.walk([this](object& bo) {
                if (const try_guard held(bo.resv); held && bo.resv.is_idle(fence_use::read))
                    of_.depopulate(bo);
                return true;
            });
        }

    private:
        gpu_device& of_;
    };
    /// Waits for the job on the user pages.
    struct user_idle {
        gpu_device* of;
        void operator()() const { of->wait_for_user_job(); }
    };

    fault_result fault_in(object& bo, fault_flags how) WEDGE_NO_THREAD_SAFETY {
        if (is_first_pass(how) && !bo.resv.try_lock()) {
            this->mmap_.unlock_shared();
            const guard until_free(bo.resv);
            return fault_result::retry;
        }
        if (!is_first_pass(how)) bo.resv.lock();
        struct hold {
            reservation& resv;
            ~hold() WEDGE_NO_THREAD_SAFETY { resv.unlock(); }
        } const held{bo.resv};
        if (is_first_pass(how) && !bo.resv.is_idle(fence_use::kernel)) {
            this->mmap_.unlock_shared();
            bo.resv.wait(fence_use::kernel);
            return fault_result::retry;
        }
        bo.resv.wait(fence_use::kernel);
        this->populate(bo);
        return fault_result::done;
    }

    void copy_from_user() {
        user_copy(this->mmap_, [this] {
            return handle_fault(this->mmap_, fault_flags::none,
                                [this](fault_flags how) { return fault_in(this->at(0), how); });
        });
    }

    void queue(object& first, object& second, job_fence& job) {
        if (D::submit_copy == design::copy_at::under_reservation) copy_from_user();
        this->populate(first);
        if (!first.resv.reserve_fences(1, this->zone_)) return;
        if (!second.resv.reserve_fences(1, this->zone_)) return;
        const signalling_section promise(signallers_);
        first.resv.add_fence(job, fence_use::write);
        second.resv.add_fence(job, fence_use::read);
        jobs_.queue(job);
    }

    void run_job() {
        const guard still(gpu_lock_);
        if (this->zone_.alloc(1, D::job_alloc)) this->zone_.free(1);
    }

    bool collect_user_pages() {
        const shared_guard mm(this->mmap_);
        const guard held(page_lock_);
        if (!user_pages_.load() && this->zone_.alloc(1, gfp_nowait)) user_pages_.store(true);
        return user_pages_.load();
    }
    void take_user_pages(design::how way) {
        if (!user_pages_.load()) return;
        static_cast<void>(this->file_.rmap_walk(way, [this] {
            notifiers_.invalidate(true, [this] {
                const guard held(page_lock_);
                if (user_pages_.exchange(false)) this->zone_.free(1);
            });
        }));
    }
    void wait_for_user_job() {
        if (D::notifier_reserves) const guard held(this->at(0).resv);
        if (job_fence* const job = user_job_.load()) job->wait();
    }

    signalling_map signallers_;
    mutex gpu_lock_{"gpu.lock"};
    mutex reset_lock_{"reset_lock"};
    mutex page_lock_{"page_lock"};  // Linux: the page table lock and the folio's
    notifier_list notifiers_{this->zone_};
    userptr<user_idle> user_{user_idle{this}};
    atomic<bool> user_pages_{false, "user_pages"};
    atomic<job_fence*> user_job_{nullptr, "user_job"};
    lru<object> purgeable_;
    user_reclaim user_reclaim_{*this};
    purge purge_{*this};
    scheduler jobs_{signallers_, [this] { run_job(); }};
};

}  // namespace wedge
