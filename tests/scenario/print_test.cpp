#include "wedge/scenario/print.hpp"

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"

#include "scenario/read.hpp"

namespace print_test {
namespace {

using namespace wedge::scenario;

/// Writes random scenarios that fit the grammar. Their names need not be declared.
class maker {
public:
    explicit maker(std::uint64_t seed) : random_(seed) {}

    document make() {
        document all;
        for (std::uint32_t n = 1 + random_.below(6); n > 0; --n) {
            all.all.push_back(one());
            all.all.back().before = lines(all.all.size() == 1);
        }
        all.ending = lines(false);
        wedge::scenario::detail::trim_back(all.ending);
        return all;
    }

private:
    std::uint32_t below(std::uint32_t n) { return random_.below(n); }
    bool coin() { return below(2) == 1; }
    std::string name() { return std::string(1, static_cast<char>('A' + below(5))) + "_1"; }
    std::string comment() { return below(4) == 0 ? "# c" + std::to_string(below(9)) : ""; }

    std::vector<std::string> lines(bool is_first) {
        std::vector<std::string> all;
        for (std::uint32_t n = below(3); n > 0; --n) {
            const bool may_be_blank = all.empty() ? !is_first : !all.back().empty();
            all.push_back(may_be_blank && coin() ? "" : "# line");
        }
        return all;
    }

    reference use() {
        reference made;
        made.name = name();
        made.indexed = static_cast<reference::index_sort>(below(3));
        if (made.indexed != reference::index_sort::none) made.index = below(3);
        return made;
    }
    operand value() {
        operand made;
        if (coin())
            made.counter = name();
        else
            made.number = static_cast<std::int64_t>(below(9)) - 4;
        return made;
    }

    declaration one() {
        declaration made;
        made.what = static_cast<declares>(below(static_cast<std::uint32_t>(declares::expect) + 1));
        if (made.what != declares::memory && made.what != declares::order &&
            made.what != declares::expect)
            made.name = name();
        made.after = comment();
        if (has_body(made.what)) made.body = body(0);
        if (made.what == declares::handler) {
            made.is_nmi = below(4) == 0;
            made.is_hard = !made.is_nmi && coin();
            made.is_threaded = !made.is_nmi && coin();
        }
        if (made.what == declares::semaphore) made.value = below(3);
        if (made.what == declares::refcount) made.value = 1 + below(3);
        if (made.what == declares::thread) {
            made.count = 1 + below(3);
            made.has_cpu = coin();
            if (made.has_cpu) made.cpu = below(3);
            if (made.has_cpu && coin()) made.fifo = 1 + below(99);
        }
        if (made.what == declares::shrinker) made.needs = static_cast<needs>(below(3));
        if (made.what == declares::lock) {
            made.kind = static_cast<lock_sort>(below(11));
            made.is_ordered = coin();
            made.count = 1 + below(3);
            made.is_unchecked = coin();
            if (coin()) made.class_name = name();
        }
        if (made.what == declares::memory) {
            made.pages = below(9);
            made.min = below(2);
        }
        if (made.what == declares::counter) {
            made.value = -static_cast<std::int64_t>(below(3));
            made.is_local = coin();
        }
        for (std::uint32_t n = 2 + below(2); made.what == declares::order && n > 0; --n) {
            reference next;
            next.name = coin() ? name() : std::string(map_words[below(3)]);
            made.chain.push_back(next);
        }
        if (made.what == declares::expect) made.expected = static_cast<expects>(below(5));
        if (made.expected == expects::finding)
            made.kind_expected = static_cast<wedge::finding_kind>(below(18));
        return made;
    }

    block body(unsigned depth) {
        block made;
        for (std::uint32_t n = below(4); n > 0; --n) {
            made.body.push_back(step(depth));
            made.body.back().before = lines(made.body.size() == 1);
        }
        made.opening = comment();
        made.ending = lines(made.body.empty());
        wedge::scenario::detail::trim_back(made.ending);
        return made;
    }

