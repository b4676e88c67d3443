// Lock operations as text, `L(A) RR(B.1) U(B.1) U(A) | T(A) U(A)`, which real tasks play.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/contexts.hpp"
#include "wedge/core/steps.hpp"
#include "wedge/core/ticket.hpp"
#include "wedge/order/checker.hpp"

namespace notation {

/// A word with arguments and a result, which may both be missing: `W(o.1;t.1)=EDEADLK`.
struct operation {
    std::string word;
    std::vector<std::string> arguments;
    std::string result;
};
using sequence = std::vector<operation>;

/// Returns one sequence per task; `|` separates them.
inline std::vector<sequence> parse(std::string_view text) {
    std::vector<sequence> all(1);
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == ' ') {
            ++i;
            continue;
        }
        std::size_t end = text.find(' ', i);
        if (end == std::string_view::npos) end = text.size();
        std::string_view token = text.substr(i, end - i);
        i = end;
        if (token == "|") {
            all.emplace_back();
            continue;
        }
        operation& made = all.back().emplace_back();
        const std::size_t open = token.find('(');
        made.word = token.substr(0, open);
        if (open == std::string_view::npos) continue;
        if (const std::size_t equals = token.rfind(")="); equals != std::string_view::npos) {
            made.result = token.substr(equals + 2);
            token = token.substr(0, equals + 1);
        }
        if (token.back() != ')') throw std::invalid_argument(std::string(token));
        std::string_view rest = token.substr(open + 1, token.size() - open - 2);
        while (true) {
            const std::size_t cut = rest.find(';');
            made.arguments.emplace_back(rest.substr(0, cut));
            if (cut == std::string_view::npos) break;
            rest.remove_prefix(cut + 1);
        }
    }
    return all;
}

/// Plays texts: their locks and tasks, in front of one checker. An unknown word throws.
///
/// A lock has no wait type unless its kind follows its name, as `A@spin`. A ticket is for locks of
/// the class `o` unless it says `C(t;class=p)`. `H{ }` is a handler of its own that interrupts no
/// task.
class player {
public:
    explicit player(wedge::checker& checker) : checker_(&checker) {}

    /// Plays each sequence from its first to its last step as a task of its own.
    void play(std::string_view text) {
        for (const sequence& one : parse(text)) play(add_task(), one);
    }

    /// Plays one sequence as steps of an existing task.
    void play(wedge::task& self, std::string_view text) { play(self, parse(text).at(0)); }

    wedge::task& add_task() {
        wedge::task& made = tasks_.emplace_back();
        made.sink = checker_;
        made.ordinal = static_cast<std::uint32_t>(tasks_.size() - 1);
        return made;
    }

    /// Returns the lock of a name. `X.2` is an instance of the class X, and `A` the only one of A.
    /// The class of `A!` is not checked for nesting. The number after the dot is the instance's
    /// rank.
    wedge::lock_identity& lock_named(const std::string& name,
                                     wedge::lock_kind kind = wedge::lock_kind::shared_mutex,
                                     wedge::wait_type waits = wedge::wait_type::none) {
        const std::size_t at = name.find('@');
        const std::string bare = name.substr(0, at);
        const auto known = locks_.find(bare);
        if (known != locks_.end()) return *known->second;
        if (at != std::string::npos) {
            kind = kind_named(name.substr(at + 1));
            waits = wedge::wait_type_of(kind);
        }
        const std::size_t dot = bare.find('.');
        std::string of = bare.substr(0, dot);
        const auto option = options_.find(of);
        wedge::class_options options{.unchecked = of.back() == '!'};
        if (option != options_.end()) {
            options = option->second;
            of += options.unchecked ? "!" : "<";  // a class keeps the options of its first lock
        }
        wedge::lock_identity& made = add_lock(kind, wedge::lock_class(of.c_str(), options), waits);
        if (dot != std::string::npos) made.set_rank(std::stoul(bare.substr(dot + 1)));
        return *locks_.emplace(bare, &made).first->second;
    }

private:
    /// An open block: the task around it, and how it is left.
    struct block {
        wedge::task* outside;
        std::unique_ptr<wedge::in_context> context;
        wedge::lock_identity* section = nullptr;
    };

