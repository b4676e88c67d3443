// `stress`: calls the actions of workloads on real threads, under load, and measures their locks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include "wedge/main/allowed.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/finding_files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/progress.hpp"
#include "wedge/main/scenario_files.hpp"
#include "wedge/main/stress_report.hpp"
#include "wedge/main/stress_scenario.hpp"
#include "wedge/main/stress_words.hpp"
#include "wedge/main/stressed_scenario.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/check.hpp"
#include "wedge/stress.hpp"
#include "wedge/stress/placement.hpp"

namespace wedge {

/// Prints the findings of a run as they come, and saves a record of each, so that a killed run has
/// lost none.
class live_findings final : public finding_sink {
public:
    /// @param folder  of the records; empty: none is saved
    live_findings(std::FILE* to, std::FILE* also, const workload_entry& of, std::string folder)
        : to_(to), also_(also), workload_(of), folder_(std::move(folder)) {}

    void on(const finding& found) noexcept override {
        const std::lock_guard turn(lock_);
        const std::string text = text_of(found) + "\n";
        for (std::FILE* const each : {to_, also_}) {
            if (each == nullptr) continue;
            if (::isatty(::fileno(each)) == 1) std::fputs("\r\x1b[K", each);
            std::fputs(text.c_str(), each);
            std::fflush(each);
        }
        shown_.push_back(found.signature);
        save(found);
    }
    /// Saves the record of a finding, in the place of an earlier one with another verdict.
    void save(const finding& found) const noexcept {
        if (folder_.empty()) return;
        try {
            finding_record record{.command = "stress", .subject = workload_.name, .what = found};
            if (workload_.expected) record.expected = wedge::name_of(*workload_.expected);
            save_record(finding_path(folder_, workload_.name, found), record);
        } catch (const std::exception& wrong) {  // the run goes on; it prints its findings too
            std::fprintf(stderr, "%s\n", wrong.what());
        }
    }
    /// Returns whether the finding was printed before, with no verdict but the first one.
    bool has_shown(const finding& found) const {
        return found.judged == verdict::unresolved &&
               std::find(shown_.begin(), shown_.end(), found.signature) != shown_.end();
    }

private:
    std::FILE* const to_;
    std::FILE* const also_;
    const workload_entry& workload_;
    const std::string folder_;
    std::mutex lock_;
    std::vector<std::string> shown_;
};

class stress_command final : public subcommand {
public:
    const char* name() const override { return "stress"; }
    const char* purpose() const override {
        return "Call the actions of workloads on real threads under load; measure their locks and "
               "report how they wedge";
    }

    void add_options(CLI::App& options) override {
        options
            .add_option("WORKLOAD", wanted_,
                        "Workloads by name, device<upstream> or upstream, and scenarios, or "
                        "directories with them (default: all workloads)")
            ->type_name("");
        add_load_options(options);
        add_perturb_options(options);
        add_text(options, "--phases", phases_, "LIST",
                 "Equal parts of the time, of steady, calm, pressure, storm and recovery");
        add_text(
            options, "--sweep", sweep_, "LIST",
            "Run with these numbers of threads, as in 1,2,4,8, and print a table of the speeds");
        add_text(options, "--interval", interval_, "TIME", "Print the speed of each such interval");
        add_number(options, "--sites", sites_, 0, "How many call sites are shown");
        add_text(options, "--histograms", histograms_, "DIR",
                 "Save the distributions of waits and holds, in HdrHistogram's text form");
        add_text(options, "--patience", patience_, "TIME",
                 "A thread has wedged if it takes no step, or ends no call, for so long "
                 "(default: 10s)");
        add_number(options, "--record", how_.recorded, 0,
                   "Keep the last steps of each thread, so many, and save them as DIR/NAME.trace");
        add_flag(options, "--expect", is_gate_,
                 "Compare with what each workload states that it comes to; exit 0 if all do");
        allowed_.add_to(options);
        add_flag(options, "--list", is_list_, "List the workloads, and end");
        add_flag(options, "--json", as_json_, "Print one JSON object per run");
        add_out(options, folder_, "DIR",
                "Where findings, and a scenario of each deadlock, are saved");
    }

