// One libFuzzer program: its options, its watchdog, its reports.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "wedge/fuzz/other_fuzzers.hpp"
#include "wedge/fuzz/report.hpp"
#include "wedge/fuzz/watchdog.hpp"
#include "wedge/report/allow_list.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/words.hpp"

// libFuzzer's own mutator; null in a program that only replays.
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                                              std::size_t size_max);

// Writes the profile of a program that was built with source coverage; null in others.
extern "C" __attribute__((weak)) int __llvm_profile_write_file(void);

namespace wedge {

/// A libFuzzer program: its command line, its watchdog, and its progress. libFuzzer ignores options
/// that begin with `--`:
///
///     --design=NAME      fuzz this design alone; a program named PROGRAM--NAME does so by itself
///     --mutator=bytes    libFuzzer's mutator instead of wedge's; to measure what wedge's is worth
///     --counters=off     no feedback except branches; to measure what the counters are worth
///     --allow=FILE       name the findings of an allow list (docs/allow_list.md) once, and go on
///     --known=FILE       ignore the findings of an allow list from the beginning
///     --keep-going       report each finding once and go on; exit status 77 at the end if there
///                        was one. Then there is no `crash-` file, but all other files
///     --json             at the end one JSON object per design on the standard output, with the
///                        lock pairs that its inputs have shown (docs/machine_readable.md)
class fuzz_program {
public:
    static fuzz_program& the() {
        static fuzz_program& made = *new fuzz_program;
        return made;
    }

    void begin(int& argc, char** argv, fuzz_group& group) {
        group_ = &group;
        if (argc > 0) program_ = argv[0];
        try {
            if (const std::string design = design_in_name(program_); !design.empty())
                group.restrict_to(design);
            for (int i = 1; i < argc; ++i) read(argv[i]);
        } catch (const error& wrong) {
            detail::write_all(2, program_ + ": " + wrong.what() + "\n");
            ::_exit(2);  // libFuzzer has not begun, so there is nothing to save
        }
        // AFL++'s driver would take any option for a number of inputs.
        if (is_under_afl())
            argc =
                static_cast<int>(std::remove_if(argv + std::min(argc, 1), argv + argc,
                                                [](const char* each) {
                                                    return std::string_view(each).starts_with("--");
                                                }) -
                                 argv);
    }

    /// Starts what only a fuzzing program has: a watchdog, and progress lines.
    void begin_watch() {
        dog_ = new fuzz_watchdog(*group_, patience_);  // until the process ends
        began_ = said_ = clock::now();
        std::atexit([] { the().end(); });
        // Replaces libFuzzer's handlers, which end without a last line. A service manager and
        // `timeout` send SIGTERM.
        struct sigaction interrupted {};
        // The flag is lock-free, so a handler may set it.
        interrupted.sa_handler = [](int) { fuzz_settlement::is_interrupted.store(true); };
        interrupted.sa_flags = static_cast<int>(SA_RESETHAND);  // a second signal ends it at once
        ::sigaction(SIGINT, &interrupted, nullptr);
        ::sigaction(SIGTERM, &interrupted, nullptr);
    }

    /// Runs an input. On a finding it prints the report and aborts, so that the fuzzer keeps the
    /// input; with --keep-going it goes on.
    int run(const std::uint8_t* data, std::size_t size) {
        if (dog_ == nullptr) begin_watch();
        dog_->mark();
        if (const std::optional<fuzz_sighting> seen = group_->run({data, size})) {
            if (is_allowed(*seen)) {
                group_->pass_over(*seen);
                dog_->mark();
                return 0;
            }
            ++findings_;
            broken_.insert(seen->input.design);
            detail::write_all(2, report_of(*seen, *group_, program_, artefacts_));
            if (!keeps_going_) std::abort();
            group_->pass_over(*seen);
        }
        hand_over_counters();
        dog_->mark();
        if (fuzz_settlement::is_interrupted) {
            detail::write_all(2, "wedge: interrupted\n");
            end();
            constexpr int interrupted = 130;  // not the status of a complete run
            ::_exit(interrupted);             // the corpus is on the disk already
        }
        constexpr std::uint64_t look_every = 256;  // a look at the clock costs a tenth of an input
        if (++inputs_ % look_every == 0 && clock::now() - said_ >= std::chrono::seconds(10)) {
            said_ = clock::now();
            detail::write_all(2, progress());
        }
        return 0;
    }

    std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t size_max, unsigned seed) {
        if (uses_bytes_ && LLVMFuzzerMutate != nullptr)
            return LLVMFuzzerMutate(data, size, size_max);
        return group_->mutate(data, size, size_max, seed);
    }

    std::size_t cross_over(std::span<const std::uint8_t> one, std::span<const std::uint8_t> other,
                           std::uint8_t* data, std::size_t size_max, unsigned seed) {
        if (!uses_bytes_) return group_->cross_over(one, other, data, size_max, seed);
        const std::size_t head = std::min(one.size() / 2, size_max);
        const std::size_t tail = std::min(other.size() - other.size() / 2, size_max - head);
        std::copy_n(one.begin(), head, data);
        std::copy_n(other.end() - static_cast<std::ptrdiff_t>(tail), tail, data + head);
        return head + tail;
    }

private:
    using clock = std::chrono::steady_clock;

