// Checks what the names of a scenario mean, and rejects uses that make no sense.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "wedge/scenario/statements.hpp"

namespace wedge::scenario {

namespace detail {

class name_checker {
public:
    name_checker(const document& all, error_list& wrong)
        : all_(all), wrong_(wrong), names_(all, classes_, wrong) {}

    void run() {
        for (const declaration& each : all_.all) wrong_.attempt([&] { check_declared(each); });
        if (std::ranges::any_of(all_.all, &declaration::has_cpu)) check_processors();
        for (const declaration& each : all_.all) {
            for (const reference& name : each.chain)
                if (!is_among(name.name, map_words))
                    wrong_.attempt([&] { names_.find(name, a_lock); });
            names_.enter(each, tickets_in(each.body));
            check(each.body);
        }
    }

private:
    void check_declared(const declaration& each) {
        if (each.what == declares::lock) check_lock_declared(each);
        if (each.what == declares::memory) check_memory(each);
        const bool is_task = each.what == declares::thread || is_deferred(each.what) ||
                             each.what == declares::handler;
        if (is_task) tasks_ += each.count;
        if (is_task && tasks_ > tasks_max)
            names_.fail(each.name_at, over("threads, works, timers and handlers", tasks_max));
    }

    static std::string over(const char* what, std::uint32_t most) {
        return "more than " + std::to_string(most) + " " + what + " in all";
    }

    void check_lock_declared(const declaration& each) {
        instances_ += each.count;
        if (instances_ > instances_max) names_.fail(each.name_at, over("locks", instances_max));
        const std::string& name = class_of(each);
        const declaration& first = *classes_.emplace(name, &each).first->second;
        const auto must_agree = [&](bool mine, bool its, const char* what) {
            if (mine != its)
                names_.fail(each.name_at, "class '" + name + "' is " + (its ? "" : "not ") + what +
                                              " in line " + std::to_string(first.at.line));
        };
        must_agree(each.is_unchecked, first.is_unchecked, "unchecked");
        must_agree(each.is_ordered, first.is_ordered, "ordered");
        must_agree(each.kind == lock_sort::map, first.kind == lock_sort::map, "a map's");
        must_agree(is_rcu(each), is_rcu(first), "of rcu");
    }

    void check_memory(const declaration& each) {
        if (has_memory_) names_.fail(each.at, "a second memory; there is one zone");
        has_memory_ = true;
        if (each.min <= each.low && each.low <= each.high && each.high <= each.pages) return;
        names_.fail(each.at, "the watermarks must rise: min <= low <= high <= pages");
    }

    /// Refuses what the model of processors leaves out.
    void check_processors() {
        const bool has_priorities =
            std::ranges::any_of(all_.all, [](const declaration& each) { return each.fifo != 0; });
        for (const declaration& each : all_.all)
            wrong_.attempt([&] { check_beside_processors(each, has_priorities); });
    }
    void check_beside_processors(const declaration& each, bool has_priorities) {
        if (each.what == declares::timer)
            names_.fail(each.name_at,
                        "a timer cannot stand beside threads with 'cpu': to cancel "
                        "it spins, which is not modelled there");
        if (each.what == declares::lock && each.kind == lock_sort::local_lock)
            names_.fail(each.name_at,
                        "a local_lock cannot stand beside threads with 'cpu': each "
                        "processor has its own, which is not modelled there");
        if (has_priorities && each.what == declares::lock && each.kind == lock_sort::rtmutex)
            names_.fail(each.name_at,
                        "an rtmutex cannot stand beside threads with 'fifo': it "
                        "passes priorities on, which is not modelled");
        if (each.fifo != 0 && (each.count > 1 || !priorities_.emplace(each.cpu, each.fifo).second))
            names_.fail(each.name_at, "two threads of processor " + std::to_string(each.cpu) +
                                          " have the priority " + std::to_string(each.fifo) +
                                          ", expected different ones");
        for_each_statement(each.body, [&](const statement& step) {
            const declaration* const lock = names_.names().object(step.other.name);
            const bool spins = lock != nullptr && lock->kind >= lock_sort::rwlock &&
                               lock->kind <= lock_sort::seqlock;
            if (step.what == action::wait && spins)
                wrong_.attempt([&] {
                    names_.fail(step.other.at, "a wait that gives back '" + lock->name +
                                                   "', which spins, cannot stand beside threads "
                                                   "with 'cpu'");
                });
        });
    }

    std::set<std::string> tickets_in(const block& in) {
        std::set<std::string> tickets;
        for_each_statement(in, [&](const statement& each) {
            if (!row_of(each.what).has(traits::ticket)) return;
            if (const declaration* const object = names_.names().object(each.on.name))
                wrong_.attempt([&] {
                    names_.fail(each.on.at, "'" + each.on.name + "' is " +
                                                with_article(word_of(object->what)) +
                                                ", the name of a ticket is wanted");
                });
            tickets.insert(each.on.name);
        });
        return tickets;
    }

    void check(const block& in) {
        for (const statement& each : in.body) {
            wrong_.attempt([&] { check_names(names_, each); });
            const bool is_loop = row_of(each.what).has(traits::loop);
            if (is_loop) names_.enter_loop();
            for (const block& inner : each.blocks) check(inner);
            if (is_loop) names_.leave_loop();
        }
    }

    const document& all_;
    error_list& wrong_;
    name_scope::class_map classes_;
    name_scope names_;
    std::uint64_t tasks_ = 0;
    std::uint64_t instances_ = 0;
    bool has_memory_ = false;
    std::set<std::pair<std::uint32_t, std::uint32_t>> priorities_;  // with their processors
};

}  // namespace detail

/// Checks every name of a scenario.
///
/// @param wrong  where mistakes go
inline void check_names(const document& all, detail::error_list& wrong) {
    detail::name_checker(all, wrong).run();
}

}  // namespace wedge::scenario
