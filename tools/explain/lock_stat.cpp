// Reads /proc/lock_stat: which locks tasks waited for, and for how long.
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "explain/matching.hpp"
#include "explain/trace.hpp"

namespace wedge::explain {
namespace {

constexpr std::size_t points_limit = 8;

/// Reads a number with at most two decimals, in thousandths.
std::optional<std::uint64_t> thousandths(std::string_view text) {
    double value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || end != text.data() + text.size() || value < 0 || value > 1e15)
        return std::nullopt;
    return static_cast<std::uint64_t>(value * 1000);
}

class lock_stat final : public trace_reader {
public:
    explicit lock_stat(observations& into) : into_(into) {}

    void take(std::string_view text) override {
        if (has(text, "*WARNING* lock debugging disabled"))
            into_.notes.push_back(
                "lock_stat: lockdep had switched itself off, after a report perhaps.");
        if (text.find("[<") != text.npos) return take_point(text);
        const std::size_t colon = text.find(": ");
        if (colon == text.npos) return;
        // NAME: con-bounces contentions waittime-min -max -total -avg acq-bounces acquisitions …
        std::array<std::uint64_t, 12> columns{};
        std::string_view rest = trimmed(text.substr(colon + 1));
        for (std::uint64_t& each : columns) {
            const std::size_t end = std::min(rest.find(' '), rest.size());
            const auto value = thousandths(rest.substr(0, end));
            if (!value) return;
            each = *value;
            rest = trimmed(rest.substr(end));
        }
        std::string name(trimmed(text.substr(0, colon)));
        bool is_write = true;
        if (name.ends_with("-R") || name.ends_with("-W")) {
            is_write = name.ends_with("-W");
            name.resize(name.size() - 2);
        }
        add(name, columns, is_write);
    }

    void finish() override {}

private:
    void add(const std::string& name, const std::array<std::uint64_t, 12>& columns, bool is_write) {
        const std::uint32_t which = into_.order.class_of(name);
        if (which == lock_graph::none) return;
        into_.order.at(which).acquires += columns[7] / 1000;
        if (is_write) into_.order.at(which).is_written = true;
        if (into_.contended.empty() || into_.contended.back().name != name)
            into_.contended.push_back({name, 0, 0, 0, {}});
        contended_lock& lock = into_.contended.back();
        lock.waits += columns[1] / 1000;
        lock.longest_ns = std::max(lock.longest_ns, columns[3]);
        lock.total_ns += columns[4];
    }

    /// `NAME 12 [<ADDRESS>] FUNCTION`: where tasks waited; then who held the lock, without a
    /// heading.
    void take_point(std::string_view text) {
        if (into_.contended.empty()) return;
        std::vector<std::string>& at = into_.contended.back().at;
        const std::string function(trimmed(behind(text, ">] ")));
        if (at.size() >= points_limit || function.empty()) return;
        for (const std::string& each : at)
            if (each == function) return;
        at.push_back(function);
    }

    observations& into_;
};

}  // namespace

std::unique_ptr<trace_reader> lock_stat_reader(observations& into) {
    return std::make_unique<lock_stat>(into);
}

}  // namespace wedge::explain
