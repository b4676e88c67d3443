// Errors of the user (an exception) and broken invariants of wedge (an abort with a message).
#pragma once

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

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

/// Throws an `Error` from a lock. In a source that is built without exceptions, prints the message
/// to stderr and aborts. If a program has both, the linker keeps either form of an inline function.
///
/// @param what  a message or an error code
template <class Error, class What>
[[noreturn]] void raise(const What& what) {
#if defined(__cpp_exceptions)
    throw Error(what);
#else
    check_failed((std::string(Error(what).what()) + "\n").c_str());
#endif
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
