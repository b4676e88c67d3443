#include "nightly/database.hpp"

#include <cmath>
#include <ctime>

#include "wedge/core/check.hpp"
#include "wedge/core/signature.hpp"
#include "wedge/report/words.hpp"

namespace wedge::nightly {

namespace {

constexpr std::int64_t layout = 1;  // PRAGMA user_version

constexpr const char* tables = R"(
CREATE TABLE night(
    id INTEGER PRIMARY KEY, began TEXT NOT NULL, ended TEXT NOT NULL DEFAULT '',
    revision TEXT NOT NULL, build TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'running',
    seconds REAL NOT NULL DEFAULT 0);
CREATE TABLE finding(
    id INTEGER PRIMARY KEY, subject TEXT NOT NULL, signature TEXT NOT NULL, kind TEXT NOT NULL,
    what TEXT NOT NULL, classes TEXT NOT NULL, state TEXT NOT NULL, program TEXT NOT NULL,
    expected INTEGER NOT NULL, first_night INTEGER NOT NULL REFERENCES night(id),
    last_night INTEGER NOT NULL REFERENCES night(id), first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL, first_revision TEXT NOT NULL, last_revision TEXT NOT NULL,
    fixed_revision TEXT NOT NULL DEFAULT '', count INTEGER NOT NULL DEFAULT 0,
    clean INTEGER NOT NULL DEFAULT 0, nights_seen INTEGER NOT NULL DEFAULT 0,
    nights_watched INTEGER NOT NULL DEFAULT 0, record TEXT NOT NULL,
    UNIQUE(subject, signature));
CREATE TABLE sighting(
    night INTEGER NOT NULL REFERENCES night(id), finding INTEGER NOT NULL REFERENCES finding(id),
    command TEXT NOT NULL, count INTEGER NOT NULL, revision TEXT NOT NULL,
    PRIMARY KEY(night, finding, command));
CREATE TABLE miss(
    night INTEGER NOT NULL REFERENCES night(id), finding INTEGER NOT NULL REFERENCES finding(id),
    PRIMARY KEY(night, finding));
CREATE TABLE growth(
    night INTEGER NOT NULL REFERENCES night(id), job TEXT NOT NULL, at REAL NOT NULL,
    inputs INTEGER NOT NULL, edges INTEGER NOT NULL, chains INTEGER NOT NULL,
    states INTEGER NOT NULL, corpus INTEGER NOT NULL);
CREATE TABLE job(
    night INTEGER NOT NULL REFERENCES night(id), name TEXT NOT NULL, kind TEXT NOT NULL,
    seconds REAL NOT NULL, slices INTEGER NOT NULL, deaths INTEGER NOT NULL,
    outcome TEXT NOT NULL, PRIMARY KEY(night, name));
PRAGMA user_version = 1;
)";

/// Tables that were added to this layout later. Findings are judged without them.
constexpr const char* more_tables = R"(
CREATE TABLE IF NOT EXISTS refuted(
    subject TEXT NOT NULL, signature TEXT NOT NULL, what TEXT NOT NULL, classes TEXT NOT NULL,
    night INTEGER NOT NULL REFERENCES night(id), PRIMARY KEY(subject, signature));
CREATE TABLE IF NOT EXISTS allowed(
    night INTEGER NOT NULL REFERENCES night(id), finding INTEGER NOT NULL REFERENCES finding(id),
    PRIMARY KEY(night, finding));
CREATE TABLE IF NOT EXISTS met(
    night INTEGER NOT NULL REFERENCES night(id), subject TEXT NOT NULL,
    PRIMARY KEY(night, subject));
CREATE TABLE IF NOT EXISTS statistics(
    night INTEGER NOT NULL REFERENCES night(id), job TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY(night, job));
CREATE TABLE IF NOT EXISTS coverage(
    night INTEGER NOT NULL REFERENCES night(id), file TEXT NOT NULL, lines INTEGER NOT NULL,
    covered INTEGER NOT NULL, missed TEXT NOT NULL, PRIMARY KEY(night, file));
CREATE TABLE IF NOT EXISTS lock_pair(
    subject TEXT NOT NULL, held TEXT NOT NULL, wanted TEXT NOT NULL, held_at TEXT NOT NULL,
    wanted_at TEXT NOT NULL, written INTEGER NOT NULL, seen INTEGER NOT NULL,
    PRIMARY KEY(subject, held, wanted));
CREATE TABLE IF NOT EXISTS reach(
    night INTEGER NOT NULL REFERENCES night(id), subject TEXT NOT NULL, is_text INTEGER NOT NULL,
    is_exhausted INTEGER NOT NULL, PRIMARY KEY(night, subject));
)";

