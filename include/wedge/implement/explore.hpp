// The engine behind wedge/explore.hpp: one source of a program includes this header.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "wedge/c.h"
#include "wedge/explore.hpp"
#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/search/dealt_exploration.hpp"
#include "wedge/explore/session.hpp"
#include "wedge/report/text.hpp"

namespace wedge {

// Weak: where two libraries of one program implement the engine, the linker takes either.
[[gnu::weak]] outcome explore(const workload_type& of, const program& calls,
                              const explore_options& options) {
    return dealt_exploration(options).explore(
        [&] { return std::make_unique<workload_subject>(of, calls); });
}

[[gnu::weak]] outcome explore(std::span<const std::function<void()>> tasks,
                              const explore_options& options) {
    function_subject what(tasks);
    return session(what, options).explore();
}

[[gnu::weak]] outcome replay(const workload_type& of, const schedule& along, replay_mode mode,
                             const explore_options& options) {
    workload_subject what(of, parse_program(along.program));
    return session(what, options).replay(along, mode);
}

[[gnu::weak]] outcome confirm(const workload_type& of, const finding& cycle,
                              const explore_options& options) {
    workload_subject what(of, default_program(of));
    return session(what, options).confirm(cycle);
}

}  // namespace wedge

namespace wedge::detail::c {

/// Tasks in C, and the state that they share.
class explored_tasks final : public subject {
public:
    explicit explored_tasks(const wedge_subject& what) : what_(what) {}

    std::uint32_t tasks() const override { return static_cast<std::uint32_t>(what_.count); }
    std::string task_name(std::uint32_t) const override { return {}; }
    void begin() override {
        if (what_.begin != nullptr) what_.begin(what_.data);
    }
    void run(std::uint32_t task) override { what_.tasks[task].run(what_.tasks[task].data); }
    void check() override {}
    void end() override {
        if (what_.end != nullptr) what_.end(what_.data);
    }
    schedule blank() const override { return {}; }

private:
    const wedge_subject& what_;
};

}  // namespace wedge::detail::c

extern "C" [[gnu::weak]] wedge_result wedge_explore(const wedge_subject* what,
                                                    std::size_t executions_max, char* report,
                                                    std::size_t size) {
    static_assert(static_cast<int>(wedge::result::sound) == WEDGE_SOUND);
    wedge::detail::c::explored_tasks tasks(*what);
    const wedge::outcome out = wedge::session(tasks, {.executions_max = executions_max}).explore();
    if (size != 0) {
        const std::string text = wedge::text_of(out);
        const std::size_t length = std::min(text.size(), size - 1);
        std::memcpy(report, text.data(), length);
        report[length] = '\0';
    }
    return static_cast<wedge_result>(out.what);
}

// CMake links programs with --wrap=_Unwind_Resume where it defines this macro. Otherwise the
// unwinder interprets the tables of three frames before it asks a quick_leave for the next frame.
#if defined(WEDGE_WRAPS_RESUME)

struct _Unwind_Exception;

#if defined(WEDGE_FRAME_RULES)
// What the code below says in numbers.
static_assert(wedge::detail::quick_leave::exception_class == 0x7765646765000000);
static_assert(offsetof(_Unwind_Exception, exception_class) == 0 &&
              offsetof(_Unwind_Exception, private_2) == 24);

extern "C" [[noreturn, gnu::weak, gnu::used]] void wedge_go_on(
    wedge::detail::quick_leave* way) noexcept {
    way->go_on();
}

/// Clean-up code of this program ends by this call. The exception of a quick_leave has its class in
/// the first word, and its fourth word is the quick_leave. Every other exception goes to the
/// unwinder, which finds the stack as the clean-up code left it.
extern "C" [[gnu::weak, gnu::naked]] void __wrap__Unwind_Resume(_Unwind_Exception*) {
    __asm__(
        "movabsq $0x7765646765000000, %rax\n\t"
        "cmpq %rax, (%rdi)\n\t"
        "jne __real__Unwind_Resume@PLT\n\t"
        "movq 24(%rdi), %rdi\n\t"
        "jmp wedge_go_on@PLT");
}
#else
extern "C" [[gnu::weak, gnu::naked]] void __wrap__Unwind_Resume(_Unwind_Exception*) {
    __asm__("jmp __real__Unwind_Resume@PLT");
}
#endif

#endif
