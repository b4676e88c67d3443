// Reads abseil's "Potential Mutex deadlock".
#include <algorithm>
#include <optional>
#include <utility>

#include "explain/matching.hpp"
#include "explain/reader.hpp"

namespace wedge::explain {
namespace {

constexpr std::string_view abseil_heading = "Potential Mutex deadlock:";

/// Returns the symbol of a frame `@ 0x1  f()`.
std::optional<std::string> abseil_frame_of(std::string_view text) {
    const std::size_t at = text.find("@ 0x");
    if (at == text.npos || has(text, "mutex@")) return std::nullopt;
    const std::string_view address = leading_address(text.substr(at + 2));
    const std::string_view symbol = trimmed(text.substr(at + 2 + address.size()));
    return std::string(symbol.empty() ? address : symbol);
}

/// One report, from its heading to the next one or the end.
class abseil_report {
public:
    explicit abseil_report(std::span<const line> text) : text_(text) {}

    report read() {
        made_.kind = "circular";
        made_.first_line = text_.front().number;
        made_.last_line = text_.front().number;
        for (const line& each : text_) take(each);
        finish();
        return std::move(made_);
    }

private:
    void take(const line& each) {
        if (is_done_) return;
        const std::string_view text = each.text;
        const std::string_view node = leading_address(behind(text, "mutex@"));
        const auto frame = abseil_frame_of(text);
        const bool is_acquire = has(text, "Acquiring ") && has(text, " while holding ");
        if (is_acquire) {
            wanted_ = leading_address(behind(text, "Mutex "));
            // All locks of the task are listed.
            std::string_view held = before(behind(text, " while holding "), ";");
            while (held.find("0x") != held.npos) {
                held = held.substr(held.find("0x"));
                const std::string_view one = leading_address(held);
                if (one.empty()) break;
                held_.emplace_back(one);
                held = held.substr(one.size());
            }
        } else if (!node.empty() && has(text, " stack:")) {
            locks_.emplace_back(node);
            stacks_.emplace_back();
            if (const auto first = abseil_frame_of(behind(text, " stack:")))
                stacks_.back().push_back(*first);
        } else if (frame) {
            (locks_.empty() ? acquire_ : stacks_.back()).push_back(*frame);
        } else if (has(text, "dying due to potential deadlock")) {
            is_done_ = true;
        } else if (!has(text, "Cycle:") && !locks_.empty()) {
            is_done_ = true;  // another message, and lines of ours would not be told from its own
            return;
        } else if (!has(text, "Cycle:")) {
            return;
        }
        made_.last_line = each.number;
    }

    void finish() {
        if (wanted_.empty() || held_.empty()) {
            made_.lacks("the line `Acquiring ... while holding`");
            return;
        }
        made_.new_lock = wanted_;
        made_.held_lock = held_.back();
        const bool is_whole = !locks_.empty() && locks_.front() == wanted_ &&
                              std::find(held_.begin(), held_.end(), locks_.back()) != held_.end() &&
                              (locks_.size() > 1 || has_only(wanted_));
        if (!is_whole) {
            made_.lacks("the rest of the cycle");
            return;
        }
        std::vector<cycle_edge> edges;
        for (std::size_t i = 0; i + 1 < locks_.size(); ++i)
            edges.push_back(
                {locks_[i], locks_[i + 1], {}, stacks_[i + 1], {}, mode_of(stacks_[i + 1]), {}});
        edges.push_back({locks_.back(),
                         wanted_,
                         "the reporting thread",
                         acquire_,
                         stacks_.back(),
                         mode_of(acquire_),
                         {}});
        for (std::size_t i = 0; i < locks_.size(); ++i)
            made_.locks.push_back({locks_[i], locks_[i], {}, {}, place_of_acquire(stacks_[i]), {}});
        const bool has_no_stacks = acquire_.empty() && stacks_.back().empty();
        set_cycle(made_, std::move(edges));
        if (has_no_stacks)
            made_.notes.push_back(
                "The program has no symbolizer for abseil, so the report has no stacks.");
    }

    bool has_only(const std::string& lock) const { return held_.back() == lock; }

    std::span<const line> text_;
    report made_;
    std::string wanted_;
    std::vector<std::string> held_;
    std::vector<std::string> acquire_;
    std::vector<std::string> locks_;  // as `Cycle:` lists them
    std::vector<std::vector<std::string>> stacks_;
    bool is_done_ = false;
};

class abseil final : public reader {
public:
    const char* name() const override { return "abseil"; }

    void find(std::span<const line> text, std::vector<report>& found) const override {
        for (std::size_t i = 0; i < text.size();) {
            std::size_t end = i + 1;
            if (has(text[i].text, abseil_heading)) {
                while (end < text.size() && !has(text[end].text, abseil_heading)) ++end;
                found.push_back(abseil_report(text.subspan(i, end - i)).read());
            }
            i = end;
        }
    }
};

}  // namespace

const reader& abseil_reader() {
    static const abseil only;
    return only;
}

}  // namespace wedge::explain
