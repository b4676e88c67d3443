#include "nightly/nightly_command.hpp"

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/report/words.hpp"

#include "nightly/bisect.hpp"
#include "nightly/config.hpp"
#include "nightly/database.hpp"
#include "nightly/night.hpp"

namespace wedge::nightly {

namespace fs = std::filesystem;

namespace {

/// Returns the path of this program, which nights start again.
std::string own_path(const invocation& call) {
    std::error_code failed;
    const fs::path own = fs::read_symlink("/proc/self/exe", failed);
    return failed ? call.program : own.string();
}

class nightly_command final : public subcommand {
public:
    const char* name() const override { return "nightly"; }
    const char* purpose() const override {
        return "Run fuzz targets, searches, stress and checks for a while; keep findings of all "
               "nights apart as new, known, fixed";
    }

    void add_options(CLI::App& options) override {
        options
            .add_option("CONFIG", words_,
                        "A configuration nightly.toml, or a folder with one, or a folder with "
                        "programs fuzz_… and stress_… and scenarios; or `list` the findings of the "
                        "database; or `bisect SIGNATURE -- BUILD COMMAND`; or `merge SHARD...`, "
                        "folders of shards that another scheduler has run")
            ->required()
            ->type_name("");
        // CONFIG takes these words too. But without an argument that is still missing, CLI11 would
        // leave the words after `--` to the program.
        options
            .add_option(
                "BUILD COMMAND", build_,
                "Of bisect, after --: builds a commit; it runs in a checkout. One word is a "
                "line for sh")
            ->type_name("");
        add_number(options, "--seconds", seconds_, 1, "How long the night is",
                   "what CONFIG says, else 600");
        add_number(options, "--minutes", minutes_, 1, "The same in minutes", "as --seconds");
        add_number(options, "--jobs", jobs_, 1, "How many processes run at a time",
                   "what CONFIG says, else one per processor");
        add_out(options, out_, "DIR",
                "Where the database, the findings, the corpora and the logs are (default: "
                "nightly, beside the configuration)");
        options
            .add_option("--database", database_,
                        "The findings database (default: OUT/findings.sqlite)")
            ->type_name("FILE");
        options
            .add_option("--since", since_,
                        "Of list: only what was first seen after this commit; of bisect: a commit "
                        "without the finding")
            ->type_name("REV");
        options
            .add_option("--until", until_, "Of bisect: a commit with the finding (default: HEAD)")
            ->type_name("REV");
        add_choice(options, "--engine", engine_, engines,
                   "What runs the shards: this machine, or Slurm");
        add_number(options, "--shards", shards_, 1, "How many processes share the work");
        add_number(options, "--shard", shard_, 0, "The number of this shard; shards get it");
        options
            .add_option("--shared", shared_,
                        "The folder with the corpora of all shards; shards get it")
            ->type_name("DIR");
        add_flag(options, "--json", as_json_, "Of list: print one JSON object per finding");
        options
            .add_option("--allow", allow_list_,
                        "Of merge: known findings, as allow_list of a configuration names them")
            ->type_name("FILE");
    }

    int run(const invocation& call) override {
        if (words_.front() == "list") return list(call);
        if (words_.front() == "bisect") return bisect_one(call);
        if (words_.front() == "merge") return merge(call);
        if (!allow_list_.empty())
            throw error(
                "--allow: it is of merge; a night has the key allow_list in its configuration");
        if (words_.size() != 1)
            throw error("CONFIG: one configuration, 'list' or 'bisect' is expected, not " +
                        std::to_string(words_.size()) + " words");
        night_config config = read_config(words_.front(), own_path(call));
        if (minutes_) config.seconds = static_cast<double>(*minutes_) * 60;
        if (seconds_) config.seconds = static_cast<double>(*seconds_);
        if (jobs_) config.jobs = *jobs_;
        if (!out_.empty()) config.out = fs::absolute(out_).string();
        if (!database_.empty()) config.database = fs::absolute(database_).string();
        config.engine = engines[engine_];
        config.shards = shards_;
        config.shard = shard_;
        config.shared = shared_;
        config.file = fs::absolute(config.file).string();
        if (!shared_.empty() && shard_ >= shards_)
            throw error("--shard: " + std::to_string(shard_) + " must be less than --shards, " +
                        std::to_string(shards_));
        const night_result how = night(std::move(config), own_path(call), call.out, call.err).run();
        if (how.has_unread) return exit_status::misuse;  // as of check and hunt
        if (!how.news.empty()) return exit_status::findings;
        if (how.has_dead_jobs) return exit_status::misuse;
        return how.is_interrupted ? exit_status::interrupted : exit_status::clean;
    }

private:
    std::string database_path() const {
        const std::string path =
            !database_.empty()
                ? database_
                : (out_.empty() ? std::string("nightly") : out_) + "/findings.sqlite";
        if (!fs::exists(path))
            throw error("--database: " + path + ": there is no such file; name the database of " +
                        "your nights");
        return path;
    }