    int run(const invocation& call) override {
        if (is_list_) return list(call);
        const std::vector<const workload_entry*> chosen = workloads_of(call);
        if (!documents_.empty() && !(weights_.empty() && roles_.empty()))
            throw error(std::string(weights_.empty() ? "--roles" : "--weights") +
                        ": a scenario says itself what each thread does");
        for (const workload_entry* const each : chosen) static_cast<void>(counts_for(*each));
        if (how_.recorded != 0 && folder_.empty())
            throw error("--record: say with --out DIR where the trace goes");
        allowed_.read();
        if (!folder_.empty()) make_folder(folder_);
        if (!histograms_.empty()) make_folder(histograms_);
        const interrupt_scope interrupted;
        bool is_good = true;
        bool has_wedged = false;
        for (const workload_entry* const each : chosen) {
            if (interrupt_scope::requested.load()) break;
            std::vector<std::pair<unsigned, stress_outcome>> runs;
            for (const unsigned count : counts_for(*each)) {
                if (interrupt_scope::requested.load()) break;
                stress_options how = options_for(*each, count);
                runs.emplace_back(count, stress_one(call, *each, std::move(how), is_good));
                has_wedged = has_wedged || runs.back().second.is_wedged;
            }
            if (!sweep_.empty() && !as_json_)
                call.print(report::sweep_text(each->name, runs) + "\n");
        }
        const bool was_cut = interrupt_scope::requested.load();
        if (was_cut) call.complain("cut: interrupted before the time was over");
        allowed_.report(call, !was_cut && unread_ == 0);
        const int status = unread_ != 0 ? exit_status::misuse : exit_status::of(is_good, was_cut);
        if (!has_wedged) return status;
        std::fflush(call.out);
        std::fflush(call.err);
        // Threads that are stuck can neither be ended nor waited for. A test's stream is no file,
        // and its process goes on.
        if (call.out == stdout) ::_exit(status);
        return status;
    }

private:
    using milliseconds = std::chrono::milliseconds;

    static void add_text(CLI::App& options, const char* option, std::string& target,
                         const char* type, const char* what) {
        options.add_option(option, target, what)->type_name(type)->take_last();
    }
    void add_load_options(CLI::App& options) {
        add_number(options, "--threads", threads_, 1, "How many threads", "one per processor");
        add_number(options, "--oversubscribe", oversubscribe_, 1,
                   "As many threads for each processor");
        add_text(options, "--seconds", time_, "TIME", "How long each run takes (default: 10)");
        add_number(options, "--operations", how_.calls_max, 0,
                   "How many calls each thread makes at most; 0: until the time is over");
        add_number(options, "--seed", how_.seed, 0, "The seed of the calls and perturbations");
        add_number(options, "--arguments", how_.arguments, 1, "Arguments are below this number");
        add_text(options, "--weights", weights_, "LIST",
                 "What each thread calls, and how often: fault=4, evict");
        add_text(options, "--roles", roles_, "LIST",
                 "As --weights for parts of the threads: 3: lookup=8, scan | 1: insert");
        add_text(options, "--hold", hold_, "TIME",
                 "Time to pass under each lock: 2us, 1us-5us, or exp:3us");
        add_text(options, "--think", think_, "TIME", "Time to pass between calls, as --hold");
        add_text(options, "--warm-up", warm_up_, "TIME", "Time before the counting begins");
        add_text(options, "--stutter", stutter_, "TIME",
                 "All threads pause for so long after each such time");
        add_text(options, "--shuffle", shuffle_, "TIME",
                 "Threads move to another processor so often");
        add_choice(options, "--place", how_.placed, stress_placement_names,
                   "Where the threads run");
        add_number(options, "--hog", how_.hog_mebibytes, 0,
                   "MiB of memory that one more thread takes and gives back");
    }
    void add_perturb_options(CLI::App& options) {
        perturb_options& to = how_.pauses;
        add_number(options, "--yields", to.yields, 0, "Yields, in 1024ths of the steps on locks");
        add_number(options, "--spins", to.spins, 0, "Short spins, likewise");
        add_number(options, "--delays", to.delays, 0,
                   "Sleeps of up to 200 us before an acquire under a lock, likewise");
        add_number(options, "--demotions", to.demotions, 0,
                   "Times at which a thread becomes slow for 64 acquires, likewise");
        add_number(options, "--migrations", to.migrations, 0,
                   "Moves to another processor, likewise");
        add_number(options, "--try-failures", to.try_failures, 0,
                   "Trylocks that fail for no reason, in 1024ths");
        add_number(options, "--back-offs", to.back_offs, 0,
                   "Wound/wait acquires that back off for no reason, in 1024ths");
        add_number(options, "--alloc-failures", to.alloc_failures, 0,
                   "Calls in which model allocations may fail, in 1024ths");
    }

