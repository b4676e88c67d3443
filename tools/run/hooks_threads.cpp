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
    controlled_thread* slot;  // null: the starting thread is not under control
};

void note_join(::pthread_t thread, const void* returns_to) {
    if (!records_steps()) return;
    if (hook_scope mine; mine) record_join(*me.self, thread, site_of(returns_to));
}

template <class Result>
Result run_thread(void* data) {
    auto* const package = static_cast<start_package<Result>*>(data);
    const start_package<Result> mine = *package;
    release_private(package);
    me.slot = mine.slot;
    begin_thread(reinterpret_cast<const void*>(mine.run), mine.ordinal);
    if (mine.slot != nullptr) begin_control(mine.slot);
    if (records_steps())
        if (hook_scope recording; recording) record_begin(*me.self);
    return mine.run(mine.argument);
}

/// @param create  starts a thread with a function and its argument, and writes its handle; returns
///     0 if it did
template <class Result, class Create>
int start_thread(Result (*run)(void*), void* argument, ::pthread_t* handle, const void* returns_to,
                 Create create) {
    need_real_functions();
    step_in_turn(step::spawn, returns_to);
    std::uint32_t ordinal = 0;
    controlled_thread* slot = nullptr;
    const bool is_in_turn = is_controlled();
    if (hook_scope mine; mine) {
        ordinal = note_new_thread();
        record_thread(*me.self, "spawn", ordinal, site_of(returns_to));
        if (is_in_turn) slot = announce_thread(ordinal);
    }
    auto* const package = new (allocate_private(sizeof(start_package<Result>)))
        start_package<Result>{run, argument, ordinal, slot};
    const int result = create(&run_thread<Result>, package);
    if (result != 0) release_private(package);
    if (slot != nullptr) thread_started(slot, result != 0, result == 0 ? *handle : ::pthread_t{});
    return result;
}

/// Waits in turn until the thread has ended. Of a thread that is not under control, only the C
/// library knows.
///
/// @return the thread; null: it is not under control
const controlled_thread* await_end(::pthread_t thread, const void* returns_to) {
    if (!is_controlled()) return nullptr;
    const controlled_thread* const joined = thread_of(thread);
    ::pthread_testcancel();
    if (joined == nullptr) {
        take_turn({.what = step::join, .returns_to = returns_to});
        give_turn();
        return nullptr;
    }
    while (take_turn({.what = step::join,
                      .waits = awaited::thread,
                      .returns_to = returns_to,
                      .joined = joined}) == turn_end::cancelled)
        ::pthread_testcancel();
    return joined;
}

/// Called after a join.
void end_wait(const controlled_thread* joined, bool is_joined, const void* returns_to) {
    if (!is_controlled()) return;
    if (joined == nullptr)
        take_turn({.returns_to = returns_to, .is_unrecorded = true});
    else if (is_joined)
        forget_joined(joined);
}

}  // namespace

WEDGE_HOOK int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*run)(void*), void* argument) {
    return start_thread<void*>(run, argument, thread, __builtin_return_address(0),
                               [=](void* (*body)(void*), void* package) {
                                   return real.pthread_create(thread, attributes, body, package);
                               });
}
WEDGE_HOOK int thrd_create(thrd_t* thread, thrd_start_t run, void* argument) {
    return start_thread<int>(
        run, argument, thread, __builtin_return_address(0),
        [=](int (*body)(void*), void* package) { return real.thrd_create(thread, body, package); });
}
WEDGE_HOOK int pthread_join(pthread_t thread, void** value) {
    need_real_functions();
    perhaps_delay();
    const controlled_thread* const joined = await_end(thread, __builtin_return_address(0));
    const int result = real.pthread_join(thread, value);
    end_wait(joined, result == 0, __builtin_return_address(0));
    if (result == 0) note_join(thread, __builtin_return_address(0));
    return result;
}
WEDGE_HOOK int thrd_join(thrd_t thread, int* value) {
    need_real_functions();
    const controlled_thread* const joined = await_end(thread, __builtin_return_address(0));
    const int result = real.thrd_join(thread, value);
    end_wait(joined, result == thrd_success, __builtin_return_address(0));
    if (result == thrd_success) note_join(thread, __builtin_return_address(0));
    return result;
}
WEDGE_HOOK int pthread_cancel(pthread_t thread) {
    need_real_functions();
    step_in_turn(step::release, __builtin_return_address(0), nullptr, true);
    const int result = real.pthread_cancel(thread);
    if (result == 0 && plan.controls && !me.in_turn) note_cancel(thread);
    return result;
}
WEDGE_HOOK int sched_yield() noexcept {
    need_real_functions();
    step_in_turn(step::yield, __builtin_return_address(0), nullptr, true);
    return real.sched_yield();
}
