// What the names in a block mean. The rows of statements.hpp ask here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/core/nearest.hpp"
#include "wedge/scenario/names.hpp"

namespace wedge::scenario {

inline constexpr std::uint32_t tasks_max = 64;        // more cannot be explored
inline constexpr std::uint32_t instances_max = 1024;  // of all locks together
inline constexpr std::int64_t references_max = 1'000'000;
inline constexpr std::int64_t processors_max = 64;
inline constexpr std::int64_t fifo_max = 99;  // as in Linux

constexpr bool has_readers(lock_sort kind) noexcept {
    return kind == lock_sort::rwsem || kind == lock_sort::rwlock || kind == lock_sort::qrwlock ||
           kind == lock_sort::map;
}
/// Returns whether readers of the lock do not lock, but read again after a change.
constexpr bool is_sequence(lock_sort kind) noexcept {
    return kind == lock_sort::seqcount || kind == lock_sort::seqlock;
}

namespace detail {

/// Several kinds of declarations, as a bit for each.
using kinds = std::uint32_t;

constexpr kinds any_of(std::initializer_list<declares> each) noexcept {
    kinds all = 0;
    for (const declares kind : each) all |= kinds{1} << static_cast<unsigned>(kind);
    return all;
}
constexpr bool includes(kinds all, declares kind) noexcept {
    return (all >> static_cast<unsigned>(kind) & 1U) != 0;
}
/// Returns the words of the kinds: `fence, completion or condition`.
///
/// @param has_articles  `a fence, a completion or a condition`
inline std::string words_of(kinds all, bool has_articles = false) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < declaration_words.size(); ++i)
        if (includes(all, static_cast<declares>(i)))
            words.push_back(has_articles ? with_article(declaration_words[i])
                                         : std::string(declaration_words[i]));
    std::string text = words.front();
    for (std::size_t i = 1; i < words.size(); ++i)
        text += (i + 1 == words.size() ? " or " : ", ") + words[i];
    return text;
}

/// Returns the kind of a lock by the name that the scenario uses.
inline std::string word_of(const declaration& lock) {
    if (!lock.kind_name.empty()) return lock.kind_name;
    return std::string(lock_kind_words[static_cast<std::size_t>(lock.kind)]);
}
inline std::string word_of(declares what) {
    return std::string(declaration_words[static_cast<std::size_t>(what)]);
}

/// The names that are known at a statement. Its functions throw an `error` with the place of a
/// name that means nothing there.
class name_scope {
public:
    /// @param classes  by name: the first lock of each class; it may grow later
    using class_map = std::map<std::string, const declaration*>;
    name_scope(const document& all, const class_map& classes, error_list& wrong)
        : all_(all), names_(all, &wrong), classes_(classes) {}

    [[noreturn]] void fail(place at, const std::string& text) const {
        fail_at(all_.path, at, text);
    }

    /// Returns the declaration of a name, which must be of one of these kinds in one name space.
    const declaration& find(const reference& use, kinds wanted) const {
        const declaration* const found =
            (wanted & with_bodies) != 0 ? names_.task(use.name) : names_.object(use.name);
        if (found != nullptr && includes(wanted, found->what)) return check_index(use, *found);
        const std::string words = words_of(wanted);
        if (found != nullptr)
            fail(use.at, "'" + use.name + "' is " + with_article(word_of(found->what)) + ", " +
                             with_article(words) + " is wanted");
        std::vector<std::string_view> near_ones;
        for (std::size_t i = 0; i < declaration_words.size(); ++i)
            if (includes(wanted, static_cast<declares>(i)))
                for (const std::string_view name : names_.names_of(static_cast<declares>(i)))
                    near_ones.push_back(name);
        const std::string near = nearest_name(use.name, near_ones);
        fail(use.at, "there is no " + words + " '" + use.name + "'" +
                         (near.empty() ? "" : " (did you mean '" + near + "'?)"));
    }
    void find(const operand& value) const {
        if (!value.counter.empty())
            find({value.counter, reference::index_sort::none, 0, value.at},
                 any_of({declares::counter}));
    }
    void find_ticket(const reference& use) const {
        if (!tickets_.contains(use.name))
            fail(use.at, "there is no ticket '" + use.name +
                             "'; 'ww begin' or 'transaction' of this block makes one");
    }
    /// Returns the first lock of a class; null if no lock has this class.
    const declaration* find_class(const std::string& name) const {
        const auto known = classes_.find(name);
        return known == classes_.end() ? nullptr : known->second;
    }
    bool is_in_loop() const noexcept { return loops_ > 0; }
    bool is_in_notifier() const noexcept { return in_notifier_; }

    /// Enters the block of a declaration, which has these tickets.
    void enter(const declaration& each, std::set<std::string> tickets) {
        in_thread_ = each.what == declares::thread;
        in_notifier_ = each.what == declares::notifier;
        tickets_ = std::move(tickets);
    }
    void enter_loop() noexcept { ++loops_; }
    void leave_loop() noexcept { --loops_; }
    const name_table& names() const noexcept { return names_; }

private:
    static constexpr kinds with_bodies =
        any_of({declares::thread, declares::shrinker, declares::notifier, declares::work,
                declares::delayed_work, declares::timer, declares::irq_work, declares::refcount,
                declares::handler});

    const declaration& check_index(const reference& use, const declaration& found) const {
        if (use.indexed == reference::index_sort::none) return found;
        if (found.what != declares::lock) fail(use.at, "'" + use.name + "' has no instances");
        if (use.indexed == reference::index_sort::self && !in_thread_)
            fail(use.at, "'self' is the number of a thread's copy, this is no thread");
        if (use.indexed == reference::index_sort::number && use.index >= found.count)
            fail(use.at, "'" + use.name + "' has " + std::to_string(found.count) +
                             (found.count == 1 ? " instance" : " instances") + ", from 0 on");
        return found;
    }

    const document& all_;
    const name_table names_;
    const class_map& classes_;
    std::set<std::string> tickets_;
    bool in_thread_ = false;
    bool in_notifier_ = false;
    unsigned loops_ = 0;
};

}  // namespace detail
}  // namespace wedge::scenario