constexpr const char* columns =
    "id, subject, signature, kind, what, state, program, expected, first_night, last_night, "
    "first_seen, last_seen, first_revision, last_revision, fixed_revision, count, clean, "
    "nights_seen, nights_watched, record";

finding_row row_at(const sql_query& at) {
    finding_row made;
    made.id = at.number(0);
    made.subject = at.text(1);
    made.signature = at.text(2);
    made.kind = at.text(3);
    made.what = at.text(4);
    made.state = at.text(5);
    made.program = at.text(6);
    made.is_expected = at.number(7) != 0;
    made.first_night = at.number(8);
    made.last_night = at.number(9);
    made.first_seen = at.text(10);
    made.last_seen = at.text(11);
    made.first_revision = at.text(12);
    made.last_revision = at.text(13);
    made.fixed_revision = at.text(14);
    made.count = at.number(15);
    made.clean = at.number(16);
    made.nights_seen = at.number(17);
    made.nights_watched = at.number(18);
    made.record = at.text(19);
    return made;
}

/// Nights that must pass before a finding without a replay counts as fixed.
constexpr double sure_enough = 0.95;

bool has_replay(const finding_row& of) {
    const json record = json::parse(of.record, nullptr, false);
    if (!record.is_object()) return false;
    return !text_in(record, "input").empty() || !text_in(record, "schedule").empty() ||
           of.kind == "expectation" || !text_in(record, "crash").empty();
}

/// Makes the tables, unless the file has them.
///
/// @throws error  the file is of another program, or of a later version
void make_tables(sql_file& file, const std::string& path) {
    sql_query version(file, "PRAGMA user_version");
    version.next();
    const std::int64_t found = version.number(0);
    if (found == layout) return;
    if (found != 0)
        throw error(path + ": this database has layout " + std::to_string(found) +
                    ", this build reads " + std::to_string(layout) + "; use a newer wedge");
    sql_transaction making(file);
    sql_query others(file, "SELECT count(*) FROM sqlite_master");
    others.next();
    if (others.number(0) != 0) {
        // Another process may have made the tables since.
        sql_query again(file, "PRAGMA user_version");
        again.next();
        if (again.number(0) == layout) return;
        throw error(path + ": this is a database of another program");
    }
    file.run(tables);
    making.commit();
}

void keep_refuted(sql_file& file, std::int64_t night, const refuted_row& row) {
    sql_query(file,
              "INSERT OR REPLACE INTO refuted(subject, signature, what, classes, night) "
              "VALUES(?, ?, ?, ?, ?)")
        .bind(row.subject)
        .bind(row.signature)
        .bind(row.what)
        .bind(row.classes)
        .bind(night)
        .run();
}

void keep_statistics(sql_file& file, std::int64_t night, const std::string& job,
                     const std::string& record) {
    sql_query(file, "INSERT OR REPLACE INTO statistics(night, job, record) VALUES(?, ?, ?)")
        .bind(night)
        .bind(job)
        .bind(record)
        .run();
}

}  // namespace

std::string time_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string finding_row::short_name() const {
    return short_hash(signature);
}

std::string finding_row::line(bool is_allowed) const {
    const std::string shown = is_expected ? "expected" : is_allowed ? state + ", allowed" : state;
    return "  " + report::padded(shown, 8) + "  " + short_name() + "  " + subject + ": " +
           signature + "\n";
}

double chance_fixed(const finding_row& of) {
    // The rule of succession: a bug that was seen in each of n nights may still miss the next one.
    const double rate =
        (static_cast<double>(of.nights_seen) + 1) / (static_cast<double>(of.nights_watched) + 2);
    return 1 / (1 + std::pow(1 - rate, static_cast<double>(of.clean)));
}