    /// Makes a task the running one: steps of contexts act on the running task.
    class running {
    public:
        explicit running(wedge::task& self)
            : before_(std::exchange(wedge::detail::current_task, &self)) {}
        ~running() { wedge::detail::current_task = before_; }
        running(const running&) = delete;
        running& operator=(const running&) = delete;

    private:
        wedge::task* const before_;
    };

    void play(wedge::task& first, const sequence& steps) {
        std::vector<block> open;
        wedge::task* self = &first;
        for (const operation& step : steps) {
            ++line_;
            const running now(*self);
            if (step.word.back() == '{') {
                self = &enter(*self, step.word, open);
            } else if (step.word == "}") {
                if (open.back().section != nullptr) release(*self, *open.back().section);
                open.back().context.reset();
                self = open.back().outside;
                open.pop_back();
            } else {
                play(*self, step);
            }
        }
    }

    wedge::task& enter(wedge::task& self, const std::string& word, std::vector<block>& open) {
        block& made = open.emplace_back(block{&self, nullptr});
        if (word.starts_with("RCU")) {
            made.section = &map_named(word.substr(0, word.size() - 1));
            acquire(self, *made.section, terms(wedge::mode::recursive_shared));
            return self;
        }
        const bool is_hard = word[0] == 'H';
        const bool is_nmi = word == "NMI{";
        if (!is_hard && !is_nmi && word != "S{") throw std::invalid_argument(word);
        wedge::task& handler = add_task();
        const running now(handler);
        made.context = std::make_unique<wedge::in_context>(is_nmi    ? wedge::context::nmi
                                                           : is_hard ? wedge::context::hardirq
                                                                     : wedge::context::softirq,
                                                           word == "H{", here());
        return handler;
    }

    void play(wedge::task& self, const operation& step) {
        using wedge::flags;
        using wedge::mode;
        const std::string& word = step.word;
        if (word == "L") return take(self, step, mode::exclusive);
        if (word == "R") return take(self, step, mode::shared);
        if (word == "RR") return take(self, step, mode::recursive_shared);
        if (word == "T") return take(self, step, mode::exclusive, flags::tried);
        if (word == "TR") return take(self, step, mode::shared, flags::tried);
        if (word == "TRR") return take(self, step, mode::recursive_shared, flags::tried);
        if (word == "SUB") return take(self, step, mode::exclusive, flags::subclassed);
        if (word == "N") return take(self, step, mode::exclusive, flags::nest);
        if (word == "-irq") return wedge::irqs_off(here());
        if (word == "+irq") return wedge::irqs_on(here());
        if (word == "-bh") return wedge::bh_off(here());
        if (word == "+bh") return wedge::bh_on(here());
        if (word == "-preempt") return wedge::preempt_off();
        if (word == "+preempt") return wedge::preempt_on();
        if (word == "CMP" || word == "NV") {
            options_[step.arguments.at(0)] = word == "NV"
                                                 ? wedge::class_options{.unchecked = true}
                                                 : wedge::class_options{.order = wedge::by_rank};
            return;
        }
        if (play_ww(self, step)) return;
        wedge::lock_identity& lock = lock_named(step.arguments.at(0));
        if (word == "U") return release(self, lock);
        if (word == "DG") return wedge::detail::downgraded(self, lock, here());
        if (word == "TX")
            return wedge::detail::not_acquired(self, lock, terms(mode::exclusive, flags::tried));
        if (word == "SYNC") return send(self, wedge::event_kind::sync, lock);
        if (word == "INIT") return send(self, wedge::event_kind::init, lock);
        throw std::invalid_argument(word);
    }

