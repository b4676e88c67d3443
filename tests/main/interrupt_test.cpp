#include "wedge/main/interrupt.hpp"

#include <csignal>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace interrupt_test {
namespace {

/// Raises two signals in a child.
/// @return the child's status; 0 if the child went on after both
int status_after(int first, int second) {
    const pid_t child = ::fork();
    if (child == 0) {
        const wedge::interrupt_scope watched;
        ::raise(first);
        if (!wedge::interrupt_scope::requested.load()) ::_exit(1);
        ::raise(second);
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("interrupt: the first signal ends the search, the second one ends the process") {
    CHECK(status_after(SIGINT, SIGINT) == 130);
    CHECK(status_after(SIGTERM, SIGTERM) == 143);
    CHECK(status_after(SIGINT, SIGTERM) == 143);
    CHECK(status_after(SIGINT, SIGURG) == 0);
}

}  // namespace interrupt_test
