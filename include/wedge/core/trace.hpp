// A recorded trace of steps on locks (docs/traces.md): its events, reading and writing.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/core/event.hpp"

namespace wedge {

/// What a thread did.
enum class trace_op : std::uint8_t {
    request,  ///< wants a lock, and waits for it
    request_read,
    acquire,        ///< has it for writing
    read,           ///< has it for reading
    timed_acquire,  ///< has it, by a wait that could have given up
    timed_read,
    try_acquire,  ///< has it, by a trylock
    try_read,
    try_failed,  ///< a trylock failed
    give_up,     ///< a timed wait failed
    release,
    wait,    ///< waits for a condition, and releases the lock
    wake,    ///< the wait is over, and has the lock again
    notify,  ///< wakes a waiter of a condition
    notify_all,
    up,     ///< gives a unit of a semaphore, or arrives at a barrier
    down,   ///< takes a unit, or leaves a barrier
    spawn,  ///< starts a thread
    join,   ///< has waited for the end of a thread
    end,    ///< is at its end
    load,   ///< reads a variable
    store,  ///< writes a variable
};
inline constexpr const char* trace_op_names[] = {
    "request",     "request_read", "acquire",    "read",    "timed_acquire", "timed_read",
    "try_acquire", "try_read",     "try_failed", "give_up", "release",       "wait",
    "wake",        "notify",       "notify_all", "up",      "down",          "spawn",
    "join",        "end",          "load",       "store"};
inline constexpr std::size_t trace_ops = sizeof trace_op_names / sizeof *trace_op_names;

/// Returns whether the step is an acquire or a request for reading.
constexpr bool is_read(trace_op op) noexcept {
    return op == trace_op::read || op == trace_op::timed_read || op == trace_op::try_read ||
           op == trace_op::request_read;
}

/// One step of a thread. `object` is a lock, a condition, a semaphore, a thread or a variable; each
/// sort has numbers of its own.
struct trace_event {
    std::uint32_t thread = 0;
    trace_op op{};
    std::uint32_t object = 0;
    std::uint32_t lock = 0;  ///< of `wait` and `wake`
    std::uint32_t site = 0;  ///< 0: unknown
    std::uint64_t line = 0;  ///< in the file

    friend bool operator==(const trace_event&, const trace_event&) = default;
};

/// A trace. The order of the events is the order in which they happened.
struct trace {
    std::string file;  ///< its name, for messages
    std::vector<trace_event> events;
    std::map<std::uint32_t, std::string> threads;  ///< names, as far as they are known
    std::map<std::uint32_t, std::string> locks;    ///< `mutex NAME`
    std::map<std::uint32_t, std::string> sites;

    /// Returns the first word of a lock's name: `mutex`; empty if the lock has none.
    std::string kind_of(std::uint32_t lock) const {
        const auto named = locks.find(lock);
        return named == locks.end() ? "" : named->second.substr(0, named->second.find(' '));
    }
    /// Returns the name of a lock's class: locks whose names differ in `#NUMBER` alone are of one.
    std::string class_of(std::uint32_t lock) const {
        const auto named = locks.find(lock);
        const std::size_t space =
            named == locks.end() ? std::string::npos : named->second.find(' ');
        std::string name = space == std::string::npos ? "lock " + std::to_string(lock)
                                                      : named->second.substr(space + 1);
        const std::string suffix = "#" + std::to_string(lock);
        if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
        return name;
    }
    /// Returns how readers wait: behind a queued writer, or as glibc's `rwlock` only for a holder.
    mode reads_of(std::uint32_t lock) const {
        return kind_of(lock) == "rwlock" ? mode::recursive_shared : mode::shared;
    }

    /// Returns the place of an event in the file, for messages.
    std::string place_of(const trace_event& event) const {
        return file + ":" + std::to_string(event.line) + ":1";
    }
};

namespace detail {

inline constexpr std::string_view trace_first_line = "wedge-trace 1";

/// Reads the words of one line of a trace.
class trace_line_reader {
public:
    trace_line_reader(std::string_view text, const std::string& file, std::uint64_t line)
        : all_(text), rest_(text), file_(file), line_(line) {}

