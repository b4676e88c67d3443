// Certificates: the outcome of a check, written so that a reader need not trust the engine.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "wedge/core/check.hpp"
#include "wedge/scenario/ast.hpp"
#include "wedge/scenario/check.hpp"
#include "wedge/verify/certificate.hpp"

namespace wedge::scenario {

/// The reason why an outcome has no certificate.
struct no_certificate : error {
    explicit no_certificate(const std::string& why) : error("no certificate: " + why) {}
};

/// The size at which a certificate is given up.
struct certificate_limits {
    std::uint64_t states = 50'000;
    std::uint64_t steps = 400'000;
};

namespace detail {

inline std::string head_of_certificate(const std::string& path, const std::string& text) {
    std::string quoted, plain;
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
        end = std::min(text.find('\n', at), text.size());
        plain += text.substr(at, end - at) + "\n";
        quoted += "| " + text.substr(at, end - at) + "\n";
    }
    return "wedge certificate 1\nscenario " + path + "\ntext " +
           std::to_string(verify::hash_of(plain)) + "\n" + quoted;
}

}  // namespace detail

// Implemented by the source that implements those of scenario/check.hpp.

/// Returns the certificate of an outcome, which `verify::certificate` has read and accepted.
///
/// @param text  of the scenario
/// @throws no_certificate  with the reason why the outcome has no certificate
std::string certificate_of(const document& all, const std::string& text, const check_result& result,
                           certificate_limits most = {});

}  // namespace wedge::scenario
