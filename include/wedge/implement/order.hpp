// The order checker behind wedge/wedge.hpp: one source of a program includes this header.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <string>

#include <pthread.h>
#include <unistd.h>

#include "wedge/core/task.hpp"
#include "wedge/implement/c.hpp"
#include "wedge/implement/classes.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/order/process.hpp"

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

// Weak: where two libraries of one program implement the checker, the linker takes either.
[[gnu::weak]] checker& process_checker() {
    static detail::stderr_sink& text = *new detail::stderr_sink;
    static checker& made = [&]() -> checker& {
        checker& fresh = *new checker(evidence::classes, &text);
        fresh.keep_stacks(true);
        fresh.nest_by_instance(true);
        return fresh;
    }();
    return made;
}

[[gnu::weak]] void on_finding(finding_sink& reports) noexcept {
    process_checker().report_to(&reports);
}

[[gnu::weak, gnu::used]] void dump_held() {
    for (const std::atomic<task*>& place : detail::live_tasks::all) {
        const task* const each = place.load(std::memory_order_acquire);
        if (each == nullptr || (each->held.empty() && each->action == nullptr)) continue;
        std::fprintf(stderr, "%s%s%s\n", each->title().c_str(),
                     each->action == nullptr ? "" : " in ",
                     each->action == nullptr ? "" : each->action);
        for (const held_lock& hold : each->held)
            std::fprintf(stderr, "  holds %s #%u (%s) taken at %s\n",
                         lock_class::from_id(hold.class_id).name().c_str(), hold.instance,
                         name_of(hold.how), to_string(hold.where).c_str());
    }
}

namespace detail {

[[gnu::weak]] void register_process_checker() {
    sink* nobody = nullptr;
    if (!process_sink.compare_exchange_strong(nobody, &process_checker())) return;
    current().sink = &process_checker();
    ::pthread_atfork([] { process_checker().before_fork(); },
                     [] { process_checker().after_fork(); },
                     [] { process_checker().after_fork(); });
}

}  // namespace detail
}  // namespace wedge
