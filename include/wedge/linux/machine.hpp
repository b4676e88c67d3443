// The computer that a driver's functions run on: memory, allocations, signallers, RCU, processes.
#pragma once

#include <algorithm>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/linux/locks.hpp"
#include "wedge/lock/signalling.hpp"
#include "wedge/lock/ww_mutex.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/model/shrinker.hpp"
#include "wedge/model/workqueue.hpp"

namespace wedge::kernel {

class machine;
struct vm_area_struct;
struct workqueue_struct;
struct mmu_interval_notifier;

/// An address space. Every process has one.
struct mm_struct {
    struct rw_semaphore mmap_lock {
        "&mm->mmap_lock"
    };
    std::vector<mmu_interval_notifier*> notifiers;  // guarded by notifiers_lock
    wedge::spinlock notifiers_lock{"mmu_notifier list"};
    /// Held shared while callbacks run, so that a removal can wait for them.
    checked<detail::plain_srcu> srcu{lock_class("mmu_notifier_srcu", {.reads_nest = true})};
    /// The area that user buffers lie in; null: memory of the process itself.
    vm_area_struct* user_area = nullptr;
};

struct task_struct {
    struct mm_struct* mm = nullptr;
    int pid = 1;
    char comm[16] = "task";
};

namespace detail {

/// What stands before each block of memory that a driver allocates.
struct alignas(64) block {
    machine* of = nullptr;
    std::uint32_t pages = 0;
    std::size_t bytes = 0;
    std::size_t objects = 0;
    void (*destroy)(void* first, std::size_t objects) = nullptr;

    void* data() noexcept { return this + 1; }
    static block& of_data(const void* data) noexcept {
        return *(static_cast<block*>(const_cast<void*>(data)) - 1);
    }
};

}  // namespace detail

/// The computer on which a workload's functions run. A workload has one as its first member, so
/// that each execution begins with fresh memory. Functions that allocate, wait for RCU or fault
/// find it by the engine that runs them. A live program that makes none has a default one, whose
/// memory never runs out.
class machine {
public:
    machine() : machine(std::make_unique<wedge::memory>()) {}
    explicit machine(zone_limits limits) : machine(std::make_unique<wedge::memory>(limits)) {}
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;
    /// Destroys what the driver has not freed.
    ~machine() {
        while (!blocks_.empty()) destroy(*blocks_.back());
        const std::lock_guard mine(all().busy);
        std::erase_if(all().known, [this](const entry& each) { return each.what == this; });
    }

    /// Returns the machine of the running task.
    ///
    /// @throws error  the engine runs a workload that has none
    static machine& here() {
        const wedge::runtime* const engine = current().runtime;
        {
            const std::lock_guard mine(all().busy);
            for (const entry& each : all().known)
                if (each.engine == engine) return *each.what;
        }
        if (engine != nullptr)
            ::wedge::detail::raise<error>(
                "the workload has no member of the type wedge::kernel::machine");
        static machine& live = *new machine;  // threads may outlive static objects
        return live;
    }

    wedge::memory& memory() noexcept { return *memory_; }

    /// Makes a block, which the driver frees by kfree; null: there is no memory.
    detail::block* allocate(std::size_t bytes, gfp asked, site where) {
        const auto pages = static_cast<std::uint32_t>(bytes / PAGE_SIZE);
        if (!memory_->alloc(pages, asked, where)) return nullptr;
        void* const storage =
            ::operator new(sizeof(detail::block) + bytes, std::align_val_t(alignof(detail::block)));
        auto* const made = new (storage) detail::block{this, pages, bytes, 0, nullptr};
        std::memset(made->data(), 0, bytes);
        const std::lock_guard mine(busy_);
        blocks_.push_back(made);
        return made;
    }
    void free(detail::block& of, site where) {
        const std::uint32_t pages = of.pages;
        destroy(of);
        memory_->free(pages, where);
    }
    /// Returns the number of blocks that were not freed.
    std::size_t blocks() const noexcept { return blocks_.size(); }

    /// States that this code may sleep. A finding if the task must not (rule 22).
    void might_sleep(site where) { wedge::detail::might_sleep(current(), sleep_, where); }

    signalling_map signalling;
    ww_class reservations{"reservation_ww_class_mutex"};
    checked<detail::plain_rcu> rcu{lock_class("rcu_read_lock")};
    shrinker_list shrinkers;
    mm_struct mm;
    task_struct process{.mm = &mm};
    std::unique_ptr<wedge::workqueue> system_queue;
    std::unique_ptr<wedge::workqueue> rcu_queue;  // runs the bodies of call_rcu
    workqueue_struct* system_wq = nullptr;

private:
    struct entry {
        const wedge::runtime* engine;
        machine* what;
    };
    struct registry {
        plain_spinlock busy;
        std::vector<entry> known;
    };
    static registry& all() {
        static registry& made = *new registry;
        return made;
    }

    explicit machine(std::unique_ptr<wedge::memory> memory) : memory_(std::move(memory)) {
        memory_->add(shrinkers);
        const std::lock_guard mine(all().busy);
        all().known.push_back({current().runtime, this});
    }

    void destroy(detail::block& of) {
        {
            const std::lock_guard mine(busy_);
            std::erase(blocks_, &of);
        }
        if (of.destroy != nullptr) of.destroy(of.data(), of.objects);
        of.~block();
        ::operator delete(&of, std::align_val_t(alignof(detail::block)));
    }

    std::unique_ptr<wedge::memory> memory_;
    const lock_class sleep_{"a sleep"};
    plain_spinlock busy_;
    std::vector<detail::block*> blocks_;  // guarded by busy_
};

inline void might_sleep(site where = site::current()) {
    machine::here().might_sleep(where);
}

}  // namespace wedge::kernel
