// The class that the maker of a lock names: explicitly, by a name, or by the place.
#pragma once

#include "wedge/core/lock_class.hpp"

namespace wedge {

/// The explicit class of a lock, else its name, else the place where it is made. It converts from
/// each of them. It keeps a pointer to the name, so pass it on within the call.
class label {
public:
    label(site where = site::current()) noexcept : where_(where) {}
    label(const char* name) noexcept : name_(name) {}
    label(lock_class cls) noexcept : class_id_(cls.id()) {}

    lock_class cls(class_options options = {}) const {
        if (class_id_ != 0) return lock_class::from_id(class_id_);
        return name_ != nullptr ? lock_class(name_, options) : lock_class::at(where_);
    }

private:
    site where_{};
    const char* name_ = nullptr;
    std::uint32_t class_id_ = 0;
};

}  // namespace wedge
