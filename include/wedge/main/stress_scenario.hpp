// A deadlock of real threads as a scenario, which the explorer repeats.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/lock_class.hpp"
#include "wedge/main/files.hpp"

namespace wedge {

/// Writes the cycle of a deadlock as a scenario: each thread of the cycle takes the locks that it
/// held, and then the lock that it waited for. Locks and modes are those of the deadlock; the kind
/// of a lock is `rwsem` if a thread of the cycle reads it, else `mutex`.
class deadlock_scenario {
public:
    explicit deadlock_scenario(const finding& found) : found_(found) {
        for (const dependency& edge : cycle())
            for (const task_report& task : found.tasks)
                if (task.name == edge.task && task.wanted) parties_.push_back(&task);
        for (const task_report* const party : parties_) {
            for (const lock_use& held : party->held) note(held);
            note(*party->wanted);
        }
    }

    /// Returns whether the deadlock is a cycle of locks that were taken without tickets, so that
    /// there is a scenario.
    bool exists() const noexcept {
        const auto has_ticket = [](const dependency& edge) {
            return has(edge.held.with, flags::ticketed) || has(edge.wanted.with, flags::ticketed);
        };
        const auto wants_lock = [](const task_report* party) { return is_lock(*party->wanted); };
        return !parties_.empty() && parties_.size() == cycle().size() &&
               std::all_of(parties_.begin(), parties_.end(), wants_lock) &&
               std::none_of(cycle().begin(), cycle().end(), has_ticket);
    }

    /// @param expected  the names of the kinds of findings that a check shows besides the deadlock
    std::string text(const std::string& head, const std::vector<std::string>& expected = {}) const {
        std::string all = "# " + head + "\n";
        for (const auto& [key, lock] : locks_)
            all += "lock " + lock.name + (lock.is_read ? " rwsem" : " mutex") + "\n";
        for (std::size_t i = 0; i < parties_.size(); ++i) {
            const task_report& party = *parties_[i];
            all += "thread " + (party.action.empty() ? "task" : file_part(party.action)) + "_" +
                   std::to_string(i + 1) + " {\n";
            std::vector<lock_use> taken;
            for (const lock_use& each : party.held)
                if (is_lock(each)) taken.push_back(each);
            taken.push_back(*party.wanted);
            for (const lock_use& each : taken)
                all += (is_shared(each.how) ? "    read " : "    lock ") + name_of(each) + "\n";
            for (std::size_t at = taken.size(); at-- > 0;)
                all += "    unlock " + name_of(taken[at]) + "\n";
            all += "}\n";
        }
        all += "expect deadlock\n";
        for (const std::string& kind : expected) all += "expect finding " + kind + "\n";
        return all;
    }

private:
    struct declared_lock {
        std::string name;
        bool is_read = false;
    };
    using lock_key = std::pair<std::string, std::uint32_t>;

    const std::vector<dependency>& cycle() const noexcept {
        return found_.reached.empty() ? found_.cycle : found_.reached;
    }
    /// Sections that never wait are no part of a deadlock of locks.
    static bool is_lock(const lock_use& of) {
        return !lock_class::from_id(of.class_id).options().never_waits;
    }
    void note(const lock_use& of) {
        if (!is_lock(of)) return;
        declared_lock& made = locks_[lock_key{of.class_name, of.instance}];
        made.is_read = made.is_read || is_shared(of.how);
        if (!made.name.empty()) return;
        made.name = "l";
        for (const char c : of.class_name)
            made.name += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                             ? c
                             : '_';
        made.name += "_" + std::to_string(locks_.size());
    }
    std::string name_of(const lock_use& of) const {
        return locks_.at(lock_key{of.class_name, of.instance}).name;
    }

    const finding& found_;
    std::vector<const task_report*> parties_;
    std::map<lock_key, declared_lock> locks_;
};

}  // namespace wedge
