// `--allow FILE` of the commands that report findings: a known finding does not count, and entries
// that have expired or match nothing are reported.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "main/sample_scenarios.hpp"

namespace allow_test {

/// Takes two locks in both orders. Under stress one thread calls the actions, so none hangs.
struct inverted {
    wedge::mutex one{"allowed one"}, other{"allowed other"};

    void forth() {
        const wedge::guard held(one);
        const wedge::guard inner(other);
    }
    void back() {
        const wedge::guard held(other);
        const wedge::guard inner(one);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&inverted::forth>{"forth"},
                                                   wedge::action<&inverted::back>{"back"});
    static constexpr const char* name = "inverted";
};

const std::vector<wedge::workload_entry> workloads{wedge::entry_of<inverted>()};
const std::string cycle = "cycle allowed one/EE allowed other/EE";

std::string entry_of(const std::string& signature, const std::string& expires = "2999-12-31") {
    return "signature: " + signature +
           "\nreason: the call goes away\nowner: storage\nexpires: " + expires + "\n";
}

/// Calls a command with `--allow known.txt`.
called allow(std::vector<const char*> words) {
    words.insert(words.end(), {"--allow", "known.txt"});
    return call_program(workloads, std::span<const char* const>(words));
}

const std::string allowed_line =
    "bank: allowed until 2999-12-31 (storage): " + cycle + ": the call goes away\n";

TEST_CASE("allow: a finding of a workload counts, unless it is known") {
    const scratch_folder here;
    for (const std::vector<const char*>& words :
         {std::vector<const char*>{"explore", "inverted", "--out", "."},
          {"hunt", "inverted", "--seconds", "1", "--executions", "500"},
          {"stress", "inverted", "--threads", "1", "--operations", "50"}}) {
        INFO(words[0]);
        wedge::write_text("known.txt", entry_of("cycle a/EE b/EE"));
        const called counted = allow(words);
        CHECK(counted.status == 1);
        CHECK(counted.err ==
              "bank: known.txt:1: matched no finding, remove it (storage): cycle "
              "a/EE b/EE\n");
        wedge::write_text("known.txt", entry_of(cycle));
        const called known = allow(words);
        CHECK(known.status == 0);
        CHECK(known.err == allowed_line);
        wedge::write_text("known.txt", entry_of(cycle, "2020-01-01"));
        const called expired = allow(words);
        CHECK(expired.status == 1);
        CHECK(expired.err == "bank: known.txt:1: expired on 2020-01-01 (storage): " + cycle + "\n");
    }
}

TEST_CASE("allow: a finding of a scenario, and one of a trace") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", abba_text);
    wedge::write_text("run.trace",
                      "wedge-trace 1\nlock 1 mutex a\nlock 2 mutex b\n"
                      "1 acquire 1\n1 acquire 2\n1 release 2\n1 release 1\n"
                      "2 acquire 2\n2 acquire 1\n2 release 1\n2 release 2\n");
    for (const std::vector<const char*>& words : {std::vector<const char*>{"check", "abba.wedge"},
                                                  {"hunt", "abba.wedge"},
                                                  {"explore", "abba.wedge", "--out", "."},
                                                  {"check", "--trace", "run.trace"}}) {
        INFO(words[0]);
        wedge::write_text("known.txt", entry_of("cycle a/EE b/EE"));
        const called known = allow(words);
        CHECK(known.status == 0);
        CHECK(known.err ==
              "bank: allowed until 2999-12-31 (storage): cycle a/EE b/EE: the call "
              "goes away\n");
        wedge::write_text("known.txt", "workload: other.wedge\n" + entry_of("cycle a/EE b/EE"));
        CHECK(allow(words).status == 1);
    }
    wedge::write_text("known.txt", entry_of("cycle a/EE b/EE"));
    CHECK(
        allow({"check", "abba.wedge"}).out.starts_with("abba.wedge: deadlock, which is allowed\n"));
}

TEST_CASE("allow: JSON marks a known finding, and no other") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", abba_text);
    const auto marks = [](const std::vector<const char*>& words) {
        return allow(words).out.find("\"allowed\":true") != std::string::npos;
    };
    for (const std::vector<const char*>& words :
         {std::vector<const char*>{"check", "abba.wedge", "--json"},
          {"hunt", "abba.wedge", "--json"},
          {"explore", "abba.wedge", "--json", "--out", "."},
          {"explore", "inverted", "--json", "--out", "."},
          {"stress", "inverted", "--json", "--threads", "1", "--operations", "50"}}) {
        INFO(words[0], " ", words[1]);
        wedge::write_text("known.txt", entry_of("cycle a/EE b/EE") + "\n" + entry_of(cycle));
        CHECK(marks(words));
        wedge::write_text("known.txt", entry_of("cycle b/EE c/EE"));
        CHECK_FALSE(marks(words));
    }
}

TEST_CASE("allow: a known finding hides no other") {
    const scratch_folder here;
    const auto thread = [](const std::string& name, const std::string& a, const std::string& b) {
        return "thread " + name + " {\n lock " + a + "\n lock " + b + "\n unlock " + b +
               "\n unlock " + a + "\n}\n";
    };
    wedge::write_text("two.wedge", "lock a mutex\nlock b mutex\nlock c mutex\n" +
                                       thread("t", "a", "b") + thread("u", "b", "a") +
                                       thread("v", "c", "b") + thread("w", "b", "c"));
    wedge::write_text("known.txt", entry_of("cycle a/EE b/EE"));
    CHECK(allow({"check", "two.wedge"}).status == 1);
    wedge::write_text("known.txt",
                      entry_of("cycle a/EE b/EE") + "\n" + entry_of("cycle b/EE c/EE"));
    CHECK(allow({"check", "two.wedge"}).status == 0);
}

TEST_CASE("allow: a list that cannot be read") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", abba_text);
    CHECK(allow({"check", "abba.wedge"}).err == "bank: known.txt: No such file or directory\n");
    wedge::write_text("known.txt", "signature: a\n");
    const called wrong = allow({"check", "abba.wedge"});
    CHECK(wrong.status == 2);
    CHECK(wrong.err == "bank: known.txt:1: this entry has no 'reason'\n");
}

}  // namespace allow_test
