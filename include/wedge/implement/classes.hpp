// The classes of all locks, and the writing half of validated chains: one source of a program
// includes this header.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <pthread.h>

#include "wedge/core/chain_cache.hpp"
#include "wedge/core/function_names.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/core/lock_class.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/core/stack.hpp"

namespace wedge {
namespace detail {

struct class_record {
    std::string name;
    class_options options;
    std::uint64_t hash = 0;
    std::uint32_t next = 0;  // the next record in the same bucket
};

/// All classes of the process. It only grows, is read without locks, and numbers classes from 1.
class class_registry {
public:
    /// Returns the number of the class of that name; makes the class if it is new.
    std::uint32_t find_or_add(std::string_view name, class_options options) {
        const sanitizer::ignore_scope ours;
        const std::uint64_t hash = hash_text(name);
        if (const std::uint32_t known = find(buckets_[hash % buckets], name, hash)) return known;
        begin_writing();
        const std::uint32_t id = find_or_add_now(name, options, hash);
        end_writing();
        return id;
    }

    /// Returns the number of the class of the locks that one piece of code makes.
    ///
    /// @param code   an address in that code, or a hash of several addresses
    /// @param place  where the code stands in the source. The first class of a place is named
    ///     `place`, the next ones `place#2` and so on, in the order in which they are made
    std::uint32_t find_or_add_made(std::uint64_t code, const std::string& place) {
        const sanitizer::ignore_scope ours;
        begin_writing();
        std::uint32_t& known = made_by_[code];
        if (known == 0) {
            const unsigned ordinal = ++made_at_[place];
            const std::string name = ordinal == 1 ? place : place + "#" + std::to_string(ordinal);
            known = find_or_add_now(name, {}, hash_text(name));
        }
        const std::uint32_t id = known;
        end_writing();
        return id;
    }

    const class_record& operator[](std::uint32_t id) const {
        const auto [chunk, index] = place(id);
        return chunks_[chunk].load(std::memory_order_acquire)[index];
    }

    std::uint32_t size() const noexcept { return count_.load(std::memory_order_acquire); }

    /// Waits for the writer's turn. Also called before a fork: otherwise the child would wait for a
    /// writer that it does not have.
    void begin_writing() noexcept {
        const sanitizer::ignore_scope ours;
        while (writing_.test_and_set(std::memory_order_acquire)) {
        }
    }
    void end_writing() noexcept {
        const sanitizer::ignore_scope ours;
        writing_.clear(std::memory_order_release);
    }

private:
    static constexpr std::size_t buckets = 1024;
    static constexpr unsigned first_bits = 6;  // chunks of 64, 128, 256 … records, without limit

    struct position {
        std::size_t chunk, index;
    };
    static position place(std::uint32_t id) noexcept {
        const std::uint64_t shifted = std::uint64_t{id} + (1U << first_bits);
        const auto width = static_cast<unsigned>(std::bit_width(shifted)) - 1;
        const std::uint64_t first = std::uint64_t{1} << width;
        return {width - first_bits, static_cast<std::size_t>(shifted - first)};
    }
    class_record& slot(std::uint32_t id) {
        const auto [chunk, index] = place(id);
        class_record* records = chunks_[chunk].load(std::memory_order_relaxed);
        if (records == nullptr) {
            records = new class_record[std::size_t{1} << (first_bits + chunk)];
            chunks_[chunk].store(records, std::memory_order_release);
        }
        return records[index];
    }
    /// Called in the writer's turn.
    std::uint32_t find_or_add_now(std::string_view name, const class_options& options,
                                  std::uint64_t hash) {
        std::atomic<std::uint32_t>& bucket = buckets_[hash % buckets];
        if (const std::uint32_t known = find(bucket, name, hash)) return known;
        const std::uint32_t id = count_.load(std::memory_order_relaxed) + 1;
        class_record& made = slot(id);
        made = {std::string(name), options, hash, bucket.load(std::memory_order_relaxed)};
        count_.store(id, std::memory_order_release);
        bucket.store(id, std::memory_order_release);
        return id;
    }
    std::uint32_t find(const std::atomic<std::uint32_t>& bucket, std::string_view name,
                       std::uint64_t hash) const {
        for (std::uint32_t id = bucket.load(std::memory_order_acquire); id != 0;
             id = (*this)[id].next)
            if ((*this)[id].hash == hash && (*this)[id].name == name) return id;
        return 0;
    }

