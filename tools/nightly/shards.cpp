// A night of several processes `wedge nightly`, each with a part of the work: here or on a farm.
#include <algorithm>
#include <filesystem>
#include <thread>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"

#include "nightly/night.hpp"

namespace wedge::nightly {

namespace fs = std::filesystem;

/// Every shard fuzzes every target, each with seeds of its own. Other jobs are dealt out.
bool night::is_mine(std::size_t job) const {
    const job_kind kind = config_.all[job].kind;
    const bool is_fuzzed = kind == job_kind::fuzz || kind == job_kind::plain_fuzz;
    return config_.shared.empty() || is_fuzzed || job % config_.shards == config_.shard;
}

/// Gives the new inputs of a shard to all shards. A name is the hash of the input, so two shards
/// that write one file write the same bytes.
void night::share_corpus(const job_state& job) const {
    if (config_.shared.empty()) return;
    const fs::path into = fs::path(config_.shared) / "corpus" / file_part(job.what.name);
    std::error_code failed;
    for (const auto& each : fs::directory_iterator(job.corpus, failed)) {
        const fs::path to = into / each.path().filename();
        if (fs::exists(to, failed)) continue;
        const fs::path draft = to.string() + ".shard-" + std::to_string(config_.shard);
        if (fs::copy_file(each.path(), draft, fs::copy_options::overwrite_existing, failed))
            fs::rename(draft, to, failed);
    }
}

std::vector<std::string> night::words_of_shard(unsigned shard) const {
    const double time = std::max(1.0, left() - std::min(30.0, config_.seconds / 20));
    const unsigned jobs =
        config_.engine == "local" ? std::max(1U, config_.jobs / config_.shards) : config_.jobs;
    std::vector<std::string> words{self_, "nightly", config_.file};
    words.insert(
        words.end(),
        {"--seconds", std::to_string(static_cast<long>(time + 0.5)), "--jobs", std::to_string(jobs),
         "--shards", std::to_string(config_.shards), "--shard", std::to_string(shard), "--shared",
         out_, "--out", path("shards/" + std::to_string(number_) + "/" + std::to_string(shard))});
    return words;
}

/// Runs the shards, then takes over what they have seen.
void night::run_shards() {
    phase_ = "running " + std::to_string(config_.shards) + " shards";
    make_folder(path("shards/" + std::to_string(number_)));
    if (config_.engine == "slurm")
        run_shards_by_slurm();
    else
        run_shards_here();
    shard_logs_.clear();
    for (unsigned i = 0; i < config_.shards; ++i) {
        const std::string file = path("shards/" + std::to_string(number_) + "/" +
                                      std::to_string(i) + "/findings.sqlite");
        if (!fs::exists(file)) say("shard " + std::to_string(i) + " has left no database: " + file);
    }
    take_over_shards(number_);
    take_over_jobs();
    const std::vector<std::int64_t> seen = all_.seen_in(number_);
    for (const finding_row& each : all_.findings())
        if (std::find(seen.begin(), seen.end(), each.id) != seen.end())
            shown_[each.subject].insert(each.signature);
}

/// Takes over what the shards of a night have seen, once.
void night::take_over_shards(std::int64_t number) {
    const fs::path folder = path("shards/" + std::to_string(number));
    const fs::path mark = folder / "taken_over";
    if (!fs::exists(folder) || fs::exists(mark)) return;
    for (const auto& each : fs::directory_iterator(folder)) {
        const std::string file = (each.path() / "findings.sqlite").string();
        try {
            if (fs::exists(file)) all_.take_over(number, database(file));
        } catch (const error& wrong) {
            say(std::string("left out: ") + wrong.what());
        }
    }
    write_text(mark.string(), "");
}

/// Takes over the shards of nights whose first process was killed.
void night::take_over_killed_shards() {
    for (const night_row& each : all_.nights())
        if (each.status == "killed") take_over_shards(each.id);
}

/// Takes over how the jobs went in the shards.
void night::take_over_jobs() {
    const std::vector<job_row> rows = all_.jobs(number_);
    for (job_state& each : jobs_) {
        each.slices = 1;
        each.outcome = "ran in shards";
        std::error_code failed;
        each.corpus_files = std::distance(fs::directory_iterator(each.corpus, failed), {});
        for (const job_row& row : rows) {
            if (row.name != each.what.name) continue;
            each.deaths = static_cast<std::uint64_t>(row.deaths);
            each.outcome = row.outcome;
            const bool is_unread = row.outcome.starts_with(unread_outcome);
            if (is_unread)
                each.unread[each.what.subject] = row.outcome.substr(unread_outcome.size());
            each.is_over = !is_unread && row.outcome != "ran" && each.deaths > 0;
            each.deaths_in_row = each.is_over ? each.deaths : 0;
        }
    }
}

/// Runs the shards as processes of this machine. One that dies is started again, as a farm does.
void night::run_shards_here() {
    std::vector<std::optional<child>> running(config_.shards);
    std::vector<std::uint64_t> deaths(config_.shards, 0);
    for (unsigned i = 0; i < config_.shards; ++i)
        shard_logs_.push_back(
            path("logs/" + std::to_string(number_) + "/shard-" + std::to_string(i) + ".log"));
    const auto start = [&](unsigned shard) {
        running[shard].emplace(words_of_shard(shard), shard_logs_[shard],
                               std::chrono::milliseconds(static_cast<long>(1000 * left())),
                               std::chrono::seconds(30));
    };
    for (unsigned i = 0; i < config_.shards; ++i) start(i);
    growing_pause rest(std::chrono::milliseconds(50));
    for (;;) {
        std::size_t alive = 0;
        for (unsigned i = 0; i < config_.shards; ++i) {
            if (!running[i]) continue;
            if (interrupt_scope::requested.load()) running[i]->stop();
            if (!running[i]->has_ended()) {
                ++alive;
                continue;
            }
            const ending_of_child how = running[i]->ended();
            running[i].reset();
            const bool is_again = how.signal != 0 && !how.is_asked && left() > 1 &&
                                  !interrupt_scope::requested.load() && ++deaths[i] < deaths_max;
            if (how.signal != 0 && !how.is_asked)
                say("shard " + std::to_string(i) + ": " + how.said());
            if (is_again) start(i);
            alive += is_again ? 1 : 0;
        }
        if (alive == 0) return;
        show_progress(false);
        rest.sleep();
    }
}

/// Submits the shards as an array job and waits for it. Slurm runs a shard again whose node fails.
void night::run_shards_by_slurm() {
    const std::string folder = path("shards/" + std::to_string(number_));
    std::vector<std::string> words = words_of_shard(0);
    std::string line = as_line(words);
    // The number of the shard stands twice: as an option, and at the end of its folder.
    const std::string option = "--shard 0 ";
    line.replace(line.find(option), option.size(), "--shard \"$SLURM_ARRAY_TASK_ID\" ");
    line.replace(line.size() - 1, 1, "\"$SLURM_ARRAY_TASK_ID\"");
    write_text(folder + "/job.sh",
               "#!/bin/sh\n#SBATCH --job-name=wedge-nightly\n#SBATCH --array=0-" +
                   std::to_string(config_.shards - 1) +
                   "\n#SBATCH --requeue --open-mode=append\n#SBATCH --output=" + folder +
                   "/%a.log\nexec " + line + "\n");
    const std::string log = folder + "/sbatch.log";
    for (unsigned i = 0; i < config_.shards; ++i)
        shard_logs_.push_back(folder + "/" + std::to_string(i) + ".log");
    // The farm may let the job wait, so its end is not the end of the night's time.
    child waiting({"sbatch", "--wait", "--parsable", folder + "/job.sh"}, log,
                  std::chrono::hours(24 * 7), std::chrono::seconds(10), config_.folder);
    growing_pause rest(std::chrono::milliseconds(200));
    while (!waiting.has_ended()) {
        if (interrupt_scope::requested.load()) {
            const std::string text = read_text(log, 1);
            const std::string id = text.substr(0, text.find_first_of(";\n"));
            if (!id.empty())
                static_cast<void>(
                    run_to_end({"scancel", id}, folder + "/scancel.log", std::chrono::minutes(1)));
            waiting.stop();
        }
        show_progress(false);
        rest.sleep();
    }
    if (waiting.ended().status != 0 && !fs::exists(folder + "/0"))
        throw error("sbatch: " + waiting.ended().said() + ": " + read_text(log, 1));
}

}  // namespace wedge::nightly