database::database(const std::string& path) : file_(path) {
    make_tables(file_, path);
    file_.run(more_tables);
}

std::int64_t database::begin_night(const std::string& revision, const std::string& build) {
    sql_transaction changes(file_);
    sql_query killed(file_, "SELECT count(*) FROM night WHERE status = 'running'");
    killed.next();
    if (killed.number(0) == 0)
        file_.run(
            "UPDATE finding SET state = 'known' WHERE state IN ('new', 'reopened') AND id NOT IN "
            "(SELECT finding FROM allowed WHERE night = (SELECT max(id) FROM night))");
    file_.run("UPDATE night SET status = 'killed' WHERE status = 'running'");
    sql_query made(file_, "INSERT INTO night(began, revision, build) VALUES(?, ?, ?)");
    made.bind(time_now()).bind(revision).bind(build).run();
    const std::int64_t id = file_.last_row();
    changes.commit();
    return id;
}

void database::end_night(std::int64_t night, const std::string& status, double seconds) {
    sql_query(file_, "UPDATE night SET ended = ?, status = ?, seconds = ? WHERE id = ?")
        .bind(time_now())
        .bind(status)
        .bind(seconds)
        .bind(night)
        .run();
}

std::string database::revision_of(std::int64_t night) const {
    sql_query asked(file_, "SELECT revision FROM night WHERE id = ?");
    asked.bind(night);
    return asked.next() ? asked.text(0) : "";
}

bool database::see(std::int64_t night, const finding_seen& seen, const std::string& program,
                   std::uint64_t times) {
    sql_transaction changes(file_);
    const std::string now = time_now();
    const std::string revision = revision_of(night);
    const auto often = static_cast<std::int64_t>(times);
    sql_query known(file_,
                    "SELECT id, state, last_night FROM finding WHERE subject = ? AND "
                    "signature = ?");
    known.bind(seen.subject).bind(seen.signature);
    bool is_news = false;
    std::int64_t id = 0;
    if (known.next()) {
        id = known.number(0);
        is_news = known.text(1) == state::fixed;
        sql_query(file_,
                  "UPDATE finding SET state = ?, last_seen = ?, last_revision = ?, "
                  "fixed_revision = '', count = count + ?, expected = ?, "
                  "record = CASE WHEN ? = '' THEN record ELSE ? END WHERE id = ?")
            .bind(is_news ? std::string_view(state::reopened) : known.text(1))
            .bind(now)
            .bind(revision)
            .bind(often)
            .bind(std::int64_t{seen.is_expected})
            .bind(text_in(seen.all, "schedule") + text_in(seen.all, "input"))
            .bind(seen.all.dump())
            .bind(id)
            .run();
    } else {
        is_news = true;
        sql_query(file_,
                  "INSERT INTO finding(subject, signature, kind, what, classes, state, program, "
                  "expected, first_night, last_night, first_seen, last_seen, first_revision, "
                  "last_revision, count, record) VALUES(?, ?, ?, ?, ?, 'new', ?, ?, ?, ?, ?, ?, "
                  "?, ?, ?, ?)")
            .bind(seen.subject)
            .bind(seen.signature)
            .bind(seen.kind)
            .bind(seen.what)
            .bind(json(seen.classes).dump())
            .bind(program)
            .bind(std::int64_t{seen.is_expected})
            .bind(night)
            .bind(night)
            .bind(now)
            .bind(now)
            .bind(revision)
            .bind(revision)
            .bind(often)
            .bind(seen.all.dump())
            .run();
        id = file_.last_row();
    }
    sql_query(file_,
              "INSERT INTO sighting(night, finding, command, count, revision) VALUES(?, ?, ?, ?, "
              "?) ON CONFLICT DO UPDATE SET count = count + excluded.count")
        .bind(night)
        .bind(id)
        .bind(seen.command)
        .bind(often)
        .bind(revision)
        .run();
    changes.commit();
    return is_news;
}

void database::miss(std::int64_t night, std::int64_t finding) {
    sql_query(file_, "INSERT OR IGNORE INTO miss(night, finding) VALUES(?, ?)")
        .bind(night)
        .bind(finding)
        .run();
}

