#include "manual/manual_command.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "wedge/main/files.hpp"
#include "wedge/main/version.hpp"

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

class manual_command final : public subcommand {
public:
    const char* name() const override { return "manual"; }
    const char* purpose() const override {
        return "Write man pages, or the completion of bash, from the options of all commands";
    }

    void add_options(CLI::App& options) override {
        mine_ = &options;
        options.add_option("--man", man_, "Write a man page per command into this folder")
            ->type_name("DIR");
        add_flag(options, "--bash", is_bash_, "Print the completion of bash");
    }

    int run(const invocation& call) override {
        const CLI::App& all = *mine_->get_parent();
        if (man_.empty() && !is_bash_) throw error("manual: --man DIR or --bash is expected");
        const std::string program = call.program_name();
        if (!man_.empty()) {
            make_folder(man_);
            for (const CLI::App* each : all.get_subcommands({}))
                write_text(man_ + "/" + program + "-" + each->get_name() + ".1",
                           page_of(program, *each));
        }
        if (is_bash_) call.print(bash_of(program, all));
        return exit_status::clean;
    }

private:
    const CLI::App* mine_ = nullptr;
    std::string man_;
    bool is_bash_ = false;
};

}  // namespace

std::unique_ptr<subcommand> make_manual_command() {
    return std::make_unique<manual_command>();
}

}  // namespace wedge::manual
