// Reads and writes whole files. Each failure is an `error` that names the file.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

#include "wedge/core/check.hpp"
#include "wedge/core/signature.hpp"

namespace wedge {

namespace detail {

struct file_closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using open_file = std::unique_ptr<std::FILE, file_closer>;

[[noreturn]] inline void fail_file(const std::string& path) {
    throw error(path + ": " + std::strerror(errno));
}

}  // namespace detail

/// Returns the text of a file; `-` is the standard input.
///
/// @param size_max  in MiB; a device would never end
inline std::string read_text(const std::string& path, std::size_t size_max = 256) {
    const detail::open_file opened(path == "-" ? nullptr : std::fopen(path.c_str(), "rb"));
    if (path != "-" && opened == nullptr) detail::fail_file(path);
    std::FILE* const file = path == "-" ? stdin : opened.get();
    struct stat about {};
    if (::fstat(::fileno(file), &about) == 0 && S_ISDIR(about.st_mode))
        throw error(path + ": is a directory, expected a file");
    std::string text;
    char block[1 << 14];
    while (const std::size_t got = std::fread(block, 1, sizeof block, file)) {
        text.append(block, got);
        if (text.size() > size_max << 20)
            throw error(path + ": larger than " + std::to_string(size_max) + " MiB");
    }
    if (std::ferror(file) != 0) detail::fail_file(path);
    return text;
}

/// Writes a file atomically: beside the old one, and then in its place, with its permissions. A
/// link stays a link; a pipe or a device is written to.
inline void write_text(const std::string& path, std::string_view text) {
    namespace fs = std::filesystem;
    std::error_code failed;
    const fs::file_status old = fs::status(path, failed);
    const bool is_new = !fs::exists(old);
    const bool is_replaced = is_new || fs::is_regular_file(old);
    const std::string target = is_new ? path : fs::canonical(path, failed).string();
    const std::string draft = is_replaced ? target + ".tmp-" + std::to_string(::getpid()) : path;
    detail::open_file file(std::fopen(draft.c_str(), "wb"));
    if (file == nullptr) detail::fail_file(path);
    bool is_written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size();
    is_written = std::fclose(file.release()) == 0 && is_written;
    if (is_written && !is_replaced) return;
    if (is_written && !is_new) fs::permissions(draft, old.permissions(), failed);
    if (is_written && std::rename(draft.c_str(), target.c_str()) == 0) return;
    const int reason = errno;
    if (is_replaced) ::unlink(draft.c_str());
    errno = reason;
    detail::fail_file(path);
}

/// Makes a directory and its parents, unless they exist.
inline void make_folder(const std::string& path) {
    std::error_code failed;
    std::filesystem::create_directories(path, failed);
    if (!std::filesystem::is_directory(path))
        throw error(path + ": " + (failed ? failed.message() : "is no directory"));
}

/// Returns text for a part of a file name: a character that is no letter, digit, dot, minus or
/// underscore becomes an underscore.
inline std::string file_part(std::string_view name) {
    std::string part(name);
    for (char& c : part) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
        if (!is_plain) c = '_';
    }
    return part;
}

/// Returns where the files of a finding are saved: `DIRECTORY/NAME-HASH`, without an extension. An
/// empty directory is the current one.
inline std::string finding_path(const std::string& folder, const std::string& name,
                                const finding& found) {
    const std::string in = folder.empty() || folder.ends_with('/') ? folder : folder + "/";
    return in + file_part(name) + "-" + short_hash(found.signature);
}

}  // namespace wedge
