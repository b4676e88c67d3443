// What tasks do with the driver: the workload of the explorer, the fuzzer and the stress program.
#pragma once

#include <cstdint>

#include "wedge/linux.hpp"
#include "wedge/workload/workload.hpp"

using namespace wedge::kernel;

// Kernel style: `static` functions that a build without a caller would warn about.
#define GPU_BUG 0
namespace gpu_clean {
#include "gpu.hpp"
}
#undef GPU_BUG
#define GPU_BUG 1
namespace gpu_copies_late {
#include "gpu.hpp"
}
#undef GPU_BUG
#define GPU_BUG 2
namespace gpu_allocates_in_job {
#include "gpu.hpp"
}
#undef GPU_BUG
#define GPU_BUG 3
namespace gpu_cancels_under_lock {
#include "gpu.hpp"
}
#undef GPU_BUG

/// A workload over one build of the driver. The macro names the build's functions, as a program
/// with one driver would.
#define GPU_WORKLOAD(workload, driver)                                                            \
    struct workload {                                                                             \
        static constexpr const char* name = #workload;                                            \
        machine pc;                                                                               \
        driver::gpu_device* gpu = driver::gpu_probe(1);                                           \
        driver::gpu_bo* bos[2]{driver::gpu_bo_create(gpu), driver::gpu_bo_create(gpu)};           \
        driver::gpu_userptr user{};                                                               \
        vm_area_struct area;                                                                      \
        workload() : workload(wedge::zone_limits{.pages = 5}) {}                                  \
        explicit workload(wedge::zone_limits limits) : pc(limits) {                               \
            area.vm_mm = &pc.mm;                                                                  \
            area.vm_ops = &driver::gpu_vm_ops;                                                    \
            area.vm_private_data = bos[0];                                                        \
            pc.mm.user_area = &area;                                                              \
            user.gpu = gpu;                                                                       \
            mutex_init(&user.lock);                                                               \
            mmu_interval_notifier_insert(&user.notifier, &pc.mm, 0, PAGE_SIZE,                    \
                                         &driver::gpu_userptr_ops);                               \
        }                                                                                         \
        ~workload() {                                                                             \
            if (wedge::detail::is_giving_up(wedge::current())) return;                            \
            driver::gpu_remove(gpu);                                                              \
        }                                                                                         \
        void submit(std::uint32_t first) {                                                        \
            driver::gpu_bo* both[2]{bos[first % 2], bos[(first + 1) % 2]};                        \
            const u32 commands[1]{0};                                                             \
            driver::gpu_submit(gpu, both, first % 4 < 2 ? 1 : 2, commands);                       \
        }                                                                                         \
        void fault() { handle_user_fault(&area); }                                                \
        void suspend() { driver::gpu_suspend(gpu); }                                              \
        void reset() { driver::gpu_reset(gpu); }                                                  \
        void time_out() { schedule_delayed_work(&gpu->timeout_work, HZ); }                        \
        void bind() { driver::gpu_userptr_bind(&user); }                                          \
        void munmap() {                                                                           \
            mmap_write_lock(&pc.mm);                                                              \
            invalidate_user_pages(&pc.mm);                                                        \
            mmap_write_unlock(&pc.mm);                                                            \
        }                                                                                         \
        void page_in(std::uint32_t pages) {                                                       \
            void* const mine = kmalloc(pages % 8 * PAGE_SIZE, GFP_KERNEL);                        \
            kfree(mine);                                                                          \
        }                                                                                         \
        static constexpr auto actions = wedge::actions(                                           \
            wedge::action<&workload::submit>{"submit"}, wedge::action<&workload::fault>{"fault"}, \
            wedge::action<&workload::suspend>{"suspend"},                                         \
            wedge::action<&workload::reset>{"reset"},                                             \
            wedge::action<&workload::time_out>{"time_out"},                                       \
            wedge::action<&workload::bind>{"bind"}, wedge::action<&workload::munmap>{"munmap"},   \
            wedge::action<&workload::page_in>{"page_in"});                                        \
    }

GPU_WORKLOAD(clean, gpu_clean);
GPU_WORKLOAD(copies_late, gpu_copies_late);
GPU_WORKLOAD(allocates_in_job, gpu_allocates_in_job);
GPU_WORKLOAD(cancels_under_lock, gpu_cancels_under_lock);
