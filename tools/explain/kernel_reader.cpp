// Reads the reports of Linux: lockdep and the dumps of hung tasks.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "explain/kernel_kinds.hpp"
#include "explain/reader.hpp"

namespace wedge::explain {

namespace {

using kernel::kind_entry;
using kernel::report_text;

/// A place where a report may begin.
struct heading {
    const kind_entry* kind = nullptr;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool stands_alone = false;  ///< nothing else is in its line
    bool has_prefix = false;    ///< `WARNING: ` or the like is in front of it
};

/// Moves `at` back over `word`, if that is there.
bool step_back(std::string_view text, std::size_t& at, std::string_view word) {
    if (!text.substr(0, at).ends_with(word)) return false;
    at -= word.size();
    return true;
}

/// Where the heading around a phrase begins: with `WARNING: ` and a bracket, if they are there.
std::size_t heading_begin(const flat_text& all, const kind_entry& kind, std::size_t phrase) {
    const std::string_view text = all.text();
    // Looks no further back than a heading is long, as phrases may be many.
    const std::size_t floor = phrase > 128 ? phrase - 128 : 0;
    const auto last = [&](std::string_view word, std::size_t before) {
        const std::size_t found = text.substr(floor, before - floor).rfind(word);
        return found == none ? none : floor + found;
    };
    std::size_t begin = phrase;
    if (kind.kind == "safe-unsafe") {  // `HARDIRQ-safe -> HARDIRQ`
        const std::size_t safe = last("-safe -> ", begin);
        if (safe == none || begin - safe > 24) return none;
        begin = safe;
        while (begin > 0 && text[begin - 1] != ' ' && safe - begin < 16) --begin;
    }
    if (kind.heading.starts_with("still has")) {  // `[ BUG: TASK still has`
        std::size_t bug = last("BUG: ", begin);   // the name of the task may hold `: `
        if (bug == none) bug = last("WARNING: ", begin);
        if (bug != none)
            bug = all.text().find(": ", bug);
        else
            bug = last(": ", begin);
        if (bug == none || begin - bug > 64) return none;
        begin = bug + 2;
    }
    if (kind.kind == "hung") {  // `INFO: task TASK:PID blocked for`
        const std::size_t info = last("INFO: task ", begin);
        return info == none || begin - info > 64 ? none : info;
    }
    for (const std::string_view word : {"WARNING: ", "INFO: ", "BUG: "})
        if (step_back(text, begin, word)) break;
    step_back(text, begin, "[ ");
    return begin;
}

bool stands_alone(const flat_text& all, const heading& found) {
    if (all.line_start(found.begin) != found.begin) return false;
    const std::string_view rest = all.text().substr(found.end, all.line_end(found.end) - found.end);
    return rest.find_first_not_of(" !].") == none;
}

std::vector<heading> candidates(const flat_text& all) {
    std::vector<heading> found;
    for (const kind_entry& kind : kernel::all_kinds()) {
        for (std::size_t at = all.find(kind.heading); at != none;
             at = all.find(kind.heading, at + kind.heading.size())) {
            heading one;
            one.kind = &kind;
            one.begin = heading_begin(all, kind, at);
            one.end = at + kind.heading.size();
            if (one.begin == none) continue;
            one.stands_alone = stands_alone(all, one);
            one.has_prefix = all.text().substr(one.begin, at - one.begin).find(": ") != none ||
                             all.text().substr(0, one.begin).ends_with(": ");
            found.push_back(one);
        }
    }
    std::sort(found.begin(), found.end(),
              [](const heading& a, const heading& b) { return a.begin < b.begin; });
    return found;
}

/// Those of the candidates that begin a report. A subject or a sentence that mentions a report has
/// no body before the next heading of the same kind.
///
/// With the caller's id, only what the same caller prints comes between a heading and its body.
std::vector<heading> real_headings(std::span<const line> lines, const flat_text& all) {
    const std::vector<heading> found = candidates(all);
    constexpr std::size_t farthest_body = 4000;
    // Where the next candidate begins that is of the same kind or looks like a heading.
    std::vector<std::size_t> next(found.size(), all.size());
    using caller_and_kind = std::pair<std::string_view, std::string_view>;
    std::map<caller_and_kind, std::size_t> later;
    for (std::size_t i = found.size(); i-- > 0;) {
        const std::string_view caller = lines[all.line_index(found[i].begin)].caller;
        for (const std::string_view kind : {found[i].kind->kind, std::string_view()}) {
            const auto behind = later.find({caller, kind});
            if (behind != later.end()) next[i] = std::min(next[i], behind->second);
        }
        later[{caller, found[i].kind->kind}] = found[i].begin;
        if (found[i].has_prefix) later[{caller, std::string_view()}] = found[i].begin;
    }
    std::vector<heading> real;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const heading& each = found[i];
        if (!real.empty() && each.begin < real.back().end) continue;
        const std::size_t limit = each.end + (each.has_prefix ? farthest_body : 400);
        const bool has_body = all.find(each.kind->body, each.end, std::min(next[i], limit)) != none;
        const bool is_cut_off = each.stands_alone && next[i] > limit;
        if (!has_body && !(each.stands_alone && (is_cut_off || next[i] == all.size()))) continue;
        // One dump of hung tasks names many of them.
        if (each.kind->kind == "hung" && !real.empty() && real.back().kind->kind == "hung")
            continue;
        real.push_back(each);
    }
    return real;
}

/// Deals lines out to the reports: with the caller's id those of several CPUs can be told apart.
class dealer {
public:
    dealer(std::span<const line> lines, const flat_text& all, const std::vector<heading>& headings)
        : lines_(lines), all_(all), headings_(headings), texts_(headings.size() + 1) {}

