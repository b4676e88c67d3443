// An input of a fuzzer as a program over a workload, and back. Every byte string is a program.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "wedge/workload/program.hpp"

namespace wedge {

/// A call of a program, by numbers.
struct action_record {
    std::uint8_t task = 0;
    std::uint8_t action = 0;
    std::uint8_t argument = 0;

    friend bool operator==(const action_record&, const action_record&) = default;
};

/// The meaning of an input's bytes.
///
///     design, tasks - 1, records | task * 32 + action, argument | … | answers
///
/// Each field is taken modulo its limit. So no input is rejected, and a small mutation is a small
/// change. The answers decide the schedule and the choices; after their end, each answer is 0.
struct action_program {
    static constexpr std::size_t header_size = 3;
    static constexpr std::size_t record_size = 2;
    static constexpr std::uint8_t tasks_max = 8;     // three bits of a record
    static constexpr std::uint8_t actions_max = 32;  // five bits of a record
    static constexpr std::size_t records_max = 32;   // longer programs only repeat themselves

    std::uint8_t design = 0;  ///< the workload, among those of the target
    std::uint8_t tasks = 1;
    std::vector<action_record> records;  ///< each task runs its own records in this order
    std::vector<std::uint8_t> answers;

    friend bool operator==(const action_program&, const action_program&) = default;
};

/// The number of actions of each workload of a target.
using action_counts = std::vector<std::uint8_t>;

/// What follows the bytes of an input that wedge has saved: a mark, and the fingerprint of the
/// target's workloads. Inputs of a corpus have no trailer, since any bytes are an input.
struct input_trailer {
    static constexpr std::array<std::uint8_t, 8> mark = {0xf5, 'w', 'e', 'd', 'g', 'e', '1', 0xf5};
    static constexpr std::size_t size = mark.size() + sizeof(std::uint64_t);

    static bool is_in(std::span<const std::uint8_t> bytes) noexcept {
        return bytes.size() >= size && std::equal(mark.begin(), mark.end(), bytes.end() - size);
    }
    static std::span<const std::uint8_t> without(std::span<const std::uint8_t> bytes) noexcept {
        return is_in(bytes) ? bytes.first(bytes.size() - size) : bytes;
    }
    /// Returns the fingerprint; nothing if the bytes have no trailer.
    static std::optional<std::uint64_t> fingerprint_in(std::span<const std::uint8_t> bytes) {
        if (!is_in(bytes)) return std::nullopt;
        std::uint64_t print = 0;
        for (const std::uint8_t each : bytes.last(sizeof print)) print = print << 8 | each;
        return print;
    }
    static void append(std::vector<std::uint8_t>& to, std::uint64_t fingerprint) {
        to.insert(to.end(), mark.begin(), mark.end());
        for (unsigned bits = 64; bits > 0; bits -= 8)
            to.push_back(static_cast<std::uint8_t>(fingerprint >> (bits - 8)));
    }
};

/// Reads any bytes without a trailer. Missing bytes are 0.
inline void decode(std::span<const std::uint8_t> bytes, const action_counts& designs,
                   action_program& into) {
    bytes = input_trailer::without(bytes);
    const auto at = [&](std::size_t i) { return i < bytes.size() ? bytes[i] : std::uint8_t{0}; };
    const auto modulo = [](unsigned value, std::size_t n) {
        return static_cast<std::uint8_t>(value % n);
    };
    into.design = modulo(at(0), designs.size());
    into.tasks = static_cast<std::uint8_t>(modulo(at(1), action_program::tasks_max) + 1);
    into.records.clear();
    into.answers.clear();
    if (bytes.size() <= action_program::header_size) return;
    const std::size_t room =
        (bytes.size() - action_program::header_size) / action_program::record_size;
    const std::size_t n = std::min<std::size_t>(at(2) % (action_program::records_max + 1), room);
    into.records.resize(n);
    const std::uint8_t* from = bytes.data() + action_program::header_size;
    const std::size_t actions = designs[into.design];
    action_record* const records = into.records.data();
    for (std::size_t i = 0; i < n; ++i, from += action_program::record_size)
        records[i] = {modulo(from[0] >> 5, into.tasks), modulo(from[0] & 31U, actions), from[1]};
    into.answers.assign(from, bytes.data() + bytes.size());
}

inline action_program decode(std::span<const std::uint8_t> bytes, const action_counts& designs) {
    action_program made;
    decode(bytes, designs, made);
    return made;
}

/// Writes bytes that `decode` reads as this program. If they do not fit, it leaves out answers,
/// then records.
///
/// @return the number of bytes
inline std::size_t encode(const action_program& from, std::span<std::uint8_t> into) {
    const std::size_t room =
        into.size() < action_program::header_size
            ? 0
            : (into.size() - action_program::header_size) / action_program::record_size;
    const std::size_t n = std::min({from.records.size(), action_program::records_max, room});
    std::uint8_t* next = into.data();
    std::uint8_t* const end = next + into.size();
    const auto put = [&](unsigned value) {
        if (next != end) *next++ = static_cast<std::uint8_t>(value);
    };
    put(from.design);
    put(from.tasks - 1U);
    put(static_cast<unsigned>(n));
    const action_record* const records = from.records.data();
    for (std::size_t i = 0; i < n; ++i) {
        put(static_cast<unsigned>(records[i].task) << 5 | records[i].action);
        put(records[i].argument);
    }
    const std::uint8_t* const answers = from.answers.data();
    for (std::size_t i = 0; i < from.answers.size(); ++i) put(answers[i]);
    return static_cast<std::size_t>(next - into.data());
}

/// As above, into a vector.
inline std::vector<std::uint8_t> encode(const action_program& from,
                                        std::size_t size_max = static_cast<std::size_t>(-1)) {
    const std::size_t all = action_program::header_size +
                            from.records.size() * action_program::record_size + from.answers.size();
    std::vector<std::uint8_t> bytes(std::min(all, size_max));
    bytes.resize(encode(from, std::span(bytes)));
    return bytes;
}

/// Returns one list of records per task, without tasks that do nothing.
inline void split_by_task(const action_program& from,
                          std::vector<std::vector<action_record>>& into) {
    into.resize(from.tasks);
    for (std::vector<action_record>& each : into) each.clear();
    for (const action_record& each : from.records) into[each.task].push_back(each);
    std::erase_if(into, [](const std::vector<action_record>& each) { return each.empty(); });
}

/// Returns the program as text would name it.
inline program program_of(const std::vector<std::vector<action_record>>& tasks,
                          const std::vector<std::string>& actions) {
    program words;
    for (const std::vector<action_record>& task : tasks) {
        std::vector<call>& calls = words.emplace_back();
        for (const action_record& each : task)
            calls.push_back({actions[each.action], each.argument});
    }
    return words;
}

}  // namespace wedge
