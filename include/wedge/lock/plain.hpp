// A variable that is not atomic, whose accesses are explored.
#pragma once

#include "wedge/lock/atomic.hpp"

namespace wedge {

/// A variable whose accesses are explored. In a live program it is a bare T, so ThreadSanitizer
/// sees its races. Under control each access is a visible step, so the effects of a race are found
/// in the schedules that show them.
///
/// It gives out no `T&`, since a write through a reference would not be seen.
template <class T, class Level = default_level>
class basic_plain {
public:
    basic_plain(T value = {}, label as = site::current())
        : value_(value), identity_(lock_kind::variable, as.cls()) {}
    basic_plain(const basic_plain&) = delete;
    basic_plain& operator=(const basic_plain&) = delete;

    T load(site where = site::current()) const {
        detail::access(identity_, mode::shared, true, where);
        return value_;
    }
    void store(T value, site where = site::current()) {
        detail::access(identity_, mode::exclusive, false, where);
        value_ = value;
    }

    operator T() const { return load({}); }
    T operator=(T value) {
        store(value, {});
        return value;
    }

private:
    T value_;
    mutable lock_identity identity_;
};

/// Level 0: a T.
template <class T>
class basic_plain<T, level_constant<level::off>> {
public:
    basic_plain(T value = {}, label = {}) : value_(value) {}
    basic_plain(const basic_plain&) = delete;
    basic_plain& operator=(const basic_plain&) = delete;

    T load(site = {}) const { return value_; }
    void store(T value, site = {}) { value_ = value; }

    operator T() const { return value_; }
    T operator=(T value) { return value_ = value; }

private:
    T value_;
};

template <class T>
using plain = basic_plain<T>;

static_assert(sizeof(basic_plain<int, level_constant<level::off>>) == sizeof(int));

}  // namespace wedge
