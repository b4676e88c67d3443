// Runs the blocks of a scenario over the ordinary locks and roles, statement by statement.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "wedge/core/scopes.hpp"
#include "wedge/scenario/sync_steps.hpp"

namespace wedge::scenario {

/// What a statement needs of other parts of the scenario.
class neighbours {
public:
    virtual void join(const std::string& thread, site where) = 0;
    virtual void queue(const std::string& work, site where) = 0;
    virtual void flush(const std::string& work, site where) = 0;
    virtual void cancel(const std::string& work, site where) = 0;
    /// Runs the notifiers, as an invalidation does.
    virtual void invalidate(site where) = 0;
    /// Takes a step if there are handlers, so that they may come before a statement that is no
    /// step.
    virtual void step_if_interrupted(site where) = 0;

protected:
    ~neighbours() = default;
};

/// Runs the statements of blocks in the current task.
class interpreter final : public detail::sync_steps {
public:
    /// @param walk  the order pass; null: everything really happens
    interpreter(const document& all, const object_uses& uses, world& in, neighbours& beside,
                walk_guide* walk)
        : sync_steps(all.path, uses, in, walk), beside_(beside) {
        for (const declaration& each : all.all)
            if (has_body(each.what)) names_[&each] = detail::interned(each.name);
    }

    /// Runs a thread's or another block to its end.
    void run(const declaration& what, actor& who) {
        frame here(who, names_.find(&what)->second);
        if (run(what.body, here) == flow::failed) release_taken(here, failure_of(here));
    }

private:
    using flow = detail::flow;
    using frame = detail::frame;

    flow run(const block& in, frame& here) override {
        std::vector<std::uint64_t>& path = here.who.path;
        std::vector<std::uint64_t>& ahead = here.who.ahead;
        const std::uint64_t outside = ahead.empty() ? 0 : ahead.back();
        const object_uses::use_of_block& known = uses_.in_block(in);
        path.push_back(0);
        ahead.push_back(0);
        flow left = flow::next;
        for (std::size_t i = 0; i < in.body.size() && left == flow::next; ++i) {
            path.back() = known.number << 32 | i;
            ahead.back() = outside | known.objects_from[i];
            left = begin_statement() ? run(in.body[i], here) : flow::given_up;
        }
        path.pop_back();
        ahead.pop_back();
        return left;
    }

    flow run(const statement& each, frame& here) {
        const site where = at(here, each);
        switch (each.what) {
            case action::acquire: return acquire(each, here);
            case action::release: release(each, here); break;
            case action::might_lock:
            case action::downgrade:
            case action::assert_held:
            case action::pin:
            case action::unpin:
            case action::init:
            case action::sync: hygiene(each, here); break;
            case action::ticket_begin: begin_ticket(each, here); break;
            case action::ticket_done:
            case action::ticket_end: finish_ticket(each, here); break;
            case action::transaction: return transaction(each, here);
            case action::alloc: return alloc(each, here);
            case action::free:
                if (walk_ == nullptr)
                    world_.zone().free(static_cast<std::uint32_t>(each.number), where);
                break;
            case action::might_alloc: world_.zone().might_alloc(flags_of(each.gfp), where); break;
            case action::reclaim:
                if (walk_ != nullptr)
                    world_.zone().might_alloc(gfp_kernel, where);
                else
                    world_.zone().reclaim(gfp_kernel, where);
                break;
            case action::scope: {
                constexpr std::uint8_t bits[] = {scope::nofs, scope::noio, scope::noreclaim};
                const alloc_scope inside(bits[each.scopes]);
                return run(each.blocks[0], here);
            }
            case action::set: change(each, here, false); break;
            case action::add: change(each, here, true); break;
            case action::assert_that: assert_that(each, here); break;
            case action::if_that: return branch(each, here, holds(each, here));
            case action::if_held: return branch(each, here, sees_held(each, here));
            case action::while_that: return loop(each, here);
            case action::until: until(each, here); break;
            case action::yield: step_on(step::yield, nullptr, nullptr, where); break;
            case action::progress: progress(); break;
            case action::break_loop: return flow::broken;
            case action::return_run: return flow::returned;
            case action::repeat: return repeat(each, here);
            case action::choose:
                return run(each.blocks[wedge::choose(static_cast<std::uint32_t>(each.blocks.size()),
                                                     "a branch")],
                           here);
            case action::wait: return wait(each, here);
            case action::notify: notify(each, here); break;
            case action::signal: signal(each, here); break;
            case action::signalling: return signalling(each, here);
            case action::complete: complete(each, here); break;
            case action::down: world_.semaphore(each.on.name).down(where); break;
            case action::up: world_.semaphore(each.on.name).up(where); break;
            case action::join: beside_.join(each.on.name, where); break;
            case action::queue: beside_.queue(each.on.name, where); break;
            case action::flush: beside_.flush(each.on.name, where); break;
            case action::cancel: beside_.cancel(each.on.name, where); break;
            case action::invalidate: beside_.invalidate(where); break;
            case action::interrupt: return interrupt(each, here);
            case action::mask: mask(each, here); break;
        }
        return flow::next;
    }

