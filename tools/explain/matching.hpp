// Small matches for readers of user-space reports.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "explain/lines.hpp"
#include "explain/report.hpp"

namespace wedge::explain {

/// Returns a text without the white space at its ends.
inline std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

inline bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// Returns what stands behind the first `part`. Empty: there is no such part, or nothing behind.
inline std::string_view behind(std::string_view text, std::string_view part) {
    const std::size_t at = text.find(part);
    return at == std::string_view::npos ? std::string_view() : text.substr(at + part.size());
}

/// Returns what stands before the first `part`; the whole text where there is none.
inline std::string_view before(std::string_view text, std::string_view part) {
    return text.substr(0, text.find(part));
}

/// Returns what stands between `open` and the first `close` behind it. Empty: one is missing.
inline std::string_view between(std::string_view text, std::string_view open,
                                std::string_view close) {
    const std::string_view rest = behind(text, open);
    const std::size_t end = rest.find(close);
    return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
inline bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Returns the digits at the beginning of a text.
inline std::string_view leading_number(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size() && is_digit(text[size])) ++size;
    return text.substr(0, size);
}

/// Returns the address `0x…` at the beginning of a text. Empty: there is none.
inline std::string_view leading_address(std::string_view text) {
    if (!text.starts_with("0x")) return {};
    std::size_t size = 2;
    while (size < text.size() && is_hex_digit(text[size])) ++size;
    return size == 2 ? std::string_view() : text.substr(0, size);
}

/// Returns a name of C++ without unnamed namespaces, which tell nobody apart in a report.
std::string without_namespace(std::string_view name);

/// Returns a name as C++ writes it, of one as the linker has it (`_ZN1a1bE`).
std::string demangled(std::string_view symbol);

/// Returns how a stack acquires a lock, by the names of the functions of its library of threads.
acquire_mode mode_of(std::span<const std::string> stack);

/// Returns the innermost frame that is no part of a library of threads. Empty: there is none.
std::string place_of_acquire(std::span<const std::string> stack);

/// Makes the report that tells of a cycle of dependencies: its kind, `cycle_locks` and so on.
/// `edges` lead from lock to lock; the last one closes the cycle. Their stacks then begin in the
/// program, behind the frames of libraries of threads.
void set_cycle(report& made, std::vector<cycle_edge> edges);

/// Finds the cycles in which tasks wait for each other, and adds a report for each to `found`.
/// A task waits for its `waits[i].owner`, or for whoever holds the lock and instance. With no cycle
/// but waiting tasks it adds a report of kind `hung`. Takes time in proportion to the tasks.
///
/// @param dump  a report that has the tasks, and what all reports of the dump have
void add_waits(const report& dump, std::vector<report>& found);

/// Where several locks of a dump have one name, adds to each name what tells its instance apart.
///
/// @param suffix  makes the addition from an instance: `@7f01`
void tell_instances_apart(report& dump,
                          const std::function<std::string(const std::string&)>& suffix);

}  // namespace wedge::explain
