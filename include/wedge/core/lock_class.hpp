// Lock classes: all locks that obey the same rules, known by a name or by where they are made.
#pragma once

#include <cstdint>
#include <string>

#include "wedge/core/event.hpp"
#include "wedge/core/site.hpp"

namespace wedge {

class lock_identity;

/// Returns whether `wanted` may be taken while `held`, another instance of its class, is held. It
/// is called on the lock's path, so it must be pure and short.
using nesting_order = bool (*)(const lock_identity& held, const lock_identity& wanted) noexcept;

/// What a class allows or forbids in addition to the common rules.
struct class_options {
    bool unchecked = false;    ///< nesting within the class is not checked; all other rules are
    bool never_waits = false;  ///< a pseudo-lock: it orders, but never guards
    nesting_order order = nullptr;  ///< null: instances do not nest (live programs: in one order)
    wait_type allows = wait_type::none;  ///< a pseudo-lock: the longest wait allowed in the section
    bool is_promise = false;     ///< a pseudo-lock: other tasks wait for the tasks in the section
    bool one_at_a_time = false;  ///< instances do not nest in live programs either
    bool reads_nest = false;     ///< a task may nest reads of a lock whose type forbids it
    bool is_internal = false;    ///< a lock of wedge itself, which no rule and no report names
    bool is_inferred = false;    ///< a pseudo-lock: a wait with inferred sections (rule 19d)
    bool keeps_mutex = false;  ///< a condition: a task that notifies it has held the waiters' mutex
};

namespace detail {

#ifdef __OPTIMIZE__
inline constexpr bool is_optimized = true;
#else
inline constexpr bool is_optimized = false;
#endif

}  // namespace detail

/// A class of locks. Classes of equal names are one class, wherever they are made. The name is
/// copied. The object is a number, so it is cheap to copy.
class lock_class {
public:
    explicit lock_class(const char* name, const class_options& options = {})
        : id_(by_name(name, options)) {}

    /// Returns the class of all locks made at this place.
    static lock_class at(site where);
    /// Returns the class of all locks that the calling code makes. Each member of a struct, each
    /// place of an allocation and each container has its own class. Elements of an array share one.
    ///
    /// The class is known by the return address of this call, so the caller must be inlined into
    /// the code that makes the lock. If the standard library makes the lock, an unoptimised build
    /// also knows the calls that led there; an optimised build does so only if the library was
    /// inlined.
    [[gnu::always_inline]] static lock_class made_here(site where) {
        return lock_class(made_by_caller(where, detail::is_optimized));
    }
    static lock_class from_id(std::uint32_t id) noexcept { return lock_class(id); }

    std::uint32_t id() const noexcept { return id_; }
    const std::string& name() const;
    class_options options() const;
    /// Returns the hash of the name, which is the same in every process.
    std::uint64_t name_hash() const;

    friend bool operator==(lock_class, lock_class) = default;

private:
    explicit lock_class(std::uint32_t id) noexcept : id_(id) {}

    // Not inline: which names share an entry of the cache of look-ups differs from run to run. A
    // fuzzer that counts branches must be able to leave these out (cmake/fuzz_ignorelist.txt).
    static std::uint32_t made_by_caller(site where, bool is_optimized);
    static std::uint32_t by_name(const char* name, const class_options& options);

    std::uint32_t id_;
};

}  // namespace wedge
