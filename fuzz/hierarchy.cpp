// Fuzzes the lock hierarchy of a GPU driver under memory pressure: bytes choose the design, the
// program and the schedule. One design alone, from an empty corpus:
//
//     fuzz_hierarchy --design=imap_before_reclaim -max_total_time=60 build/corpus/hierarchy
//
// clang-format off
// ctest: upstream --design=upstream -runs=2000 -seed=1 => Done 2000 runs
// ctest: imap_before_reclaim exit=77 --design=imap_before_reclaim -seed=1 => SUMMARY: wedge: .*i_mmap
// ctest: blocking_shrinker exit=77 --design=blocking_shrinker -seed=1 => SUMMARY: wedge: .*dma_resv
// ctest: alloc_under_imap exit=77 --design=alloc_under_imap -seed=1 => SUMMARY: wedge: .*i_mmap_rwsem
// ctest: gpu_upstream --design=gpu_device<upstream> -runs=500 -seed=1 => Done 500 runs
// ctest: job_allocates exit=77 --design=job_allocates -seed=1 => DEDUP_TOKEN: deadlock signalling reclaim mmu_notifier completion fence\n
// ctest: notifier_takes_reservation exit=77 --design=notifier_takes_reservation -seed=1 => DEDUP_TOKEN: cycle dma_resv/EE mmu_notifier/EE
// ctest: copy_under_reservation exit=77 --design=copy_under_reservation -seed=1 => DEDUP_TOKEN: cycle dma_resv/EE mmap_lock/SE
// ctest: without_ticket exit=77 --design=without_ticket -seed=1 => SUMMARY: wedge: .*dma_resv
// ctest: vm_upstream --design=vm_device<upstream> -runs=500 -seed=1 => Done 500 runs
// ctest: exec_without_ticket exit=77 --design=exec_without_ticket -seed=1 => SUMMARY: wedge: .*dma_resv
// ctest: link_under_reservation exit=77 --design=link_under_reservation -seed=1 => SUMMARY: wedge: .*dma_resv
// ctest: timeout_stopped_under_lock exit=77 --design=timeout_stopped_under_lock -seed=1 => SUMMARY: wedge: .*reset_lock
// ctest: misuse exit=2 --design=nothing => there is no design nothing; there is .*upstream
// clang-format on
#include "wedge/fuzz.hpp"
#include "wedge/model/device_list.hpp"

WEDGE_FUZZ(wedge::device_list)
