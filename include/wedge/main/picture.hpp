// Draws digraphs with Graphviz, if this machine has it.
#pragma once

#include <cerrno>
#include <cstdio>
#include <string>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wedge/main/files.hpp"

namespace wedge {

/// Runs `dot`.
///
/// @param format  a name of Graphviz: `svg`, `png`, `pdf`
/// @return whether the picture was drawn; false if there is no `dot`, or if it failed
inline bool draw(const std::string& dot_file, const std::string& picture,
                 const std::string& format) {
    const std::string draft = picture + ".tmp-" + std::to_string(::getpid());
    std::string words[] = {"dot", "-T" + format, "-o", draft, dot_file};
    if (words[4].starts_with('-')) words[4] = "./" + words[4];
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(),
                         words[3].data(), words[4].data(), nullptr};
    pid_t child = 0;
    if (::posix_spawnp(&child, "dot", nullptr, nullptr, arguments, ::environ) != 0) return false;
    int status = 0;
    while (::waitpid(child, &status, 0) == -1)
        if (errno != EINTR) return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
        std::rename(draft.c_str(), picture.c_str()) == 0)
        return true;
    ::unlink(draft.c_str());
    return false;
}

/// Saves a digraph as PATH.dot and draws PATH.svg.
///
/// @return the file to look at, and a reason if it is not a picture
inline std::string save_picture(const std::string& path, const std::string& digraph) {
    write_text(path + ".dot", digraph);
    if (draw(path + ".dot", path + ".svg", "svg")) return path + ".svg";
    return path + ".dot (no SVG: Graphviz's dot is missing or failed)";
}

}  // namespace wedge
