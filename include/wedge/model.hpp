// The kernel's roles: mmap lock, reservations, reclaim, shrinkers, fences, notifiers, and designs.
#pragma once

#include "wedge/model/delayed_delete.hpp"
#include "wedge/model/designs.hpp"
#include "wedge/model/device.hpp"
#include "wedge/model/device_list.hpp"
#include "wedge/model/fence.hpp"
#include "wedge/model/file_system.hpp"
#include "wedge/model/gfp.hpp"
#include "wedge/model/gpu_device.hpp"
#include "wedge/model/job_fence.hpp"
#include "wedge/model/kswapd.hpp"
#include "wedge/model/lru.hpp"
#include "wedge/model/mapping.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/model/mmap_lock.hpp"
#include "wedge/model/notifier.hpp"
#include "wedge/model/oom.hpp"
#include "wedge/model/pressure.hpp"
#include "wedge/model/prime.hpp"
#include "wedge/model/process.hpp"
#include "wedge/model/reclaim.hpp"
#include "wedge/model/reservation.hpp"
#include "wedge/model/scheduler.hpp"
#include "wedge/model/shrinker.hpp"
#include "wedge/model/userptr.hpp"
#include "wedge/model/vma_lock.hpp"
#include "wedge/model/vram.hpp"
#include "wedge/model/workqueue.hpp"

#if defined(WEDGE_IMPLEMENT)
#include "wedge/implement/order.hpp"
#endif
