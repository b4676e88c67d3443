// Everything that a program under test needs: the locks, the tasks, and the process's order
// checker.
#pragma once

#include "wedge/core/contexts.hpp"
#include "wedge/core/level.hpp"
#include "wedge/lock/assert.hpp"
#include "wedge/lock/atomic.hpp"
#include "wedge/lock/barrier.hpp"
#include "wedge/lock/big_reader_mutex.hpp"
#include "wedge/lock/claims.hpp"
#include "wedge/lock/completion.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/external.hpp"
#include "wedge/lock/fair_shared_mutex.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/interruptible.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/plain.hpp"
#include "wedge/lock/recursive_mutex.hpp"
#include "wedge/lock/refcount.hpp"
#include "wedge/lock/semaphore.hpp"
#include "wedge/lock/seqlock.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/lock/signalling.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/lock/thread.hpp"
#include "wedge/lock/timer.hpp"
#include "wedge/lock/upgrade_mutex.hpp"
#include "wedge/lock/wait_queue.hpp"
#include "wedge/lock/work.hpp"
#include "wedge/lock/ww_mutex.hpp"
#include "wedge/order/process.hpp"

#if defined(WEDGE_IMPLEMENT)
#include "wedge/implement/order.hpp"
#endif
