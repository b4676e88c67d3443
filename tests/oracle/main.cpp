// A second opinion on scenarios: an interpreter of the language that shares nothing with the engine
// but the parser, and random scenarios on which both must agree.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "wedge/core/rng.hpp"
#include "wedge/scenario/parse.hpp"
#include "wedge/scenario/print.hpp"

#include "oracle/compare.hpp"
#include "oracle/generate.hpp"

namespace {

volatile std::sig_atomic_t is_stopped = 0;
void stop(int) {
    is_stopped = 1;
}

struct random_source {
    wedge::rng numbers;
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(numbers.below(n)); }
};

struct settings {
    std::uint64_t seed = 1;
    std::uint64_t count = 0;  ///< 0: until the time is over
    double seconds = 10;
    std::uint32_t allowed = ~0U;
    std::uint32_t always = 0;
    std::size_t states_max = oracle::states_max;
    bool goes_on = false;
    bool asks_every_way = false;  ///< of each program; else most are only checked
    bool prints = false;
    bool prints_open = false;  ///< the seeds of the programs that the engine does not decide
    std::vector<std::string> files;
};

[[noreturn]] void misuse(const std::string& text) {
    std::fprintf(stderr, "oracle: %s\n", text.c_str());
    std::exit(2);
}

std::uint32_t features_of(const std::string& list) {
    std::uint32_t all = 0;
    std::istringstream words(list);
    for (std::string word; std::getline(words, word, ',');) {
        std::size_t i = 0;
        while (i < oracle::feature_names.size() && oracle::feature_names[i] != word) ++i;
        if (i == oracle::feature_names.size())
            misuse("there is no feature '" + word + "', see --help");
        all |= 1U << i;
    }
    return all;
}

settings read_settings(int argc, char** argv) {
    settings made;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const auto value = [&]() -> std::string {
            if (++i == argc) misuse(word + " needs a value");
            return argv[i];
        };
        if (word == "--help") {
            std::printf(
                "Usage: oracle [--seed N] [--count N | --seconds N] [--only-features LIST]\n"
                "              [--without-features LIST] [--always LIST] [--states N] "
                "[--keep-going] "
                "[--every-way]\n              [--print] [--print-open]\n"
                "       oracle FILE...\n\nDecides random scenarios, or those of the files, by the "
                "oracle and by the engine.\nPrints the smallest scenario on which they differ, and "
                "then exits with 1.\n\nFeatures:");
            for (const std::string_view each : oracle::feature_names)
                std::printf(" %.*s", static_cast<int>(each.size()), each.data());
            std::printf("\n");
            std::exit(0);
        } else if (word == "--seed") {
            made.seed = std::strtoull(value().c_str(), nullptr, 10);
        } else if (word == "--count") {
            made.count = std::strtoull(value().c_str(), nullptr, 10);
            made.seconds = 1e9;
        } else if (word == "--seconds") {
            made.seconds = std::strtod(value().c_str(), nullptr);
        } else if (word == "--only-features") {
            made.allowed = features_of(value());
        } else if (word == "--without-features") {
            made.allowed &= ~features_of(value());
        } else if (word == "--always") {
            made.always = features_of(value());
        } else if (word == "--states") {
            made.states_max = std::strtoull(value().c_str(), nullptr, 10);
        } else if (word == "--keep-going") {
            made.goes_on = true;
        } else if (word == "--every-way") {
            made.asks_every_way = true;
        } else if (word == "--print-open") {
            made.prints_open = true;
        } else if (word == "--print") {
            made.prints = true;
        } else if (word.starts_with("-")) {
            misuse("there is no option " + word + ", see --help");
        } else {
            made.files.push_back(word);
        }
    }
    return made;
}

