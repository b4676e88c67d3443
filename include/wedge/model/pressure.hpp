// Memory pressure: allocations that fail, reclaim that strikes, watermarks that move, kills, a hog.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

#include "wedge/core/lock_class.hpp"
#include "wedge/core/scopes.hpp"
#include "wedge/core/stack.hpp"

namespace wedge {

/// How often something goes wrong, and for which calls (Linux: the attributes of fault injection).
///
/// On real threads `percent` is a probability. Under control the engine chooses at each call that
/// counts, so `percent` only switches that on.
struct fault_rate {
    std::uint32_t percent = 0;                ///< 0: never
    std::uint32_t interval = 1;               ///< only every n-th call counts
    std::uint32_t nth = 0;                    ///< if not 0: only the call with this number
    std::uint32_t times = ~std::uint32_t{0};  ///< at most this often

    // Only calls that match all of these count.
    const char* holding = nullptr;  ///< under a lock of the class with this name
    const char* by = nullptr;       ///< of a task with this text in its name, such as an action
    /// In the function of this name, or in a file with this text in its path.
    const char* called_in = nullptr;
    code_range within{};   ///< with a call from this code on the stack
    code_range without{};  ///< with no call from this code on the stack
};

/// A place where something may go wrong. Any task may call it.
class fault_point {
public:
    /// Sets how often. Call it before the tasks start.
    void set(fault_rate how) { how_ = how; }

    /// Returns whether it goes wrong this time.
    ///
    /// @param why  a literal that says what goes wrong
    bool strikes(const char* why, site where = site::current()) {
        if ((how_.percent == 0 && how_.nth == 0) || !is_meant(where)) return false;
        const std::uint32_t call = calls_.fetch_add(1, std::memory_order_relaxed) + 1;
        if (how_.nth != 0) return call == how_.nth;
        if (call % std::max(how_.interval, 1U) != 0) return false;
        if (struck_.load(std::memory_order_relaxed) >= how_.times) return false;
        const bool now =
            current().runtime != nullptr ? choose(2, why) == 1 : choose(100, why) < how_.percent;
        if (now) struck_.fetch_add(1, std::memory_order_relaxed);
        return now;
    }

private:
    bool is_meant(site where) const {
        if (how_.called_in != nullptr && std::strstr(where.file, how_.called_in) == nullptr &&
            std::strcmp(where.function, how_.called_in) != 0)
            return false;
        const task& self = current();
        if (how_.by != nullptr && self.title().find(how_.by) == std::string::npos) return false;
        if (how_.holding != nullptr &&
            std::none_of(self.held.begin(), self.held.end(), [this](const held_lock& each) {
                return lock_class::from_id(each.class_id).name() == how_.holding;
            }))
            return false;
        return (how_.within.is_empty() || is_called_from(how_.within)) &&
               (how_.without.is_empty() || !is_called_from(how_.without));
    }

    fault_rate how_{};
    std::atomic<std::uint32_t> calls_{0};
    std::atomic<std::uint32_t> struck_{0};
};

/// What may happen to an allocation although there is memory. If all is off, allocations depend on
/// the watermarks only, and an exploration stays small.
struct pressure {
    /// Any allocation but a NOFAIL one may fail, by a recorded choice.
    bool fail_allocations = false;
    /// An allocation that may reclaim directly may do so first, by a choice.
    bool force_reclaim = false;
    bool raise_watermarks = false;  ///< the watermarks may be higher for an allocation, by a choice
    fault_rate failing{};           ///< as these three, at a rate
    fault_rate reclaiming{};
    fault_rate rising{};
    fault_rate killing{};  ///< a process is killed, if the flags allow it
    fault_rate hogging{};  ///< a hog comes and takes `hog_pages`, or leaves if it is there
    std::uint32_t hog_pages = 0;
};

/// Puts the running task's allocations under this pressure, in addition to that of their zone,
/// until the next call (Linux: /proc/self/make-it-fail). Rates apply to zones only. An action of a
/// workload may call it, so that programs can say which task is under pressure, and from when on.
inline void put_under(pressure how) noexcept {
    constexpr unsigned all = scope::may_fail | scope::reclaim_first | scope::higher_watermarks;
    std::uint8_t& scopes = current().scopes;
    scopes =
        static_cast<std::uint8_t>((scopes & ~all) | (how.fail_allocations ? scope::may_fail : 0U) |
                                  (how.force_reclaim ? scope::reclaim_first : 0U) |
                                  (how.raise_watermarks ? scope::higher_watermarks : 0U));
}

}  // namespace wedge