void database::meet(std::int64_t night, const std::string& subject) {
    sql_query(file_, "INSERT OR IGNORE INTO met(night, subject) VALUES(?, ?)")
        .bind(night)
        .bind(subject)
        .run();
}

void database::allow(std::int64_t night, std::int64_t finding) {
    sql_query(file_, "INSERT OR IGNORE INTO allowed(night, finding) VALUES(?, ?)")
        .bind(night)
        .bind(finding)
        .run();
}

void database::settle(std::int64_t night) {
    sql_transaction changes(file_);
    // Seen: the counts of nights. A replay that missed what a search has found is flaky.
    sql_query(file_,
              "UPDATE finding SET nights_seen = nights_seen + 1, nights_watched = nights_watched + "
              "clean + 1, clean = 0, last_night = ? WHERE id IN (SELECT finding FROM sighting "
              "WHERE night = ?)")
        .bind(night)
        .bind(night)
        .run();
    sql_query(file_,
              "UPDATE finding SET state = 'flaky' WHERE state = 'known' AND id IN (SELECT finding "
              "FROM sighting WHERE night = ?) AND id IN (SELECT finding FROM miss WHERE night = ?)")
        .bind(night)
        .bind(night)
        .run();
    sql_query(file_,
              "UPDATE finding SET clean = clean + 1 WHERE id IN (SELECT finding FROM miss WHERE "
              "night = ?) AND id NOT IN (SELECT finding FROM sighting WHERE night = ?)")
        .bind(night)
        .bind(night)
        .run();
    const std::string revision = revision_of(night);
    for (const finding_row& each : findings()) {
        if (each.clean == 0 || each.state == state::fixed) continue;
        const bool is_replayed = has_replay(each) && each.state != state::flaky;
        if (!is_replayed && chance_fixed(each) < sure_enough) continue;
        sql_query(file_, "UPDATE finding SET state = 'fixed', fixed_revision = ? WHERE id = ?")
            .bind(revision)
            .bind(each.id)
            .run();
    }
    changes.commit();
}

void database::add(std::int64_t night, const growth_row& measured) {
    sql_query(file_,
              "INSERT INTO growth(night, job, at, inputs, edges, chains, states, corpus) VALUES(?, "
              "?, ?, ?, ?, ?, ?, ?)")
        .bind(night)
        .bind(measured.job)
        .bind(measured.at)
        .bind(measured.inputs)
        .bind(measured.edges)
        .bind(measured.chains)
        .bind(measured.states)
        .bind(measured.corpus)
        .run();
}

void database::add_job(std::int64_t night, const job_row& job) {
    sql_query(file_,
              "INSERT OR REPLACE INTO job(night, name, kind, seconds, slices, deaths, outcome) "
              "VALUES(?, ?, ?, ?, ?, ?, ?)")
        .bind(night)
        .bind(job.name)
        .bind(job.kind)
        .bind(job.seconds)
        .bind(job.slices)
        .bind(job.deaths)
        .bind(job.outcome)
        .run();
}

std::vector<job_row> database::jobs(std::int64_t night) const {
    std::vector<job_row> all;
    sql_query rows(file_,
                   "SELECT name, kind, seconds, slices, deaths, outcome FROM job WHERE night = ? "
                   "ORDER BY rowid");
    rows.bind(night);
    while (rows.next())
        all.push_back({rows.text(0), rows.text(1), rows.real(2), rows.number(3), rows.number(4),
                       rows.text(5)});
    return all;
}

void database::keep(std::int64_t night, const std::string& job, const std::vector<statement>& all) {
    sql_transaction changes(file_);
    for (const statement& said : all) {
        for (const finding_seen& each : refuted_in(said))
            keep_refuted(file_, night,
                         {each.subject, each.signature, each.what, json(each.classes).dump()});
        if (const auto pairs = lock_pairs_of(said)) keep(night, *pairs);
        if (said.command != "stress") continue;
        json numbers = said.all;
        numbers.erase("findings");  // the table of findings has them
        keep_statistics(file_, night, job + (all.size() > 1 ? " " + said.subject : ""),
                        numbers.dump(-1, ' ', false, json::error_handler_t::replace));
    }
    changes.commit();
}

