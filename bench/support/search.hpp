// Executions of one workload without the session around them, and a workload of many sections.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "wedge/explore.hpp"
#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/search/make_strategy.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/wedge.hpp"

namespace bench {

/// One subject under one strategy, with or without the order checker.
template <class W>
class search {
public:
    search(const wedge::program& calls, wedge::explore_options options, bool is_checked)
        : subject_(wedge::type_of<W>, calls),
          control_(subject_, options.on, is_checked ? &order_ : nullptr, options.steps_max),
          how_(make_strategy(subject_, options, no_cycle_)) {}

    /// Runs an execution; returns false if nothing is left to try.
    bool run() {
        if (!how_->new_execution()) return false;
        last_ = &control_.run(*how_);
        return true;
    }
    const wedge::execution_record& last() const { return *last_; }

    /// Returns the mean number of switches between tasks over a thousand executions.
    double switches() {
        constexpr int sample = 1000;
        std::size_t count = 0;
        for (int i = 0; i < sample && run(); ++i)
            count += wedge::schedule{{}, 0, {}, {}, control_.decisions()}.switches();
        return static_cast<double>(count) / sample;
    }

private:
    wedge::workload_subject subject_;
    wedge::checker order_{wedge::evidence::exact};
    wedge::controller control_;
    const std::vector<std::uint32_t> no_cycle_;
    std::unique_ptr<wedge::search_strategy> how_;
    const wedge::execution_record* last_ = nullptr;
};

/// Runs a number of critical sections, each task on its own lock or all tasks on one lock.
struct sections {
    std::array<wedge::mutex, 16> own;
    wedge::mutex common{"common"};
    void apart(std::uint32_t count) {
        wedge::mutex& mine = own[next_++ % own.size()];
        for (std::uint32_t i = 0; i < count; ++i) const wedge::guard held(mine);
    }
    void together(std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i) const wedge::guard held(common);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&sections::apart>{"apart"},
                                                   wedge::action<&sections::together>{"together"});

private:
    std::size_t next_ = 0;
};

/// Returns a program whose tasks each call the action once, with this number.
inline wedge::program repeated(const char* action, std::int64_t tasks, std::int64_t count) {
    wedge::program all;
    for (std::int64_t i = 0; i < tasks; ++i)
        all.push_back({{action, static_cast<std::uint32_t>(count)}});
    return all;
}

}  // namespace bench
