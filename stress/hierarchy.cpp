// Stresses the lock hierarchy of a GPU driver: real threads, a memory hog, and a watchdog.
//
//     stress_hierarchy --design blocking_shrinker --seconds 5
//
// clang-format off
// ctest: upstream --design device<upstream> --seconds 1 --hog 8 => ^device<upstream>: clean
// ctest: imap_before_reclaim exit=1 --design imap_before_reclaim --seconds 2 => deadlock: .*i_mmap
// ctest: blocking_shrinker exit=1 --design blocking_shrinker --seconds 2 => deadlock: .*dma_resv
// ctest: alloc_under_imap exit=1 --design alloc_under_imap --seconds 2 => deadlock: .*i_mmap
// ctest: gpu_upstream --design gpu_device<upstream> --seconds 1 --hog 8 => ^gpu_device<upstream>: clean
// ctest: gpu_recovery exit=1 --design recovery_allocates --seconds 2 => gpu.lock.*reclaim
// ctest: list --list => ^device<upstream>\n.*gpu_device<upstream>\n.*gpu_device<notifier_takes_reservation>\n$
// ctest: misuse exit=2 --design nothing => there is no design nothing
// clang-format on
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "wedge/model/device_list.hpp"
#include "wedge/report/text.hpp"
#include "wedge/stress.hpp"

// Some designs are broken on purpose, and wedge reports their inverted orders. TSan still reports
// data races.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
    return "detect_deadlocks=0";
}

namespace {

struct design_row {
    std::string name;
    wedge::stress_outcome (*stress)(const wedge::stress_options&);

    /// Returns whether the design has this name: `device<upstream>`, or `upstream` alone.
    bool is_called(const std::string& by) const {
        return name == by || name.ends_with("<" + by + ">");
    }
};

template <wedge::workload... Workloads>
std::vector<design_row> rows_of(wedge::workload_list<Workloads...>) {
    return {{wedge::workload_name<Workloads>(), &wedge::stress<Workloads>}...};
}

constexpr const char* usage =
    "usage: stress_hierarchy [options]\n\n"
    "  --design NAME  one design instead of all: device<upstream>, or the part within <>, which\n"
    "                 may be of two devices\n"
    "  --seconds N    how long each (default 10)\n"
    "  --threads N    real threads that call its actions (default 4)\n"
    "  --seed N       of the calls and the pauses (default 1)\n"
    "  --hog MIB      memory that one more thread takes and gives back (default 64)\n"
    "  --patience N   seconds without a step after which a thread has wedged (default 10)\n"
    "  --list         the names of the designs\n\n"
    "Exit status: 0 clean, 1 findings or wedged, 2 misuse, 130 interrupted and nothing found.\n";

struct settings {
    wedge::stress_options how{.arguments = 4, .hog_mebibytes = 64};
    std::string design;
    bool is_list = false;
    bool is_help = false;
};

[[noreturn]] void misuse(const std::string& why) {
    std::fprintf(stderr, "stress_hierarchy: %s; see --help\n", why.c_str());
    std::exit(2);
}

std::uint64_t number_after(const std::string& option, const char* text, std::uint64_t least,
                           std::uint64_t most) {
    const std::string_view word = text != nullptr ? text : "";
    std::uint64_t value = 0;
    const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (status != std::errc{} || end != word.data() + word.size() || value < least || value > most)
        misuse(option + " needs a number from " + std::to_string(least) + " to " +
               std::to_string(most));
    return value;
}

settings parsed(int argc, char** argv) {
    settings made;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const auto number = [&](std::uint64_t least, std::uint64_t most) {
            return number_after(word, argv[++i < argc ? i : argc], least, most);
        };
        if (word == "--design") {
            if (++i == argc) misuse("--design needs a name");
            made.design = argv[i];
        } else if (word == "--seconds") {
            made.how.time = std::chrono::seconds(number(1, 1'000'000));
        } else if (word == "--threads") {
            made.how.threads = static_cast<unsigned>(number(1, 1000));
        } else if (word == "--seed") {
            made.how.seed = number(0, ~std::uint64_t{0});
        } else if (word == "--hog") {
            made.how.hog_mebibytes = number(0, 1 << 20);
        } else if (word == "--patience") {
            made.how.patience = std::chrono::seconds(number(1, 1'000'000));
        } else if (word == "--list") {
            made.is_list = true;
        } else if (word == "--help" || word == "-h") {
            made.is_help = true;
        } else {
            misuse("unknown argument '" + word + "'");
        }
    }
    return made;
}

