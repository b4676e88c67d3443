// The lock of an address space, page faults with their retry protocol, and copies from user space.
#pragma once

#include "wedge/core/scopes.hpp"
#include "wedge/lock/assert.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/shared_mutex.hpp"

namespace wedge {

/// The lock of an address space. Page faults take it shared, changes of the mappings exclusively
/// (Linux: mm->mmap_lock). It is the outermost lock of the memory paths: a fault handler takes
/// reservations under it and allocates, so their holders and reclaim must not wait for it.
class mmap_lock : public shared_mutex {
public:
    mmap_lock() : shared_mutex("mmap_lock") {}

    /// Takes it shared; returns false if a fatal signal came first. In a live program no signal
    /// comes; under control that is a choice.
    bool lock_shared_killable(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        if (current().runtime != nullptr && choose(2, "killed") != 0) return try_lock_shared(where);
        lock_shared(where);
        return true;
    }
};

/// How a page fault may be handled, as a set of bits (Linux: enum fault_flag).
enum class fault_flags : std::uint8_t {
    none = 0,
    allow_retry = 1,  ///< the handler may drop the mmap lock and ask for another pass
    tried = 2,        ///< this is the other pass
    nowait = 4,       ///< when it asks for another pass, it must neither wait nor drop the lock
    killable = 8,     ///< a fatal signal ends the wait for the mmap lock
};
constexpr fault_flags operator|(fault_flags a, fault_flags b) noexcept {
    return static_cast<fault_flags>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(fault_flags all, fault_flags one) noexcept {
    return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0;
}
/// Returns whether the handler may drop the mmap lock instead of waiting under it.
constexpr bool is_first_pass(fault_flags how) noexcept {
    return has(how, fault_flags::allow_retry) && !has(how, fault_flags::tried);
}

enum class fault_result : std::uint8_t {
    done,
    retry,  ///< the mmap lock was dropped, unless `nowait` was set
    failed,
    killed,  ///< a fatal signal came before the mmap lock was taken
};

/// Handles a page fault under the mmap lock, and again if the handler asks for another pass (Linux:
/// the fault handler of an architecture).
///
/// As in the kernel, the handler's answer says who drops the lock: after `retry` the handler has
/// dropped it, otherwise this function does. A handler that breaks the rule leaks the lock or drops
/// it twice. What the handler knew about the mapping is stale once the lock was dropped.
///
/// @param handler  (fault_flags) -> fault_result, called with the lock held shared
template <class Handler>
fault_result handle_fault(mmap_lock& mm, fault_flags how, Handler handler,
                          site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    struct hold {
        mmap_lock& mm;
        site where;
        bool is_mine = true;
        ~hold() WEDGE_NO_THREAD_SAFETY {
            if (is_mine) mm.unlock_shared(where);
        }
    };
    for (;; how = how | fault_flags::tried) {
        if (!has(how, fault_flags::killable))
            mm.lock_shared(where);
        else if (!mm.lock_shared_killable(where))
            return fault_result::killed;
        hold mine{mm, where};
        const fault_result got = handler(how);
        const bool is_kept = has(how, fault_flags::nowait);
        if (got == fault_result::retry) mine.is_mine = is_kept;
        if (got != fault_result::retry || is_kept) return got;
    }
}

/// While it lives, the task's user copies fail instead of faulting (Linux: pagefault_disable).
class pagefaults_off : public alloc_scope {
public:
    pagefaults_off() noexcept : alloc_scope(scope::nofault) {}
};

/// Copies between kernel and user space (Linux: copy_from_user). The copy may fault, and it tells
/// the order checker so even if the page is present. So call it under no lock that a fault takes.
///
/// @param fault  () -> fault_result, handles a fault of the user's page: it takes the mmap lock
/// @return false: nothing was copied. With page faults off that is no failure, but the reason to
///     release the locks and copy again without them
template <class Fault>
bool user_copy(mmap_lock& mm, Fault fault, site where = site::current()) {
    const bool may_fault = (current().scopes & scope::nofault) == 0;
    if (may_fault) might_lock_shared(mm, where);
    if (choose(2, "the user's page is missing") == 0) return true;
    return may_fault && fault() == fault_result::done;
}

}  // namespace wedge
