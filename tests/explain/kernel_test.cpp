// Reports of Linux: recorded ones in every dress, cut everywhere, and short ones written by hand.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "reading.hpp"
#include "support/trials.hpp"

namespace {

using reading::joined;
using reading::reports;
using reading::split;
using wedge::explain::report;

/// A recorded report and what it says.
struct sample {
    std::string name;
    std::vector<std::string> lines;
    std::vector<std::string> fields;  ///< kernel, kind, task, new, held, locks, edges, states
};

std::vector<sample> samples() {
    std::vector<sample> all;
    const std::vector<std::string> rows = split(reading::file("kernel/index.tsv"), '\n');
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const std::vector<std::string> fields = split(rows[i], '\t');
        if (fields.size() != 9) continue;
        all.push_back({fields[0],
                       split(reading::file("kernel/" + fields[0]), '\n'),
                       {fields.begin() + 1, fields.end()}});
    }
    return all;
}

std::vector<std::string> fields_of(const report& found) {
    std::vector<std::string> edges;
    for (const wedge::explain::cycle_edge& each : found.edges)
        edges.push_back(each.from + " -> " + each.to);
    return {found.version,        found.kind,        found.task,
            found.new_lock,       found.held_lock,   joined(found.cycle_locks, " ; "),
            joined(edges, " ; "), found.usage_states};
}

using dress = std::function<std::string(const std::string& line, std::size_t number)>;

std::string stamp(std::size_t number) {
    std::string digits = std::to_string(100000 + number);
    return "[  308." + digits + "] ";
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
        text.replace(at, what.size(), with);
    return text;
}

std::string html(const std::string& line) {
    return replaced(replaced(replaced(line, "&", "&amp;"), "<", "&lt;"), ">", "&gt;");
}

std::vector<std::pair<const char*, dress>> dresses() {
    return {
        {"none", [](const std::string& l, std::size_t) { return l; }},
        {"dmesg", [](const std::string& l, std::size_t n) { return stamp(n) + l; }},
        {"caller", [](const std::string& l, std::size_t n) { return stamp(n) + "[ T8559] " + l; }},
        {"dmesg -d", [](const std::string& l, std::size_t) { return "[  +0.004922] " + l; }},
        {"dmesg -T",
         [](const std::string& l, std::size_t) { return "[Thu Aug 10 07:01:29 2023] " + l; }},
        {"dmesg -x",
         [](const std::string& l, std::size_t n) { return "kern  :warn  : " + stamp(n) + l; }},
        {"priority", [](const std::string& l, std::size_t n) { return "<4>" + stamp(n) + l; }},
        {"syslog",
         [](const std::string& l, std::size_t) { return "Aug  3 07:01:29 host kernel: " + l; }},
        {"syslog and stamp",
         [](const std::string& l, std::size_t n) {
             return "Aug 13 07:01:29 host kernel: " + stamp(n) + l;
         }},
        {"ISO",
         [](const std::string& l, std::size_t) {
             return "2023-08-10T07:01:29.123456+02:00 my-host kernel: " + l;
         }},
        {"ISO alone", [](const std::string& l,
                         std::size_t n) { return "2023-08-10T07:01:29Z " + stamp(n) + l; }},
        {"quoted", [](const std::string& l, std::size_t) { return "> " + l; }},
        {"quoted twice", [](const std::string& l, std::size_t n) { return ">> " + stamp(n) + l; }},
        {"bar", [](const std::string& l, std::size_t) { return "| " + l; }},
        {"quoted bar", [](const std::string& l, std::size_t n) { return "> | " + stamp(n) + l; }},
        {"HTML", [](const std::string& l, std::size_t n) { return html(stamp(n) + l); }},
        {"quoted HTML", [](const std::string& l, std::size_t) { return html("> " + l); }},
        {"HTML twice", [](const std::string& l, std::size_t) { return html(html(l)); }},
        {"CR", [](const std::string& l, std::size_t) { return l + "\r"; }},
        {"^M", [](const std::string& l, std::size_t) { return l + "^M"; }},
        {"tabs", [](const std::string& l, std::size_t) { return replaced(l, "    ", "\t"); }},
        {"indented", [](const std::string& l, std::size_t) { return "    " + l; }},
        {"no-break spaces",
         [](const std::string& l, std::size_t n) {
             return replaced(stamp(n), "  ", "\xc2\xa0 ") + l;
         }},
        {"empty lines", [](const std::string& l, std::size_t) { return l + "\n"; }},
    };
}

