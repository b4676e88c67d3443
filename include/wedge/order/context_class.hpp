// The classes that stand for interrupt contexts in the lock order.
#pragma once

#include <cstdint>

#include "wedge/core/lock_class.hpp"
#include "wedge/core/task.hpp"

namespace wedge::detail {

/// Returns the class that stands for a context in the order. `a -> hardirq context` means that a
/// was held while hardirqs were enabled; `hardirq context -> a` means that a hardirq takes a.
inline lock_class class_of(context entered) {
    static const lock_class softirq("softirq context", {.never_waits = true});
    static const lock_class hardirq("hardirq context", {.never_waits = true});
    static const lock_class nmi("NMI context", {.never_waits = true});
    return entered == context::nmi ? nmi : entered == context::hardirq ? hardirq : softirq;
}
inline bool is_context_class(std::uint32_t class_id) {
    return class_id == class_of(context::hardirq).id() ||
           class_id == class_of(context::softirq).id() || class_id == class_of(context::nmi).id();
}

}  // namespace wedge::detail