    std::string_view word() {
        while (rest_.starts_with(' ')) rest_.remove_prefix(1);
        column_ = all_.size() - rest_.size() + 1;
        const std::string_view found = rest_.substr(0, rest_.find(' '));
        rest_.remove_prefix(found.size());
        return found;
    }
    std::uint32_t number(const char* what) {
        const std::string_view text = word();
        std::uint32_t value = 0;
        const char* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, value);
        if (text.empty() || read.ec != std::errc() || read.ptr != end)
            fail("'" + std::string(text) + "' is no " + what + ", expected a number");
        return value;
    }
    std::string_view rest() {
        if (rest_.starts_with(' ')) rest_.remove_prefix(1);
        return rest_;
    }
    trace_op op() {
        const std::string_view found = word();
        for (std::size_t i = 0; i < trace_ops; ++i)
            if (found == trace_op_names[i]) return static_cast<trace_op>(i);
        std::string all;
        for (const char* const each : trace_op_names)
            all += (all.empty() ? "" : ", ") + std::string(each);
        fail("unknown step '" + std::string(found) + "'; there is " + all);
    }
    trace_event event() {
        trace_event made;
        made.line = line_;
        made.thread = number("thread");
        made.op = op();
        made.object = number("object");
        if (made.op == trace_op::wait || made.op == trace_op::wake) made.lock = number("lock");
        const std::string_view site = word();
        if (site.empty()) return made;
        const char* const end = site.data() + site.size();
        if (!site.starts_with('@') || site.size() == 1 ||
            std::from_chars(site.data() + 1, end, made.site).ptr != end)
            fail("'" + std::string(site) + "' is no site, expected @NUMBER");
        if (!word().empty()) fail("words behind the site");
        return made;
    }
    void name(std::map<std::uint32_t, std::string>& names) {
        const std::uint32_t number_of_name = number("number");
        names[number_of_name] = rest();
    }

    /// @throws error  with the place of the last word
    [[noreturn]] void fail(const std::string& why) const {
        throw error(file_ + ":" + std::to_string(line_) + ":" + std::to_string(column_) + ": " +
                    why);
    }

private:
    const std::string_view all_;
    std::string_view rest_;
    const std::string& file_;
    const std::uint64_t line_;
    std::size_t column_ = 1;
};

}  // namespace detail

/// Reads a trace.
///
/// @param file  its name, for messages
/// @throws error  FILE:LINE:COLUMN: what is wrong
inline trace parse_trace(std::string_view text, const std::string& file) {
    trace all;
    all.file = file;
    std::string_view first = text.substr(0, text.find('\n'));
    if (first.ends_with('\r')) first.remove_suffix(1);
    if (first != detail::trace_first_line)
        throw error(file + ":1:1: expected '" + std::string(detail::trace_first_line) + "'");
    std::uint64_t number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view content = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (content.ends_with('\r')) content.remove_suffix(1);
        if (++number == 1 || content.empty() || content.starts_with('#')) continue;
        detail::trace_line_reader line(content, file, number);
        const bool is_event = content[0] >= '0' && content[0] <= '9';
        const std::string_view what = is_event ? std::string_view() : line.word();
        if (is_event)
            all.events.push_back(line.event());
        else if (what == "thread")
            line.name(all.threads);
        else if (what == "lock")
            line.name(all.locks);
        else if (what == "site")
            line.name(all.sites);
        else
            line.fail("'" + std::string(what) + "': expected thread, lock, site, or an event");
    }
    return all;
}

inline std::string text_of(const trace_event& event) {
    std::string text = std::to_string(event.thread) + " " +
                       trace_op_names[static_cast<std::size_t>(event.op)] + " " +
                       std::to_string(event.object);
    if (event.op == trace_op::wait || event.op == trace_op::wake)
        text += " " + std::to_string(event.lock);
    if (event.site != 0) text += " @" + std::to_string(event.site);
    return text;
}

inline std::string text_of(const trace& all) {
    std::string text = std::string(detail::trace_first_line) + "\n";
    for (const auto& [sort, names] : {std::pair{"thread", &all.threads},
                                      std::pair{"lock", &all.locks}, std::pair{"site", &all.sites}})
        for (const auto& [number, name] : *names)
            text += std::string(sort) + " " + std::to_string(number) + " " + name + "\n";
    for (const trace_event& each : all.events) text += text_of(each) + "\n";
    return text;
}

}  // namespace wedge
