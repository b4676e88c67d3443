// The causes that several findings of a run share: the acquire or the wait that is wrong in them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/hang.hpp"
#include "wedge/report/words.hpp"

namespace wedge::report {

/// An acquire or a wait, and the findings that it explains.
struct cause {
    std::string what;  ///< `acquire of b at x.cpp:12`, `wait for fence done at …`
    std::vector<std::size_t> findings;  ///< places in the list of findings, ascending
};

namespace detail {

/// An acquire or a wait that may be the wrong one.
struct suspect {
    std::string key;   ///< equal in all findings that share the suspect
    std::string what;  ///< with the place in this finding
    bool is_wait = false;
};

/// Lists the acquires and waits of a finding, each once, in the order of its cycle.
class suspects_of_finding {
public:
    explicit suspects_of_finding(const finding& found) : found_(found) {
        const std::vector<dependency> cycle = cycle_of(found);
        add_cycle(cycle);
        if (cycle.empty()) add_broken_rule();
        for (const hang_link& link : hang_of(found).links) add_wait(link);
        if (all_.empty()) all_.push_back({found.signature, what_of(found), false});
    }

    std::vector<suspect> take() { return std::move(all_); }

private:
    /// Adds the acquires of a cycle. An order that `prime` has stated counts as right; then only
    /// the acquires against it are suspects.
    void add_cycle(const std::vector<dependency>& cycle) {
        const bool is_all_stated = std::all_of(cycle.begin(), cycle.end(),
                                               [](const dependency& edge) { return edge.primed; });
        for (const dependency& edge : cycle)
            if (!edge.primed || is_all_stated) add("acquire of ", edge.wanted);
    }
    void add_broken_rule() {
        if (found_.locks.empty()) return;
        switch (found_.kind) {
            case finding_kind::unlock_imbalance:
            case finding_kind::held_at_exit:
            case finding_kind::held_when_destroyed:
            case finding_kind::not_held:
            case finding_kind::pin_broken:
            case finding_kind::bad_downgrade: {
                std::string kind = name_of(found_.kind);
                std::replace(kind.begin(), kind.end(), '-', ' ');
                return add(kind + " of ", found_.locks.back());
            }
            default: return add("acquire of ", found_.locks.back());
        }
    }
    void add_wait(const hang_link& link) {
        if (!link.where.is_known() || link.is_primed || link.is_exchanged) return;
        if (link.wanted) return add("acquire of ", *link.wanted);
        add("wait for ", link.waits_for, link.where, true);
    }

    /// Adds an acquire. The instances of an array count as one suspect, since one acquire takes
    /// them all.
    void add(const std::string& verb, const lock_use& lock) {
        const std::string without = name_without_number(lock.class_name);
        add(verb, without.empty() ? lock.class_name : without, lock.where, false);
    }
    void add(const std::string& verb, const std::string& object, const site& where, bool is_wait) {
        const std::string function = where.function;
        const std::string place = function.empty() ? to_string(where) : where.short_file();
        std::string key = verb + object + " at " + place + " in " + function;
        if (std::any_of(all_.begin(), all_.end(),
                        [&](const suspect& each) { return each.key == key; }))
            return;
        all_.push_back({std::move(key),
                        verb + object + " at " + to_string(where) +
                            (function.empty() ? "" : " in " + function),
                        is_wait});
    }

    const finding& found_;
    std::vector<suspect> all_;
};

}  // namespace detail

/// Groups findings by cause. The first cause is the acquire (a class in a function) or the wait
/// that occurs in most findings. The next cause is chosen among the remaining findings, and so on.
/// Of several suspects with equally many findings, a wait comes before an acquire, then the one
/// that was met first.
inline std::vector<cause> causes_of(const std::vector<finding>& all) {
    std::vector<detail::suspect> suspects;  // in the order in which they were met
    std::map<std::string, std::size_t> places;
    std::vector<std::vector<std::size_t>> of(all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        for (detail::suspect& each : detail::suspects_of_finding(all[i]).take()) {
            const auto [at, is_new] = places.emplace(each.key, suspects.size());
            of[i].push_back(at->second);
            if (is_new) suspects.push_back(std::move(each));
        }
    std::vector<cause> causes;
    for (std::size_t left = all.size(); left != 0; left -= causes.back().findings.size()) {
        std::vector<std::size_t> counts(suspects.size());
        for (const std::vector<std::size_t>& each : of)
            for (const std::size_t one : each) ++counts[one];
        std::size_t best = 0;
        for (std::size_t i = 1; i < suspects.size(); ++i) {
            const bool is_wait_instead = suspects[i].is_wait && !suspects[best].is_wait;
            if (counts[i] > counts[best] || (counts[i] == counts[best] && is_wait_instead))
                best = i;
        }
        causes.push_back({suspects[best].what, {}});
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (std::find(of[i].begin(), of[i].end(), best) == of[i].end()) continue;
            causes.back().findings.push_back(i);
            of[i].clear();
        }
    }
    return causes;
}

/// The findings of a run in the order in which they are printed. If there are fewer causes than
/// findings, they are ordered by cause; otherwise in the order of discovery, and without causes.
class findings_by_cause {
public:
    explicit findings_by_cause(const std::vector<finding>& all)
        : all_(all), causes_(causes_of(all)), number_(all.size()) {
        for (std::size_t i = 0; i < causes_.size(); ++i)
            for (const std::size_t each : causes_[i].findings) number_[each] = i + 1;
        for (std::size_t i = 0; i < all.size(); ++i) order_.push_back(i);
        if (!is_grouped()) return;
        order_.clear();
        for (const cause& each : causes_)
            order_.insert(order_.end(), each.findings.begin(), each.findings.end());
    }

    bool is_grouped() const noexcept { return causes_.size() < all_.size(); }
    /// Returns the number of a finding's cause, from 1.
    std::size_t cause_of(std::size_t at) const { return number_[at]; }
    const std::vector<std::size_t>& order() const noexcept { return order_; }

    /// Returns one line per cause; empty if nothing is grouped.
    std::string lead() const {
        if (!is_grouped()) return {};
        std::string text =
            counted(causes_.size(), "cause") + " for " + counted(all_.size(), "finding") + ":\n\n";
        for (std::size_t i = 0; i < causes_.size(); ++i)
            text += "  " + std::to_string(i + 1) + "  " + causes_[i].what + ": " +
                    verdicts_of(causes_[i]) + "\n";
        return text + "\n";
    }
    /// Returns the heading before a finding: its cause, if there are several causes and this is the
    /// first finding of that cause; otherwise nothing.
    std::string heading(std::size_t at) const {
        const cause& of = causes_[number_[at] - 1];
        if (!is_grouped() || causes_.size() == 1 || of.findings.front() != at) return {};
        return "cause " + std::to_string(number_[at]) + ": " + of.what + "\n\n";
    }

private:
    std::string verdicts_of(const cause& of) const {
        std::string verdicts;
        for (const verdict each :
             {verdict::confirmed, verdict::observed, verdict::unresolved, verdict::refuted}) {
            const auto n = std::count_if(of.findings.begin(), of.findings.end(),
                                         [&](std::size_t i) { return all_[i].judged == each; });
            if (n == 0) continue;
            verdicts += (verdicts.empty() ? "" : ", ") + std::to_string(n) + " " + name_of(each);
        }
        return counted(of.findings.size(), "finding") + " (" + verdicts + ")";
    }

    const std::vector<finding>& all_;
    const std::vector<cause> causes_;
    std::vector<std::size_t> number_;
    std::vector<std::size_t> order_;
};

}  // namespace wedge::report
