// `fuzz`: prints inputs of fuzz targets for people, and turns them back into bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/core/schedule_text.hpp"
#include "wedge/fuzz/report.hpp"
#include "wedge/main/allowed.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/subcommand.hpp"

namespace wedge {

/// The workloads of this program, in their order, stand for those of the input's target.
class fuzz_command final : public subcommand {
public:
    const char* name() const override { return "fuzz"; }
    const char* purpose() const override {
        return "Turn the input of a fuzz target into text and back, or show what it does";
    }

    void add_options(CLI::App& options) override {
        options.add_option("WHAT", what_, "decode, encode or show")->required()->type_name("");
        options.add_option("FILE", file_, "The input; for encode its text")
            ->required()
            ->type_name("");
        allowed_.add_to(options);
        add_out(options, out_, "FILE", "Where the result goes (default: standard output)");
    }

    int run(const invocation& call) override {
        allowed_.read();
        static const std::vector<std::string> words{"decode", "encode", "show"};
        const std::size_t what = place_of("WHAT", what_, words);
        if (call.workloads.empty())
            throw error(
                "fuzz: this program has no workload; one built with "
                "WEDGE_MAIN(workload...) has");
        std::vector<fuzz_design> designs;
        for (const workload_entry& each : call.workloads) designs.push_back(each.fuzzing());
        fuzz_group group(std::move(designs));
        const std::string content = read_text(file_);
        if (what == 1) {
            const std::vector<std::uint8_t> bytes =
                encode(parse_input(content, group.designs(), file_));
            return put(call, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        }
        const std::span<const std::uint8_t> bytes(
            reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
        const std::optional<std::uint64_t> print = input_trailer::fingerprint_in(bytes);
        if (print && *print != group.fingerprint())
            throw error(file_ + ": is an input of other workloads (fingerprint " + to_hex(*print) +
                        ", those of this program have " + to_hex(group.fingerprint()) +
                        "); the target that saved it runs it, and the .program beside it names "
                        "the workload");
        const std::string text = input_text(decode(bytes, group.counts()), group.designs());
        if (what == 0) return put(call, text);
        const std::optional<fuzz_sighting> seen = group.run(bytes);
        put(call, text + "\n" +
                      (seen    ? shown(*seen, group)
                       : print ? "it shows nothing\n"
                               : "it shows nothing, if it is of these workloads: it has "
                                 "no fingerprint\n"));
        if (!seen) return exit_status::clean;
        const std::string& design = group.designs()[seen->input.design].name;
        const bool is_allowed =
            allowed_.allows_any({seen->signature, seen->what.signature}, design);
        allowed_.report(call, false);  // one input does not show every finding
        return is_allowed ? exit_status::clean : exit_status::findings;
    }

private:
    int put(const invocation& call, std::string_view result) const {
        if (out_.empty())
            call.print(std::string(result));
        else
            write_text(out_, result);
        return exit_status::clean;
    }

    static std::string shown(const fuzz_sighting& seen, const fuzz_group& group) {
        std::string text = text_of(seen.what);
        const std::string scenario = scenario_of(seen, group.designs()[seen.input.design]);
        return scenario.empty() ? text : text + "\n" + scenario;
    }

    allowed_findings allowed_;
    std::string what_;
    std::string file_;
    std::string out_;
};

}  // namespace wedge
