// What makes two findings the same.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "wedge/base/hash.hpp"
#include "wedge/event/finding.hpp"

namespace wedge {

/// The cycle of (class, mode), rotated so that it does not depend on where it was entered:
/// each node as `class/wanted/held`, how it is waited for and how the next task holds it.
///
/// Names only, no instances, subclasses, tasks or addresses. A deadlock that was reached and the
/// inversion seen before it have the same text.
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

/// A cycle's signature, or (kind, class, site) for a finding without one: the site of the step
/// that breaks the rule, as the locks held there may come from any caller.
inline std::string signature_of(const finding& found) {
    if (!found.cycle.empty()) return "cycle " + cycle_signature(found.cycle);
    std::string text = name_of(found.kind);
    for (const lock_use& lock : found.locks) text += " " + lock.class_name;
    if (!found.locks.empty()) {
        if (const site where = found.locks.back().where; where.is_known())
            text += "@" + to_string(where);
    } else {
        for (const task_report& task : found.tasks)
            if (task.wanted || !task.waits_for.empty())
                text += " " + (task.wanted ? task.wanted->class_name : task.waits_for) + "@" +
                        to_string(task.where);
    }
    return text;
}

/// That of a workload's exception, by what it says.
inline std::string exception_signature(const std::string& thrown) {
    return name_of(finding_kind::assertion) + (" " + thrown);
}

/// Eight hexadecimal digits of a signature, for names of files.
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
