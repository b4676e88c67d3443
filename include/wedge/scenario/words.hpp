// The words of the language: all of them are keywords, also those that cannot run yet.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "wedge/scenario/ast.hpp"

namespace wedge::scenario {

/// In the order of `lock_sort`, then those that are not supported yet.
inline constexpr std::array<std::string_view, 11> lock_kind_words = {
    "mutex",   "recursive_mutex", "rwsem",      "rwlock",   "spinlock", "rtmutex",
    "qrwlock", "raw_spinlock",    "local_lock", "ww_mutex", "map",
};
inline constexpr std::size_t lock_kinds_supported =
    static_cast<std::size_t>(lock_sort::spinlock) + 1;

/// In the order of `declares`, then those that are not supported yet.
inline constexpr std::array<std::string_view, 14> declaration_words = {
    "lock",  "memory", "condition", "counter",    "thread",    "shrinker", "notifier",
    "order", "expect", "fence",     "completion", "semaphore", "work",     "handler",
};
inline constexpr std::size_t declarations_supported =
    static_cast<std::size_t>(declares::expect) + 1;

inline constexpr std::array<std::string_view, 46> statement_words = {
    "lock",
    "read",
    "unlock",
    "downgrade",
    "try",
    "alloc",
    "free",
    "might",
    "reclaim",
    "scope",
    "set",
    "add",
    "assert",
    "if",
    "while",
    "until",
    "yield",
    "progress",
    "break",
    "return",
    "repeat",
    "choose",
    "wait",
    "notify",
    "join",
    // not supported yet
    "ww",
    "transaction",
    "invalidate",
    "signal",
    "signalling",
    "complete",
    "down",
    "up",
    "queue",
    "flush",
    "cancel",
    "hardirq",
    "softirq",
    "irq",
    "bh",
    "pin",
    "unpin",
    "init",
    "sync",
    "end",
    "begin",
};
inline constexpr std::size_t statements_supported = 25;
static_assert(statement_words[statements_supported - 1] == "join");
inline constexpr std::size_t statements_known = 44;  // `begin` and `end` never start one

inline constexpr std::array<std::string_view, 5> expect_words = {"sound", "deadlock", "livelock",
                                                                 "finding", "unresolved"};
inline constexpr std::array<std::string_view, 5> gfp_words = {"GFP_KERNEL", "GFP_NOFS", "GFP_NOIO",
                                                              "GFP_NOWAIT", "GFP_ATOMIC"};
inline constexpr std::array<std::string_view, 4> gfp_modifier_words = {"NORETRY", "RETRY_MAYFAIL",
                                                                       "NOFAIL", "NOLOCKDEP"};
inline constexpr std::array<std::string_view, 3> scope_words = {"nofs", "noio", "noreclaim"};
inline constexpr std::array<std::string_view, 3> map_words = {"reclaim", "notifier", "signalling"};
inline constexpr std::array<std::string_view, 4> comparison_words = {"==", "!=", "<", ">"};
inline constexpr std::array<std::string_view, 3> needs_words = {"", "fs", "io"};

/// Those that stand in no table above.
inline constexpr std::array<std::string_view, 36> other_words = {
    "class",      "ordered",  "unchecked", "pages", "min",     "low",     "high",       "local",
    "self",       "needs",    "fs",        "io",    "hardirq", "softirq", "threaded",   "recursive",
    "nest",       "subclass", "timed",     "else",  "with",    "slow",    "done",       "wait_die",
    "all",        "timeout",  "off",       "on",    "held",    "or",      "signalling", "complete",
    "invalidate", "work",     "handler",   "while",
};

template <class Words>
constexpr bool is_among(std::string_view word, const Words& words) noexcept {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// The place of a word in its table; its size when it is not there.
template <class Words>
constexpr std::size_t place_among(std::string_view word, const Words& words) noexcept {
    return static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

/// Whether the word is the language's own, and so no name.
constexpr bool is_keyword(std::string_view word) noexcept {
    return is_among(word, declaration_words) || is_among(word, statement_words) ||
           is_among(word, lock_kind_words) || is_among(word, expect_words) ||
           is_among(word, gfp_words) || is_among(word, gfp_modifier_words) ||
           is_among(word, scope_words) || is_among(word, map_words) || is_among(word, other_words);
}

}  // namespace wedge::scenario
