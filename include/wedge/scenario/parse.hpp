// Parses the text of a scenario.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/scenario/check_names.hpp"

namespace wedge::scenario {

namespace detail {

/// Returns the words of `finding_names`.
inline std::vector<std::string_view> finding_words() {
    return {finding_names.begin(), finding_names.end()};
}

class parser {
public:
    parser(std::string_view text, std::string path) : at_(text, result_.path, is_keyword) {
        result_.path = std::move(path);
    }

    /// Reads the whole text.
    ///
    /// @throws error  its mistakes, a line for each
    document read() {
        document made = read_all();
        at_.errors.throw_if_any();
        return made;
    }
    /// As `read`, but keeps the mistakes. What has one is left out of the document.
    document read_all() {
        for (;;) {
            std::vector<std::string> before = at_.lines_before();
            if (result_.all.empty()) trim_front(before);
            if (at_.is_end()) {
                if (result_.all.empty() && at_.errors.is_empty())
                    at_.errors.attempt([&] { at_.fail("a declaration"); });
                trim_back(before);
                result_.ending = std::move(before);
                return std::move(result_);
            }
            const token& from = at_.peek();
            const bool is_read = at_.errors.attempt([&] { result_.all.push_back(one()); });
            if (is_read) {
                result_.all.back().before = std::move(before);
                continue;
            }
            knows_all_names_ = false;
            at_.skip_statement(from);
            if (at_.is("}")) at_.skip_token();
        }
    }
    /// Returns whether each declaration could be read, if not each statement.
    bool knows_all_names() const noexcept { return knows_all_names_; }
    error_list& errors() noexcept { return at_.errors; }

private:
    declaration one() {
        const token first = at_.peek();
        declaration made;
        made.at = first.at;
        made.what = static_cast<declares>(
            at_.one_of(declaration_words, "a declaration as 'lock' or 'thread'"));
        std::string or_else;
        switch (made.what) {
            case declares::lock: or_else = lock(made); break;
            case declares::memory: memory(made); break;
            case declares::fence: named(made, "the name of a fence"); break;
            case declares::completion: named(made, "the name of a completion"); break;
            case declares::condition: named(made, "the name of a condition"); break;
            case declares::semaphore: semaphore(made); break;
            case declares::counter: or_else = counter(made); break;
            case declares::wait_queue: named(made, "the name of a wait queue"); break;
            case declares::thread: thread(made); break;
            case declares::shrinker: shrinker(made); break;
            case declares::notifier:
                named(made, "the name of a notifier");
                body(made);
                break;
            case declares::work:
            case declares::delayed_work:
            case declares::timer:
            case declares::irq_work:
                named(made, "the name of " + with_article(word_of(made.what)));
                body(made);
                break;
            case declares::refcount: refcount(made); break;
            case declares::handler: handler(made); break;
            case declares::order: order(made); break;
            case declares::expect: expectation(made); break;
        }
        made.after = at_.end_of_statement(or_else);
        return made;
    }

    void named(declaration& made, const std::string& expected) {
        made.name_at = at_.peek().at;
        made.name = at_.name(expected);
    }

    static std::string expected_kind() {
        std::string text = "the kind of the lock: ";
        for (const std::string_view& each : lock_kind_words)
            text += std::string(&each == &lock_kind_words.front()  ? ""
                                : &each == &lock_kind_words.back() ? " or "
                                                                   : ", ") +
                    std::string(each);
        return text;
    }
    std::string lock(declaration& made) {
        named(made, "the name of a lock");
        const std::size_t alias = place_among(at_.peek().text, lock_alias_words);
        if (alias < lock_alias_words.size()) {
            made.kind = lock_aliases[alias];
            made.kind_name = std::string(at_.take().text);
        } else {
            made.kind = static_cast<lock_sort>(at_.one_of(lock_kind_words, expected_kind()));
        }
        made.count = at_.count(instances_max);
        for (;;) {
            if (at_.accept("class"))
                made.class_name = at_.name("the name of a class");
            else if (at_.accept("unchecked"))
                made.is_unchecked = true;
            else if (at_.accept("ordered"))
                made.is_ordered = true;
            else
                return "xN, 'class', 'ordered', 'unchecked' or ";
        }
    }

