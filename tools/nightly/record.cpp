#include "nightly/record.hpp"

#include <algorithm>

#include "wedge/core/check.hpp"

namespace wedge::nightly {

namespace {

std::vector<std::string> texts_in(const json& object, const char* key) {
    std::vector<std::string> all;
    const auto found = object.find(key);
    if (found == object.end() || !found->is_array()) return all;
    for (const json& each : *found)
        if (each.is_string()) all.push_back(each.get<std::string>());
    return all;
}

std::string in_one_line(const std::vector<std::string>& words, const char* between) {
    std::string text;
    for (const std::string& each : words) text += (text.empty() ? "" : between) + each;
    return text;
}

statement statement_of(json object, const std::string& name) {
    const auto schema = object.find("schema");
    if (!schema->is_number_integer() || schema->get<int>() != schema_read)
        throw error(name + ": its JSON has schema " + schema->dump() + ", this build reads " +
                    std::to_string(schema_read) + "; use the wedge that belongs to the program");
    statement said;
    said.command = text_in(object, "command");
    const bool is_file = object.contains("file");
    said.subject = text_in(object, is_file ? "file" : "workload");
    // These commands read reports and traces, the others scenarios.
    said.is_scenario = is_file && said.command != "explain" && said.command != "predict";
    said.program = text_in(object, "program");
    said.outcome = text_in(object, "outcome");
    said.error = text_in(object, "error");
    if (object.contains("met") && object["met"].is_boolean())
        said.is_met = object["met"].get<bool>();
    said.all = std::move(object);
    return said;
}

}  // namespace

std::string text_in(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::vector<statement> read_statements(std::string_view text, const std::string& name) {
    std::vector<statement> all;
    while (!text.empty()) {
        const std::size_t length = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, length);
        text.remove_prefix(std::min(length + 1, text.size()));
        if (line.empty() || line.front() != '{') continue;
        json object = json::parse(line, nullptr, false);
        // A line that was cut by a kill is no statement.
        if (object.is_discarded() || !object.is_object() || !object.contains("schema")) continue;
        all.push_back(statement_of(std::move(object), name));
    }
    return all;
}

namespace {

/// Returns the findings of a statement with the verdict `refuted`, or those with any other verdict.
std::vector<finding_seen> findings_in(const statement& said, bool is_refuted) {
    std::vector<finding_seen> all;
    const auto list = said.all.find("findings");
    if (list == said.all.end() || !list->is_array()) return all;
    for (const json& each : *list) {
        if (!each.is_object() || (text_in(each, "verdict") == "refuted") != is_refuted) continue;
        if (said.outcome == "interrupted" && text_in(each, "verdict") == "unresolved") continue;
        finding_seen made;
        made.command = said.command;
        made.subject = said.subject;
        made.is_scenario = said.is_scenario;
        made.program = said.program;
        made.kind = text_in(each, "kind");
        made.what = text_in(each, "what");
        made.verdict = text_in(each, "verdict");
        made.classes = texts_in(each, "classes");
        made.signature = text_in(each, "signature");
        if (made.signature.empty())
            made.signature = made.kind + " " + in_one_line(made.classes, " ");
        const std::string states = text_in(each, "expected");
        const auto allowed = each.find("allowed");
        made.is_allowed = allowed != each.end() && *allowed == true;
        made.is_expected =
            !made.is_allowed && said.is_met.value_or(!states.empty() && states != "sound");
        made.all = each;
        all.push_back(std::move(made));
    }
    return all;
}

}  // namespace

std::vector<finding_seen> findings_of(const statement& said) {
    return findings_in(said, false);
}

std::vector<finding_seen> refuted_in(const statement& said) {
    return findings_in(said, true);
}

std::optional<lock_pairs> lock_pairs_of(const statement& said) {
    const auto found = said.all.find("lock_pairs");
    if (found == said.all.end() || !found->is_object()) return std::nullopt;
    lock_pairs made;
    made.subject = said.subject;
    const auto possible = found->find("possible");
    made.is_text = possible != found->end() && possible->is_number();
    if (const auto tried = said.all.find("exploration");
        made.is_text && tried != said.all.end() && tried->is_object())
        made.is_exhausted = tried->value("exhausted", false);
    const auto list = found->find("pairs");
    if (list == found->end() || !list->is_array()) return made;
    for (const json& each : *list) {
        if (!each.is_object()) continue;
        const auto seen = each.find("seen");
        made.all.push_back({text_in(each, "held"), text_in(each, "wanted"),
                            text_in(each, "held_at"), text_in(each, "wanted_at"),
                            seen != each.end() && *seen == true});
    }
    return made;
}

std::optional<finding_seen> broken_expectation(const statement& said) {
    if (said.is_met.value_or(true) || said.outcome == "interrupted" || !said.error.empty())
        return std::nullopt;
    const std::vector<std::string> expected = texts_in(said.all, "expected");
    finding_seen made;
    made.command = said.command;
    made.subject = said.subject;
    made.is_scenario = said.is_scenario;
    made.kind = "expectation";
    made.what = said.outcome + ", expected: " +
                (expected.empty() ? std::string("nothing found") : in_one_line(expected, ", "));
    made.verdict = "observed";
    made.signature = "expectation " + made.what;
    made.all = {{"kind", made.kind}, {"what", made.what}, {"signature", made.signature}};
    return made;
}

}  // namespace wedge::nightly
