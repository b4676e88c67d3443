#include "wedge/core/sanitizer.hpp"

#include <memory>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sanitizer_test {

/// Returns whether a child process survives that expects the object to be alive.
bool survives(const void* object) {
    const pid_t child = fork();
    if (child == 0) {
        close(2);
        wedge::sanitizer::expect_alive(object);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status == 0;
}

TEST_CASE("sanitizer: a use after free in uninstrumented code is found") {
    auto object = std::make_unique<int>(1);
    const void* const place = object.get();
    CHECK(survives(place));
    object.reset();
    // TSan needs two threads to see it.
    if (!wedge::sanitizer::thread) CHECK(survives(place) == !wedge::sanitizer::address);
}

}  // namespace sanitizer_test
