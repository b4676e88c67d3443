// The kernel's names over wedge's locks and roles, for driver functions pasted into a program: see
// docs/linux.md.
#pragma once

#include "wedge/linux/base.hpp"
#include "wedge/linux/fence.hpp"
#include "wedge/linux/locks.hpp"
#include "wedge/linux/machine.hpp"
#include "wedge/linux/memory.hpp"
#include "wedge/linux/mm.hpp"
#include "wedge/linux/order.hpp"
#include "wedge/linux/rcu.hpp"
#include "wedge/linux/wait.hpp"

#if defined(WEDGE_IMPLEMENT)
#include "wedge/implement/order.hpp"
#endif