    int list(const invocation& call) const {
        for (const workload_entry& each : call.workloads)
            call.print(each.name +
                       (each.expected ? std::string(" ") + wedge::name_of(*each.expected)
                                      : std::string()) +
                       "\n");
        return exit_status::clean;
    }

    std::vector<const workload_entry*> workloads_of(const invocation& call) {
        std::vector<const workload_entry*> chosen;
        for (const std::string& word : wanted_) {
            const std::size_t before = chosen.size();
            for (const workload_entry& each : call.workloads)
                if (each.name == word || each.name.ends_with("<" + word + ">"))
                    chosen.push_back(&each);
            if (chosen.size() != before) continue;
            std::error_code failed;
            if (word.ends_with(".wedge") || std::filesystem::is_directory(word, failed)) {
                for (const std::string& file : scenario_files(call, {word}, unread_))
                    if (!call.guarded([&] { chosen.push_back(&add_scenario(call, file)); }))
                        ++unread_;
                continue;
            }
            const std::vector<std::string> names = call.workload_names();
            throw error("WORKLOAD: there is no workload '" + word + "'" + suggestion(word, names) +
                        (names.empty() ? "" : "; there is " + joined(names)));
        }
        if (wanted_.empty())
            for (const workload_entry& each : call.workloads) chosen.push_back(&each);
        if (chosen.empty() && unread_ == 0)
            throw error(
                "WORKLOAD: this program has no workload; one built with WEDGE_MAIN(workload...) "
                "has. Name a scenario, as in stress design.wedge");
        return chosen;
    }

    /// Reads a scenario, and makes a row of it.
    const workload_entry& add_scenario(const invocation& call, const std::string& file) {
        const scenario::document& all = documents_[file] =
            call.reading(name(), file, as_json_, [&] {
                scenario::document read = read_scenario(file);
                detail::check_can_be_stressed(read);
                if (std::ranges::none_of(read.all, [](const scenario::declaration& each) {
                        return each.what == scenario::declares::thread;
                    }))
                    throw error(file + ": there is no thread to stress");
                return read;
            });
        workload_entry& made = scenarios_.emplace_back();
        made.name = file;
        const auto says = [&](scenario::expects what) {
            return std::ranges::any_of(all.all, [&](const scenario::declaration& each) {
                return each.what == scenario::declares::expect && each.expected == what;
            });
        };
        const bool is_broken = says(scenario::expects::deadlock) ||
                               says(scenario::expects::livelock) ||
                               says(scenario::expects::finding);
        made.expected = says(scenario::expects::unresolved)            ? result::unresolved
                        : is_broken && !says(scenario::expects::sound) ? result::deadlock
                                                                       : result::sound;
        return made;
    }
    /// Returns the numbers of threads to run it with. Those of a scenario are multiples of the
    /// threads in the file.
    std::vector<unsigned> counts_for(const workload_entry& of) const {
        std::vector<unsigned> counts =
            sweep_.empty() ? std::vector<unsigned>{threads()} : thread_counts_of("--sweep", sweep_);
        const auto file = documents_.find(of.name);
        if (file == documents_.end()) return counts;
        const unsigned together = stressed_scenario::threads_in(file->second);
        if (!threads_ && sweep_.empty())
            return {std::max(counts.front() / together, oversubscribe_) * together};
        for (const unsigned count : counts)
            if (count % together != 0)
                throw error(std::string(sweep_.empty() ? "--threads" : "--sweep") + ": " + of.name +
                            " has " + report::counted(together, "thread") +
                            ", so the number is a multiple of " + std::to_string(together));
        return counts;
    }

    unsigned threads() const {
        if (threads_) return *threads_;
        return std::max<unsigned>(static_cast<unsigned>(usable_processors().size()), 1) *
               oversubscribe_;
    }
    static milliseconds milliseconds_of(const char* option, const std::string& text) {
        if (text.empty()) return milliseconds(0);
        const auto time = duration_of(option, text);
        const auto rounded = std::chrono::duration_cast<milliseconds>(time);
        return time.count() != 0 && rounded.count() == 0 ? milliseconds(1) : rounded;
    }

