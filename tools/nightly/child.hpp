// A program that runs as a child process: started, watched, ended.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

namespace wedge::nightly {

/// How a child ended.
struct ending_of_child {
    int status = 0;         ///< its exit status; -1: a signal ended it
    int signal = 0;         ///< the signal that ended it; 0: none
    bool is_late = false;   ///< it had to be killed, since it did not end in time
    bool is_asked = false;  ///< it was asked to end

    /// Returns `exit status 77`, or `killed by signal 9 (Killed)`.
    std::string said() const;
};

/// A running child process in a process group of its own. Its output goes to a file. If this
/// process dies, the child gets SIGTERM.
class child {
public:
    using clock = std::chrono::steady_clock;

    /// Starts a program.
    ///
    /// @param words   the program and its arguments; looked up as a shell does
    /// @param log     the file that its output is added to
    /// @param time    after this it gets SIGTERM, and `grace` later SIGKILL
    /// @throws error  it cannot be started
    child(const std::vector<std::string>& words, const std::string& log,
          std::chrono::milliseconds time, std::chrono::milliseconds grace,
          const std::string& folder = {});
    child(child&& other) noexcept;
    child& operator=(child&&) = delete;
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child();  ///< kills it if it still runs

    /// Returns whether it has ended. Sends the signals that are due.
    bool has_ended();
    /// Asks it to end, once.
    void stop();
    /// Waits until it has ended.
    void wait();

    const ending_of_child& ended() const noexcept { return ended_; }
    double seconds() const;

private:
    pid_t process_ = -1;
    clock::time_point began_;
    clock::time_point deadline_;
    std::chrono::milliseconds grace_;
    bool is_asked_ = false;
    bool is_killed_ = false;
    ending_of_child ended_;
    double seconds_ = 0;
};

/// A pause between two looks at children: a millisecond at first, and each one twice as long, so
/// that children which end at once cost no time, and those which run long no processor.
class growing_pause {
public:
    explicit growing_pause(std::chrono::milliseconds longest) : longest_(longest) {}

    void begin_again() noexcept { next_ = std::chrono::milliseconds(1); }
    void sleep();  ///< blocks this thread

private:
    std::chrono::milliseconds longest_;
    std::chrono::milliseconds next_{1};
};

/// Runs a program to its end and returns its output, of which at most 64 MiB are kept.
struct run_result {
    ending_of_child how;
    std::string out;
};
run_result run_to_end(const std::vector<std::string>& words, const std::string& log,
                      std::chrono::milliseconds time, const std::string& folder = {});
/// Does this with a log that is removed again, for a command of which only the result counts.
run_result result_of(const std::vector<std::string>& words, std::chrono::milliseconds time);

/// Returns words as one line for a shell.
std::string as_line(const std::vector<std::string>& words);

}  // namespace wedge::nightly
