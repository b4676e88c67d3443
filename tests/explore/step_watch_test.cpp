// The watchdog reports a task that makes no step. Each case runs in a child process, which it ends.
#include "wedge/explore/engine/step_watch.hpp"

#include <chrono>
#include <csignal>
#include <mutex>
#include <string>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wedge/explore.hpp"
#include "wedge/wedge.hpp"

namespace step_watch_test {
namespace {

/// A lock of wedge's and a std::mutex. Where their order is inverted, the engine's thread blocks.
template <bool IsInverted>
struct half_native {
    wedge::mutex m{"m"}, k{"k"};
    std::mutex other;
    void ab() {
        const wedge::guard first(m);
        const std::lock_guard second(other);
        const wedge::guard third(k);
    }
    void b() {
        if (IsInverted) {
            const std::lock_guard first(other);
            const wedge::guard second(m);
        } else {
            const wedge::guard first(m);
            const std::lock_guard second(other);
        }
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&half_native::ab>{"ab"}, wedge::action<&half_native::b>{"b"});
};

struct endless {
    wedge::mutex m{"m"};
    void loop() {
        const wedge::guard held(m);
        for (volatile int i = 0;;) {
            const int before = i;
            i = before + 1;
        }
    }
    void wait() { const wedge::guard held(m); }
    static constexpr auto actions = wedge::actions(wedge::action<&endless::loop>{"loop"},
                                                   wedge::action<&endless::wait>{"wait"});
};

/// Explores in a child under a watchdog.
///
/// @return the first line of the child's output, followed by the child's status
template <class W>
std::string explored_in_child(wedge::substrate on) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto say = [&](const std::string& text) {
            [[maybe_unused]] const auto written = ::write(ends[1], text.data(), text.size());
        };
        const wedge::step_watchdog watched(std::chrono::seconds(1), [&](const wedge::outcome& all) {
            const wedge::finding& first = all.findings.front();
            say(first.signature + (first.stack.empty() ? "" : ", with a stack"));
            for (const wedge::task_report& each : first.tasks)
                say("; " + each.name + " waits for " +
                    (each.wanted ? each.wanted->class_name : each.waits_for));
            say("; after " + std::to_string(first.best.decisions.size()));
            ::_exit(1);
        });
        say(name_of(wedge::explore<W>(wedge::default_program<W>(), {.on = on}).what));
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string said;
    char part[256];
    for (ssize_t n = 0; (n = ::read(ends[0], part, sizeof part)) > 0;)
        said.append(part, static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return said + "; status " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

}  // namespace

TEST_CASE("step watch: a task that blocks on a foreign lock is named, with its stack") {
    if (wedge::sanitizer::thread) return;  // TSan delays signals while a thread blocks
    for (const wedge::substrate on : {wedge::substrate::automatic, wedge::substrate::threads}) {
        const std::string said = explored_in_child<half_native<true>>(on);
        CHECK(said.starts_with("stalled "));
        CHECK(said.find(", with a stack; ab waits for ") != std::string::npos);
        CHECK(said.find("something outside of wedge") != std::string::npos);
        CHECK(said.ends_with("; status 1"));
    }
    CHECK(explored_in_child<half_native<false>>(wedge::substrate::automatic) == "sound; status 0");
}

TEST_CASE("step watch: a task that loops without a step is named, with its stack") {
    if (wedge::sanitizer::thread) return;
    const std::string said = explored_in_child<endless>(wedge::substrate::automatic);
    CHECK(
        said.starts_with("stalled loop, with a stack; loop waits for something outside of wedge; "
                         "wait waits for m"));
}

}  // namespace step_watch_test
