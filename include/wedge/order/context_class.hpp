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
/// Returns the context that a class stands for; `task`: it stands for none.
inline context context_of_class(std::uint32_t class_id) {
    for (const context each : {context::softirq, context::hardirq, context::nmi})
        if (class_id == class_of(each).id()) return each;
    return context::task;
}
inline bool is_context_class(std::uint32_t class_id) {
    return context_of_class(class_id) != context::task;
}

}  // namespace wedge::detail
