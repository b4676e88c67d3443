// The lock order as clang's thread-safety attributes, for the declarations of the locks.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "wedge/report/order_dot.hpp"

namespace wedge {

/// Returns one line per class that is taken after others: `savings:
/// WEDGE_ACQUIRED_AFTER(checking)`. Pairs that are part of a finding's cycle state no order, so
/// they come as comments. Clang checks the attributes under -Wthread-safety-beta.
inline std::string annotations_of(const order_picture& drawn) {
    std::set<std::pair<std::string, std::string>> in_cycles;
    for (const finding& found : drawn.findings)
        for (const dependency& edge : found.cycle)
            in_cycles.emplace(edge.held.class_name, edge.wanted.class_name);
    std::map<std::string, std::set<std::string>> before;
    std::set<std::string> comments;
    for (const dependency& edge : drawn.edges) {
        const std::string& first = edge.held.class_name;
        const std::string& then = edge.wanted.class_name;
        if (first == then) continue;
        if (in_cycles.contains({first, then}))
            comments.insert("// " + first + " before " + then + " is part of a cycle\n");
        else
            before[then].insert(first);
    }
    std::string text;
    for (const auto& [then, firsts] : before) {
        text += then + ": WEDGE_ACQUIRED_AFTER(";
        for (const std::string& first : firsts)
            text += (first == *firsts.begin() ? "" : ", ") + first;
        text += ")\n";
    }
    for (const std::string& each : comments) text += each;
    return text;
}

}  // namespace wedge
