// Locks with and without the order checker, beside those of std and abseil.
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "wedge/order/checker.hpp"
#include "wedge/wedge.hpp"

#include "../support/classes.hpp"
#include "lockdep.hpp"
#include "sections.hpp"

#if defined(WEDGE_BENCH_ABSL)
#include <absl/synchronization/mutex.h>
#endif

namespace bench {
namespace {

using wedge::level;

struct std_mutex {
    using lock = std::mutex;
    static constexpr const char* name = "std::mutex";
};
template <level L>
struct wedge_at {
    using lock = wedge::checked<std::mutex, wedge::level_constant<L>>;
    static constexpr const char* name = L == level::off      ? "wedge, level 0"
                                        : L == level::events ? "level 1"
                                                             : "level 2";
};
struct lockdep_mutex {
    using lock = lockdep::mutex;
    static constexpr const char* name = "lockdep's algorithm";
};
using unlistened = wedge_at<level::events>;
using checked = wedge_at<level::order>;

template <class Lock>
[[gnu::always_inline]] inline void take(Lock& lock) WEDGE_NO_THREAD_SAFETY {
    lock.lock();
}
template <class Lock>
[[gnu::always_inline]] inline void drop(Lock& lock) WEDGE_NO_THREAD_SAFETY {
    lock.unlock();
}
#if defined(WEDGE_BENCH_ABSL)
struct abseil {
    using lock = absl::Mutex;
    static constexpr const char* name = "absl::Mutex";
};
[[gnu::always_inline]] inline void take(absl::Mutex& lock) WEDGE_NO_THREAD_SAFETY {
    lock.Lock();
}
[[gnu::always_inline]] inline void drop(absl::Mutex& lock) WEDGE_NO_THREAD_SAFETY {
    lock.Unlock();
}
#endif

/// At level 1 no sink listens to this thread; at level 2 the process's checker does.
template <class What>
class listener {
public:
    listener() {
        if constexpr (std::is_same_v<What, unlistened>) wedge::current().sink = nullptr;
    }
    ~listener() { wedge::current().sink = before_; }

private:
    wedge::sink* const before_ = wedge::current().sink;
};

template <class What>
using locks_of = std::vector<std::unique_ptr<typename What::lock>>;

/// Makes locks of one class each, or all of one class.
template <class What>
std::shared_ptr<locks_of<What>> make_locks(std::size_t count, bool is_one_class) {
    auto made = std::make_shared<locks_of<What>>();
    for (std::size_t i = 0; i < count; ++i) {
        using lock = typename What::lock;
        const std::string name = is_one_class ? "instance" : "depth " + std::to_string(i);
        if constexpr (std::is_constructible_v<lock, const char*>)
            made->push_back(std::make_unique<lock>(name.c_str()));
        else
            made->push_back(std::make_unique<lock>());
    }
    return made;
}

/// A lock and unlock under `depth - 1` held locks, each of its own class.
template <class What>
contender at_depth(std::size_t depth) {
    return {What::name, [all = make_locks<What>(depth, false)](std::uint64_t times) {
                const listener<What> scope;
                for (std::size_t i = 0; i + 1 < all->size(); ++i) take(*(*all)[i]);
                auto& last = *all->back();
                for (std::uint64_t i = 0; i < times; ++i) {
                    take(last);
                    drop(last);
                }
                for (std::size_t i = all->size() - 1; i-- > 0;) drop(*(*all)[i]);
            }};
}

/// A lock and unlock of each of 1,024 locks of one class in turn.
template <class What>
contender in_turn() {
    constexpr std::size_t count = 1024;
    return {What::name, [all = make_locks<What>(count, true)](std::uint64_t times) {
                const listener<What> scope;
                for (std::uint64_t i = 0; i < times; ++i) {
                    auto& lock = *(*all)[i % count];
                    take(lock);
                    drop(lock);
                }
            }};
}

template <class... Whats, class Make>
std::vector<contender> each_of(Make make) {
    return {make(std::type_identity<Whats>{})...};
}
template <class Make>
std::vector<contender> all_of(Make make) {
#if defined(WEDGE_BENCH_ABSL)
    return each_of<std_mutex, wedge_at<level::off>, unlistened, checked, lockdep_mutex, abseil>(
        make);
#else
    return each_of<std_mutex, wedge_at<level::off>, unlistened, checked, lockdep_mutex>(make);
#endif
}

/// All orders of 57 classes, each once.
class pairs_of_classes {
public:
    static constexpr std::size_t count = 57;

