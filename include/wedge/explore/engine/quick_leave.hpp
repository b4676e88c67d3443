// Leaves a stack and destroys its objects, as an exception that nobody catches would, faster.
#pragma once

#include "wedge/explore/engine/frame_rules.hpp"

#if defined(WEDGE_FRAME_RULES)

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <unwind.h>

extern "C" {
// A function of the C++ ABI, see explore/engine/fiber.hpp.
void* wedge_exceptions_of_thread() noexcept __asm__("__cxa_get_globals");
}

namespace wedge::detail {

/// The exceptions of a thread, as the C++ runtime keeps them (Itanium C++ ABI: Exception Handling,
/// 2.2.2).
struct exceptions_of_thread {
    void* caught;
    unsigned uncaught;

    static exceptions_of_thread& of_caller() noexcept {
        return *static_cast<exceptions_of_thread*>(wedge_exceptions_of_thread());
    }
    bool is_empty() const noexcept { return caught == nullptr && uncaught == 0; }
};

/// Where a function stands: the registers that it finds unchanged after a call, its stack pointer,
/// and the address at which it goes on.
struct frame_place {
    std::array<std::uint64_t, kept_registers> kept{};
    std::uint64_t stack = 0;
    const void* pc = nullptr;
};
static_assert(offsetof(frame_place, stack) == 48 && offsetof(frame_place, pc) == 56);

/// Stores where the caller stands.
[[gnu::naked, gnu::noinline]] inline void note_place(frame_place*) {
    __asm__(
        "movq %rbx, (%rdi)\n\t"
        "movq %rbp, 8(%rdi)\n\t"
        "movq %r12, 16(%rdi)\n\t"
        "movq %r13, 24(%rdi)\n\t"
        "movq %r14, 32(%rdi)\n\t"
        "movq %r15, 40(%rdi)\n\t"
        "leaq 8(%rsp), %rax\n\t"
        "movq %rax, 48(%rdi)\n\t"
        "movq (%rsp), %rax\n\t"
        "movq %rax, 56(%rdi)\n\t"
        "ret");
}

/// Goes on at a place. Clean-up code gets the exception in rax, and in rdx that no handler matched.
/// Never returns.
[[gnu::naked, gnu::noinline]] inline void go_on_at(const frame_place*, _Unwind_Exception*) {
    __asm__(
        "movq %rsi, %rax\n\t"
        "xorl %edx, %edx\n\t"
        "movq 56(%rdi), %rcx\n\t"
        "movq (%rdi), %rbx\n\t"
        "movq 8(%rdi), %rbp\n\t"
        "movq 16(%rdi), %r12\n\t"
        "movq 24(%rdi), %r13\n\t"
        "movq 32(%rdi), %r14\n\t"
        "movq 40(%rdi), %r15\n\t"
        "movq 48(%rdi), %rsp\n\t"
        "jmp *%rcx");
}

/// Runs the clean-up code of the frames of a stack, from the innermost to a given one, and then
/// calls a function that leaves the stack.
///
/// An exception does so in two passes, and interprets the unwind tables of each frame in each. This
/// class interprets them once per return address: a tenth of the instructions. The clean-up code
/// ends by _Unwind_Resume, which calls the stop function of a forced unwinding (Itanium C++ ABI:
/// Exception Handling, 1.6.3), and that goes on with the next frame. A program that is linked with
/// --wrap=_Unwind_Resume goes on at once: see implement/explore.hpp.
class quick_leave {
public:
    /// Of this class' exception. No C++ runtime uses it.
    static constexpr std::uint64_t exception_class = 0x7765646765000000;  // "wedge"

    quick_leave() {
        exception_.exception_class = exception_class;
        exception_.private_1 = reinterpret_cast<std::uintptr_t>(&next_frame);
        exception_.private_2 = reinterpret_cast<std::uintptr_t>(this);
    }
    quick_leave(const quick_leave&) = delete;
    quick_leave& operator=(const quick_leave&) = delete;

    /// Finds the frames between the caller and the frame that has `base` in it.
    ///
    /// @return false: only an exception can leave them, since one of them has a handler or unusual
    ///     tables, or runs because of another exception
    [[gnu::noinline]] bool finds_way(const void* base) {
        if (!exceptions_of_thread::of_caller().is_empty()) return false;
        frame_place at;
        note_place(&at);
        count_ = next_ = 0;
        const auto end = reinterpret_cast<std::uintptr_t>(base);
        for (std::size_t depth = 0; depth < frames_max; ++depth) {
            const frame_rule& here = rules_.of(at.pc);
            if (!here.is_known) return false;
            const std::uint64_t from = here.is_from_rbp ? at.kept[1] : at.stack;
            const std::uint64_t end_of_frame = from + static_cast<std::uint64_t>(here.offset);
            if (end_of_frame <= at.stack) return false;
            if (end_of_frame > end) return true;
            // The first frame is this function's.
            if (here.clean_up != nullptr && depth != 0) {
                if (count_ == clean_ups_max) return false;
                clean_ups_[count_] = at;
                clean_ups_[count_++].pc = here.clean_up;
            }
            for (std::size_t i = 0; i < kept_registers; ++i)
                if (here.saved[i] != frame_rule::unsaved)
                    at.kept[i] = word(end_of_frame +
                                      static_cast<std::uint64_t>(std::int64_t{here.saved[i]}));
            at.stack = end_of_frame;
            at.pc = reinterpret_cast<const void*>(word(end_of_frame - 8));
        }
        return false;
    }

    /// Goes on behind the clean-up code that has ended.
    [[noreturn]] void go_on() {
        if (next_ == count_)
            done_(data_);
        else
            go_on_at(&clean_ups_[next_++], &exception_);
        std::abort();
    }

    /// Leaves the stack on the way that `finds_way` found, while nothing has returned to a frame of
    /// it.
    ///
    /// @param done  leaves the stack for good
    [[noreturn]] void go(void (*done)(void*), void* data) {
        done_ = done;
        data_ = data;
        exceptions_of_thread::of_caller().uncaught = 1;  // as destructors see it
        go_on();
    }

private:
    static constexpr std::size_t frames_max = 200;
    static constexpr std::size_t clean_ups_max = 32;

    static std::uint64_t word(std::uint64_t at) noexcept {
        std::uint64_t value = 0;
        std::memcpy(&value, reinterpret_cast<const void*>(at), sizeof value);
        return value;
    }

    static _Unwind_Reason_Code next_frame(int, _Unwind_Action, _Unwind_Exception_Class,
                                          _Unwind_Exception*, _Unwind_Context*, void* self) {
        static_cast<quick_leave*>(self)->go_on();
    }
    frame_rules rules_;
    std::array<frame_place, clean_ups_max> clean_ups_{};
    std::size_t count_ = 0;
    std::size_t next_ = 0;
    void (*done_)(void*) = nullptr;
    void* data_ = nullptr;
    _Unwind_Exception exception_{};
};

}  // namespace wedge::detail

#endif
