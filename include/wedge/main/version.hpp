// The version of these headers. A test compares it with that of the project.
#pragma once

namespace wedge {

inline constexpr const char* version = "0.1.0";

}  // namespace wedge
