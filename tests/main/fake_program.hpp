// Calls a program's subcommands within a test, in a new directory.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "wedge/main/workload_entry.hpp"

/// Makes a new directory the current one during its lifetime.
class scratch_folder {
public:
    scratch_folder() : before_(std::filesystem::current_path()) {
        char name[] = "/tmp/wedge_test_XXXXXX";
        path_ = ::mkdtemp(name);
        std::filesystem::current_path(path_);
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder() {
        std::filesystem::current_path(before_);
        std::filesystem::remove_all(path_);
    }

    std::vector<std::string> files(const std::string& extension) const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path_))
            if (entry.path().extension() == extension) names.push_back(entry.path().filename());
        return names;
    }

private:
    std::filesystem::path before_;
    std::filesystem::path path_;
};

struct called {
    int status = -1;
    std::string out;
    std::string err;
};

/// Only fake_program.cpp, which defines it, compiles all subcommands, since that takes long.
called call_program(std::span<const wedge::workload_entry> workloads,
                    std::span<const char* const> arguments);
inline called call_program(std::span<const wedge::workload_entry> workloads,
                           std::initializer_list<const char*> arguments) {
    return call_program(workloads, std::span(arguments.begin(), arguments.size()));
}
