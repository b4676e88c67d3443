#include "nightly/night.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <thread>

#include <unistd.h>

#include "wedge/core/check.hpp"
#include "wedge/main/colour.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/version.hpp"
#include "wedge/main/words.hpp"
#include "wedge/report/words.hpp"

#include "nightly/coverage.hpp"

namespace wedge::nightly {

namespace fs = std::filesystem;

namespace {

std::string absolute_in(const std::string& folder, const std::string& path) {
    return (fs::path(folder) / path).lexically_normal().string();
}

std::int64_t files_in(const std::string& folder) {
    std::error_code failed;
    std::int64_t count = 0;
    for (auto each = fs::directory_iterator(folder, failed); each != fs::directory_iterator();
         each.increment(failed))
        ++count;
    return count;
}

bool is_fuzzer(const job_config& job) {
    return job.kind == job_kind::fuzz || job.kind == job_kind::plain_fuzz;
}

/// Returns the statements of an output. If they are of another version, there are none, and
/// `unreadable` says so.
std::vector<statement> statements_in(const std::string& output, const std::string& name,
                                     std::string& unreadable) {
    try {
        return read_statements(output, name);
    } catch (const error& wrong) {
        unreadable = wrong.what();
        return {};
    }
}

std::string two_digits(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

}  // namespace

night::night(night_config config, std::string self, std::FILE* out, std::FILE* err)
    : config_(std::move(config)),
      self_(std::move(self)),
      out_file_(out),
      err_file_(err),
      out_((make_folder(absolute_in(config_.folder, config_.out)),
            absolute_in(config_.folder, config_.out))),
      findings_(out_ + "/findings"),
      all_(config_.database.empty() ? out_ + "/findings.sqlite"
                                    : absolute_in(config_.folder, config_.database)) {
    if (config_.jobs == 0) config_.jobs = std::max(1U, std::thread::hardware_concurrency());
    if (!config_.allow_list.empty()) {
        const std::string list = absolute_in(config_.folder, config_.allow_list);
        allowed_ = allow_list(read_text(list), config_.allow_list);
    }
}

double night::elapsed() const {
    return std::chrono::duration<double>(clock::now() - began_).count();
}

void night::say(const std::string& line) const {
    std::fprintf(err_file_, "%s\n", line.c_str());
    std::fflush(err_file_);
}

night_result night::run() {
    const interrupt_scope interrupted;
    prepare();
    rerun_known();
    if (config_.shards > 1 && config_.shared.empty())
        run_shards();
    else
        fuzz_and_search();
    merge_corpora();
    note_coverage();
    return conclude();
}

void night::prepare() {
    make_folder(findings_);
    number_ = all_.begin_night(revision_in(config_.folder), std::string("wedge ") + version);
    make_folder(path("logs/" + std::to_string(number_)));
    // A word with a slash is a path from the configuration's folder. Other words are looked up as a
    // shell does.
    std::vector<job_config> mine;
    for (std::size_t i = 0; i < config_.all.size(); ++i)
        if (is_mine(i)) mine.push_back(config_.all[i]);
    // A short night runs the first jobs only, so each night begins with others.
    if (!mine.empty())
        std::rotate(mine.begin(),
                    mine.begin() + (number_ - 1) % static_cast<std::int64_t>(mine.size()),
                    mine.end());
    for (const job_config& each : mine) {
        job_state made{each, {}, {}};
        if (each.program.find('/') != std::string::npos)
            made.what.program = absolute_in(config_.folder, each.program);
        if (each.kind == job_kind::check || each.subject.ends_with(".wedge"))
            made.what.subject = absolute_in(config_.folder, each.subject);
        for (std::string& folder : made.what.seeds) folder = absolute_in(config_.folder, folder);
        if (is_fuzzer(each)) {
            made.corpus = path("corpus/" + file_part(each.name));
            make_folder(made.corpus);
            if (!config_.shared.empty()) {
                made.what.seeds.push_back(config_.shared + "/corpus/" + file_part(each.name));
                make_folder(made.what.seeds.back());
            }
            made.corpus_files = files_in(made.corpus);
        }
        jobs_.push_back(std::move(made));
    }
    take_over_killed_shards();
    // Findings that a killed night has saved but not noted.
    read_records("");
}

/// Old inputs and schedules first: what no longer shows may be fixed.
void night::rerun_known() {
    phase_ = "re-running known findings";
    for (const finding_row& each : all_.findings()) {
        if (interrupt_scope::requested.load() || left() < config_.seconds / 2) break;
        show_progress(false);
        const bool is_fixed = each.state == state::fixed;
        if (each.subject.starts_with('/') && each.subject.ends_with(".wedge") &&
            !fs::exists(each.subject)) {
            all_.miss(number_, each.id);
            if (!is_fixed) say("its scenario is gone: " + each.subject + ": " + each.signature);
            continue;
        }
        switch (replay(each, self_, path("logs/" + std::to_string(number_)), config_.folder)) {
            case replayed::again: {
                finding_seen seen;
                seen.command = "replay";
                seen.subject = each.subject;
                seen.signature = each.signature;
                seen.is_expected = each.is_expected;
                seen.all = json::parse(each.record, nullptr, false);
                see(seen, each.program);
                break;
            }
            case replayed::gone:
                all_.miss(number_, each.id);
                if (!is_fixed) say("no longer reproduced: " + each.subject + ": " + each.signature);
                break;
            case replayed::unclear: break;
        }
    }
}

void night::fuzz_and_search() {
    phase_ = "searching";
    std::uint64_t turn = 0;
    growing_pause rest(std::chrono::milliseconds(50));
    const double reserve = std::min(30.0, config_.seconds / 20);  // for the corpora
    for (;;) {
        const bool is_time_over = left() <= reserve || interrupt_scope::requested.load();
        if (is_time_over) break;
        std::size_t running = 0;
        for (job_state& each : jobs_) {
            if (each.running && each.running->has_ended()) {
                finish(each);
                rest.begin_again();
            }
            running += each.running ? 1 : 0;
        }
        while (running < config_.jobs) {
            const std::optional<std::size_t> next = next_job(jobs_, turn);
            if (!next) break;
            start(jobs_[*next], ++turn);
            rest.begin_again();
            running += jobs_[*next].running ? 1 : 0;
        }
        const bool has_work = std::any_of(jobs_.begin(), jobs_.end(), [](const job_state& each) {
            return each.running || !each.is_over;
        });
        if (!has_work) break;
        show_progress(false);
        rest.sleep();
    }
    stop_all();
}

/// Writes what this night has seen of the designs of a fuzz target. To find and minimise it again
/// in each slice would cost more than half of the speed.
///
/// @return the file; empty if there is nothing
std::string night::known_of(const job_state& job) const {
    std::string text;
    if (job.what.kind == job_kind::fuzz)
        for (const auto& [subject, signatures] : shown_)
            for (const std::string& each : signatures)
                if (job.what.subject.empty() || job.what.subject == subject)
                    text += "signature: " + each + "\nworkload: " + subject +
                            "\nreason: seen by this night\nowner: wedge nightly\n"
                            "expires: 9999-12-31\n\n";
    if (text.empty()) return {};
    const std::string file =
        path("logs/" + std::to_string(number_) + "/" + file_part(job.what.name) + ".known");
    write_text(file, text);
    return file;
}

void night::start(job_state& job, std::uint64_t turn) {
    const double fair = config_.seconds * config_.jobs / (4.0 * static_cast<double>(jobs_.size()));
    double time = config_.slice > 0 ? config_.slice : std::clamp(fair, 1.0, 60.0);
    time = std::max(1.0, std::min(time, left()));
    job.last_turn = turn;
    ++job.slices;
    job.log = path("logs/" + std::to_string(number_) + "/" + file_part(job.what.name) + "-" +
                   std::to_string(job.slices) + ".log");
    const std::uint64_t seed =
        static_cast<std::uint64_t>(number_) * 1000 + job.slices + config_.shard * 1'000'000UL;
    const bool ends_itself = job.what.kind != job_kind::explore && job.what.kind != job_kind::check;
    const double patience = ends_itself                        ? time + 5
                            : job.what.kind == job_kind::check ? left()
                                                               : time;
    try {
        // Scenarios in different folders may have equal names, and their findings too.
        const std::string folder = findings_ + "/" + file_part(job.what.name);
        make_folder(folder);
        job.running.emplace(words_of(job.what, time, seed, folder, job.corpus, known_of(job)),
                            job.log, std::chrono::milliseconds(static_cast<long>(patience * 1000)),
                            std::chrono::seconds(10), config_.folder);
        job.outcome = "ran";
    } catch (const error& wrong) {
        give_up(job, wrong.what());
    }
}

/// Takes what a slice has left behind, and decides how the job goes on.
void night::finish(job_state& job) {
    const ending_of_child how = job.running->ended();
    const double seconds = std::max(0.001, job.running->seconds());
    job.running.reset();
    job.seconds += seconds;
    const std::uint64_t news_before = news_;
    const fuzz_counts before = job.best;
    const std::int64_t files_before = job.corpus_files;
    const std::int64_t inputs_before = job.inputs;
    const std::string output = read_text(job.log, 1024);
    sql_transaction changes = all_.together();
    bool has_finding = false;
    std::string unreadable;
    const std::vector<statement> statements = statements_in(output, job.log, unreadable);
    if (!statements.empty()) all_.keep(number_, job.what.name, statements);
    for (const statement& said : statements) {
        if (!said.error.empty()) job.unread.insert_or_assign(said.subject, said.error);
        const std::vector<finding_seen> found = findings_of(said);
        for (const finding_seen& each : found) {
            if (said.is_met.value_or(false) && said.is_scenario) continue;  // as it states
            see(each, job.what.program);
            has_finding = true;
        }
        note_expectation(job, said, found.empty());
        if (const auto tried = said.all.find("exploration"); tried != said.all.end()) {
            job.states += tried->value("executions", std::int64_t{0});
            // What was tried to its end gives the same result every time.
            if (tried->value("exhausted", false) && job.what.kind == job_kind::explore)
                job.is_over = true;
        }
    }
    read_records(job.what.program);
    if (is_fuzzer(job.what)) {
        const fuzz_counts now = counts_in(output);
        job.inputs += now.inputs;
        job.best.edges = std::max(job.best.edges, now.edges);
        job.best.chains = std::max(job.best.chains, now.chains);
        job.corpus_files = files_in(job.corpus);
        share_corpus(job);
    }
    if (job.what.kind == job_kind::check) job.is_over = true;
    if (how.signal != 0 || how.status == 77 || how.status == 1) {
        const auto crash = summary_in(output, job.what);
        if (crash && crash->kind != "wedge") {
            see(*crash, job.what.program);
            has_finding = true;
        }
    }
    const bool has_result = !statements.empty() || job.inputs > inputs_before;
    if (unreadable.empty())
        judge_end(job, how, has_finding, has_result, output);
    else
        give_up(job, unreadable);
    const auto rise = [](std::int64_t old, std::int64_t now) {
        return static_cast<double>(std::max<std::int64_t>(0, now - old));
    };
    job.gain =
        (rise(before.edges, job.best.edges) + rise(before.chains, job.best.chains) +
         rise(files_before, job.corpus_files) + 10 * static_cast<double>(news_ - news_before)) /
        seconds;
    all_.add(number_, {job.what.name, elapsed(), job.inputs, job.best.edges, job.best.chains,
                       job.states, job.corpus_files});
    all_.add_job(number_, {job.what.name, name_of(job.what.kind), job.seconds,
                           static_cast<std::int64_t>(job.slices),
                           static_cast<std::int64_t>(job.deaths), job.outcome});
    changes.commit();
}

/// Notes whether a subject does what it states. Without findings the answer waits for the end of
/// the night.
void night::note_expectation(job_state& job, const statement& said, bool is_silent) {
    if (said.is_met.value_or(false)) {
        all_.meet(number_, said.subject);
        job.met.insert(said.subject);
        job.unmet.erase(said.subject);
    } else if (const auto broken = broken_expectation(said);
               broken && is_silent && !job.met.contains(said.subject)) {
        job.unmet.insert_or_assign(said.subject, *broken);
    }
}

/// A job that dies is started again, and given up after several deaths in a row.
void night::judge_end(job_state& job, const ending_of_child& how, bool has_finding, bool has_result,
                      const std::string& output) {
    constexpr int interrupted = 130;
    constexpr int stopped = 72;  // libFuzzer's status after the signal of `child::stop`
    if (job.what.kind == job_kind::check && how.is_asked) {
        const std::string why = last_words(output);
        job.outcome = std::string(cut_outcome) + (why.empty() ? "" : ": " + why);
        return;
    }
    const bool is_usual = how.signal == 0 ? how.status == 0 || how.status == 1 ||
                                                how.status == 77 || how.status == interrupted ||
                                                (how.is_asked && how.status == stopped)
                                          : how.is_asked && how.signal == SIGTERM;
    if (!job.unread.empty() && how.signal == 0) {  // the program has gone on with the others
        job.deaths_in_row = 0;
        const std::size_t others = job.unread.size() - 1;
        job.outcome = std::string(unread_outcome) + job.unread.begin()->second +
                      (others == 0 ? "" : "; and " + report::counted(others, "other"));
        if (job.unread.contains(job.what.subject)) job.is_over = true;
        return;
    }
    const bool is_mute = !has_result && !has_finding && !how.is_asked;
    if ((is_usual && !is_mute) || has_finding) {
        job.deaths_in_row = 0;
        job.outcome = "ran";
        return;
    }
    ++job.deaths;
    ++job.deaths_in_row;
    job.outcome = how.said() + (is_mute ? ", without a result" : "");
    say(job.what.name + ": " + job.outcome + "; its output: " + job.log);
    if (how.signal == 0 && how.status == 2) {
        const std::string why = last_words(output);
        job.outcome = "cannot run: " + (why.empty() ? how.said() : why);
        job.is_over = true;
    } else if (job.deaths_in_row >= deaths_max) {
        job.outcome = std::string(lost_outcome) + job.outcome;
        job.is_over = true;
    }
}

/// Runs a job no more in this night, whose status says so.
void night::give_up(job_state& job, const std::string& why) {
    say(job.what.name + ": " + why);
    job.outcome = why;
    job.is_over = true;
    ++job.deaths;
    ++job.deaths_in_row;
}

void night::see(const finding_seen& seen, const std::string& program) {
    const bool is_news = all_.see(number_, seen, program);
    const bool is_first = shown_[seen.subject].insert(seen.signature).second;
    if (!is_news || !is_first) return;
    ++news_;
    if (!seen.is_expected) say("found: " + seen.subject + ": " + seen.signature);
}

/// Reads the records that programs have saved since.
void night::read_records(const std::string& program) {
    std::error_code failed;
    for (const auto& each : fs::recursive_directory_iterator(findings_, failed)) {
        const std::string name = each.path().string();
        if (!name.ends_with(".finding.json")) continue;
        const fs::file_time_type written = fs::last_write_time(each.path(), failed);
        const auto [known, is_new] = read_.emplace(name, written);
        if (!is_new && known->second == written) continue;
        known->second = written;
        try {
            read_record(name, program);
        } catch (const error& wrong) {  // of another version, for example
            say(std::string("left out: ") + wrong.what());
        }
    }
}

void night::read_record(const std::string& name, const std::string& program) {
    const std::vector<statement> statements = read_statements(read_text(name), name);
    if (program.empty() && !statements.empty()) {
        // At the beginning: only what no night has noted.
        const auto found = findings_of(statements.front());
        for (const finding_row& row : all_.findings())
            if (!found.empty() && row.subject == found.front().subject &&
                row.signature == found.front().signature)
                return;
    }
    for (const statement& said : statements)
        for (const finding_seen& seen : findings_of(said))
            if (!seen.is_scenario || !seen.is_expected) see(seen, program);
}

void night::stop_all() {
    for (job_state& each : jobs_)
        if (each.running) each.running->stop();
    for (job_state& each : jobs_)
        if (each.running) {
            each.running->wait();
            finish(each);
        }
}

/// Keeps of each corpus the inputs that add something.
void night::merge_corpora() {
    phase_ = "merging the corpora";
    for (job_state& each : jobs_)
        if (is_fuzzer(each.what) && each.corpus_files > 0 && each.slices > 0 &&
            !interrupt_scope::requested.load())
            merge(each);
}

void night::merge(job_state& job) {
    show_progress(false);
    const std::string small = job.corpus + ".merged";
    std::error_code failed;
    fs::remove_all(small, failed);
    make_folder(small);
    std::vector<std::string> words{job.what.program, "-merge=1", "-print_funcs=0"};
    if (job.what.kind == job_kind::fuzz && !job.what.subject.empty())
        words.push_back("--design=" + job.what.subject);
    words.insert(words.end(), {small, job.corpus});
    const auto time = std::chrono::milliseconds(static_cast<long>(1000 * std::max(5.0, left())));
    const run_result ran = run_to_end(
        words,
        path("logs/" + std::to_string(number_) + "/" + file_part(job.what.name) + "-merge.log"),
        time, config_.folder);
    // A merge that was cut may have lost inputs: then the corpus stays as it is.
    if (ran.how.signal != 0 || ran.how.status != 0 || files_in(small) == 0) {
        fs::remove_all(small, failed);
        return;
    }
    const std::string old = job.corpus + ".before";
    fs::remove_all(old, failed);
    fs::rename(job.corpus, old, failed);
    fs::rename(small, job.corpus, failed);
    fs::remove_all(old, failed);
    job.corpus_files = files_in(job.corpus);
}

/// Runs the corpora in programs with source coverage, and notes which lines they reach. Coverage
/// that cannot be measured costs a line, and not the night.
void night::note_coverage() {
    std::vector<covered_program> programs;
    for (const job_state& each : jobs_) {
        if (each.what.coverage.empty() || !is_fuzzer(each.what) || each.slices == 0) continue;
        covered_program made{{absolute_in(config_.folder, each.what.coverage), "-runs=0"},
                             file_part(each.what.name)};
        if (each.what.kind == job_kind::fuzz) {
            made.words.push_back("--keep-going");
            if (const std::string known = known_of(each); !known.empty())
                made.words.push_back("--known=" + known);
            if (!each.what.subject.empty()) made.words.push_back("--design=" + each.what.subject);
        }
        made.words.push_back(each.corpus);
        programs.push_back(std::move(made));
    }
    if (programs.empty() || interrupt_scope::requested.load()) return;
    phase_ = "measuring coverage";
    show_progress(false);
    std::vector<std::string> wanted;
    for (const std::string& each : config_.coverage_of)
        wanted.push_back(absolute_in(config_.folder, each));
    if (wanted.empty()) wanted.push_back(absolute_in(config_.folder, "."));
    try {
        all_.keep(number_, measure_coverage(programs, path("coverage"), config_.folder,
                                            std::chrono::minutes(2), wanted));
    } catch (const error& wrong) {
        say(wrong.what());
    }
}

night_result night::conclude() {
    phase_ = "settling";
    night_result made;
    made.number = number_;
    if (!interrupt_scope::requested.load())
        for (const job_state& job : jobs_)
            for (const auto& [subject, broken] : job.unmet) see(broken, job.what.program);
    for (const job_state& job : jobs_)
        if (job.slices == 0 && !job.is_over)
            all_.add_job(number_, {job.what.name, name_of(job.what.kind), 0, 0, 0,
                                   std::string(not_run_outcome) + ": the night was too short"});
    // A finding without a replay was looked for if its job ran.
    for (const finding_row& each : all_.findings()) {
        const bool is_seen = shown_[each.subject].contains(each.signature);
        const bool was_watched = std::any_of(jobs_.begin(), jobs_.end(), [&](const job_state& job) {
            return job.slices > 0 && (job.what.subject == each.subject ||
                                      (!each.program.empty() && job.what.program == each.program));
        });
        const bool is_replayed = each.record.find(".schedule\"") != std::string::npos ||
                                 each.record.find(".input\"") != std::string::npos;
        if (!is_seen && was_watched && !is_replayed) all_.miss(number_, each.id);
    }
    all_.settle(number_);
    made.is_interrupted = interrupt_scope::requested.load();
    made.has_dead_jobs = std::any_of(jobs_.begin(), jobs_.end(), [](const job_state& each) {
        return each.deaths_in_row > 0 && each.is_over;
    });
    made.has_unread = std::any_of(jobs_.begin(), jobs_.end(),
                                  [](const job_state& each) { return !each.unread.empty(); });
    made.news = news_of(all_, number_, allowed_);
    all_.end_night(number_, made.is_interrupted ? "interrupted" : "complete", elapsed());
    print_summary(made);
    return made;
}

void night::print_summary(const night_result& how) const {
    std::map<std::string, std::size_t> counts;
    std::size_t expected = 0;
    std::string text;
    const auto is_news = [&](const finding_row& of) {
        return std::any_of(how.news.begin(), how.news.end(),
                           [&](const finding_row& each) { return each.id == of.id; });
    };
    for (const finding_row& each : all_.findings()) {
        if (each.is_expected) {
            ++expected;
            continue;
        }
        ++counts[each.state];
        const bool is_allowed =
            (each.state == state::fresh || each.state == state::reopened) && !is_news(each);
        text += each.line(is_allowed);
        const json record = json::parse(each.record, nullptr, false);
        const std::string replay = record.is_object() ? text_in(record, "replay") : "";
        if (is_news(each) && !replay.empty()) text += "            replay: " + replay + "\n";
        if (each.clean > 0)
            text += "            clean for " +
                    report::counted(static_cast<std::uint64_t>(each.clean), "night") +
                    "; at this bug's past rate, P(fixed) = " + two_digits(chance_fixed(each)) +
                    "\n";
    }
    std::string head = "night " + std::to_string(number_) + ": " +
                       (how.is_interrupted ? "interrupted after " : "") +
                       std::to_string(static_cast<long>(elapsed() + 0.5)) + " s, " +
                       report::counted(jobs_.size(), "job") + "; ";
    for (const char* each :
         {state::fresh, state::reopened, state::known, state::flaky, state::fixed})
        head += std::to_string(counts[each]) + " " + each + ", ";
    head += std::to_string(expected) + " expected\n";
    const std::size_t met = all_.met_in(number_).size();
    if (met != 0) text += "  " + report::counted(met, "result") + " as stated\n";
    std::size_t seen = 0, possible = 0;
    for (const lock_pairs& each : all_.reach(number_)) {
        possible += each.all.size();
        for (const lock_pair& one : each.all) seen += one.is_seen ? 1 : 0;
    }
    if (possible != 0)
        text += "  " + std::to_string(seen) + " of " + report::counted(possible, "lock pair") +
                " reached\n";
    print_coloured(out_file_, head + text);
    for (const std::string& each : allowed_.complaints())
        std::fputs(("  " + each + "\n").c_str(), out_file_);
    print_troubles();
    std::fflush(out_file_);
}

/// Prints what could not be read, which jobs died, and for which the time was too short.
void night::print_troubles() const {
    std::string text;
    std::size_t not_run = 0;
    for (const job_row& each : all_.jobs(number_)) {
        if (each.outcome.starts_with(cut_outcome))
            text += "  " + each.name + ": " + each.outcome + "\n";
        not_run += each.outcome.starts_with(not_run_outcome) ? 1 : 0;
    }
    if (not_run != 0)
        text += "  " + report::counted(not_run, "job") + " not run: the night was too short\n";
    for (const job_state& each : jobs_) {
        for (const auto& [subject, why] : each.unread)
            text += "  " + std::string(unread_outcome) + why + "\n";
        if (each.deaths > 0)
            text += "  " + each.what.name + " died " + report::counted(each.deaths, "time") + ": " +
                    each.outcome + "\n";
    }
    std::fputs(text.c_str(), out_file_);
}

progress_counts progress_in(std::string_view output) {
    progress_counts made;
    const std::size_t middle = output.rfind(" execution");
    if (middle == output.npos) return made;
    std::size_t at = output.rfind(" s, ", middle);
    for (std::int64_t* const each : {&made.inputs, &made.executions, &made.findings}) {
        if (at == output.npos) break;
        at = output.find_first_of("0123456789", at);
        if (at == output.npos) break;
        std::from_chars(output.data() + at, output.data() + output.size(), *each);
        at = output.find(", ", at);
    }
    return made;
}

/// Returns what this process or its shards have done so far. The output of a shard says it, which
/// can be read on network file systems too.
progress_counts night::counts_so_far() const {
    progress_counts all;
    if (shard_logs_.empty()) {
        for (const job_state& each : jobs_) {
            all.inputs += each.inputs;
            all.executions += each.states;
        }
        all.findings = static_cast<std::int64_t>(news_);
    }
    for (const std::string& each : shard_logs_) {
        if (!fs::exists(each)) continue;
        const progress_counts of = progress_in(read_text(each, 64));
        all.inputs += of.inputs;
        all.executions += of.executions;
        all.findings += of.findings;
    }
    return all;
}

void night::show_progress(bool is_last) {
    const bool is_terminal = ::isatty(::fileno(err_file_)) == 1;
    const auto pause = is_terminal ? std::chrono::milliseconds(500) : std::chrono::seconds(10);
    if (!is_last && clock::now() - said_ < pause) return;
    said_ = clock::now();
    std::string running;
    for (const job_state& each : jobs_)
        if (each.running) running += (running.empty() ? "" : ", ") + each.what.name;
    const progress_counts so_far = counts_so_far();
    const auto counted = [](std::int64_t count, const char* noun) {
        return report::amount(static_cast<std::uint64_t>(count), noun);
    };
    const std::string line =
        "night " + std::to_string(number_) + ", " + phase_ + ": " +
        std::to_string(static_cast<long>(elapsed())) + " of " +
        std::to_string(static_cast<long>(config_.seconds)) + " s, " +
        counted(so_far.inputs, "input") + ", " + counted(so_far.executions, "execution") + ", " +
        counted(so_far.findings, "finding") + (running.empty() ? "" : "; " + running);
    std::fprintf(err_file_, is_terminal ? "\r\x1b[K%s" : "%s\n", line.substr(0, 200).c_str());
    std::fflush(err_file_);
}

std::vector<finding_row> news_of(database& all, std::int64_t night, allow_list& allowed) {
    std::vector<finding_row> news;
    for (const finding_row& each : all.findings()) {
        if (each.is_expected || each.state == state::fixed) continue;
        if (allowed.allows(each.signature, each.subject))
            all.allow(night, each.id);
        else if (each.state == state::fresh || each.state == state::reopened)
            news.push_back(each);
    }
    return news;
}

}  // namespace wedge::nightly
