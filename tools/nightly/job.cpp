#include "nightly/job.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "wedge/main/words.hpp"

namespace wedge::nightly {

namespace {

/// Returns the number before ` word` in a line such as `wedge: 12 inputs, 3 edges`.
std::int64_t before_word(std::string_view line, std::string_view word) {
    const std::size_t at = line.find(" " + std::string(word));
    if (at == std::string_view::npos) return 0;
    std::size_t first = at;
    while (first > 0 && std::isdigit(static_cast<unsigned char>(line[first - 1])) != 0) --first;
    return first == at ? 0 : std::stoll(std::string(line.substr(first, at - first)));
}

/// Calls `visit` with each line of a text.
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::size_t length = std::min(text.find('\n'), text.size());
        visit(text.substr(0, length));
        text.remove_prefix(std::min(length + 1, text.size()));
    }
}

/// Removes what differs from run to run: addresses, and the folders of paths.
std::string without_addresses(std::string_view line) {
    std::string made;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line.substr(i, 2) == "0x") {
            i += 1;
            while (i + 1 < line.size() && std::isxdigit(static_cast<unsigned char>(line[i + 1])))
                ++i;
            made += "0x…";
        } else if (line[i] == '/') {  // a path: its last part stays
            const std::size_t end = std::min(line.find_first_of(" :", i), line.size());
            const std::size_t last = line.substr(0, end).rfind('/');
            i = last;
        } else {
            made += line[i];
        }
    }
    return made;
}

std::string seconds_text(double seconds) {
    return std::to_string(std::max(1L, std::lround(seconds)));
}

}  // namespace

fuzz_counts counts_in(std::string_view output) {
    fuzz_counts made;
    bool is_ours = false;
    for_each_line(output, [&](std::string_view line) {
        // One input, one edge and one chain have words without an s.
        if (line.starts_with("wedge: ") && line.find(" input") != std::string_view::npos &&
            line.find("/s, ") != std::string_view::npos) {
            is_ours = true;
            made = {before_word(line, "input"), before_word(line, "edge"),
                    before_word(line, "chain")};
        } else if (!is_ours && line.starts_with("#") && line.find(" cov: ") != line.npos) {
            made.inputs = std::max(made.inputs, before_word(line.substr(1), "\t"));
            const std::size_t at = line.find(" cov: ") + 6;
            made.edges = std::atoll(std::string(line.substr(at)).c_str());
        } else if (!is_ours && line.starts_with("stat::number_of_executed_units:")) {
            made.inputs = std::atoll(std::string(line.substr(31)).c_str());
        }
    });
    return made;
}

std::string last_words(std::string_view output) {
    std::string last;
    for_each_line(output, [&](std::string_view line) {
        if (!line.empty() && !line.starts_with("{")) last = line.substr(0, 500);
    });
    return last;
}

std::optional<finding_seen> summary_in(std::string_view output, const job_config& of) {
    std::optional<finding_seen> made;
    for_each_line(output, [&](std::string_view line) {
        if (!line.starts_with("SUMMARY: ") || line.find("deadly signal") != line.npos) return;
        if (line.find("libFuzzer: ") != line.npos && line.find("out-of-memory") == line.npos &&
            line.find("timeout") == line.npos)
            return;
        if (made) return;
        const bool is_wedge = line.starts_with("SUMMARY: wedge: ");
        made.emplace();
        made->command = "fuzz";
        made->subject =
            of.subject.empty() ? of.program.substr(of.program.rfind('/') + 1) : of.subject;
        made->kind = is_wedge ? "wedge" : "sanitizer";
        made->what = without_addresses(line.substr(9));
        made->verdict = "observed";
        made->signature = made->what;
    });
    std::string crash;
    for_each_line(output, [&](std::string_view line) {
        constexpr std::string_view written = "Test unit written to ";
        if (const std::size_t at = line.find(written); at != line.npos)
            crash = line.substr(at + written.size());
    });
    if (made)
        made->all = {
            {"kind", made->kind},
            {"what", made->what},
            {"signature", made->signature},
            {"crash", crash},
            {"text", std::string(output.substr(output.size() > 8000 ? output.size() - 8000 : 0))}};
    return made;
}

std::vector<std::string> words_of(const job_config& job, double seconds, std::uint64_t seed,
                                  const std::string& folder, const std::string& corpus,
                                  const std::string& known) {
    std::vector<std::string> words{job.program};
    const auto add = [&](std::initializer_list<std::string> more) {
        words.insert(words.end(), more);
    };
    const std::string time = seconds_text(seconds);
    const std::string number = std::to_string(seed);
    switch (job.kind) {
        case job_kind::fuzz:
            add({"--keep-going", "--json"});
            if (!known.empty()) add({"--known=" + known});
            if (!job.subject.empty()) add({"--design=" + job.subject});
            [[fallthrough]];
        case job_kind::plain_fuzz:
            add({"-max_total_time=" + time, "-seed=" + number, "-print_funcs=0",
                 "-print_final_stats=1", "-artifact_prefix=" + folder + "/"});
            break;
        case job_kind::explore:
            add({"explore", "--json", "--seed", number, "--out", folder});
            if (!job.subject.empty()) add({job.subject});
            break;
        case job_kind::hunt:
            add({"hunt", "--json", "--seconds", time, "--seed", number, "--out", folder});
            if (!job.subject.empty()) add({job.subject});
            break;
        case job_kind::stress:
            add({"stress", "--json", "--seconds", time, "--seed", number, "--out", folder});
            if (!job.subject.empty()) add({job.subject});
            break;
        case job_kind::check: add({"check", "--json", "--out", folder, job.subject}); break;
    }
    words.insert(words.end(), job.options.begin(), job.options.end());
    if (!corpus.empty()) {
        add({corpus});
        words.insert(words.end(), job.seeds.begin(), job.seeds.end());
    }
    return words;
}

std::optional<std::size_t> next_job(const std::vector<job_state>& all, std::uint64_t turn) {
    std::optional<std::size_t> best;
    constexpr std::uint64_t fair_every = 3;
    const auto is_better = [&](const job_state& a, const job_state& b) {
        if ((a.slices == 0) != (b.slices == 0)) return a.slices == 0;
        if (turn % fair_every != 0 && a.gain != b.gain) return a.gain > b.gain;
        return a.last_turn < b.last_turn;
    };
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].is_over || all[i].running) continue;
        if (!best || is_better(all[i], all[*best])) best = i;
    }
    return best;
}

}  // namespace wedge::nightly