    void step_if_interrupted(site where) override { beside_.step_if_interrupted(where); }

    /// Begins a statement; returns false if the execution is given up. That ends runs without
    /// visible steps too.
    bool begin_statement() {
        if (walk_ != nullptr) {
            walk_->count_statement();
            return true;
        }
        return !current().runtime->is_giving_up();
    }

    static gfp flags_of(const gfp_flags& flags) {
        constexpr gfp bases[] = {gfp_kernel, gfp_nofs, gfp_noio, gfp_nowait, gfp_atomic};
        constexpr gfp modifiers[] = {gfp::noretry, gfp::retry_mayfail, gfp::nofail, gfp::nolockdep};
        gfp all = bases[static_cast<std::size_t>(flags.base)];
        for (std::size_t i = 0; i < std::size(modifiers); ++i)
            if ((flags.modifiers >> i & 1U) != 0) all = all | modifiers[i];
        return all;
    }
    flow alloc(const statement& each, frame& here) {
        const gfp asked = flags_of(each.gfp);
        const site where = at(here, each);
        bool is_given = true;
        if (walk_ == nullptr) {
            is_given = world_.zone().alloc(static_cast<std::uint32_t>(each.number), asked, where);
        } else {
            world_.zone().might_alloc(asked, where);
            if (!each.blocks.empty()) is_given = answered();
        }
        if (is_given || each.blocks.empty()) return flow::next;
        return run(each.blocks[0], here);
    }

    /// Takes a visible step that touches the counters and does nothing. For two shared counters
    /// only the footprint of a step that touches everything fits.
    static void step_on(step what, counter* a, counter* b, site where, mode how = mode::exclusive) {
        task& self = current();
        if (a != nullptr && a->is_local) a = nullptr;
        if (b != nullptr && b->is_local) b = nullptr;
        if (a == nullptr) std::swap(a, b);
        operation next{.what = what, .how = how, .where = where};
        if (a != nullptr) next.lock = &a->identity;
        if (b != nullptr && b != a) next.what = step::spawn;
        self.runtime->perform(self, next);
    }
    counter* counter_of(const operand& from) {
        return from.counter.empty() ? nullptr : &world_.number(from.counter);
    }
    std::int64_t value_of(const std::string& name, const counter& from, const frame& here) const {
        if (!from.is_local) return from.value.load(std::memory_order_relaxed);
        const auto own = here.who.locals.find(name);
        if (own != here.who.locals.end()) return own->second;
        return from.value.load(std::memory_order_relaxed);
    }
    std::int64_t value(const operand& from, const frame& here) {
        if (from.counter.empty()) return from.number;
        return value_of(from.counter, world_.number(from.counter), here);
    }

