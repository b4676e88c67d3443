// `fmt`: prints scenarios as their canonical text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wedge/main/files.hpp"
#include "wedge/main/scenario_files.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/scenario/parse.hpp"
#include "wedge/scenario/print.hpp"

namespace wedge {

/// A file with an error stays as it is, and the other files are still formatted.
class fmt_command final : public subcommand {
public:
    const char* name() const override { return "fmt"; }
    const char* purpose() const override {
        return "Print scenarios in their canonical text, comments kept";
    }

    void add_options(CLI::App& options) override {
        options
            .add_option("FILE", paths_,
                        "Scenarios, directories of them, or - for the standard input (the default)")
            ->type_name("");
        CLI::Option* const in_place =
            options.add_flag("--in-place,-i", is_in_place_, "Write the text into the files")
                ->disable_flag_override();
        options
            .add_flag("--check", is_check_,
                      "Only name the files that differ; exit status 1 if there are any")
            ->disable_flag_override()
            ->excludes(in_place);
    }

    int run(const invocation& call) override {
        if (paths_.empty()) paths_.emplace_back("-");
        std::uint64_t unread = 0;
        std::uint64_t different = 0;
        for (const std::string& file : scenario_files(call, paths_, unread)) {
            const bool is_read = call.guarded([&] {
                const std::string text = read_text(file, scenario_size_max);
                const std::string wanted = scenario::to_string(scenario::parse(text, file));
                if (text != wanted) ++different;
                put(call, file, wanted, text != wanted);
            });
            if (!is_read) ++unread;
        }
        if (unread != 0) return exit_status::misuse;
        return is_check_ && different != 0 ? exit_status::findings : exit_status::clean;
    }

private:
    void put(const invocation& call, const std::string& file, const std::string& text,
             bool is_different) const {
        if (is_check_)
            call.print(is_different ? file + "\n" : "");
        else if (!is_in_place_ || file == "-")
            call.print(text);
        else if (is_different)
            write_text(file, text);
    }

    std::vector<std::string> paths_;
    bool is_in_place_ = false;
    bool is_check_ = false;
};

}  // namespace wedge
