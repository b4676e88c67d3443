#include "run/native_state.hpp"

#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace wedge::run {
namespace {

/// The C library's own signals, for cancelling threads and changing their user.
constexpr int first_own_signal = 32;
constexpr int last_own_signal = 33;

/// Reads the beginning of a file into memory on the stack.
class small_file {
public:
    explicit small_file(const char* path) noexcept {
        const long file = ::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
        if (file < 0) return;
        while (size_ < sizeof text_) {
            const long count = ::syscall(SYS_read, file, text_ + size_, sizeof text_ - size_);
            if (count <= 0) break;
            size_ += static_cast<std::size_t>(count);
        }
        ::syscall(SYS_close, file);
    }
    std::string_view text() const noexcept { return {text_, size_}; }

private:
    char text_[4096];
    std::size_t size_ = 0;
};

class task_path {
public:
    task_path(int thread, const char* file) noexcept {
        char* to = add(text_, "/proc/self/task/");
        to = std::to_chars(to, to + 12, thread).ptr;
        *add(to, file) = '\0';
    }
    const char* get() const noexcept { return text_; }

private:
    static char* add(char* to, const char* text) noexcept {
        const std::size_t length = std::strlen(text);
        std::memcpy(to, text, length);
        return to + length;
    }
    char text_[64];
};

unsigned long long number_behind(std::string_view text, std::string_view word, int base) noexcept {
    const std::size_t place = text.find(word);
    if (place == text.npos) return 0;
    text.remove_prefix(place + word.size());
    while (!text.empty() && (text[0] == ' ' || text[0] == '\t')) text.remove_prefix(1);
    unsigned long long value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
}

}  // namespace

kernel_view view_of(int thread) noexcept {
    kernel_view seen;
    const small_file stat(task_path(thread, "/stat").get());
    // The name in parentheses may contain anything.
    const std::size_t name_end = stat.text().rfind(')');
    if (name_end == std::string_view::npos || name_end + 2 >= stat.text().size()) {
        seen.state = ::access("/proc/self/stat", R_OK) == 0 ? 'X' : '?';
        return seen;
    }
    seen.state = stat.text()[name_end + 2];
    const small_file times(task_path(thread, "/schedstat").get());
    std::from_chars(times.text().data(), times.text().data() + times.text().size(), seen.ran_ns);
    return seen;
}

bool may_be_woken_by_signals() noexcept {
    const small_file status("/proc/self/status");
    if (status.text().find("SigCgt:") == std::string_view::npos) return true;
    unsigned long long caught = number_behind(status.text(), "SigCgt:", 16);
    for (int each = first_own_signal; each <= last_own_signal; ++each)
        caught &= ~(1ULL << (each - 1));
    return caught != 0;
}

unsigned living_threads() noexcept {
    const small_file status("/proc/self/status");
    return static_cast<unsigned>(number_behind(status.text(), "Threads:", 10));
}

bool may_interrupt_waits() noexcept {
    for (int each = 1; each < NSIG; ++each) {
        if (each >= first_own_signal && each <= last_own_signal) continue;
        struct sigaction now {};
        if (::sigaction(each, nullptr, &now) != 0) continue;
        if (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN) continue;
        if ((now.sa_flags & SA_RESTART) == 0) return true;
    }
    return false;
}

}  // namespace wedge::run