/// Breaks lines at white space, as mail does.
std::string wrapped(const std::vector<std::string>& lines, std::size_t columns) {
    std::string text;
    for (std::string rest : lines) {
        while (rest.size() > columns) {
            const std::size_t space = rest.rfind(' ', columns);
            if (space == std::string::npos || rest.find_first_not_of(' ') > space) break;
            text += rest.substr(0, space) + "\n";
            rest.erase(0, space + 1);
        }
        text += rest + "\n";
    }
    return text;
}

std::vector<std::string> stamped(const std::vector<std::string>& lines) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < lines.size(); ++i) all.push_back(stamp(i) + lines[i]);
    return all;
}

/// Right, or said to be incomplete.
void check_not_wrong(const sample& of, const std::string& text) {
    for (const report& each : reports(text)) {
        if (!each.complete) continue;
        if (of.name == "gt_14.txt" && each.kind == "sleeping") continue;  // its first half
        std::vector<std::string> fields = fields_of(each);
        fields[0] = of.fields[0];  // the version may be cut off
        CHECK(fields == of.fields);
    }
}

}  // namespace

TEST_CASE("kernel: a recorded report is read exactly, in every dress") {
    for (const sample& each : samples()) {
        for (const auto& [name, put_on] : dresses()) {
            const std::string dress_name = name;
            CAPTURE(each.name);
            CAPTURE(dress_name);
            std::string text;
            for (std::size_t i = 0; i < each.lines.size(); ++i)
                text += put_on(each.lines[i], i) + "\n";
            const std::vector<report> found = reports(text);
            REQUIRE(found.size() == 1);
            CHECK(fields_of(found[0]) == each.fields);
            CHECK(found[0].complete);
        }
    }
}

TEST_CASE("kernel: broken and joined lines change nothing") {
    for (const sample& each : samples()) {
        const std::vector<std::string> with_stamps = stamped(each.lines);
        std::vector<std::string> quoted;
        for (const std::string& line : with_stamps) quoted.push_back("> " + line);
        const std::vector<std::pair<const char*, std::string>> texts = {
            {"72 columns", wrapped(each.lines, 72)},
            {"72 columns with stamps", wrapped(with_stamps, 72)},
            {"72 columns quoted", wrapped(quoted, 72)},
            {"40 columns", wrapped(with_stamps, 40)},
            {"one line with stamps", joined(with_stamps, " ")},
            {"one line", joined(each.lines, " ")},
            {"#012", "Aug 10 07:01:29 host kernel: " + joined(each.lines, "#012")},
        };
        for (const auto& [name, text] : texts) {
            const std::string dress_name = name;
            CAPTURE(each.name);
            CAPTURE(dress_name);
            const std::vector<report> found = reports(text);
            REQUIRE(found.size() == 1);
            CHECK(fields_of(found[0]) == each.fields);
        }
    }
}

TEST_CASE("kernel: a report that is cut is right or said to be incomplete") {
    for (const sample& each : samples()) {
        CAPTURE(each.name);
        const std::size_t step = each.lines.size() > 80 ? 3 : 1;  // enough of a long report
        std::vector<std::size_t> cuts;
        for (std::size_t cut = 1; cut < each.lines.size(); cut += step) cuts.push_back(cut);
        for (const std::size_t cut : wedge::some_of(std::move(cuts), 5)) {
            CAPTURE(cut);
            const auto middle = each.lines.begin() + static_cast<std::ptrdiff_t>(cut);
            check_not_wrong(each, joined({each.lines.begin(), middle}, "\n"));
            check_not_wrong(each, joined({middle, each.lines.end()}, "\n"));
            std::vector<std::string> without = each.lines;
            without.erase(without.begin() + static_cast<std::ptrdiff_t>(cut));
            check_not_wrong(each, joined(without, "\n"));
        }
    }
}

