// What each statement does, to the locks of a world.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "wedge/scenario/world.hpp"
#include "wedge/task/scopes.hpp"

namespace wedge::scenario {

/// The order pass: tests are not made, but answered; statements are counted.
class walk_guide {
public:
    /// @throws anything  when the path is too long
    virtual void count_statement() = 0;

protected:
    ~walk_guide() = default;
};

/// One task that runs blocks: a thread, or kswapd.
struct actor {
    std::uint32_t copy = 0;
    std::map<std::string, std::int64_t> locals;
};

/// Runs the statements of blocks in the current task.
class interpreter {
public:
    /// @param first_copy  the ordinal of each thread's first copy, by name
    /// @param walk  null: everything really happens
    interpreter(const document& all, world& in, const std::map<std::string, std::uint32_t>& first,
                walk_guide* walk)
        : names_(all), world_(in), first_copy_(first), walk_(walk) {
        // The last part only: a signature must not depend on where the tool was called.
        file_ = detail::interned(all.path.substr(all.path.find_last_of('/') + 1));
    }

    /// One run of a thread's or shrinker's block, to its end.
    void run(const declaration& what, actor& who) {
        frame here{who, detail::interned(what.name)};
        if (run(what.body, here) != flow::failed) return;
        const site where = at(here, here.failed_at);
        while (!here.taken.empty()) {
            const hold last = here.taken.back();
            here.taken.pop_back();
            last.lock->release(last.is_read, where);
        }
    }

    site at(const declaration& what) const {
        return {file_, detail::interned(what.name), what.at.line};
    }

private:
    enum class flow : std::uint8_t { next, broken, returned, failed };

    struct hold {
        any_lock* lock;
        bool is_read;
    };
    struct frame {
        actor& who;
        const char* function;
        std::vector<hold> taken{};  // in this run and not released
        place failed_at{};
    };

    site at(const frame& here, place where) const { return {file_, here.function, where.line}; }
    site at(const frame& here, const statement& each) const { return at(here, each.at); }

    flow run(const block& in, frame& here) {
        for (const statement& each : in.body)
            if (const flow left = run(each, here); left != flow::next) return left;
        return flow::next;
    }

    flow run(const statement& each, frame& here) {
        begin_statement();
        const site where = at(here, each);
        switch (each.what) {
            case action::acquire: return acquire(each, here);
            case action::release: release(each, here); break;
            case action::downgrade: downgrade(each, here); break;
            case action::alloc: return alloc(each, here);
            case action::free:
                if (walk_ == nullptr)
                    world_.zone().free(static_cast<std::uint32_t>(each.number), where);
                break;
            case action::might_alloc: touch_reclaim(flags_of(each.gfp), where); break;
            case action::might_lock: lock_of(each, here).might_acquire(each.is_read, where); break;
            case action::reclaim:
                if (walk_ != nullptr)
                    touch_reclaim(gfp_kernel, where);
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
            case action::if_held: return branch(each, here, is_held(each, here));
            case action::while_that: return loop(each, here);
            case action::until: until(each, here); break;
            case action::yield: step_on(nullptr, nullptr, where); break;
            case action::progress: progress(); break;
            case action::break_loop: return flow::broken;
            case action::return_run: return flow::returned;
            case action::repeat: return repeat(each, here);
            case action::choose:
                return run(each.blocks[wedge::choose(static_cast<std::uint32_t>(each.blocks.size()),
                                                     "a branch")],
                           here);
            case action::wait: return wait(each, here);
            case action::notify: notify(each, where); break;
            case action::join: join(each, where); break;
        }
        return flow::next;
    }

    /// A run without visible steps must end too, when its execution is given up.
    void begin_statement() {
        if (walk_ != nullptr) return walk_->count_statement();
        const task& self = current();
        if (self.runtime != nullptr && self.runtime->is_giving_up()) throw abandoned{};
    }

    any_lock& lock_of(const statement& each, const frame& here) {
        return world_.lock(each.on, here.who.copy);
    }

