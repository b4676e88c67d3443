// `list`: what this program knows.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/event/event.hpp"
#include "wedge/event/finding.hpp"
#include "wedge/event/schedule_text.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/json.hpp"
#include "wedge/task/lock_identity.hpp"

namespace wedge {

class list_command final : public subcommand {
public:
    const char* name() const override { return "list"; }
    const char* purpose() const override {
        return "List the workloads with their actions, and the names wedge uses";
    }
    void add_options(CLI::App& options) override {
        options.add_flag("--json", as_json_, "Print one JSON object")->disable_flag_override();
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
        std::vector<section> all{{"strategies", {}}, {"substrates", {}}, {"findings", {}},
                                 {"locks", {}},      {"events", {}}};
        for (const char* word : strategy_names) all[0].words.emplace_back(word);
        for (const char* word : substrate_names) all[1].words.emplace_back(word);
        for (const char* word : finding_names) all[2].words.emplace_back(word);
        for (const char* word : lock_kind_names) all[3].words.emplace_back(word);
        for (const event_row& row : event_table) all[4].words.emplace_back(row.name);
        return all;
    }

    /// Words as lines of at most 80 columns, indented.
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
        std::string text = "workloads\n";
        for (const workload_entry& each : call.workloads)
            text += "  " + each.name + "\n    actions  " + joined(each.actions) +
                    "\n    program  " + to_string(each.usual) + "\n";
        if (call.workloads.empty())
            text += "  none: a program built with WEDGE_MAIN(workload...) has some\n";
        for (const section& each : vocabulary())
            text += std::string(each.title) + "\n" + filled(each.words);
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
        return json.end('}').text() + "\n";
    }

    bool as_json_ = false;
};

}  // namespace wedge