    /// Returns whether a revision of a finding is one of those after `--since`.
    bool is_since(const std::string& revision, const std::string& newer) const {
        if (since_.empty()) return true;
        const std::string commit = revision.substr(0, revision.find('+'));
        return commit.size() >= 7 && newer.find(commit) != std::string::npos;
    }

    int list(const invocation& call) const {
        const database all(database_path());
        std::string newer;
        if (!since_.empty()) {
            static_cast<void>(repository_of("--since"));
            const run_result ran =
                result_of({"git", "rev-list", since_ + "..HEAD"}, std::chrono::minutes(1));
            if (ran.how.status != 0)
                throw error("--since: '" + since_ + "' is no commit of this repository: " +
                            ran.out.substr(0, ran.out.find('\n')));
            newer = ran.out;
        }
        const std::vector<std::int64_t> allowed = all.allowed_in_last_night();
        std::size_t shown = 0;
        for (const finding_row& each : all.findings()) {
            if (!is_since(each.first_revision, newer)) continue;
            ++shown;
            const bool is_allowed = std::ranges::find(allowed, each.id) != allowed.end();
            call.print(as_json_ ? json_of(each, is_allowed) : text_of(each, is_allowed));
        }
        if (shown == 0 && !as_json_)
            call.print(database_path() + ": no finding" +
                       (since_.empty() ? "" : " was first seen after " + since_) + "\n");
        return exit_status::clean;
    }

    static std::string at_revision(const std::string& time, const std::string& revision) {
        return time + (revision == "unknown" ? "" : " in revision " + revision);
    }

    /// Returns the finding as the summary of a night shows it, and a line with its history.
    static std::string text_of(const finding_row& of, bool is_allowed) {
        std::string text = of.line(is_allowed) + "            ";
        text += "seen " + report::counted(static_cast<std::uint64_t>(of.count), "time") +
                ", first " + at_revision(of.first_seen, of.first_revision);
        if (of.count > 1) text += ", last " + at_revision(of.last_seen, of.last_revision);
        if (of.state == state::fixed)
            text += "; fixed" + (of.fixed_revision == "unknown" || of.fixed_revision.empty()
                                     ? std::string()
                                     : " in revision " + of.fixed_revision);
        return text + "\n";
    }

    static std::string json_of(const finding_row& of, bool is_allowed) {
        const json made = {{"schema", schema_read},
                           {"command", "nightly"},
                           {"workload", of.subject},
                           {"state", of.state},
                           {"first_seen", of.first_seen},
                           {"last_seen", of.last_seen},
                           {"first_revision", of.first_revision},
                           {"last_revision", of.last_revision},
                           {"fixed_revision", of.fixed_revision},
                           {"count", of.count},
                           {"nights_clean", of.clean},
                           {"chance_fixed", chance_fixed(of)},
                           {"expected", of.is_expected},
                           {"allowed", is_allowed},
                           {"findings", json::array({json::parse(of.record, nullptr, false)})}};
        return made.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    }

