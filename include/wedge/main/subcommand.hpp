// What a subcommand is: its name, its options, and what it does.
#pragma once

#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "wedge/main/words.hpp"
#include "wedge/main/workload_entry.hpp"

namespace wedge {

/// How and where the program was called.
struct invocation {
    std::string program;  ///< argv[0] as typed, so that replay lines can be pasted
    std::span<const workload_entry> workloads;
    std::FILE* out = nullptr;
    std::FILE* err = nullptr;

    void print(const std::string& text) const { std::fwrite(text.data(), 1, text.size(), out); }

    std::vector<std::string> workload_names() const {
        std::vector<std::string> names;
        for (const workload_entry& each : workloads) names.push_back(each.name);
        return names;
    }

    std::string replay_line(const std::string& schedule_file) const {
        return shell_quoted(program) + " replay " + shell_quoted(schedule_file);
    }
};

/// The statuses of every program of ours.
struct exit_status {
    static constexpr int clean = 0;
    static constexpr int findings = 1;
    static constexpr int misuse = 2;
};

/// One subcommand. A new one is a header with a class, and a line in `all_subcommands`.
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
    /// An option that takes a whole number; its name stands in the message about a wrong one.
    template <class Number>
    static void add_number(CLI::App& options, const char* option, Number& target,
                           std::uint64_t least, const std::string& what) {
        add_number(options, option, least, what + " (default: " + std::to_string(target) + ")",
                   [&target](std::uint64_t value) { target = static_cast<Number>(value); },
                   std::numeric_limits<Number>::max());
    }
    /// The same for one that has no default.
    template <class Number>
    static void add_number(CLI::App& options, const char* option, std::optional<Number>& target,
                           std::uint64_t least, const std::string& what) {
        add_number(options, option, least, what + " (default: none)",
                   [&target](std::uint64_t value) { target = static_cast<Number>(value); },
                   std::numeric_limits<Number>::max());
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
