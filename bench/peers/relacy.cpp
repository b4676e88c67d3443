// relacy's headers define macros such as `$`, so they have a source of their own.
#include <sstream>

#include <relacy/relacy.hpp>

#include "sections.hpp"

namespace {

template <int Tasks>
struct ordered : rl::test_suite<ordered<Tasks>, Tasks> {
    rl::mutex a, b;

    void thread(unsigned) {
        a.lock($);
        b.lock($);
        b.unlock($);
        a.unlock($);
    }
};

template <int Tasks>
void simulate(std::uint64_t times) {
    std::ostringstream said;
    rl::test_params how;
    how.iteration_count = times;
    how.output_stream = &said;
    how.progress_stream = &said;
    rl::simulate<ordered<Tasks>>(how);
}

}  // namespace

bench::contender bench::relacy_ordered(int tasks) {
    return {"relacy", tasks == 2 ? simulate<2> : simulate<3>};
}
