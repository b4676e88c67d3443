// Checks what the names of a scenario mean, and rejects uses that make no sense.
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

constexpr bool has_readers(lock_sort kind) noexcept {
    return kind == lock_sort::rwsem || kind == lock_sort::rwlock || kind == lock_sort::qrwlock ||
           kind == lock_sort::map;
}

namespace detail {

class name_checker {
public:
    explicit name_checker(const document& all) : all_(all), names_(all) {}

    void run() {
        for (const declaration& each : all_.all) {
            if (each.what == declares::lock) check_lock_declared(each);
            if (each.what == declares::memory) check_memory(each);
            const bool is_task = each.what == declares::thread || each.what == declares::work ||
                                 each.what == declares::handler;
            if (is_task) tasks_ += each.count;
            if (tasks_ > tasks_max)
                fail(each.name_at, over("threads, works and handlers", tasks_max));
        }
        for (const declaration& each : all_.all) {
            for (const reference& name : each.chain)
                if (!is_among(name.name, map_words)) find(name, {declares::lock});
            in_thread_ = each.what == declares::thread;
            find_tickets(each.body);
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
    static std::string word_of(const declaration& lock) {
        return std::string(lock_kind_words[static_cast<std::size_t>(lock.kind)]);
    }
    static std::string word_of(declares what) {
        return std::string(declaration_words[static_cast<std::size_t>(what)]);
    }

    void check_lock_declared(const declaration& each) {
        instances_ += each.count;
        if (instances_ > instances_max) fail(each.name_at, over("locks", instances_max));
        const std::string& name = class_of(each);
        const declaration& first = *classes_.emplace(name, &each).first->second;
        const auto must_agree = [&](bool mine, bool its, const char* what) {
            if (mine != its)
                fail(each.name_at, "class '" + name + "' is " + (its ? "" : "not ") + what +
                                       " in line " + std::to_string(first.at.line));
        };
        must_agree(each.is_unchecked, first.is_unchecked, "unchecked");
        must_agree(each.is_ordered, first.is_ordered, "ordered");
        must_agree(each.kind == lock_sort::map, first.kind == lock_sort::map, "a map's");
    }

    void check_memory(const declaration& each) {
        if (has_memory_) fail(each.at, "a second memory; there is one zone");
        has_memory_ = true;
        if (each.min <= each.low && each.low <= each.high && each.high <= each.pages) return;
        fail(each.at, "the watermarks must rise: min <= low <= high <= pages");
    }

    /// Returns the declaration of a name, which must be of one of these kinds in one name space.
    const declaration& find(const reference& use, std::initializer_list<declares> wanted) const {
        const bool is_task = has_body(*wanted.begin());
        const declaration* const found = is_task ? names_.task(use.name) : names_.object(use.name);
        std::string words;
        std::vector<std::string_view> near_ones;
        for (const declares& each : wanted) {
            if (!words.empty()) words += &each + 1 == wanted.end() ? " or " : ", ";
            words += word_of(each);
            for (const std::string_view name : names_.names_of(each)) near_ones.push_back(name);
            if (found != nullptr && found->what == each) return check_index(use, *found);
        }
        if (found != nullptr)
            fail(use.at,
                 "'" + use.name + "' is a " + word_of(found->what) + ", a " + words + " is wanted");
        const std::string near = nearest_name(use.name, near_ones);
        fail(use.at, "there is no " + words + " '" + use.name + "'" +
                         (near.empty() ? "" : " (did you mean '" + near + "'?)"));
    }
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
    void find(const operand& value) const {
        if (!value.counter.empty())
            find({value.counter, reference::index_sort::none, 0, value.at}, {declares::counter});
    }

    void find_tickets(const block& in) {
        tickets_.clear();
        for_each_statement(in, [&](const statement& each) {
            if (each.what != action::ticket_begin && each.what != action::transaction) return;
            if (const declaration* const object = names_.object(each.on.name))
                fail(each.on.at, "'" + each.on.name + "' is a " + word_of(object->what) +
                                     ", the name of a ticket is wanted");
            tickets_.insert(each.on.name);
        });
    }
    void find_ticket(const reference& use) const {
        if (!tickets_.contains(use.name))
            fail(use.at, "there is no ticket '" + use.name +
                             "'; 'ww begin' or 'transaction' of this block makes one");
    }

    void check_lock(const statement& each) const {
        const declaration& lock = find(each.on, {declares::lock});
        const auto refuse = [&](const char* why) {
            fail(each.on.at, "'" + lock.name + "' is a " + word_of(lock) + ", " + why);
        };
        if (each.is_read && !has_readers(lock.kind)) refuse("which has no readers");
        if (each.what == action::downgrade && lock.kind != lock_sort::rwsem)
            refuse("which has no downgrade");
        if (!each.ticket.name.empty()) {
            if (lock.kind != lock_sort::ww_mutex) refuse("which takes no ticket");
            find_ticket(each.ticket);
        }
        if (each.what == action::acquire && !each.other.name.empty())
            find(each.other, {declares::lock});
    }

    void check_ticket_class(const statement& each) const {
        if (each.class_name.empty()) return;
        const auto known = classes_.find(each.class_name);
        if (known == classes_.end() || known->second->kind != lock_sort::ww_mutex)
            fail(each.on.at, "there is no class '" + each.class_name + "' of ww_mutexes");
    }

    void check_wait(const statement& each) const {
        const declaration& object =
            find(each.on, {declares::fence, declares::completion, declares::condition});
        const bool has_lock = !each.other.name.empty();
        if (object.what != declares::condition) {
            if (has_lock)
                fail(each.other.at, "'" + object.name + "' is a " + word_of(object.what) +
                                        ", only a wait for a condition names a lock");
            return;
        }
        if (!has_lock) fail(each.on.at, "a wait for a condition names the lock that is held");
        const declaration& lock = find(each.other, {declares::lock});
        if (lock.kind == lock_sort::map)
            fail(each.other.at, "'" + lock.name + "' is a map, a lock is wanted");
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
            case action::if_held:
            case action::assert_held:
            case action::pin:
            case action::unpin:
            case action::init:
            case action::sync: check_lock(each); break;
            case action::set:
            case action::add: find(each.on, {declares::counter}); break;
            case action::wait: check_wait(each); break;
            case action::notify: find(each.on, {declares::condition}); break;
            case action::signal: find(each.on, {declares::fence}); break;
            case action::complete: find(each.on, {declares::completion}); break;
            case action::down:
            case action::up: find(each.on, {declares::semaphore}); break;
            case action::join: find(each.on, {declares::thread}); break;
            case action::queue:
            case action::flush:
            case action::cancel: find(each.on, {declares::work}); break;
            case action::ticket_begin: check_ticket_class(each); break;
            case action::ticket_done:
            case action::ticket_end: find_ticket(each.on); break;
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
    std::map<std::string, const declaration*> classes_;  // by name: the first lock
    std::set<std::string> tickets_;                      // of the block that is being checked
    std::uint64_t tasks_ = 0;
    std::uint64_t instances_ = 0;
    bool has_memory_ = false;
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
