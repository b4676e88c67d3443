// A GPU driver with jobs, fences and user memory under memory pressure, as a workload.
#pragma once

#include <array>

#include "wedge/model/delayed_delete.hpp"
#include "wedge/model/device.hpp"
#include "wedge/model/lru.hpp"
#include "wedge/model/notifier.hpp"
#include "wedge/model/process.hpp"
#include "wedge/model/scheduler.hpp"
#include "wedge/model/userptr.hpp"
#include "wedge/model/vram.hpp"

namespace wedge {

/// `device` with everything that waits for the hardware: submissions that reserve several objects
/// and make room for them in the device's memory, user pages that the device works on, suspend, and
/// recovery from a hang. It runs a tenth of the executions per second of `device`, which has the
/// bugs of reclaim alone.
///
///     wedge::explore<wedge::gpu_device<mine>>(wedge::parse_program("submit | fault(1)"))
template <const locking_design& D>
struct gpu_device : device<D> {
    using base = device<D>;
    using typename base::object;

    gpu_device() {
        this->zone_.add(user_reclaim_);
        this->zone_.add(purge_);
        this->zone_.add(hog_);
        {
            const guard held(this->mmap_);
            notifiers_.add(user_, this->mmap_);
        }
        prime(D.fence_order);
    }

    /// Handles a page fault of an object (Linux: ttm_bo_vm_fault). It does not wait for the
    /// reservation under the mmap lock: it drops the mmap lock, waits, and asks for another pass.
    void fault(std::uint32_t index) {
        object& bo = this->at(index);
        handle_fault(this->mmap_, fault_flags::allow_retry,
                     [&](fault_flags how) { return fault_in(bo, how); });
    }

    /// Creates a handle to an object: allocates what it needs, then registers it.
    void create(std::uint32_t index) {
        if (!this->zone_.alloc(1, gfp_kernel)) return;
        const guard held(table_lock_);
        ++handles_[index % handles_.size()];
    }

    /// Closes a handle. The object goes with its last handle; if it is in use, it goes later.
    void close(std::uint32_t index) {
        bool is_last = false;
        {
            const guard held(table_lock_);
            std::uint32_t& handles = handles_[index % handles_.size()];
            if (handles == 0) return;
            is_last = --handles == 0;
        }
        this->zone_.free(1);
        if (is_last) deleted_.drop(this->at(index));
    }

    /// Maps an object: looks it up and puts the area into the tree of its mapping.
    void mmap() {
        const guard mm(this->mmap_);
        { const guard looking_up(offset_lock_); }
        this->file_.change_tables(this->zone_, D.unmap_alloc);
    }

    /// Copies a list of objects from user space, reserves both, makes room for them, and queues a
    /// job that uses them. An odd argument lists them in the other order.
    void submit(std::uint32_t order) {
        if (D.submit_copy == design::copy_at::before_reservation) copy_from_user();
        job_fence& job = jobs_.make_job();
        object& first = this->at(order);
        object& second = this->at(order + 1);
        if (D.submit_lock == design::several_by::nesting) {
            const guard one(first.resv);
            const guard two(second.resv);
            return queue(first, second, job);
        }
        const std::array both{&first.resv, &second.resv};
        reserve(this->resv_, both, [&](ww_ticket& ticket) {
            for (object* const each : {&first, &second})
                if (const ww_result got = make_room(*each, ticket); got != ww_result::ok)
                    return got;
            queue(first, second, job);
            return ww_result::ok;
        });
    }

    /// Shows another frame on the screen. It must be in the device's memory.
    void flip() {
        const std::array one{&frame_.resv};
        reserve(this->resv_, one, [&](ww_ticket& ticket) { return make_room(frame_, ticket); });
    }

    /// Queues a job that works on user pages in place (Linux: amdgpu_cs_parser_bos with userptr).
    void submit_user() {
        job_fence& job = jobs_.make_job();
        const auto outer = [&](auto inner) {
            const guard held(this->at(0).resv);
            inner();
        };
        user_.use([&] { return collect_user_pages(); }, outer,
                  [&] {
                      const signalling_section promise(signallers_);
                      user_job_.store(&job);
                      jobs_.queue(job);
                  });
    }

