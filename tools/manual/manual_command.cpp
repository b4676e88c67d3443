#include "manual/manual_command.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "wedge/main/files.hpp"
#include "wedge/main/version.hpp"
#include "wedge/main/words.hpp"

namespace wedge::manual {

namespace {

/// Returns text for a line of a man page.
std::string roff(std::string_view text) {
    std::string made;
    for (const char c : text) {
        if (c == '\\' || c == '-') made += '\\';
        made += c == '\n' ? ' ' : c;
    }
    if (made.starts_with('.') || made.starts_with('\'')) made = "\\&" + made;
    return made;
}

/// Returns the names of an option, as `-o, --out DIR`; of an argument, its name.
std::string names_of(const CLI::Option& option) {
    std::string text = option.get_name(false, true);
    for (std::size_t at = text.find(','); at != std::string::npos; at = text.find(',', at + 2))
        text.insert(at + 1, " ");
    const std::string type = option.get_type_name();
    return option.get_positional() || type.empty() || option.get_expected_max() == 0
               ? text
               : text + " " + type;
}

std::string page_of(const std::string& program, const CLI::App& command) {
    const std::string name = program + "-" + command.get_name();
    std::string text = ".TH \"" + name + "\" 1 \"\" \"" + program + " " + version + "\"\n";
    text += ".SH NAME\n" + roff(name) + " \\- " + roff(command.get_description()) + "\n";
    text += ".SH SYNOPSIS\n.B " + roff(program + " " + command.get_name()) + "\n[options]";
    for (const CLI::Option* each : command.get_options())
        if (each->get_positional()) text += " " + roff(each->get_name(true, false)) + "...";
    text += "\n.SH OPTIONS\n";
    for (const CLI::Option* each : command.get_options())
        text += ".TP\n.B " + roff(names_of(*each)) + "\n" + roff(each->get_description()) + "\n";
    return text +
           ".SH EXIT STATUS\n0 clean, 1 findings, 2 misuse or unreadable input, 130 interrupted "
           "before anything was found\n";
}

/// Returns a script for bash: the subcommands, then the options of the chosen one, else files.
std::string bash_of(const std::string& program, const CLI::App& all) {
    std::string commands;
    std::string cases;
    for (const CLI::App* command : all.get_subcommands({})) {
        commands += (commands.empty() ? "" : " ") + command->get_name();
        std::string options;
        for (const CLI::Option* each : command->get_options())
            for (const std::string& name : each->get_lnames()) options += " --" + name;
        cases += "        " + command->get_name() + ") words='" + options + "' ;;\n";
    }
    return "# Completion of " + program +
           " for bash: source it, or put it into\n"
           "# ~/.local/share/bash-completion/completions/" +
           program + "\n_" + program +
           "() {\n    local words='' current=${COMP_WORDS[COMP_CWORD]}\n"
           "    if ((COMP_CWORD == 1)); then\n        COMPREPLY=($(compgen -W '" +
           commands +
           " --help --version' -- \"$current\"))\n        return\n    fi\n"
           "    case ${COMP_WORDS[1]} in\n" +
           cases +
           "    esac\n    if [[ $current == -* ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n    else\n"
           "        COMPREPLY=($(compgen -f -- \"$current\"))\n    fi\n}\n"
           "complete -o filenames -F _" +
           program + " " + program + "\n";
}

/// Returns the first sentence of an option's description.
std::string brief(const CLI::Option& option) {
    const std::string all = option.get_description();
    const std::string first = all.substr(0, all.find_first_of(".;:("));
    return first.substr(0, first.find_last_not_of(' ') + 1);
}

bool has_value(const CLI::Option& option) {
    return option.get_expected_max() != 0;
}

/// Returns a script for zsh: `_arguments` with each option of the chosen subcommand, else files.
std::string zsh_of(const std::string& program, const CLI::App& all) {
    const auto escaped = [](const std::string& text) {  // of a description in brackets
        std::string made;
        for (const char c : text)
            made += (c == '[' || c == ']' || c == ':' ? "\\" : "") + std::string(1, c);
        return made;
    };
    std::string commands;
    std::string cases;
    for (const CLI::App* command : all.get_subcommands({})) {
        commands += "        " +
                    shell_quoted(command->get_name() + ":" + command->get_description()) + "\n";
        cases += "        " + command->get_name() + ")\n            _arguments";
        for (const CLI::Option* each : command->get_options())
            for (const std::string& name : each->get_lnames())
                cases +=
                    " \\\n                " +
                    shell_quoted("--" + name + "[" + escaped(brief(*each)) + "]" +
                                 (has_value(*each) ? ":" + each->get_type_name() + ":_files" : ""));
        cases += " \\\n                '*:file:_files'\n            ;;\n";
    }
    return "#compdef " + program + "\n# Completion of " + program +
           " for zsh: put it into a directory of $fpath, as _" + program + "\n_" + program +
           "() {\n    local -a commands=(\n" + commands +
           "    )\n    if ((CURRENT == 2)); then\n        _describe command commands\n"
           "        return\n    fi\n    local command=${words[2]}\n    shift words\n"
           "    ((CURRENT--))\n    case $command in\n" +
           cases + "    esac\n}\n_" + program + " \"$@\"\n";
}

/// Returns a script for fish: a line per subcommand and per option.
std::string fish_of(const std::string& program, const CLI::App& all) {
    std::string text = "# Completion of " + program +
                       " for fish: put it into\n# ~/.config/fish/completions/" + program +
                       ".fish\n";
    const std::string line = "complete -c " + program;
    for (const CLI::App* command : all.get_subcommands({})) {
        const std::string& name = command->get_name();
        text += line + " -n __fish_use_subcommand -f -a " + name + " -d " +
                shell_quoted(command->get_description()) + "\n";
        for (const CLI::Option* each : command->get_options())
            for (const std::string& option : each->get_lnames())
                text += line + " -n '__fish_seen_subcommand_from " + name + "' -l " + option +
                        (has_value(*each) ? " -r" : "") + " -d " + shell_quoted(brief(*each)) +
                        "\n";
    }
    return text;
}

class manual_command final : public subcommand {
public:
    const char* name() const override { return "manual"; }
    const char* purpose() const override {
        return "Write man pages, or the completion of a shell, from the options of all commands";
    }