    /// The text in front of the first heading, then the text of each report.
    std::vector<report_text> deal() {
        std::size_t next = 0;
        std::size_t last = 0;  // the report that got a line last
        for (std::size_t i = 0, at = 0; i < lines_.size(); ++i) {
            const std::size_t end = i + 1 < lines_.size() ? all_.line_begin(i + 1) : all_.size();
            const std::string_view caller = lines_[i].caller;
            while (next < headings_.size() && headings_[next].begin < end) {
                add(target(caller, last), lines_[i], at, headings_[next].begin);
                at = headings_[next].begin;
                last = ++next;
                open_[caller] = last;
                texts_[last].kind = headings_[last - 1].kind->kind;
                texts_[last].heading_end = headings_[last - 1].end - headings_[last - 1].begin;
            }
            last = target(caller, last);
            add(last, lines_[i], at, end);
            at = end;
        }
        return std::move(texts_);
    }

private:
    std::size_t target(std::string_view caller, std::size_t last) const {
        if (caller.empty()) return last;
        const auto own = open_.find(caller);
        if (own != open_.end()) return own->second;
        const auto common = open_.find(std::string_view());
        // A line of a caller that reports nothing is not for the report of another one.
        if (common != open_.end()) return common->second;
        return open_.empty() ? 0 : ignored;
    }
    void add(std::size_t to, const line& from, std::size_t begin, std::size_t end) {
        if (to == ignored || begin >= end) return;
        line piece = from;
        piece.text = all_.text().substr(begin, end - begin);
        texts_[to].text.add(piece);
    }

    static constexpr std::size_t ignored = static_cast<std::size_t>(-1);

    std::span<const line> lines_;
    const flat_text& all_;
    const std::vector<heading>& headings_;
    std::vector<report_text> texts_;
    std::map<std::string_view, std::size_t> open_;
};

/// A mutex under a spinlock is reported twice, first as a call that may sleep.
void join_sleeping(std::vector<report>& found, std::size_t from) {
    for (std::size_t i = from; i + 1 < found.size();) {
        report& next = found[i + 1];
        if (found[i].kind != "sleeping" || next.kind != "wait-context" ||
            found[i].task != next.task) {
            ++i;
            continue;
        }
        next.first_line = found[i].first_line;
        next.notes.push_back("The kernel says also that a function that sleeps was called here.");
        found.erase(found.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

/// A line about a hung task that another report has cut off says nothing, if there is that other.
void drop_empty_hangs(std::vector<report>& found, std::size_t from) {
    if (found.size() < from + 2) return;
    const auto is_empty = [](const report& each) {
        return each.kind == "hung" &&
               std::all_of(each.tasks.begin(), each.tasks.end(), [](const task_state& task) {
                   return task.stack.empty() && task.held.empty();
               });
    };
    const auto begin = found.begin() + static_cast<std::ptrdiff_t>(from);
    if (std::all_of(begin, found.end(), is_empty)) return;
    found.erase(std::remove_if(begin, found.end(), is_empty), found.end());
}

class kernel_reports final : public reader {
public:
    const char* name() const override { return "kernel"; }

    void find(std::span<const line> text, std::vector<report>& found) const override {
        flat_text all;
        for (const line& each : text) all.add(each);
        const std::vector<heading> headings = real_headings(text, all);
        std::vector<report_text> texts = dealer(text, all, headings).deal();
        const std::size_t before = found.size();
        report_text& rest = texts.front();
        rest.kind = kernel::kind_without_heading(rest.text);
        if (!rest.kind.empty()) {
            report headless = kernel::read_body(rest);
            const bool has_locks = !headless.new_lock.empty() || headless.cycle_locks.size() > 1;
            if (has_locks && (!headless.task.empty() || !headless.edges.empty()))
                found.push_back(std::move(headless));
        }
        for (std::size_t i = 1; i < texts.size(); ++i) found.push_back(kernel::read_body(texts[i]));
        join_sleeping(found, before);
        drop_empty_hangs(found, before);
    }
};

}  // namespace

const reader& kernel_reader() {
    static const kernel_reports one;
    return one;
}

}  // namespace wedge::explain
