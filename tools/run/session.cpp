#include "run/session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <unwind.h>

#include "wedge/implement/classes.hpp"
#include "wedge/order/checker.hpp"

#include "run/control.hpp"
#include "run/native_state.hpp"
#include "run/private_memory.hpp"
#include "run/raw_report.hpp"
#include "run/recorder.hpp"
#include "run/replay.hpp"

namespace wedge::run {

constinit thread_local thread_state me;
constinit run_plan plan;

[[gnu::visibility("hidden")]] extern const char library_end[] __asm__("_end");  // by the linker

namespace {

constexpr std::size_t stack_depth_max = call_stack_max;

/// Steps over the stack by the unwind tables, which packages have where they lack frame pointers.
struct unwinding {
    std::uintptr_t* to;
    std::size_t count;
    std::size_t most;
    std::size_t skipped;
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* data) {
    auto& walk = *static_cast<unwinding*>(data);
    const auto address = static_cast<std::uintptr_t>(_Unwind_GetIP(context));
    if (address == 0) return _URC_END_OF_STACK;
    if (walk.skipped != 0) {
        --walk.skipped;
        return _URC_NO_REASON;
    }
    walk.to[walk.count++] = address;
    return walk.count == walk.most ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/// Returns the number of addresses written.
[[gnu::noinline]] std::size_t unwind(std::uintptr_t* to, std::size_t most) noexcept {
    unwinding walk{to, 0, most, 1};
    _Unwind_Backtrace(&take_frame, &walk);
    return walk.count;
}

/// The library's own code, which no stack shows.
bool is_own_code(std::uintptr_t address) noexcept {
    static const std::uintptr_t base = [] {
        Dl_info own{};
        ::dladdr(reinterpret_cast<void*>(&is_own_code), &own);
        return reinterpret_cast<std::uintptr_t>(own.dli_fbase);
    }();
    return address >= base && address < reinterpret_cast<std::uintptr_t>(library_end);
}

/// Returns the calls outside of the library, innermost first.
call_stack stack_outside() {
    std::array<std::uintptr_t, stack_depth_max> frames{};
    const std::size_t count = unwind(frames.data(), frames.size());
    call_stack outside;
    for (std::size_t i = 0; i < count; ++i)
        if (!is_own_code(frames[i])) outside.push_back(reinterpret_cast<const void*>(frames[i]));
    return outside;
}

class gate;

/// What the process knows. Made by its first hook and never destroyed.
struct session {
    std::string directory;
    run_counters* counters = nullptr;
    raw_report report;
    std::vector<class_origin> origins;
    std::unordered_map<std::uint64_t, std::uint32_t> classes;  // by a hash of the origin
    std::unordered_map<const void*, std::pair<std::uint8_t, unsigned>> kinds;  // number, threads
    std::atomic<std::uint32_t> threads{0};
    std::atomic_flag busy = ATOMIC_FLAG_INIT;  // for all above
    std::size_t class_depth = 5;
    ::pthread_key_t end_key{};
    gate* alone = nullptr;     // hears the only thread
    gate* together = nullptr;  // hears all threads, from the start of the second one on
    std::atomic<gate*> now{nullptr};
    bool is_fork_of_many = false;  // the process that is about to fork has several threads
};

session* the = nullptr;

class turn {
public:
    turn() noexcept { begin(); }
    ~turn() { end(); }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    static void begin() noexcept {
        while (the->busy.test_and_set(std::memory_order_acquire)) ::syscall(SYS_sched_yield);
    }
    static void end() noexcept { the->busy.clear(std::memory_order_release); }
};

/// Copies memory that may be unmapped. Where the system call is missing (in emulators and
/// sandboxes), the memory is taken to be there.
bool read_safely(const void* from, void* to, std::size_t size) noexcept {
    const iovec target{to, size};
    const iovec source{const_cast<void*>(from), size};
    if (::process_vm_readv(::getpid(), &target, 1, &source, 1, 0) == static_cast<ssize_t>(size))
        return true;
    if (errno == EFAULT) return false;
    std::memcpy(to, from, size);
    return true;
}

const void* address_of_lock(const lock_identity* lock) noexcept {
    const auto* const memory = reinterpret_cast<const unsigned char*>(lock);
    const auto* const record =
        reinterpret_cast<const lock_record*>(memory - offsetof(lock_record, memory));
    return record->address.load(std::memory_order_relaxed);
}

/// Returns whether the C library agrees that this thread may hold the lock. Another thread may have
/// released it, or its memory may be gone.
bool is_still_held(const held_lock& hold, int self = ::gettid()) noexcept {
    const void* const address = address_of_lock(hold.lock);
    if (address == nullptr || hold.lock->instance() != hold.instance) return false;
    switch (hold.lock->kind()) {
        case lock_kind::mutex:
        case lock_kind::recursive_mutex: {
            pthread_mutex_t native;
            return read_safely(address, &native, sizeof native) && native.__data.__owner == self;
        }
        case lock_kind::rwlock: {
            pthread_rwlock_t native;
            if (!read_safely(address, &native, sizeof native)) return false;
            return is_shared(hold.how) || native.__data.__cur_writer == self;
        }
        default: return true;
    }
}

/// Stands between the tasks and a checker, and hears only what the checker has not validated. It
/// compares the task's holds with the C library's view first.
class gate final : public sink {
public:
    gate(checker& to, bool is_alone)
        : sink(reader::order, to.validated()), to_(to), is_alone_(is_alone) {}

    void on(task& self, const event& step) noexcept override {
        // A trylock comes here every time; an acquire that waits comes for a new chain only.
        if (step.kind == event_kind::try_acquired) {
            self.chain = validated()->key.of_step(self, step);
            if (validated()->known.contains(self.chain)) return;
        }
        const int saved = errno;
        if (step.kind == event_kind::released) {
            const bool is_held = self.held.find(step.instance) != nullptr;
            if (is_held || !is_missed(step)) to_.on(self, step);
            if (!is_held) judge_again();
        } else {
            drop_stale(self);
            to_.on(self, step);
            if (!to_.findings().empty()) judge_again();
            the->counters->edges.store(to_.graph().edges(), std::memory_order_relaxed);
        }
        errno = saved;
    }

    checker& target() noexcept { return to_; }

    /// Reports findings again whose grade has changed: a claim that was made early no longer holds.
    void judge_again() noexcept;

private:
    static void drop_stale(task& self) {
        bool is_changed = false;
        for (std::size_t i = self.held.size(); i-- > 0;) {
            if (self.held[i].lock->kind() == lock_kind::map || is_still_held(self.held[i]))
                continue;
            self.held.erase(&self.held[i]);
            is_changed = true;
        }
        // A key of 0 makes the checker compute all keys again.
        if (is_changed)
            for (held_lock& hold : self.held) hold.chain = 0;
    }

    /// Returns whether the thread holds the lock by an acquire that no hook saw: in a signal
    /// handler that came during a hook.
    static bool is_missed(const event& step) noexcept {
        held_lock claimed;
        claimed.lock = step.lock;
        claimed.instance = step.instance;
        claimed.how = step.how;
        return step.lock->kind() != lock_kind::spinlock && is_still_held(claimed);
    }

    checker& to_;
    const bool is_alone_;
    struct claim {
        grade graded;
        std::uint8_t kind = 0;  // of the thread that ran into it
        bool is_only_thread = false;
    };
    std::vector<claim> reported_;  // of the checker's findings, in their order
};

/// Returns whether at most one thread of this kind was started.
bool is_only_thread(std::uint8_t of_kind) noexcept {
    const turn mine;
    for (const auto& [start, kind] : the->kinds)
        if (kind.first == of_kind) return kind.second < 2;
    return true;
}

bool has_weaker_claims(const grade& now, const grade& before) noexcept {
    return now.guard != before.guard || now.one_task != before.one_task ||
           now.class_only != before.class_only;
}

void gate::judge_again() noexcept {
    std::vector<std::pair<finding, bool>> changed;
    to_.before_fork();  // the checker's turn
    const std::vector<finding>& all = to_.findings();
    for (std::size_t i = 0; i < all.size(); ++i) {
        finding again = all[i];
        to_.regrade(again);
        const bool is_new = i == reported_.size();
        if (is_new) reported_.push_back({{}, me.kind, false});
        claim& before = reported_[i];
        const claim now{again.graded, before.kind, is_only_thread(before.kind)};
        if (!is_new && now.is_only_thread == before.is_only_thread &&
            !has_weaker_claims(now.graded, before.graded))
            continue;
        before = now;
        changed.emplace_back(std::move(again), now.is_only_thread);
    }
    to_.after_fork();
    for (auto& [found, is_only] : changed) {
        if (found.cycle.empty()) found.stack = stack_outside();
        const turn mine;
        the->report.add(found, the->origins, is_alone_, is_only);
    }
    the->counters->findings.fetch_add(changed.size(), std::memory_order_relaxed);
}

/// Returns the class of an origin; makes it if it is new.
lock_class class_of(class_origin&& origin) {
    std::uint64_t key = static_cast<unsigned char>(origin.how);
    for (const std::uintptr_t each : origin.addresses) key = combine(key, each);
    const turn mine;
    std::uint32_t& known = the->classes[key];
    if (known == 0) {
        // Only this function makes classes, so the next number is known.
        const std::string name = "{" + std::to_string(detail::classes().size() + 1) + "}";
        known = lock_class(name.c_str()).id();
        if (the->origins.size() <= known) the->origins.resize(known + 1);
        the->origins[known] = std::move(origin);
        the->counters->classes.fetch_add(1, std::memory_order_relaxed);
    }
    return lock_class::from_id(known);
}

class_origin origin_of(const void* address, made_by how, bool& is_on_heap) {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    class_origin origin;
    {
        const turn mine;
        is_on_heap = the->report.modules().find(place) == nullptr;
    }
    if (!is_on_heap) {
        origin.how = how == made_by::once ? 'o' : 'a';
        origin.addresses = {place};
        return origin;
    }
    // Each future has a once flag, so flags on the heap are no classes of their own.
    origin.how = how == made_by::once ? 'p' : how == made_by::init ? 'i' : 'u';
    for (const void* call : stack_outside()) {
        if (origin.addresses.size() == the->class_depth) break;
        origin.addresses.push_back(reinterpret_cast<std::uintptr_t>(call));
    }
    return origin;
}

task& make_task(std::uint32_t ordinal) {
    task* const made = new task;
    made->ordinal = ordinal;
    made->name = ordinal == 0 ? "main" : "thread " + std::to_string(ordinal);
    made->sink = the->now.load(std::memory_order_relaxed);
    made->random = rng(plan.seed * 0x9e3779b97f4a7c15U + made->ordinal);
    // No interrupt comes. The other two make chains of different start functions different, so
    // that the checker hears of each chain from each of them.
    made->contexts.irqs_are_off = true;
    made->contexts.hardirqs = made->contexts.threaded_hardirqs = me.kind;
    detail::current_task = made;
    me.self = made;
    the->counters->threads.fetch_add(1, std::memory_order_relaxed);
    if (plan.controls && me.slot == nullptr) enter_control();
    return *made;
}

}  // namespace

run_counters& counters_of_run() noexcept {
    return *the->counters;
}
call_stack stack_of_program() {
    return stack_outside();
}
bool is_held_natively(const held_lock& hold, int thread) noexcept {
    return is_still_held(hold, thread);
}

void report_deadlock(finding found, std::vector<call_stack> stacks) noexcept {
    {
        const turn mine;
        the->report.add(found, the->origins, false, false, stacks);
        the->counters->findings.fetch_add(1, std::memory_order_relaxed);
    }
    save_acquires();
    the->counters->ended.store(run_counters::deadlocked, std::memory_order_relaxed);
    flush_recorder();
    real._exit(run_counters::deadlock_status);
    __builtin_unreachable();
}

void save_acquires() noexcept {
    the->counters->acquires.fetch_add(me.acquires, std::memory_order_relaxed);
    the->counters->locks.store(locks.size(), std::memory_order_relaxed);
    me.acquires = 0;
}

namespace {

/// The destructor of a thread's key. Other destructors may still take locks, so it runs in the last
/// round of them.
void end_thread(void* value) {
    if (me.self == nullptr) return;
    if (++me.ends < PTHREAD_DESTRUCTOR_ITERATIONS) {
        ::pthread_setspecific(the->end_key, value);
        return;
    }
    const int saved = errno;
    if (is_controlled()) take_turn({.what = step::release});
    me.busy = true;
    const auto& own = detail::thread_stack();
    if (locks.has_heap_locks() && own.high != 0)
        locks.forget_range(reinterpret_cast<const void*>(own.low), own.high - own.low);
    detail::task_ended(*me.self);
    save_acquires();
    record_end(*me.self);
    if (me.slot != nullptr) leave_control();
    me.self->held.clear();
    detail::current_task = nullptr;
    delete me.self;
    me.self = nullptr;
    me.ended = true;
    me.busy = false;
    errno = saved;
}

void before_fork() {
    turn::begin();
    the->report.modules().update();
    the->is_fork_of_many = living_threads() > 1;
    locks.begin_writing();
    the->together->target().before_fork();
    the->alone->target().before_fork();
    lock_recorder();
    update_recorder();
    lock_control();
    lock_private_memory();
}
void after_fork() {
    unlock_private_memory();
    unlock_control();
    unlock_recorder();
    the->alone->target().after_fork();
    the->together->target().after_fork();
    locks.end_writing();
    turn::end();
}
void after_fork_in_child() {
    if (the->is_fork_of_many) module_map::freeze();
    after_fork();
    const std::uint64_t classes = the->counters->classes.load(std::memory_order_relaxed);
    the->counters = the->report.open(the->directory);
    the->counters->threads.store(1, std::memory_order_relaxed);
    // The child knows its parent's locks, so it knows their classes.
    the->counters->classes.store(classes, std::memory_order_relaxed);
    the->now.store(the->alone, std::memory_order_relaxed);
    fork_recorder(the->report.path());
    fork_control();
    if (me.self != nullptr) {
        me.self->sink = the->alone;
        me.acquires = 0;
    }
}

std::uint64_t number_in(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// Reads the plan that `wedge run` has put into the environment: NAME=VALUE, separated by `;`. The
/// directory comes last, because it may contain anything.
void read_plan(std::string_view text) {
    while (!text.empty()) {
        const std::size_t is = text.find('=');
        const std::string_view name = text.substr(0, is);
        std::string_view rest = is == text.npos ? std::string_view() : text.substr(is + 1);
        if (name == "dir") {
            the->directory = rest;
            return;
        }
        const std::size_t end = rest.find(';');
        const std::string_view value = rest.substr(0, end);
        if (name == "check") plan.checks = value == "1";
        if (name == "record") plan.records = value == "1";
        if (name == "seed") plan.seed = number_in(value);
        if (name == "delay") plan.delay_permille = static_cast<std::uint32_t>(number_in(value));
        if (name == "us") plan.delay_most_us = static_cast<std::uint32_t>(number_in(value));
        if (name == "control") plan.controls = value == "1";
        if (name == "strategy") plan.how = static_cast<strategy>(number_in(value));
        if (name == "pct") plan.depth = static_cast<std::uint32_t>(number_in(value));
        if (name == "steps") plan.steps_expected = static_cast<std::uint32_t>(number_in(value));
        if (name == "depth") the->class_depth = static_cast<std::size_t>(number_in(value));
        text = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    }
}

gate* make_gate(bool is_alone) {
    auto* const checks = new checker(evidence::classes);
    checks->keep_stacks(true);
    checks->nest_by_instance(true);
    return new gate(*checks, is_alone);
}

void make_session() {
    if (!real.has_all) find_real_functions();
    the = new session;
    the->origins.resize(1);
    const char* const asked = std::getenv("WEDGE_RUN");
    read_plan(asked == nullptr ? "" : asked);
    if (the->directory.empty()) the->directory = ".";
    the->counters = the->report.open(the->directory);
    stack_capturer.store(&stack_outside);
    the->alone = make_gate(true);
    the->together = make_gate(false);
    the->now = the->alone;
    detail::classes();  // its fork handlers come before ours
    for (const context each : {context::softirq, context::hardirq, context::nmi})
        detail::class_of(each);
    ::pthread_key_create(&the->end_key, &end_thread);
    start_control(the->directory);
    start_recorder(the->report.path());
    ::pthread_atfork(&before_fork, &after_fork, &after_fork_in_child);
}

}  // namespace

bool attach(std::uint32_t ordinal) noexcept {
    if (me.ended) return false;
    const int saved = errno;
    me.busy = true;
    static constinit std::atomic<int> stage{0};
    int none = 0;
    if (stage.load(std::memory_order_acquire) != 2) {
        if (!stage.compare_exchange_strong(none, 1)) {
            me.busy = false;
            return false;
        }
        make_session();
        stage.store(2, std::memory_order_release);
    }
    if (ordinal == 0) ordinal = the->threads.fetch_add(1, std::memory_order_relaxed);
    task& self = make_task(ordinal);
    if (ordinal != 0) ::pthread_setspecific(the->end_key, &self);
    me.busy = false;
    errno = saved;
    return true;
}

void begin_thread(const void* start, std::uint32_t ordinal) noexcept {
    if (!attach(ordinal)) return;
    const int saved = errno;
    me.busy = true;
    {
        const turn mine;
        auto& [number, count] = the->kinds[start];
        if (number == 0)
            number = static_cast<std::uint8_t>(std::min<std::size_t>(the->kinds.size(), 255));
        ++count;
        me.kind = number;
    }
    me.self->contexts.hardirqs = me.self->contexts.threaded_hardirqs = me.kind;
    char digits[20];
    const auto end =
        std::to_chars(digits, digits + sizeof digits, reinterpret_cast<std::uintptr_t>(start), 16)
            .ptr;
    me.self->name += " ({@" + std::string(digits, end) + "})";
    me.busy = false;
    errno = saved;
}

std::uint32_t note_new_thread() noexcept {
    if (the->now.load(std::memory_order_relaxed) != the->together) {
        the->now.store(the->together, std::memory_order_relaxed);
        me.self->sink = the->together;
        for (held_lock& hold : me.self->held) hold.chain = 0;
    }
    return the->threads.fetch_add(1, std::memory_order_relaxed);
}

lock_record& record_of_new(const void* address, lock_kind kind, made_by how) noexcept {
    const int saved = errno;
    bool is_on_heap = false;
    class_origin origin = origin_of(address, how, is_on_heap);
    const lock_class cls = class_of(std::move(origin));
    lock_record& made = locks.find_or_add(address, kind, cls, is_on_heap);
    the->counters->locks.store(locks.size(), std::memory_order_relaxed);
    errno = saved;
    return made;
}

void forget_lock(const void* address) noexcept {
    lock_record* const known = locks.find(address);
    if (known == nullptr) return;
    // A child of a fork initialises locks again that the parent's allocator held.
    if (held_lock* const mine = me.self->held.find(known->identity().instance())) {
        me.self->held.erase(mine);
        for (held_lock& hold : me.self->held) hold.chain = 0;
    }
    locks.forget(address);
}

void note_unloaded() noexcept {
    const turn mine;
    for (const module_part& part : the->report.modules().take_unloaded()) {
        locks.forget_range(reinterpret_cast<const void*>(part.begin), part.end - part.begin);
        std::erase_if(the->classes, [&](const auto& each) {
            for (const std::uintptr_t code : the->origins[each.second].addresses)
                if (code >= part.begin && code < part.end) return true;
            return false;
        });
    }
}

namespace {

/// Makes the session of a program that takes no lock before its main function.
[[gnu::constructor]] void begin_process() {
    if (me.self == nullptr && !me.busy) attach();
}

/// Runs after the program's own last functions.
[[gnu::destructor]] void end_process() {
    note_end_of_process();
}

}  // namespace

void note_end_of_process() noexcept {
    if (the == nullptr || me.busy || me.self == nullptr) return;
    me.busy = true;
    for (gate* const each : {the->alone, the->together}) each->judge_again();
    save_acquires();
    the->counters->ended.store(1, std::memory_order_relaxed);
    flush_recorder();
    me.busy = false;
}

}  // namespace wedge::run
