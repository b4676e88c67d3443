#include "wedge/report/json.hpp"

#include <doctest/doctest.h>

#include "report/golden.hpp"
#include "report/sample_findings.hpp"

TEST_CASE("json: an outcome is one line with its keys in order") {
    wedge::outcome all;
    all.what = wedge::result::deadlock;
    all.findings = {samples::circular(wedge::verdict::confirmed), samples::graded()};
    all.executions = 12;
    all.exhausted = true;
    check_golden("outcome.json",
                 wedge::json_of(all, {"transfer", "deposit | withdraw", {"t-1.schedule"}}));
}

TEST_CASE("json: a replay says whether it reproduced and where it diverged") {
    wedge::outcome all;
    all.diverged = "at decision 2";
    const std::string text = wedge::json_of(all, {"t", "p", {}, true, false});
    CHECK(text.find("\"reproduced\":false,\"diverged\":\"at decision 2\"}") != std::string::npos);
}

TEST_CASE("json: any bytes become a valid string") {
    const auto written = [](std::string_view text) {
        return wedge::json_writer().value(text).text();
    };
    CHECK(written("a\"\\\n\t\x01") == "\"a\\\"\\\\\\n\\u0009\\u0001\"");
    CHECK(written("\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x92") ==
          "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x92\"");
    for (const char* broken : {"\xff", "\xc3", "\xc0", "\x80"})
        CHECK(written(broken) == "\"\xef\xbf\xbd\"");
    CHECK(written("\xed\xa0\x80") == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // a surrogate
}

TEST_CASE("json: commas stand between values only") {
    wedge::json_writer json;
    json.begin('{').key("a").begin('[').end(']').key("b").begin('[');
    json.value(std::uint64_t{1}).value(true).null().end(']').end('}');
    CHECK(json.text() == "{\"a\":[],\"b\":[1,true,null]}");
}
