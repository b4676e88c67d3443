// What the statements of a scenario say about its objects, found once before it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "wedge/core/lock_identity.hpp"
#include "wedge/scenario/statements.hpp"

namespace wedge::scenario {

/// The name of a lock's class in this process. A class keeps the options of its first lock, so
/// one with others has another name; likewise a lock that is called like one of `memory`'s.
inline std::string class_text(const declaration& lock) {
    const std::string& name = class_of(lock);
    std::string notes;
    if (lock.kind == lock_sort::map) notes += is_rcu(lock) ? ", rcu" : ", map";
    if (lock.is_ordered) notes += ", ordered";
    if (lock.is_unchecked) notes += ", unchecked";
    const bool is_taken = name == "zone" || name == "kswapd_wait" || name == "mmu_notifier";
    if (notes.empty() && is_taken) notes += ", lock";
    return notes.empty() ? name : name + " (" + notes.substr(2) + ")";
}

/// The part that the scenario wrote.
inline std::string written_class(const std::string& text) {
    return text.substr(0, text.find(" ("));
}

namespace detail {

/// Whether anything in it depends on the number of the copy that runs it.
inline bool uses_self(const block& in) {
    bool is_used = false;
    for_each_statement(in, [&](const statement& each) {
        is_used = is_used || each.on.indexed == reference::index_sort::self ||
                  each.other.indexed == reference::index_sort::self;
    });
    return is_used;
}

}  // namespace detail

/// Points into the document, which must stay.
class object_uses {
public:
    explicit object_uses(const document& all) : names_(all), all_(all) {
        for (const declaration& each : all.all) {
            has_locks_alone_ = has_locks_alone_ && is_nothing_but_locks(each);
            has_zone_ = has_zone_ || each.what == declares::memory;
            has_sequences_ = has_sequences_ || is_sequence_lock(each);
            has_wait_queues_ = has_wait_queues_ || each.what == declares::wait_queue;
            has_loops_of_types_ = has_loops_of_types_ || is_deferred(each.what) ||
                                  each.what == declares::refcount ||
                                  each.what == declares::wait_queue || is_sequence_lock(each);
            has_processors_ = has_processors_ || each.has_cpu;
            has_interrupting_items_ = has_interrupting_items_ || comes_in_interrupt(each.what);
            has_interrupts_ =
                has_interrupts_ || has_interrupting_items_ || each.what == declares::handler;
            needs_zone_ = needs_zone_ || each.what == declares::memory ||
                          each.what == declares::shrinker || each.what == declares::notifier;
            needs_signalling_ = needs_signalling_ || each.what == declares::fence;
            for_each_statement(each.body, [&](const statement& step) {
                const detail::statement_row& row = detail::row_of(step.what);
                has_locks_alone_ = has_locks_alone_ && !row.has(detail::traits::more_than_locks) &&
                                   !row.has(detail::traits::zone);
                has_loops_ = has_loops_ || row.has(detail::traits::endless) ||
                             is_disturbed_from_within(step) ||
                             ((step.what == action::queue || step.what == action::arm) &&
                              is_served(each.what));
                allocates_for_ever_ =
                    allocates_for_ever_ || (step.what == action::alloc &&
                                            (is_reclaimer(each.what) || never_fails(step.gfp)));
                needs_zone_ = needs_zone_ || row.has(detail::traits::zone);
                needs_signalling_ = needs_signalling_ || step.what == action::signalling;
                if (step.what == action::sync) synced_.insert(step.on.name);
                has_contexts_in_line_ = has_contexts_in_line_ || step.what == action::interrupt;
                if (step.what == action::join) joined_.insert(step.on.name);
                if (step.what == action::acquire && (step.is_tried || step.is_timed))
                    tried_.insert(step.on.name);
                has_invalidate_ = has_invalidate_ || step.what == action::invalidate;
                if (!row.has(detail::traits::ticket)) return;
                const std::string text = ticket_class_of(each.body, step);
                ticket_classes_[&step] = text;
                if (step.is_wait_die) wait_die_.insert(text);
            });
        }
        std::uint64_t in_reclaim = 0;
        for (const declaration& each : all.all)
            if (is_reclaimer(each.what)) in_reclaim |= note_objects(each.body);
        objects_in_reclaim_ = in_reclaim;
        for (const declaration& each : all.all)
            if (has_body(each.what)) note_objects(each.body);
    }

