// The lock order that traces show: classes, and which was acquired while which was held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace wedge::explain {

/// How the two locks of a dependency were acquired. A dependency has a bit for each combination in
/// which it was seen.
enum edge_modes : std::uint8_t {
    write_then_write = 1,
    write_then_read = 2,
    read_then_write = 4,
    read_then_read = 8,
    any_modes = 15,  ///< the trace does not say
};

/// A dependency: `to` was acquired while the class that it belongs to was held.
struct observed_edge {
    std::uint32_t to = 0;
    std::uint8_t modes = 0;   ///< of `edge_modes`
    std::uint64_t count = 0;  ///< how often it was seen; 0: the trace does not count
    std::string where;        ///< the first time it was seen: task, time or file
};

/// A class of locks.
struct observed_class {
    std::string name;             ///< with `#2` and `/1` if the trace has them
    std::uint64_t acquires = 0;   ///< 0: the trace does not count
    bool is_written = false;      ///< it was acquired for writing, or that is not known
    bool is_name_shared = false;  ///< several classes of the kernel may stand behind the name
    std::vector<observed_edge> next;
};

/// A cycle: each class leads to the next one, and the last to the first.
struct order_cycle {
    std::vector<std::uint32_t> classes;
    bool needs_writer = false;  ///< readers meet in it: it blocks only if a writer waits as well
};

/// Dependencies between classes of locks, from one trace or several. Classes of the same name are
/// one. It has at most `class_limit` classes and `edge_limit` dependencies; what comes later it
/// counts and leaves out.
class lock_graph {
public:
    static constexpr std::size_t class_limit = 200'000;
    static constexpr std::size_t edge_limit = 4'000'000;
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    /// Returns the class of a name, and adds it if it is new. `none`: there are too many.
    std::uint32_t class_of(std::string_view name);
    /// Returns the class of a name. `none`: there is no such class.
    std::uint32_t find(std::string_view name) const;

    /// Adds a dependency, or another sight of it. `times`: how often it was seen.
    void add(std::uint32_t from, std::uint32_t to, std::uint8_t modes, std::uint64_t times,
             std::string_view where);
    /// Adds an acquire of a class.
    void count_acquire(std::uint32_t which, bool is_write);

    std::span<const observed_class> classes() const noexcept { return classes_; }
    observed_class& at(std::uint32_t which) { return classes_[which]; }
    const observed_class& at(std::uint32_t which) const { return classes_[which]; }
    const observed_edge* edge(std::uint32_t from, std::uint32_t to) const;
    std::size_t edges() const noexcept { return index_.size(); }
    std::size_t left_out() const noexcept { return left_out_; }

    /// Returns the shortest cycles, at most `most`, those that need no writer first. A class that
    /// is only read is in none: nobody waits for it.
    std::vector<order_cycle> cycles(std::size_t most) const;

    /// Returns a shortest path from one of `from` to one of `to`, whose inner classes are in
    /// neither `from` nor `avoid`. Empty: there is none.
    std::vector<std::uint32_t> path(std::span<const std::uint32_t> from,
                                    std::span<const std::uint32_t> to,
                                    std::span<const std::uint32_t> avoid) const;

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };

    std::vector<observed_class> classes_;
    std::unordered_map<std::string, std::uint32_t, text_hash, std::equal_to<>> by_name_;
    std::unordered_map<std::uint64_t, std::uint32_t> index_;  // of an edge in `next`
    std::size_t left_out_ = 0;
};

}  // namespace wedge::explain
