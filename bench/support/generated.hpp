// Generated programs of nested locks, as scenarios and for SPIN.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "wedge/core/rng.hpp"

namespace bench {

/// By task: the locks that it takes, nested and in rising order, so that everything is searched.
using program = std::vector<std::vector<std::uint32_t>>;

inline program generated(std::uint32_t tasks, std::uint32_t locks) {
    constexpr std::uint32_t depth = 3;
    wedge::rng random(tasks * 100 + locks);
    program made(tasks);
    for (std::vector<std::uint32_t>& each : made) {
        while (each.size() < std::min(depth, locks)) {
            const std::uint32_t lock = random.below(locks);
            if (std::find(each.begin(), each.end(), lock) == each.end()) each.push_back(lock);
        }
        std::sort(each.begin(), each.end());
    }
    return made;
}
/// The locks of one task in order, then backwards.
template <class Take, class Give>
std::string steps_of(const std::vector<std::uint32_t>& locks, Take take, Give give) {
    std::string text;
    for (const std::uint32_t each : locks) text += take(std::to_string(each));
    for (std::size_t i = locks.size(); i-- > 0;) text += give(std::to_string(locks[i]));
    return text;
}

inline std::string scenario_text(const program& of, std::int64_t locks) {
    std::string text;
    for (std::int64_t i = 0; i < locks; ++i) text += "lock l" + std::to_string(i) + " mutex\n";
    for (std::size_t i = 0; i < of.size(); ++i)
        text += "thread t" + std::to_string(i) + " {\n" +
                steps_of(
                    of[i], [](const std::string& l) { return "lock l" + l + "\n"; },
                    [](const std::string& l) { return "unlock l" + l + "\n"; }) +
                "}\n";
    return text;
}
inline std::string promela_text(const program& of, std::int64_t locks) {
    std::string text = "bool taken[" + std::to_string(locks) + "];\n";
    for (std::size_t i = 0; i < of.size(); ++i)
        text += "active proctype t" + std::to_string(i) + "() {\n" +
                steps_of(
                    of[i],
                    [](const std::string& l) {
                        return "atomic { !taken[" + l + "] -> taken[" + l + "] = true };\n";
                    },
                    [](const std::string& l) { return "taken[" + l + "] = false;\n"; }) +
                "skip\n}\n";
    return text;
}

/// A directory for SPIN's files, which is removed with this object.
class scratch_folder {
public:
    scratch_folder()
        : path_(std::filesystem::temp_directory_path() /
                ("wedge_bench_" + std::to_string(::getpid()) + "_" + std::to_string(count_++))) {
        std::filesystem::create_directories(path_);
    }
    ~scratch_folder() { std::filesystem::remove_all(path_); }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }

private:
    inline static int count_ = 0;
    const std::filesystem::path path_;
};

/// Returns the processor time of all children so far.
inline double seconds_of_children() {
    rusage all{};
    ::getrusage(RUSAGE_CHILDREN, &all);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(all.ru_utime) + seconds(all.ru_stime);
}

/// Returns the processor time of a command; -1 if it failed.
inline double seconds_of(const std::string& command) {
    const double before = seconds_of_children();
    if (std::system(command.c_str()) != 0) return -1;
    return seconds_of_children() - before;
}

/// Returns the number before `, stored` in pan's report.
inline double states_stored(const std::filesystem::path& report) {
    std::ifstream file(report);
    for (std::string line; std::getline(file, line);)
        if (line.find("states, stored") != std::string::npos) return std::stod(line);
    return -1;
}

}  // namespace bench
