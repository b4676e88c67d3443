// The progress of a long search: on a terminal one line that changes, otherwise a line now and
// then.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <unistd.h>

#include "wedge/report/words.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

class progress_line {
public:
    progress_line(std::FILE* to, std::string title)
        : to_(to), title_(std::move(title)), is_terminal_(::isatty(::fileno(to)) == 1) {}
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;
    ~progress_line() {
        if (is_terminal_ && is_shown_) std::fputs("\r\x1b[K", to_);
        std::fflush(to_);
    }

    /// For `explore_options::on_progress`.
    static void on(const outcome& so_far, void* self) {
        static_cast<progress_line*>(self)->show([&] {
            return report::counted(so_far.executions + so_far.pruned, "execution") + ", " +
                   report::counted(so_far.findings.size(), "finding");
        });
    }

    /// Shows the progress, unless it was shown a moment ago.
    ///
    /// @param text  () -> std::string
    template <class Text>
    void show(Text text) {
        const std::chrono::milliseconds pause(is_terminal_ ? 100 : 10'000);
        const clock::time_point now = clock::now();
        if (now - shown_at_ < pause) return;
        shown_at_ = now;
        is_shown_ = true;
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - start_).count();
        const std::string line = title_ + ": " + text() + ", " + std::to_string(seconds) + " s";
        std::fprintf(to_, is_terminal_ ? "\r\x1b[K%s" : "%s\n", line.c_str());
        std::fflush(to_);
    }

private:
    using clock = std::chrono::steady_clock;

    std::FILE* const to_;
    const std::string title_;
    const bool is_terminal_;
    bool is_shown_ = false;
    const clock::time_point start_ = clock::now();
    clock::time_point shown_at_ = start_;
};

}  // namespace wedge