TEST_CASE("kernel: what is missing is said") {
    const std::vector<std::string> lines = split(reading::file("kernel/gt_02.txt"), '\n');
    std::vector<std::string> head;
    for (const std::string& line : lines) {
        if (line.starts_with("-> #1")) break;
        head.push_back(line);
    }
    const std::vector<report> found = reports(joined(head, "\n"));
    REQUIRE(found.size() == 1);
    CHECK_FALSE(found[0].complete);
    CHECK(found[0].kind == "circular");
    CHECK(found[0].new_lock == "lock_a");
    CHECK(found[0].held_lock == "lock_c");
    CHECK(joined(found[0].missing, ";").find("a part of the dependency chain") !=
          std::string::npos);
}

TEST_CASE("kernel: a name that is garbled is not taken for right") {
    std::string text = reading::file("kernel/gt_01.txt");
    text = text.replace(text.find("(lock_a)"), 8, "(lok_a)");
    const std::vector<report> found = reports(text);
    REQUIRE(found.size() == 1);
    CHECK_FALSE(found[0].complete);
}

TEST_CASE("kernel: several reports in one log, and a sentence that only names one") {
    const std::string text =
        "Subject: WARNING: possible circular locking dependency detected\n\n"
        "I see a possible recursive locking detected here:\n" +
        reading::file("kernel/gt_01.txt") + reading::file("kernel/gt_15.txt") +
        "Fixes the inconsistent lock state and the bad unlock balance "
        "detected by the kernel.\n";
    const std::vector<report> found = reports(text);
    REQUIRE(found.size() == 2);
    CHECK(found[0].kind == "circular");
    CHECK(found[1].kind == "bad-unlock");
    CHECK(found[0].complete);
    CHECK(found[1].complete);
    CHECK(reports("This fixes a possible recursive locking detected by lockdep.\n").empty());
    CHECK(reports("").empty());
}

TEST_CASE("kernel: reports of two CPUs whose lines are mixed, told apart by the caller") {
    const std::vector<std::string> first = split(reading::file("kernel/gt_01.txt"), '\n');
    const std::vector<std::string> second = split(reading::file("kernel/gt_09.txt"), '\n');
    std::string text;
    for (std::size_t i = 0; i < first.size() || i < second.size(); ++i) {
        if (i < first.size()) text += stamp(i) + "[   T11] " + first[i] + "\n";
        if (i < second.size()) text += stamp(i) + "[   T12] " + second[i] + "\n";
        text += stamp(i) + "[    C0] usb 1-1: new device\n";
    }
    const std::vector<report> found = reports(text);
    REQUIRE(found.size() == 2);
    CHECK(found[0].kind == "circular");
    CHECK(joined(found[0].cycle_locks, " ") == "lock_a lock_b");
    CHECK(found[1].kind == "recursive");
    CHECK(found[1].new_lock == "&b->m");
}

TEST_CASE("kernel: a report of kswapd that an archive has joined into one line") {
    const std::string text =
        "[   61.100001] WARNING: possible circular locking dependency detected [   61.100002] "
        "5.8.0-test #1 Not tainted [   61.100003] "
        "------------------------------------------------------ [   61.100004] kswapd0/77 is "
        "trying to acquire lock: [   61.100005] ffff888012345678 (&cache->lock){+.+.}-{3:3}, at: "
        "cache_shrink+0x10/0x80 [   61.100006] but task is already holding lock: [   61.100007] "
        "ffffffff82345678 (fs_reclaim){+.+.}-{0:0}, at: __fs_reclaim_acquire+0x5/0x30 [   "
        "61.100008] which lock already depends on the new lock. [   61.100009] the existing "
        "dependency chain (in reverse order) is: [   61.100010] -> #1 (fs_reclaim){+.+.}-{0:0}: [  "
        " 61.100011] fs_reclaim_acquire+0x34/0x40 [   61.100012] cache_grow+0x20/0x90 [   "
        "61.100013] -> #0 (&cache->lock){+.+.}-{3:3}: [   61.100014] __lock_acquire+0x11/0x22 [   "
        "61.100015] mutex_lock_nested+0x1/0x2 [   61.100016] cache_shrink+0x10/0x80 [   61.100017] "
        "other info that might help us debug this:";
    const std::vector<report> found = reports(text);
    REQUIRE(found.size() == 1);
    CHECK(found[0].complete);
    CHECK(found[0].task == "kswapd0/77");
    CHECK(joined(found[0].cycle_locks, " ") == "&cache->lock fs_reclaim");
    CHECK(found[0].edges[0].stack.back() == "cache_grow+0x20/0x90");
}

