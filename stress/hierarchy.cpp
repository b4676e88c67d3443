// Stresses the lock hierarchy of a GPU driver, in all its designs: sound and broken ones.
//
//     stress_hierarchy stress blocking_shrinker --seconds 5
//     stress_hierarchy stress 'gpu_device<upstream>' --weights submit=4,evict --sweep 1,2,4
//
// clang-format off
// ctest: upstream stress device<upstream> --expect --threads 4 --seconds 1 --hog 8 => ^device<upstream>: clean
// ctest: imap_before_reclaim exit=1 stress imap_before_reclaim --threads 4 --seconds 2 => i_mmap_rwsem
// ctest: blocking_shrinker exit=1 stress blocking_shrinker --threads 4 --seconds 2 => dma_resv
// ctest: alloc_under_imap exit=1 stress alloc_under_imap --threads 4 --seconds 2 => i_mmap
// ctest: gpu_upstream stress gpu_device<upstream> --expect --threads 4 --seconds 1 --hog 8 => ^gpu_device<upstream>: clean
// ctest: gpu_recovery when=plain stress recovery_allocates --expect --threads 4 --seconds 30 --arguments 4 => , as expected
// ctest: vm_upstream stress vm_device<upstream> --expect --threads 4 --seconds 1 --hog 8 => ^vm_device<upstream>: clean
// ctest: list stress --list => ^device<upstream> sound\n.*gpu_device<upstream> sound\n.*gpu_device<notifier_takes_reservation> deadlock\n.*vm_device<timeout_stopped_under_lock> deadlock\n$
// ctest: misuse exit=2 stress nothing => there is no workload 'nothing'
// clang-format on
#include "wedge/main.hpp"
#include "wedge/model/device_list.hpp"

// Some designs are broken on purpose, and wedge reports their inverted orders. TSan still reports
// data races.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
    return "detect_deadlocks=0";
}

WEDGE_MAIN(wedge::device_list)
