// The threads of this process.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <dirent.h>

namespace wedge::detail {

/// Returns the numbers of the threads of this process, in rising order (proc(5), `/proc/pid/task`);
/// empty: unknown. A thread stays for a moment after its join, so counts of threads are not to be
/// compared.
inline std::vector<long> threads_of_process() {
    std::vector<long> all;
    DIR* const folder = ::opendir("/proc/self/task");
    if (folder == nullptr) return all;
    while (const dirent* const each = ::readdir(folder))
        if (const long number = std::strtol(each->d_name, nullptr, 10); number != 0)
            all.push_back(number);
    ::closedir(folder);
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace wedge::detail
