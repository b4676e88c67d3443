// The engine behind wedge/explore.hpp: one source of a program includes this header.
#pragma once

#include <algorithm>
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
