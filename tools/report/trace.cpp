#include "report/formats.hpp"

namespace wedge::report_files {

using nightly::text_in;

namespace {

constexpr std::int64_t step_length = 1000;  // microseconds

json event_of(const char* phase, const std::string& name, std::size_t process, std::int64_t task,
              std::int64_t at, const json& step) {
    return {{"ph", phase},
            {"name", name},
            {"pid", process},
            {"tid", task},
            {"ts", at * step_length},
            {"args", {{"at", text_in(step, "at")}, {"shared", step.value("shared", false)}}}};
}

json name_of_thing(const char* what, std::size_t process, std::int64_t task,
                   const std::string& name) {
    return {
        {"ph", "M"}, {"name", what}, {"pid", process}, {"tid", task}, {"args", {{"name", name}}}};
}

/// Holds and waits overlap freely, so they are asynchronous slices: begun and ended by an id.
void add_steps(json& events, const json& timeline, std::size_t process) {
    const json& tasks = timeline["tasks"];
    for (std::size_t i = 0; i < tasks.size(); ++i)
        events.push_back(name_of_thing("thread_name", process, static_cast<std::int64_t>(i),
                                       tasks[i].get<std::string>()));
    std::int64_t at = 0;
    for (const json& step : timeline["steps"]) {
        const std::string does = text_in(step, "does");
        const std::string object = text_in(step, "object");
        const std::int64_t task = step.value("task", std::int64_t{0});
        const auto slice = [&](const char* phase, const char* sort) {
            json made = event_of(phase, std::string(sort) + " " + object, process, task, at, step);
            made["cat"] = sort;
            made["id"] = std::to_string(task) + " " + sort + " " + object;
            events.push_back(std::move(made));
        };
        if (does == "wants" || does == "waits" || does == "joins") slice("b", "waits for");
        if (does == "takes" || does == "wakes") slice("e", "waits for");
        if (does == "takes") slice("b", "holds");
        if (does == "releases") slice("e", "holds");
        json now = event_of("i", does + " " + object, process, task, at, step);
        now["s"] = "t";
        events.push_back(std::move(now));
        ++at;
    }
}

}  // namespace

std::string trace_of(const shown_run& all) {
    json events = json::array();
    for (std::size_t i = 0; i < all.findings.size(); ++i) {
        const auto timeline = all.findings[i].shown.find("timeline");
        if (timeline == all.findings[i].shown.end() || !timeline->is_object()) continue;
        events.push_back(
            name_of_thing("process_name", i, 0,
                          all.findings[i].subject + ": " + text_in(all.findings[i].shown, "what")));
        add_steps(events, *timeline, i);
    }
    const json made = {{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}};
    return made.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace wedge::report_files
