// Signatures: the text by which findings are compared.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/hang.hpp"
#include "wedge/core/hash.hpp"

namespace wedge {

/// Returns the cycle of (class, mode), rotated to a fixed start. A node is `class/wanted/held`: how
/// the class is waited for, and how the next task holds it.
///
/// It contains names only: no instances, subclasses, tasks or addresses. So a deadlock has the
/// signature of the inversion that was seen before it.
inline std::string cycle_signature(const std::vector<dependency>& cycle) {
    const auto letter = [](mode how) {
        return how == mode::exclusive ? 'E' : how == mode::shared ? 'S' : 'R';
    };
    std::vector<std::string> nodes;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
        const lock_use& wanted = cycle[i].wanted;
        const lock_use& held = cycle[(i + 1) % cycle.size()].held;
        nodes.push_back(wanted.class_name + "/" + letter(wanted.how) + letter(held.how));
    }
    std::vector<std::string> least = nodes;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        std::rotate(nodes.begin(), nodes.begin() + 1, nodes.end());
        least = std::min(least, nodes);
    }
    std::string text;
    for (const std::string& node : least) text += (text.empty() ? "" : " ") + node;
    return text;
}

namespace detail {

/// Returns what a task of a hang waits for, by class: `completion done`, `table`, `the end of
/// fault`.
inline std::string object_of(const hang_link& link, const std::vector<task_report>& tasks) {
    if (link.wanted) return link.wanted->class_name;
    for (const task_report& task : tasks) {
        if (task.name != link.task || task.joins.empty()) continue;
        for (const task_report& joined : tasks)
            if (joined.name == task.joins && !joined.action.empty())
                return "the end of " + joined.action;
        const std::string name = name_without_number(task.joins);
        return "the end of " + (name.empty() ? "a task" : name);
    }
    return link.waits_for;
}

}  // namespace detail

/// Returns the waits of a hang that is no cycle of locks, each as `object` or `object by action`. A
/// cycle starts at its least node; otherwise each wait is listed once. Empty: no task waits.
inline std::vector<std::string> waits_in(const finding& found) {
    const hang how = hang_of(found);
    std::vector<std::string> nodes;
    for (const hang_link& link : how.links)
        nodes.push_back(detail::object_of(link, found.tasks) +
                        (link.action.empty() ? "" : " by " + link.action));
    return in_least_order(how, std::move(nodes));
}

/// Returns the signature of a finding, which is equal in every run of every build. It is the kind
/// and the classes of the cycle; for other hangs what is waited for and by which action; for a
/// broken rule the classes and the function that breaks it. It contains no line, no number of a
/// task or lock, and no task that only waits behind others.
inline std::string signature_of(const finding& found) {
    if (!found.cycle.empty()) return "cycle " + cycle_signature(found.cycle);
    std::string text = name_of(found.kind);
    for (const lock_use& lock : found.locks) text += " " + lock.class_name;
    if (!found.locks.empty()) {
        const std::string function = found.locks.back().where.function;
        const std::string by = function.empty() ? name_without_number(found.task) : function;
        if (!by.empty()) text += " in " + by;
    } else if (found.is_stuck()) {
        for (const std::string& wait : waits_in(found))
            text += (text.find(' ') == std::string::npos ? " " : ", ") + wait;
    }
    return text;
}

namespace detail {

/// Returns whether a word is a place in a source: `dir/file.cpp:12`, also with a column.
inline bool is_place(std::string_view word) {
    const std::size_t colon = word.find(':');
    const std::size_t dot = word.substr(0, colon).rfind('.');
    return colon != std::string_view::npos && dot != std::string_view::npos && dot != 0 &&
           dot + 1 < colon && colon + 1 < word.size() &&
           word.find_first_not_of("0123456789:", colon) == std::string_view::npos;
}

/// Returns a message without the places that it names, each with an `at ` in front.
inline std::string without_places(const std::string& message) {
    std::string text;
    for (std::size_t at = 0, end = 0; at < message.size(); at = end) {
        end = std::min(message.find(' ', at + 1), message.size());
        const std::string word = message.substr(at, end - at);  // with the blank before it
        const std::size_t first = word.find_first_not_of(" (");
        const std::size_t last = word.find_last_not_of(",;.:)");
        if (first == std::string::npos || last == std::string::npos || last < first ||
            !is_place(std::string_view(word).substr(first, last + 1 - first))) {
            text += word;
            continue;
        }
        if (text.ends_with(" at")) text.resize(text.size() - 3);
        text += word.substr(last + 1);
    }
    return text;
}

}  // namespace detail

/// Returns the signature of a workload's exception. Copies of one task that throw alike have equal
/// ones. It contains no place in a source.
///
/// @param thrown  `TASK threw: MESSAGE`
inline std::string exception_signature(const std::string& thrown) {
    const std::string kind = name_of(finding_kind::assertion);
    const std::size_t verb = thrown.find(" threw: ");
    if (verb == std::string::npos) return kind + " " + detail::without_places(thrown);
    const std::string by = name_without_number(thrown.substr(0, verb));
    return kind + (by.empty() ? "" : " " + by) + detail::without_places(thrown.substr(verb));
}

/// Returns eight hexadecimal digits of a signature's hash, for names of files.
inline std::string short_hash(std::string_view signature) {
    std::uint64_t h = hash_text(signature);
    std::string text(8, '0');
    for (char& c : text) {
        c = "0123456789abcdef"[h & 15];
        h >>= 4;
    }
    return text;
}

}  // namespace wedge
