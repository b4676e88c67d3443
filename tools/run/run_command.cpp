#include "run/run_command.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wedge/explore/options.hpp"
#include "wedge/main/allowed.hpp"
#include "wedge/main/files.hpp"

#include "predict/predict.hpp"
#include "run/replayed_trace.hpp"
#include "run/run_report.hpp"

namespace wedge::run {
namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t child_of_run = 0;
volatile std::sig_atomic_t is_asked_to_end = 0;

/// Passes a signal on to the program. A terminal sends SIGINT to both.
void pass_on(int signal) {
    if (signal != SIGUSR1 && signal != SIGUSR2) is_asked_to_end = 1;
    if (signal != SIGINT && child_of_run != 0) ::kill(child_of_run, signal);
}

class run_command final : public subcommand {
public:
    const char* name() const override { return "run"; }
    const char* purpose() const override {
        return "Run a program as it is, and report the orders of its locks that may deadlock";
    }

    void add_options(CLI::App& options) override {
        options.add_option("PROGRAM", program_, "The program and its arguments, after --")
            ->type_name("");
        options.positionals_at_end();
        add_flag(options, "--check", is_check_, "Check the order of locks (default)");
        add_flag(options, "--stress", is_stress_,
                 "Delay steps on locks at random too, so that rare schedules happen");
        options
            .add_option("--record", trace_,
                        "Write the steps on locks into a trace, for wedge predict; other processes "
                        "than the first write FILE.2 and so on")
            ->type_name("FILE");
        add_flag(options, "--control", is_control_,
                 "Let one thread run at a time, in an order that a strategy draws; a deadlock ends "
                 "the program and is confirmed");
        add_choice(options, "--strategy", strategy_, strategy_texts, "With --control");
        add_number(options, "--depth", pct_depth_, 1,
                   "Of the strategy pct: how many steps must come in one order");
        add_number(options, "--runs", runs_, 1,
                   "With --control: run the program up to N times, with seeds from --seed on, "
                   "until a finding");
        options
            .add_option("--replay", replay_,
                        "With --control: let the threads take the steps of this trace: of a run, "
                        "or a witness of wedge predict --out")
            ->type_name("FILE");
        add_number(options, "--seed", seed_, 0, "Of the strategy, or of the delays");
        add_number(options, "--delay-permille", delay_permille_, 1,
                   "With --stress: how many steps");
        add_number(options, "--delay-us", delay_us_, 1, "With --stress: the longest delay");
        add_number(options, "--class-depth", depth_, 1,
                   "How many calls tell classes of locks apart that are not variables");
        add_flag(options, "--remarks", shows_remarks_,
                 "Show cycles too that these threads may never meet in");
        add_flag(options, "--strict", is_strict_, "Remarks count as findings");
        allowed_.add_to(options);
        add_out(options, out_, "FILE", "Where the report goes (default: standard error)");
        options
            .add_option("--keep", kept_,
                        "Keep the raw files in this directory; --show prints their report")
            ->type_name("DIRECTORY");
        options
            .add_option("--show", shown_, "Print the report of a directory of --keep, run nothing")
            ->type_name("DIRECTORY");
        options.footer(
            "Exit status: 1 with findings; else that of the program (128 + N if signal N ended "
            "it); "
            "2 if the program cannot be run.");
    }

    int run(const invocation& call) override {
        allowed_.read();
        if (!shown_.empty()) return report(call, shown_, 0).status;
        if (program_.empty()) throw error("run: a program is missing; write it after --");
        check_options();
        if (!replay_.empty()) replayed_ = read_replayed(read_text(replay_, 4096), replay_);
        const std::string library = library_path();
        first_seed_ = seed_;
        run_end end;
        for (std::uint32_t i = 0; i < runs_; ++i) {
            if (i != 0) ++seed_;
            follow_prediction();
            end = run_once(call, library, i + 1 == runs_);
            if (end.is_last || is_asked_to_end != 0) break;
        }
        return end.status;
    }

private:
    /// How one run of the program ended.
    struct run_end {
        int status = exit_status::misuse;
        bool is_last = true;  ///< it has shown something, or nothing could be read
    };