    statement step(unsigned depth) {
        statement made;
        made.what = static_cast<action>(below(static_cast<std::uint32_t>(action::put) + 1));
        std::uint32_t blocks = 0;
        switch (made.what) {
            case action::acquire:
                made.on = use();
                if (below(4) == 0) {
                    made.ticket.name = name();
                    made.is_slow = coin();
                    blocks = made.is_slow ? 0 : below(2);
                    break;
                }
                made.is_read = coin();
                if (coin()) made.other = use();
                made.is_recursive = made.is_read && coin();
                made.is_tried = coin();
                made.has_subclass = coin();
                if (made.has_subclass) made.number = below(4);
                made.is_timed = !made.is_tried && coin();
                if (made.is_timed || (made.is_tried && coin()))
                    blocks = 1 + below(2);
                else if (made.is_read && !made.is_tried)
                    blocks = below(2);
                break;
            case action::alloc:
                made.number = below(9);
                made.gfp = {static_cast<gfp_base>(below(5)), static_cast<std::uint8_t>(below(16))};
                blocks = below(2);
                break;
            case action::might_alloc: made.gfp.base = static_cast<gfp_base>(below(5)); break;
            case action::free: made.number = below(9); break;
            case action::scope:
                made.scopes = static_cast<std::uint8_t>(below(3));
                blocks = 1;
                break;
            case action::set:
            case action::add:
                made.on = use();
                made.right = value();
                break;
            case action::if_that: blocks = 1 + below(2); [[fallthrough]];
            case action::assert_that:
            case action::while_that:
            case action::until:
                made.left = value();
                made.right = value();
                made.compared = static_cast<comparison>(below(4));
                if (made.what == action::while_that) blocks = 1;
                break;
            case action::if_held:
                made.on = use();
                blocks = 1 + below(2);
                break;
            case action::repeat:
                made.number = below(4);
                blocks = 1;
                break;
            case action::choose: blocks = 1 + below(3); break;
            case action::wait:
                made.on = use();
                made.has_test = coin();
                if (made.has_test) {
                    made.is_exclusive = coin();
                    made.left = value();
                    made.right = value();
                } else if (coin()) {
                    made.other = use();
                }
                made.is_timed = coin();
                made.is_interruptible = !made.is_timed && coin();
                blocks = made.is_timed || made.is_interruptible ? 1 : 0;
                break;
            case action::get:
                made.on = use();
                made.is_tried = coin();
                blocks = made.is_tried ? below(3) : 0;
                break;
            case action::ticket_begin:
                made.is_wait_die = coin();
                if (coin()) made.class_name = name();
                [[fallthrough]];
            case action::transaction:
            case action::ticket_done:
            case action::ticket_end:
                made.on.name = name();
                blocks = made.what == action::transaction ? 1 : 0;
                break;
            case action::interrupt:
                made.is_hard = coin();
                made.is_threaded = made.is_hard && coin();
                [[fallthrough]];
            case action::signalling: blocks = 1; break;
            case action::mask: made.is_hard = coin(); [[fallthrough]];
            case action::preempt: made.is_on = coin(); break;
            case action::notify:
            case action::wake:
            case action::complete: made.is_all = coin(); [[fallthrough]];
            case action::signal:
            case action::down:
            case action::up:
            case action::queue:
            case action::arm:
            case action::drop:
            case action::flush:
            case action::cancel:
            case action::assert_held:
            case action::pin:
            case action::unpin:
            case action::init:
            case action::sync:
            case action::release:
            case action::downgrade:
            case action::might_lock:
            case action::put:
            case action::join: made.on = use(); break;
            default: break;
        }
        if (blocks != 0 && depth == 4) return step(depth);
        for (; blocks > 0; --blocks) {
            made.blocks.push_back(body(depth + 1));
            for (std::uint32_t n = below(blocks == 1 ? 2 : 3); n > 0; --n)
                made.blocks.back().closing.push_back("# closing");
        }
        if (made.blocks.empty()) made.after = comment();
        return made;
    }

    wedge::rng random_;
};

}  // namespace

TEST_CASE("print: parsing the printed text gives an equal scenario") {
    for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
        const document made = maker(seed).make();
        const std::string text = to_string(made);
        CAPTURE(text);
        const document again = wedge::scenario::detail::parser(text, "made.wedge").read();
        REQUIRE(again == made);
        CHECK(to_string(again) == text);
    }
}

TEST_CASE("print: the corpus is canonical, including comments") {
    for (const std::string& file : corpus()) {
        CAPTURE(file);
        CHECK(to_string(parse(text_of_file(file), file)) == text_of_file(file));
    }
}

TEST_CASE("print: blanks, semicolons and continued branches have one form") {
    const char* const text =
        "\n\n  lock a mutex;lock b   rwsem x2 # two\n\n\n\nthread t{lock a;try read b[ self +1 ]{}"
        " # got\n\n# or not\nelse{yield};unlock a\n\n# end\n\n}\n";
    CHECK(to_string(parsed(text)) ==
          "lock a mutex\n"
          "lock b rwsem x2  # two\n"
          "\n"
          "thread t {\n"
          "    lock a\n"
          "    try read b[self+1] {}  # got\n"
          "    # or not\n"
          "    else {\n"
          "        yield\n"
          "    }\n"
          "    unlock a\n"
          "\n"
          "    # end\n"
          "}\n");
}

}  // namespace print_test
