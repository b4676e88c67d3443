// Fuzzes the reports: every finding with any names becomes a text, a picture and one line of valid
// JSON. The readers of `wedge explain` read the same bytes as a log: each report that they find can
// be shown, and its scenario can be parsed.
//
// corpus: explain_text
// ctest: short -runs=2000 -seed=1 => Done 2000 runs
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "wedge/core/check.hpp"
#include "wedge/core/signature.hpp"
#include "wedge/fuzz/coverage.hpp"
#include "wedge/report/dot.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/parse.hpp"

#include "explain/evidence.hpp"
#include "explain/reader.hpp"
#include "explain/say.hpp"
#include "explain/scenario_text.hpp"

namespace {

/// Reads answers from the input; after its end, always 0.
class input {
public:
    input(const std::uint8_t* data, std::size_t size) : next_(data), end_(data + size) {}

    std::uint32_t below(std::uint32_t n) { return next_ == end_ ? 0 : *next_++ % n; }
    std::string name() {
        std::string made;
        for (std::uint32_t left = below(8); left > 0; --left) made += static_cast<char>(below(256));
        return made;
    }
    wedge::lock_use lock() {
        wedge::lock_use made;
        made.class_name = name();
        made.instance = below(4);
        made.subclass = static_cast<std::uint8_t>(below(3));
        made.how = static_cast<wedge::mode>(below(3));
        made.where = {files[below(3)], "f", below(100)};
        return made;
    }
    wedge::dependency edge() { return {lock(), lock(), name(), below(4) == 0}; }
    wedge::task_report task() {
        wedge::task_report made;
        made.name = name();
        for (std::uint32_t left = below(3); left > 0; --left) made.held.push_back(lock());
        if (below(2) != 0) made.wanted = lock();
        if (below(3) == 0) made.waits_for = name();
        return made;
    }
    wedge::finding finding() {
        wedge::finding made;
        made.kind = static_cast<wedge::finding_kind>(below(wedge::finding_names.size()));
        made.judged = static_cast<wedge::verdict>(below(4));
        made.what = name();
        made.reason = name();
        for (std::uint32_t left = below(4); left > 0; --left) made.cycle.push_back(edge());
        for (std::uint32_t left = below(3); left > 0; --left) made.reached.push_back(edge());
        for (std::uint32_t left = below(3); left > 0; --left) made.locks.push_back(lock());
        for (std::uint32_t left = below(4); left > 0; --left) made.tasks.push_back(task());
        made.task = name();
        made.graded = {name(), below(2) != 0, below(2) != 0, below(2) != 0};
        made.cycles = below(4);
        made.signature = wedge::signature_of(made);
        return made;
    }

private:
    static constexpr const char* files[] = {"", "a.cpp", "/b\"\\\n/c.hpp"};

    const std::uint8_t* next_;
    const std::uint8_t* end_;
};

/// Reads one JSON value (RFC 8259); returns false if the text is not one.
class json_reader {
public:
    explicit json_reader(std::string_view text) : text_(text) {}
    bool is_valid() { return value() && at_ == text_.size(); }

private:
    bool accept(char c) {
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    bool word(std::string_view wanted) {
        if (!text_.substr(at_).starts_with(wanted)) return false;
        at_ += wanted.size();
        return true;
    }
    bool string() {
        if (!accept('"')) return false;
        while (!accept('"')) {
            if (at_ == text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20) return false;
            if (text_[at_++] != '\\') continue;
            if (at_ == text_.size()) return false;
            const char escaped = text_[at_++];
            if (escaped == 'u')
                for (int i = 0; i < 4; ++i, ++at_)
                    if (at_ == text_.size() || !is_hex(text_[at_])) return false;
            if (std::string_view("\"\\/bfnrtu").find(escaped) == std::string_view::npos)
                return false;
        }
        return true;
    }
    static bool is_hex(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    }
    bool number() {
        const std::size_t start = at_;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
        return at_ > start;
    }
    template <class Element>
    bool list(char close, Element element) {
        if (accept(close)) return true;
        do {
            if (!element()) return false;
        } while (accept(','));
        return accept(close);
    }
    bool value() {
        if (accept('[')) return list(']', [&] { return value(); });
        if (accept('{')) return list('}', [&] { return string() && accept(':') && value(); });
        if (at_ < text_.size() && text_[at_] == '"') return string();
        return word("true") || word("false") || word("null") || number();
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// Reads the bytes as a log. A report that calls itself complete has a whole cycle.
void read_as_log(std::string text) {
    const wedge::explain::text_lines lines(std::move(text));
    for (const wedge::explain::report& each : wedge::explain::read_reports(lines)) {
        WEDGE_CHECK(each.first_line <= each.last_line);
        WEDGE_CHECK(each.last_line <= lines.all().back().number);
        if (each.complete && each.kind == "circular")
            WEDGE_CHECK(each.edges.size() == each.cycle_locks.size());
        WEDGE_CHECK(wedge::explain::text_of(each).ends_with("\n"));
        WEDGE_CHECK(wedge::explain::dot_of(each).ends_with("}\n"));
        for (const bool as_plain : {false, true}) {
            wedge::explain::scenario_plan plan;
            plan.as_plain_locks = as_plain;
            const std::string scenario = wedge::explain::scenario_of(each, plan);
            if (!scenario.empty()) wedge::scenario::parse(scenario, "explained.wedge");
        }
    }
}

}  // namespace

namespace {

/// Reads a trace and tells all that can be told of it.
void read_as_trace(const std::string& text) {
    namespace explain = wedge::explain;
    if (explain::kind_of_trace(text) == explain::trace_kind::none) return;
    explain::observations seen;
    std::istringstream in(text);
    explain::read_trace(in, "trace", seen);
    explain::mark_shared_names(seen);
    explain::evidence_options options;
    options.order = "a -> b";
    options.around = "a";
    explain::tell(seen, "trace", options);
    WEDGE_CHECK(explain::dot_of(seen, options).ends_with("}\n"));
    WEDGE_CHECK(!explain::compare(seen, seen, {}).has_findings);
    const std::string json = explain::json_of(seen, "trace", options);
    WEDGE_CHECK(json_reader(std::string_view(json).substr(0, json.size() - 1)).is_valid());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    wedge::count_execution();
    const std::string text(reinterpret_cast<const char*>(data), size);
    read_as_log(text);
    read_as_trace(text);
    input from(data, size);
    wedge::outcome all;
    for (std::uint32_t left = 1 + from.below(2); left > 0; --left)
        all.findings.push_back(from.finding());
    for (const wedge::finding& each : all.findings) {
        WEDGE_CHECK(wedge::text_of(each, "replay it").ends_with("replay: replay it\n"));
        WEDGE_CHECK(wedge::dot_of(each).ends_with("}\n"));
    }
    const std::string json = wedge::json_of(all, {from.name(), from.name(), {from.name()}});
    WEDGE_CHECK(json.find('\n') == json.size() - 1);
    WEDGE_CHECK(json_reader(std::string_view(json).substr(0, json.size() - 1)).is_valid());
    return 0;
}