    std::atomic<class_record*> chunks_[32 - first_bits]{};
    std::atomic<std::uint32_t> buckets_[buckets]{};
    std::atomic<std::uint32_t> count_{0};
    std::unordered_map<std::uint64_t, std::uint32_t> made_by_;  // by code; only writers read it
    std::unordered_map<std::string, unsigned> made_at_;  // the number of classes made at a place
    std::atomic_flag writing_;
};

/// Returns the registry. It is never destroyed, since locks of static objects may outlive it.
inline class_registry& classes() {
    static class_registry& registry = []() -> class_registry& {
        ::pthread_atfork([] { classes().begin_writing(); }, [] { classes().end_writing(); },
                         [] { classes().end_writing(); });
        return *new class_registry;
    }();
    return registry;
}

/// The last look-up of this thread, so that a lock made for every execution costs no hashing. The
/// tasks of an exploration share a thread and its cache; for ThreadSanitizer they are threads.
struct class_cache_entry {
    const void* key = nullptr;
    const char* text = nullptr;  // of a class known by its name: the registry's copy
    unsigned line = 0;
    std::uint32_t id = 0;
};
inline constinit thread_local class_cache_entry class_cache[64]{};

inline class_cache_entry& cached_class(const void* key, unsigned line) noexcept {
    // All bits count: short names stand side by side in memory, a few bytes apart.
    return class_cache[mix(reinterpret_cast<std::uintptr_t>(key) + line) % 64];
}

/// Returns whether the place is in a header of the standard library, as for
/// `std::make_unique<mutex>()`.
inline bool is_in_library(const site& where) noexcept {
    return std::strstr(where.file, "/c++/") != nullptr;
}

/// Returns the calls that lead to the construction of a lock, as one number. Only for code built
/// without optimisation: such code keeps frame pointers and inlines nothing.
[[gnu::noinline]] inline std::uint64_t hash_of_calls() noexcept {
    // std::map::operator[] makes nine calls to construct its value.
    constexpr unsigned calls_max = 10;
    std::uint64_t all = 0;
    unsigned left = calls_max;
    walk_stack(__builtin_frame_address(0), [&](std::uintptr_t returns_to) {
        all = combine(all, returns_to);
        return --left != 0;
    });
    return all;
}

/// Returns the innermost function of the user's that leads to the construction of a lock by the
/// standard library. Empty: it has no name.
///
/// @param code        an address in the code that constructs the lock
/// @param has_frames  whether the stack can be read
[[gnu::noinline]] inline std::string user_of_library(const void* code, bool has_frames) {
    std::string name;
    unsigned left = call_stack_max;
    const auto look = [&](std::uintptr_t returns_to) {
        const std::string symbol = symbol_at(returns_to - 1);  // inside of the call instruction
        if (!symbol.empty() && !is_of_library(symbol)) name = source_name(symbol);
        return name.empty() && --left != 0;
    };
    if (look(reinterpret_cast<std::uintptr_t>(code)) && has_frames)
        walk_stack(__builtin_frame_address(0), look);
    return name;
}

}  // namespace detail

// Weak: where two libraries of one program implement the classes, the linker takes either.
[[gnu::weak, gnu::noinline]] lock_class lock_class::at(site where) {
    const sanitizer::ignore_scope ours;
    detail::class_cache_entry& cached = detail::cached_class(where.file, where.line);
    if (cached.key != where.file || cached.line != where.line || where.line == 0) {
        const std::string name = "lock@" + to_string(where);
        cached = {where.file, nullptr, where.line, detail::classes().find_or_add(name, {})};
    }
    return lock_class(cached.id);
}

[[gnu::weak]] const std::string& lock_class::name() const {
    return detail::classes()[id_].name;
}
[[gnu::weak]] std::uint64_t lock_class::name_hash() const {
    return detail::classes()[id_].hash;
}
[[gnu::weak]] class_options lock_class::options() const {
    return detail::classes()[id_].options;
}

[[gnu::weak, gnu::noinline]] std::uint32_t lock_class::made_by_caller(site where,
                                                                      bool is_optimized) {
    const sanitizer::ignore_scope ours;
    const void* key = __builtin_return_address(0);
    if (!is_optimized && detail::is_in_library(where))
        key = reinterpret_cast<const void*>(static_cast<std::uintptr_t>(detail::hash_of_calls()));
    detail::class_cache_entry& cached = detail::cached_class(key, where.line);
    // Entries of `at` have a file as their key, entries of `by_name` have line 0.
    if (cached.key != key || cached.line != where.line || where.line == 0) {
        const auto code = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(key));
        const std::string user =
            detail::is_in_library(where)
                ? detail::user_of_library(__builtin_return_address(0), !is_optimized)
                : std::string();
        const std::string place = "lock@" + (user.empty() ? to_string(where) : user);
        cached = {key, nullptr, where.line, detail::classes().find_or_add_made(code, place)};
    }
    return cached.id;
}

