// Several strategies in turn, since no single one suffices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Gives every other execution to a thorough strategy, so that small workloads are exhausted, and
/// the others to the other strategies in turn. Ends when the thorough one has tried everything.
///
/// At first only some of the others have their turns: the walks that find most bugs of small
/// workloads in the fewest executions. They learn from the thorough strategy's executions how many
/// steps each task takes, so their first draws are good ones.
class portfolio final : public search_strategy {
public:
    /// @param eager  the number of others, from the first on, that have the first turns
    portfolio(std::unique_ptr<search_strategy> thorough,
              std::vector<std::unique_ptr<search_strategy>> others, std::size_t eager = 0)
        : thorough_(std::move(thorough)), others_(std::move(others)), eager_(eager) {}

    bool new_execution() override {
        if (thorough_ != nullptr && now_ != thorough_.get()) {
            now_ = thorough_.get();
            for (std::size_t i = 0; i < eager_; ++i) others_[i]->observe_execution();
            if (now_->new_execution()) return true;
            if (now_->is_exhaustive()) return false;
            thorough_.reset();  // it ended, but left something out
        }
        const std::size_t turn = turn_++;
        now_ = others_[turn % (turn < eager_turns && eager_ != 0 ? eager_ : others_.size())].get();
        return now_->new_execution();
    }
    std::uint32_t next_task(const choice_point& at) override {
        const std::uint32_t next = now_->next_task(at);
        if (now_ == thorough_.get() && next != no_task)
            for (std::size_t i = 0; i < eager_; ++i) others_[i]->observe_step(*at.tasks[next]);
        return next;
    }
    std::uint32_t choose(std::uint32_t n) override { return now_->choose(n); }
    void got_stuck(std::span<const std::uint32_t> waiting,
                   std::span<const task* const> tasks) override {
        now_->got_stuck(waiting, tasks);
    }
    void has_failed(std::span<const std::uint32_t> left,
                    std::span<const task* const> tasks) override {
        now_->has_failed(left, tasks);
    }
    /// What the thorough strategy claims does not depend on the executions of the others.
    bool follows_failures() const noexcept override { return true; }
    bool counts_for_proof() const noexcept override { return now_ == thorough_.get(); }
    bool looks_for_livelocks() const noexcept override { return now_->looks_for_livelocks(); }
    bool is_exhaustive() const noexcept override { return now_->is_exhaustive(); }

private:
    std::unique_ptr<search_strategy> thorough_;
    std::vector<std::unique_ptr<search_strategy>> others_;
    static constexpr std::size_t eager_turns = 8;

    const std::size_t eager_;
    search_strategy* now_ = nullptr;
    std::size_t turn_ = 0;  // of the others
};

}  // namespace wedge
