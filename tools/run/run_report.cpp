#include "run/run_report.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <string_view>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"
#include "wedge/report/json.hpp"

#include "run/raw_report.hpp"

namespace wedge::run {
namespace {

using fields = std::vector<std::string_view>;

fields split(std::string_view line, char at) {
    fields all;
    while (true) {
        const std::size_t end = line.find(at);
        all.push_back(line.substr(0, end));
        if (end == line.npos) return all;
        line.remove_prefix(end + 1);
    }
}

std::uint64_t number(std::string_view text, int base = 10) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
}

/// Reads one file of raw text. A line that is cut, because the process was killed, ends it.
class raw_reader {
public:
    explicit raw_reader(run_process& into) : into_(into) {}

    void read(std::string_view text) {
        while (true) {
            const std::size_t end = text.find('\n');
            if (end == text.npos) return;
            take(split(text.substr(0, end), '\t'));
            text.remove_prefix(end + 1);
        }
    }

private:
    void take(const fields& line) {
        if (line[0].empty() || line.size() < 2) {
            if (line[0] == ".") finish();
            return;
        }
        switch (line[0][0]) {
            case 'F':
                if (line.size() > 2) files_[std::string(line[1])] = line[2];
                break;
            case 'C': take_class(line); break;
            case 'B': begin(line); break;
            case 'G': now_.found.graded.guard = line[1]; break;
            case 'W': now_.found.what = line[1]; break;
            case 'R': now_.found.reason = line[1]; break;
            case 'S': now_.found.signature = line[1]; break;
            case 'T': now_.found.task = named(line[1]); break;
            case 'E': take_edge(line); break;
            case 'K':
                now_.stacks.emplace_back();
                for (std::size_t i = 1; i < line.size(); ++i)
                    if (!line[i].empty()) now_.stacks.back().push_back(address(line[i]));
                break;
            case 'P': take_party(line); break;
            case 'L': now_.found.locks.push_back(use(line, 1)); break;
            case 'H': now_.found.held.push_back(use(line, 1)); break;
            default: break;
        }
    }

    void take_class(const fields& line) {
        if (line.size() < 4) return;
        class_name& made = into_.class_names[static_cast<std::uint32_t>(number(line[1]))];
        made.how = line[2].empty() ? '?' : line[2][0];
        for (std::size_t i = 3; i < line.size(); ++i) made.addresses.push_back(address(line[i]));
    }

    void begin(const fields& line) {
        now_ = {};
        if (line.size() < 9) return;
        const auto value = [&](std::size_t i) { return number(line[i]); };
        now_.found.kind =
            static_cast<finding_kind>(std::min<std::uint64_t>(value(1), finding_names.size() - 1));
        now_.found.judged = static_cast<verdict>(std::min<std::uint64_t>(value(2), 3));
        now_.found.cycles = static_cast<std::uint32_t>(value(3));
        now_.found.graded.needs_writer = value(4) != 0;
        now_.found.graded.one_task = value(5) != 0;
        now_.found.graded.class_only = value(6) != 0;
        now_.is_alone = value(7) != 0;
        now_.is_only_thread = value(8) != 0;
    }

    void take_edge(const fields& line) {
        if (line.size() < 12) return;
        dependency edge;
        edge.held = use(line, 1);
        edge.wanted = use(line, 6);
        edge.task = named(line[11]);
        now_.found.cycle.push_back(std::move(edge));
    }

    void take_party(const fields& line) {
        if (line.size() < 4) return;
        task_report made;
        made.name = named(line[1]);
        made.waits_for = named(line[2]);
        made.where = site_at(line[3]);
        if (line.size() > 4) made.joins = named(line[4]);
        now_.found.tasks.push_back(std::move(made));
    }

    /// A finding that is reported again has changed its grade.
    void finish() {
        for (raw_finding& known : into_.findings) {
            if (known.found.signature != now_.found.signature || known.is_alone != now_.is_alone)
                continue;
            known = std::move(now_);
            return;
        }
        into_.findings.push_back(std::move(now_));
    }