TEST_CASE("kernel: old forms of headings, locks and states") {
    const std::vector<report> old = reports(
        "=======================================================\n"
        "[ INFO: possible circular locking dependency detected ]\n"
        "2.6.26-rc1 #3\n"
        "-------------------------------------------------------\n"
        "mount/2001 is trying to acquire lock:\n"
        " (&q->work){--..}, at: [<c0431f4b>] flush_it+0x0/0x8b\n"
        "\n"
        "but task is already holding lock:\n"
        " (&type->s_umount_key#15){----}, at: [<c0487f2b>] sget+0x1f/0x60\n"
        "\n"
        "which lock already depends on the new lock.\n"
        "\n"
        "the existing dependency chain (in reverse order) is:\n"
        "\n"
        "-> #1 (&type->s_umount_key#15){----}:\n"
        "       [<c0443d0f>] __lock_acquire+0xa02/0xbaf\n"
        "       [<c0487f2b>] sget+0x1f/0x60\n"
        "\n"
        "-> #0 (&q->work){--..}:\n"
        "       [<c0443d0f>] __lock_acquire+0x92b/0xbaf\n"
        "       [<c0431f4b>] flush_it+0x0/0x8b\n");
    REQUIRE(old.size() == 1);
    CHECK(old[0].complete);
    CHECK(old[0].version == "2.6.26-rc1");
    CHECK(joined(old[0].cycle_locks, " ") == "&q->work &type->s_umount_key#15");
    const std::vector<report> reclaim = reports(
        "[ INFO: inconsistent lock state ]\n"
        "3.2.0 #1 Not tainted\n"
        "---------------------------------\n"
        "inconsistent {RECLAIM_FS-ON-W} -> {IN-RECLAIM_FS-W} usage.\n"
        "kswapd0/30 [HC0[0]:SC0[0]:HE1:SE1] takes:\n"
        " (&c->lock){+.+.?.}, at: [<ffffffff8100971b>] shrink_it+0x87/0x5e3\n"
        "{RECLAIM_FS-ON-W} state was registered at:\n"
        "  [<ffffffff810a6232>] mark_held_locks+0x81/0xe7\n"
        "  [<ffffffff8112316b>] grow_it+0x8b/0x9b6\n");
    REQUIRE(reclaim.size() == 1);
    CHECK(reclaim[0].complete);
    CHECK(reclaim[0].usage_states == "RECLAIM_FS-ON-W/IN-RECLAIM_FS-W");
    CHECK(reclaim[0].task == "kswapd0/30");
}