    /// Takes over the databases of shards that another scheduler has run, as one night.
    int merge(const invocation& call) const {
        if (words_.size() < 2) throw error("merge: expected merge SHARD...: folders of shards");
        allow_list allowed;
        if (!allow_list_.empty()) allowed = allow_list(read_text(allow_list_), allow_list_);
        std::vector<std::string> shards;
        for (auto each = words_.begin() + 1; each != words_.end(); ++each) {
            shards.push_back(*each + "/findings.sqlite");
            if (!fs::exists(shards.back()))
                throw error("merge: " + shards.back() + ": there is no such file");
        }
        const std::string folder = out_.empty() ? "nightly" : out_;
        make_folder(folder);
        database all(database_.empty() ? folder + "/findings.sqlite" : database_);
        sql_transaction changes = all.together();  // all shards, or none
        const std::int64_t night = all.begin_night(revision_in("."), "merged");
        for (const std::string& each : shards) all.take_over(night, database(each));
        all.settle(night);
        const std::vector<finding_row> news = news_of(all, night, allowed);
        all.end_night(night, "merged", 0);
        changes.commit();
        call.print("merged " + report::counted(shards.size(), "shard") + ": " +
                   report::counted(all.findings().size(), "finding") + ", " +
                   std::to_string(news.size()) + " new or reopened\n");
        for (const finding_row& each : news) call.print(each.line(false));
        for (const std::string& each : allowed.complaints()) call.complain(each);
        return news.empty() ? exit_status::clean : exit_status::findings;
    }

    /// Returns the top directory of the repository in which the user stands.
    ///
    /// @param asker  for messages: the option or the command that needs it
    /// @throws error  the directory is in no git repository, or git is not installed
    static std::string repository_of(const std::string& asker) {
        run_result top;
        try {
            top = result_of({"git", "rev-parse", "--show-toplevel"}, std::chrono::minutes(1));
        } catch (const error& failed) {
            throw error(asker + " needs git: " + failed.what() + " (Debian: apt-get install git)");
        }
        if (top.how.status != 0)
            throw error(asker + ": " + fs::current_path().string() +
                        " is in no git repository; run it in the one that has the sources");
        return top.out.substr(0, top.out.find('\n'));
    }

    int bisect_one(const invocation& call) const {
        if (words_.size() < 3)
            throw error(
                "bisect: expected bisect SIGNATURE [options] -- BUILD COMMAND, such as -- make");
        const database all(database_path());
        const std::vector<finding_row> named = all.named(words_[1]);
        if (named.size() != 1)
            throw error("bisect: '" + words_[1] + "' names " +
                        report::counted(named.size(), "finding") + " of " + database_path() +
                        "; 'list' shows all, with short names");
        bisection of;
        of.what = named.front();
        // One word is a line for the shell, such as 'make && ./generate'.
        of.build.assign(words_.begin() + 2, words_.end());
        of.build.insert(of.build.end(), build_.begin(), build_.end());
        if (of.build.size() == 1) of.build = {"sh", "-c", of.build.front()};
        of.self = own_path(call);
        of.good = since_.empty() ? good_before(all, of.what) : since_;
        of.bad = until_.empty() ? "HEAD" : until_;
        of.repository = repository_of("bisect");
        of.scratch = (fs::absolute(database_path()).parent_path() / "bisect").string();
        const interrupt_scope interrupted;
        const std::vector<std::string> found = bisect(of, call.out);
        call.print(found.size() == 1 ? "the first commit that shows it: " + found.front() + "\n"
                                     : "the first commit that shows it is one of " +
                                           std::to_string(found.size()) + ":\n");
        if (found.size() > 1)
            for (const std::string& each : found) call.print("  " + each + "\n");
        return interrupt_scope::requested.load() ? exit_status::interrupted : exit_status::clean;
    }

    /// Returns the revision of the last night before the finding.
    static std::string good_before(const database& all, const finding_row& of) {
        std::string good;
        for (const night_row& each : all.nights())
            if (each.id < of.first_night && each.revision != "unknown")
                good = each.revision.substr(0, each.revision.find('+'));
        if (good.empty())
            throw error(
                "bisect: no night before the finding is known; name a commit without it "
                "by --since");
        return good;
    }

    std::vector<std::string> words_;
    std::vector<std::string> build_;
    std::optional<std::uint64_t> seconds_;
    std::optional<std::uint64_t> minutes_;
    std::optional<unsigned> jobs_;
    static constexpr const char* engines[] = {"local", "slurm"};

    std::size_t engine_ = 0;
    unsigned shards_ = 1;
    unsigned shard_ = 0;
    std::string shared_;
    std::string out_;
    std::string database_;
    std::string since_;
    std::string until_;
    std::string allow_list_;
    bool as_json_ = false;
};

}  // namespace

std::unique_ptr<subcommand> make_nightly_command() {
    return std::make_unique<nightly_command>();
}

}  // namespace wedge::nightly
