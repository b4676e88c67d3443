// Call stacks: return addresses when they are captured, names only when they are printed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <cxxabi.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>

namespace wedge {

/// Return addresses, innermost first. Empty: no stack was captured.
using call_stack = std::vector<const void*>;

// Deeper frames belong to main loops and starts of threads.
inline constexpr std::size_t call_stack_max = 32;

namespace detail {

struct stack_bounds {
    std::uintptr_t low = 0;
    std::uintptr_t high = 0;
};

/// Returns the bounds of this thread's stack. Asks the system once per thread.
inline const stack_bounds& thread_stack() noexcept {
    static thread_local const stack_bounds bounds = [] {
        stack_bounds found;
        pthread_attr_t attributes;
        if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return found;
        void* low = nullptr;
        std::size_t size = 0;
        if (::pthread_attr_getstack(&attributes, &low, &size) == 0) {
            found.low = reinterpret_cast<std::uintptr_t>(low);
            found.high = found.low + size;
        }
        ::pthread_attr_destroy(&attributes);
        return found;
    }();
    return bounds;
}

struct stack_frame {
    std::uintptr_t caller = 0;  // the caller's frame
    std::uintptr_t returns_to = 0;
};

/// Reads a frame and never faults. Reads directly from `own`, this thread's stack, and through the
/// kernel from any other stack (a fiber's or a signal's).
__attribute__((no_sanitize("address"))) inline bool read_frame(std::uintptr_t at,
                                                               const stack_bounds& own,
                                                               stack_frame& frame) noexcept {
    if (at % alignof(stack_frame) != 0) return false;
    auto* const place = reinterpret_cast<void*>(at);
    if (at >= own.low && at < own.high && own.high - at >= sizeof frame) {
        const auto* const words = static_cast<const std::uintptr_t*>(place);
        frame = {words[0], words[1]};
        return true;
    }
    const iovec to{&frame, sizeof frame};
    const iovec from{place, sizeof frame};
    return ::process_vm_readv(::getpid(), &to, 1, &from, 1, 0) ==
           static_cast<ssize_t>(sizeof frame);
}

/// Follows the chain of frame pointers outwards, as long as `visit` returns true for the return
/// address. Code built without frame pointers (-fomit-frame-pointer) ends the chain early.
template <class Visit>
void walk_stack(const void* innermost, Visit visit) {
#if defined(__x86_64__) || defined(__aarch64__)  // both store the return address above the pointer
    constexpr std::uintptr_t frame_size_max = 1 << 20;  // a larger step cannot be a frame
    auto at = reinterpret_cast<std::uintptr_t>(innermost);
    const stack_bounds own = thread_stack();
    stack_frame frame;
    while (read_frame(at, own, frame) && frame.returns_to != 0) {
        if (!visit(frame.returns_to)) return;
        if (frame.caller <= at || frame.caller - at > frame_size_max) return;
        at = frame.caller;
    }
#else
    static_cast<void>(innermost);
    static_cast<void>(visit);
#endif
}

}  // namespace detail

/// Captures a stack in place of `capture_stack`'s walk over frame pointers; null: the walk is used.
/// `wedge run` sets it, because the code of most packages keeps no frame pointers.
inline std::atomic<call_stack (*)()> stack_capturer{nullptr};

/// Returns the calls that led here, as far as they keep frame pointers. Does not block; allocates
/// once.
[[gnu::noinline]] inline call_stack capture_stack() {
    if (const auto capture = stack_capturer.load(std::memory_order_relaxed)) return capture();
    std::array<const void*, call_stack_max> found;
    std::size_t calls = 0;
    detail::walk_stack(__builtin_frame_address(0), [&](std::uintptr_t returns_to) {
        found[calls++] = reinterpret_cast<const void*>(returns_to);
        return calls < call_stack_max;
    });
    return call_stack(found.data(), found.data() + calls);
}

/// A part of the program's code, from its first byte to behind its last. Empty: no code.
///
/// The attribute [[gnu::section("mine")]] puts functions into one section. The linkers of GNU and
/// LLVM define its bounds as __start_mine and __stop_mine.
struct code_range {
    const void* begin = nullptr;
    const void* end = nullptr;

    bool is_empty() const noexcept { return begin == end; }
    bool has(std::uintptr_t address) const noexcept {
        return address - reinterpret_cast<std::uintptr_t>(begin) <
               reinterpret_cast<std::uintptr_t>(end) - reinterpret_cast<std::uintptr_t>(begin);
    }
};

/// Returns whether a call from this code led here, as far as the calls keep frame pointers. A tail
/// call leaves no trace. Allocates nothing.
[[gnu::noinline]] inline bool is_called_from(code_range code) {
    bool is_found = false;
    std::size_t left = call_stack_max;
    detail::walk_stack(__builtin_frame_address(0), [&](std::uintptr_t returns_to) {
        is_found = code.has(returns_to - 1);  // an address inside the call instruction
        return !is_found && --left != 0;
    });
    return is_found;
}

/// Returns `function+0x1f (program)`, or `program+0x12a0` if the program exports no name (build
/// with -rdynamic, or ask addr2line). Empty if the address belongs to no code.
inline std::string name_of_address(const void* address) {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    Dl_info known{};
    // An address inside the call instruction.
    if (::dladdr(reinterpret_cast<void*>(place - 1), &known) == 0) return {};
    const auto offset = [&](const void* base) {
        std::string digits;
        for (auto rest = place - reinterpret_cast<std::uintptr_t>(base); rest != 0; rest >>= 4)
            digits.insert(digits.begin(), "0123456789abcdef"[rest & 15]);
        return "+0x" + digits;
    };
    std::string_view module = known.dli_fname == nullptr ? "?" : known.dli_fname;
    module.remove_prefix(module.rfind('/') + 1);
    if (known.dli_sname == nullptr) return std::string(module) + offset(known.dli_fbase);
    int status = 0;
    char* const readable = abi::__cxa_demangle(known.dli_sname, nullptr, nullptr, &status);
    const std::string name = status == 0 ? readable : known.dli_sname;
    std::free(readable);
    return name + offset(known.dli_saddr) + " (" + std::string(module) + ")";
}

/// Returns the names of a stack's calls, beginning with the first one outside of wedge.
inline std::vector<std::string> names_of(const call_stack& stack) {
    std::vector<std::string> names;
    for (const void* address : stack) {
        std::string name = name_of_address(address);
        if (name.empty()) break;
        if (names.empty() && name.starts_with("wedge::")) continue;
        names.push_back(std::move(name));
    }
    return names;
}

}  // namespace wedge
