// An input of a fuzzer as a program of bare locks, and that program as a scenario.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "wedge/core/rng.hpp"
#include "wedge/scenario/ast.hpp"

namespace wedge {

/// Tasks that take and release a few locks in straight lines, without other state.
///
///     tasks - 1, kinds (two bits per lock) | task * 16 + step, lock | …
///
/// Every byte string is a program. A step that takes a lock which its task holds releases it
/// instead. A step that releases a lock which is not held does nothing. At the end each task
/// releases what it holds, last lock first. So each program makes sense to a kernel developer.
struct lock_program {
    enum class act : std::uint8_t { acquire, read, attempt, release };

    struct step {
        act what = act::acquire;
        std::uint8_t lock = 0;

        friend bool operator==(const step&, const step&) = default;
    };

    static constexpr std::size_t locks = 4;
    static constexpr std::size_t tasks_max = 4;
    static constexpr std::size_t records_max = 12;  // an exhaustive search cannot handle more
    static constexpr std::array<scenario::lock_sort, 4> kinds_known = {
        scenario::lock_sort::mutex, scenario::lock_sort::rwsem, scenario::lock_sort::rwlock,
        scenario::lock_sort::spinlock};

    std::array<scenario::lock_sort, locks> kinds{};
    std::vector<std::vector<step>> tasks;  ///< no task is empty

    friend bool operator==(const lock_program&, const lock_program&) = default;

    bool can_read(std::uint8_t lock) const noexcept {
        return kinds[lock] == scenario::lock_sort::rwsem ||
               kinds[lock] == scenario::lock_sort::rwlock;
    }
};

inline lock_program decode_locks(std::span<const std::uint8_t> bytes) {
    using lock_step = lock_program::step;
    lock_program made;
    const auto at = [&](std::size_t i) { return i < bytes.size() ? bytes[i] : std::uint8_t{0}; };
    made.tasks.resize(at(0) % lock_program::tasks_max + 1U);
    for (std::size_t i = 0; i < lock_program::locks; ++i)
        made.kinds[i] = lock_program::kinds_known[at(1) >> (2 * i) & 3U];
    std::array<std::vector<std::uint8_t>, lock_program::tasks_max> held;
    for (std::size_t i = 2; i + 1 < bytes.size() && i < 2 + 2 * lock_program::records_max; i += 2) {
        const std::size_t task = (bytes[i] >> 4U) % made.tasks.size();
        lock_step next{static_cast<lock_program::act>(bytes[i] % 4U),
                       static_cast<std::uint8_t>(bytes[i + 1] % lock_program::locks)};
        if (next.what == lock_program::act::read && !made.can_read(next.lock))
            next.what = lock_program::act::acquire;
        if (std::erase(held[task], next.lock) != 0)
            next.what = lock_program::act::release;
        else if (next.what == lock_program::act::release)
            continue;
        else
            held[task].push_back(next.lock);
        made.tasks[task].push_back(next);
    }
    for (std::size_t task = 0; task < made.tasks.size(); ++task)
        for (std::size_t i = held[task].size(); i-- > 0;)
            made.tasks[task].push_back({lock_program::act::release, held[task][i]});
    std::erase_if(made.tasks, [](const std::vector<lock_step>& each) { return each.empty(); });
    return made;
}

/// Puts a record before some others of an input, and again after them. As a second acquire is a
/// release, these others are then taken under one more lock.
///
/// @return the new size; the old size if there is no room
inline std::size_t nest_locks(std::uint8_t* data, std::size_t size, std::size_t size_max,
                              std::uint64_t seed) {
    constexpr std::size_t header = 2, record = 2;
    if (size < header + record || size + 2 * record > size_max) return size;
    rng random(seed);
    const auto records = static_cast<std::uint32_t>((size - header) / record);
    const std::uint32_t from = random.below(records);
    const std::uint32_t to = from + 1 + random.below(records - from);
    const std::uint8_t around[] = {
        static_cast<std::uint8_t>((data[header + from * record] & 0xf0U) | random.below(4)),
        static_cast<std::uint8_t>(random.below(lock_program::locks))};
    const auto insert = [&](std::uint32_t place) {
        std::uint8_t* const at = data + header + place * record;
        std::copy_backward(at, data + size, data + size + record);
        std::copy(std::begin(around), std::end(around), at);
        size += record;
    };
    insert(to);
    insert(from);
    return size;
}

/// Returns the program as a scenario, with locks `a` to `d` and threads `one` to `four`. As in any
/// scenario, a try that fails ends its thread, which first releases what it holds.
inline scenario::document document_of(const lock_program& from) {
    constexpr const char* lock_names[] = {"a", "b", "c", "d"};
    constexpr const char* thread_names[] = {"one", "two", "three", "four"};
    scenario::document made;
    for (std::size_t i = 0; i < lock_program::locks; ++i) {
        scenario::declaration& lock = made.all.emplace_back();
        lock.what = scenario::declares::lock;
        lock.name = lock_names[i];
        lock.kind = from.kinds[i];
    }
    for (std::size_t i = 0; i < from.tasks.size(); ++i) {
        scenario::declaration& thread = made.all.emplace_back();
        thread.what = scenario::declares::thread;
        thread.name = thread_names[i];
        for (const lock_program::step& each : from.tasks[i]) {
            scenario::statement& next = thread.body.body.emplace_back();
            next.what = each.what == lock_program::act::release ? scenario::action::release
                                                                : scenario::action::acquire;
            next.on.name = lock_names[each.lock];
            next.is_read = each.what == lock_program::act::read;
            next.is_tried = each.what == lock_program::act::attempt;
        }
    }
    return made;
}

}  // namespace wedge
