// Contexts: interrupts that the task runs as, and interrupts that the task keeps out.
#pragma once

#include <utility>

#include "wedge/core/steps.hpp"

namespace wedge {

/// While it lives, the running code counts as an interrupt on top of the task: a signal handler, or
/// the model of an interrupt. Locks taken in it are held in that context.
class in_context {
public:
    /// @param threaded  a hardirq that runs in a thread, so that it may wait for a spinlock
    explicit in_context(context entered, bool threaded = false, site where = site::current())
        : self_(current()), before_(self_.contexts), entered_(entered), threaded_(threaded) {
        send(event_kind::context_enter, where);
        context_state& now = self_.contexts;
        if (entered == context::hardirq) {
            ++now.hardirqs;
            if (threaded) ++now.threaded_hardirqs;
            now.irqs_are_off = true;
        } else if (entered == context::softirq) {
            ++now.softirqs;
            now.bh_depth = context_state::deeper(now.bh_depth);
        } else if (entered == context::nmi) {
            ++now.nmis;
            now.irqs_are_off = true;
        }
        self_.context = now.now();
    }
    ~in_context() {
        send(event_kind::context_leave, {});
        self_.contexts = before_;
        self_.context = before_.now();
    }
    in_context(const in_context&) = delete;
    in_context& operator=(const in_context&) = delete;

private:
    void send(event_kind kind, site where) {
        const unsigned threaded = threaded_ ? 1U << 8 : 0;
        detail::emit(
            self_,
            {.kind = kind, .payload = static_cast<unsigned>(entered_) | threaded, .where = where});
    }

    task& self_;
    const context_state before_;
    const context entered_;
    const bool threaded_;
};

/// Keeps all handlers of a scenario off the running task while it lives. Use it for locks of wedge,
/// under which a real kernel would disable interrupts, and within a statement of several steps.
///
/// A section that begins with an acquire takes effect when the acquire is done. It has no effect
/// while the task waits for a condition.
class unbroken_section {
public:
    unbroken_section() noexcept : self_(current()) { ++self_.unbroken; }
    ~unbroken_section() { end(); }
    /// Ends it before its scope does.
    void end() noexcept {
        if (std::exchange(is_open_, false)) --self_.unbroken;
    }
    unbroken_section(const unbroken_section&) = delete;
    unbroken_section& operator=(const unbroken_section&) = delete;

private:
    task& self_;
    bool is_open_ = true;
};

/// Disables or enables interrupts for the running task. These are flags and do not nest. Disabled
/// hardirqs keep softirqs out too.
inline void irqs_off(site where = site::current()) {
    task& self = current();
    detail::emit(self, {.kind = event_kind::irq_off, .where = where});
    self.contexts.irqs_are_off = true;
}
inline void irqs_on(site where = site::current()) {
    task& self = current();
    detail::emit(self, {.kind = event_kind::irq_on, .where = where});
    self.contexts.irqs_are_off = false;
}
/// Disables softirqs, or enables them at the end of the outermost section: these sections nest.
inline void bh_off(site where = site::current()) {
    task& self = current();
    detail::emit(self, {.kind = event_kind::bh_off, .where = where});
    self.contexts.bh_depth = context_state::deeper(self.contexts.bh_depth);
}
inline void bh_on(site where = site::current()) {
    task& self = current();
    if (self.contexts.bh_depth <= 1)
        detail::emit(self, {.kind = event_kind::bh_on, .where = where});
    self.contexts.bh_depth = context_state::shallower(self.contexts.bh_depth);
}

/// Disables or enables preemption for the running task: it must not sleep in between (rule 22).
/// These sections nest.
inline void preempt_off() noexcept {
    std::uint8_t& depth = current().contexts.preempt_depth;
    depth = context_state::deeper(depth);
}
inline void preempt_on() noexcept {
    std::uint8_t& depth = current().contexts.preempt_depth;
    depth = context_state::shallower(depth);
}

}  // namespace wedge
