// TSan's own lock-order detector sees our locks, natively and under control. Of programs of mutexes
// whose tasks run one after the other it reports those whose orders make a circle, and so does the
// order checker, which also says that a common lock makes it harmless.
//
// ctest: tsan_sees_the_order_natively when=tsan exit=66 native inverted => lock-order-inversion
// ctest: tsan_sees_the_order_under_control when=tsan exit=66 fibers inverted => lock-order-inversion
// ctest: tsan_is_silent_natively when=tsan native ordered =/> WARNING
// ctest: tsan_is_silent_under_control when=tsan fibers ordered =/> WARNING
// ctest: tsan_and_the_order_checker_agree when=tsan programs => of which a common lock guards [1-9]
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "wedge/explore.hpp"
#include "wedge/fuzz/lock_program.hpp"
#include "wedge/wedge.hpp"

/// Symbols cost a second per report, and this test does not read them.
extern "C" const char* __tsan_default_options() {
    return "symbolize=0";
}

namespace {

using wedge::lock_program;

/// Bytes that make all locks mutexes.
lock_program random_mutexes(std::uint64_t seed) {
    wedge::rng random(seed);
    std::vector<std::uint8_t> bytes(2 + 2 * lock_program::records_max);
    for (std::uint8_t& each : bytes) each = static_cast<std::uint8_t>(random.next());
    bytes[1] = 0;
    return wedge::decode_locks(bytes);
}

/// Puts the last lock around all that each task does with the others.
void put_gate(lock_program& around) {
    constexpr std::uint8_t gate = lock_program::locks - 1;
    for (auto& task : around.tasks) {
        std::erase_if(task, [](const lock_program::step& each) { return each.lock == gate; });
        task.insert(task.begin(), {lock_program::act::acquire, gate});
        task.push_back({lock_program::act::release, gate});
    }
}

/// Calls back for each step with the locks that its task holds: (step, held).
template <class Step>
void each_step(const lock_program& of, Step step) {
    for (const auto& task : of.tasks) {
        std::vector<std::uint8_t> held;
        for (const lock_program::step& each : task) {
            step(each, held);
            if (each.what == lock_program::act::release)
                std::erase(held, each.lock);
            else
                held.push_back(each.lock);
        }
    }
}

/// Whether the orders of all tasks together make a circle; whoever took them, and under what.
bool is_circular(const lock_program& of) {
    bool before[lock_program::locks][lock_program::locks] = {};
    each_step(of, [&](const lock_program::step& each, const std::vector<std::uint8_t>& held) {
        if (each.what != lock_program::act::acquire) return;  // one that tries waits for nobody
        for (const std::uint8_t outer : held) before[outer][each.lock] = true;
    });
    for (std::size_t via = 0; via < lock_program::locks; ++via)
        for (auto& from : before)
            for (std::size_t to = 0; to < lock_program::locks; ++to)
                from[to] = from[to] || (from[via] && before[via][to]);
    for (std::size_t i = 0; i < lock_program::locks; ++i)
        if (before[i][i]) return true;
    return false;
}

/// One step of a task, while there is no other.
void take(wedge::mutex& lock, lock_program::act what) WEDGE_NO_THREAD_SAFETY {
    switch (what) {
        case lock_program::act::release: return lock.unlock();
        case lock_program::act::attempt: return static_cast<void>(lock.try_lock());
        default: return lock.lock();
    }
}

/// What a process of its own writes to its error output while it runs all tasks, one by one.
std::string complaints_about(const lock_program& of) {
    int ends[2];
    if (::pipe(ends) != 0) return {};
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], 2);
        wedge::mutex a{"a"}, b{"b"}, c{"c"}, d{"d"};
        const std::array<wedge::mutex*, lock_program::locks> all{&a, &b, &c, &d};
        each_step(of, [&](const lock_program::step& each, const std::vector<std::uint8_t>&) {
            take(*all[each.lock], each.what);
        });
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string text;
    char part[4096];
    for (ssize_t size; (size = ::read(ends[0], part, sizeof(part))) > 0;)
        text.append(part, static_cast<std::size_t>(size));
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return text;
}

int compare_programs() {
    constexpr unsigned programs = 80;
    unsigned circular = 0, harmless = 0;
    for (unsigned seed = 1; seed <= programs; ++seed) {
        lock_program program = random_mutexes(seed);
        const bool has_gate = seed % 2 == 0;
        if (has_gate) put_gate(program);
        const std::string text = complaints_about(program);
        const auto says = [&](const char* what) { return text.find(what) != std::string::npos; };
        const bool has_circle = is_circular(program);
        if (says("lock-order-inversion") != has_circle || says("possible deadlock") != has_circle ||
            (has_circle && has_gate && !says("guarded by d"))) {
            std::printf("program %u: %s\n", seed, text.c_str());
            return 1;
        }
        circular += has_circle ? 1 : 0;
        harmless += has_circle && has_gate ? 1 : 0;
    }
    std::printf("%u circles, of which a common lock guards %u\n", circular, harmless);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "programs") == 0) return compare_programs();
    if (argc != 3) return 2;
    const bool is_inverted = std::strcmp(argv[2], "inverted") == 0;
    wedge::spinlock a{"a"};
    wedge::shared_mutex b{"b"};
    const auto ab = [&] {
        const wedge::guard first(a);
        const wedge::guard second(b);
    };
    const auto ba = [&] {
        const wedge::guard first(b);
        const wedge::guard second(a);
    };
    if (std::strcmp(argv[1], "fibers") == 0) {
        wedge::explore({ab, is_inverted ? std::function<void()>(ba) : ab},
                       {.how = wedge::strategy::exhaustive});
    } else {
        ab();  // one after the other: nothing hangs, the order shows
        if (is_inverted) ba();
    }
    std::puts("done");
}
