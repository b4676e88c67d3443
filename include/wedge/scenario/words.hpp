// The words of the language, except those that start a statement: see statements.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "wedge/scenario/ast.hpp"

namespace wedge::scenario {

/// In the order of `lock_sort`.
inline constexpr std::array<std::string_view, 13> lock_kind_words = {
    "mutex",        "recursive_mutex", "rtmutex",  "rwsem",   "rwlock",   "qrwlock", "spinlock",
    "raw_spinlock", "local_lock",      "seqcount", "seqlock", "ww_mutex", "map",
};
/// Other names of kinds, as Linux has them, in the order of `lock_aliases`.
inline constexpr std::array<std::string_view, 4> lock_alias_words = {
    "rw_semaphore", "percpu_rw_semaphore", "rcu", "srcu"};
inline constexpr std::array<lock_sort, 4> lock_aliases = {lock_sort::rwsem, lock_sort::rwsem,
                                                          lock_sort::map, lock_sort::map};
static_assert(lock_kind_words.size() == static_cast<std::size_t>(lock_sort::map) + 1);

/// In the order of `declares`.
inline constexpr std::array<std::string_view, 19> declaration_words = {
    "lock",       "memory",   "fence",    "completion", "condition", "semaphore",    "counter",
    "wait_queue", "thread",   "shrinker", "notifier",   "work",      "delayed_work", "timer",
    "irq_work",   "refcount", "handler",  "order",      "expect",
};
static_assert(declaration_words.size() == static_cast<std::size_t>(declares::expect) + 1);

inline constexpr std::array<std::string_view, 5> expect_words = {"sound", "deadlock", "livelock",
                                                                 "finding", "unresolved"};
inline constexpr std::array<std::string_view, 5> gfp_words = {"GFP_KERNEL", "GFP_NOFS", "GFP_NOIO",
                                                              "GFP_NOWAIT", "GFP_ATOMIC"};
inline constexpr std::array<std::string_view, 4> gfp_modifier_words = {"NORETRY", "RETRY_MAYFAIL",
                                                                       "NOFAIL", "NOLOCKDEP"};
inline constexpr std::array<std::string_view, 3> scope_words = {"nofs", "noio", "noreclaim"};
inline constexpr std::array<std::string_view, 3> map_words = {"reclaim", "notifier", "signalling"};
inline constexpr std::array<std::string_view, 4> comparison_words = {"==", "!=", "<", ">"};
inline constexpr std::array<std::string_view, 2> needs_words = {"fs", "io"};
inline constexpr std::array<std::string_view, 3> handler_words = {"hardirq", "softirq", "nmi"};
inline constexpr std::array<std::string_view, 2> switch_words = {"off", "on"};

/// The words in none of the other tables.
inline constexpr std::array<std::string_view, 26> other_words = {
    "class", "ordered",   "unchecked",   "pages",    "min",       "low",  "high",
    "local", "self",      "needs",       "threaded", "recursive", "nest", "subclass",
    "timed", "else",      "with",        "slow",     "wait_die",  "all",  "timeout",
    "or",    "exclusive", "interrupted", "cpu",      "fifo",
};

/// Returns the word behind its article, as it is spoken: `a mutex`, `an irq_work`, `an rwsem`.
inline std::string with_article(std::string_view word) {
    constexpr std::string_view vowels = "aeiou";
    const auto is_vowel = [&](std::size_t at) {
        return at < word.size() && vowels.find(word[at]) != std::string_view::npos;
    };
    const bool is_spelled = word.starts_with("sr") || (word.starts_with("r") && !is_vowel(1));
    return (is_vowel(0) || is_spelled ? "an " : "a ") + std::string(word);
}

template <class Words>
constexpr bool is_among(std::string_view word, const Words& words) noexcept {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// Returns the place of a word in its table; the table's size if it is not there.
template <class Words>
constexpr std::size_t place_among(std::string_view word, const Words& words) noexcept {
    return static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

inline std::string text_of(const operand& of) {
    return of.counter.empty() ? std::to_string(of.number) : of.counter;
}
/// Returns the test of an `if`, a loop or an assertion as it is written: `users == 1`.
inline std::string text_of_test(const statement& each) {
    const auto how = static_cast<std::size_t>(each.compared);
    return text_of(each.left) + " " + std::string(comparison_words[how]) + " " +
           text_of(each.right);
}

}  // namespace wedge::scenario
