// The progress of a long search: on a terminal one line that changes, otherwise a line now and
// then.
#pragma once

#include <chrono>
#include <cstdint>
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

    /// Begins another phase of the work, such as a second engine. What the phases before have
    /// counted stays counted.
    void begin_phase(std::string name) {
        phase_ = std::move(name);
        before_ += std::exchange(last_, 0);
    }

    /// For `explore_options::on_progress`.
    static void on(const outcome& so_far, void* self) {
        progress_line& mine = *static_cast<progress_line*>(self);
        mine.count(so_far);
        mine.show([&] { return mine.said(so_far); });
    }

    /// Takes what the running search has tried. Counts on if a search begins anew.
    void count(const outcome& so_far) {
        const std::uint64_t now = so_far.executions + so_far.pruned;
        if (now < last_) before_ += last_;
        last_ = now;
    }
    /// Returns `fuzzing: 12 executions, 1 finding`.
    std::string said(const outcome& so_far) const {
        std::string phase = phase_;
        if (*so_far.phase != 0) phase += (phase.empty() ? "" : ", ") + std::string(so_far.phase);
        return (phase.empty() ? "" : phase + ": ") + report::counted(before_ + last_, "execution") +
               ", " + report::counted(so_far.findings.size(), "finding");
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
    std::string phase_;
    std::uint64_t before_ = 0;  // executions of finished searches
    std::uint64_t last_ = 0;    // of the running one
    const bool is_terminal_;
    bool is_shown_ = false;
    const clock::time_point start_ = clock::now();
    clock::time_point shown_at_ = start_;
};

}  // namespace wedge
