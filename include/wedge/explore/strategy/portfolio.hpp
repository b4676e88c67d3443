// Several strategies in turn, since no single one suffices.
#pragma once

#include <memory>
#include <vector>

#include "wedge/explore/strategy/strategy.hpp"

namespace wedge {

/// Gives each execution to the next strategy of a list; ends when an exhaustive one has ended.
class portfolio final : public search_strategy {
public:
    explicit portfolio(std::vector<std::unique_ptr<search_strategy>> all) : all_(std::move(all)) {}

    bool new_execution() override {
        turn_ = (turn_ + 1) % all_.size();
        return all_[turn_]->new_execution();
    }
    std::uint32_t next_task(const choice_point& at) override { return all_[turn_]->next_task(at); }
    std::uint32_t choose(std::uint32_t n) override { return all_[turn_]->choose(n); }
    bool is_exhaustive() const noexcept override { return all_[turn_]->is_exhaustive(); }

private:
    std::vector<std::unique_ptr<search_strategy>> all_;
    std::size_t turn_ = ~std::size_t{0};
};

}  // namespace wedge
