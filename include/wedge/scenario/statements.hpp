// The statements of the language, one row for each.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/scenario/resolve.hpp"
#include "wedge/scenario/statement_parts.hpp"

namespace wedge::scenario {

namespace detail {

/// What the engine must know of a statement before it runs, as bits.
namespace traits {
inline constexpr unsigned alternatives = 1;      // `or` stands between its blocks, not `else`
inline constexpr unsigned loop = 2;              // `break` leaves its block
inline constexpr unsigned endless = 4;           // it may run forever
inline constexpr unsigned ticket = 8;            // it begins a ticket
inline constexpr unsigned zone = 16;             // it may allocate, free or reclaim memory
inline constexpr unsigned visible = 32;          // it always takes a visible step
inline constexpr unsigned more_than_locks = 64;  // a search for locks alone cannot explore it
}  // namespace traits

/// A statement: its text, the names in it, and its traits. interpreter.hpp runs it.
struct statement_row {
    /// Checks more than that the object and the counters exist.
    ///
    /// @param on  the declaration of the object; null if `on` is 0
    using checker = void (*)(const name_scope& names, const statement& each, const declaration* on);

    std::string_view words;  ///< one or two; rows with the same first word stand together
    action what{};
    kinds on = 0;  ///< the declarations that its object may have; 0: the words name no object
    std::array<part, 3> parts{};
    unsigned traits = 0;
    checker check = nullptr;  ///< may be null
    /// The members that the words set. Rows of one action differ in these and in their parts.
    std::array<bool statement::*, 2> sets{};

