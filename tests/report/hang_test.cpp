// The text, the table, the picture and the JSON of a finding show the same tasks and locks.
#include "wedge/core/hang.hpp"

#include <string>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/lock/completion.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/pseudo_lock.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/lock/thread.hpp"
#include "wedge/report/dot.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"
#include "wedge/workload/workload.hpp"

namespace hang_test {

/// A reader reads again under its own read, while a writer may queue in between.
template <bool Repaired>
struct nested_read {
    wedge::shared_mutex pages{"pages"};

    void read() {
        const wedge::shared_guard held(pages);
        if (!Repaired) const wedge::shared_guard again(pages);
    }
    void write() { const wedge::guard held(pages); }

    static constexpr auto actions = wedge::actions(wedge::action<&nested_read::read>{"read"},
                                                   wedge::action<&nested_read::write>{"write"});
    static constexpr const char* name = "nested_read";
};

/// Reclaim takes the lock under which its caller allocates. The order has two edges, and one task
/// suffices for a hang. Another lock of the class is taken before the first finding.
template <bool Repaired>
struct self_reclaim {
    wedge::mutex one{"object"}, other{"object"};
    wedge::pseudo_lock reclaim{"reclaim"};

    void allocate(wedge::mutex& wanted) {
        reclaim.acquire();
        if (!Repaired) const wedge::guard held(wanted);
        reclaim.release();
    }
    void fault() {
        const wedge::guard held(one);
        allocate(one);
    }
    void scan() { allocate(other); }

    static constexpr auto actions = wedge::actions(wedge::action<&self_reclaim::scan>{"scan"},
                                                   wedge::action<&self_reclaim::fault>{"fault"});
    static constexpr const char* name = "self_reclaim";
};

/// A task joins another task under a lock that the other task needs.
template <bool Repaired>
struct join_under_lock {
    wedge::mutex table{"table"};

    void stop() {
        wedge::thread worker([this] { const wedge::guard held(table); });
        if (Repaired) return worker.join();
        const wedge::guard held(table);
        worker.join();
    }

    static constexpr auto actions = wedge::actions(wedge::action<&join_under_lock::stop>{"stop"});
    static constexpr const char* name = "join_under_lock";
};

/// A wait that never ends, and a task that waits behind it.
struct lost {
    wedge::mutex table{"table"}, log{"log"};
    wedge::completion done{"done"};

    void wait() {
        const wedge::guard held(table);
        done.wait();
    }
    void look() {
        const wedge::guard logging(log);
        const wedge::guard held(table);
    }

    static constexpr auto actions =
        wedge::actions(wedge::action<&lost::wait>{"wait"}, wedge::action<&lost::look>{"look"});
    static constexpr const char* name = "lost";
};

template <wedge::workload W>
wedge::outcome explored_waits(const char* program) {
    wedge::explore_options all;
    all.how = wedge::strategy::exhaustive;
    return wedge::explore<W>(wedge::parse_program(program), all);
}

/// Returns the only finding of a program; it hangs.
template <wedge::workload W>
wedge::finding stuck(const char* program) {
    const wedge::outcome all = explored_waits<W>(program);
    for (const wedge::finding& each : all.findings)
        if (each.is_stuck()) return each;
    FAIL("nothing hangs");
    return {};
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

/// Checks that everything drawn and written about a hang is about its own links.
void check_agreement(const wedge::finding& found) {
    const wedge::hang how = wedge::hang_of(found);
    const std::string text = wedge::text_of(found);
    const std::string picture = wedge::dot_of(found);
    wedge::json_writer json;
    wedge::report::write_hang(json, found);
    REQUIRE(how.is_circle);
    CHECK(count(picture, "[shape=box") == how.links.size());
    CHECK(count(json.text(), "\"task\":") == how.links.size());
    const std::string table = text.substr(text.find("  how it"));
    for (const wedge::hang_link& link : how.links) {
        CHECK(table.find(link.task) != std::string::npos);
        CHECK(picture.find("<B>" + link.task + "</B>") != std::string::npos);
        CHECK(json.text().find("\"task\":\"" + link.task + "\"") != std::string::npos);
    }
    CHECK(count(table, "waits for") == how.links.size());
    CHECK((table.find("waits for itself") != std::string::npos) == (how.links.size() == 1));
}

}  // namespace hang_test

using namespace hang_test;

TEST_CASE("hang: a nested read waits for the writer that queues, which waits for the read") {
    const wedge::finding found = stuck<nested_read<false>>("read | write");
    check_agreement(found);
    const wedge::hang how = wedge::hang_of(found);
    REQUIRE(how.links.size() == 2);
    CHECK(how.links[0].task == "read");
    CHECK(how.links[1].task == "write");
    CHECK(how.links[1].is_queued);
    const std::string text = wedge::text_of(found);
    CHECK(text.find("waits for write, which queues before it") != std::string::npos);
    CHECK(text.find("queued behind write") != std::string::npos);
    CHECK(text.find("held by read\n") != std::string::npos);  // what the writer waits for
    CHECK(explored_waits<nested_read<true>>("read | write").what == wedge::result::sound);
}

TEST_CASE("hang: a nested read that did not hang could hang with a writer") {
    const wedge::outcome all = explored_waits<nested_read<false>>("read");
    REQUIRE(!all.findings.empty());
    check_agreement(all.findings.front());
    CHECK(wedge::hang_of(all.findings.front()).links.back().task == "a writer");
}

TEST_CASE(
    "hang: one task that waits for itself is one task in the text, the picture and the JSON") {
    const wedge::finding found = stuck<self_reclaim<false>>("scan | fault");
    check_agreement(found);
    CHECK(found.judged == wedge::verdict::confirmed);
    CHECK(wedge::hang_of(found).links.size() == 1);
    CHECK(!found.graded.one_task);  // it has happened
    CHECK(wedge::report::grades_of(found).empty());
    CHECK(explored_waits<self_reclaim<true>>("scan | fault").what == wedge::result::sound);
}

TEST_CASE("hang: a join closes a cycle as a lock does") {
    const wedge::finding found = stuck<join_under_lock<false>>("stop");
    check_agreement(found);
    CHECK(wedge::hang_of(found).links.size() == 2);
    CHECK(wedge::text_of(found).find("join(") != std::string::npos);
    CHECK(found.signature.find("table") != std::string::npos);
    CHECK(explored_waits<join_under_lock<true>>("stop").what == wedge::result::sound);
}

TEST_CASE("hang: the classes of a wait are those of what is waited for, without bystanders") {
    const wedge::finding found = stuck<lost>("wait | look");
    CHECK(!wedge::hang_of(found).is_circle);
    CHECK(wedge::report::classes_of(found) == std::vector<std::string>{"done"});
    CHECK(wedge::report::classes_of(stuck<lost>("look | wait")) ==
          std::vector<std::string>{"done"});
}
