// Tasks as fibers: a switch costs nanoseconds. Needs Boost.Context (target wedge::explore).
#pragma once

#if defined(WEDGE_FIBERS)

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include <boost/context/detail/fcontext.hpp>
#include <sys/mman.h>
#include <sys/single_threaded.h>

#include "wedge/core/check.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/explore/engine/stack_user.hpp"

extern "C" {
// A function of the C++ ABI. libc++ does not declare it, and libstdc++ declares another type.
void* wedge_exceptions_of_thread() noexcept __asm__("__cxa_get_globals");
#if defined(WEDGE_TSAN)
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
#endif
#if defined(WEDGE_ASAN)
void __sanitizer_start_switch_fiber(void** fake_stack, const void* bottom, std::size_t size);
void __asan_unpoison_memory_region(const volatile void* from, std::size_t size);
void __sanitizer_finish_switch_fiber(void* fake_stack, const void** bottom, std::size_t* size);
#endif
}

namespace wedge {

/// The memory of stacks, each with a guard page below. A thread keeps some that it needs no more:
/// the system takes longer to map a stack and its first pages than a short search runs.
class stack_memory {
public:
    static constexpr std::size_t page = 4096;
    // Four times that of a kernel task.
    static constexpr std::size_t stack_size = std::size_t{256} * 1024;
    static constexpr std::size_t size = stack_size + page;

    static void* take() {
        // A sanitizer would compare what the stack's earlier users did with what its new one does.
        if (!sanitizer::any && !is_over && kept.count != 0) return kept.all[--kept.count];
        void* const made = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (made == MAP_FAILED) throw std::bad_alloc();
        ::mprotect(made, page, PROT_NONE);
        return made;
    }
    static void give(void* memory) noexcept {
        if (sanitizer::any || is_over || kept.count == kept.all.size())
            ::munmap(memory, size);
        else
            kept.all[kept.count++] = memory;
    }

private:
    struct of_thread {
        std::array<void*, 8> all;
        std::size_t count;
        ~of_thread() {
            while (count != 0) ::munmap(all[--count], size);
            is_over = true;
        }
    };
    static inline thread_local bool is_over = false;  // the thread ends
    static inline thread_local of_thread kept{};
};

/// Fibers on stacks of their own. They run on the thread that made the switcher, and on no other.
class fiber_switcher {
public:
    explicit fiber_switcher(stack_user& user) : user_(user) {
        fibers_.push_back(std::make_unique<fiber>());
#if defined(WEDGE_TSAN)
        fibers_[0]->tsan = __tsan_get_current_fiber();
        // Otherwise libstdc++ would count the references of a shared_ptr without atomics, since
        // only fibers run, and TSan would report a race.
        if (__libc_single_threaded) __libc_single_threaded = false;
#endif
    }
    fiber_switcher(const fiber_switcher&) = delete;
    fiber_switcher& operator=(const fiber_switcher&) = delete;
    ~fiber_switcher() {
        for (std::size_t i = 1; i < fibers_.size(); ++i) {
#if defined(WEDGE_TSAN)
            // The fiber was left in `start`, within a scope. TSan wants that scope ended.
            void* const left = fibers_[i]->tsan;
            void* const here = fibers_[0]->tsan;
            __tsan_switch_to_fiber(left, no_sync);
            sanitizer::ignore_scope::end();
            __tsan_switch_to_fiber(here, no_sync);
            __tsan_destroy_fiber(left);
#endif
            stack_memory::give(fibers_[i]->memory);
        }
    }

    /// Called within a `sanitizer::ignore_scope`.
    [[gnu::always_inline]] void switch_to(std::uint32_t from, std::uint32_t to) {
        while (fibers_.size() <= to) add();
        if (fibers_[to]->is_spent) [[unlikely]]
            renew(*fibers_[to]);
        jump(*fibers_[from], *fibers_[to]);
    }

    /// Tells TSan that what happened on all stacks happened before an acquire of `object`. Called
    /// on stack 0, within a `sanitizer::ignore_scope`, when an execution is given up: code that
    /// unwinds a task is no race with what other tasks did.
    void release_all([[maybe_unused]] void* object) noexcept {
#if defined(WEDGE_TSAN)
        for (std::size_t i = 1; i < fibers_.size(); ++i) {
            void* const parked = fibers_[i]->tsan;
            void* const here = fibers_[0]->tsan;
            __tsan_switch_to_fiber(parked, no_sync);
            sanitizer::ignore_scope::end();
            sanitizer::release(object);
            sanitizer::ignore_scope::begin();
            __tsan_switch_to_fiber(here, no_sync);
        }
#endif
    }

