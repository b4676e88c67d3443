// What the names of a scenario mean, and which of their uses make no sense.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/base/check.hpp"
#include "wedge/base/nearest.hpp"
#include "wedge/scenario/lex.hpp"
#include "wedge/scenario/words.hpp"

namespace wedge::scenario {

inline constexpr std::uint32_t tasks_max = 64;        // more cannot be explored
inline constexpr std::uint32_t instances_max = 1024;  // of locks, all together

/// Where each name is declared. Points into the document, which must stay.
class name_table {
public:
    name_table() = default;
    explicit name_table(const document& all) {
        for (const declaration& each : all.all) {
            if (each.name.empty()) continue;
            auto& names = is_task(each.what) ? tasks_ : objects_;
            const auto [known, is_new] = names.emplace(each.name, &each);
            if (!is_new)
                detail::fail_at(all.path, each.name_at,
                                "'" + each.name + "' is declared in line " +
                                    std::to_string(known->second->at.line) + " already");
        }
    }

    const declaration* object(const std::string& name) const { return find(objects_, name); }
    const declaration* task(const std::string& name) const { return find(tasks_, name); }

    /// The names of one sort, for suggestions.
    std::vector<std::string_view> names_of(declares what) const {
        std::vector<std::string_view> names;
        for (const auto& [name, of] : is_task(what) ? tasks_ : objects_)
            if (of->what == what) names.push_back(name);
        return names;
    }

private:
    using space = std::map<std::string, const declaration*, std::less<>>;

    static bool is_task(declares what) noexcept {
        return what == declares::thread || what == declares::shrinker || what == declares::notifier;
    }
    static const declaration* find(const space& in, const std::string& name) {
        const auto found = in.find(name);
        return found == in.end() ? nullptr : found->second;
    }

    space objects_;
    space tasks_;
};

namespace detail {

class name_checker {
public:
    explicit name_checker(const document& all) : all_(all), names_(all) {}

    void run() {
        std::uint64_t tasks = 0;
        std::uint64_t instances = 0;
        bool has_memory = false;
        std::map<std::string, const declaration*> classes;
        for (const declaration& each : all_.all) {
            if (each.what == declares::thread) tasks += each.count;
            if (each.what == declares::lock) {
                instances += each.count;
                check_class(each, classes);
            }
            if (tasks > tasks_max) fail(each.name_at, over("threads", tasks_max));
            if (instances > instances_max) fail(each.name_at, over("locks", instances_max));
            if (each.what == declares::memory) {
                if (has_memory) fail(each.at, "a second memory; there is one zone");
                has_memory = true;
                check_limits(each);
            }
            for (const reference& name : each.chain)
                if (!is_among(name.name, map_words)) find(name, declares::lock);
            in_thread_ = each.what == declares::thread;
            loops_ = 0;
            check(each.body);
        }
    }

private:
    [[noreturn]] void fail(place at, const std::string& text) const {
        fail_at(all_.path, at, text);
    }
    static std::string over(const char* what, std::uint32_t most) {
        return "more than " + std::to_string(most) + " " + what + " in all";
    }

    void check_class(const declaration& each, std::map<std::string, const declaration*>& classes) {
        const std::string& name = each.class_name.empty() ? each.name : each.class_name;
        const declaration& first = *classes.emplace(name, &each).first->second;
        if (first.is_unchecked != each.is_unchecked)
            fail(each.name_at, "class '" + name + "' is " + (first.is_unchecked ? "" : "not ") +
                                   "unchecked in line " + std::to_string(first.at.line));
    }

    void check_limits(const declaration& each) const {
        if (each.min <= each.low && each.low <= each.high && each.high <= each.pages) return;
        fail(each.at, "the watermarks must rise: min <= low <= high <= pages");
    }

    const declaration& find(const reference& use, declares wanted) const {
        const bool is_task = wanted == declares::thread;
        const declaration* const found = is_task ? names_.task(use.name) : names_.object(use.name);
        const std::string word(declaration_words[static_cast<std::size_t>(wanted)]);
        if (found == nullptr) {
            const std::string near = nearest_name(use.name, names_.names_of(wanted));
            fail(use.at, "there is no " + word + " '" + use.name + "'" +
                             (near.empty() ? "" : " (did you mean '" + near + "'?)"));
        }
        if (found->what != wanted)
            fail(use.at, "'" + use.name + "' is a " +
                             std::string(declaration_words[static_cast<std::size_t>(found->what)]) +
                             ", a " + word + " is wanted");
        if (use.indexed == reference::index_sort::self && !in_thread_)
            fail(use.at, "'self' is the number of a thread's copy, this is no thread");
        if (use.indexed != reference::index_sort::none && wanted != declares::lock)
            fail(use.at, "'" + use.name + "' has no instances");
        if (use.indexed == reference::index_sort::number && use.index >= found->count)
            fail(use.at, "'" + use.name + "' has " + std::to_string(found->count) +
                             (found->count == 1 ? " instance" : " instances") + ", from 0 on");
        return *found;
    }
    void find(const operand& value) const {
        if (!value.counter.empty())
            find({value.counter, reference::index_sort::none, 0, value.at}, declares::counter);
    }

    void check_lock(const statement& each) const {
        const declaration& lock = find(each.on, declares::lock);
        const std::string kind(lock_kind_words[static_cast<std::size_t>(lock.kind)]);
        const bool has_readers = lock.kind == lock_sort::rwsem || lock.kind == lock_sort::rwlock;
        if (each.is_read && !has_readers)
            fail(each.on.at, "'" + lock.name + "' is a " + kind + ", which has no readers");
        if (each.is_recursive && lock.kind != lock_sort::rwlock)
            fail(each.on.at, "'" + lock.name + "' is a " + kind + ", whose readers do not recur");
        if (each.is_read && each.has_subclass)
            fail(each.on.at, "a subclass of a read is not supported yet");
        if (each.what == action::downgrade && lock.kind != lock_sort::rwsem)
            fail(each.on.at, "'" + lock.name + "' is a " + kind + ", which has no downgrade");
    }

    void check(const block& in) {
        for (const statement& each : in.body) check(each);
    }
    void check(const statement& each) {
        switch (each.what) {
            case action::acquire:
            case action::release:
            case action::downgrade:
            case action::might_lock:
            case action::if_held: check_lock(each); break;
            case action::set:
            case action::add: find(each.on, declares::counter); break;
            case action::wait:
                find(each.on, declares::condition);
                find(each.other, declares::lock);
                break;
            case action::notify: find(each.on, declares::condition); break;
            case action::join: find(each.on, declares::thread); break;
            case action::break_loop:
                if (loops_ == 0) fail(each.at, "'break' stands in no loop");
                break;
            default: break;
        }
        find(each.left);
        find(each.right);
        const bool is_loop = each.what == action::repeat || each.what == action::while_that;
        loops_ += is_loop ? 1 : 0;
        for (const block& inner : each.blocks) check(inner);
        loops_ -= is_loop ? 1 : 0;
    }

    const document& all_;
    const name_table names_;
    bool in_thread_ = false;
    unsigned loops_ = 0;
};

}  // namespace detail

/// Checks every name of a scenario.
///
/// @throws error  `path:line:column: …`
inline void check_names(const document& all) {
    detail::name_checker(all).run();
}

}  // namespace wedge::scenario
