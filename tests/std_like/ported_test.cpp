// Programs written for the standard library, and their ports by tools/to_wstd.sed: both do the
// same, and no schedule of a port does anything else.
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/report/text.hpp"
#include "wedge/std.hpp"

#include "std_like/programs/bank.hpp"
#include "std_like/programs/meeting.hpp"
#include "std_like/programs/names.hpp"
#include "std_like/programs/queue.hpp"
#include "std_like/programs/results.hpp"
#include "support/leaks.hpp"
// CMake makes these by tools/to_wstd.sed; only the namespace is renamed too.
#include "ported/bank.hpp"
#include "ported/meeting.hpp"
#include "ported/names.hpp"
#include "ported/queue.hpp"
#include "ported/results.hpp"

namespace ported_test {

using program = std::string (*)();

/// Explores a port. The result of each execution must be that of the original.
wedge::outcome explored(program port, const std::string& expected, std::uint64_t executions_max) {
    const leaks_allowed where_tasks_are_left;
    wedge::explore_options options;
    options.executions_max = executions_max;
    return wedge::explore({[&] {
                              const std::string got = port();
                              if (got != expected) throw std::runtime_error("result: " + got);
                          }},
                          options);
}

/// Checks that the port gives `expected`, natively and in each execution.
void compare(const std::string& expected, program port) {
    CHECK(port() == expected);
    const wedge::outcome out = explored(port, expected, 20'000);
    CAPTURE(wedge::text_of(out));
    CHECK(out.findings.empty());
    CHECK(out.exhausted);
}

void compare(program original, program port) {
    compare(original(), port);
}

/// As `compare`, for an original of whose futures or timed mutexes TSan reports false races:
/// libstdc++ is not built for it. Under TSan the port's first run is the measure.
void compare_silently(program original, program port) {
    compare(wedge::sanitizer::thread ? port() : original(), port);
}

TEST_CASE("a bounded queue behaves as with the standard library") {
    compare(std_programs::run_queue, wstd_programs::run_queue);
}

TEST_CASE("transfers under scoped_lock, lock, shared_lock and call_once cannot deadlock") {
    compare(std_programs::run_bank, wstd_programs::run_bank);
}

TEST_CASE("promises, tasks and asyncs give the results of the standard library") {
    compare(std_programs::run_results, wstd_programs::run_results);
}

TEST_CASE("latch, barrier and semaphore let threads meet") {
    compare(std_programs::run_phases, wstd_programs::run_phases);
}

TEST_CASE("a stop reaches a worker that waits for a condition") {
    // Its executions that are given up leave a stack in the destructor that locks again, and TSan
    // reports false races behind that (docs/exploration.md).
    if (wedge::sanitizer::thread) return;
    compare(std_programs::run_stop, wstd_programs::run_stop);
}

TEST_CASE("an atomic wait ends, and the outcome names the weaker memory order") {
    compare(std_programs::run_flag, wstd_programs::run_flag);
    const wedge::outcome out = explored(wstd_programs::run_flag, std_programs::run_flag(), 20);
    CHECK(out.weaker_order.find("meeting.hpp:") != std::string::npos);
    CHECK(wedge::text_of(out).find("sequentially consistent (") != std::string::npos);
}

TEST_CASE("each name of the standard's headers exists, and does the same") {
    const std::string ported = wstd_programs::run_names();
    CHECK_FALSE(ported.empty());
    // Not under TSan: see compare_silently.
    if (!wedge::sanitizer::thread) CHECK(ported == std_programs::run_names());
}

TEST_CASE("names that libstdc++ 12 lacks exist too") {
    wstd::atomic_flag flag;
    CHECK_FALSE(wstd::atomic_flag_test(&flag));
    flag.test_and_set();
    CHECK(wstd::atomic_flag_test_explicit(&flag, wstd::memory_order_relaxed));
    wstd::atomic_flag_wait(&flag, false);
    wstd::atomic_flag_wait_explicit(&flag, false, wstd::memory_order_relaxed);
    wstd::atomic_flag_notify_one(&flag);
    wstd::atomic_flag_notify_all(&flag);
    const wstd::atomic_signed_lock_free number(1);
    const wstd::atomic_unsigned_lock_free other(2);
    CHECK(number.load() + static_cast<long>(other.load()) == 3);
}

TEST_CASE("what a thread leaves for its end comes after its function") {
    compare_silently(std_programs::run_at_thread_exit, wstd_programs::run_at_thread_exit);
    compare(std_programs::run_notify_at_exit, wstd_programs::run_notify_at_exit);
}

#if defined(__cpp_lib_atomic_ref)
TEST_CASE("references to one object are one atomic variable") {
    compare(std_programs::run_atomic_ref, wstd_programs::run_atomic_ref);
}
#endif

}  // namespace ported_test