    flow acquire(const statement& each, frame& here) {
        any_lock& lock = lock_of(each, here);
        const site where = at(here, each);
        bool is_taken = true;
        if (each.is_tried)
            is_taken = lock.try_acquire(each.is_read, where);
        else if (each.is_timed)
            is_taken = lock.acquire_timed(each.is_read, where);
        else
            lock.acquire(each.is_read, {nullptr, static_cast<std::uint8_t>(each.number)}, where);
        if (is_taken) here.taken.push_back({&lock, each.is_read});
        if (!each.blocks.empty()) return branch(each, here, is_taken);
        if (is_taken) return flow::next;
        here.failed_at = each.at;
        return flow::failed;
    }

    void release(const statement& each, frame& here) {
        any_lock& lock = lock_of(each, here);
        bool is_read = false;
        if (const held_lock* const mine = current().held.find(lock.identity().instance()))
            is_read = is_shared(mine->how);
        lock.release(is_read, at(here, each));
        for (std::size_t i = here.taken.size(); i-- > 0;) {
            if (here.taken[i].lock != &lock) continue;
            here.taken.erase(here.taken.begin() + static_cast<std::ptrdiff_t>(i));
            break;
        }
    }

    void downgrade(const statement& each, frame& here) {
        any_lock& lock = lock_of(each, here);
        lock.downgrade(at(here, each));
        for (hold& mine : here.taken)
            if (mine.lock == &lock) mine.is_read = true;
    }

    static gfp flags_of(const gfp_flags& flags) {
        constexpr gfp bases[] = {gfp_kernel, gfp_nofs, gfp_noio, gfp_nowait, gfp_atomic};
        constexpr gfp modifiers[] = {gfp::noretry, gfp::retry_mayfail, gfp::nofail, gfp::nolockdep};
        gfp all = bases[static_cast<std::size_t>(flags.base)];
        for (std::size_t i = 0; i < std::size(modifiers); ++i)
            if ((flags.modifiers >> i & 1U) != 0) all = all | modifiers[i];
        return all;
    }
    void touch_reclaim(gfp asked, site where) {
        if (walk_ != nullptr)
            world_.order().touch(asked, where);
        else
            world_.zone().might_alloc(asked, where);
    }

    flow alloc(const statement& each, frame& here) {
        const gfp asked = flags_of(each.gfp);
        const site where = at(here, each);
        bool is_given = true;
        if (walk_ == nullptr) {
            is_given = world_.zone().alloc(static_cast<std::uint32_t>(each.number), asked, where);
        } else {
            touch_reclaim(asked, where);
            if (!each.blocks.empty()) is_given = answered();
        }
        if (is_given || each.blocks.empty()) return flow::next;
        return run(each.blocks[0], here);
    }

    /// In the order pass both answers are walked.
    static bool answered() { return wedge::choose(2, "both branches") == 0; }

    /// The first block, or the one behind `else`, if there is one.
    flow branch(const statement& each, frame& here, bool is_first) {
        if (is_first) return run(each.blocks[0], here);
        return each.blocks.size() > 1 ? run(each.blocks[1], here) : flow::next;
    }

    /// One visible step that touches the counters and does nothing. Two shared counters in one
    /// step fit no footprint but that of a step which touches everything.
    static void step_on(counter* a, counter* b, site where) {
        task& self = current();
        if (self.runtime == nullptr) return;
        if (a != nullptr && a->is_local) a = nullptr;
        if (b != nullptr && b->is_local) b = nullptr;
        if (a == nullptr) std::swap(a, b);
        operation next{.what = step::yield, .where = where};
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
        step_on(&target, counter_of(each.right), at(here, each));
        const std::int64_t by = value(each.right, here);
        const std::int64_t now = is_sum ? sum(value_of(each.on.name, target, here), by) : by;
        if (target.is_local)
            here.who.locals[each.on.name] = now;
        else
            target.value.store(now, std::memory_order_relaxed);
    }
    /// Counters stay at the ends of their range: they could double for ever.
    static std::int64_t sum(std::int64_t a, std::int64_t b) noexcept {
        constexpr std::int64_t most = std::int64_t{1} << 60;
        const std::int64_t all = a + b;
        return all > most ? most : all < -most ? -most : all;
    }

