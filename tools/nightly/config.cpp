#include "nightly/config.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>

#include <unistd.h>

#define TOML_ENABLE_FORMATTERS 0
#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/words.hpp"

namespace wedge::nightly {

namespace fs = std::filesystem;

namespace {

constexpr std::array kinds = {"fuzz", "plain_fuzz", "explore", "hunt", "stress", "check"};

/// Reads one table of the configuration and refuses keys that it does not know.
class table_reader {
public:
    table_reader(const toml::table& table, const std::string& file) : table_(table), file_(file) {}

    std::string text(const char* key, const std::string& otherwise = {}) {
        const toml::node* const found = take(key);
        if (found == nullptr) return otherwise;
        const auto value = found->value_exact<std::string>();
        if (!value) fail(*found, std::string(key) + " must be a text");
        return *value;
    }
    double number(const char* key, double otherwise, double least) {
        const toml::node* const found = take(key);
        if (found == nullptr) return otherwise;
        const auto value = found->value<double>();
        if (!value || *value < least)
            fail(*found, std::string(key) + " must be a number >= " + short_number(least));
        return *value;
    }
    std::vector<std::string> texts(const char* key) {
        std::vector<std::string> all;
        const toml::node* const found = take(key);
        if (found == nullptr) return all;
        const toml::array* const list = found->as_array();
        if (list == nullptr) fail(*found, std::string(key) + " must be a list of texts");
        for (const toml::node& each : *list) {
            const auto value = each.value_exact<std::string>();
            if (!value) fail(each, std::string(key) + " must contain texts only");
            all.push_back(*value);
        }
        return all;
    }
    /// Call it last.
    void expect_nothing_else() const {
        for (const auto& [key, value] : table_)
            if (!known_.contains(std::string(key.str()))) {
                const std::vector<std::string> names(known_.begin(), known_.end());
                fail(value, "unknown key " + std::string(key.str()) +
                                suggestion(std::string(key.str()), names) + "; there is " +
                                joined(names));
            }
    }
    const toml::node* take(const char* key) {
        known_.insert(key);
        return table_.get(key);
    }
    [[noreturn]] void fail(const toml::node& at, const std::string& why) const {
        const toml::source_position where = at.source().begin;
        throw error(file_ + ":" + std::to_string(where.line) + ":" + std::to_string(where.column) +
                    ": " + why);
    }

private:
    static std::string short_number(double value) {
        return std::to_string(static_cast<long>(value));
    }

    const toml::table& table_;
    const std::string& file_;
    std::set<std::string> known_;
};

std::string with_number(std::string name, const std::vector<job_config>& all) {
    const auto is_taken = [&](const std::string& tried) {
        return std::any_of(all.begin(), all.end(),
                           [&](const job_config& each) { return each.name == tried; });
    };
    if (!is_taken(name)) return name;
    std::size_t number = 2;
    while (is_taken(name + "-" + std::to_string(number))) ++number;
    return name + "-" + std::to_string(number);
}

void add(std::vector<job_config>& all, job_config made) {
    const std::string program = fs::path(made.program).filename().string();
    std::string subject = made.subject;
    if (made.kind == job_kind::check || made.subject.ends_with(".wedge"))
        subject = fs::path(made.subject).filename().string();
    made.name = with_number(
        std::string(name_of(made.kind)) + " " + (subject.empty() ? program : subject), all);
    all.push_back(std::move(made));
}

/// Reads one `[[job]]` table. Each subject becomes a job of its own.
void read_job(const toml::table& table, const std::string& file, const std::string& self,
              std::vector<job_config>& all) {
    table_reader from(table, file);
    const std::string kind = from.text("kind");
    job_config made;
    const auto known = std::find(kinds.begin(), kinds.end(), kind);
    if (known == kinds.end()) {
        const toml::node* const at = table.get("kind");
        from.fail(
            at != nullptr ? *at : static_cast<const toml::node&>(table),
            "kind must be one of " + joined(std::vector<std::string>(kinds.begin(), kinds.end())));
    }
    made.kind = static_cast<job_kind>(known - kinds.begin());
    made.program = from.text("program", made.kind == job_kind::check ? self : "");
    if (made.program.empty()) from.fail(table, "program is missing: the path of the program");
    made.options = from.texts("options");
    made.seeds = from.texts("seeds");
    made.coverage = from.text("coverage");
    std::vector<std::string> subjects = from.texts("subjects");
    from.expect_nothing_else();
    if (subjects.empty()) subjects.emplace_back();
    for (const std::string& each : subjects) {
        made.subject = each;
        add(all, made);
    }
}

night_config of_file(const std::string& path, const std::string& self) {
    night_config made;
    made.file = path;
    made.folder = fs::absolute(path).parent_path().string();
    toml::table all;
    try {
        all = toml::parse(read_text(path, 1), path);
    } catch (const toml::parse_error& wrong) {
        const toml::source_position where = wrong.source().begin;
        throw error(path + ":" + std::to_string(where.line) + ":" + std::to_string(where.column) +
                    ": " + std::string(wrong.description()));
    }
    table_reader from(all, made.file);
    made.out = from.text("out", made.out);
    made.database = from.text("database");
    made.allow_list = from.text("allow_list");
    made.coverage_of = from.texts("coverage_of");
    made.seconds = from.number("seconds", made.seconds, 1);
    made.seconds = 60 * from.number("minutes", made.seconds / 60, 0);
    made.jobs = static_cast<unsigned>(from.number("jobs", 0, 0));
    made.slice = from.number("slice", 0, 0);
    const toml::node* const jobs = from.take("job");
    from.expect_nothing_else();
    if (jobs != nullptr && !jobs->is_array_of_tables())
        from.fail(*jobs, "job must be a list of tables: [[job]]");
    if (jobs != nullptr)
        for (const toml::node& each : *jobs->as_array())
            read_job(*each.as_table(), made.file, self, made.all);
    if (made.all.empty()) throw error(path + ": it has no [[job]], so there is nothing to run");
    return made;
}

night_config of_folder(const std::string& path, const std::string& self) {
    night_config made;
    made.file = path;
    made.folder = fs::absolute(path).string();
    std::vector<fs::path> files;
    for (const auto& each : fs::directory_iterator(path))
        if (each.is_regular_file()) files.push_back(each.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& each : files) {
        const std::string name = each.filename().string();
        job_config job;
        job.program = fs::absolute(each).string();
        const bool is_program = ::access(each.c_str(), X_OK) == 0 && each.extension().empty();
        if (is_program && name.starts_with("fuzz_")) {
            job.kind = job_kind::fuzz;
        } else if (is_program && name.starts_with("stress_")) {
            job.kind = job_kind::stress;
        } else if (each.extension() == ".wedge") {
            job.kind = job_kind::check;
            job.subject = job.program;
            job.program = self;
        } else {
            continue;
        }
        add(made.all, std::move(job));
    }
    if (made.all.empty())
        throw error(path +
                    ": it has neither a nightly.toml, nor programs fuzz_… or stress_…, nor "
                    "scenarios *.wedge");
    return made;
}

}  // namespace

const char* name_of(job_kind kind) {
    return kinds[static_cast<std::size_t>(kind)];
}

night_config read_config(const std::string& path, const std::string& self) {
    if (!fs::is_directory(path)) return of_file(path, self);
    const fs::path inside = fs::path(path) / "nightly.toml";
    return fs::exists(inside) ? of_file(inside.string(), self) : of_folder(path, self);
}

}  // namespace wedge::nightly