    /// Takes the user pages away, as the core does: walks the mapping and calls the notifiers.
    void swap_out() { take_user_pages(design::how::block); }

    /// States that the user no longer needs an object's contents. Reclaim may drop them.
    void madvise(std::uint32_t index) {
        object& bo = this->at(index);
        const guard held(bo.resv);
        purgeable_.move_to_tail(bo);
    }

    /// Lets the device sleep. Nothing may be in its memory then.
    void suspend() {
        for (object& bo : this->bos_) {
            const guard held(bo.resv);
            bo.resv.wait(fence_use::read);
            this->depopulate(bo);
        }
        jobs_.drain();
        deleted_.drain();
    }

    /// Runs a process that takes much memory and exits, or is killed before.
    void hog() {
        if (hog_.grow(base::hog_pages)) hog_.exit();
    }

    /// Runs the scheduler's timer: recovers if a job has not run yet.
    void timeout() {
        if (jobs_.has_pending()) recover();
    }

    /// Recovers from a hang: dumps the device's state and restarts it.
    void recover() {
        const guard one_at_a_time(reset_lock_);
        {
            const guard still(gpu_lock_);
            const alloc_scope within(D.recovery_scope);
            if (this->zone_.alloc(1, gfp_kernel)) this->zone_.free(1);
        }
        jobs_.reset();
    }

    void check() const {
        std::uint32_t others = hog_.pages() + (user_pages_.load() ? 1 : 0);
        for (const std::uint32_t each : handles_) others += each;
        this->check_pages(others);
    }

    static constexpr auto actions = wedge::actions(
        action<&gpu_device::fault>{"fault"}, action<&gpu_device::evict>{"evict"},
        action<&gpu_device::unmap>{"unmap"}, action<&gpu_device::kswapd>{"kswapd"},
        action<&gpu_device::hog>{"hog"}, action<&gpu_device::truncate>{"truncate"},
        action<&gpu_device::strain>{"strain"}, action<&gpu_device::create>{"create"},
        action<&gpu_device::close>{"close"}, action<&gpu_device::mmap>{"mmap"},
        action<&gpu_device::submit>{"submit"}, action<&gpu_device::flip>{"flip"},
        action<&gpu_device::submit_user>{"submit_user"}, action<&gpu_device::swap_out>{"swap_out"},
        action<&gpu_device::madvise>{"madvise"}, action<&gpu_device::suspend>{"suspend"},
        action<&gpu_device::recover>{"recover"}, action<&gpu_device::timeout>{"timeout"});

private:
    /// Frees the user pages in reclaim.
    class user_reclaim final : public shrinker {
    public:
        explicit user_reclaim(gpu_device& of) : of_(of) {}
        void scan() override { of_.take_user_pages(D.rmap_lock); }

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
    /// Waits for the job that works on the user pages.
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

    /// Places an object in the device's memory and evicts idle objects from it. Their contents move
    /// to pages.
    [[nodiscard]] ww_result make_room(object& bo, ww_ticket& ticket) {
        return vram_.place(bo, ticket, D.evict_lock, [this](object& victim) {
            victim.resv.wait(fence_use::read);
            this->zone_.might_alloc(gfp_kernel);
        });
    }

    void queue(object& first, object& second, job_fence& job) {
        if (D.submit_copy == design::copy_at::under_reservation) copy_from_user();
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
        if (this->zone_.alloc(1, D.job_alloc)) this->zone_.free(1);
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
        if (D.notifier_reserves) const guard held(this->at(0).resv);
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
    spinlock table_lock_{"table_lock"};
    std::array<std::uint32_t, 2> handles_{};  // guarded by table_lock_
    spinlock offset_lock_{"vma_offset_lock"};
    object frame_{this->resv_};
    vram<object> vram_{2};  // one less than the number of objects
    mmap_lock hog_mmap_;
    notifier_list hog_notifiers_{this->zone_};
    process hog_{this->zone_, hog_mmap_, hog_notifiers_};
    delayed_delete<object> deleted_{[this](object& bo) { this->depopulate(bo); }};
    scheduler jobs_{signallers_, [this] { run_job(); }};
};

}  // namespace wedge