    bool compare(const statement& each, frame& here) {
        step_on(counter_of(each.left), counter_of(each.right), at(here, each));
        const std::int64_t a = value(each.left, here);
        const std::int64_t b = value(each.right, here);
        switch (each.compared) {
            case comparison::equal: return a == b;
            case comparison::unequal: return a != b;
            case comparison::less: return a < b;
            case comparison::greater: break;
        }
        return a > b;
    }
    bool holds(const statement& each, frame& here) {
        return walk_ != nullptr ? answered() : compare(each, here);
    }
    bool is_held(const statement& each, frame& here) {
        if (walk_ != nullptr) return answered();
        step_on(nullptr, nullptr, at(here, each));
        return current().held.find(lock_of(each, here).identity().instance()) != nullptr;
    }
    void assert_that(const statement& each, frame& here) {
        if (walk_ != nullptr || compare(each, here)) return;
        throw error("the assertion at " + wedge::to_string(at(here, each)) + " does not hold");
    }

    flow loop(const statement& each, frame& here) {
        constexpr unsigned walked = 2;  // 0, 1 and 2 times
        for (unsigned i = 0; walk_ == nullptr || i < walked; ++i) {
            if (!holds(each, here)) break;
            const flow left = run(each.blocks[0], here);
            if (left == flow::broken) break;
            if (left != flow::next) return left;
            begin_statement();
        }
        return flow::next;
    }
    void until(const statement& each, frame& here) {
        if (walk_ != nullptr) return;
        while (!compare(each, here)) begin_statement();
    }
    /// A time round that has no visible step counts as one, so that every run is bounded.
    flow repeat(const statement& each, frame& here) {
        constexpr std::int64_t walked = 2;
        const std::int64_t times = walk_ == nullptr ? each.number : std::min(each.number, walked);
        for (std::int64_t i = 0; i < times; ++i) {
            const flow left = run(each.blocks[0], here);
            if (left == flow::broken) break;
            if (left != flow::next) return left;
            begin_statement();
            if (!has_visible(each.blocks[0])) step_on(nullptr, nullptr, at(here, each));
        }
        return flow::next;
    }
    static bool has_visible(const block& in) {
        for (const statement& each : in.body) {
            if (each.what == action::repeat || each.what == action::choose ||
                each.what == action::scope || each.what == action::might_alloc ||
                each.what == action::might_lock || each.what == action::progress ||
                each.what == action::alloc || each.what == action::free ||
                each.what == action::reclaim)
                continue;
            return true;
        }
        return false;
    }

    flow wait(const statement& each, frame& here) {
        any_lock& lock = world_.lock(each.other, here.who.copy);
        const bool is_notified = lock.wait(world_.waiting(each.on), each.is_timed, at(here, each));
        if (is_notified || each.blocks.empty()) return flow::next;
        return run(each.blocks[0], here);
    }
    void notify(const statement& each, site where) {
        if (each.is_all)
            world_.waiting(each.on).notify_all(where);
        else
            world_.waiting(each.on).notify_one(where);
    }
    void join(const statement& each, site where) {
        task& self = current();
        if (self.runtime == nullptr) return;
        const std::uint32_t first = first_copy_.find(each.on.name)->second;
        for (std::uint32_t i = 0; i < names_.task(each.on.name)->count; ++i) {
            wedge::detail::emit(self,
                                {.kind = event_kind::join, .payload = first + i, .where = where});
            self.runtime->perform(self, {.what = step::join, .other = first + i, .where = where});
        }
    }

    const name_table names_;
    world& world_;
    const std::map<std::string, std::uint32_t>& first_copy_;
    walk_guide* const walk_;
    const char* file_ = "";
};

}  // namespace wedge::scenario
