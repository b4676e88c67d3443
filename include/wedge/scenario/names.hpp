// The declarations of all names of a scenario.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/scenario/lex.hpp"
#include "wedge/scenario/words.hpp"

namespace wedge::scenario {

/// The two name spaces: objects; and tasks, with the blocks that other tasks run. It points into
/// the document, which must stay alive.
class name_table {
public:
    name_table() = default;
    /// @param wrong  where names that are declared twice go; null: they are thrown
    explicit name_table(const document& all, detail::error_list* wrong = nullptr) {
        for (const declaration& each : all.all) {
            if (each.name.empty()) continue;
            auto& names = has_body(each.what) ? tasks_ : objects_;
            const auto [known, is_new] = names.emplace(each.name, &each);
            if (is_new) continue;
            const auto refuse = [&, line = known->second->at.line] {
                detail::fail_at(
                    all.path, each.name_at,
                    "'" + each.name + "' is declared in line " + std::to_string(line) + " already");
            };
            wrong == nullptr ? refuse() : static_cast<void>(wrong->attempt(refuse));
        }
    }

    const declaration* object(const std::string& name) const { return find(objects_, name); }
    const declaration* task(const std::string& name) const { return find(tasks_, name); }

    /// Returns the names of one kind, for suggestions.
    std::vector<std::string_view> names_of(declares what) const {
        std::vector<std::string_view> names;
        for (const auto& [name, of] : has_body(what) ? tasks_ : objects_)
            if (of->what == what) names.push_back(name);
        return names;
    }

private:
    using space = std::map<std::string, const declaration*, std::less<>>;

    static const declaration* find(const space& in, const std::string& name) {
        const auto found = in.find(name);
        return found == in.end() ? nullptr : found->second;
    }

    space objects_;
    space tasks_;
};

/// Returns the name of a lock's class as the scenario writes it.
inline const std::string& class_of(const declaration& lock) {
    return lock.class_name.empty() ? lock.name : lock.class_name;
}

/// Calls `with` for every statement of a block, including those of inner blocks.
template <class With>
void for_each_statement(const block& in, With with) {
    for (const statement& each : in.body) {
        with(each);
        for (const block& inner : each.blocks) for_each_statement(inner, with);
    }
}

}  // namespace wedge::scenario
