// Lock classes: all locks obeying the same rules, known by a name or by where they are made.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <pthread.h>

#include "wedge/base/check.hpp"
#include "wedge/base/hash.hpp"
#include "wedge/base/sanitizer.hpp"
#include "wedge/base/site.hpp"
#include "wedge/event/event.hpp"

namespace wedge {

class lock_identity;

/// Whether `wanted` may be taken while `held`, another instance of its class, is held. Called on
/// the lock's path: pure and short.
using nesting_order = bool (*)(const lock_identity& held, const lock_identity& wanted) noexcept;

/// What a class allows beside the common rules.
struct class_options {
    bool unchecked = false;              ///< nesting within the class is not checked, all else is
    bool never_waits = false;            ///< pseudo-locks: they order, but guard nothing
    nesting_order order = nullptr;       ///< null: instances do not nest
    wait_type allows = wait_type::none;  ///< pseudo-locks: what may be taken in the section
    bool is_promise = false;             ///< pseudo-locks: others wait for who is in the section
    bool is_internal = false;            ///< a lock of wedge's own: no rule and no report names it
};

namespace detail {

struct class_record {
    std::string name;
    class_options options;
    std::uint64_t hash = 0;
    std::uint32_t next = 0;  // in the same bucket
};

/// All classes of the process: append-only, read without locks, numbered from 1.
class class_registry {
public:
    /// The number of the class of that name; made when new.
    std::uint32_t find_or_add(std::string_view name, class_options options) {
        const sanitizer::ignore_scope ours;
        const std::uint64_t hash = hash_text(name);
        std::atomic<std::uint32_t>& bucket = buckets_[hash % buckets];
        if (const std::uint32_t known = find(bucket, name, hash)) return known;
        begin_writing();
        std::uint32_t id = find(bucket, name, hash);
        if (id == 0) {
            id = count_.load(std::memory_order_relaxed) + 1;
            class_record& made = slot(id);
            made = {std::string(name), options, hash, bucket.load(std::memory_order_relaxed)};
            count_.store(id, std::memory_order_release);
            bucket.store(id, std::memory_order_release);
        }
        end_writing();
        return id;
    }

    const class_record& operator[](std::uint32_t id) const {
        const auto [chunk, index] = place(id);
        return chunks_[chunk].load(std::memory_order_acquire)[index];
    }

    std::uint32_t size() const noexcept { return count_.load(std::memory_order_acquire); }

    /// The one writer's turn; also taken around a fork, or the child would wait for a writer that
    /// it does not have.
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
    static constexpr unsigned first_bits = 6;  // chunks of 64, 128, 256 … records: no limit

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
    std::atomic_flag writing_ = ATOMIC_FLAG_INIT;
};

/// Never destroyed: locks of static objects outlive it otherwise.
inline class_registry& classes() {
    static class_registry& registry = []() -> class_registry& {
        ::pthread_atfork([] { classes().begin_writing(); }, [] { classes().end_writing(); },
                         [] { classes().end_writing(); });
        return *new class_registry;
    }();
    return registry;
}

/// This thread's last look-ups, so that a lock made anew for every execution costs no hashing.
/// The tasks of an exploration share it, on one thread: for ThreadSanitizer they are threads.
struct class_cache_entry {
    const void* key = nullptr;
    const char* text = nullptr;  // of a class known by its name: the registry's copy
    unsigned line = 0;
    std::uint32_t id = 0;
};
inline constinit thread_local class_cache_entry class_cache[64]{};

inline class_cache_entry& cached_class(const void* key, unsigned line) noexcept {
    const auto bits = reinterpret_cast<std::uintptr_t>(key);
    return class_cache[((bits >> 3) ^ (bits >> 9) ^ line) % 64];
}

}  // namespace detail

/// A class of locks. Classes of the same name are one class, wherever they are made; names are
/// copied. Cheap to copy: it is a number.
class lock_class {
public:
    explicit lock_class(const char* name, const class_options& options = {})
        : id_(by_name(name, options)) {}

    /// The class of all locks made at this place.
    [[gnu::noinline]] static lock_class at(site where) {
        const sanitizer::ignore_scope ours;
        detail::class_cache_entry& cached = detail::cached_class(where.file, where.line);
        if (cached.key != where.file || cached.line != where.line || where.line == 0) {
            const std::string name = "lock@" + to_string(where);
            cached = {where.file, nullptr, where.line, detail::classes().find_or_add(name, {})};
        }
        return lock_class(cached.id);
    }
    static lock_class from_id(std::uint32_t id) noexcept { return lock_class(id); }

    std::uint32_t id() const noexcept { return id_; }
    const std::string& name() const { return detail::classes()[id_].name; }
    class_options options() const { return detail::classes()[id_].options; }

    friend bool operator==(lock_class, lock_class) = default;

private:
    explicit lock_class(std::uint32_t id) noexcept : id_(id) {}

    // Not inline, since which names share an entry of the cache differs from run to run: a fuzzer
    // that counts branches must be able to leave it out (cmake/fuzz_ignorelist.txt).
    [[gnu::noinline]] static std::uint32_t by_name(const char* name, const class_options& options) {
        const sanitizer::ignore_scope ours;
        detail::class_cache_entry& cached = detail::cached_class(name, 0);
        // The address may hold another text by now, so the text decides.
        if (cached.key != name || cached.text == nullptr || std::strcmp(cached.text, name) != 0) {
            const std::uint32_t id = detail::classes().find_or_add(name, options);
            cached = {name, detail::classes()[id].name.c_str(), 0, id};
        }
        return cached.id;
    }

    std::uint32_t id_;
};

}  // namespace wedge
