#include "explain/trace.hpp"

#include <algorithm>
#include <utility>

#include "explain/matching.hpp"

namespace wedge::explain {
namespace {

constexpr std::size_t line_limit = 64 * 1024;
constexpr std::size_t lines_to_guess = 200;

/// Returns a line without the quoting of a mail.
std::string_view unquoted(std::string_view text) {
    while (text.starts_with('>')) {
        text.remove_prefix(1);
        if (text.starts_with(' ')) text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
    return text;
}

bool is_event(std::string_view text) {
    if (text.starts_with("# tracer:")) return true;
    for (const std::string_view name :
         {"lock_acquire: ", "lock_release: ", "contention_begin: ", "contention_end: ",
          "lock_contended: ", "lock_acquired: "}) {
        const std::size_t at = text.find(name);
        if (at == text.npos || at == 0 || (text[at - 1] != ' ' && text[at - 1] != ':')) continue;
        const std::size_t cpu = text.find('[');
        if (cpu < at && cpu + 1 < at && is_digit(text[cpu + 1])) return true;
    }
    return false;
}

trace_kind kind_of_line(std::string_view text) {
    text = unquoted(text);
    if (text.starts_with("all lock classes:")) return trace_kind::lockdep;
    if (has(text, "all lock chains:")) return trace_kind::chains;
    if (text.starts_with("lock_stat version")) return trace_kind::lock_stat;
    if (text.starts_with("wedge-trace 1")) return trace_kind::steps;
    return is_event(text) ? trace_kind::events : trace_kind::none;
}

/// Lines of a stream, cut where they are too long.
class line_source {
public:
    explicit line_source(std::istream& in) : in_(in), buffer_(line_limit, '\0') {}

    bool next(std::string& line) {
        line.clear();
        bool is_any = false;
        while (true) {
            if (at_ == end_) {
                in_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
                at_ = 0;
                end_ = static_cast<std::size_t>(in_.gcount());
                if (end_ == 0) return is_any;
            }
            is_any = true;
            const std::string_view rest(buffer_.data() + at_, end_ - at_);
            const std::size_t stop = rest.find('\n');
            const std::string_view part = rest.substr(0, stop);
            line.append(part.substr(0, line_limit - std::min(line_limit, line.size())));
            at_ += part.size();
            if (stop == rest.npos) continue;
            ++at_;
            return true;
        }
    }

private:
    std::istream& in_;
    std::string buffer_;
    std::size_t at_ = 0;
    std::size_t end_ = 0;
};

std::unique_ptr<trace_reader> reader_of(trace_kind kind, const std::string& name,
                                        observations& into) {
    switch (kind) {
        case trace_kind::lockdep: return lockdep_reader(into, name);
        case trace_kind::chains: return chains_reader(into, name);
        case trace_kind::lock_stat: return lock_stat_reader(into);
        case trace_kind::events: return event_reader(into);
        case trace_kind::steps: return step_reader(into, name);
        case trace_kind::none: break;
    }
    throw trace_error(name +
                      ": no trace of locks; expected /proc/lockdep, lockdep_chains, lock_stat, "
                      "lines of ftrace or perf script with events lock:*, or a trace of wedge");
}

}  // namespace

trace_kind kind_of_trace(std::string_view beginning) {
    for (std::size_t lines = 0; lines < lines_to_guess && !beginning.empty(); ++lines) {
        const std::size_t end = std::min(beginning.find('\n'), beginning.size());
        const trace_kind kind = kind_of_line(beginning.substr(0, end));
        if (kind != trace_kind::none) return kind;
        beginning.remove_prefix(std::min(end + 1, beginning.size()));
    }
    return trace_kind::none;
}

void read_trace(std::istream& in, const std::string& name, observations& into) {
    line_source source(in);
    std::string line;
    trace_kind kind = trace_kind::none;
    std::unique_ptr<trace_reader> reader;
    for (std::size_t lines = 0; source.next(line); ++lines) {
        // One file may have several: `cat /proc/lockdep /proc/lockdep_chains`.
        const std::string_view text = unquoted(line);
        const bool is_heading =
            kind == trace_kind::events
                ? text.starts_with("all lock ") || text.starts_with("lock_stat version")
                : lines < lines_to_guess || text.starts_with("all lock ") ||
                      text.starts_with("(buggered) all lock") ||
                      text.starts_with("lock_stat version") || text.starts_with("# tracer:");
        if (is_heading) {
            const trace_kind next = kind_of_line(text);
            if (next != trace_kind::none && next != kind) {
                if (reader) reader->finish();
                kind = next;
                reader = reader_of(kind, name, into);
            }
        }
        if (reader) reader->take(text);
    }
    if (!reader) reader = reader_of(trace_kind::none, name, into);
    reader->finish();
}

bool is_only_read(std::string_view name) {
    return name.starts_with("rcu_read_lock");
}

bool is_annotation(std::string_view name) {
    for (const std::string_view each : {"fs_reclaim", "mmu_notifier_invalidate_range_", "rcu_",
                                        "(work_completion)", "(wq_completion)", "(completion)"})
        if (name.starts_with(each)) return true;
    return false;
}

void mark_shared_names(observations& seen) {
    if (!seen.has_modes) return;
    const std::size_t count = seen.order.classes().size();
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::string_view name = seen.order.at(i).name;
        const std::size_t number = name.rfind('#');
        if (number == name.npos || number + 1 == name.size() || !is_digit(name[number + 1]))
            continue;
        const std::uint32_t shared = seen.order.find(name.substr(0, number));
        if (shared != lock_graph::none) seen.order.at(shared).is_name_shared = true;
    }
}

}  // namespace wedge::explain