    const name_table& names() const noexcept { return names_; }

    /// Whether tasks share nothing but locks without tickets, and run whole by themselves.
    bool has_locks_alone() const noexcept { return has_locks_alone_; }
    /// Whether roles and other types take part whose code has loops of its own.
    bool has_roles() const noexcept { return has_zone_ || has_loops_of_types_; }
    /// Whether a handler, a timer or an irq work may come on top of a task.
    bool has_interrupts() const noexcept { return has_interrupts_; }
    /// Whether a timer or an irq work may.
    bool has_interrupting_items() const noexcept { return has_interrupting_items_; }
    /// Whether some threads share a processor.
    bool has_processors() const noexcept { return has_processors_; }
    bool has_sequences() const noexcept { return has_sequences_; }
    bool has_wait_queues() const noexcept { return has_wait_queues_; }
    /// Whether anything may run forever: a loop, a read of a sequence count, an allocation that
    /// must not fail, a block that serves others and calls for itself to be run again, or frees
    /// what it takes.
    bool has_loops() const noexcept { return has_loops_ || (has_zone_ && allocates_for_ever_); }
    /// Whether anything takes part that has to do with memory, or with fences.
    bool needs_zone() const noexcept { return needs_zone_; }
    bool needs_signalling() const noexcept { return needs_signalling_; }
    /// Where an object is declared, as a place in `document::all`. Fast for names that stand in a
    /// statement of the document.
    std::size_t place_of(const std::string& name) const {
        const auto known = places_.find(&name);
        return known != places_.end() ? known->second : place_of(*names_.object(name));
    }
    /// An object as two bits, for looking at it and for changing it; several may share them.
    std::uint64_t read_bit_of(const std::string& name) const {
        return std::uint64_t{1} << place_of(name) % 32 * 2;
    }
    std::uint64_t write_bit_of(const std::string& name) const { return read_bit_of(name) << 1; }
    struct use_of_block {
        std::uint64_t number = 0;                 ///< from 1; the same in every process
        std::vector<std::uint64_t> objects_from;  ///< by statement: what it and those behind it may
                                                  ///< do to the objects that they name
    };
    const use_of_block& in_block(const block& in) const { return blocks_.find(&in)->second; }
    /// What a whole block may do to objects, and what all the blocks may that reclaim runs.
    std::uint64_t objects_in(const block& in) const {
        return in.body.empty() ? 0 : in_block(in).objects_from.front();
    }
    std::uint64_t objects_in_reclaim() const noexcept { return objects_in_reclaim_; }
    bool has_invalidate() const noexcept { return has_invalidate_; }
    /// Whether somebody waits for the sections of a lock.
    bool is_synced(const std::string& lock) const { return synced_.contains(lock); }
    /// Whether somebody tries a lock, or waits for it with a time-out.
    bool is_tried(const std::string& lock) const { return tried_.contains(lock); }
    /// Whether somebody waits for the end of a thread.
    bool has_joins() const noexcept { return !joined_.empty(); }
    bool is_joined(const std::string& thread) const { return joined_.contains(thread); }
    /// Whether a thread or another block than a handler enters a context by itself.
    bool has_contexts_in_line() const noexcept { return has_contexts_in_line_; }
    bool has_tickets() const noexcept { return !ticket_classes_.empty(); }
    /// Whether a class of ww_mutexes is wait-die, else wound-wait.
    bool is_wait_die(const std::string& text) const { return wait_die_.contains(text); }
    /// The `class_text` of the objects that a ticket is for.
    const std::string& ticket_class(const statement& beginning) const {
        return ticket_classes_.find(&beginning)->second;
    }

private:
    std::uint64_t note_objects(const block& in) {
        use_of_block& noted = blocks_[&in];
        if (noted.number == 0) noted.number = blocks_.size();
        std::vector<std::uint64_t>& from = noted.objects_from;
        from.resize(in.body.size());
        std::uint64_t all = 0;
        for (std::size_t i = in.body.size(); i-- > 0; from[i] = all) {
            const statement& step = in.body[i];
            for (const std::string* const name :
                 {&step.on.name, &step.other.name, &step.left.counter, &step.right.counter})
                if (const declaration* const object = names_.object(*name)) {
                    places_.emplace(name, place_of(*object));
                    all |= use_of(step, *name);
                }
            if (detail::row_of(step.what).has(detail::traits::zone)) all |= objects_in_reclaim_;
            if (step.what == action::put) all = ~std::uint64_t{0};  // the body may do anything
            for (const block& inner : step.blocks) all |= note_objects(inner);
        }
        return all;
    }
    /// Returns whether a reader of a sequence count may itself cause the change for which it reads
    /// again, and so read for ever: it writes to a sequence count, or calls for code that may.
    bool is_disturbed_from_within(const statement& reading) const {
        if (reading.what != action::acquire || !reading.is_read || !names_sequence(reading))
            return false;
        bool is_disturbed = false;
        for (const block& inner : reading.blocks)
            for_each_statement(inner, [&](const statement& step) {
                is_disturbed =
                    is_disturbed || step.what == action::queue || step.what == action::arm ||
                    step.what == action::put ||
                    detail::row_of(step.what).has(detail::traits::zone) ||
                    (step.what == action::acquire && !step.is_read && names_sequence(step));
            });
        return is_disturbed;
    }
    bool names_sequence(const statement& step) const {
        const declaration* const object = names_.object(step.on.name);
        return object != nullptr && is_sequence_lock(*object);
    }
    /// Whoever only waits for a lock goes the same ways whether it is given back sooner or later.
    std::uint64_t use_of(const statement& step, const std::string& name) const {
        if (step.what == action::release && !is_tried(name)) return 0;
        if (step.what == action::acquire && &name == &step.other.name) return 0;  // a nest lock
        return step.what == action::acquire && step.is_read ? read_bit_of(name)
                                                            : write_bit_of(name);
    }
    static bool is_nothing_but_locks(const declaration& each) noexcept {
        switch (each.what) {
            case declares::lock: return each.kind != lock_sort::ww_mutex && !is_sequence(each.kind);
            case declares::counter: return each.is_local;
            case declares::thread:
            case declares::order:
            case declares::expect: return true;
            default: return false;
        }
    }
    static bool is_sequence_lock(const declaration& each) noexcept {
        return each.what == declares::lock && is_sequence(each.kind);
    }
    static bool is_reclaimer(declares what) noexcept {
        return what == declares::shrinker || what == declares::notifier;
    }
    static bool is_served(declares what) noexcept { return what != declares::thread; }
    static bool never_fails(const gfp_flags& flags) noexcept {
        constexpr std::size_t nofail = place_among("NOFAIL", gfp_modifier_words);
        return (flags.modifiers >> nofail & 1U) != 0;
    }
    std::size_t place_of(const declaration& object) const noexcept {
        return static_cast<std::size_t>(&object - all_.all.data());
    }

