// A deadlock behind six steps, each with its own argument. A wrong argument starts again with the
// first step. It shows what feedback is worth (docs/fuzzing.md). Branch coverage does not help,
// since all steps run the same code.
//
// clang-format off
// ctest: planted exit=77 -runs=50000 -seed=1 => SUMMARY: wedge: circular in staged: cycle
// clang-format on
#include "wedge/fuzz.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"

struct staged {
    static constexpr unsigned stages = 6;

    wedge::mutex count{"count"}, first{"first"}, second{"second"};
    wedge::mutex stage[stages]{wedge::mutex("stage 0"), wedge::mutex("stage 1"),
                               wedge::mutex("stage 2"), wedge::mutex("stage 3"),
                               wedge::mutex("stage 4"), wedge::mutex("stage 5")};
    unsigned reached = 0;  // by count

    void advance(std::uint32_t key) {
        const wedge::guard counting(count);
        if (reached == stages) return;
        if (key % 4 != (reached * 3 + 1) % 4) {
            reached = 0;
            return;
        }
        const wedge::guard entering(stage[reached]);
        ++reached;
    }
    void close() {
        const bool is_inverted = is_complete();
        const wedge::guard outer(is_inverted ? second : first);
        const wedge::guard inner(is_inverted ? first : second);
    }
    bool is_complete() {
        const wedge::guard counting(count);
        return reached == stages;
    }

    static constexpr auto actions = wedge::actions(wedge::action<&staged::advance>{"advance"},
                                                   wedge::action<&staged::close>{"close"});
};

WEDGE_FUZZ(staged)
