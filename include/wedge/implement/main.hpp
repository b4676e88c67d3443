// The command line behind wedge/main.hpp: one source of a program includes this header.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "wedge/implement/scenario.hpp"
#include "wedge/implement/stress.hpp"
#include "wedge/main.hpp"
#include "wedge/main/check_command.hpp"
#include "wedge/main/explore_command.hpp"
#include "wedge/main/fmt_command.hpp"
#include "wedge/main/fuzz_command.hpp"
#include "wedge/main/graph_command.hpp"
#include "wedge/main/hunt_command.hpp"
#include "wedge/main/list_command.hpp"
#include "wedge/main/minimize_command.hpp"
#include "wedge/main/replay_command.hpp"
#include "wedge/main/stress_command.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/main/verify_command.hpp"
#include "wedge/main/version.hpp"

namespace wedge {

namespace detail {

/// The table of subcommands, in the order in which --help lists them.
inline std::vector<std::unique_ptr<subcommand>> all_subcommands() {
    std::vector<std::unique_ptr<subcommand>> all;
    all.push_back(std::make_unique<hunt_command>());
    all.push_back(std::make_unique<explore_command>());
    all.push_back(std::make_unique<replay_command>());
    all.push_back(std::make_unique<check_command>());
    all.push_back(std::make_unique<verify_command>());
    all.push_back(std::make_unique<minimize_command>());
    all.push_back(std::make_unique<fmt_command>());
    all.push_back(std::make_unique<graph_command>());
    all.push_back(std::make_unique<fuzz_command>());
    all.push_back(std::make_unique<stress_command>());
    all.push_back(std::make_unique<list_command>());
    return all;
}

/// Returns a message about words that no option takes.
inline std::string unexpected(const CLI::App& app, const CLI::App& taken) {
    const std::vector<std::string> rest = app.remaining(true);
    const std::string word = rest.empty() ? "?" : rest.front();
    std::vector<std::string> names;
    if (word.starts_with('-')) {
        for (const CLI::Option* option : taken.get_options())
            for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
        return "unknown option " + word + suggestion(word.substr(0, word.find('=')), names);
    }
    if (&taken != &app) return "unexpected argument '" + word + "'";
    for (const CLI::App* each : app.get_subcommands({})) names.push_back(each->get_name());
    return "unknown command '" + word + "'" + suggestion(word, names) + "; there is " +
           joined(names);
}

/// Returns CLI11's message about a misuse, reworded and on one line.
inline std::string misuse(const CLI::App& app, const CLI::App& taken,
                          const CLI::ParseError& wrong) {
    if (!app.remaining(true).empty()) return unexpected(app, taken);
    const std::string text = wrong.what();
    if (&taken == &app && dynamic_cast<const CLI::RequiredError*>(&wrong) != nullptr) {
        std::vector<std::string> names;
        for (const CLI::App* each : app.get_subcommands({})) names.push_back(each->get_name());
        return "a command is missing (" + joined(names) + ")";
    }
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&wrong) != nullptr && text.ends_with("missing"))
        return text.substr(0, text.find(':')) + ": a value is missing";
    return text.substr(0, text.find('\n'));
}

inline int parse_and_run(int argc, const char* const* argv, const invocation& call,
                         std::span<const subcommand_maker> more) {
    CLI::App app("Finds how locks wedge: every potential deadlock gets a verdict.",
                 call.program_name());
    app.set_version_flag("--version", version_text());
    app.require_subcommand(1);
    app.footer(
        "Exit status: 0 clean, 1 findings, 2 misuse or unreadable input, 130 interrupted.\n"
        "NO_COLOR=1 in the environment turns the colours on terminals off.");
    std::vector<std::unique_ptr<subcommand>> all = all_subcommands();
    for (const subcommand_maker make : more) all.push_back(make());
    for (const std::unique_ptr<subcommand>& each : all)
        each->add_options(*app.add_subcommand(each->name(), each->purpose()));
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        call.print(app.help());
        return exit_status::clean;
    } catch (const CLI::CallForVersion& asked) {
        call.print(std::string(asked.what()) + "\n");
        return exit_status::clean;
    } catch (const CLI::ParseError& wrong) {
        const std::vector<CLI::App*> taken = app.get_subcommands();
        const CLI::App& in = taken.empty() ? app : *taken.front();
        const std::string where = taken.empty() ? "" : in.get_name() + " ";
        throw error((taken.empty() ? "" : in.get_name() + ": ") + misuse(app, in, wrong) +
                    "; see " + shell_quoted(call.program) + " " + where + "--help");
    }
    for (const std::unique_ptr<subcommand>& each : all)
        if (app.got_subcommand(each->name())) return each->run(call);
    return exit_status::misuse;
}

}  // namespace detail

[[gnu::weak]] int run_main(int argc, const char* const* argv,
                           std::span<const workload_entry> workloads, std::FILE* out,
                           std::FILE* err, std::span<const subcommand_maker> more) {
    const invocation call{argc > 0 ? argv[0] : "wedge", workloads, out, err};
    try {
        const int status = detail::parse_and_run(argc, argv, call, more);
        if (std::fflush(out) != 0 || std::ferror(out) != 0)
            throw error(std::string("cannot write the output: ") + std::strerror(errno));
        return status;
    } catch (const std::exception& wrong) {
        call.complain(wrong.what());
        return exit_status::misuse;
    }
}

}  // namespace wedge