    void add_options(CLI::App& options) override {
        mine_ = &options;
        options.add_option("--man", man_, "Write a man page per command into this directory")
            ->type_name("DIR");
        add_flag(options, "--bash", is_bash_, "Print the completion of bash");
        add_flag(options, "--zsh", is_zsh_, "Print the completion of zsh");
        add_flag(options, "--fish", is_fish_, "Print the completion of fish");
    }

    int run(const invocation& call) override {
        const CLI::App& all = *mine_->get_parent();
        if (man_.empty() && !is_bash_ && !is_zsh_ && !is_fish_)
            throw error("manual: --man DIR, --bash, --zsh or --fish is expected");
        const std::string program = call.program_name();
        if (!man_.empty()) {
            make_folder(man_);
            for (const CLI::App* each : all.get_subcommands({}))
                write_text(man_ + "/" + program + "-" + each->get_name() + ".1",
                           page_of(program, *each));
        }
        if (is_bash_) call.print(bash_of(program, all));
        if (is_zsh_) call.print(zsh_of(program, all));
        if (is_fish_) call.print(fish_of(program, all));
        return exit_status::clean;
    }

private:
    const CLI::App* mine_ = nullptr;
    std::string man_;
    bool is_bash_ = false;
    bool is_zsh_ = false;
    bool is_fish_ = false;
};

}  // namespace

std::unique_ptr<subcommand> make_manual_command() {
    return std::make_unique<manual_command>();
}

}  // namespace wedge::manual
