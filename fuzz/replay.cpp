// Runs the programs of fuzz/hierarchy on real threads and real locks, each task a thread, for the
// races that only those show: build it with ThreadSanitizer. Only the sound design, since a broken
// one would hang; the schedule in the bytes is the kernel's to ignore.
//
// clang-format off
// corpus: hierarchy
// ctest: short -runs=200 -seed=1 => Done 200 runs
// clang-format on
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "wedge/fuzz/action_program.hpp"
#include "wedge/fuzz/coverage.hpp"
#include "wedge/model/device.hpp"
#include "wedge/report/text.hpp"
#include "wedge/stress.hpp"

using driver = wedge::device<wedge::design::upstream>;

namespace {

/// Counts the pairs of calls of two tasks that may run at once. How far each task gets depends on
/// the kernel, so it gives no feedback.
void count_pairs(const std::vector<std::vector<wedge::action_record>>& tasks) {
    const auto number = [](const wedge::action_record& of) {
        return of.action * 4U +
               of.argument % 4U;  // there are not more objects, nor kinds of pressure
    };
    for (const auto& one : tasks)
        for (const auto& other : tasks)
            for (const wedge::action_record& a : one)
                for (const wedge::action_record& b : other)
                    if (a.task < b.task) wedge::count_feature(wedge::combine(number(a), number(b)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    wedge::count_execution();
    static const std::vector<std::string> names = wedge::action_names<driver>();
    const wedge::action_counts actions{static_cast<std::uint8_t>(names.size())};
    const wedge::action_program input = wedge::decode({data, size}, actions);
    std::vector<std::vector<wedge::action_record>> tasks;
    wedge::split_by_task(input, tasks);
    count_pairs(tasks);
    if (tasks.empty()) return 0;

    wedge::stress_options how;
    how.threads = static_cast<unsigned>(tasks.size());
    how.calls = wedge::program_of(tasks, names);
    static wedge::thread_pool threads;
    how.threads_of = &threads;
    for (const auto& each : tasks) how.calls_max = std::max(how.calls_max, each.size());
    const wedge::stress_outcome seen = wedge::stress<driver>(how);
    for (const wedge::finding& each : seen.what.findings) {
        if (each.judged == wedge::verdict::refuted || each.judged == wedge::verdict::unresolved)
            continue;
        std::fprintf(stderr, "%sSUMMARY: wedge: %s\n", wedge::text_of(each).c_str(),
                     each.signature.c_str());
        std::abort();
    }
    return 0;
}
