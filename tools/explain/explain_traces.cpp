#include "explain/explain_traces.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace wedge::explain {
namespace {

void read_file(const traces_call& call, const std::string& file, observations& into) {
    if (file == "-" && !call.input.empty()) {
        std::istringstream in(call.input);
        return read_trace(in, "standard input", into);
    }
    if (file == "-") return read_trace(std::cin, "standard input", into);
    std::ifstream in(file, std::ios::binary);
    if (!in) throw trace_error(file + ": " + std::strerror(errno));
    if (std::filesystem::is_directory(file))
        throw trace_error(file + ": is a directory, expected a file");
    read_trace(in, file, into);
}

void print(std::FILE* out, const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), out);
}

void refuse_unknown(const evidence& told) {
    if (told.unknown.empty()) return;
    std::string names;
    for (const std::string& each : told.unknown)
        names += (names.empty() ? "`" : ", `") + each + "`";
    throw trace_error(
        "no class is named " + names +
        "; expected a name of the trace, or whole words of one as `mmap_lock` of `&mm->mmap_lock`");
}

}  // namespace

bool is_trace_file(const std::string& file) {
    std::error_code ignored;
    if (file == "-" || !std::filesystem::is_regular_file(file, ignored)) return false;
    std::ifstream in(file, std::ios::binary);
    std::string beginning(16 * 1024, '\0');
    in.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
    beginning.resize(static_cast<std::size_t>(in.gcount()));
    return kind_of_trace(beginning) != trace_kind::none;
}

int explain_traces(traces_call& call, std::FILE* out) {
    if (call.is_compare && call.files.size() != 2)
        throw trace_error("--compare: expected two files, the old dump and the new one; found " +
                          std::to_string(call.files.size()));
    observations seen;
    evidence told;
    if (call.is_compare) {
        observations old;
        read_file(call, call.files[0], old);
        read_file(call, call.files[1], seen);
        told = compare(old, seen, call.what);
        if (call.as_json) {
            refuse_unknown(told);
            told.text = json_of_change(old, seen, call.files[0] + ", " + call.files[1], call.what);
        }
    } else {
        std::string title;
        for (const std::string& file : call.files) {
            read_file(call, file, seen);
            title += (title.empty() ? "" : ", ") + file;
        }
        mark_shared_names(seen);
        told = tell(seen, title, call.what);
        if (call.as_json) {
            refuse_unknown(told);
            told.text = json_of(seen, title, call.what);
        }
    }
    refuse_unknown(told);
    print(out, told.text);
    if (call.wants_dot) call.dot = dot_of(seen, call.what);
    return told.has_findings ? 1 : 0;
}

}  // namespace wedge::explain