TEST_CASE("kernel: irq inversion, with the functions that are inlined listed twice") {
    const std::vector<report> found = reports(
        "WARNING: possible irq lock inversion dependency detected\n"
        "5.3.0 #7 Not tainted\n"
        "--------------------------------------------------------\n"
        "swapper/0/0 just changed the state of lock:\n"
        "ffff8880a7f25b58 (&(&c->a)->rlock){..-.}, at: spin_lock include/linux/spinlock.h:3 "
        "[inline]\n"
        "ffff8880a7f25b58 (&(&c->a)->rlock){..-.}, at: timer_fn+0x2d/0x490 fs/x.c:618\n"
        "but this lock took another, SOFTIRQ-unsafe lock in the past:\n"
        " (&d->b){+.+.}\n"
        "\n"
        "and interrupts could create inverse lock ordering between them.\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == "irq-inversion");
    CHECK(found[0].task == "swapper/0/0");
    CHECK(found[0].new_lock == "&(&c->a)->rlock");
    CHECK(found[0].edges[0].to == "&d->b");
    CHECK(found[0].safe_context == "SOFTIRQ");
}

TEST_CASE("kernel: the other lock of an inversion need not be held") {
    for (const char* const list :
         {"no locks held by swapper/0/0.\n",
          "1 lock held by swapper/0/0:\n #0: (rcu_read_lock){.+.+..}, at: [<c1>] g+0x1/0x2\n"}) {
        const std::vector<report> found = reports(
            std::string("[ INFO: possible irq lock inversion dependency detected ]\n"
                        "3.2.0+ #2 Not tainted\n-----------------\n"
                        "swapper/0/0 just changed the state of lock:\n"
                        " (&(&a->l)->rlock){..-...}, at: [<c1234567>] f+0x3/0x4\n"
                        "but this lock was taken by another, SOFTIRQ-safe lock in the past:\n"
                        " (&(&b->l)->rlock){+.-...}\n\n"
                        "and interrupts could create inverse lock ordering between them.\n\n") +
            list);
        REQUIRE(found.size() == 1);
        CHECK(found[0].complete);
        CHECK(joined(found[0].cycle_locks, " ") == "&(&b->l)->rlock &(&a->l)->rlock");
    }
}

namespace {

/// The only report of a text, which is changed before it is read.
report changed(std::string text, const std::string& what, const std::string& with) {
    text = replaced(std::move(text), what, with);
    const std::vector<report> found = reports(text);
    REQUIRE(found.size() == 1);
    return found[0];
}

}  // namespace

TEST_CASE("kernel: a name of a task may hold anything, and unknown dress in front is no part") {
    const std::string text = reading::file("kernel/gt_17.txt");
    const report found = changed(text, "init/1", "pool: a (b)/c/1");
    CHECK(found.task == "pool: a (b)/c/1");
    CHECK(found.complete);
    CHECK(changed(text, "init/1 is leaving", "06-01 12:00  0 W : init/1 is leaving").task ==
          "init/1");
    // No other mention tells where the name begins.
    const report cut = reports(
                           "WARNING: bad unlock balance detected!\n5.1.0 #1 Not tainted\n"
                           "06-01 12:00:00 0 W : init/1 is trying to release lock (a) at:\n"
                           "f+0x1/0x2\nbut there are no more locks to release!\n")
                           .at(0);
    CHECK_FALSE(cut.complete);
    const report still = reports(
                             "[ BUG: pool: a/99 still has locks held! ]\n3.9.0 #1\n"
                             "1 lock held by pool: a/99:\n"
                             " #0:  (&t->s#21){++++++}, at: [<c0199bb7>] f+0x3/0x5\n")
                             .at(0);
    CHECK(still.task == "pool: a/99");
    CHECK(still.complete);
}

TEST_CASE("kernel: lines broken anywhere") {
    const std::string text = reading::file("kernel/gt_02.txt");
    // In a name: the other mentions tell the right one.
    const report mended = changed(text, "-> #2 (lock_c)", "-> #2 (lock\n_c)");
    CHECK(mended.complete);
    CHECK(joined(mended.cycle_locks, " ") == "lock_a lock_b lock_c");
    // There is no other mention of this one.
    const report unsure = changed(replaced(text, "lock_b", "lockb"), "#1 (lockb)", "#1 (lo\nckx)");
    CHECK_FALSE(unsure.complete);
    // Behind hyphens, and in the release.
    CHECK(changed(text, "{+.+.}-{3:3}", "{+.-\n.}-\n{3:3}").complete);
    CHECK(changed(text, "6.1.192 #2 Not", "6.1.\n192 #2 Not").version == "6.1.192");
    CHECK(changed(text, "init/1", "a-\nb/1").task == "a-b/1");
    // In a stamp.
    std::string stamped_text = joined(stamped(split(text, '\n')), " ");
    stamped_text = replaced(stamped_text, " [  308.", " [\n308.");
    const std::vector<report> found = reports(stamped_text);
    REQUIRE(found.size() == 1);
    CHECK(found[0].complete);
    CHECK(found[0].task == "init/1");
    CHECK(found[0].version == "6.1.192");
}

TEST_CASE("kernel: the scenario of safe-unsafe names the ends of the chain, not the wanted lock") {
    const report found =
        reports(
            "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected\n6.5.0 #7 Not tainted\n"
            "------\ntask/9 [HC0[0]:SC0[0]:HE0:SE1] is trying to acquire:\n"
            "ffff888012345678 (&b->new){+.+.}-{2:2}, at: f+0x1/0x2\n\n"
            "and this task is already holding:\nffff888012345679 (&a->held){-...}-{2:2}, at: "
            "g+0x1/0x2\n"
            "which would create a new lock dependency:\n"
            " (&a->held){-...}-{2:2} -> (&b->new){+.+.}-{2:2}\n\n"
            "but this new dependency connects a HARDIRQ-irq-safe lock:\n (&s->safe){-...}-{2:2}\n"
            "... which became HARDIRQ-irq-safe at:\n  h+0x5/0x6\n\n"
            "to a HARDIRQ-irq-unsafe lock:\n (&u->far){+.+.}-{2:2}\n"
            "... which became HARDIRQ-irq-unsafe at:\n...  k+0x5/0x6\n\n"
            "Chain exists of:\n  &s->safe --> &a->held --> &u->far\n\n"
            " Possible interrupt unsafe locking scenario:\n\n       CPU0                    CPU1\n"
            "  lock(&u->far);\n                               local_irq_disable();\n"
            "                               lock(&s->safe);\n"
            "                               lock(&a->held);\n  <Interrupt>\n    lock(&s->safe);\n\n"
            " *** DEADLOCK ***\n\n1 lock held by task/9:\n"
            " #0: ffff888012345679 (&a->held){-...}-{2:2}, at: g+0x1/0x2\n")
            .at(0);
    CHECK(found.complete);
    CHECK(joined(found.cycle_locks, " ") == "&a->held &b->new");
}

TEST_CASE("kernel: the release may have no number, and is not trusted where it is garbled") {
    const std::string text = reading::file("kernel/gt_01.txt");
    const report named = changed(text, "6.1.192 #2", "syzkaller #0");
    CHECK(named.complete);
    CHECK(named.version == "syzkaller");
    const std::string garbled = replaced(text, "6.1.192 #2 Not tainted\n-", "6.1ainted\n-");
    REQUIRE(garbled != text);
    CHECK_FALSE(reports(garbled).at(0).complete);
    // A name that another mention with the number of the task contradicts.
    CHECK(changed(text, "init/1 is trying", "it/1 is trying").task == "init/1");
    CHECK_FALSE(changed(text, "init/1 is trying", "initx/1 is trying").complete);
}

TEST_CASE("kernel: parts of another report do not fill what is cut off") {
    // The list of another task, in front of the own one and instead of it.
    const std::string other =
        "1 lock held by other/5:\n #0: ffff888012345678 (&junk->lock){+.+.}-{3:3}, at: j+0x1/0x2\n";
    const std::string text = reading::file("kernel/gt_17.txt");
    const std::size_t list = text.find("1 lock held by");
    REQUIRE(list != std::string::npos);
    const report both = reports(text.substr(0, list) + other + text.substr(list)).at(0);
    CHECK(both.complete);
    CHECK(both.new_lock == "lock_a");
    CHECK_FALSE(reports(text.substr(0, list) + other).at(0).complete);
    CHECK_FALSE(
        reports("WARNING: lock held when returning to user space!\n5.1.0 #1 Not tainted\n" + other)
            .at(0)
            .complete);
    // An entry of another list in the own one.
    const std::size_t entry = text.find(" #0:", list);
    const std::string mixed =
        text.substr(0, entry) + other.substr(other.find(" #0:")) + text.substr(entry);
    CHECK_FALSE(reports(mixed).at(0).complete);
    // The lock of the next sentence.
    const report next = reports(
                            "WARNING: inconsistent lock state\n5.1.0 #1 Not tainted\n"
                            "inconsistent {IN-SOFTIRQ-W} -> {SOFTIRQ-ON-W} usage.\n"
                            "task/8 [HC0[0]:SC0[0]:HE1:SE1] takes:\n"
                            "other/5 is trying to acquire lock:\n(&other){+.+.}, at: f+0x1/0x2\n")
                            .at(0);
    CHECK_FALSE(next.complete);
    CHECK(next.new_lock.empty());
    // The summary of the chain names an inner lock, so it tells of one that lost letters.
    const report lost =
        changed(reading::file("kernel/gt_02.txt"), "-> #1 (lock_b)", "-> #1 (lock)");
    CHECK_FALSE(lost.complete);
}

TEST_CASE("kernel: tags of a bug tracker end lines, and a sentence may name an entry") {
    const std::vector<std::string> lines = split(reading::file("kernel/gt_01.txt"), '\n');
    std::string text;
    for (const std::string& line : lines) text += html(line) + "<br />";
    const std::vector<report> found = reports("<pre class=\"x\">" + text + "</pre>");
    REQUIRE(found.size() == 1);
    CHECK(found[0].complete);
    CHECK(found[0].task == "init/1");
    const report replied = changed(reading::file("kernel/gt_02.txt"), "-> #0 (lock_a)",
                                   "\nSo -> #1 here is wrong.\n\n-> #0 (lock_a)");
    CHECK(replied.complete);
    CHECK(joined(replied.cycle_locks, " ") == "lock_a lock_b lock_c");
}

TEST_CASE("kernel: an entry of the list of held locks is not taken for the lock of the heading") {
    const report found = reports(
                             "WARNING: held lock freed!\n5.2.0 #1 Not tainted\n"
                             "task/8 is freeing memory ffff88809faed2c0-ffff88809f\n"
                             " #0: 00000000c0a19dcd (&other){+.+.}, at: f+0x89/0x2a0\n")
                             .at(0);
    CHECK_FALSE(found.complete);
    CHECK(found.new_lock.empty());
}

TEST_CASE("kernel: frames whose addresses a script has turned into places in the source") {
    const std::vector<report> found = reports(
        "WARNING: possible circular locking dependency detected\n6.17.0 #1 Not tainted\n"
        "------\ntask/318 is trying to acquire lock:\n"
        "ffffffff85719f40 (owner){-.-.}-{0:0}, at: flush_all (include/a.h:336 kernel/b.c:3203) \n"
        "but task is already holding lock:\n"
        "ffff8883aeff5298 (&rq->__lock){-.-.}-{2:2}, at: nested (kernel/sched/core.c:?) \n"
        "which lock already depends on the new lock.\n"
        "the existing dependency chain (in reverse order) is:\n"
        "-> #1 (&rq->__lock){-.-.}-{2:2}:\n_raw_spin_lock (kernel/a.c:378) \nwake (kernel/c.c:?) \n"
        "start (??:?) \n-> #0 (owner){-.-.}-{0:0}:\n__lock_acquire (kernel/l.c:3166) \n"
        "flush_all (include/a.h:336 kernel/b.c:3203) \n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].complete);
    CHECK(joined(found[0].edges[0].stack, ";") ==
          "_raw_spin_lock (kernel/a.c:378);wake (kernel/c.c:?);start (??:?)");
    CHECK(found[0].edges[1].stack.back() == "flush_all (include/a.h:336)");
}

TEST_CASE("kernel: a hung task that another report has cut off is no report of its own") {
    const std::string hung = "INFO: task worker:3528 blocked for more than 30 seconds.\n";
    const std::vector<report> found = reports(hung + reading::file("kernel/gt_12.txt"));
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == "safe-unsafe");
    CHECK(reports(hung).size() == 1);  // alone it is what there is
}

TEST_CASE("kernel: the small kinds") {
    const auto only = [](const std::string& text) {
        const std::vector<report> found = reports(text);
        REQUIRE(found.size() == 1);
        return found[0];
    };
    const report still = only(
        "[ BUG: my task/12 still has locks held! ]\n3.18.0 #1 Not tainted\n"
        "1 lock held by my task/12:\n #0:  (&a->b){+.+...}, at: [<c01>] f+0x1/0x2\n");
    CHECK(still.kind == "still-held");
    CHECK(still.task == "my task/12");
    CHECK(still.new_lock == "&a->b");
    const report nested = only(
        "WARNING: Nested lock was not taken\n6.1.0 #1 Not tainted\n"
        "----------\ntask/5 is trying to lock:\n"
        "ffff888012345678 (&a->b/1){+.+.}-{3:3}, at: f+0x1/0x2\n\n"
        "but this task is not holding:\n&outer->lock\n\nstack backtrace:\n");
    CHECK(nested.kind == "nested");
    CHECK(nested.new_lock == "&a->b/1");
    CHECK(nested.notes.at(0).find("&outer->lock,") != std::string::npos);
    const report rcu = only(
        "WARNING: suspicious RCU usage\n5.10.0 #1 Not tainted\n----------\n"
        "net/x.c:12 suspicious rcu_dereference_check() usage!\n\n"
        "other info that might help us debug this:\n"
        "1 lock held by ip/77:\n #0: ffffffff82345678 (rtnl_mutex){+.+.}-{3:3}, at: g+0x1/0x2\n");
    CHECK(rcu.kind == "rcu");
    CHECK(rcu.task == "ip/77");
    const report sleeping = only(
        "BUG: sleeping function called from invalid context at mm/slab.h:1\n"
        "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 9, name: kworker/u8:2\n"
        "preempt_count: 1, expected: 0\n");
    CHECK(sleeping.kind == "sleeping");
    CHECK(sleeping.task == "kworker/u8:2/9");
}

namespace {

/// Two tasks that hang; `second` is what the second one holds and waits for.
std::string hung(const std::string& held_by_second, const std::string& wanted_by_second) {
    return "INFO: task alpha:101 blocked for more than 120 seconds.\n"
           "      Not tainted 6.1.0 #2\n"
           "\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"
           "task:alpha           state:D stack:0     pid:101   ppid:1      flags:0x00004000\n"
           "Call Trace:\n <TASK>\n __schedule+0x291/0x700\n schedule+0x5d/0xb0\n"
           " schedule_preempt_disabled+0x15/0x20\n __mutex_lock+0x4bb/0xac0\n work_a+0x27b/0x5db\n"
           " </TASK>\n"
           "INFO: task beta gamma:102 blocked for more than 120 seconds.\n"
           "      Not tainted 6.1.0 #2\n"
           "task:beta gamma      state:D stack:0     pid:102   ppid:1      flags:0x00004000\n"
           "Call Trace:\n <TASK>\n __schedule+0x291/0x700\n schedule+0x5d/0xb0\n"
           " rwsem_down_write_slowpath+0x15/0x20\n down_write+0x1/0x2\n work_b+0x27b/0x5db\n"
           " </TASK>\n\n"
           "Showing all locks held in the system:\n"
           "2 locks held by alpha/101:\n"
           " #0: ff11000000000a00 (&x->a){+.+.}-{3:3}, at: work_a+0x10/0x5db\n"
           " #1: ff11000000000b00 (&x->b){+.+.}-{3:3}, at: work_a+0x27b/0x5db\n"
           "2 locks held by beta gamma/102:\n" +
           held_by_second + wanted_by_second + "\n=============================================\n";
}

}  // namespace

TEST_CASE("kernel: a dump of hung tasks shows who waits for whom, and a cycle if there is one") {
    const std::string a = " #1: ff11000000000a00 (&x->a){+.+.}-{3:3}, at: work_b+0x27b/0x5db\n";
    const std::string b = " #0: ff11000000000b00 (&x->b){+.+.}-{3:3}, at: work_b+0x10/0x5db\n";
    const std::vector<report> found = reports(hung(b, a));
    REQUIRE(found.size() == 1);
    const report& cycle = found[0];
    CHECK(cycle.kind == "hung");
    CHECK(cycle.has_happened);
    REQUIRE(cycle.tasks.size() == 2);
    CHECK(cycle.tasks[0].waits[0].lock == "&x->b");
    CHECK(cycle.tasks[0].waits[0].owner == "beta gamma/102");
    CHECK(cycle.tasks[1].waits[0].owner == "alpha/101");
    CHECK(cycle.cycle_locks.size() == 2);
    CHECK(cycle.edges.size() == 2);
    for (const wedge::explain::cycle_edge& each : cycle.edges)
        CHECK((each.task == "alpha/101" ? each.from == "&x->a" && each.to == "&x->b"
                                        : each.from == "&x->b" && each.to == "&x->a"));
    // The twin: the second task holds the lock, and waits for a third that nobody holds.
    const std::string c = " #1: ff11000000000c00 (&x->c){+.+.}-{3:3}, at: work_b+0x27b/0x5db\n";
    const std::vector<report> chain = reports(hung(b, c));
    REQUIRE(chain.size() == 1);
    CHECK(chain[0].edges.empty());
    CHECK(chain[0].tasks[0].waits[0].owner == "beta gamma/102");
    CHECK(chain[0].tasks[1].waits[0].owner.empty());
}

TEST_CASE("kernel: odd texts take time in proportion") {
    // Each would take minutes if a step looked at all of the rest.
    std::string text;
    for (int i = 0; i < 20000; ++i)
        text += "WARNING: possible circular locking dependency detected ";
    CHECK(reports(text).size() <= 1);
    for (const char* const piece :
         {"1 lock held by ", "(a){+.+.}", "-> #0 (", "INFO: task ", "[ ", "&gt;", "[1.000000]"}) {
        std::string odd = "INFO: task a:1 blocked for more than 120 seconds.\n";
        for (int i = 0; i < 20000; ++i) odd += piece;
        reports(odd);
    }
}