    /// The class that is named, else that of the first object taken with the ticket.
    std::string ticket_class_of(const block& in, const statement& beginning) const {
        for (const declaration& each : all_.all)
            if (each.what == declares::lock && each.kind == lock_sort::ww_mutex &&
                class_of(each) == beginning.class_name)
                return class_text(each);
        std::string text;
        for_each_statement(in, [&](const statement& step) {
            if (text.empty() && step.what == action::acquire &&
                step.ticket.name == beginning.on.name)
                text = class_text(*names_.object(step.on.name));
        });
        return text.empty() ? "tickets of nothing" : text;
    }

    const name_table names_;
    const document& all_;
    std::unordered_map<const std::string*, std::size_t> places_;  // by where a name stands
    std::unordered_map<const block*, use_of_block> blocks_;
    std::set<std::string> synced_;
    std::set<std::string> tried_;
    std::set<std::string> joined_;
    std::set<std::string> wait_die_;
    std::map<const statement*, std::string> ticket_classes_;
    std::uint64_t objects_in_reclaim_ = 0;
    bool has_locks_alone_ = true;
    bool has_zone_ = false;
    bool has_loops_of_types_ = false;
    bool has_interrupts_ = false;
    bool has_interrupting_items_ = false;
    bool has_processors_ = false;
    bool has_sequences_ = false;
    bool has_wait_queues_ = false;
    bool allocates_for_ever_ = false;
    bool has_loops_ = false;
    bool has_contexts_in_line_ = false;
    bool needs_zone_ = false;
    bool needs_signalling_ = false;
    bool has_invalidate_ = false;
};

}  // namespace wedge::scenario
