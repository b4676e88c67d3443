// Several strategies in turn, since no single one suffices.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Gives every other execution to a thorough strategy, so that small workloads are exhausted, and
/// the others to the other strategies in turn. Ends when the thorough one has tried everything.
class portfolio final : public search_strategy {
public:
    portfolio(std::unique_ptr<search_strategy> thorough,
              std::vector<std::unique_ptr<search_strategy>> others)
        : thorough_(std::move(thorough)), others_(std::move(others)) {}

    bool new_execution() override {
        if (thorough_ != nullptr && now_ != thorough_.get()) {
            now_ = thorough_.get();
            if (now_->new_execution()) return true;
            if (now_->is_exhaustive()) return false;
            thorough_.reset();  // it ended, but left something out
        }
        turn_ = (turn_ + 1) % others_.size();
        now_ = others_[turn_].get();
        return now_->new_execution();
    }
    std::uint32_t next_task(const choice_point& at) override { return now_->next_task(at); }
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
    search_strategy* now_ = nullptr;
    std::size_t turn_ = ~std::size_t{0};
};

}  // namespace wedge
