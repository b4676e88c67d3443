// The designs that come with wedge, each in a device.
#pragma once

#include "wedge/model/gpu_device.hpp"
#include "wedge/model/vm_device.hpp"

namespace wedge {

/// Each design in the smallest device that has its bug. The inputs of a fuzzer number them in this
/// order, so new ones go to the end.
using device_list =
    workload_list<device<design::upstream>, device<design::imap_before_reclaim>,
                  device<design::blocking_shrinker>, device<design::alloc_under_imap>,
                  gpu_device<design::upstream>, gpu_device<design::copy_under_reservation>,
                  gpu_device<design::without_ticket>, gpu_device<design::eviction_without_ticket>,
                  gpu_device<design::job_allocates>, gpu_device<design::job_allocates_noretry>,
                  gpu_device<design::recovery_allocates>,
                  gpu_device<design::notifier_takes_reservation>, vm_device<design::upstream>,
                  vm_device<design::exec_without_ticket>, vm_device<design::link_under_reservation>,
                  vm_device<design::timeout_stopped_under_lock>>;

}  // namespace wedge