    /// Returns a lock from five fields. The site's text is kept in the class name until names are
    /// known.
    lock_use use(const fields& line, std::size_t at) {
        lock_use made;
        if (line.size() < at + 5) return made;
        made.class_id = static_cast<std::uint32_t>(number(line[at]));
        made.instance = static_cast<std::uint32_t>(number(line[at + 1]));
        made.how = static_cast<mode>(std::min<std::uint64_t>(number(line[at + 2]), 2));
        made.with = static_cast<flags>(number(line[at + 3]));
        made.where = site_at(line[at + 4]);
        return made;
    }

    site site_at(std::string_view field) {
        const code_address where = address(field);
        // Literals of a site live as long as the program; so does this set.
        static std::set<std::string> texts;
        const std::string& text =
            *texts.insert(where.file + "|" + std::to_string(where.offset)).first;
        now_.sites[text] = where;
        return {text.c_str(), "", 1, 0};
    }

    code_address address(std::string_view text) const {
        const std::size_t colon = text.find(':');
        if (colon == text.npos) return {"?", 0};
        const auto known = files_.find(std::string(text.substr(0, colon)));
        return {known == files_.end() ? "?" : known->second, number(text.substr(colon + 1), 16)};
    }

    /// Replaces the number of a file in `{@FILE:OFFSET}` by its name.
    std::string named(std::string_view text) const {
        const std::size_t begin = text.find("{@");
        const std::size_t end = text.find('}', begin);
        if (begin == text.npos || end == text.npos) return std::string(text);
        const code_address where = address(text.substr(begin + 2, end - begin - 2));
        return std::string(text.substr(0, begin)) + "{@" + where.file + ":" +
               std::to_string(where.offset) + std::string(text.substr(end));
    }

    run_process& into_;
    std::map<std::string, std::string> files_;
    raw_finding now_;
};

run_process read_process(const std::filesystem::path& counters) {
    run_process made;
    const std::string bytes = read_text(counters.string());
    if (bytes.size() < sizeof(run_counters)) return made;
    const auto* const page = reinterpret_cast<const run_counters*>(bytes.data());
    if (page->magic != run_counters::right_magic) return made;
    made.pid = page->pid;
    made.program = page->program;
    made.acquires = page->acquires.load();
    made.locks = page->locks.load();
    made.classes = page->classes.load();
    made.edges = page->edges.load();
    made.threads = page->threads.load();
    made.has_ended = page->ended.load() == 1;
    made.number = page->number;
    made.steps = page->steps.load();
    made.followed = page->followed.load();
    made.to_follow = page->to_follow.load();
    made.left_at = page->left_at.load();
    made.why_left = page->why_left;
    std::filesystem::path raw = counters;
    std::error_code failed;
    raw.replace_extension(".trace");
    if (std::filesystem::exists(raw, failed)) made.trace = raw.string();
    raw.replace_extension(".raw");
    if (std::filesystem::exists(raw, failed)) {
        const std::string text = read_text(raw.string());
        raw_reader(made).read(text);
    }
    return made;
}

}  // namespace

bool raw_finding::is_certain() const noexcept {
    if (is_confirmed()) return true;
    if (is_alone && found.judged != verdict::observed) return false;
    if (!found.graded.guard.empty() || found.graded.class_only) return false;
    return !found.graded.one_task || !is_only_thread;
}

std::vector<run_process> read_run(const std::string& directory) {
    std::vector<std::filesystem::path> files;
    std::error_code failed;
    for (const auto& each : std::filesystem::directory_iterator(directory, failed))
        if (each.path().extension() == ".counters") files.push_back(each.path());
    if (failed) throw error(directory + ": " + failed.message());
    std::sort(files.begin(), files.end());
    std::vector<run_process> all;
    for (const std::filesystem::path& each : files) all.push_back(read_process(each));
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.number < b.number; });
    return all;
}

}  // namespace wedge::run
