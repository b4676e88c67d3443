// Names for addresses in files: functions, lines and variables.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace wedge::run {

/// An address within a file, as the raw report has it. A file of "?" means memory of no file.
struct code_address {
    std::string file;
    std::uint64_t offset = 0;
    friend auto operator<=>(const code_address&, const code_address&) = default;
};

/// A call, or a place in the source.
struct code_place {
    std::string function;  ///< empty: unknown
    std::string source;    ///< `dir/file.c:12`; empty: unknown
    std::string fallback;  ///< `libc.so.6+0x1234`

    /// Returns `dir/file.c:12`, else `function in libc.so.6`, else the file and the offset.
    std::string where() const;
    /// Returns `function (dir/file.c:12)`.
    std::string call() const;
};

/// Looks addresses up with addr2line and nm (Debian: binutils), which find the debug information of
/// separate packages too. Without these programs, names are files and offsets.
///
/// Announce all addresses first, so that each file is read once.
class symbols {
public:
    void want_code(const code_address& where) { wanted_code_[where.file].push_back(where.offset); }
    void want_data(const code_address& where) { wanted_data_[where.file].push_back(where.offset); }
    void look_up();

    /// Returns the function of a return address; with inlined calls, the innermost.
    code_place call_at(const code_address& where) const;
    /// Returns all calls of a return address, the innermost first: inlined ones too.
    std::vector<code_place> calls_at(const code_address& where) const;
    /// Returns the name of a variable, or the file and the offset.
    std::string variable_at(const code_address& where) const;

private:
    void look_up_code(const std::string& file, const std::vector<std::uint64_t>& offsets);
    void look_up_data(const std::string& file, std::vector<std::uint64_t> offsets);

    std::map<std::string, std::vector<std::uint64_t>> wanted_code_;
    std::map<std::string, std::vector<std::uint64_t>> wanted_data_;
    std::map<code_address, std::vector<code_place>> code_;
    std::map<code_address, std::string> data_;
};

/// Returns `libc.so.6+0x1234`.
std::string plain_name(const code_address& where);

}  // namespace wedge::run
