// Exceptions of tasks, and what happens if an abandoned task cannot be unwound.
#pragma once

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>

#include <cxxabi.h>

#include "wedge/core/task.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Thrown through a parked task when its execution is given up, so that its stack unwinds. Code may
/// catch it only to throw it again. It does not derive from std::exception, so that handlers for
/// ordinary exceptions let it pass.
///
/// The exception notes where it lives, so that the engine can free it with a stack that is left
/// in the middle of its unwinding.
class abandoned {
public:
    explicit abandoned(std::shared_ptr<abandoned*> noted) noexcept : noted_(std::move(noted)) {
        *noted_ = this;
    }
    abandoned(const abandoned&) = delete;
    abandoned& operator=(const abandoned&) = delete;
    ~abandoned() { *noted_ = nullptr; }

private:
    std::shared_ptr<abandoned*> noted_;  // it may outlive the engine in a std::exception_ptr
};

}  // namespace wedge

namespace wedge::detail {

/// Prepares the task that makes a workload, checks it and destroys it.
inline void make_setup(task& setup, runtime& engine, sink* order) {
    setup.runtime = &engine;
    setup.sink = order;
    setup.ordinal = no_task;
    setup.name = "set-up";
}

/// Returns the text of the exception that a handler has caught.
inline std::string text_of_exception() {
    try {
        throw;
    } catch (const std::exception& thrown) {
        return thrown.what();
    } catch (...) {
        return "something that is not a std::exception";
    }
}

/// Frees the exception that unwinds a stack which is left for good. An exception that the program
/// keeps in a std::exception_ptr is not on its way, so this function leaves it alone.
inline void free_on_its_way(abandoned*& noted) noexcept {
    const std::type_info* const caught = abi::__cxa_current_exception_type();
    const bool is_on_its_way =
        std::uncaught_exceptions() > 0 || (caught != nullptr && *caught == typeid(abandoned));
    abandoned* const thrown = noted;
    if (thrown == nullptr || !is_on_its_way) return;
    thrown->~abandoned();
    abi::__cxa_free_exception(thrown);
}

inline std::terminate_handler terminate_of_program = nullptr;

/// Handles std::terminate. Destructors and other noexcept functions may take locks too; if
/// `abandoned` reaches one, the C++ runtime terminates. Then the task is left where it stands, and
/// what it owned leaks.
[[noreturn]] inline void on_terminate() noexcept {
    const std::type_info* const thrown = abi::__cxa_current_exception_type();
    // g++ terminates after a destructor's own clean-up without catching, so there is no type then.
    const bool may_be_ours =
        thrown != nullptr ? *thrown == typeid(abandoned) : std::uncaught_exceptions() > 0;
    task* const self = current_task;
    if (may_be_ours && self != nullptr && self->runtime != nullptr)
        self->runtime->cannot_unwind(*self);
    if (terminate_of_program != nullptr) terminate_of_program();
    std::abort();
}

/// Installs the handler once per process. A handler that the program sets later wins.
inline void handle_termination() {
    static const bool done = [] {
        terminate_of_program = std::set_terminate(&on_terminate);
        return true;
    }();
    static_cast<void>(done);
}

}  // namespace wedge::detail