void database::keep(std::int64_t night, const std::vector<file_coverage>& files) {
    sql_transaction changes(file_);
    for (const file_coverage& each : files)
        sql_query(file_,
                  "INSERT OR REPLACE INTO coverage(night, file, lines, covered, missed) VALUES(?, "
                  "?, ?, ?, ?)")
            .bind(night)
            .bind(each.file)
            .bind(each.lines)
            .bind(each.covered)
            .bind(each.missed)
            .run();
    changes.commit();
}

/// Notes lock pairs. The columns `written` and `seen` of a pair are the last nights whose text had
/// it, and which have seen it.
void database::keep(std::int64_t night, const lock_pairs& of) {
    sql_query(file_,
              "INSERT INTO reach(night, subject, is_text, is_exhausted) VALUES(?, ?, ?, ?) ON "
              "CONFLICT DO UPDATE SET is_text = max(is_text, excluded.is_text), "
              "is_exhausted = max(is_exhausted, excluded.is_exhausted)")
        .bind(night)
        .bind(of.subject)
        .bind(std::int64_t{of.is_text})
        .bind(std::int64_t{of.is_exhausted})
        .run();
    for (const lock_pair& each : of.all)
        sql_query(file_,
                  "INSERT INTO lock_pair(subject, held, wanted, held_at, wanted_at, written, seen) "
                  "VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET held_at = "
                  "excluded.held_at, wanted_at = excluded.wanted_at, written = max(written, "
                  "excluded.written), seen = max(seen, excluded.seen)")
            .bind(of.subject)
            .bind(each.held)
            .bind(each.wanted)
            .bind(each.held_at)
            .bind(each.wanted_at)
            .bind(of.is_text ? night : 0)
            .bind(each.is_seen ? night : 0)
            .run();
}

std::vector<lock_pairs> database::reach(std::int64_t night) const {
    std::vector<lock_pairs> all;
    sql_query subjects(file_,
                       "SELECT subject, is_text, is_exhausted FROM reach WHERE night = ? ORDER BY "
                       "subject");
    subjects.bind(night);
    while (subjects.next()) {
        lock_pairs& made = all.emplace_back();
        made.subject = subjects.text(0);
        made.is_text = subjects.number(1) != 0;
        made.is_exhausted = subjects.number(2) != 0;
        sql_query pairs(file_,
                        "SELECT held, wanted, held_at, wanted_at, seen FROM lock_pair WHERE "
                        "subject = ? AND (written >= ? OR seen >= ?) ORDER BY held, wanted");
        const std::int64_t since = made.is_text ? night : 0;
        pairs.bind(made.subject).bind(since).bind(since);
        while (pairs.next())
            made.all.push_back({pairs.text(0), pairs.text(1), pairs.text(2), pairs.text(3),
                                pairs.number(4) == night, pairs.number(4)});
    }
    return all;
}

std::vector<file_coverage> database::coverage(std::int64_t night) const {
    std::vector<file_coverage> all;
    sql_query rows(file_,
                   "SELECT file, lines, covered, missed FROM coverage WHERE night = ? ORDER BY "
                   "file");
    rows.bind(night);
    while (rows.next()) all.push_back({rows.text(0), rows.number(1), rows.number(2), rows.text(3)});
    return all;
}

std::vector<refuted_row> database::refuted() const {
    std::vector<refuted_row> all;
    sql_query rows(file_,
                   "SELECT subject, signature, what, classes FROM refuted ORDER BY subject, "
                   "signature");
    while (rows.next()) all.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3)});
    return all;
}

std::vector<std::string> database::statistics() const {
    std::vector<std::string> all;
    sql_query rows(file_,
                   "SELECT record FROM statistics AS one WHERE night = (SELECT max(night) FROM "
                   "statistics WHERE job = one.job) ORDER BY job");
    while (rows.next()) all.push_back(rows.text(0));
    return all;
}

std::vector<finding_row> database::findings() const {
    std::vector<finding_row> all;
    sql_query rows(file_, std::string("SELECT ") + columns + " FROM finding ORDER BY id");
    while (rows.next()) all.push_back(row_at(rows));
    return all;
}

std::vector<night_row> database::nights() const {
    std::vector<night_row> all;
    sql_query rows(file_,
                   "SELECT id, began, ended, revision, status, seconds FROM night "
                   "ORDER BY id");
    while (rows.next())
        all.push_back(
            {rows.number(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4), rows.real(5)});
    return all;
}

