// Compares programs that do equal work, in rounds in which each has its turn.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// A program that can repeat its work. `run` is called by one thread at a time.
struct contender {
    std::string name;
    std::function<void(std::uint64_t times)> run;
};

/// One kind of work, and the programs that do it. Ratios refer to the first of them.
struct comparison {
    std::string work;
    std::vector<contender> contenders;
};

/// The median of a number of values, and the bounds of their middle half.
struct spread {
    double lower = 0, median = 0, upper = 0;
};

struct measured {
    std::string name;
    spread ns{};     ///< nanoseconds per repetition
    spread ratio{};  ///< to the first contender, in the same round
};

enum class time_of {
    processor,  ///< of all threads of this process, and of the children that it has waited for
    wall,
};

/// Measures all contenders of a comparison.
///
/// In each round, each contender runs for about `turn_ns`. The order of the turns rotates, so that
/// a change of the machine's speed meets all contenders. Blocks until all rounds are done.
std::vector<measured> compared(const comparison& all, time_of clock, std::size_t rounds,
                               double turn_ns);

/// Counts the instructions of one repetition, by single steps of a child process.
///
/// Instructions of the kernel do not count. The work must need neither another thread nor a system
/// call that a tracer would change.
///
/// @param times  how many repetitions are counted; a step costs up to 50 us in a virtual machine
/// @param prepare  called in the child, which has one thread only
/// @return 0 if the system permits no tracing
double instructions_of(const contender& what, std::uint64_t times,
                       const std::function<void()>& prepare);

}  // namespace bench