    stress_options options_for(const workload_entry& of, unsigned count) const {
        stress_options how = how_;
        how.threads = count;
        const bool is_plain = time_.find_first_not_of("0123456789") == std::string::npos;
        how.time = milliseconds_of("--seconds", is_plain ? time_ + "s" : time_);
        if (!weights_.empty() && !roles_.empty())
            throw error("--weights: --roles says it for all threads already");
        if (!weights_.empty()) how.roles = {{1, weights_of("--weights", weights_, of.actions)}};
        if (!roles_.empty()) how.roles = roles_of("--roles", roles_, of.actions);
        if (!hold_.empty()) how.holding = random_time_of("--hold", hold_);
        if (!think_.empty()) how.thinking = random_time_of("--think", think_);
        if (!phases_.empty()) how.phases = phases_of("--phases", phases_);
        how.warm_up = milliseconds_of("--warm-up", warm_up_);
        how.interval = milliseconds_of("--interval", interval_);
        how.stutter = milliseconds_of("--stutter", stutter_);
        how.shuffle = milliseconds_of("--shuffle", shuffle_);
        if (!patience_.empty()) how.patience = milliseconds_of("--patience", patience_);
        if (how.stutter >= how.patience)
            throw error("--stutter: a pause must be shorter than --patience");
        return how;
    }

    stress_outcome stress_one(const invocation& call, const workload_entry& of, stress_options how,
                              bool& is_good) {
        const std::string stem = folder_.empty() ? "" : folder_ + "/" + file_part(of.name);
        const detail::open_file saved(
            folder_.empty() ? nullptr : std::fopen((stem + ".findings").c_str(), "a"));
        if (!folder_.empty() && saved == nullptr) detail::fail_file(stem + ".findings");
        live_findings live(as_json_ ? call.err : call.out, saved.get(), of, folder_);
        stress_outcome all;
        const auto file = documents_.find(of.name);
        {
            progress_line progress(call.err, of.name);
            how.reports = &live;
            how.stop = &interrupt_scope::requested;
            how.on_progress = &show_progress;
            how.progress_data = &progress;
            all = file == documents_.end()
                      ? stress(*of.type, how)
                      : stress(std::make_unique<stressed_scenario>(file->second, how.threads), how);
        }
        allowed_.mark(all.what.findings, of.name);
        const std::size_t unknown = unknown_of(all);
        const bool is_met = meets(of, all, file == documents_.end() ? unknown : happened_in(all));
        is_good = is_good && (is_gate_ && of.expected ? is_met || all.is_cut : unknown == 0);
        for (const finding& each : all.what.findings) {
            if (saved == nullptr || live.has_shown(each)) continue;
            std::fputs((text_of(each) + "\n").c_str(), saved.get());
            live.save(each);
        }
        const std::string repeated = all.is_wedged ? save_scenario(call, of, all, stem) : "";
        if (as_json_)
            call.print(report::stress_json(
                of.name, all, of.expected ? wedge::name_of(*of.expected) : "", is_met));
        else
            call.print(text(call, of, how, all, live, is_met) + repeated);
        if (!histograms_.empty()) save_histograms(of, all);
        if (!all.trace.empty()) write_text(stem + ".trace", all.trace);
        std::fflush(call.out);
        return all;
    }

    static void show_progress(const stress_progress& so_far, void* to) {
        static_cast<progress_line*>(to)->show([&] {
            std::string text = report::number_text(so_far.calls) + " calls, " +
                               report::counted(so_far.findings, "finding");
            if (so_far.phase != stress_phase::steady)
                text += std::string(", ") + wedge::name_of(so_far.phase);
            return text;
        });
    }

    static std::size_t unknown_of(const stress_outcome& all) {
        return static_cast<std::size_t>(
            std::ranges::count(all.what.findings, false, &finding::is_allowed));
    }
    /// Returns how many findings of a scenario happened and are not allowed. Whether another order
    /// could hang is for the explorer to say.
    static std::size_t happened_in(const stress_outcome& all) {
        return static_cast<std::size_t>(
            std::ranges::count_if(all.what.findings, [](const finding& each) {
                return !each.is_allowed &&
                       (each.judged == verdict::confirmed || each.judged == verdict::observed);
            }));
    }

    /// Returns whether a run came to what the workload states. A broken workload must show a
    /// finding: a deadlock may need more time than the run had, but its order is seen at once.
    ///
    /// @param unknown  how many findings speak against a sound workload
    static bool meets(const workload_entry& of, const stress_outcome& all, std::size_t unknown) {
        if (!of.expected) return unknown == 0;
        const bool is_sound = *of.expected == result::sound || *of.expected == result::unresolved;
        return is_sound ? unknown == 0 : !all.what.findings.empty();
    }

