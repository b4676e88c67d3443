// The standard library's locks, threads and atomics, explored and checked: replace `std::` by
// `wstd::` in front of these names, and the file is ported.
#pragma once

#include "wedge/core/level.hpp"
#include "wedge/order/process.hpp"

#if WEDGE_LEVEL == 0
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stop_token>
#include <thread>

namespace wedge {
namespace std_like = std;
}  // namespace wedge
#else
#include "wedge/std_like/atomic.hpp"
#include "wedge/std_like/atomic_functions.hpp"
#include "wedge/std_like/atomic_ref.hpp"
#include "wedge/std_like/condition_variable.hpp"
#include "wedge/std_like/counting.hpp"
#include "wedge/std_like/future.hpp"
#include "wedge/std_like/mutex.hpp"
#include "wedge/std_like/stop_token.hpp"
#include "wedge/std_like/thread.hpp"
#endif

namespace wstd = wedge::std_like;

#if defined(WEDGE_IMPLEMENT)
#include "wedge/implement/order.hpp"
#endif