    [[noreturn]] void leave(std::uint32_t from, std::uint32_t to) {
        const sanitizer::ignore_scope ours;
        fibers_[from]->is_spent = true;
        jump(*fibers_[from], *fibers_[to]);
        std::abort();
    }

private:
    using transfer = boost::context::detail::transfer_t;

    static constexpr std::size_t page = stack_memory::page;
    static constexpr std::size_t stack_size = stack_memory::stack_size;
    static constexpr std::size_t memory_size = stack_memory::size;
    static constexpr unsigned no_sync = 1;  // a switch is no happens-before edge of the program

    struct fiber {
        boost::context::detail::fcontext_t context = nullptr;
        fiber_switcher* owner = nullptr;
        std::uint32_t number = 0;
        fiber* entering = nullptr;  // the fiber that goes on, while this one is left
        int errno_value = 0;
        void* exceptions[2] = {};
        void* memory = nullptr;
        const void* bottom = nullptr;  // for ASan; for stack 0 it is learnt at the first switch
        std::size_t size = 0;
        void* fake_stack = nullptr;
        void* tsan = nullptr;
        bool is_spent = false;  // left in the middle of a task
    };

    [[gnu::always_inline]] void jump(fiber& leaving, fiber& entering) {
        leaving.entering = &entering;
        leaving.errno_value = *errno_;
        // Exceptions in flight and being handled belong to a stack, but the C++ runtime keeps them
        // per thread (Itanium C++ ABI 2.2.2: two words).
        std::memcpy(leaving.exceptions, exceptions_, sizeof leaving.exceptions);
        std::memcpy(exceptions_, entering.exceptions, sizeof entering.exceptions);
#if defined(WEDGE_ASAN)
        __sanitizer_start_switch_fiber(&leaving.fake_stack, entering.bottom, entering.size);
#endif
#if defined(WEDGE_TSAN)
        __tsan_switch_to_fiber(entering.tsan, no_sync);
#endif
        const transfer came = boost::context::detail::jump_fcontext(entering.context, &leaving);
        arrived(came);
        *errno_ = leaving.errno_value;
    }

    /// Called first on a stack that goes on: stores where the other stack stopped.
    static fiber& arrived(transfer came) noexcept {
        fiber& left = *static_cast<fiber*>(came.data);
        left.context = came.fctx;
#if defined(WEDGE_ASAN)
        __sanitizer_finish_switch_fiber(left.entering->fake_stack, &left.bottom, &left.size);
#endif
        return *left.entering;
    }

    [[gnu::noinline, gnu::cold]] void add() {
        auto made = std::make_unique<fiber>();
        made->memory = stack_memory::take();
#if defined(WEDGE_ASAN)
        // Memory of an earlier stack still has the marks of its last frames.
        __asan_unpoison_memory_region(made->memory, memory_size);
#endif
        made->bottom = static_cast<char*>(made->memory) + page;
        made->size = stack_size;
        made->owner = this;
        made->number = static_cast<std::uint32_t>(fibers_.size());
#if defined(WEDGE_TSAN)
        made->tsan = __tsan_create_fiber(0);
#endif
        made->context = boost::context::detail::make_fcontext(
            static_cast<char*>(made->memory) + memory_size, stack_size, &start);
        fibers_.push_back(std::move(made));
    }

    /// Lets a stack that is not in use begin again. TSan's fiber of it leaks: its open scopes
    /// cannot be ended any more.
    static void renew(fiber& spent) {
        spent.is_spent = false;
        std::memset(spent.exceptions, 0, sizeof spent.exceptions);
#if defined(WEDGE_ASAN)
        __asan_unpoison_memory_region(spent.bottom, stack_size);
        spent.bottom = static_cast<char*>(spent.memory) + page;
        spent.size = stack_size;
        spent.fake_stack = nullptr;
#endif
#if defined(WEDGE_TSAN)
        spent.tsan = __tsan_create_fiber(0);
#endif
        spent.context = boost::context::detail::make_fcontext(
            static_cast<char*>(spent.memory) + memory_size, stack_size, &start);
    }

    /// Runs tasks one after the other. Never returns: a fiber is left for good while it waits for a
    /// task.
    static void start(transfer came) {
        const sanitizer::ignore_scope ours;
        const fiber& here = arrived(came);
        for (;;) {
            const std::uint32_t next = here.owner->user_.run_on(here.number);
            here.owner->switch_to(here.number, next);
        }
    }

    stack_user& user_;
    std::vector<std::unique_ptr<fiber>> fibers_;
    int* const errno_ = &errno;  // of the only thread that uses this
    void* const exceptions_ = wedge_exceptions_of_thread();
};

}  // namespace wedge

#endif  // WEDGE_FIBERS
