// The version of these headers; a test compares it with the project's.
#pragma once

namespace wedge {

inline constexpr const char* version = "0.1.0";

}  // namespace wedge
