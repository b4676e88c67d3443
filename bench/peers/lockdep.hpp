// The algorithm of Linux's lock validator, to compare with: written for this benchmark from its
// description in Documentation/locking/lockdep-design.rst. It has what each acquire of a mutex
// costs there: the class of the lock, the stack of held locks, the bits of use, the key of the
// chain and its look-up; and for a new chain the graph and its breadth-first search. It has no
// interrupts, no stack traces and no reports.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench::lockdep {

/// The locks that the calling thread holds.
struct held_stack {
    struct held {
        std::uint64_t key_before;
        const void* instance;
        std::uint32_t class_number;
    };
    std::array<held, 64> all;
    std::size_t depth = 0;
    std::uint64_t key = ~std::uint64_t{0};
};
inline constinit thread_local held_stack of_thread{};

/// The classes, their order, and the chains that were checked. Any thread may call any function.
class validator {
public:
    validator() : buckets_(bucket_count) {}

    /// Returns the class of that name, from 1.
    std::uint32_t class_of(const std::string& name) {
        const std::lock_guard turn(graph_);
        const auto [known, is_new] =
            numbers_.emplace(name, static_cast<std::uint32_t>(numbers_.size() + 1));
        if (is_new) {
            classes_.resize(numbers_.size() + 1);
            classes_.back() = std::make_unique<class_record>();
        }
        return known->second;
    }

    /// Checks a blocking acquire, and notes the lock as held.
    ///
    /// @throws std::logic_error  the order of two classes is inverted, or too many locks are held
    void acquire(const void* instance, std::uint32_t class_number) {
        held_stack& mine = of_thread;
        if (mine.depth == mine.all.size()) throw std::logic_error("lockdep: too many held locks");
        held_stack::held& next = mine.all[mine.depth];
        next = {mine.key, instance, class_number};
        class_record& of = *classes_[class_number];
        if ((of.uses.load(std::memory_order_relaxed) & used) == 0)
            of.uses.fetch_or(used, std::memory_order_relaxed);
        const std::uint64_t key = mixed(mine.key, class_number);
        if (!is_known(key)) add_chain(mine, next, key);
        mine.key = key;
        ++mine.depth;
    }

    /// Notes the release of a lock. Locks taken after it are taken again in thought, as each has
    /// the key of the chain below it.
    void release(const void* instance) {
        held_stack& mine = of_thread;
        std::size_t i = mine.depth;
        while (i-- > 0 && mine.all[i].instance != instance) {
        }
        if (i == ~std::size_t{0}) throw std::logic_error("lockdep: the lock is not held");
        const std::size_t last = mine.depth - 1;
        mine.depth = i;
        mine.key = mine.all[i].key_before;
        for (; i < last; ++i) acquire(mine.all[i + 1].instance, mine.all[i + 1].class_number);
    }

    /// Forgets all orders and chains; the classes stay. No other thread may use it meanwhile.
    void forget() {
        for (const std::unique_ptr<class_record>& each : classes_)
            if (each != nullptr) each->after.clear();
        for (const std::size_t bucket : filled_) buckets_[bucket].store(nullptr);
        filled_.clear();
        chains_.clear();
    }

private:
    static constexpr unsigned bucket_bits = 15;
    static constexpr std::size_t bucket_count = std::size_t{1} << bucket_bits;
    static constexpr std::uint32_t used = 1;

    struct class_record {
        std::vector<std::uint32_t> after;  // the classes that were taken under it
        std::atomic<std::uint32_t> uses{0};
        std::uint32_t seen_by = 0;  // the number of the search that has visited it
    };
    struct chain {
        std::uint64_t key;
        const chain* next;
    };

    /// Bob Jenkins's mix of three words, of which two are the key.
    static std::uint64_t mixed(std::uint64_t key, std::uint32_t number) noexcept {
        const auto turned = [](std::uint32_t x, unsigned by) { return x << by | x >> (32 - by); };
        auto a = number;
        auto b = static_cast<std::uint32_t>(key);
        auto c = static_cast<std::uint32_t>(key >> 32);
        a -= c, a ^= turned(c, 4), c += b;
        b -= a, b ^= turned(a, 6), a += c;
        c -= b, c ^= turned(b, 8), b += a;
        a -= c, a ^= turned(c, 16), c += b;
        b -= a, b ^= turned(a, 19), a += c;
        c -= b, c ^= turned(b, 4), b += a;
        return b | std::uint64_t{c} << 32;
    }
    static std::size_t bucket_of(std::uint64_t key) noexcept {
        return key * 0x9e3779b97f4a7c15U >> (64 - bucket_bits);
    }

    bool is_known(std::uint64_t key) const noexcept {
        const chain* each = buckets_[bucket_of(key)].load(std::memory_order_acquire);
        while (each != nullptr && each->key != key) each = each->next;
        return each != nullptr;
    }

    /// Adds the order of the innermost held lock and the next one. The chain below that lock was
    /// checked when the lock was taken.
    void add_chain(const held_stack& mine, const held_stack::held& next, std::uint64_t key) {
        const std::lock_guard turn(graph_);
        if (is_known(key)) return;
        if (mine.depth != 0) add_order(mine.all[mine.depth - 1].class_number, next.class_number);
        const std::size_t bucket = bucket_of(key);
        filled_.push_back(bucket);
        chains_.push_back(
            std::make_unique<chain>(chain{key, buckets_[bucket].load(std::memory_order_relaxed)}));
        buckets_[bucket].store(chains_.back().get(), std::memory_order_release);
    }
    void add_order(std::uint32_t from, std::uint32_t to) {
        if (from == to || leads(to, from))
            throw std::logic_error("lockdep: the order of two classes is inverted");
        std::vector<std::uint32_t>& after = classes_[from]->after;
        for (const std::uint32_t each : after)
            if (each == to) return;
        after.push_back(to);
    }
    bool leads(std::uint32_t from, std::uint32_t to) {
        ++search_;
        queue_.assign(1, from);
        for (std::size_t i = 0; i < queue_.size(); ++i) {
            for (const std::uint32_t each : classes_[queue_[i]]->after) {
                if (each == to) return true;
                if (std::exchange(classes_[each]->seen_by, search_) != search_)
                    queue_.push_back(each);
            }
        }
        return false;
    }

    std::mutex graph_;
    std::unordered_map<std::string, std::uint32_t> numbers_;
    std::vector<std::unique_ptr<class_record>> classes_;
    std::vector<std::atomic<const chain*>> buckets_;
    std::vector<std::unique_ptr<const chain>> chains_;
    std::vector<std::size_t> filled_;
    std::vector<std::uint32_t> queue_;
    std::uint32_t search_ = 0;
};

inline validator& all() {
    static validator& made = *new validator;
    return made;
}

/// A std::mutex whose order is checked.
class mutex {
public:
    explicit mutex(const char* name) : class_number_(all().class_of(name)) {}

    void lock() {
        all().acquire(this, class_number_);
        native_.lock();
    }
    void unlock() {
        all().release(this);
        native_.unlock();
    }

private:
    std::mutex native_;
    const std::uint32_t class_number_;
};

}  // namespace bench::lockdep