    void memory(declaration& made) {
        const auto pages = [&] { return at_.number("a number of pages", 0, 1'000'000); };
        made.pages = pages();
        at_.expect("pages");
        if (at_.accept("min")) made.min = pages();
        at_.expect("low");
        made.low = pages();
        at_.expect("high");
        made.high = pages();
    }

    std::string counter(declaration& made) {
        named(made, "the name of a counter");
        at_.expect("=");
        made.value = at_.number("a number");
        made.is_local = at_.accept("local");
        return made.is_local ? "" : "'local' or ";
    }
    void semaphore(declaration& made) {
        named(made, "the name of a semaphore");
        at_.expect("=");
        made.value = at_.number("a number", 0, cursor::number_max);
    }

    void refcount(declaration& made) {
        named(made, "the name of a reference count");
        made.value = at_.accept("=") ? at_.number("a number", 1, references_max) : 1;
        body(made);
    }

    void thread(declaration& made) {
        named(made, "the name of a thread");
        made.count = at_.count(tasks_max);
        if (at_.accept("cpu")) {
            made.has_cpu = true;
            made.cpu = static_cast<std::uint32_t>(
                at_.number("the number of a processor", 0, processors_max - 1));
            if (at_.accept("fifo"))
                made.fifo = static_cast<std::uint32_t>(at_.number("a priority", 1, fifo_max));
        }
        body(made);
    }
    void shrinker(declaration& made) {
        named(made, "the name of a shrinker");
        if (at_.accept("needs"))
            made.needs = static_cast<scenario::needs>(at_.one_of(needs_words, "'fs' or 'io'") + 1);
        body(made);
    }
    void handler(declaration& made) {
        named(made, "the name of a handler");
        const std::size_t which = at_.one_of(handler_words, "'hardirq', 'softirq' or 'nmi'");
        made.is_hard = which == 0;
        made.is_nmi = which == 2;
        made.is_threaded = !made.is_nmi && at_.accept("threaded");
        body(made);
    }
    void body(declaration& made) {
        block_parser blocks(at_, parse_statement);
        made.body = blocks.braces();
        made.body.closing.clear();
    }

    void order(declaration& made) {
        do {
            reference next;
            next.at = at_.peek().at;
            if (is_among(at_.peek().text, map_words)) {
                next.name = std::string(at_.take().text);
            } else {
                next.name = at_.name("a lock, 'reclaim', 'notifier' or 'signalling'");
            }
            made.chain.push_back(std::move(next));
        } while (made.chain.size() < 2 ? (at_.expect("->"), true) : at_.accept("->"));
    }

    void expectation(declaration& made) {
        made.expected = static_cast<expects>(
            at_.one_of(expect_words, "'sound', 'deadlock', 'livelock', 'finding' or 'unresolved'"));
        if (made.expected != expects::finding) return;
        made.kind_expected =
            static_cast<finding_kind>(at_.one_of(finding_words(), "the kind of a finding"));
    }

    document result_;
    cursor at_;
    bool knows_all_names_ = true;
};

}  // namespace detail

/// Parses a scenario, and checks its names.
///
/// @param path  the name of the file in messages
/// @throws error  its mistakes, at most 20, on a line each: `path:line:column: found …, expected …`
inline document parse(std::string_view text, const std::string& path) {
    constexpr std::size_t size_max = std::size_t{1} << 20;  // a thousand times the largest design
    if (text.size() > size_max) throw error(path + ": larger than 1 MiB, which is no scenario");
    detail::parser reader(text, path);
    document read = reader.read_all();
    if (reader.knows_all_names()) check_names(read, reader.errors());
    reader.errors().throw_if_any();
    return read;
}

}  // namespace wedge::scenario
