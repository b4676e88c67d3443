#include "run/symbols.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <unistd.h>

#include "wedge/core/site.hpp"
#include "wedge/main/words.hpp"

namespace wedge::run {
namespace {

std::string short_name(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));
}

std::string hexadecimal(std::uint64_t value) {
    char digits[20];
    return "0x" + std::string(digits, std::to_chars(digits, digits + sizeof digits, value, 16).ptr);
}

/// Runs a command and returns the lines of its output; none if it cannot run.
std::vector<std::string> lines_of(const std::string& command) {
    std::vector<std::string> lines;
    std::FILE* const output = ::popen((command + " 2>/dev/null").c_str(), "r");
    if (output == nullptr) return lines;
    char* line = nullptr;
    std::size_t room = 0;
    while (true) {
        const auto size = ::getline(&line, &room, output);
        if (size < 0) break;
        std::string_view text(line, static_cast<std::size_t>(size));
        if (text.ends_with('\n')) text.remove_suffix(1);
        lines.emplace_back(text);
    }
    std::free(line);
    ::pclose(output);
    return lines;
}

/// Returns the last two parts of `dir/file.c:12 (discriminator 3)`; empty if it is unknown.
std::string source_of(const std::string& text) {
    if (text.starts_with("??") || text.ends_with(":0") || text.ends_with(":?")) return {};
    const std::string path = text.substr(0, text.find(" (disc"));
    return site{path.c_str(), "", 1, 0}.short_file();
}

/// Removes the arguments: names of templates are long enough.
std::string without_arguments(std::string name) {
    int open = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] == '<') ++open;
        if (name[i] == '>') --open;
        if (name[i] == '(' && open == 0 && i != 0 && name.compare(i, 12, "(anonymous n") != 0)
            return name.substr(0, i);
    }
    return name;
}

}  // namespace

std::string plain_name(const code_address& where) {
    if (where.file == "?") return hexadecimal(where.offset);
    return short_name(where.file) + "+" + hexadecimal(where.offset);
}

std::string code_place::where() const {
    if (!source.empty()) return source;
    if (function.empty()) return fallback;
    return function + " in " + fallback.substr(0, fallback.find("+0x"));
}

std::string code_place::call() const {
    if (function.empty()) return fallback;
    return function + " (" + (source.empty() ? fallback.substr(0, fallback.find("+0x")) : source) +
           ")";
}

void symbols::look_up() {
    for (const auto& [file, offsets] : wanted_code_)
        if (file != "?") look_up_code(file, offsets);
    for (const auto& [file, offsets] : wanted_data_)
        if (file != "?") look_up_data(file, offsets);
    wanted_code_.clear();
    wanted_data_.clear();
}

void symbols::look_up_code(const std::string& file, const std::vector<std::uint64_t>& offsets) {
    std::error_code failed;
    if (!std::filesystem::exists(file, failed)) return;
    std::string command = "addr2line -afCi -e " + shell_quoted(file);
    // A call's return address is behind it.
    for (const std::uint64_t each : offsets) command += " " + hexadecimal(each - 1);
    std::vector<code_place>* now = nullptr;
    code_address at{file, 0};
    const std::vector<std::string> lines = lines_of(command);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].starts_with("0x")) {
            std::uint64_t value = 0;
            const char* const end = lines[i].data() + lines[i].size();
            std::from_chars(lines[i].data() + 2, end, value, 16);
            at.offset = value + 1;
            now = &code_[at];
            now->clear();
            continue;
        }
        if (now == nullptr || i + 1 == lines.size()) continue;
        code_place place;
        if (lines[i] != "??") place.function = without_arguments(lines[i]);
        place.source = source_of(lines[++i]);
        place.fallback = plain_name(at);
        now->push_back(std::move(place));
    }
}

void symbols::look_up_data(const std::string& file, std::vector<std::uint64_t> offsets) {
    std::error_code failed;
    if (!std::filesystem::exists(file, failed)) return;
    std::sort(offsets.begin(), offsets.end());
    // A stripped library still has the names that it exports.
    for (const char* const which : {"nm -CnS ", "nm -DCnS "}) {
        for (const std::string& line : lines_of(which + shell_quoted(file))) {
            // `ADDRESS SIZE LETTER NAME`
            std::uint64_t begin = 0;
            std::uint64_t size = 0;
            const char* const end = line.data() + line.size();
            const char* after = std::from_chars(line.data(), end, begin, 16).ptr;
            if (after == end || *after != ' ') continue;
            const char* const behind = std::from_chars(after + 1, end, size, 16).ptr;
            if (behind == after + 1 || end - behind < 4 || behind[2] != ' ') continue;
            const std::string name(behind + 3, end);
            for (auto each = std::lower_bound(offsets.begin(), offsets.end(), begin);
                 each != offsets.end() && *each < begin + size; ++each) {
                const std::uint64_t inside = *each - begin;
                data_.try_emplace({file, *each},
                                  inside == 0 ? name : name + "+" + std::to_string(inside));
            }
        }
    }
}

std::vector<code_place> symbols::calls_at(const code_address& where) const {
    const auto known = code_.find(where);
    if (known != code_.end() && !known->second.empty()) return known->second;
    code_place unknown;
    unknown.fallback = plain_name(where);
    return {unknown};
}

code_place symbols::call_at(const code_address& where) const {
    return calls_at(where).front();
}

std::string symbols::variable_at(const code_address& where) const {
    const auto known = data_.find(where);
    return known == data_.end() ? plain_name(where) : known->second;
}

}  // namespace wedge::run
