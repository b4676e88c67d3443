// The version of these headers, and how a program was built. A test compares the version with that
// of the project.
#pragma once

#include <string>

#include "wedge/core/sanitizer.hpp"

namespace wedge {

inline constexpr const char* version = "0.1.0";

/// Returns the commit that a program was built from. A program that knows it defines this function.
[[gnu::weak]] const char* revision_of_build() noexcept;

/// Returns the text of `--version`: the version, and a line with the compiler, the optimisation,
/// the sanitizers and the revision.
inline std::string version_text() {
    std::string text = std::string("wedge ") + version + "\nbuilt by ";
#if defined(__clang__)
    text += "clang " __clang_version__;
#else
    text += "g++ " __VERSION__;
#endif
    while (text.ends_with(' ')) text.pop_back();
#if defined(__OPTIMIZE__)
    text += ", optimised";
#else
    text += ", not optimised";
#endif
    if (sanitizer::address) text += ", AddressSanitizer";
    if (sanitizer::thread) text += ", ThreadSanitizer";
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
    text += ", UndefinedBehaviorSanitizer";
#endif
#endif
    if (revision_of_build != nullptr) text += std::string(", revision ") + revision_of_build();
    return text;
}

}  // namespace wedge
