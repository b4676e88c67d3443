#include "report/report_command.hpp"

#include <string>
#include <vector>

#include "wedge/main/files.hpp"
#include "wedge/report/words.hpp"

#include "report/formats.hpp"

namespace wedge::report_files {

namespace {

class report_command final : public subcommand {
public:
    const char* name() const override { return "report"; }
    const char* purpose() const override {
        return "Show the findings of nights or commands as a page, or as SARIF, JUnit or a trace";
    }

    void add_options(CLI::App& options) override {
        options
            .add_option(
                "RUN", runs_,
                "The directory of a night, a database, a directory with *.finding.json, or a "
                "file with the JSON of commands; - is the standard input")
            ->required()
            ->type_name("");
        options
            .add_option("--out,-o", out_,
                        "Where to write: .html is a page, .sarif SARIF 2.1.0, .xml JUnit, "
                        ".trace.json a trace for Perfetto (default: report.html)")
            ->type_name("FILE");
    }

    int run(const invocation& call) override {
        std::string (*const make)(const shown_run&) = out_.ends_with(".html")         ? &html_of
                                                      : out_.ends_with(".sarif")      ? &sarif_of
                                                      : out_.ends_with(".xml")        ? &junit_of
                                                      : out_.ends_with(".trace.json") ? &trace_of
                                                                                      : nullptr;
        if (make == nullptr)
            throw error("--out: " + out_ + ": a report ends in .html, .sarif, .xml or .trace.json");
        const shown_run all = read_runs(runs_);
        write_text(out_, make(all));
        call.print(out_ + ": " + report::counted(all.findings.size(), "finding") + ", " +
                   report::counted(all.cases.size(), "result") +
                   (all.errors.empty()
                        ? ""
                        : "; " + std::to_string(all.errors.size()) + " could not be read") +
                   "\n");
        return exit_status::clean;
    }

private:
    std::vector<std::string> runs_;
    std::string out_ = "report.html";
};

}  // namespace

std::unique_ptr<subcommand> make_report_command() {
    return std::make_unique<report_command>();
}

}  // namespace wedge::report_files
