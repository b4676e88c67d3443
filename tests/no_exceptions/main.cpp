// The engine unwinds an abandoned task by an exception. It abandons the stack of a task that is
// built without exceptions: objects on that stack leak, and the search goes on.
//
// ctest: no_exceptions when=plain => deadlock, stacks are left\nsound\ndeadlock, stacks are
// left\nsound
#include <cstdio>

#include "wedge/explore.hpp"

#include "no_exceptions/transfer.hpp"

int main() {
    for (const wedge::substrate on : {wedge::substrate::automatic, wedge::substrate::threads}) {
        const wedge::outcome broken = wedge::explore<transfer>(
            wedge::parse_program("ab | ba"),
            {.how = wedge::strategy::random, .executions_max = 200, .on = on});
        std::printf("%s, %s\n", name_of(broken.what),
                    alive::count > 0 ? "stacks are left" : "clean");
        const wedge::outcome sound = wedge::explore<transfer>(wedge::parse_program("ab | ab"));
        std::printf("%s\n", name_of(sound.what));
    }
}
