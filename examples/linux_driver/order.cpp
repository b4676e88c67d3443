// The driver as a live program: one thread runs each path once, and nothing hangs. The order
// checker reports the three mistakes.
//
// ctest: copies_late_checked copies_late => possible deadlock.*reservation_ww_class_mutex -> &mm->mmap_lock
// ctest: allocates_in_job_checked allocates_in_job => possible deadlock.*signalling -> reclaim
// ctest: cancels_under_lock_checked cancels_under_lock => possible deadlock.*reset_lock -> &gpu->job_work
// ctest: clean_checked clean => ^clean: no path hung\n$
#include <cstdio>
#include <cstring>

#include "workload.hpp"

/// Runs each path of the driver once.
template <class Workload>
void run() {
    // With little memory and the driver's own pages as user memory, two of the mistakes would hang.
    Workload device(wedge::zone_limits{.pages = 1000});
    device.pc.mm.user_area = nullptr;
    state_kernel_order();
    device.fault();
    device.reset();
    device.submit(2);
    device.suspend();
    device.pc.memory().reclaim();
    device.bind();
    device.munmap();
    std::printf("%s: no path hung\n", Workload::name);
}

int main(int count, char** arguments) {
    const char* const wanted = count == 2 ? arguments[1] : "";
    if (std::strcmp(wanted, clean::name) == 0)
        run<clean>();
    else if (std::strcmp(wanted, copies_late::name) == 0)
        run<copies_late>();
    else if (std::strcmp(wanted, allocates_in_job::name) == 0)
        run<allocates_in_job>();
    else if (std::strcmp(wanted, cancels_under_lock::name) == 0)
        run<cancels_under_lock>();
    else
        return 2;
    return 0;
}
