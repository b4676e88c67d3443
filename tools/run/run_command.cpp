#include "run/run_command.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wedge/main/allowed.hpp"
#include "wedge/main/files.hpp"

#include "run/run_report.hpp"

namespace wedge::run {
namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t child_of_run = 0;

/// Passes a signal on to the program. A terminal sends SIGINT to both.
void pass_on(int signal) {
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
        add_number(options, "--seed", seed_, 0, "Of the delays");
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
        if (!shown_.empty()) return report(call, shown_, 0);
        if (program_.empty()) throw error("run: a program is missing; write it after --");
        const std::string library = library_path();
        const fs::path directory = kept_.empty() ? temporary() : fs::path(kept_);
        std::error_code failed;
        fs::create_directories(directory, failed);
        // Processes that change their user write there too.
        ::chmod(directory.c_str(), 01777);
        const int status = run_program(library, fs::absolute(directory).string());
        int result = exit_status::misuse;
        const bool is_read =
            call.guarded([&] { result = report(call, directory.string(), status); });
        if (kept_.empty()) fs::remove_all(directory, failed);
        return is_read ? result : exit_status::misuse;
    }

private:
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
        if (!trace_.empty()) plan += ";record=1";
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

    int report(const invocation& call, const std::string& directory, int status) {
        std::vector<run_process> all = read_run(directory);
        if (all.empty())
            throw error(
                "run: the library was not loaded; is the program linked statically, or "
                "does it change its user by a file mode?");
        const run_text shown =
            text_of(all, shows_remarks_ || is_strict_, [&](const std::string& signature) {
                return allowed_.allows(signature, program_.empty() ? "" : program_[0]);
            });
        if (out_.empty())
            std::fputs(shown.text.c_str(), call.err);
        else
            write_text(out_, shown.text);
        if (!trace_.empty()) save_traces(directory);
        allowed_.report(call, true);
        if (shown.findings + (is_strict_ ? shown.remarks : 0) != 0) return exit_status::findings;
        return status;
    }

    void save_traces(const std::string& directory) const {
        unsigned count = 0;
        std::vector<fs::path> files;
        for (const auto& each : fs::directory_iterator(directory))
            if (each.path().extension() == ".trace") files.push_back(each.path());
        std::sort(files.begin(), files.end());
        for (const fs::path& each : files) {
            const std::string to = ++count == 1 ? trace_ : trace_ + "." + std::to_string(count);
            write_text(to, named_trace(read_text(each.string(), 4096)));
        }
    }

    allowed_findings allowed_;
    std::vector<std::string> program_;
    std::string trace_;
    std::string out_;
    std::string kept_;
    std::string shown_;
    std::uint64_t seed_ = 1;
    std::uint32_t delay_permille_ = 50;
    std::uint32_t delay_us_ = 300;
    std::uint32_t depth_ = 5;
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
