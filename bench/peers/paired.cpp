#include "paired.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <utility>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/generated.hpp"

namespace bench {
namespace {

double read_ns(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double now_ns(time_of clock) {
    if (clock == time_of::wall) return read_ns(CLOCK_MONOTONIC);
    return read_ns(CLOCK_PROCESS_CPUTIME_ID) + seconds_of_children() * 1e9;
}

double ns_of(const contender& what, time_of clock, std::uint64_t times) {
    const double begin = now_ns(clock);
    what.run(times);
    return now_ns(clock) - begin;
}

std::uint64_t repetitions_for(const contender& what, time_of clock, double turn_ns) {
    what.run(1);  // what happens only once is no part of the work
    std::uint64_t times = 1;
    // The least of three: another process may have had the processor meanwhile.
    const auto least_ns = [&] {
        double least = ns_of(what, clock, times);
        for (int more = 0; more < 2 && least >= turn_ns; ++more)
            least = std::min(least, ns_of(what, clock, times));
        return least;
    };
    while (least_ns() < turn_ns && times < (std::uint64_t{1} << 40)) times *= 2;
    return times;
}

spread spread_of(std::vector<double> all) {
    std::sort(all.begin(), all.end());
    const auto at = [&](std::size_t quarter) { return all[(all.size() - 1) * quarter / 4]; };
    return {at(1), at(2), at(3)};
}

/// Counts the steps of a child that repeats the work a number of times; 0 if it cannot be traced.
std::uint64_t steps_of(const contender& what, std::uint64_t times,
                       const std::function<void()>& prepare) {
    const pid_t child = ::fork();
    if (child < 0) return 0;
    if (child == 0) {
        prepare();
        what.run(times);  // fills the caches of the work
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
        ::raise(SIGSTOP);
        what.run(times);
        ::_exit(0);
    }
    std::uint64_t steps = 0;
    int status = 0;
    while (::waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        if (::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
        ++steps;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? steps : 0;
}

}  // namespace

std::vector<measured> compared(const comparison& all, time_of clock, std::size_t rounds,
                               double turn_ns) {
    const std::vector<contender>& each = all.contenders;
    std::vector<std::uint64_t> times;
    for (const contender& one : each) times.push_back(repetitions_for(one, clock, turn_ns));
    std::vector<std::vector<double>> taken(each.size());
    for (std::size_t round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < each.size(); ++i) {
            const std::size_t turn = (i + round) % each.size();
            taken[turn].push_back(ns_of(each[turn], clock, times[turn]) /
                                  static_cast<double>(times[turn]));
        }
    std::vector<measured> rows;
    for (std::size_t i = 0; i < each.size(); ++i) {
        std::vector<double> ratios;
        for (std::size_t round = 0; round < rounds; ++round)
            ratios.push_back(taken[i][round] / taken[0][round]);
        rows.push_back({each[i].name, spread_of(taken[i]), spread_of(std::move(ratios))});
    }
    return rows;
}

double instructions_of(const contender& what, std::uint64_t times,
                       const std::function<void()>& prepare) {
    const std::uint64_t once = steps_of(what, times, prepare);
    const std::uint64_t twice = steps_of(what, 2 * times, prepare);
    if (once == 0 || twice <= once) return 0;
    return static_cast<double>(twice - once) / static_cast<double>(times);
}

}  // namespace bench
