// How a schedule names its scenario.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "wedge/core/hash.hpp"
#include "wedge/model/pressure.hpp"
#include "wedge/scenario/print.hpp"

namespace wedge::scenario {

/// Returns the word by which a schedule names a scenario's file: its path, without blanks.
inline std::string schedule_word(const std::string& path) {
    std::string word;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte != 0x7f && c != '%') {
            word += c;
        } else {
            word += '%';
            word += "0123456789abcdef"[byte >> 4];
            word += "0123456789abcdef"[byte & 15];
        }
    }
    return word;
}

/// Returns the path that `schedule_word` was made of.
inline std::string path_of_word(const std::string& word) {
    const auto digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    std::string path;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] == '%' && i + 2 < word.size() && digit(word[i + 1]) >= 0 &&
            digit(word[i + 2]) >= 0) {
            path += static_cast<char>(digit(word[i + 1]) * 16 + digit(word[i + 2]));
            i += 2;
        } else {
            path += word[i];
        }
    }
    return path;
}

/// Returns a number for what a scenario does, without comments and blanks.
inline std::uint64_t fingerprint_of(const document& all) {
    return hash_text(essence_of(all));
}

/// Returns the word by which a schedule says that memory was under pressure, as a replay must know.
inline std::string program_word(const pressure& how) {
    return how.fail_allocations || how.force_reclaim ? "pressure" : "";
}
inline pressure pressure_of(const std::string& program_word) {
    const bool is_on = program_word == "pressure";
    return {.fail_allocations = is_on, .force_reclaim = is_on};
}

}  // namespace wedge::scenario
