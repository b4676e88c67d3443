// The names of a program's functions, from its symbol table. For rare use: each question reads the
// program's file.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wedge::detail {

/// A file in memory. Empty if it cannot be read.
class mapped_file {
public:
    explicit mapped_file(const char* path) {
        const int file = ::open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) return;
        struct stat about {};
        if (::fstat(file, &about) == 0 && about.st_size > 0) {
            const auto size = static_cast<std::size_t>(about.st_size);
            void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
            if (at != MAP_FAILED) bytes_ = {static_cast<const char*>(at), size};
        }
        ::close(file);
    }
    ~mapped_file() {
        if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
    }
    mapped_file(const mapped_file&) = delete;
    mapped_file& operator=(const mapped_file&) = delete;

    /// Returns `count` values of a type that begin at an offset; null if the file ends before.
    template <class T>
    const T* at(std::uint64_t offset, std::uint64_t count = 1) const {
        if (offset % alignof(T) != 0 || offset > bytes_.size()) return nullptr;
        if (count > (bytes_.size() - offset) / sizeof(T)) return nullptr;
        return reinterpret_cast<const T*>(bytes_.data() + offset);
    }

private:
    std::string_view bytes_;
};

/// The file that an address was loaded from, and where the file's addresses begin in memory.
struct loaded_code {
    std::uintptr_t address;
    std::uintptr_t base = 0;
    std::string path;  ///< empty: none

    explicit loaded_code(std::uintptr_t of) : address(of) { ::dl_iterate_phdr(&look, this); }

private:
    static int look(dl_phdr_info* module, std::size_t, void* self) {
        auto& found = *static_cast<loaded_code*>(self);
        for (unsigned i = 0; i < module->dlpi_phnum; ++i) {
            const auto& part = module->dlpi_phdr[i];
            const std::uintptr_t begin = module->dlpi_addr + part.p_vaddr;
            if (part.p_type != PT_LOAD || found.address - begin >= part.p_memsz) continue;
            found.base = module->dlpi_addr;
            const bool is_program = module->dlpi_name == nullptr || *module->dlpi_name == '\0';
            found.path = is_program ? "/proc/self/exe" : module->dlpi_name;
            return 1;
        }
        return 0;
    }
};

/// Returns the function that contains an address, by its name in the symbol table. Empty: it has no
/// name there, as in a stripped program.
inline std::string symbol_at(std::uintptr_t address) {
    const loaded_code code(address);
    if (code.path.empty()) return {};
    const mapped_file file(code.path.c_str());
    const auto* const head = file.at<ElfW(Ehdr)>(0);
    if (head == nullptr || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return {};
    const auto* const parts = file.at<ElfW(Shdr)>(head->e_shoff, head->e_shnum);
    for (unsigned i = 0; parts != nullptr && i < head->e_shnum; ++i) {
        const auto& table = parts[i];
        if (table.sh_type != SHT_SYMTAB || table.sh_link >= head->e_shnum) continue;
        const std::uint64_t count = table.sh_size / sizeof(ElfW(Sym));
        const auto* const symbols = file.at<ElfW(Sym)>(table.sh_offset, count);
        const auto& texts = parts[table.sh_link];
        const char* const names = file.at<char>(texts.sh_offset, texts.sh_size);
        for (std::uint64_t s = 0; symbols != nullptr && names != nullptr && s < count; ++s) {
            const auto& each = symbols[s];
            const bool is_function = (each.st_info & 15) == STT_FUNC;
            if (is_function && address - (code.base + each.st_value) < each.st_size &&
                each.st_name < texts.sh_size)
                return names + each.st_name;
        }
    }
    return {};
}

/// Returns whether a function, by its name in the symbol table, is one of the standard library's or
/// of wedge's own.
inline bool is_of_library(std::string_view symbol) noexcept {
    if (!symbol.starts_with("_Z")) return false;
    // Z is something local to a function, N a nested name, K and V are const and volatile.
    const std::size_t first = symbol.find_first_not_of("ZNKV", 2);
    if (first == std::string_view::npos) return false;
    symbol.remove_prefix(first);
    // St is std, Sa and Ss are std::allocator and std::string.
    return symbol.starts_with("S") || symbol.starts_with("9__gnu_cxx") ||
           symbol.starts_with("5wedge");
}

/// Returns the name of a symbol as the source writes it, without parameters and template arguments:
/// `pool::pool`.
inline std::string source_name(const std::string& symbol) {
    int status = 0;
    char* const readable = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
    const std::string all = status == 0 ? readable : symbol;
    std::free(readable);
    constexpr std::string_view unnamed = "(anonymous namespace)::";
    std::string name;
    unsigned depth = 0;  // of template arguments
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all.compare(i, unnamed.size(), unnamed) == 0) {
            i += unnamed.size() - 1;
            continue;
        }
        if (all[i] == '<') ++depth;
        if (depth == 0 && all[i] == '(') break;
        if (depth == 0) name += all[i];
        if (all[i] == '>' && depth > 0) --depth;
    }
    return name.substr(name.rfind(' ') + 1);  // a function template has its result in front
}

}  // namespace wedge::detail