    /// @throws error  options that do not fit together
    void check_options() const {
        if (is_control_ && is_stress_) throw error("--stress: not with --control");
        if (runs_ > 1 && !kept_.empty()) throw error("--keep: not with --runs, which runs several");
        if (is_control_) return;
        if (!replay_.empty()) throw error("--replay: needs --control");
        if (runs_ > 1) throw error("--runs: needs --control");
        if (strategy_ != 0) throw error("--strategy: needs --control");
    }

    /// @param is_last  report it even if it has found nothing
    run_end run_once(const invocation& call, const std::string& library, bool is_last) {
        const fs::path directory = kept_.empty() ? temporary() : fs::path(kept_);
        std::error_code failed;
        fs::create_directories(directory, failed);
        // Processes that change their user write there too.
        ::chmod(directory.c_str(), 01777);
        if (!replayed_.text.empty()) write_text((directory / "replay").string(), replayed_.text);
        const int status = run_program(library, fs::absolute(directory).string());
        run_end end;
        const bool is_read =
            call.guarded([&] { end = report(call, directory.string(), status, is_last); });
        if (kept_.empty()) fs::remove_all(directory, failed);
        return is_read ? end : run_end{};
    }

    static fs::path temporary() {
        std::string name = (fs::temp_directory_path() / "wedge-run.XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw error(name + ": " + std::strerror(errno));
        return name;
    }

    /// @throws error  the library is not beside the command
    static std::string library_path() {
        if (const char* const set = std::getenv("WEDGE_RUN_LIBRARY")) return set;
        std::error_code failed;
        const fs::path here = fs::read_symlink("/proc/self/exe", failed).parent_path();
        for (const fs::path& each : {here / "libwedge_run.so", here / "../lib/libwedge_run.so",
                                     here / "../lib/wedge/libwedge_run.so"})
            if (fs::exists(each, failed)) return fs::weakly_canonical(each).string();
        throw error("run: libwedge_run.so is not in " + here.string() +
                    "; set WEDGE_RUN_LIBRARY to its path");
    }

    void set_environment(const std::string& library, const std::string& directory) const {
        std::string preload = library;
        if (const char* const before = std::getenv("LD_PRELOAD"))
            preload += ":" + std::string(before);
        ::setenv("LD_PRELOAD", preload.c_str(), 1);
        std::string plan = "check=1;seed=" + std::to_string(seed_);
        plan += ";depth=" + std::to_string(depth_);
        if (is_stress_)
            plan +=
                ";us=" + std::to_string(delay_us_) + ";delay=" + std::to_string(delay_permille_);
        if (!trace_.empty() || is_control_) plan += ";record=1";
        if (is_control_) {
            plan += ";control=1;strategy=" +
                    std::to_string(static_cast<unsigned>(strategies[strategy_]));
            plan += ";pct=" + std::to_string(pct_depth_) + ";steps=" + std::to_string(steps_);
        }
        ::setenv("WEDGE_RUN", (plan + ";dir=" + directory).c_str(), 1);
    }

    /// Runs the program and waits for it.
    ///
    /// @return its exit status, or 128 and the signal that ended it
    /// @throws error  it cannot be run
    int run_program(const std::string& library, const std::string& directory) const {
        int started[2];
        if (::pipe2(started, O_CLOEXEC) != 0) throw error(std::strerror(errno));
        const ::pid_t child = ::fork();
        if (child < 0) throw error(std::strerror(errno));
        if (child == 0) {
            set_environment(library, directory);
            std::vector<char*> words;
            for (const std::string& each : program_)
                words.push_back(const_cast<char*>(each.c_str()));
            words.push_back(nullptr);
            ::execvp(words[0], words.data());
            const int why = errno;
            static_cast<void>(!::write(started[1], &why, sizeof why));
            ::_exit(127);
        }
        ::close(started[1]);
        child_of_run = child;
        struct sigaction passing {};
        passing.sa_handler = &pass_on;
        for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2})
            ::sigaction(each, &passing, nullptr);
        int why = 0;
        const bool has_failed = ::read(started[0], &why, sizeof why) == sizeof why;
        ::close(started[0]);
        int status = 0;
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        if (has_failed) throw error("run: " + program_[0] + ": " + std::strerror(why));
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

