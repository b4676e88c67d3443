#include "wedge/core/check.hpp"

#include <csignal>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

/// Returns how a child process that runs `body` ends.
template <class Body>
int status_of(Body body) {
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);  // doctest would report the signal as its own failure
        close(2);
        body();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

}  // namespace

TEST_CASE("check: a broken invariant aborts, an intact one does not") {
    const int broken = status_of([] { WEDGE_CHECK(1 + 1 == 3); });
    CHECK(WIFSIGNALED(broken));
    CHECK(WTERMSIG(broken) == SIGABRT);
    CHECK(status_of([] { WEDGE_CHECK(1 + 1 == 2); }) == 0);
}
