// Keeps the findings of running threads, and passes them to another receiver.
#pragma once

#include <atomic>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/sanitizer.hpp"

namespace wedge {

class finding_collector final : public finding_sink {
public:
    /// @param next  receives each finding as well; may be null
    explicit finding_collector(finding_sink* next = nullptr) noexcept : next_(next) {}

    void on(const finding& found) noexcept override {
        {
            const sanitizer::ignore_scope ours;
            begin();
            all_.push_back(found);
            end();
        }
        if (next_ != nullptr) next_->on(found);
    }

    std::vector<finding> all() const {
        const sanitizer::ignore_scope ours;
        begin();
        std::vector<finding> copy = all_;
        end();
        return copy;
    }
    std::size_t size() const noexcept {
        const sanitizer::ignore_scope ours;
        begin();
        const std::size_t n = all_.size();
        end();
        return n;
    }

private:
    void begin() const noexcept {
        while (busy_.test_and_set(std::memory_order_acquire)) {
        }
    }
    void end() const noexcept { busy_.clear(std::memory_order_release); }

    finding_sink* const next_;
    mutable std::atomic_flag busy_;
    std::vector<finding> all_;
};

}  // namespace wedge