    std::string text(const invocation& call, const workload_entry& of, const stress_options& how,
                     const stress_outcome& all, const live_findings& live, bool is_met) const {
        std::string text;
        for (const finding& each : all.what.findings)
            if (!live.has_shown(each)) text += text_of(each) + "\n";
        text += report::stress_headline(of.name, all);
        if (is_gate_ && of.expected)
            text += is_met ? ", as expected"
                           : std::string("; expected: ") + wedge::name_of(*of.expected);
        text += "\n\n" + report::stack_text(all) + report::action_table(all) +
                report::interval_table(all) + report::lock_tables(all, sites_) +
                report::balance_text(all) + "\n";
        if (!all.what.findings.empty())
            text += "again (threads are not repeated exactly): " + shell_quoted(call.program) +
                    " stress " + shell_quoted(of.name) + " --threads " +
                    std::to_string(how.threads) + " --seed " + std::to_string(how.seed) + "\n\n";
        return text;
    }

    /// Writes the deadlock as a scenario, and lets the explorer repeat it.
    ///
    /// @return a text on the result; empty if the hang is no cycle of locks
    std::string save_scenario(const invocation& call, const workload_entry& of,
                              const stress_outcome& all, const std::string& stem) const {
        for (const finding& each : all.what.findings) {
            if (!each.is_stuck()) continue;
            const deadlock_scenario made(each);
            if (!made.exists()) return "no scenario: the hang is no cycle of locks alone\n\n";
            const std::string head = "A deadlock of " + of.name + " under stress.";
            const auto check = [](const std::string& text) {
                return scenario::check(scenario::parse(text, "the scenario of the deadlock"),
                                       check_defaults());
            };
            // A schedule names the text that it is of, so the findings are those of the last text.
            const std::string text = made.text(head, kinds_in(check(made.text(head)).found));
            const scenario::check_result checked = check(text);
            std::string where = "\n\n" + text;
            if (!stem.empty()) {
                const std::string file = stem + ".wedge";
                write_text(file, text);
                where = " in " + file + "\n";
                for (const finding& found : checked.found.findings) {
                    const std::string schedule = save_schedule(
                        file,
                        finding_path(folder_, std::filesystem::path(file).stem().string(), found),
                        found);
                    if (!schedule.empty()) where += "replay: " + call.replay_line(schedule) + "\n";
                }
            }
            return (checked.what == "deadlock"
                        ? "confirmed: the explorer repeats the deadlock of the scenario"
                        : "not confirmed: the explorer finds " + checked.what +
                              " in the scenario") +
                   where + "\n";
        }
        return {};
    }

    /// Returns the kinds of the findings that scenarios expect by name.
    static std::vector<std::string> kinds_in(const outcome& all) {
        std::vector<std::string> kinds;
        for (const finding& each : all.findings) {
            const std::string kind = wedge::name_of(each.kind);
            if (each.kind != finding_kind::deadlock &&
                std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
                kinds.push_back(kind);
        }
        return kinds;
    }

    void save_histograms(const workload_entry& of, const stress_outcome& all) const {
        const std::string stem = histograms_ + "/" + file_part(of.name) + ".";
        for (const lock_statistics::row& each : all.locks.rows()) {
            write_text(stem + file_part(each.name) + ".wait.hgrm", each.counted.waits.hgrm());
            write_text(stem + file_part(each.name) + ".hold.hgrm", each.counted.holds.hgrm());
        }
        for (const action_usage& each : all.actions)
            write_text(stem + file_part(each.name) + ".call.hgrm", each.latencies.hgrm());
    }

    stress_options how_;
    allowed_findings allowed_;
    std::optional<unsigned> threads_;
    unsigned oversubscribe_ = 1;
    std::string time_ = "10";
    std::string weights_, roles_, hold_, think_, phases_, sweep_;
    std::string warm_up_, interval_, stutter_, shuffle_, patience_;
    std::string folder_, histograms_;
    std::vector<std::string> wanted_;
    std::map<std::string, scenario::document> documents_;  // of scenarios, by their paths
    std::list<workload_entry> scenarios_;
    std::uint64_t unread_ = 0;
    std::size_t sites_ = 8;
    bool is_gate_ = false;
    bool is_list_ = false;
    bool as_json_ = false;
};

}  // namespace wedge
