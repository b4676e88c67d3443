// A subcommand: its name, its options, and what it does.
#pragma once

#include <cstdint>
#include <cstdio>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "wedge/main/colour.hpp"
#include "wedge/main/words.hpp"
#include "wedge/main/workload_entry.hpp"
#include "wedge/report/json.hpp"

namespace wedge {

/// How and where the program was called.
struct invocation {
    std::string program;  ///< argv[0] as typed, so that replay lines can be pasted into a shell
    std::span<const workload_entry> workloads;
    std::FILE* out = nullptr;
    std::FILE* err = nullptr;

    /// Prints results, in colours on a terminal.
    void print(const std::string& text) const { print_coloured(out, text); }

    std::vector<std::string> workload_names() const {
        std::vector<std::string> names;
        for (const workload_entry& each : workloads) names.push_back(each.name);
        return names;
    }

    std::string replay_line(const std::string& schedule_file) const {
        return shell_quoted(program) + " replay " + shell_quoted(schedule_file);
    }

    /// Returns the first word of messages.
    std::string program_name() const { return program.substr(program.find_last_of('/') + 1); }
    void complain(const std::string& message) const {
        std::fprintf(err, "%s: %s\n", program_name().c_str(), message.c_str());
    }

    /// Does something for one of several files. A file that cannot be read costs a line, and the
    /// other files are still handled.
    ///
    /// @return whether it was done
    template <class Body>
    bool guarded(Body body) const {
        try {
            body();
            return true;
        } catch (const std::exception& wrong) {
            complain(wrong.what());
            return false;
        }
    }

    /// Reads a file. One that cannot be read has its line in the JSON of a command too.
    ///
    /// @param read  its exceptions go on to the caller
    template <class Read>
    auto reading(std::string_view command, const std::string& file, bool as_json, Read read) const {
        try {
            return read();
        } catch (const std::exception& wrong) {
            if (as_json) print(json_of_unread(command, file, wrong.what()));
            throw;
        }
    }
};

/// The exit statuses of all of wedge's programs.
struct exit_status {
    static constexpr int clean = 0;
    static constexpr int findings = 1;
    static constexpr int misuse = 2;
    static constexpr int interrupted = 130;  ///< nothing was found, and not everything was tried

    /// Returns the status of a search. A finding counts more than an interruption.
    ///
    /// @param is_open  whether something was still to be proved when the user ended it
    static constexpr int of(bool is_clean, bool is_open) noexcept {
        return !is_clean ? findings : is_open ? interrupted : clean;
    }
};

/// A subcommand. A new one is a header with a class, and a line in `all_subcommands`.
class subcommand {
public:
    subcommand() = default;
    subcommand(const subcommand&) = delete;
    subcommand& operator=(const subcommand&) = delete;
    virtual ~subcommand() = default;

    virtual const char* name() const = 0;
    virtual const char* purpose() const = 0;
    virtual void add_options(CLI::App& options) = 0;

    /// @return the exit status
    /// @throws error  misuse, or input that cannot be read
    virtual int run(const invocation& call) = 0;

protected:
    /// Adds an option that takes an integer. Its name stands in the message about a wrong value.
    template <class Number>
    static void add_number(CLI::App& options, const char* option, Number& target,
                           std::uint64_t least, const std::string& what) {
        add_number(
            options, option, least, what + " (default: " + std::to_string(target) + ")",
            [&target](std::uint64_t value) { target = static_cast<Number>(value); },
            std::numeric_limits<Number>::max());
    }
    /// Adds an option that takes an integer and may be left out.
    ///
    /// @param otherwise  what holds then, for the help
    template <class Number>
    static void add_number(CLI::App& options, const char* option, std::optional<Number>& target,
                           std::uint64_t least, const std::string& what,
                           const std::string& otherwise = "none") {
        add_number(
            options, option, least, what + " (default: " + otherwise + ")",
            [&target](std::uint64_t value) { target = static_cast<Number>(value); },
            std::numeric_limits<Number>::max());
    }

    static void add_flag(CLI::App& options, const char* option, bool& target, const char* what) {
        options.add_flag(option, target, what)->disable_flag_override();
    }
    /// Adds an option that takes a name of a table; the value is the name's place in the table.
    template <class Value, class Names>
    static void add_choice(CLI::App& options, const char* option, Value& target, const Names& names,
                           const char* what) {
        const std::vector<std::string> all(std::begin(names), std::end(names));
        options
            .add_option_function<std::string>(
                option,
                [option, &target, all](const std::string& text) {
                    target = static_cast<Value>(place_of(option, text, all));
                },
                std::string(what) + ": " + joined(all))
            ->type_name("NAME")
            ->take_last();
    }
    /// Adds the option for where results go: `--out`, `-o`; a directory or a file.
    static void add_out(CLI::App& options, std::string& target, const char* type,
                        const char* what) {
        options.add_option("--out,-o", target, what)->type_name(type);
    }

private:
    template <class Take>
    static void add_number(CLI::App& options, const char* option, std::uint64_t least,
                           const std::string& what, Take take, std::uint64_t most) {
        options
            .add_option_function<std::string>(
                option,
                [=](const std::string& text) {
                    const std::uint64_t value = number_of(option, text, least);
                    if (value > most)
                        throw error(std::string(option) + ": " + text + " is too large");
                    take(value);
                },
                what)
            ->type_name("N")
            ->take_last();
    }
};

}  // namespace wedge
