// The checker of a live program. It listens from start-up, and writes its findings to stderr.
#pragma once

#include <cstddef>
#include <string>

#include <pthread.h>
#include <unistd.h>

#include "wedge/base/level.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/task/task.hpp"

namespace wedge {
namespace detail {

/// Writes each finding in one piece, so that findings of several threads do not mix.
class stderr_sink final : public finding_sink {
public:
    void on(const finding& found) noexcept override {
        const std::string text = plain_text_of(found);
        for (std::size_t done = 0; done < text.size();) {
            const auto written = ::write(2, text.data() + done, text.size() - done);
            if (written <= 0) return;
            done += static_cast<std::size_t>(written);
        }
    }
};

}  // namespace detail

/// Returns the process's checker. It is never destroyed, since locks of static objects may outlive
/// it.
inline checker& process_checker() {
    static detail::stderr_sink& text = *new detail::stderr_sink;
    static checker& made = [&]() -> checker& {
        checker& fresh = *new checker(evidence::classes, &text);
        fresh.keep_stacks(true);
        fresh.nest_by_instance(true);
        return fresh;
    }();
    return made;
}

/// Sends later findings of the process's checker to `reports`, which must stay alive.
inline void on_finding(finding_sink& reports) noexcept {
    process_checker().report_to(&reports);
}

namespace detail {

/// Makes the process's checker listen to this thread and to all threads that start later.
template <class Level>
bool register_process_checker() {
    if constexpr (Level::value >= level::order) {
        sink* nobody = nullptr;
        if (!process_sink.compare_exchange_strong(nobody, &process_checker())) return true;
        current().sink = &process_checker();
        ::pthread_atfork([] { process_checker().before_fork(); },
                         [] { process_checker().after_fork(); },
                         [] { process_checker().after_fork(); });
    }
    return true;
}

// Static, so that it runs in each source that includes this header, before that source's own
// objects are constructed.
[[maybe_unused]] static const bool process_checker_is_registered =
    register_process_checker<default_level>();

}  // namespace detail
}  // namespace wedge
