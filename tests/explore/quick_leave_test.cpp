// Leaving a stack without an exception destroys what an exception would destroy, and refuses what
// only an exception can leave.
#include "wedge/explore/engine/quick_leave.hpp"

#include <csetjmp>
#include <exception>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#if defined(WEDGE_FRAME_RULES)

namespace quick_leave_test {
namespace {

std::string seen;
wedge::detail::quick_leave way;
const void* base = nullptr;
std::jmp_buf outside;
volatile int sink = 0;

/// Notes that it is destroyed, and whether code could ask that an exception is on its way.
struct noted {
    explicit noted(const char* called) : name(called) {}
    ~noted() { seen += std::string(name) + (std::uncaught_exceptions() == 1 ? "! " : " "); }
    noted(const noted&) = delete;
    noted& operator=(const noted&) = delete;
    const char* const name;
};

[[noreturn]] void leave_for_good(void*) {
    auto* const now = &wedge::detail::exceptions_of_thread::of_caller();
    now->uncaught = 0;
    std::longjmp(outside, 1);
}

[[gnu::noinline]] void innermost() {
    const noted object("innermost");
    if (way.finds_way(base)) way.go(&leave_for_good, nullptr);
    seen += "refused ";
}
[[gnu::noinline]] void holds_memory(std::size_t n) {
    const std::string text(100 + n, 'a');
    const std::vector<int> numbers(10, static_cast<int>(n));
    const noted object("memory");
    innermost();
    sink = numbers[3] + static_cast<int>(text.size());
}
[[gnu::noinline]] void has_moving_frame(std::size_t n) {
    const noted object("moving");
    auto* const room = static_cast<char*>(__builtin_alloca(n));
    room[0] = 1;
    holds_memory(n);
    sink = room[0];
}
[[gnu::noinline]] void calls_itself(std::size_t n) {
    const noted object("again");
    n == 0 ? has_moving_frame(300) : calls_itself(n - 1);
    sink = static_cast<int>(n);
}
[[gnu::noinline]] void lets_nothing_through() noexcept {
    const noted object("noexcept");
    holds_memory(1);
}
[[gnu::noinline]] void catches() {
    const noted object("catches");
    try {
        holds_memory(1);
    } catch (const std::exception&) {
        seen += "caught ";
    }
}
[[gnu::noinline]] void handles() {
    try {
        throw 1;
    } catch (int) {
        innermost();
    }
}

/// Returns what was destroyed, and by whom: by the leaving, or by functions that returned.
template <class Code>
[[gnu::noinline]] std::string left(Code code) {
    seen.clear();
    base = __builtin_frame_address(0);
    if (setjmp(outside) == 0) {
        code();
        seen += "returned";
    }
    return seen;
}

}  // namespace

TEST_CASE("quick leave: objects are destroyed from the inside out") {
    for (int i = 0; i < 3; ++i) {
        CHECK(left([] { innermost(); }) == "innermost! ");
        CHECK(left([] { holds_memory(1); }) == "innermost! memory! ");
        CHECK(left([] { has_moving_frame(500); }) == "innermost! memory! moving! ");
        CHECK(left([] { calls_itself(2); }) == "innermost! memory! moving! again! again! again! ");
    }
}

TEST_CASE("quick leave: handlers and noexcept functions need an exception") {
    for (int i = 0; i < 3; ++i) {
        CHECK(left([] { lets_nothing_through(); }) == "refused innermost memory noexcept returned");
        CHECK(left([] { catches(); }) == "refused innermost memory catches returned");
        CHECK(left([] { handles(); }) == "refused innermost returned");
    }
}

}  // namespace quick_leave_test

#else

TEST_CASE("quick leave: is for x86-64 without sanitizers") {
    MESSAGE("not in this build");
}

#endif
