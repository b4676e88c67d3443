#include "run/replayed_trace.hpp"

#include <charconv>
#include <map>
#include <vector>

namespace wedge::run {
namespace {

bool is_request(trace_op op) noexcept {
    return op == trace_op::request || op == trace_op::request_read;
}

/// The library writes `# process N of the run` into the traces of other processes than the first.
std::uint64_t process_in(std::string_view text) {
    constexpr std::string_view mark = "\n# process ";
    const std::size_t place = text.find(mark);
    std::uint64_t number = 1;
    if (place != text.npos)
        std::from_chars(text.data() + place + mark.size(), text.data() + text.size(), number);
    return number;
}

}  // namespace

replayed_trace read_replayed(std::string_view text, const std::string& file) {
    return replayed_of(parse_trace(text, file), process_in(text));
}

replayed_trace replayed_of(const trace& all, std::uint64_t process) {
    replayed_trace made;
    made.process = process;
    // From the end: a request counts only if nothing follows it, since an acquire says as much.
    std::vector<bool> counts(all.events.size());
    std::map<std::uint32_t, bool> is_behind;  // by thread: an event comes behind
    for (std::size_t i = all.events.size(); i-- > 0;) {
        const trace_event& each = all.events[i];
        if (each.op == trace_op::load || each.op == trace_op::store) continue;
        counts[i] = !is_request(each.op) || !is_behind[each.thread];
        is_behind[each.thread] = true;
        made.has_deadlock = made.has_deadlock || (is_request(each.op) && counts[i]);
    }
    made.text = std::to_string(made.process) + "\n";
    for (std::size_t i = 0; i < all.events.size(); ++i) {
        if (!counts[i]) continue;
        const trace_event& each = all.events[i];
        for (const std::uint64_t number :
             {each.line, std::uint64_t{each.thread}, static_cast<std::uint64_t>(each.op),
              std::uint64_t{each.object}, std::uint64_t{each.lock}})
            made.text += std::to_string(number) + " ";
        made.text.back() = '\n';
        ++made.events;
    }
    if (made.events == 0) throw error(all.file + ":1:1: the trace has no event to follow");
    return made;
}

}  // namespace wedge::run
