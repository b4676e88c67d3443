#include "predict/trace.hpp"

#include <charconv>
#include <system_error>
#include <utility>

#include "wedge/core/check.hpp"

namespace wedge::predict {
namespace {

constexpr std::string_view first_line = "wedge-trace 1";

/// Reads the words of one line.
class line_reader {
public:
    line_reader(std::string_view text, const std::string& name, std::uint64_t line)
        : rest_(text), name_(name), line_(line) {}

    std::string_view word() {
        while (rest_.starts_with(' ')) rest_.remove_prefix(1);
        const std::string_view found = rest_.substr(0, rest_.find(' '));
        rest_.remove_prefix(found.size());
        return found;
    }
    std::uint32_t number(const char* what) {
        const std::string_view text = word();
        std::uint32_t value = 0;
        const char* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, value);
        if (text.empty() || read.ec != std::errc() || read.ptr != end)
            fail("'" + std::string(text) + "' is no " + what + ", expected a number");
        return value;
    }
    std::string_view rest() {
        if (rest_.starts_with(' ')) rest_.remove_prefix(1);
        return rest_;
    }
    bool is_at_end() const noexcept { return rest_.find_first_not_of(' ') == rest_.npos; }

    [[noreturn]] void fail(const std::string& why) const {
        throw error(name_ + ":" + std::to_string(line_) + ": " + why);
    }

private:
    std::string_view rest_;
    const std::string& name_;
    const std::uint64_t line_;
};

trace_op op_of(line_reader& line) {
    const std::string_view word = line.word();
    for (std::size_t i = 0; i < trace_ops; ++i)
        if (word == trace_op_names[i]) return static_cast<trace_op>(i);
    std::string all;
    for (const char* const each : trace_op_names)
        all += (all.empty() ? "" : ", ") + std::string(each);
    line.fail("unknown step '" + std::string(word) + "'; there is " + all);
}

trace_event event_of(line_reader& line, std::uint64_t number) {
    trace_event made;
    made.line = number;
    made.thread = line.number("thread");
    made.op = op_of(line);
    made.object = line.number("object");
    if (made.op == trace_op::wait || made.op == trace_op::wake) made.lock = line.number("lock");
    const std::string_view site = line.word();
    if (site.empty()) return made;
    if (!site.starts_with('@'))
        line.fail("'" + std::string(site) + "' is no site, expected @NUMBER");
    const char* const end = site.data() + site.size();
    if (std::from_chars(site.data() + 1, end, made.site).ptr != end)
        line.fail("'" + std::string(site) + "' is no site, expected @NUMBER");
    if (!line.is_at_end()) line.fail("words behind the site");
    return made;
}

void take_name(std::map<std::uint32_t, std::string>& names, line_reader& line) {
    const std::uint32_t number = line.number("number");
    names[number] = line.rest();
}

}  // namespace

trace parse_trace(std::string_view text, const std::string& name) {
    trace all;
    if (text.substr(0, text.find('\n')) != first_line)
        throw error(name + ":1: expected '" + std::string(first_line) + "'");
    std::uint64_t number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view content = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (content.ends_with('\r')) content.remove_suffix(1);
        if (++number == 1 || content.empty() || content.starts_with('#')) continue;
        line_reader line(content, name, number);
        const bool is_event = content[0] >= '0' && content[0] <= '9';
        const std::string_view what = is_event ? std::string_view() : line.word();
        if (is_event)
            all.events.push_back(event_of(line, number));
        else if (what == "thread")
            take_name(all.threads, line);
        else if (what == "lock")
            take_name(all.locks, line);
        else if (what == "site")
            take_name(all.sites, line);
        else
            line.fail("'" + std::string(what) + "': expected thread, lock, site, or an event");
    }
    return all;
}

std::string text_of(const trace_event& event) {
    std::string text = std::to_string(event.thread) + " " +
                       trace_op_names[static_cast<std::size_t>(event.op)] + " " +
                       std::to_string(event.object);
    if (event.op == trace_op::wait || event.op == trace_op::wake)
        text += " " + std::to_string(event.lock);
    if (event.site != 0) text += " @" + std::to_string(event.site);
    return text;
}

std::string text_of(const trace& all) {
    std::string text = std::string(first_line) + "\n";
    for (const auto& [sort, names] : {std::pair{"thread", &all.threads},
                                      std::pair{"lock", &all.locks}, std::pair{"site", &all.sites}})
        for (const auto& [number, name] : *names)
            text += std::string(sort) + " " + std::to_string(number) + " " + name + "\n";
    for (const trace_event& each : all.events) text += text_of(each) + "\n";
    return text;
}

}  // namespace wedge::predict
