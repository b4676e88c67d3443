// Fuzzes three judges of one program against each other: bytes choose who takes which locks, and
// how; an exhaustive search of all states says whether that deadlocks, the explorer must find the
// deadlock if and only if there is one, and the order checker must have seen it coming.
//
// clang-format off
// ctest: short -runs=200 -seed=1 => Done 200 runs
// clang-format on
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/search/exhaustive.hpp"
#include "wedge/fuzz/coverage.hpp"
#include "wedge/fuzz/lock_program.hpp"
#include "wedge/scenario/print.hpp"
#include "wedge/scenario/run.hpp"

#include "support/lock_truth.hpp"
#include "support/notation.hpp"

namespace {

/// Returns whether the explorer's exhaustive search contradicts the truth. A search that takes too
/// long does not: it claims nothing.
bool explorer_is_wrong(const wedge::scenario::document& all, bool deadlocks) {
    constexpr unsigned executions_max = 4000;
    constexpr std::uint64_t steps_max = 1000;
    wedge::scenario::scenario_subject subject(all);
    wedge::controller control(subject, wedge::substrate::automatic, nullptr, steps_max);
    wedge::exhaustive_search how;
    for (unsigned i = 0; i < executions_max; ++i) {
        if (!how.new_execution()) return deadlocks;
        if (control.run(how).stuck) return !deadlocks;
    }
    return false;
}

/// Returns the program in the notation of the order checker's tests, where tasks run one after the
/// other.
std::string notation_of(const wedge::lock_program& of) {
    using act = wedge::lock_program::act;
    std::string text;
    for (const auto& task : of.tasks) {
        if (!text.empty()) text += "| ";
        for (const wedge::lock_program::step& each : task) {
            const bool passes_queue = of.kinds[each.lock] == wedge::scenario::lock_sort::rwlock;
            text += each.what == act::release   ? "U"
                    : each.what == act::attempt ? "T"
                    : each.what == act::acquire ? "L"
                    : passes_queue              ? "RR"
                                                : "R";
            text += std::string("(") + "ABCD"[each.lock] + ") ";
        }
    }
    return text;
}

/// Returns whether the order checker missed a deadlock, or refuted all its findings about it.
bool checker_is_wrong(const wedge::lock_program& of, bool deadlocks) {
    if (!deadlocks) return false;
    wedge::checker order(wedge::evidence::exact);
    notation::player(order).play(notation_of(of));
    for (wedge::finding found : order.findings()) {
        order.regrade(found);
        if (found.judged != wedge::verdict::refuted) return false;
    }
    return true;
}

}  // namespace

// libFuzzer's own mutator; null in a program that only replays.
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                                              std::size_t size_max);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t size_max, unsigned int seed) {
    constexpr unsigned nest_every = 8;
    if (seed % nest_every == 0 || LLVMFuzzerMutate == nullptr)
        return wedge::nest_locks(data, size, size_max, seed / nest_every);
    return LLVMFuzzerMutate(data, size, size_max);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    wedge::count_execution();
    const wedge::lock_program program = wedge::decode_locks({data, size});
    if (program.tasks.empty()) return 0;
    const bool deadlocks = lock_truth::search(program).deadlocks();
    const wedge::scenario::document all = wedge::document_of(program);
    const char* wrong = explorer_is_wrong(all, deadlocks)      ? "explorer"
                        : checker_is_wrong(program, deadlocks) ? "order checker"
                                                               : nullptr;
    if (wrong == nullptr) return 0;
    std::fprintf(stderr, "%s# %s\nSUMMARY: wedge: %s: %s\n",
                 wedge::scenario::to_string(all).c_str(), notation_of(program).c_str(), wrong,
                 deadlocks ? "there is a deadlock" : "there is no deadlock");
    std::abort();
}
