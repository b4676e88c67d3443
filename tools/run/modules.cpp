#include "run/modules.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <link.h>
#include <unistd.h>

namespace wedge::run {
namespace {

std::atomic<bool> is_frozen{false};

struct scan {
    std::vector<std::string>* files = nullptr;
    std::vector<module_part> parts;
};

std::string path_of_program() {
    char path[4096];
    const auto size = ::readlink("/proc/self/exe", path, sizeof path);
    return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string("?");
}

int count_changes(dl_phdr_info* info, std::size_t, void* changes) {
    *static_cast<unsigned long long*>(changes) = info->dlpi_adds + info->dlpi_subs;
    return 1;
}

int add_file(dl_phdr_info* info, std::size_t, void* data) {
    scan& all = *static_cast<scan*>(data);
    std::string name = info->dlpi_name;
    if (name.empty()) name = all.parts.empty() ? path_of_program() : "[vdso]";
    const auto known = std::find(all.files->begin(), all.files->end(), name);
    const auto file = static_cast<std::uint32_t>(known - all.files->begin());
    if (known == all.files->end()) all.files->push_back(std::move(name));
    for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
        const auto& header = info->dlpi_phdr[i];
        if (header.p_type != PT_LOAD) continue;
        const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
        all.parts.push_back({begin, begin + header.p_memsz, info->dlpi_addr, file});
    }
    return 0;
}

const module_part* part_with(const std::vector<module_part>& parts, std::uintptr_t address) {
    for (auto part = parts.rbegin(); part != parts.rend(); ++part)
        if (address >= part->begin && address < part->end) return &*part;
    return nullptr;
}

}  // namespace

const module_part* module_map::find(std::uintptr_t address) {
    update();
    if (const module_part* const loaded = part_with(parts_, address)) return loaded;
    return part_with(unloaded_, address);
}

void module_map::freeze() noexcept {
    is_frozen.store(true, std::memory_order_relaxed);
}

void module_map::update() {
    if (is_frozen.load(std::memory_order_relaxed)) return;
    unsigned long long changes = 0;
    ::dl_iterate_phdr(&count_changes, &changes);
    if (changes == changes_) return;
    changes_ = changes;
    scan now{&files_, {}};
    ::dl_iterate_phdr(&add_file, &now);
    for (const module_part& part : parts_) {
        const auto is_it = [&](const module_part& other) {
            return other.begin == part.begin && other.file == part.file;
        };
        if (std::none_of(now.parts.begin(), now.parts.end(), is_it)) {
            unloaded_.push_back(part);
            untaken_.push_back(part);
        }
    }
    parts_ = std::move(now.parts);
}

std::vector<module_part> module_map::take_unloaded() {
    update();
    return std::exchange(untaken_, {});
}

}  // namespace wedge::run
