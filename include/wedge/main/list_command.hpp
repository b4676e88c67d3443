// `list`: prints what this program knows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/core/event.hpp"
#include "wedge/core/finding.hpp"
#include "wedge/core/lock_identity.hpp"
#include "wedge/core/schedule_text.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/words.hpp"
#include "wedge/scenario/statements.hpp"

namespace wedge {

class list_command final : public subcommand {
public:
    const char* name() const override { return "list"; }
    const char* purpose() const override {
        return "List the workloads with their actions, and the words of wedge and of scenarios";
    }
    void add_options(CLI::App& options) override {
        add_flag(options, "--json", as_json_, "Print one JSON object");
    }

    int run(const invocation& call) override {
        call.print(as_json_ ? json(call) : text(call));
        return exit_status::clean;
    }

private:
    struct section {
        const char* title;
        std::vector<std::string> words;
    };

    static std::vector<section> vocabulary() {
        std::vector<section> all;
        const auto add = [&](const char* title, const auto&... tables) {
            all.push_back({title, {}});
            (all.back().words.insert(all.back().words.end(), std::begin(tables), std::end(tables)),
             ...);
        };
        std::vector<std::string_view> events;
        for (const event_row& row : event_table) events.emplace_back(row.name);
        add("strategies", strategy_names);
        add("substrates", substrate_names);
        add("outcomes", outcome_names());
        add("findings", finding_names);
        add("locks", lock_kind_names);
        add("events", events);
        add("declarations", scenario::declaration_words);
        add("kinds", scenario::lock_kind_words, scenario::lock_alias_words);
        add("statements", scenario::statement_words);
        add("expectations", scenario::expect_words);
        add("allocations", scenario::gfp_words, scenario::gfp_modifier_words,
            scenario::scope_words);
        add("handlers", scenario::handler_words);
        add("modifiers", scenario::other_words);
        return all;
    }

    static std::vector<std::string> outcome_names() {
        std::vector<std::string> names;
        for (int i = 0; i <= static_cast<int>(result::sound); ++i)
            names.emplace_back(name_of(static_cast<result>(i)));
        return names;
    }

    /// Returns words as indented lines of at most 80 columns.
    static std::string filled(const std::vector<std::string>& words) {
        constexpr std::size_t width_max = 80;
        std::string text;
        std::string line;
        for (const std::string& word : words) {
            if (!line.empty() && line.size() + 2 + word.size() + 1 > width_max) {
                text += line + ",\n";
                line.clear();
            }
            line += (line.empty() ? "  " : ", ") + word;
        }
        return text + line + "\n";
    }

    static std::string text(const invocation& call) {
        std::string text = "workloads and designs\n";
        for (const workload_entry& each : call.workloads)
            text += "  " + each.name + "\n    actions  " + joined(each.actions) +
                    "\n    program  " + to_string(each.usual) + "\n";
        if (call.workloads.empty())
            text += "  none: a program built with WEDGE_MAIN(workload...) has some\n";
        for (const section& each : vocabulary())
            text += std::string(each.title) + "\n" + filled(each.words);
        text += "what the findings say\n";
        constexpr std::size_t width = 21;  // the longest name and a gap
        for (std::size_t i = 0; i < finding_names.size(); ++i)
            text +=
                "  " + report::padded(finding_names[i], width) + report::finding_meanings[i] + "\n";
        return text;
    }

    static std::string json(const invocation& call) {
        json_writer json;
        json.begin('{').key("workloads").begin('[');
        for (const workload_entry& each : call.workloads) {
            json.begin('{').key("name").value(each.name).key("actions").list(each.actions);
            json.key("program").value(to_string(each.usual));
            json.key("fingerprint").value(to_hex(each.fingerprint)).end('}');
        }
        json.end(']');
        for (const section& each : vocabulary()) json.key(each.title).list(each.words);
        json.key("meanings").begin('{');
        for (std::size_t i = 0; i < finding_names.size(); ++i)
            json.key(finding_names[i]).value(report::finding_meanings[i]);
        json.end('}');
        return json.end('}').text() + "\n";
    }

    bool as_json_ = false;
};

}  // namespace wedge
