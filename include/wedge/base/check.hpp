// The user's mistakes (an exception) and our own (an abort with a message).
#pragma once

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <unistd.h>

namespace wedge {

/// A mistake of the user: a bad option, an unreadable file, a schedule of another version.
///
/// Tools print it as one line and exit with status 2. Nothing on a lock's path throws it.
class error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

namespace detail {

/// What the running engine wants printed beside a broken invariant (its seed); may be null.
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
/// An invariant of wedge itself; when it is broken, says so and aborts.
#define WEDGE_CHECK(condition)                                                  \
    ((condition)                                                                \
         ? static_cast<void>(0)                                                 \
         : ::wedge::detail::check_failed("wedge: broken invariant at " __FILE__ \
                                         ":" WEDGE_CHECK_TEXT(__LINE__) ": " #condition "\n"))
