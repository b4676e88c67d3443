// Plain depth-first search, the reference for the reduced searches.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "wedge/explore/engine/controller.hpp"

/// Tries every enabled task at every step, without a reduction.
class plain_search final : public wedge::search_strategy {
public:
    bool new_execution() override {
        while (is_started_ && !path_.empty() && path_.back().at + 1 == path_.back().all.size())
            path_.pop_back();
        if (is_started_ && path_.empty()) return false;
        if (is_started_) ++path_.back().at;
        is_started_ = true;
        depth_ = 0;
        return true;
    }
    std::uint32_t next_task(const wedge::choice_point& at) override {
        return answer({at.enabled.begin(), at.enabled.end()});
    }
    std::uint32_t choose(std::uint32_t n) override {
        std::vector<std::uint32_t> all;
        for (std::uint32_t i = 0; i < n; ++i) all.push_back(i);
        return answer(std::move(all));
    }

private:
    struct point {
        std::vector<std::uint32_t> all;
        std::size_t at = 0;
    };
    std::uint32_t answer(std::vector<std::uint32_t> all) {
        if (depth_ == path_.size()) path_.push_back({std::move(all)});
        const point& here = path_[depth_++];
        return here.all[here.at];
    }

    std::vector<point> path_;
    std::size_t depth_ = 0;
    bool is_started_ = false;
};

struct search_result {
    std::set<std::string> complete;
    std::set<std::string> stuck;
    std::size_t executions = 0;
    bool is_over = false;
};

/// @tparam Subject  is made from a program; its `end_state()` describes the end of an execution
template <class Subject, class Program>
search_result all_of(const Program& what, wedge::search_strategy& how, std::size_t most,
                     wedge::model_options open = {}) {
    search_result result;
    Subject subject(what);
    wedge::controller control(subject, wedge::substrate::automatic, nullptr, 10'000, open);
    while (result.executions < most) {
        if (!how.new_execution()) {
            result.is_over = true;
            break;
        }
        ++result.executions;
        const wedge::execution_record done = control.run(how);
        if (done.how == wedge::ending::complete) result.complete.insert(subject.end_state());
        if (done.how == wedge::ending::deadlock) result.stuck.insert(subject.end_state());
    }
    return result;
}
