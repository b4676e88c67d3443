// Replaces the program's operators new and delete by operators that ask wedge::heap_of first.
// Include it in exactly one source file of a program.
#pragma once

#include <cstdlib>
#include <new>

#include "wedge/model/heap.hpp"

namespace wedge::detail {

/// Whether `new` asks wedge::heap_of: everywhere except under clang's ThreadSanitizer.
#if defined(__clang__) && defined(WEDGE_TSAN)
inline constexpr bool heap_is_asked = false;
#else
inline constexpr bool heap_is_asked = true;
#endif

/// Returns memory; null if the heap is exhausted, or plays exhausted.
inline void* heap_new(std::size_t size, std::size_t alignment = 0) {
    if (!heap_allows()) return nullptr;
    if (alignment == 0) return std::malloc(size != 0 ? size : 1);
    return std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
}
inline void* heap_new_or_throw(std::size_t size, std::size_t alignment = 0) {
    if (void* const got = heap_new(size, alignment)) return got;
    throw std::bad_alloc();
}
inline std::size_t bytes_of(std::align_val_t alignment) {
    return static_cast<std::size_t>(alignment);
}

}  // namespace wedge::detail

// clang links ThreadSanitizer's own operators into every program, so they cannot be replaced.
#if !(defined(__clang__) && defined(WEDGE_TSAN))

// All forms are replaced: sanitizers supply the missing ones, and tell them apart from these.
void* operator new(std::size_t size) {
    return wedge::detail::heap_new_or_throw(size);
}
void* operator new[](std::size_t size) {
    return wedge::detail::heap_new_or_throw(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return wedge::detail::heap_new_or_throw(size, wedge::detail::bytes_of(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return wedge::detail::heap_new_or_throw(size, wedge::detail::bytes_of(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return wedge::detail::heap_new(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return wedge::detail::heap_new(size);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return wedge::detail::heap_new(size, wedge::detail::bytes_of(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return wedge::detail::heap_new(size, wedge::detail::bytes_of(alignment));
}

void operator delete(void* of) noexcept {
    std::free(of);
}
void operator delete[](void* of) noexcept {
    std::free(of);
}
void operator delete(void* of, std::size_t) noexcept {
    std::free(of);
}
void operator delete[](void* of, std::size_t) noexcept {
    std::free(of);
}
void operator delete(void* of, std::align_val_t) noexcept {
    std::free(of);
}
void operator delete[](void* of, std::align_val_t) noexcept {
    std::free(of);
}
void operator delete(void* of, std::size_t, std::align_val_t) noexcept {
    std::free(of);
}
void operator delete[](void* of, std::size_t, std::align_val_t) noexcept {
    std::free(of);
}
void operator delete(void* of, const std::nothrow_t&) noexcept {
    std::free(of);
}
void operator delete[](void* of, const std::nothrow_t&) noexcept {
    std::free(of);
}
void operator delete(void* of, std::align_val_t, const std::nothrow_t&) noexcept {
    std::free(of);
}
void operator delete[](void* of, std::align_val_t, const std::nothrow_t&) noexcept {
    std::free(of);
}

#endif
