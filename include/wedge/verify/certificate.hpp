// Checks a certificate: its claim about its scenario, by the second meaning of scenarios.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "wedge/verify/circles.hpp"
#include "wedge/verify/machine.hpp"

namespace wedge::verify {

inline std::uint64_t hash_of(const std::string& text) {
    std::uint64_t all = 0xcbf29ce484222325U;  // FNV-1a
    for (const char c : text) all = (all ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return all;
}

/// Answers choices as a certificate says, then with 0. Notes how many alternatives each choice had.
class answers final : public chooser {
public:
    std::vector<std::size_t> given;
    std::vector<std::size_t> among;  ///< for each answer: the number of alternatives
    std::size_t choose(std::size_t n) override {
        among.push_back(n);
        if (given.size() < among.size()) given.push_back(0);
        return std::min(given[among.size() - 1], n - 1);
    }
    /// Moves on to the next answers, in the order of an odometer. Returns false after the last
    /// ones.
    bool next() {
        given.resize(among.size());
        while (!given.empty() && given.back() + 1 == among[given.size() - 1]) given.pop_back();
        among.clear();
        return !given.empty() && ++given.back() != 0;
    }
    std::string text() const {
        std::string all;
        for (std::size_t i = 0; i < among.size(); ++i)
            all += " " + std::to_string(given[i]) + "/" + std::to_string(among[i]);
        return all;
    }
};

/// Reads one certificate and checks it.
///
/// @param name  of its file, for messages
class certificate {
public:
    certificate(const std::string& text, std::string name) : name_(std::move(name)) {
        std::istringstream in(text);
        for (std::string each; std::getline(in, each);) lines_.push_back(each);
    }

    /// Checks the claim.
    ///
    /// @return what is proved about which scenario
    /// @throws rejected, cannot_verify
    std::string check() {
        expect("wedge certificate 1");
        const std::string scenario = rest("scenario ");
        const std::string head = rest("text ");
        std::string text;
        for (; at_ < lines_.size() && lines_[at_].starts_with("|"); ++at_)
            text += lines_[at_].substr(std::min<std::size_t>(2, lines_[at_].size())) + "\n";
        if (head != std::to_string(hash_of(text))) fail("the scenario is not the one of `text`");
        const script all(text);
        all_ = &all;
        const std::string claim = rest("claim ");
        if (claim == "sound" && is("rising"))
            check_rising();
        else if (claim == "sound")
            check_states();
        else if (is_among(claim, "deadlock livelock assertion"))
            check_schedule(claim);
        else
            fail("a claim is sound, deadlock, livelock or assertion");
        expect("end");
        if (at_ != lines_.size()) fail("a line behind the end");
        return scenario + ": " + claim +
               (has_limited_wakes_ ? ", if each task wakes up by itself at most once" : "");
    }

private:
    struct edge {
        std::size_t to, line;
        bool is_used = false;
    };

    struct decision {
        bool is_choice;
        std::size_t value, among, line;
    };

    [[noreturn]] void fail(const std::string& why) const { fail_at(at_ + 1, why); }
    [[noreturn]] void fail_at(std::size_t line, const std::string& why) const {
        throw rejected(name_ + ":" + std::to_string(line) + ": " + why);
    }
    bool is(const std::string& line) const { return at_ < lines_.size() && lines_[at_] == line; }
    void expect(const std::string& line) {
        if (!is(line)) fail("`" + line + "` is missing");
        ++at_;
    }
    std::string rest(const std::string& start) {
        if (at_ >= lines_.size() || !lines_[at_].starts_with(start))
            fail("`" + start + "…` is missing");
        return lines_[at_++].substr(start.size());
    }
    std::size_t number(const std::string& text) const {
        if (text.empty() || text.size() > 9 ||
            text.find_first_not_of("0123456789") != std::string::npos)
            fail("`" + text + "` is no number");
        return std::stoul(text);
    }

    /// Checks that every blocking acquire is of a lock that comes after all held locks, by class
    /// and then by index. Tasks that wait for each other in a cycle would rise forever, so none
    /// exists.
    void check_rising() {
        expect("rising");
        std::map<std::string, std::size_t> rank;
        while (at_ < lines_.size() && lines_[at_].starts_with("class "))
            if (!rank.emplace(lines_[at_++].substr(6), rank.size()).second) fail("a class twice");
        for (const word& each : all_->words)
            if (is_among(each.text,
                         "alloc reclaim invalidate transaction with ww while until wait notify "
                         "down up complete signal join sync "
                         "assert work delayed_work handler queue flush cancel refcount get put "
                         "wake seqcount "
                         "seqlock"))
                throw cannot_verify("scenario, line " + std::to_string(each.line) + ": `" +
                                    each.text + "`, which no order of locks makes harmless");
        std::set<std::string> known;
        for (const lock_object& each : all_->locks)
            if (known.insert(each.class_name).second && !rank.contains(each.class_name))
                fail("the class " + each.class_name + " is missing");
        if (known.size() != rank.size()) fail("a class that the scenario has not");
        for (std::size_t i = 0; i < all_->tasks.size(); ++i) check_rising(i, rank);
    }
    void check_rising(std::size_t task, std::map<std::string, std::size_t>& rank) {
        std::set<state> known;
        std::vector<state> open;
        answers asked;
        const auto add = [&](machine& of) {
            if (known.size() == 100'000) throw cannot_verify("a task with too many paths");
            if (known.insert(of.now()).second) open.push_back(of.now());
        };
        const auto place = [&](std::size_t lock) {
            return std::pair(rank[all_->locks[lock].class_name], all_->locks[lock].index);
        };
        state first;
        first.tasks.resize(all_->tasks.size());
        first.locks.resize(all_->locks.size());
        first.counters = all_->counters;
        do {
            machine runs(*all_, asked, true);
            runs.now() = first;
            runs.begin(task);
            add(runs);
        } while (asked.next());
        while (!open.empty()) {
            const state here = std::move(open.back());
            open.pop_back();
            machine runs(*all_, asked, true);
            runs.now() = here;
            const std::size_t wanted = runs.awaited(task);
            for (std::size_t held = 0; held < here.locks.size(); ++held) {
                if (here.locks[held].holders.empty() || all_->locks[held].kind == "map") continue;
                if (here.tasks[task].is_done)
                    fail("the order proves nothing: " + all_->tasks[task].name +
                         " ends with a lock");
                if (wanted != nowhere && place(wanted) <= place(held))
                    fail(all_->tasks[task].name + " takes " + all_->locks[wanted].class_name +
                         " under " + all_->locks[held].class_name + ", which is not before it");
            }
            if (here.tasks[task].is_done) continue;
            do {
                machine next(*all_, asked, true);
                next.now() = here;
                next.step(task);
                add(next);
            } while (asked.next());
        }
    }

    using edge_map = std::map<std::pair<std::size_t, std::string>, edge>;

    /// Reads the steps between the states of the certificate, up to the line `end`.
    ///
    /// @param n  the number of states
    edge_map read_edges(std::size_t n) {
        edge_map edges;
        for (; at_ < lines_.size() && lines_[at_] != "end"; ++at_) {
            const std::size_t arrow = lines_[at_].find(" -> ");
            if (arrow == std::string::npos) fail("a step is `FROM TASK CHOICE… -> TO`");
            const std::string from = lines_[at_].substr(0, lines_[at_].find(' '));
            const std::string target = lines_[at_].substr(arrow + 4);
            const std::size_t to = target == "done" ? nowhere : number(target);
            if (to != nowhere && to >= n) fail("there is no state " + target);
            const std::size_t source = from == "begin" ? nowhere : number(from);
            const std::string how = lines_[at_].substr(from.size(), arrow - from.size());
            if (!edges.emplace(std::pair(source, how), edge{to, at_}).second)
                fail("this step is there twice");
        }
        return edges;
    }

    /// Checks that the states of the certificate and the steps between them are complete.
    void check_states() {
        const std::size_t n = number(rest("states "));
        const std::size_t first = at_;
        edge_map edges = read_edges(n);
        std::vector<std::optional<state>> known(n);
        std::vector<std::vector<taken_step>> steps(n);
        std::vector<std::size_t> open;
        const auto arrive = [&](std::size_t from, const std::string& how, machine& by) {
            const auto found = edges.find({from, how});
            const std::string what = (from == nowhere ? "begin" : std::to_string(from)) + how;
            if (found == edges.end()) fail_at(first, "the step `" + what + " -> …` is missing");
            found->second.is_used = true;
            if (by.has_failed) fail_at(found->second.line + 1, "an assertion fails in this step");
            if (found->second.to == nowhere) {
                if (!enabled_in(by.now()).empty() || is_stuck(by.now()))
                    fail_at(found->second.line + 1, "not all tasks are done behind this step");
                return nowhere;
            }
            std::optional<state>& there = known[found->second.to];
            if (there && *there != by.now())
                fail_at(found->second.line + 1, "the step leads to another state");
            if (!there) {
                there = by.now();
                open.push_back(found->second.to);
            }
            return found->second.to;
        };
        answers asked;
        do {
            machine runs(*all_, asked);
            runs.begin();
            arrive(nowhere, asked.text(), runs);
        } while (asked.next());
        std::vector<std::set<std::size_t>> enabled(n);
        while (!open.empty()) {
            const std::size_t here = open.back();
            open.pop_back();
            const state from = *known[here];
            enabled[here] = enabled_in(from);
            if (enabled[here].empty())
                fail_at(first, "nobody can go on in state " + std::to_string(here));
            for (const std::size_t task : enabled[here]) do {
                    machine runs(*all_, asked);
                    runs.now() = from;
                    runs.step(task);
                    const std::string how = " " + std::to_string(task) + asked.text();
                    const std::size_t to = arrive(here, how, runs);
                    has_limited_wakes_ = has_limited_wakes_ || runs.has_limited_wakes;
                    if (!runs.has_progressed && to != nowhere) steps[here].push_back({task, to});
                } while (asked.next());
        }
        for (const auto& [what, each] : edges)
            if (!each.is_used) fail_at(each.line + 1, "no such step can be taken");
        for (std::size_t i = 0; i < n; ++i)
            if (!known[i]) fail_at(first, "state " + std::to_string(i) + " is never reached");
        const std::size_t circle = state_of_a_fair_circle(steps, enabled);
        if (circle != nowhere)
            fail_at(first, "a livelock: a fair circle through state " + std::to_string(circle));
    }
    std::set<std::size_t> enabled_in(const state& here) {
        answers none;
        machine runs(*all_, none);
        runs.now() = here;
        std::set<std::size_t> all;
        for (std::size_t i = 0; i < here.tasks.size(); ++i)
            if (runs.is_enabled(i)) all.insert(i);
        return all;
    }
    /// Returns whether a task waits in a state in which no task can go on.
    bool is_stuck(const state& here) {
        answers none;
        machine runs(*all_, none);
        runs.now() = here;
        for (std::size_t i = 0; i < here.tasks.size(); ++i)
            if (!here.tasks[i].is_done && !runs.is_idle(i)) return true;
        return false;
    }

    /// Reads the decisions of a schedule.
    ///
    /// @param circle  set to the number of decisions before the cycle of a livelock
    std::vector<decision> read_decisions(std::optional<std::size_t>& circle) {
        const std::size_t claimed = number(rest("decisions "));
        std::vector<decision> all;
        for (; at_ < lines_.size() && lines_[at_] != "end"; ++at_) {
            std::istringstream in(lines_[at_]);
            std::string what, value, how, of;
            in >> what >> value >> how >> of;
            if (what == "run" && how.starts_with("x")) {
                const std::size_t times = number(how.substr(1));
                if (times > claimed - all.size()) fail("more decisions than are claimed");
                all.insert(all.end(), times, {false, number(value), 0, at_});
            } else if (what == "choose" && how == "of" && number(value) < number(of)) {
                if (all.size() == claimed) fail("more decisions than are claimed");
                all.push_back({true, number(value), number(of), at_});
            } else if (what == "circle" && !circle) {
                circle = all.size();
            } else {
                fail(
                    "a decision is `run TASK xN`, `choose K of N` with K below N, or "
                    "`circle`");
            }
        }
        if (all.size() != claimed) fail("fewer decisions than are claimed");
        return all;
    }
    /// Plays the decisions, which must end in what is claimed.
    void check_schedule(const std::string& claim) {
        std::optional<std::size_t> circle;
        const std::vector<decision> all = read_decisions(circle);
        answers asked;
        machine runs(*all_, asked);
        std::size_t next = 0;
        const auto hear = [&] {
            asked.given.clear();
            asked.among.clear();
            for (std::size_t i = next; i < all.size() && all[i].is_choice; ++i)
                asked.given.push_back(all[i].value);
        };
        const auto agree = [&] {
            for (const std::size_t n : asked.among) {
                if (next == all.size() || !all[next].is_choice || all[next].among != n)
                    fail_at(next < all.size() ? all[next].line + 1 : at_,
                            "a choice among " + std::to_string(n) + " is missing");
                ++next;
            }
        };
        hear();
        runs.begin();
        agree();
        std::optional<state> round;  // at the start of the cycle's last round
        std::set<std::size_t> moving, waiting;
        bool has_progressed = false;
        // The way to the cycle may end within one of its first rounds.
        for (unsigned rounds_left = circle ? 100 : 0;;) {
            if (next == all.size()) {
                if (rounds_left == 0 || (round && *round == runs.now() && !has_progressed) ||
                    *circle == next)
                    break;
                --rounds_left;
                next = *circle;
            }
            // What a task still releases on its way out is no evidence any more.
            if (runs.has_failed) break;
            const decision& each = all[next];
            if (each.is_choice) fail_at(each.line + 1, "nothing is to be chosen here");
            const std::set<std::size_t> enabled = enabled_in(runs.now());
            if (!enabled.contains(each.value))
                fail_at(each.line + 1, "task " + std::to_string(each.value) + " cannot go on here");
            if (circle && next == *circle) {
                round = runs.now();
                moving.clear();
                waiting.clear();
                has_progressed = false;
            }
            moving.insert(each.value);
            waiting.insert(enabled.begin(), enabled.end());
            ++next;
            hear();
            runs.step(each.value);
            agree();
            has_progressed = has_progressed || runs.has_progressed;
        }
        if (claim == "assertion" && !runs.has_failed) fail("no assertion has failed");
        if (claim != "assertion" && runs.has_failed) fail("an assertion has failed");
        if (claim == "deadlock" && (!enabled_in(runs.now()).empty() || !is_stuck(runs.now())))
            fail("this is no deadlock");
        if (claim != "livelock") return;
        if (!round || *round != runs.now())
            fail("the circle leads to another state than its first");
        if (has_progressed) fail("the circle makes progress");
        if (moving != waiting) fail("a task that can go on in the circle does not");
    }

    const std::string name_;
    std::vector<std::string> lines_;
    std::size_t at_ = 0;
    const script* all_ = nullptr;
    bool has_limited_wakes_ = false;
};

}  // namespace wedge::verify
