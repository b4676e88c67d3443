// The words of Linux' reports: locks, tasks, stacks, lists of held locks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "explain/flat_text.hpp"
#include "explain/report.hpp"

namespace wedge::explain::kernel {

/// A stretch of a flat text.
struct span_of {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// A lock and where its text ends.
struct found_lock {
    lock_use lock;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t name_begin = 0;  ///< of what stands between the parentheses
    std::size_t name_end = 0;
};

/// The first `INSTANCE (NAME){MASK}-{WAIT}, at: PLACE` that is wholly in a stretch.
std::optional<found_lock> first_lock(std::string_view text, span_of in);

/// The task `comm/pid` that ends at `end`; empty: there is none. It begins behind `floor`.
std::string task_before(std::string_view text, std::size_t floor, std::size_t end);

/// The frames of a stack, the innermost first; those behind `?` are left out.
std::vector<std::string> frames_of(std::string_view text, span_of in);

/// How the innermost frames acquire a lock.
acquire_mode mode_of(const std::vector<std::string>& stack);

/// A list `N locks held by TASK:`, and where it ends.
struct held_list {
    task_state state;
    std::size_t end = 0;
    bool is_whole = true;  ///< as many locks as it says
};

/// The first such list at or behind a place; `no locks held by TASK.` counts.
std::optional<held_list> next_held_list(std::string_view text, span_of in);

/// The release of a kernel, as a report has it.
struct kernel_release {
    std::string name;      ///< empty: not there
    bool is_sure = false;  ///< what follows a release does follow
};

/// The first release of a kernel in a stretch.
kernel_release release_behind(std::string_view text, span_of in);

/// The release of a kernel behind a heading, or from the line of a stack trace; empty: not there.
std::string version_of(std::string_view text, span_of in);

/// The task of the line `CPU: 0 PID: 1 Comm: init` of a stack trace; empty: not there.
std::string traced_task(std::string_view text, span_of in);

/// A name without what a broken line has put into it.
std::string clean_name(std::string_view name);

}  // namespace wedge::explain::kernel