int over_files(const settings& how) {
    int status = 0;
    for (const std::string& file : how.files) {
        std::ifstream in(file);
        if (!in) misuse(file + ": cannot be read");
        std::stringstream text;
        text << in.rdbuf();
        const wedge::scenario::document all = wedge::scenario::parse(text.str(), file);
        const oracle::comparison_result found = oracle::compare(all, oracle::every_way, 200'000);
        std::printf("%s: %s\n", file.c_str(), found.text().c_str());
        if (found.differs()) status = 1;
        if (found.own.what != oracle::verdict::unresolved &&
            found.own.what != oracle::verdict::undefined && !found.own.is_endless &&
            !oracle::is_as_expected(all, found.own)) {
            std::printf("%s: the file expects something else than %s\n", file.c_str(),
                        oracle::name_of(found.own.what));
            status = 1;
        }
    }
    return status;
}

int over_random(const settings& how) {
    using clock = std::chrono::steady_clock;
    const auto begin = clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(clock::now() - begin).count();
    };
    std::uint64_t agreed = 0, open = 0, unresolved = 0, skipped = 0, differed = 0,
                  per_verdict[4] = {};
    double shown = 0;
    std::uint64_t seed = how.seed;
    const auto progress = [&](const char* end) {
        std::fprintf(
            stderr,
            "\r%llu programs agree (%llu deadlock, %llu livelock, %llu finding, %llu "
            "sound), %llu left open by the engine, %llu differ, %llu too large, %llu without "
            "meaning; seed %llu, %.0f s%s",
            static_cast<unsigned long long>(agreed),
            static_cast<unsigned long long>(per_verdict[0]),
            static_cast<unsigned long long>(per_verdict[1]),
            static_cast<unsigned long long>(per_verdict[2]),
            static_cast<unsigned long long>(per_verdict[3]), static_cast<unsigned long long>(open),
            static_cast<unsigned long long>(differed), static_cast<unsigned long long>(unresolved),
            static_cast<unsigned long long>(skipped), static_cast<unsigned long long>(seed),
            seconds(), end);
    };
    for (std::uint64_t n = 0; (how.count == 0 || n < how.count) && seconds() < how.seconds;
         ++n, ++seed) {
        if (is_stopped != 0) break;
        random_source random{wedge::rng(seed)};
        const std::string text =
            oracle::generator<random_source>(random, how.allowed, how.always).scenario();
        if (how.prints)
            std::printf("# seed %llu\n%s\n", static_cast<unsigned long long>(seed), text.c_str());
        const wedge::scenario::document all = wedge::scenario::parse(text, "random");
        // The dear ways of asking look at a part of the programs.
        std::vector<oracle::way> ways{oracle::way::states};
        if (seed % 16 == 0) ways.push_back(oracle::way::exhaustive);
        if (seed % 32 == 1) ways.push_back(oracle::way::two_jobs);
        if (seed % 32 == 2) ways.push_back(oracle::way::portfolio);
        if (seed % 128 == 3) ways.push_back(oracle::way::threads);
        if (how.asks_every_way) ways = oracle::every_way;
        const oracle::comparison_result found = oracle::compare(all, ways, how.states_max);
        if (found.own.what == oracle::verdict::undefined) {
            ++skipped;
        } else if (found.own.what == oracle::verdict::unresolved) {
            ++unresolved;
        } else if (!found.differs() && found.others[0].second.what == oracle::verdict::unresolved) {
            ++open;
            if (how.prints_open)
                std::printf("# seed %llu is left open\n", static_cast<unsigned long long>(seed));
        } else if (!found.differs()) {
            ++agreed;
            ++per_verdict[static_cast<unsigned>(found.own.what)];
        } else {
            ++differed;
            progress("\n");
            const wedge::scenario::document smallest =
                oracle::smallest_that_differs(all, found, how.states_max);
            std::printf(
                "# seed %llu\n%s# %s\n\n", static_cast<unsigned long long>(seed),
                wedge::scenario::to_string(smallest).c_str(),
                oracle::compare(smallest, found.ways_that_differ(), how.states_max).text().c_str());
            std::fflush(stdout);
            if (!how.goes_on) return 1;
        }
        if (seconds() - shown > 2) {
            shown = seconds();
            progress("");
        }
    }
    progress("\n");
    std::printf("%llu programs agree, %llu differ\n", static_cast<unsigned long long>(agreed),
                static_cast<unsigned long long>(differed));
    return differed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    // A search that needs too much memory must end with bad_alloc, not exhaust the machine.
    const rlimit most{rlim_t{4} << 30, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &most);
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    const settings how = read_settings(argc, argv);
    try {
        return how.files.empty() ? over_random(how) : over_files(how);
    } catch (const std::exception& failed) {
        misuse(failed.what());
    }
}