    constexpr bool has(unsigned trait) const noexcept { return (traits & trait) != 0; }
};

inline void check_lock(const name_scope& names, const statement& each, const declaration* lock) {
    const auto refuse = [&](const char* why) {
        names.fail(each.on.at,
                   "'" + lock->name + "' is " + with_article(word_of(*lock)) + ", " + why);
    };
    const bool is_section =
        each.is_read && !each.is_tried && !each.is_timed && !each.blocks.empty();
    if (each.what == action::sync && lock->kind != lock_sort::map)
        refuse("'sync' waits for the sections of a map, an rcu or an srcu");
    if (is_sequence(lock->kind)) {
        if (each.is_tried || each.is_timed)
            refuse("which is never tried; expected 'lock' or 'read' with a block");
        if (each.is_read && !is_section) refuse("which is read in a block");
        const bool is_plain = !each.is_tried && !each.is_timed && !each.is_recursive &&
                              !each.has_subclass && each.other.name.empty();
        if (!is_plain) refuse("which is taken without further words");
    } else {
        if (is_section) refuse("only a sequence count is read in a block");
        if (each.is_read && !has_readers(lock->kind)) refuse("which has no readers");
    }
    if (each.what == action::downgrade && lock->kind != lock_sort::rwsem)
        refuse("which has no downgrade");
    if (!each.ticket.name.empty()) {
        if (lock->kind != lock_sort::ww_mutex) refuse("which takes no ticket");
        names.find_ticket(each.ticket);
    }
    if (!each.other.name.empty()) names.find(each.other, any_of({declares::lock}));
}

inline void check_wait(const name_scope& names, const statement& each, const declaration* object) {
    const bool has_lock = !each.other.name.empty();
    const bool is_queue = object->what == declares::wait_queue;
    const auto refuse = [&](const char* why) {
        names.fail(each.on.at,
                   "'" + object->name + "' is " + with_article(word_of(object->what)) + ", " + why);
    };
    if (is_queue && !each.has_test) refuse("a wait for it says 'until' and a test");
    if (!is_queue && each.has_test) refuse("only a wait for a wait_queue says 'until'");
    if (each.is_exclusive && each.is_timed) refuse("an exclusive wait has no 'timeout'");
    const bool is_endable = is_queue || object->what == declares::completion;
    if (each.is_interruptible && !is_endable) refuse("which no signal interrupts");
    if (object->what != declares::condition) {
        if (has_lock)
            names.fail(each.other.at, "'" + object->name + "' is " +
                                          with_article(word_of(object->what)) +
                                          ", only a wait for a condition names a lock");
        return;
    }
    if (!has_lock) names.fail(each.on.at, "a wait for a condition names the lock that is held");
    const declaration& lock = names.find(each.other, any_of({declares::lock}));
    if (lock.kind == lock_sort::map)
        names.fail(each.other.at, "'" + lock.name + "' is a map, a lock is wanted");
}

inline void check_ticket(const name_scope& names, const statement& each, const declaration*) {
    names.find_ticket(each.on);
}

inline void check_ticket_class(const name_scope& names, const statement& each, const declaration*) {
    if (each.class_name.empty()) return;
    const declaration* const lock = names.find_class(each.class_name);
    if (lock == nullptr || lock->kind != lock_sort::ww_mutex)
        names.fail(each.on.at, "there is no class '" + each.class_name + "' of ww_mutexes");
}

inline void check_break(const name_scope& names, const statement& each, const declaration*) {
    if (!names.is_in_loop()) names.fail(each.at, "'break' stands in no loop");
}

inline void check_invalidate(const name_scope& names, const statement& each, const declaration*) {
    if (names.is_in_notifier())
        names.fail(each.at, "'invalidate' in a notifier would run the notifier itself");
}

inline constexpr kinds a_lock = any_of({declares::lock});
inline constexpr kinds a_counter = any_of({declares::counter});
inline constexpr kinds a_fence = any_of({declares::fence});
inline constexpr kinds a_completion = any_of({declares::completion});
inline constexpr kinds a_condition = any_of({declares::condition});
inline constexpr kinds a_semaphore = any_of({declares::semaphore});
inline constexpr kinds a_thread = any_of({declares::thread});
inline constexpr kinds a_timer = any_of({declares::timer});
inline constexpr kinds an_irq_work = any_of({declares::irq_work});
inline constexpr kinds a_delayed_work = any_of({declares::delayed_work});
inline constexpr kinds a_work = any_of({declares::work}) | a_delayed_work;
inline constexpr kinds a_wait_queue = any_of({declares::wait_queue});
inline constexpr kinds a_refcount = any_of({declares::refcount});

namespace rows {

using namespace parts;

inline constexpr statement_row all[] = {
    // Locks.
    {"lock", action::acquire, a_lock, consists_of<terms>, 0, check_lock},
    {"read", action::acquire, a_lock, consists_of<terms>, 0, check_lock, {&statement::is_read}},
    {"unlock", action::release, a_lock},
    {"downgrade", action::downgrade, a_lock, {}, 0, check_lock},
    {"try lock",
     action::acquire,
     a_lock,
     consists_of<terms, possible_branches>,
     0,
     check_lock,
     {&statement::is_tried}},
    {"try read",
     action::acquire,
     a_lock,
     consists_of<terms, possible_branches>,
     0,
     check_lock,
     {&statement::is_tried, &statement::is_read}},

    // References to an object that the last put releases.
    {"try get",
     action::get,
     a_refcount,
     consists_of<possible_branches>,
     0,
     nullptr,
     {&statement::is_tried}},
    {"get", action::get, a_refcount, {}, traits::visible},
    {"put", action::put, a_refcount, {}, traits::visible},

    // Memory.
    {"alloc", action::alloc, 0, consists_of<pages, gfp, else_block>, traits::zone},
    {"free", action::free, 0, consists_of<pages>, traits::zone},
    {"might alloc", action::might_alloc, 0, consists_of<gfp>, traits::zone},
    {"might lock", action::might_lock, a_lock},
    {"reclaim", action::reclaim, 0, {}, traits::zone},
    {"scope", action::scope, 0, consists_of<scope, block>},

    // Counters and control flow.
    {"set", action::set, a_counter, consists_of<equals_value>, traits::visible},
    {"add", action::add, a_counter, consists_of<value>, traits::visible},
    {"assert", action::assert_that, 0, consists_of<test>, traits::visible},
    {"assert held", action::assert_held, a_lock},
    {"if", action::if_that, 0, consists_of<test, branches>, traits::visible},
    {"if held", action::if_held, a_lock, consists_of<branches>},
    {"while", action::while_that, 0, consists_of<test, block>,
     traits::loop | traits::endless | traits::visible},
    {"until", action::until, 0, consists_of<test>, traits::endless | traits::visible},
    {"yield", action::yield, 0, {}, traits::visible},
    {"progress", action::progress, 0, {}, traits::more_than_locks},
    {"break", action::break_loop, 0, {}, 0, check_break},
    {"return", action::return_run},
    {"repeat", action::repeat, 0, consists_of<times, block>, traits::loop},
    {"choose", action::choose, 0, consists_of<alternatives>, traits::alternatives},

    // Waiting for something else, and letting others go on.
    {"wait", action::wait, a_fence | a_completion | a_condition | a_wait_queue,
     consists_of<waited_for, possible_end>, 0, check_wait},
    {"notify", action::notify, a_condition, consists_of<possibly_all>, traits::visible},
    {"wake", action::wake, a_wait_queue, consists_of<possibly_all>, traits::visible},
    {"join", action::join, a_thread},
    {"ww begin", action::ticket_begin, 0, consists_of<ticket, class_of_ticket>, traits::ticket,
     check_ticket_class},
    {"ww done", action::ticket_done, 0, consists_of<ticket>, 0, check_ticket},
    {"ww end", action::ticket_end, 0, consists_of<ticket>, 0, check_ticket},
    {"transaction", action::transaction, 0, consists_of<ticket, block>,
     traits::endless | traits::ticket},
    {"invalidate", action::invalidate, 0, {}, traits::zone, check_invalidate},
    {"signal", action::signal, a_fence, {}, traits::visible},
    {"signalling", action::signalling, 0, consists_of<block>, traits::more_than_locks},
    {"complete", action::complete, a_completion, consists_of<possibly_all>, traits::visible},
    {"down", action::down, a_semaphore},
    {"up", action::up, a_semaphore, {}, traits::visible},
    {"queue", action::queue, a_work | an_irq_work},
    {"arm", action::arm, a_timer},
    {"flush", action::flush, a_work | an_irq_work},
    {"cancel", action::cancel, a_work | a_timer},
    {"drop", action::drop, a_delayed_work | a_timer},

    // Contexts.
    {"hardirq",
     action::interrupt,
     0,
     consists_of<possibly_threaded, block>,
     0,
     nullptr,
     {&statement::is_hard}},
    {"softirq", action::interrupt, 0, consists_of<block>},
    {"irq", action::mask, 0, consists_of<off_or_on>, 0, nullptr, {&statement::is_hard}},
    {"bh", action::mask, 0, consists_of<off_or_on>},
    {"preempt", action::preempt, 0, consists_of<off_or_on>},

    // Statements about locks, for the order checker.
    {"pin", action::pin, a_lock},
    {"unpin", action::unpin, a_lock},
    {"init", action::init, a_lock},
    {"sync", action::sync, a_lock, {}, 0, check_lock},
};

}  // namespace rows
constexpr std::string_view first_word(const statement_row& row) noexcept {
    return row.words.substr(0, row.words.find(' '));
}
/// Returns the second word of a statement; empty if the statement has one word.
constexpr std::string_view second_word(const statement_row& row) noexcept {
    const std::size_t blank = row.words.find(' ');
    return blank == std::string_view::npos ? std::string_view() : row.words.substr(blank + 1);
}

constexpr bool starts_group(std::size_t row) noexcept {
    return row == 0 || first_word(rows::all[row - 1]) != first_word(rows::all[row]);
}
/// Returns some words of the rows as an array.
template <auto WordOf>
consteval auto words_of_rows() {
    constexpr auto count = [] {
        std::size_t n = 0;
        for (std::size_t i = 0; i < std::size(rows::all); ++i) n += !WordOf(i).empty();
        return n;
    }();
    std::array<std::string_view, count> words;
    std::size_t n = 0;
    for (std::size_t i = 0; i < std::size(rows::all); ++i)
        if (!WordOf(i).empty()) words[n++] = WordOf(i);
    return words;
}

/// By action: the place of its first row.
inline constexpr auto first_rows = [] {
    std::array<std::size_t, static_cast<std::size_t>(action::put) + 1> places{};
    places.fill(std::size(rows::all));
    for (std::size_t i = std::size(rows::all); i-- > 0;)
        places[static_cast<std::size_t>(rows::all[i].what)] = i;
    return places;
}();
static_assert(!std::ranges::count(first_rows, std::size(rows::all)), "an action has no row");

/// Returns the first row of an action. Rows of one action differ in their words only.
constexpr const statement_row& row_of(action what) noexcept {
    return rows::all[first_rows[static_cast<std::size_t>(what)]];
}

/// Returns the row with the words of a statement.
inline const statement_row& row_of(const statement& each) noexcept {
    const statement_row* best = &row_of(each.what);
    std::ptrdiff_t most = -1;
    for (const statement_row& row : rows::all) {
        if (row.what != each.what) continue;
        const auto is_set = [&](bool statement::*member) {
            return member == nullptr || each.*member;
        };
        const auto is_member = [](bool statement::*member) { return member != nullptr; };
        const std::ptrdiff_t set = std::ranges::count_if(row.sets, is_member);
        if (!std::ranges::all_of(row.sets, is_set) || set <= most) continue;
        best = &row;
        most = set;
    }
    return *best;
}

}  // namespace detail

/// The words that start a statement.
inline constexpr auto statement_words = detail::words_of_rows<[](std::size_t row) {
    return detail::starts_group(row) ? detail::first_word(detail::rows::all[row])
                                     : std::string_view();
}>();
/// The words that follow them.
inline constexpr auto second_words = detail::words_of_rows<[](std::size_t row) {
    return detail::second_word(detail::rows::all[row]);
}>();

/// Calls `with` for every table of keywords. A word may be in several tables.
template <class With>
constexpr void for_all_words(With with) {
    with(lock_kind_words);
    with(lock_alias_words);
    with(declaration_words);
    with(statement_words);
    with(second_words);
    with(expect_words);
    with(gfp_words);
    with(gfp_modifier_words);
    with(scope_words);
    with(map_words);
    with(needs_words);
    with(handler_words);
    with(switch_words);
    with(other_words);
}

/// Returns whether the word belongs to the language. It can be a name all the same.
constexpr bool is_keyword(std::string_view word) noexcept {
    bool is_found = false;
    for_all_words([&](const auto& words) { is_found = is_found || is_among(word, words); });
    return is_found;
}

namespace detail {

/// Returns whether the next word is the first operand of a comparison: `if held == 1`.
inline bool is_operand(const cursor& at) {
    return is_among(at.peek_second().text, comparison_words);
}

/// Reads the words that start a statement.
inline const statement_row& parse_words(block_parser& in) {
    const std::string_view first = statement_words[in.at.one_of(statement_words, "a statement")];
    const statement_row* alone = nullptr;
    std::vector<std::string_view> seconds;
    for (const statement_row& row : rows::all) {
        if (first_word(row) != first) continue;
        if (second_word(row).empty())
            alone = &row;
        else if (!is_operand(in.at) && in.at.accept(second_word(row)))
            return row;
        else
            seconds.push_back(second_word(row));
    }
    if (alone != nullptr) return *alone;
    std::string expected;
    for (const std::string_view each : seconds) {
        if (!expected.empty()) expected += each == seconds.back() ? " or " : ", ";
        expected += "'" + std::string(each) + "'";
    }
    in.at.fail(expected, seconds);
}

inline statement parse_statement(block_parser& in) {
    statement made;
    made.at = in.at.peek().at;
    const statement_row& row = parse_words(in);
    made.what = row.what;
    for (bool statement::*const each : row.sets)
        if (each != nullptr) made.*each = true;
    if (row.on != 0) made.on = in.used("the name of " + words_of(row.on, true));
    for (const part& each : row.parts)
        if (each.parse != nullptr) each.parse(in, made);
    in.end(made);
    return made;
}

/// Returns the text of a statement up to its first block.
inline std::string head_of(const statement& each) {
    const statement_row& row = row_of(each);
    std::string text(row.words);
    if (row.on != 0) text += " " + text_of(each.on);
    for (const part& part : row.parts)
        if (part.print != nullptr) text += part.print(each);
    return text;
}

/// Checks the names in a statement, except those in its blocks.
inline void check_names(const name_scope& names, const statement& each) {
    const statement_row& row = row_of(each.what);
    const declaration* const on = row.on == 0 ? nullptr : &names.find(each.on, row.on);
    if (row.check != nullptr) row.check(names, each, on);
    names.find(each.left);
    names.find(each.right);
}

}  // namespace detail
}  // namespace wedge::scenario