    /// Goes to the next order. Returns false if all were seen, and begins again.
    bool next() noexcept {
        if (++inner == count) inner = ++outer + 1;
        if (inner < count) return true;
        outer = 0;
        inner = 1;
        return false;
    }
    std::size_t outer = 0, inner = 0;
};

/// Sees each order for the first time, and forgets all when none is left.
contender new_orders(const char* name, bool keeps_stacks) {
    struct state {
        identities locks = make_classes(pairs_of_classes::count);
        wedge::checker checker{wedge::evidence::classes};
        wedge::task self;
        pairs_of_classes at;
    };
    const auto all = std::make_shared<state>();
    all->checker.keep_stacks(keeps_stacks);
    return {name, [all](std::uint64_t times) {
                all->self.sink = &all->checker;
                for (std::uint64_t n = 0; n < times; ++n) {
                    if (!all->at.next()) all->checker.reset();
                    nest(all->self, all->locks[all->at.outer], all->locks[all->at.inner]);
                }
                all->self.sink = nullptr;
            }};
}
contender new_orders_of_lockdep() {
    struct state {
        lockdep::validator checker;
        std::vector<std::uint32_t> classes;
        pairs_of_classes at;
    };
    const auto all = std::make_shared<state>();
    for (std::size_t i = 0; i < pairs_of_classes::count; ++i)
        all->classes.push_back(all->checker.class_of("class " + std::to_string(i)));
    return {lockdep_mutex::name, [all](std::uint64_t times) {
                for (std::uint64_t n = 0; n < times; ++n) {
                    if (!all->at.next()) all->checker.forget();
                    const std::uint32_t& outer = all->classes[all->at.outer];
                    const std::uint32_t& inner = all->classes[all->at.inner];
                    all->checker.acquire(&outer, outer);
                    all->checker.acquire(&inner, inner);
                    all->checker.release(&inner);
                    all->checker.release(&outer);
                }
            }};
}

/// Runs a function on a number of threads, each with its part of the repetitions.
template <class Function>
void on_threads(unsigned threads, std::uint64_t times, Function body) {
    const std::uint64_t share = times / threads + 1;
    std::vector<std::thread> others;
    for (unsigned i = 1; i < threads; ++i) others.emplace_back([=] { body(i, share); });
    body(0U, share);
    for (std::thread& each : others) each.join();
}

/// Data of two cache lines, which writers change and readers compare.
template <class Lock>
struct locked_data {
    Lock lock;
    alignas(64) std::uint64_t first = 0;
    alignas(64) std::uint64_t second = 0;
};

template <class Lock>
contender exclusive(const char* name, unsigned threads) {
    return {name, [=, all = std::make_shared<locked_data<Lock>>()](std::uint64_t times) {
                on_threads(threads, times, [&](unsigned, std::uint64_t share) {
                    for (std::uint64_t i = 0; i < share; ++i) {
                        take(all->lock);
                        ++all->first;
                        ++all->second;
                        drop(all->lock);
                    }
                });
            }};
}

template <class Lock>
contender readers(const char* name, unsigned threads) {
    return {name, [=, all = std::make_shared<locked_data<Lock>>()](std::uint64_t times) {
                on_threads(threads, times,
                           [&](unsigned, std::uint64_t share) WEDGE_NO_THREAD_SAFETY {
                               std::uint64_t sum = 0;
                               for (std::uint64_t i = 0; i < share; ++i) {
                                   all->lock.lock_shared();
                                   sum += all->first + all->second;
                                   all->lock.unlock_shared();
                               }
                               asm volatile("" ::"r"(sum));
                           });
            }};
}

/// Each thread has two locks of its own; the locks of all threads have the same two classes.
template <class What>
contender apart(unsigned threads) {
    return {What::name, [=](std::uint64_t times) {
                on_threads(threads, times, [](unsigned, std::uint64_t share) {
                    const auto mine = make_locks<What>(2, false);
                    for (std::uint64_t i = 0; i < share; ++i) {
                        take(*(*mine)[0]);
                        take(*(*mine)[1]);
                        drop(*(*mine)[1]);
                        drop(*(*mine)[0]);
                    }
                });
            }};
}

}  // namespace

section uncontended(bool has_second_thread) {
    section made;
    made.has_second_thread = has_second_thread;
    made.title = has_second_thread ? "Lock and unlock, in a process with several threads"
                                   : "Lock and unlock, in a process with one thread";
    made.text = has_second_thread
                    ? "No other thread wants the lock. glibc uses atomic instructions."
                    : "glibc takes a shortcut without atomic instructions until the first thread "
                      "is started.";
    made.counts_instructions = true;
    made.has_outer_peers = has_second_thread;
    for (const std::size_t depth : {1U, 8U, 64U})
        made.all.push_back(
            {"under " + std::to_string(depth - 1) + " held locks",
             all_of([&]<class What>(std::type_identity<What>) { return at_depth<What>(depth); })});
    made.all.push_back(
        {"1,024 locks of one class in turn",
         all_of([]<class What>(std::type_identity<What>) { return in_turn<What>(); })});
    return made;
}

section first_sight() {
    section made;
    made.title = "The first sight of an order";
    made.text = "Two nested locks whose order is new, among 57 classes.";
    made.has_second_thread = true;
    made.all.push_back({"new order of two classes",
                        {new_orders("without stacks", false), new_orders("with stacks", true),
                         new_orders_of_lockdep()}});
    return made;
}

section contended() {
    section made;
    made.title = "Threads on locks";
    made.text =
        "Wall time per critical section of all threads together. Ratios refer to the "
        "first column.";
    made.clock = time_of::wall;
    made.turn_ns = 1e7;
    made.has_second_thread = true;
    for (const unsigned threads : {1U, 2U, 4U, 8U}) {
        const std::string on = std::to_string(threads) + (threads == 1 ? " thread" : " threads");
        made.all.push_back(
            {"exclusive, " + on,
             {exclusive<std::mutex>("std", threads), exclusive<wedge::mutex>("wedge", threads)}});
        made.all.push_back({"exclusive, shared mutex, " + on,
                            {exclusive<std::shared_mutex>("std", threads),
                             exclusive<wedge::shared_mutex>("wedge", threads)}});
        made.all.push_back({"readers, " + on,
                            {readers<std::shared_mutex>("std", threads),
                             readers<wedge::shared_mutex>("wedge", threads)}});
        made.all.push_back({"two locks of its own per thread, " + on,
                            {apart<std_mutex>(threads), apart<checked>(threads)}});
        made.all.back().contenders[0].name = "std";
        made.all.back().contenders[1].name = "wedge";
    }
    return made;
}

}  // namespace bench