    run_end report(const invocation& call, const std::string& directory, int status,
                   bool is_last = true) {
        std::vector<run_process> all = read_run(directory);
        if (all.empty())
            throw error(
                "run: the library was not loaded; is the program linked statically, or "
                "does it change its user by a file mode?");
        const bool shows_orders = !is_control_ || is_check_;
        run_text shown = text_of(
            all, {shows_remarks_ || is_strict_, shows_orders}, [&](const std::string& signature) {
                return allowed_.allows(signature, program_.empty() ? "" : program_[0]);
            });
        const bool has_findings = shown.findings + (is_strict_ ? shown.remarks : 0) != 0;
        std::uint64_t steps = 0;
        for (const run_process& each : all) steps = std::max(steps, each.steps);
        steps_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(steps, 1'000'000'000));
        // A program whose result depends on the order has shown a bug too.
        if (!first_status_) first_status_ = status;
        const bool is_other = status != *first_status_;
        if (!has_findings && !is_other && !is_last && is_asked_to_end == 0) {
            if (is_control_ && replay_.empty()) note_predictions(all);
            return {status, false};
        }
        const std::vector<saved_trace> traces = save_traces(all);
        if (is_control_) shown.text += control_text(all, traces);
        if (runs_ > 1) shown.text += runs_text(has_findings, is_other, status);
        if (out_.empty())
            std::fputs(shown.text.c_str(), call.err);
        else
            write_text(out_, shown.text);
        allowed_.report(call, true);
        return {has_findings ? exit_status::findings : status, has_findings || is_other};
    }

    /// Keeps the predicted deadlocks of a run's traces, each once. The next runs try them.
    void note_predictions(const std::vector<run_process>& all) {
        for (const run_process& each : all) {
            if (each.trace.empty()) continue;
            try {
                const trace recorded = parse_trace(read_text(each.trace, 4096), each.trace);
                for (const predict::prediction& one : predict::predict(recorded).deadlocks) {
                    const trace witness = predict::witness_of(recorded, one);
                    std::string name = std::to_string(each.number);
                    for (const predict::predicted_wait& wait : one.waits)
                        name += " " + std::to_string(wait.thread) + " " +
                                recorded.class_of(wait.held) + " " + recorded.class_of(wait.wanted);
                    if (predicted_.insert(name).second)
                        witnesses_.push_back(replayed_of(witness, each.number));
                }
            } catch (const error&) {
                // Steps that no hook heard, such as of a handler, can make a trace contradict
                // itself. Then it predicts nothing.
            }
        }
    }

    /// Lets the next run follow a witness of an earlier one, if there is one left.
    void follow_prediction() {
        follows_prediction_ = !witnesses_.empty();
        if (!replay_.empty()) return;
        replayed_ = {};
        if (!follows_prediction_) return;
        replayed_ = std::move(witnesses_.front());
        witnesses_.pop_front();
    }

    struct saved_trace {
        std::uint64_t process = 0;  ///< the number of the process
        std::string file;
    };

    static bool has_deadlock(const run_process& process) {
        return std::any_of(process.findings.begin(), process.findings.end(),
                           [](const raw_finding& each) { return each.is_confirmed(); });
    }

    /// Saves what the user asked for. Under control, the schedule of a deadlock is always saved.
    std::vector<saved_trace> save_traces(const std::vector<run_process>& all) const {
        std::vector<saved_trace> saved;
        for (const run_process& each : all) {
            const bool is_new_schedule = has_deadlock(each) && replay_.empty();
            if (each.trace.empty() || (trace_.empty() && !is_new_schedule)) continue;
            std::string to = trace_;
            if (to.empty())
                to = fs::path(program_[0]).filename().string() + ".seed" + std::to_string(seed_) +
                     ".trace";
            if (!saved.empty()) to += "." + std::to_string(saved.size() + 1);
            write_text(to, named_trace(read_text(each.trace, 4096)));
            saved.push_back({each.number, to});
        }
        return saved;
    }

    /// Returns what a run under control adds to its report.
    std::string control_text(const std::vector<run_process>& all,
                             const std::vector<saved_trace>& traces) const {
        std::string text;
        for (const run_process& each : all) {
            if (!has_deadlock(each)) continue;
            for (const saved_trace& saved : traces)
                if (saved.process == each.number)
                    text +=
                        "schedule  " + saved.file + "\nreplay    " + replay_line(saved.file) + "\n";
        }
        if (!replay_.empty()) text += replay_text(all);
        return text;
    }

    std::string runs_text(bool has_findings, bool is_other, int status) const {
        const std::string seed = "seed " + std::to_string(seed_) + "\n";
        if (has_findings)
            return "found by the run with " +
                   (follows_prediction_ ? "the witness of a prediction, and " + seed : seed);
        if (is_other)
            return "the program ended with status " + std::to_string(status) + ", and with " +
                   std::to_string(*first_status_) + " before, in the run with " + seed;
        std::string text = "no deadlock in " + std::to_string(seed_ - first_seed_ + 1) + " runs";
        if (!predicted_.empty())
            text += ", and " + std::to_string(predicted_.size()) + " predicted, unresolved";
        return text + ", the last with " + seed;
    }

    std::string replay_line(const std::string& file) const {
        std::string line = "wedge run --control --seed " + std::to_string(seed_) + " --replay " +
                           quoted(file) + " --";
        for (const std::string& each : program_) line += " " + quoted(each);
        return line;
    }
    /// Returns a word as a shell reads it.
    static std::string quoted(const std::string& word) {
        constexpr const char* plain =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
        if (!word.empty() && word.find_first_not_of(plain) == word.npos) return word;
        std::string text = "'";
        for (const char each : word) text += each == '\'' ? "'\\''" : std::string(1, each);
        return text + "'";
    }

    /// Returns how far the run followed the trace, and whether it met the deadlock at its end.
    std::string replay_text(const std::vector<run_process>& all) const {
        const run_process* who = nullptr;
        for (const run_process& each : all)
            if (each.number == replayed_.process) who = &each;
        std::string what;
        if (who == nullptr)
            what = "the run had no process " + std::to_string(replayed_.process);
        else if (who->left_at != 0)
            what = "the run left " + replay_ + ":" + std::to_string(who->left_at) + ": " +
                   who->why_left + "; it went on by its strategy";
        else if (who->followed == who->to_follow)
            what = "the run followed " + replay_ + " to its end";
        else
            what = "the run ended after " + std::to_string(who->followed) + " of " +
                   std::to_string(who->to_follow) + " events of " + replay_;
        if (who != nullptr && who->left_at == 0 && has_deadlock(*who))
            return "replay: the deadlock of " + replay_ + " is confirmed\n";
        if (!replayed_.has_deadlock) return "replay: " + what + "\n";
        return "replay: the deadlock of " + replay_ + " is unresolved: " + what + "\n";
    }

    allowed_findings allowed_;
    std::vector<std::string> program_;
    std::string trace_;
    std::string out_;
    std::string kept_;
    std::string shown_;
    std::uint64_t seed_ = 1;
    std::uint64_t first_seed_ = 1;
    std::optional<int> first_status_;  // of the program, in the first of several runs
    std::uint32_t delay_permille_ = 50;
    std::uint32_t delay_us_ = 300;
    std::uint32_t depth_ = 5;
    static constexpr strategy strategies[] = {strategy::portfolio, strategy::random,
                                              strategy::pct,       strategy::pos,
                                              strategy::urw,       strategy::round_robin};
    static constexpr const char* strategy_texts[] = {"portfolio", "random", "pct",
                                                     "pos",       "urw",    "round-robin"};
    std::size_t strategy_ = 0;  // in these tables
    std::uint32_t pct_depth_ = 3;
    std::uint32_t runs_ = 1;
    std::uint32_t steps_ = 1000;  // of the run before, under control
    std::string replay_;
    replayed_trace replayed_;  // what the next run follows; without text: nothing
    std::deque<replayed_trace> witnesses_;
    std::set<std::string> predicted_;  // deadlocks, by their threads and locks
    bool follows_prediction_ = false;
    bool is_control_ = false;
    bool is_check_ = false;
    bool is_stress_ = false;
    bool shows_remarks_ = false;
    bool is_strict_ = false;
};

}  // namespace

std::unique_ptr<subcommand> make_run_command() {
    return std::make_unique<run_command>();
}

}  // namespace wedge::run
