// Where a call came from: return addresses when it is captured, names only when it is printed.
#pragma once

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

/// Return addresses, the innermost first; empty: not captured.
using call_stack = std::vector<const void*>;

inline constexpr std::size_t call_stack_max = 32;  // deeper frames are main loops and thread starts

namespace detail {

struct stack_bounds {
    std::uintptr_t low = 0;
    std::uintptr_t high = 0;
};

/// This thread's own stack; asks the system once a thread.
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
    std::uintptr_t caller = 0;  // its frame
    std::uintptr_t returns_to = 0;
};

/// Reads a frame without ever faulting: from this thread's stack directly, from any other (a
/// fiber's, a signal's) through the kernel.
__attribute__((no_sanitize("address"))) inline bool read_frame(std::uintptr_t at,
                                                               stack_frame& frame) noexcept {
    if (at % alignof(stack_frame) != 0) return false;
    const stack_bounds& own = thread_stack();
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

}  // namespace detail

/// The calls that led here, by the chain of frame pointers. Code that was built without them
/// (-fomit-frame-pointer) ends it early. Does not block; allocates once.
[[gnu::noinline]] inline call_stack capture_stack() {
    call_stack found;
#if defined(__x86_64__) || defined(__aarch64__)  // both keep the return address above the pointer
    constexpr std::uintptr_t frame_size_max = 1 << 20;  // a larger step is no frame of a sane call
    found.reserve(call_stack_max);
    auto at = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    detail::stack_frame frame;
    while (found.size() < call_stack_max && detail::read_frame(at, frame)) {
        if (frame.returns_to == 0) break;
        found.push_back(reinterpret_cast<const void*>(frame.returns_to));
        if (frame.caller <= at || frame.caller - at > frame_size_max) break;
        at = frame.caller;
    }
#endif
    return found;
}

/// `function+0x1f (program)`, or `program+0x12a0` where the program exports no name (-rdynamic
/// does, and addr2line knows more); empty for an address of no code.
inline std::string name_of_address(const void* address) {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    Dl_info known{};
    if (::dladdr(reinterpret_cast<void*>(place - 1), &known) == 0) return {};  // in the call itself
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

/// The names of a stack's calls, from the first that is not wedge's own.
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
