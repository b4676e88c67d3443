// One function over a lock, for level_0.sh: with the standard's type, and with ours at level 0.
#include <mutex>
#include <shared_mutex>

#if defined(STANDARD)
using exclusive = std::mutex;
using shared = std::shared_mutex;
#else
#include "wedge/wedge.hpp"
using exclusive = wedge::mutex;
using shared = wedge::checked<std::shared_mutex>;
#endif

extern "C" bool step(exclusive& a, shared& b, int& value) {
    a.lock();
    ++value;
    a.unlock();
    b.lock_shared();
    b.unlock_shared();
    if (!a.try_lock()) return false;
    value += 2;
    a.unlock();
    return true;
}
