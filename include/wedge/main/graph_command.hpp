// `graph`: the lock order of a scenario as a picture.
#pragma once

#include <string>
#include <utility>

#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/picture.hpp"
#include "wedge/main/progress.hpp"
#include "wedge/main/scenario_files.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/annotations.hpp"
#include "wedge/report/order_dot.hpp"
#include "wedge/scenario/check.hpp"
#include "wedge/scenario/order_walk.hpp"
#include "wedge/scenario/uses.hpp"

namespace wedge {

class graph_command final : public subcommand {
public:
    const char* name() const override { return "graph"; }
    const char* purpose() const override {
        return "Draw the lock order of a scenario, its cycles with their verdicts in colour";
    }

    void add_options(CLI::App& options) override {
        options.add_option("FILE", file_, "The scenario")->required()->type_name("");
        add_out(options, out_, "FILE",
                "The picture: .svg, .png or .pdf, which Graphviz draws, or .dot (default: a "
                "digraph on the standard output)");
        add_flag(options, "--order-only", options_.is_order_only,
                 "Do not explore: the cycles get no verdict");
        add_flag(options, "--annotations", is_annotating_,
                 "Print the order as clang's thread-safety attributes instead");
        add_pressure(options, options_.under);
    }

    int run(const invocation& call) override {
        const std::string format = is_annotating_ ? "" : format_of(out_);
        const scenario::document all = read_scenario(file_);
        const order_picture order = drawn(call, all);
        if (is_annotating_) {
            const std::string text = annotations_of(order);
            out_.empty() ? call.print(text) : write_text(out_, text);
            return exit_status::clean;
        }
        const std::string digraph = dot_of(order);
        if (out_.empty())
            call.print(digraph);
        else if (format == "dot")
            write_text(out_, digraph);
        else
            draw_as(format, digraph);
        return exit_status::clean;
    }

private:
    /// @throws error  the format is unknown
    static std::string format_of(const std::string& file) {
        for (const char* const each : {"dot", "svg", "png", "pdf"})
            if (file.empty() || file.ends_with(std::string(".") + each)) return each;
        throw error("--out: " + file + ": a picture ends in .svg, .png, .pdf or .dot");
    }

    order_picture drawn(const invocation& call, const scenario::document& all) {
        const interrupt_scope interrupted;
        progress_line progress(call.err, file_);
        options_.explore.stop = &interrupt_scope::requested;
        options_.explore.on_progress = &progress_line::on;
        options_.explore.progress_data = &progress;
        scenario::order_walk order(all);
        scenario::check_result result = scenario::check(all, order, options_);
        order_picture picture;
        picture.title = file_ + ": " + result.what;
        for (const scenario::declaration& each : all.all)
            if (each.what == scenario::declares::lock)
                picture.classes.push_back(scenario::class_text(each));
        picture.edges = order.dependencies();
        picture.findings = std::move(result.found.findings);
        return picture;
    }

    void draw_as(const std::string& format, const std::string& digraph) const {
        const std::string draft = out_ + ".dot";
        write_text(draft, digraph);
        if (!draw(draft, out_, format))
            throw error(out_ + ": Graphviz's dot is missing or failed; the digraph is in " + draft);
        std::filesystem::remove(draft);
    }

    scenario::check_options options_ = check_defaults();
    std::string file_;
    std::string out_;
    bool is_annotating_ = false;
};

}  // namespace wedge
