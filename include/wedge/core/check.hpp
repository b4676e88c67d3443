// Errors of the user (an exception) and broken invariants of wedge (an abort with a message).
#pragma once

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <unistd.h>

namespace wedge {

/// An error of the user: a bad option, an unreadable file, a schedule of another version.
///
/// Tools print it on one line and exit with status 2. Nothing on a lock's path throws it.
class error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

namespace detail {

/// Prints what the running engine adds to the message of a broken invariant, such as its seed. May
/// be null.
inline void (*check_note)() noexcept = nullptr;

[[noreturn]] inline void check_failed(const char* text) noexcept {
    [[maybe_unused]] const auto written = ::write(2, text, std::strlen(text));
    if (check_note != nullptr) check_note();
    std::abort();
}

}  // namespace detail
}  // namespace wedge

#define WEDGE_CHECK_TEXT_OF(line) #line
#define WEDGE_CHECK_TEXT(line) WEDGE_CHECK_TEXT_OF(line)
/// Aborts with a message if an invariant of wedge is broken.
#define WEDGE_CHECK(condition)                                                  \
    ((condition)                                                                \
         ? static_cast<void>(0)                                                 \
         : ::wedge::detail::check_failed("wedge: broken invariant at " __FILE__ \
                                         ":" WEDGE_CHECK_TEXT(__LINE__) ": " #condition "\n"))
