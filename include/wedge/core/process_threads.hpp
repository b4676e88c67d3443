// The threads of this process.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <dirent.h>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

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

/// Returns whether this process may have started a thread, which may have ended.
inline bool may_have_started_threads() noexcept {
#if __has_include(<sys/single_threaded.h>)
    return __libc_single_threaded == 0;  // 0 for good after the first thread
#else
    return true;
#endif
}

}  // namespace wedge::detail
