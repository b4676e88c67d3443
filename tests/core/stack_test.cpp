#include "wedge/core/stack.hpp"

#include <thread>

#include <doctest/doctest.h>
#include <sys/mman.h>

namespace {

// A function that asks for its frame keeps a frame pointer, however it is built.
[[gnu::noinline]] wedge::call_stack inner(const void*& return_address) {
    return_address = __builtin_frame_address(0) == nullptr ? nullptr : __builtin_return_address(0);
    return wedge::capture_stack();
}
[[gnu::noinline]] wedge::call_stack outer(const void*& inner_returns, const void*& outer_returns) {
    outer_returns = __builtin_frame_address(0) == nullptr ? nullptr : __builtin_return_address(0);
    wedge::call_stack found = inner(inner_returns);
    found.shrink_to_fit();
    return found;
}

void check_capture() {
    const void* inner_returns = nullptr;
    const void* outer_returns = nullptr;
    const wedge::call_stack found = outer(inner_returns, outer_returns);
    REQUIRE(found.size() >= 3);
    CHECK(found.size() <= wedge::call_stack_max);
    CHECK(found[1] == inner_returns);
    CHECK(found[2] == outer_returns);
}

[[gnu::noinline]] std::size_t recurse(unsigned depth) {
    if (depth == 0) return wedge::capture_stack().size();
    return recurse(depth - 1) + (__builtin_frame_address(0) == nullptr ? 1 : 0);
}

}  // namespace

TEST_CASE("stack: the callers are found, innermost first, in any thread") {
    check_capture();
    std::thread([] { check_capture(); }).join();
}

TEST_CASE("stack: a deep stack is cut") {
    CHECK(recurse(100) == wedge::call_stack_max);
}

TEST_CASE("stack: a frame pointer that leads nowhere ends the walk") {
    constexpr std::size_t page = 4096;
    auto* const memory = static_cast<char*>(
        ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(memory != MAP_FAILED);
    REQUIRE(::mprotect(memory + page, page, PROT_NONE) == 0);
    const auto at = reinterpret_cast<std::uintptr_t>(memory + page);
    const wedge::detail::stack_bounds own = wedge::detail::thread_stack();
    wedge::detail::stack_frame frame;
    // Memory outside of the thread's stack, like that of a fiber.
    CHECK(wedge::detail::read_frame(at - sizeof frame, own, frame));
    CHECK_FALSE(wedge::detail::read_frame(at, own, frame));
    CHECK_FALSE(
        wedge::detail::read_frame(at - sizeof frame / 2, own, frame));  // the half of a frame
    CHECK_FALSE(wedge::detail::read_frame(at - sizeof frame - 1, own, frame));
    CHECK_FALSE(wedge::detail::read_frame(0, own, frame));
    ::munmap(memory, 2 * page);
}

TEST_CASE("stack: exported functions have names, others a place in their file, data nothing") {
    const auto* const code = reinterpret_cast<const char*>(&::pthread_attr_destroy);
    CHECK(wedge::name_of_address(code + 1).starts_with("pthread_attr_destroy+0x1 (libc"));
    const wedge::call_stack here = wedge::capture_stack();
    CHECK(wedge::name_of_address(here.at(0)).find("+0x") != std::string::npos);
    CHECK(wedge::name_of_address(nullptr).empty());
}
