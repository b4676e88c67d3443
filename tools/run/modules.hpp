// The program and its libraries in memory: which of them an address belongs to.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace wedge::run {

/// A part of a loaded file in memory.
struct module_part {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::uintptr_t bias = 0;  ///< subtract it to get the address within the file
    std::uint32_t file = 0;   ///< place in `module_map::files`
};

/// The files that the process had loaded at the last `update` or `find`. Unloaded files are
/// remembered, because earlier events name addresses in them. Not for use by two threads at once.
class module_map {
public:
    /// Returns the part that contains the address; null: memory of no file.
    const module_part* find(std::uintptr_t address);

    const std::string& file_of(const module_part& part) const { return files_[part.file]; }
    const std::vector<std::string>& files() const noexcept { return files_; }

    /// Reads the list of loaded files again if it has changed.
    void update();
    /// Returns the parts that were unloaded since the last call.
    std::vector<module_part> take_unloaded();

    /// Leaves all maps of this process as they are. For the child of a process with several
    /// threads: another thread may have held the loader's lock during the fork, and in the child
    /// nobody releases it.
    static void freeze() noexcept;

private:
    std::vector<module_part> parts_;     // loaded
    std::vector<module_part> unloaded_;  // the latest last
    std::vector<std::string> files_;
    std::vector<module_part> untaken_;  // unloaded since the last `take_unloaded`
    unsigned long long changes_ = 0;
};

}  // namespace wedge::run
