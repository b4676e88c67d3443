// The end of a process that runs no destructors.
#include <unistd.h>

#include "run/session.hpp"

using namespace wedge::run;

extern "C" [[gnu::visibility("default")]] void _exit(int status) {
    need_real_functions();
    note_end_of_process();
    real._exit(status);
    __builtin_unreachable();
}
extern "C" [[gnu::visibility("default")]] void _Exit(int status) noexcept {
    need_real_functions();
    note_end_of_process();
    real._exit(status);
    __builtin_unreachable();
}