std::atomic<bool> is_interrupted{false};

/// Prints a line every ten seconds; on a terminal, one line that changes.
void show_progress(const wedge::stress_progress& so_far, void* name) {
    static const bool is_terminal = ::isatty(2) == 1;
    static long long shown = 0;
    const long long tick = so_far.elapsed.count() / (is_terminal ? 200 : 10'000);
    if (tick == shown || tick == 0) return;
    shown = tick;
    std::fprintf(stderr,
                 is_terminal ? "\r\x1b[K%s: %lld s, %llu calls, %zu findings"
                             : "%s: %lld s, %llu calls, %zu findings\n",
                 static_cast<const char*>(name),
                 static_cast<long long>(so_far.elapsed.count() / 1000),
                 static_cast<unsigned long long>(so_far.calls), so_far.findings);
}

void print_statistics(const wedge::lock_statistics& locks) {
    std::printf("\n  %-16s %12s %12s %12s %12s %14s\n", "class", "acquired", "contended", "tried",
                "failed", "longest wait");
    for (const wedge::lock_statistics::row& each : locks.rows())
        std::printf("  %-16s %12llu %12llu %12llu %12llu %11.1f us\n", each.name.c_str(),
                    static_cast<unsigned long long>(each.counted.acquired),
                    static_cast<unsigned long long>(each.counted.contended),
                    static_cast<unsigned long long>(each.counted.tried),
                    static_cast<unsigned long long>(each.counted.failed),
                    static_cast<double>(each.counted.waited_max.count()) / 1000.0);
    std::printf("\n");
}

/// @return whether nothing was found; does not return if threads are stuck
bool stress_one(const design_row& of, const settings& given) {
    wedge::stress_options how = given.how;
    std::string name = of.name;
    how.stop = &is_interrupted;
    how.on_progress = &show_progress;
    how.progress_data = name.data();
    const wedge::stress_outcome all = of.stress(how);
    if (::isatty(2) == 1) std::fputs("\r\x1b[K", stderr);
    for (const wedge::finding& each : all.what.findings)
        std::printf("%s\n", wedge::text_of(each).c_str());
    const bool is_clean = all.what.findings.empty();
    std::printf("%s: %s, %llu calls by %u threads\n", name.c_str(),
                all.is_wedged ? "wedged"
                : is_clean ? is_interrupted.load() ? "interrupted, nothing found so far" : "clean"
                           : wedge::report::counted(all.what.findings.size(), "finding").c_str(),
                static_cast<unsigned long long>(all.calls), how.threads);
    if (!all.is_wedged) print_statistics(all.locks);
    std::fflush(stdout);
    if (all.is_wedged) {
        std::printf("replay: %s --design '%s' --seed %llu --threads %u\n", "stress_hierarchy",
                    name.c_str(), static_cast<unsigned long long>(how.seed), how.threads);
        std::fflush(stdout);
        ::_exit(1);  // threads that are stuck can neither be ended nor waited for
    }
    return is_clean;
}

}  // namespace

int main(int argc, char** argv) {
    const settings given = parsed(argc, argv);
    if (given.is_help) return std::fputs(usage, stdout), 0;
    const std::vector<design_row> designs = rows_of(wedge::device_list{});
    if (given.is_list) {
        for (const design_row& each : designs) std::printf("%s\n", each.name.c_str());
        return 0;
    }
    std::signal(SIGINT, [](int) { is_interrupted.store(true); });
    bool is_known = false;
    bool is_clean = true;
    for (const design_row& each : designs) {
        if (!given.design.empty() && !each.is_called(given.design)) continue;
        is_known = true;
        is_clean = stress_one(each, given) && is_clean;
        if (is_interrupted.load()) break;
    }
    if (!is_known) misuse("there is no design " + given.design + ", --list names them");
    constexpr int interrupted = 130;
    return !is_clean ? 1 : is_interrupted.load() ? interrupted : 0;
}