    /// Plays the words of wound/wait; returns false for other words.
    bool play_ww(wedge::task& self, const operation& step) {
        using wedge::flags;
        using wedge::mode;
        const std::string& word = step.word;
        const auto argument = [&](std::size_t i) {
            return i < step.arguments.size() ? step.arguments[i] : std::string();
        };
        if (word == "C" || word == "D" || word == "F") {
            wedge::lock_identity& ticket = ticket_named(argument(0));
            const std::string of =
                argument(1).starts_with("class=") ? argument(1).substr(6) : std::string("o");
            const wedge::lock_class ww_class(of.c_str());
            if (word == "C")
                wedge::detail::ticket_begun(self, ticket, ww_class, here());
            else if (word == "D")
                wedge::detail::ticket_done(self, ticket, ww_class, here());
            else
                wedge::detail::ticket_ended(self, ticket, ww_class, here());
            return true;
        }
        if (word == "EXT" || word == "EXTU") {
            wedge::task& other = owner_of(argument(0));
            const running now(other);
            if (word == "EXTU") return release(other, ww_named(argument(0))), true;
            play_ww(other, {"C", {argument(1)}, {}});
            return play_ww(other, {"W", step.arguments, {}});
        }
        if (word == "SET") {
            if (!argument(0).ends_with(".acquired=0")) throw std::invalid_argument(argument(0));
            const std::string ticket = argument(0).substr(0, argument(0).size() - 11);
            forget_locks_under(self, ticket_named(ticket).instance());
            return true;
        }
        if (word != "W" && word != "WS" && word != "WT") return false;
        wedge::lock_identity& lock = ww_named(argument(0));
        wedge::detail::acquire_terms how = terms(mode::exclusive);
        if (word == "WT") how.with = how.with | flags::tried;
        if (word == "WS") how.with = how.with | flags::slow;
        if (!argument(1).empty()) {
            how.with = how.with | flags::ticketed;
            how.payload = ticket_named(argument(1)).instance();
        }
        if (step.result.empty()) {
            acquire(self, lock, how);
            wedge::detail::contended_is_taken(self, how.payload);
            return true;
        }
        wedge::detail::attempt(self, lock, how);
        if (step.result == "EALREADY")
            wedge::detail::held_already(self, lock, how);
        else
            wedge::detail::told_to_back_off(self, lock, how);
        return true;
    }

    static wedge::lock_kind kind_named(const std::string& name) {
        using wedge::lock_kind;
        if (name == "spin") return lock_kind::spinlock;
        if (name == "raw") return lock_kind::raw_spinlock;
        if (name == "rwlock") return lock_kind::qrwlock;
        if (name == "rwsem") return lock_kind::shared_mutex;
        if (name == "local") return lock_kind::local_lock;
        if (name == "mutex" || name == "rtmutex") return lock_kind::mutex;
        throw std::invalid_argument(name);
    }
    wedge::lock_identity& add_lock(wedge::lock_kind kind, wedge::lock_class cls,
                                   wedge::wait_type waits) {
        wedge::lock_identity& made = storage_.emplace_back(kind, cls, waits);
        made.adopt(1, static_cast<std::uint32_t>(storage_.size()));
        return made;
    }
    wedge::lock_identity& ww_named(const std::string& name) {
        return lock_named(name, wedge::lock_kind::ww_mutex, wedge::wait_type::sleep);
    }
    /// Returns the map of a name. Tickets and read sections are maps.
    wedge::lock_identity& map_named(const std::string& name) {
        const auto known = locks_.find(name);
        if (known != locks_.end()) return *known->second;
        const auto allows = !name.starts_with("RCU") ? wedge::wait_type::none
                            : name == "RCUsched"     ? wedge::wait_type::raw
                                                     : wedge::wait_type::spin;
        const std::string of = name.substr(0, name.find('.'));
        wedge::lock_identity& made =
            add_lock(wedge::lock_kind::map,
                     wedge::lock_class(of.c_str(), {.never_waits = true, .allows = allows}),
                     wedge::wait_type::none);
        return *locks_.emplace(name, &made).first->second;
    }
    wedge::lock_identity& ticket_named(const std::string& name) {
        return map_named("ticket " + name);
    }
    wedge::task& owner_of(const std::string& lock) {
        const auto known = owners_.find(lock);
        return known != owners_.end() ? *known->second
                                      : *owners_.emplace(lock, &add_task()).first->second;
    }
    static void forget_locks_under(wedge::task& self, std::uint32_t ticket) {
        for (std::size_t i = self.held.size(); i-- > 0;)
            if (wedge::has(self.held[i].with, wedge::flags::ticketed) &&
                self.held[i].payload == ticket)
                self.held.erase(&self.held[i]);
    }

