// Lock operations written as text, `L(A) RR(B.1) U(B.1) U(A) | T(A) U(A)`, played as real tasks.
#pragma once

#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/order/checker.hpp"
#include "wedge/task/steps.hpp"

namespace notation {

/// `W(o.1;t.1)` is the word W with two arguments; a word may have none.
struct operation {
    std::string word;
    std::vector<std::string> arguments;
};
using sequence = std::vector<operation>;

/// One sequence a task, separated by `|`.
inline std::vector<sequence> parse(std::string_view text) {
    std::vector<sequence> all(1);
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == ' ') {
            ++i;
            continue;
        }
        std::size_t end = text.find(' ', i);
        if (end == std::string_view::npos)
            end = text.size();
        const std::string_view token = text.substr(i, end - i);
        i = end;
        if (token == "|") {
            all.emplace_back();
            continue;
        }
        operation& made = all.back().emplace_back();
        const std::size_t open = token.find('(');
        made.word = token.substr(0, open);
        if (open == std::string_view::npos)
            continue;
        if (token.back() != ')')
            throw std::invalid_argument(std::string(token));
        std::string_view rest = token.substr(open + 1, token.size() - open - 2);
        while (true) {
            const std::size_t cut = rest.find(';');
            made.arguments.emplace_back(rest.substr(0, cut));
            if (cut == std::string_view::npos)
                break;
            rest.remove_prefix(cut + 1);
        }
    }
    return all;
}

/// The locks and tasks of one text, in front of one checker. An unknown word throws.
class player {
public:
    explicit player(wedge::checker& checker) : checker_(&checker) {}

    /// Plays each sequence from first to last step as a task of its own.
    void play(std::string_view text) {
        for (const sequence& one : parse(text)) {
            wedge::task& self = add_task();
            for (const operation& step : one)
                play(self, step);
        }
    }

    /// Plays one sequence as steps of a task that exists.
    void play(wedge::task& self, std::string_view text) {
        const std::vector<sequence> all = parse(text);
        for (const operation& step : all.at(0))
            play(self, step);
    }

    wedge::task& add_task() {
        wedge::task& made = tasks_.emplace_back();
        made.sink = checker_;
        made.ordinal = static_cast<std::uint32_t>(tasks_.size() - 1);
        return made;
    }

    void play(wedge::task& self, const operation& step) {
        using wedge::flags;
        using wedge::mode;
        ++line_;
        const std::string& word = step.word;
        if (word == "L")
            return take(self, step, mode::exclusive);
        if (word == "R")
            return take(self, step, mode::shared);
        if (word == "RR")
            return take(self, step, mode::recursive_shared);
        if (word == "T")
            return take(self, step, mode::exclusive, flags::tried);
        if (word == "TR")
            return take(self, step, mode::shared, flags::tried);
        if (word == "TRR")
            return take(self, step, mode::recursive_shared, flags::tried);
        if (word == "SUB")
            return take(self, step, mode::exclusive, flags::subclassed);
        wedge::lock_identity& lock = lock_named(step.arguments.at(0));
        if (word == "U")
            return wedge::detail::released(self, lock, mode::exclusive, here());
        if (word == "DG")
            return wedge::detail::downgraded(self, lock, here());
        if (word == "TX")
            return wedge::detail::not_acquired(self, lock, terms(mode::exclusive, flags::tried));
        if (word == "SYNC")
            return send(self, wedge::event_kind::sync, lock);
        if (word == "INIT")
            return send(self, wedge::event_kind::init, lock);
        if (word == "NV")
            return;  // by the class, see lock_named
        throw std::invalid_argument(word);
    }

    /// `X.2` is an instance of the class X, and `A` the only one of A. `A!` is of a class whose
    /// nesting is not checked.
    wedge::lock_identity& lock_named(const std::string& name) {
        const auto known = locks_.find(name);
        if (known != locks_.end())
            return *known->second;
        const std::string of = name.substr(0, name.find_first_of(".@"));
        const wedge::lock_class cls(of.c_str(), {.unchecked = of.back() == '!'});
        storage_.emplace_back(wedge::lock_kind::shared_mutex, cls);
        storage_.back().adopt(1, static_cast<std::uint32_t>(storage_.size()));
        return *locks_.emplace(name, &storage_.back()).first->second;
    }

private:
    void take(wedge::task& self, const operation& step, wedge::mode how,
              wedge::flags with = wedge::flags::none) {
        wedge::lock_identity& lock = lock_named(step.arguments.at(0));
        wedge::detail::acquire_terms how_taken = terms(how, with);
        if (wedge::has(with, wedge::flags::subclassed))
            how_taken.subclass = static_cast<std::uint8_t>(std::stoi(step.arguments.at(1)));
        if (!wedge::has(with, wedge::flags::tried))
            wedge::detail::attempt(self, lock, how_taken);
        wedge::detail::acquired(self, lock, how_taken);
    }
    void send(wedge::task& self, wedge::event_kind kind, const wedge::lock_identity& lock) {
        wedge::detail::emit(self,
                            wedge::detail::event_of(kind, lock, terms(wedge::mode::exclusive)));
    }
    wedge::detail::acquire_terms terms(wedge::mode how,
                                       wedge::flags with = wedge::flags::none) const {
        return {how, with, 0, 0, here()};
    }
    /// The number of the step serves as its line.
    wedge::site here() const { return {"notation", "", line_}; }

    wedge::checker* checker_;
    std::deque<wedge::task> tasks_;
    std::deque<wedge::lock_identity> storage_;
    std::map<std::string, wedge::lock_identity*> locks_;
    unsigned line_ = 0;
};

/// What a fresh checker finds in a text.
inline std::vector<wedge::finding> findings_of(std::string_view text,
                                               wedge::evidence kept = wedge::evidence::classes) {
    wedge::checker checker(kept);
    player(checker).play(text);
    return checker.findings();
}

}  // namespace notation