    void change(const statement& each, frame& here, bool is_sum) {
        counter& target = world_.number(each.on.name);
        step_on(step::access, &target, counter_of(each.right), at(here, each));
        const std::int64_t by = value(each.right, here);
        const std::int64_t now = is_sum ? sum(value_of(each.on.name, target, here), by) : by;
        if (target.is_local)
            here.who.locals[each.on.name] = now;
        else
            target.value.store(now, std::memory_order_relaxed);
    }
    /// Adds. Counters stay within their range, since they could double forever.
    static std::int64_t sum(std::int64_t a, std::int64_t b) noexcept {
        constexpr std::int64_t most = std::int64_t{1} << 60;
        const std::int64_t all = a + b;
        return all > most ? most : all < -most ? -most : all;
    }

    /// @param what  the visible step: of memory, or a yield that looks at it
    bool compare(const statement& each, frame& here, step what = step::access) {
        step_on(what, counter_of(each.left), counter_of(each.right), at(here, each), mode::shared);
        return is_true(each, value(each.left, here), value(each.right, here));
    }
    static bool is_true(const statement& each, std::int64_t a, std::int64_t b) noexcept {
        switch (each.compared) {
            case comparison::equal: return a == b;
            case comparison::unequal: return a != b;
            case comparison::less: return a < b;
            case comparison::greater: break;
        }
        return a > b;
    }
    bool holds(const statement& each, frame& here) {
        if (walk_ == nullptr) return compare(each, here);
        return is_constant(each) ? is_true(each, each.left.number, each.right.number) : answered();
    }
    static bool is_constant(const statement& each) noexcept {
        return each.left.counter.empty() && each.right.counter.empty();
    }
    bool sees_held(const statement& each, frame& here) {
        if (walk_ != nullptr) return answered();
        step_if_interrupted(at(here, each));
        return is_held(each, here);
    }
    void assert_that(const statement& each, frame& here) {
        if (walk_ != nullptr || compare(each, here)) return;
        throw error("the assertion at " + wedge::to_string(at(here, each)) + " does not hold");
    }

    flow loop(const statement& each, frame& here) {
        constexpr unsigned walked = 2;  // 0, 1 and 2 times
        for (unsigned i = 0; walk_ == nullptr || i < walked; ++i) {
            if (!holds(each, here)) return flow::next;
            const flow left = run(each.blocks[0], here);
            if (left == flow::broken) return flow::next;
            if (left != flow::next) return left;
            if (!begin_statement()) return flow::given_up;
        }
        if (is_constant(each)) walk_->never_ends();
        return flow::next;
    }
    void until(const statement& each, frame& here) {
        if (walk_ != nullptr && is_constant(each) &&
            !is_true(each, each.left.number, each.right.number))
            walk_->never_ends();
        if (walk_ != nullptr) return;
        while (!compare(each, here, step::yield) && begin_statement()) continue;
    }
    /// Runs a loop. A round without a visible step counts as a step, so that every run is bounded.
    flow repeat(const statement& each, frame& here) {
        constexpr std::int64_t walked = 2;
        const std::int64_t times = walk_ == nullptr ? each.number : std::min(each.number, walked);
        flow left = flow::next;
        for (std::int64_t i = 0; i < times && left == flow::next; ++i) {
            here.who.path.push_back(static_cast<std::uint64_t>(i));
            left = run(each.blocks[0], here);
            if (left == flow::next) {
                if (!begin_statement())
                    left = flow::given_up;
                else if (!has_visible(each.blocks[0]))
                    step_on(step::yield, nullptr, nullptr, at(here, each));
            }
            here.who.path.pop_back();
        }
        return left == flow::broken ? flow::next : left;
    }
    /// Returns whether every way through the block has a visible step, by a rough look.
    bool has_visible(const block& in) const {
        return std::any_of(in.body.begin(), in.body.end(), [&](const statement& each) {
            switch (each.what) {
                case action::release:
                    return uses_.names().object(each.on.name)->kind != lock_sort::map;
                case action::set:
                case action::add:
                case action::assert_that:
                case action::if_that:
                case action::while_that:
                case action::until:
                case action::yield:
                case action::notify:
                case action::signal:
                case action::complete:
                case action::up: return true;
                default: return false;
            }
        });
    }

    neighbours& beside_;
    std::map<const declaration*, const char*> names_;  // of blocks, for sites
};

}  // namespace wedge::scenario