[[gnu::weak, gnu::noinline]] std::uint32_t lock_class::by_name(const char* name,
                                                               const class_options& options) {
    const sanitizer::ignore_scope ours;
    detail::class_cache_entry& cached = detail::cached_class(name, 0);
    // The address may hold another text by now, so the texts are compared.
    if (cached.key != name || cached.text == nullptr || std::strcmp(cached.text, name) != 0) {
        const std::uint32_t id = detail::classes().find_or_add(name, options);
        cached = {name, detail::classes()[id].name.c_str(), 0, id};
    }
    return cached.id;
}

struct chain_cache::writer {
    std::vector<slot*> tables;        // the last table is in use
    std::vector<std::uint64_t> used;  // the slots in use, for `clear`
};

[[gnu::weak]] chain_cache::chain_cache() : writer_(new writer) {
    use(make_table(64));
}

[[gnu::weak]] chain_cache::~chain_cache() {
    for (slot* const each : writer_->tables) delete[] each;
    delete writer_;
}

[[gnu::weak]] void chain_cache::insert(std::uint64_t key) {
    if (contains(key)) return;
    slot* table = now_.load(std::memory_order_relaxed);
    const std::uint64_t size = table[0].load(std::memory_order_relaxed) + 1;
    std::vector<std::uint64_t>& used = writer_->used;
    if ((used.size() + 1) * 2 > size) {  // at most half full, so that probes are short and end
        slot* const larger = make_table(size * 2);
        for (std::uint64_t& i : used) i = put(larger, table[1 + i].load(std::memory_order_relaxed));
        table = larger;
        use(larger);
    }
    used.push_back(put(table, key));
}

[[gnu::weak]] std::size_t chain_cache::size() const noexcept {
    return writer_->used.size();
}

[[gnu::weak]] void chain_cache::clear() noexcept {
    std::vector<std::uint64_t>& used = writer_->used;
    if (used.empty()) return;
    slot* const table = now_.load(std::memory_order_relaxed);
    for (const std::uint64_t i : used) table[1 + i].store(0, std::memory_order_relaxed);
    used.clear();
    std::vector<slot*>& tables = writer_->tables;
    for (std::size_t i = 0; i + 1 < tables.size(); ++i) delete[] tables[i];
    tables.erase(tables.begin(), tables.end() - 1);
}

[[gnu::weak]] chain_cache::slot* chain_cache::make_table(std::uint64_t size) {
    slot* const made = new slot[size + 1]{};
    made[0].store(size - 1, std::memory_order_relaxed);
    return made;
}

[[gnu::weak]] std::uint64_t chain_cache::put(slot* table, std::uint64_t key) noexcept {
    const std::uint64_t mask = table[0].load(std::memory_order_relaxed);
    std::uint64_t i = key & mask;
    while (table[1 + i].load(std::memory_order_relaxed) != 0) i = (i + 1) & mask;
    table[1 + i].store(key, std::memory_order_release);
    return i;
}

[[gnu::weak]] void chain_cache::use(slot* next) {
    now_.store(next, std::memory_order_release);
    writer_->tables.push_back(next);
}

}  // namespace wedge
