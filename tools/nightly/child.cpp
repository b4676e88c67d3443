#include "nightly/child.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/words.hpp"

namespace wedge::nightly {

namespace {

/// Becomes the program. Runs between fork and exec, so it calls nothing that allocates.
[[noreturn]] void become(char* const* words, int log, const char* folder, pid_t parent,
                         int complaints) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);  // it died before
    for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(each, SIG_DFL);
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool is_ready = nothing >= 0 && ::dup2(nothing, 0) >= 0;
    is_ready = is_ready && ::dup2(log, 1) >= 0 && ::dup2(log, 2) >= 0;
    is_ready = is_ready && (*folder == 0 || ::chdir(folder) == 0);
    if (is_ready) ::execvp(words[0], words);
    const int reason = errno;
    [[maybe_unused]] const auto written = ::write(complaints, &reason, sizeof reason);
    ::_exit(127);
}

}  // namespace

std::string ending_of_child::said() const {
    if (signal == 0) return "exit status " + std::to_string(status);
    return "killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")" +
           (is_late ? ", since it did not end in time" : "");
}

child::child(const std::vector<std::string>& words, const std::string& log,
             std::chrono::milliseconds time, std::chrono::milliseconds grace,
             const std::string& folder)
    : began_(clock::now()), deadline_(began_ + time), grace_(grace) {
    std::vector<std::string> kept = words;
    std::vector<char*> argv;
    for (std::string& each : kept) argv.push_back(each.data());
    argv.push_back(nullptr);
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) throw error(log + ": " + std::strerror(errno));
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) {
        ::close(file);
        throw error(std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    const pid_t parent = ::getpid();
    process_ = ::fork();
    if (process_ == 0) become(argv.data(), file, folder.c_str(), parent, pipe[1]);
    const int forked = errno;
    ::close(file);
    ::close(pipe[1]);
    int reason = process_ < 0 ? forked : 0;
    const bool has_failed =
        process_ < 0 || ::read(pipe[0], &reason, sizeof reason) == sizeof reason;
    ::close(pipe[0]);
    if (!has_failed) return;
    if (process_ > 0) ::waitpid(process_, nullptr, 0);
    process_ = -1;
    throw error(words.front() + ": cannot be started: " + std::strerror(reason));
}

child::child(child&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      began_(other.began_),
      deadline_(other.deadline_),
      grace_(other.grace_),
      is_asked_(other.is_asked_),
      is_killed_(other.is_killed_),
      ended_(other.ended_),
      seconds_(other.seconds_) {}

child::~child() {
    if (process_ <= 0) return;
    ::kill(-process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
}

bool child::has_ended() {
    if (process_ <= 0) return true;
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) == process_) {
        ::kill(-process_, SIGKILL);  // what it has started and left
        process_ = -1;
        seconds_ = std::chrono::duration<double>(clock::now() - began_).count();
        ended_.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        ended_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        ended_.is_late = is_killed_;
        ended_.is_asked = is_asked_;
        return true;
    }
    const clock::time_point now = clock::now();
    if (now >= deadline_) stop();
    if (is_asked_ && !is_killed_ && now >= deadline_ + grace_) {
        is_killed_ = true;
        ::kill(-process_, SIGKILL);
    }
    return false;
}

void child::stop() {
    if (process_ <= 0 || std::exchange(is_asked_, true)) return;
    deadline_ = std::min(deadline_, clock::now());
    ::kill(process_, SIGTERM);
}

void child::wait() {
    growing_pause rest(std::chrono::milliseconds(20));
    while (!has_ended()) rest.sleep();
}

void growing_pause::sleep() {
    std::this_thread::sleep_for(next_);
    next_ = std::min(longest_, 2 * next_);
}

double child::seconds() const {
    if (process_ <= 0) return seconds_;
    return std::chrono::duration<double>(clock::now() - began_).count();
}

run_result run_to_end(const std::vector<std::string>& words, const std::string& log,
                      std::chrono::milliseconds time, const std::string& folder) {
    std::error_code failed;
    std::filesystem::remove(log, failed);
    child running(words, log, time, std::chrono::seconds(10), folder);
    running.wait();
    return {running.ended(), read_text(log, 64)};
}

run_result result_of(const std::vector<std::string>& words, std::chrono::milliseconds time) {
    struct scratch_file {
        const std::string path =
            (std::filesystem::temp_directory_path() / ("wedge-log-" + std::to_string(::getpid())))
                .string();
        ~scratch_file() {
            std::error_code failed;
            std::filesystem::remove(path, failed);
        }
    };
    const scratch_file log;
    return run_to_end(words, log.path, time);
}

std::string as_line(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& each : words) line += (line.empty() ? "" : " ") + shell_quoted(each);
    return line;
}

}  // namespace wedge::nightly