    void take(wedge::task& self, const operation& step, wedge::mode how,
              wedge::flags with = wedge::flags::none) {
        wedge::lock_identity& lock = lock_named(step.arguments.at(0));
        wedge::detail::acquire_terms how_taken = terms(how, with);
        if (wedge::has(with, wedge::flags::subclassed))
            how_taken.subclass = static_cast<std::uint8_t>(std::stoi(step.arguments.at(1)));
        if (wedge::has(with, wedge::flags::nest))
            how_taken.payload = lock_named(step.arguments.at(1)).instance();
        acquire(self, lock, how_taken);
    }
    static void acquire(wedge::task& self, wedge::lock_identity& lock,
                        const wedge::detail::acquire_terms& how) {
        if (!wedge::has(how.with, wedge::flags::tried)) wedge::detail::attempt(self, lock, how);
        wedge::detail::acquired(self, lock, how);
    }
    void release(wedge::task& self, wedge::lock_identity& lock) {
        wedge::detail::released(self, lock, wedge::mode::exclusive, here());
    }
    void send(wedge::task& self, wedge::event_kind kind, const wedge::lock_identity& lock) {
        wedge::detail::emit(self,
                            wedge::detail::event_of(kind, lock, terms(wedge::mode::exclusive)));
    }
    wedge::detail::acquire_terms terms(wedge::mode how,
                                       wedge::flags with = wedge::flags::none) const {
        return {how, with, 0, 0, here()};
    }
    /// Returns the place of the step, whose number serves as line.
    wedge::site here() const { return {"notation", "", line_}; }

    wedge::checker* checker_;
    std::deque<wedge::task> tasks_;
    std::deque<wedge::lock_identity> storage_;
    std::map<std::string, wedge::lock_identity*> locks_;
    std::map<std::string, wedge::class_options> options_;
    std::map<std::string, wedge::task*> owners_;
    unsigned line_ = 0;
};

/// Returns what a new checker finds in a text.
inline std::vector<wedge::finding> findings_of(std::string_view text,
                                               wedge::evidence kept = wedge::evidence::classes) {
    wedge::checker checker(kept);
    player(checker).play(text);
    return checker.findings();
}

/// Returns the kinds of findings in a text, sorted. Class evidence and exact evidence must agree.
inline std::vector<wedge::finding_kind> kinds_in(std::string_view text) {
    const auto kinds = [&](wedge::evidence kept) {
        std::vector<wedge::finding_kind> all;
        for (const wedge::finding& found : findings_of(text, kept)) all.push_back(found.kind);
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return all;
    };
    std::vector<wedge::finding_kind> live = kinds(wedge::evidence::classes);
    if (live != kinds(wedge::evidence::exact))
        throw std::logic_error("the two sorts of evidence disagree on " + std::string(text));
    return live;
}

/// Returns one text per order of the tasks.
inline std::vector<std::string> permuted(std::vector<std::string> tasks) {
    std::sort(tasks.begin(), tasks.end());
    std::vector<std::string> all;
    do {
        std::string& text = all.emplace_back();
        for (const std::string& task : tasks) text += (text.empty() ? "" : " | ") + task;
    } while (std::next_permutation(tasks.begin(), tasks.end()));
    return all;
}

}  // namespace notation
