// The runner of every test program.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

// Many tests plant a lock-order inversion, which TSan finds as well. Races it still reports; its
// own detector is tested by tests/programs.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
    return "detect_deadlocks=0";
}
