// The start and the end of threads.
#include "run/private_memory.hpp"
#include "run/steps.hpp"

using namespace wedge;
using namespace wedge::run;

#define WEDGE_HOOK extern "C" [[gnu::visibility("default")]]

namespace {

/// What a new thread runs. In the library's memory, which the new thread gives back.
template <class Result>
struct start_package {
    Result (*run)(void*);
    void* argument;
    std::uint32_t ordinal;
};

void note_join(::pthread_t thread, const void* returns_to) {
    if (!plan.records) return;
    if (hook_scope mine; mine) record_join(*me.self, thread, site_of(returns_to));
}

template <class Result>
Result run_thread(void* data) {
    auto* const package = static_cast<start_package<Result>*>(data);
    const start_package<Result> mine = *package;
    release_private(package);
    begin_thread(reinterpret_cast<const void*>(mine.run), mine.ordinal);
    if (plan.records)
        if (hook_scope recording; recording) record_begin(*me.self);
    return mine.run(mine.argument);
}

/// @param create  starts a thread with a function and its argument; returns 0 if it did
template <class Result, class Create>
int start_thread(Result (*run)(void*), void* argument, const void* returns_to, Create create) {
    need_real_functions();
    std::uint32_t ordinal = 0;
    if (hook_scope mine; mine) {
        ordinal = note_new_thread();
        record_thread(*me.self, "spawn", ordinal, site_of(returns_to));
    }
    auto* const package = new (allocate_private(sizeof(start_package<Result>)))
        start_package<Result>{run, argument, ordinal};
    const int result = create(&run_thread<Result>, package);
    if (result != 0) release_private(package);
    return result;
}

}  // namespace

WEDGE_HOOK int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*run)(void*), void* argument) {
    return start_thread<void*>(run, argument, __builtin_return_address(0),
                               [=](void* (*body)(void*), void* package) {
                                   return real.pthread_create(thread, attributes, body, package);
                               });
}
WEDGE_HOOK int thrd_create(thrd_t* thread, thrd_start_t run, void* argument) {
    return start_thread<int>(
        run, argument, __builtin_return_address(0),
        [=](int (*body)(void*), void* package) { return real.thrd_create(thread, body, package); });
}
WEDGE_HOOK int pthread_join(pthread_t thread, void** value) {
    need_real_functions();
    perhaps_delay();
    const int result = real.pthread_join(thread, value);
    if (result == 0) note_join(thread, __builtin_return_address(0));
    return result;
}
WEDGE_HOOK int thrd_join(thrd_t thread, int* value) {
    need_real_functions();
    const int result = real.thrd_join(thread, value);
    if (result == thrd_success) note_join(thread, __builtin_return_address(0));
    return result;
}
