// The file that the library writes, and `wedge run` reads: findings with addresses in place of
// names.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "wedge/core/finding.hpp"

#include "run/modules.hpp"

namespace wedge::run {

/// Counters that survive the process: a page of a file, mapped.
struct run_counters {
    static constexpr std::uint64_t right_magic = 0x77656467'72756e32;  // "wedgrun2"
    static constexpr std::uint64_t deadlocked = 2;                     // as `ended`
    /// The exit status of a process that its deadlock has ended.
    static constexpr int deadlock_status = 1;

    std::uint64_t magic = right_magic;
    std::uint64_t pid = 0;
    std::atomic<std::uint64_t> acquires{0};
    std::atomic<std::uint64_t> locks{0};
    std::atomic<std::uint64_t> classes{0};
    std::atomic<std::uint64_t> edges{0};
    std::atomic<std::uint64_t> threads{0};
    std::atomic<std::uint64_t> findings{0};
    std::atomic<std::uint64_t> ended{0};     ///< the process has run its last destructors
    std::uint64_t number = 0;                ///< of the processes of the run, from 1
    std::atomic<std::uint64_t> steps{0};     ///< that were taken in turn
    std::atomic<std::uint64_t> followed{0};  ///< events of the replayed trace
    std::atomic<std::uint64_t> to_follow{0};
    std::atomic<std::uint64_t> left_at{0};  ///< the line where the run left the trace; 0: nowhere
    char why_left[256]{};
    char program[512]{};
};

/// A class of locks: how it is known, and by which addresses.
struct class_origin {
    char how = '?';  ///< a: address, i: init, u: first use, o: once, p: place of a once
    std::vector<std::uintptr_t> addresses;
};

/// Writes one process's file. Not for use by two threads at once.
///
/// Each line is a letter and fields that a tab separates. An address is `FILE:OFFSET`, where FILE
/// is the number of an `F` line. `{N}` in a text is the class N, `{@ADDRESS}` the function there.
class raw_report {
public:
    /// Opens the next unused file of this process in the directory, and its counters.
    ///
    /// @return the counters; those of no file if the directory cannot be written
    run_counters* open(const std::string& directory);

    /// Adds a finding and flushes.
    ///
    /// @param is_alone        seen while the process had one thread
    /// @param is_only_thread  no other thread was started with this thread's function
    /// @param stacks  of the tasks of the finding
    void add(const finding& found, const std::vector<class_origin>& classes, bool is_alone,
             bool is_only_thread, const std::vector<call_stack>& stacks = {});

    std::string address(std::uintptr_t code);
    /// Returns the path of the file, without an extension.
    const std::string& path() const noexcept { return path_; }
    module_map& modules() noexcept { return modules_; }

    /// Writes what was added.
    void flush();

private:
    void begin_line(char letter) { text_ += letter; }
    void field(const std::string& text);
    void use(const lock_use& lock);
    void stack(const call_stack& calls);
    void classes_of(const finding& found);
    void class_line(std::uint32_t id);

    std::string program_;
    std::string path_;
    std::string text_;
    module_map modules_;
    const std::vector<class_origin>* classes_ = nullptr;
    std::vector<bool> files_written_;
    std::vector<bool> classes_written_;
};

}  // namespace wedge::run