    void read(std::string_view word) {
        const auto value = [&](std::string_view option) -> std::optional<std::string_view> {
            if (!word.starts_with(option)) return std::nullopt;
            return word.substr(option.size());
        };
        if (const auto prefix = value("-artifact_prefix=")) {
            artefacts_ = *prefix;
        } else if (const auto seconds = value("-timeout=")) {
            long number = 0;
            std::from_chars(seconds->data(), seconds->data() + seconds->size(), number);
            if (number > 0) patience_ = std::chrono::seconds(number);
        } else if (const auto design = value("--design=")) {
            group_->restrict_to(*design);
        } else if (const auto mutator = value("--mutator=")) {
            uses_bytes_ = must_be(*mutator, "bytes", word);
        } else if (const auto counters = value("--counters=")) {
            detail::fuzz_counters_on = !must_be(*counters, "off", word);
        } else if (const auto known = value("--known=")) {
            read_known(std::string(*known));
        } else if (const auto allowed = value("--allow=")) {
            allowed_ = list_in("--allow: ", std::string(*allowed));
        } else if (word == "--keep-going") {
            keeps_going_ = true;
        } else if (word == "--json") {
            is_json_ = true;
        } else if (word.starts_with("--")) {
            throw error("there is no option " + std::string(word) +
                        "; there is --design=NAME, --mutator=bytes, --counters=off, --allow=FILE, "
                        "--known=FILE, --keep-going, --json");
        }
    }
    static allow_list list_in(const std::string& option, const std::string& path) {
        std::ifstream file(path);
        if (!file) throw error(option + path + ": it cannot be read");
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        return allow_list(text, path);
    }
    void read_known(const std::string& path) {
        const allow_list all = list_in("--known: ", path);
        for (const allowed_finding& each : all.entries()) {
            if (all.is_expired(each)) continue;
            for (const fuzz_design& design : group_->designs())
                if (each.workload.empty() || each.workload == design.name)
                    group_->pass_over(design.name, each.signature);
        }
    }
    bool is_allowed(const fuzz_sighting& seen) {
        if (!allowed_.allows_any({seen.signature, seen.what.signature},
                                 group_->designs()[seen.input.design].name))
            return false;
        detail::write_all(2, "wedge: allowed: " + seen.signature + "\n");
        return true;
    }
    static bool must_be(std::string_view value, std::string_view wanted, std::string_view option) {
        if (value == wanted) return true;
        throw error(std::string(option) + ": the only value is " + std::string(wanted));
    }

    void end() const {
        detail::write_all(2, progress());
        if (is_json_) detail::write_all(1, json());
        for (const std::string& each : allowed_.complaints())
            detail::write_all(2, "wedge: " + each + "\n");
        constexpr int crashed = 77;  // libFuzzer's status of a run with a finding
        if (findings_ == 0) return;
        if (__llvm_profile_write_file != nullptr) static_cast<void>(__llvm_profile_write_file());
        ::_exit(crashed);
    }

    /// Returns an object per design that has run. The findings have records of their own.
    std::string json() const {
        std::string text;
        group_->for_each_lock_pairs([&](std::size_t i, const std::vector<dependency>& seen) {
            json_writer line;
            report::begin_json(line, "fuzz").key("workload").value(group_->designs()[i].name);
            line.key("outcome").value(broken_.contains(i) ? "finding" : "unresolved");
            line.key("findings").begin('[').end(']');
            report::write_lock_pairs(line, seen);
            text += line.end('}').text() + "\n";
        });
        return text;
    }

    std::string progress() const {
        const double seconds =
            std::max(0.001, std::chrono::duration<double>(clock::now() - began_).count());
        const fuzz_group::knowledge known = group_->known();
        using report::amount;
        return "wedge: " + amount(inputs_, "input") + ", " +
               std::to_string(static_cast<std::uint64_t>(double(inputs_) / seconds)) + "/s, " +
               amount(known.edges, "edge") + ", " + amount(known.chains, "chain") + ", " +
               amount(known.composed, "program") + " composed, " + std::to_string(known.refuted) +
               " refuted, " + amount(findings_, "finding") + "\n";
    }

    fuzz_group* group_ = nullptr;
    std::string program_ = "fuzz";
    std::string artefacts_;
    allow_list allowed_;
    std::chrono::seconds patience_{60};
    bool uses_bytes_ = false;
    bool keeps_going_ = false;
    bool is_json_ = false;
    fuzz_watchdog* dog_ = nullptr;
    clock::time_point began_{};
    clock::time_point said_{};
    std::uint64_t inputs_ = 0;
    unsigned findings_ = 0;
    std::set<std::size_t> broken_;  // designs with a finding
};

}  // namespace wedge