std::vector<growth_row> database::growth(std::int64_t night) const {
    std::vector<growth_row> all;
    sql_query rows(file_,
                   "SELECT job, at, inputs, edges, chains, states, corpus FROM growth WHERE "
                   "night = ? ORDER BY at");
    rows.bind(night);
    while (rows.next())
        all.push_back({rows.text(0), rows.real(1), rows.number(2), rows.number(3), rows.number(4),
                       rows.number(5), rows.number(6)});
    return all;
}

std::vector<std::int64_t> database::seen_in(std::int64_t night) const {
    std::vector<std::int64_t> all;
    sql_query rows(file_, "SELECT DISTINCT finding FROM sighting WHERE night = ?");
    rows.bind(night);
    while (rows.next()) all.push_back(rows.number(0));
    return all;
}

std::vector<std::int64_t> database::allowed_in_last_night() const {
    std::vector<std::int64_t> all;
    sql_query rows(file_, "SELECT finding FROM allowed WHERE night = (SELECT max(id) FROM night)");
    while (rows.next()) all.push_back(rows.number(0));
    return all;
}

std::vector<std::string> database::met_in(std::int64_t night) const {
    std::vector<std::string> all;
    sql_query rows(file_, "SELECT subject FROM met WHERE night = ?");
    rows.bind(night);
    while (rows.next()) all.push_back(rows.text(0));
    return all;
}

std::vector<finding_row> database::named(const std::string& word) const {
    std::vector<finding_row> all;
    for (finding_row& each : findings())
        if (each.signature == word || each.short_name() == word || std::to_string(each.id) == word)
            all.push_back(std::move(each));
    return all;
}

void database::take_over(std::int64_t night, const database& other) {
    const std::vector<night_row> nights = other.nights();
    if (nights.empty()) return;
    sql_transaction changes(file_);
    sql_query rows(other.file_,
                   "SELECT f.subject, f.signature, f.kind, f.what, f.classes, f.program, "
                   "f.expected, f.record, s.command, s.count FROM sighting s JOIN finding f ON "
                   "f.id = s.finding");
    while (rows.next()) {
        finding_seen seen;
        seen.subject = rows.text(0);
        seen.signature = rows.text(1);
        seen.kind = rows.text(2);
        seen.what = rows.text(3);
        seen.classes = json::parse(rows.text(4), nullptr, false).get<std::vector<std::string>>();
        seen.is_expected = rows.number(6) != 0;
        seen.all = json::parse(rows.text(7), nullptr, false);
        seen.command = rows.text(8);
        see(night, seen, rows.text(5), static_cast<std::uint64_t>(rows.number(9)));
    }
    for (const night_row& each : nights)
        for (const growth_row& row : other.growth(each.id)) add(night, row);
    for (const night_row& each : nights) take_over_jobs(night, other.jobs(each.id));
    for (const refuted_row& each : other.refuted()) keep_refuted(file_, night, each);
    sql_query kept(other.file_, "SELECT job, record FROM statistics ORDER BY night");
    while (kept.next()) keep_statistics(file_, night, kept.text(0), kept.text(1));
    for (const night_row& each : nights)
        for (const lock_pairs& of : other.reach(each.id)) keep(night, of);
    for (const night_row& each : nights)
        for (const std::string& subject : other.met_in(each.id)) meet(night, subject);
    changes.commit();
}

/// Adds up jobs that other shards have run too. An outcome that says what went wrong stays.
void database::take_over_jobs(std::int64_t night, const std::vector<job_row>& jobs) {
    const std::vector<job_row> known = this->jobs(night);
    for (job_row each : jobs) {
        for (const job_row& before : known) {
            if (before.name != each.name) continue;
            each.seconds += before.seconds;
            each.slices += before.slices;
            each.deaths += before.deaths;
            const bool has_run = !before.outcome.starts_with(not_run_outcome);
            if ((has_run && before.outcome != "ran") || each.outcome.starts_with(not_run_outcome))
                each.outcome = before.outcome;
        }
        add_job(night, each);
    }
}

}  // namespace wedge::nightly
