// A use of each name of <mutex>, <shared_mutex>, <condition_variable>, <thread>, <stop_token>,
// <future>, <semaphore>, <latch>, <barrier> and <atomic>. That it compiles as a port is most of the
// test.
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>

namespace std_programs {

constexpr auto soon = std::chrono::milliseconds(1);

template <class Mutex>
int timed_names() {
    Mutex m;
    int count = 0;
    if (m.try_lock_for(soon)) ++count, m.unlock();
    if (m.try_lock_until(std::chrono::steady_clock::now() + soon)) ++count, m.unlock();
    const std::unique_lock<Mutex> until(m, std::chrono::steady_clock::now() + soon);
    return count + (until ? 1 : 0);
}

inline int mutex_names() {
    std::mutex a, b, c;
    std::recursive_mutex again;
    int count = timed_names<std::timed_mutex>() + timed_names<std::recursive_timed_mutex>();
    if (a.try_lock()) ++count, a.unlock();
    std::lock(a, b, c);
    { const std::scoped_lock all(std::adopt_lock, a, b, c); }
    if (std::try_lock(a, b) == -1) ++count, a.unlock(), b.unlock();
    a.lock();
    { const std::lock_guard held(a, std::adopt_lock); }
    std::unique_lock one(a, std::defer_lock_t()), two(b, std::try_to_lock_t());
    c.lock();
    const std::unique_lock<std::mutex> owned(c, std::adopt_lock_t()), none_owned;
    one.lock();
    one.unlock();
    swap(one, two);
    count += (one.owns_lock() && !two && one.mutex() == &b) ? 1 : 0;
    one.release()->unlock();
    [[maybe_unused]] const std::scoped_lock<> none;
    const std::lock_guard<std::recursive_mutex> first(again), second(again);
    std::once_flag once;
    for (int i = 0; i < 2; ++i)
        std::call_once(
            once, [&](int by) { count += by; }, 5);
    return count;
}

inline int shared_names() {
    std::shared_mutex plain;
    std::shared_timed_mutex timed;
    int count = 0;
    std::shared_lock<std::shared_mutex> read(plain);
    if (read) ++count;
    read.unlock();
    std::shared_lock<std::shared_mutex> other(plain, std::try_to_lock);
    if (other.owns_lock()) ++count;
    other.unlock();
    if (plain.try_lock_shared()) ++count, plain.unlock_shared();
    if (plain.try_lock()) ++count, plain.unlock();
    if (timed.try_lock_shared_for(soon)) ++count, timed.unlock_shared();
    if (timed.try_lock_shared_until(std::chrono::steady_clock::now()))
        ++count, timed.unlock_shared();
    if (timed.try_lock_for(soon)) ++count, timed.unlock();
    const std::shared_lock<std::shared_timed_mutex> late(timed, soon);
    return count + (late ? 1 : 0);
}

inline int condition_names() {
    std::mutex m;
    std::condition_variable plain;
    std::condition_variable_any any;
    std::unique_lock<std::mutex> held(m);
    const auto now = std::chrono::steady_clock::now();
    int count = 0;
    plain.notify_one();
    plain.notify_all();
    any.notify_one();
    any.notify_all();
    if (plain.wait_for(held, soon) == std::cv_status::timeout) ++count;
    if (plain.wait_until(held, now) == std::cv_status::timeout) ++count;
    plain.wait(held, [] { return true; });
    if (plain.wait_for(held, soon, [] { return true; })) ++count;
    if (plain.wait_until(held, now, [] { return true; })) ++count;
    if (any.wait_for(held, soon) == std::cv_status::timeout) ++count;
    if (any.wait_until(held, now) == std::cv_status::timeout) ++count;
    any.wait(held, [] { return true; });
    std::stop_source stop;
    if (any.wait(held, stop.get_token(), [] { return true; })) ++count;
    if (any.wait_for(held, stop.get_token(), soon, [] { return true; })) ++count;
    if (any.wait_until(held, stop.get_token(), now, [] { return true; })) ++count;
    return count;
}

inline int thread_names() {
    int count = 0;
    std::thread none;
    int given = 0;
    std::thread runs([&](int by) { given = by; }, 3);
    const std::thread::id id = runs.get_id();
    swap(none, runs);
    if (none.joinable() && none.get_id() == id && id != std::this_thread::get_id()) ++count;
    std::ostringstream shown;
    shown << id;
    if (!shown.str().empty() &&
        std::hash<std::thread::id>()(id) == std::hash<std::thread::id>()(id))
        ++count;
    none.join();
    count += given;
    std::thread([] {}).detach();
    if (std::thread::hardware_concurrency() + 1 != 0) ++count;
    std::jthread stops([](std::stop_token token) {
        while (!token.stop_requested()) std::this_thread::yield();
    });
    if (stops.get_stop_source().stop_possible() && stops.get_stop_token() == stops.get_stop_token())
        ++count;
    if (stops.request_stop()) ++count;
    std::this_thread::sleep_for(std::chrono::nanoseconds(1));
    std::this_thread::sleep_until(std::chrono::steady_clock::now());
    return count;
}

inline int stop_names() {
    int count = 0;
    std::stop_source none(std::nostopstate), source, copy(source);
    const std::nostopstate_t unused{};
    static_cast<void>(unused);
    const std::stop_callback calls(source.get_token(), [&] { ++count; });
    const std::stop_callback<std::function<void()>> named(copy.get_token(), [&] { ++count; });
    if (!none.stop_possible() && source == copy) ++count;
    source.request_stop();
    const std::stop_token token = copy.get_token();
    return count + (token.stop_requested() && token.stop_possible() ? 1 : 0);
}

inline int future_names() {
    int count = 0;
    std::promise<int> number, moved(std::move(number));
    std::promise<int&> reference;
    std::promise<void> nothing;
    std::future<int> made = moved.get_future();
    if (made.wait_for(soon) == std::future_status::timeout) ++count;
    swap(number, moved);
    number.set_value(4);
    const std::shared_future<int> both = made.share();
    count += both.get() + both.get();
    reference.set_value(count);
    reference.get_future().get() += 1;
    nothing.set_exception(std::make_exception_ptr(1));
    try {
        nothing.get_future().get();
    } catch (int thrown) {
        count += thrown;
    }
    std::packaged_task<int(int)> task([](int by) { return by; });
    std::future<int> packaged = task.get_future();
    task(7);
    count += packaged.get();
    task.reset();
    const int asked = std::async(
                          std::launch::deferred, [](int by) { return by; }, 8)
                          .get();
    count += asked + std::async([] { return 9; }).get();
    try {
        static_cast<void>(std::future<int>().get());
    } catch (const std::future_error& wrong) {
        if (wrong.code() == std::future_errc::no_state &&
            wrong.code().category() == std::future_category())
            ++count;
    }
    return count;
}

inline int meeting_names() {
    int count = 0;
    std::counting_semaphore<4> units(2);
    std::binary_semaphore one(0);
    units.acquire();
    if (units.try_acquire() && !units.try_acquire_for(soon)) ++count;
    if (!units.try_acquire_until(std::chrono::steady_clock::now())) ++count;
    units.release(2);
    one.release();
    one.acquire();
    if (units.max() >= 4 && std::latch::max() > 1 && std::barrier<>::max() > 1) ++count;
    std::latch open(2), alone(1);
    open.count_down();
    if (!open.try_wait()) ++count;
    open.count_down();
    open.wait();
    alone.arrive_and_wait();
    std::barrier meet(1, [&]() noexcept { ++count; });
    meet.arrive_and_wait();
    std::barrier<>::arrival_token arrived = std::barrier<>(1).arrive();
    static_cast<void>(arrived);
    meet.wait(meet.arrive());
    meet.arrive_and_drop();
    return count;
}

template <class Atomic>
int aliased() {
    const Atomic value(typename Atomic::value_type(1));
    return static_cast<int>(value.load());
}
inline int aliases() {
    return aliased<std::atomic_bool>() + aliased<std::atomic_char>() +
           aliased<std::atomic_schar>() + aliased<std::atomic_uchar>() +
           aliased<std::atomic_char8_t>() + aliased<std::atomic_char16_t>() +
           aliased<std::atomic_char32_t>() + aliased<std::atomic_wchar_t>() +
           aliased<std::atomic_short>() + aliased<std::atomic_ushort>() +
           aliased<std::atomic_int>() + aliased<std::atomic_uint>() + aliased<std::atomic_long>() +
           aliased<std::atomic_ulong>() + aliased<std::atomic_llong>() +
           aliased<std::atomic_ullong>() + aliased<std::atomic_int8_t>() +
           aliased<std::atomic_uint8_t>() + aliased<std::atomic_int16_t>() +
           aliased<std::atomic_uint16_t>() + aliased<std::atomic_int32_t>() +
           aliased<std::atomic_uint32_t>() + aliased<std::atomic_int64_t>() +
           aliased<std::atomic_uint64_t>() + aliased<std::atomic_intptr_t>() +
           aliased<std::atomic_uintptr_t>() + aliased<std::atomic_size_t>() +
           aliased<std::atomic_ptrdiff_t>() + aliased<std::atomic_intmax_t>() +
           aliased<std::atomic_uintmax_t>() + aliased<std::atomic_int_least8_t>() +
           aliased<std::atomic_uint_least64_t>() + aliased<std::atomic_int_fast8_t>() +
           aliased<std::atomic_uint_fast64_t>();
}

inline int atomic_names() {
    std::atomic<int> value(1);
    const std::atomic<int>& seen = value;
    int old = 1;
    int count = 0;
    if (std::atomic_compare_exchange_strong(&value, &old, 2)) ++count;
    while (!std::atomic_compare_exchange_weak(&value, &old, 3)) ++count;
    std::atomic_compare_exchange_strong_explicit(&value, &old, 3, std::memory_order_acq_rel,
                                                 std::memory_order_acquire);
    std::atomic_compare_exchange_weak_explicit(&value, &old, 3, std::memory_order_seq_cst,
                                               std::memory_order_relaxed);
    std::atomic_store(&value, 8);
    std::atomic_store_explicit(&value, 9, std::memory_order_release);
    count += std::atomic_load(&seen) + std::atomic_load_explicit(&seen, std::memory_order_consume);
    count += std::atomic_exchange(&value, 1);
    count += std::atomic_exchange_explicit(&value, 2, std::memory_order::relaxed);
    count += std::atomic_fetch_add(&value, 2) + std::atomic_fetch_sub(&value, 1);
    count += std::atomic_fetch_and(&value, 3) + std::atomic_fetch_or(&value, 4);
    count += std::atomic_fetch_xor(&value, 1);
    const auto relaxed = std::memory_order_relaxed;
    count += std::atomic_fetch_add_explicit(&value, 2, relaxed);
    count += std::atomic_fetch_sub_explicit(&value, 2, relaxed);
    count += std::atomic_fetch_and_explicit(&value, 7, relaxed);
    count += std::atomic_fetch_or_explicit(&value, 8, relaxed);
    count += std::atomic_fetch_xor_explicit(&value, 1, relaxed);
    std::atomic_wait(&seen, 77);
    std::atomic_wait_explicit(&seen, 77, relaxed);
    std::atomic_notify_one(&value);
    std::atomic_notify_all(&value);
    // Not called: without optimisation clang's libstdc++ needs libatomic for it.
    static_assert(std::is_same_v<decltype(std::atomic_is_lock_free(&value)), bool>);
    if (value.is_always_lock_free) ++count;
    value = 5;
    count += value++ + --value + (value += 2) + (value -= 1) + (value |= 1) + (value &= 7) +
             (value ^= 2);
    std::atomic<double> part(0.5);
    part += 0.5;
    int room[2] = {3, 4};
    std::atomic<int*> place(room);
    place = room;
    count += *++place + *std::atomic_load(&place);
#if !defined(__SANITIZE_THREAD__)  // gcc warns that its ThreadSanitizer does not support it
    std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return std::kill_dependency(count) + static_cast<int>(part.load());
}

// libstdc++ 12 lacks the free functions that test, wait for and notify an atomic_flag.
inline int flag_names() {
    std::atomic_flag flag = ATOMIC_FLAG_INIT;
    int count = 0;
    if (!std::atomic_flag_test_and_set(&flag)) ++count;
    if (std::atomic_flag_test_and_set_explicit(&flag, std::memory_order_acquire)) ++count;
    std::atomic_flag_clear(&flag);
    std::atomic_flag_clear_explicit(&flag, std::memory_order_release);
    if (!flag.test_and_set() && flag.test_and_set()) ++count;
    flag.wait(false);
    flag.notify_one();
    flag.notify_all();
    flag.clear();
    return count + (flag.test() ? 0 : 1);
}

inline std::string run_names() {
    std::string text;
    for (const int each :
         {mutex_names(), shared_names(), condition_names(), thread_names(), stop_names(),
          future_names(), meeting_names(), aliases(), atomic_names(), flag_names()})
        text += std::to_string(each) + " ";
    return text;
}

/// What a thread leaves for its end comes after all that its function does.
inline std::string run_at_thread_exit() {
    std::atomic<int> step(0);
    std::promise<int> number;
    std::packaged_task<int()> task([&] { return step.load() + 10; });
    std::future<int> set = number.get_future(), packaged = task.get_future();
    std::thread ends([&] {
        task.make_ready_at_thread_exit();
        number.set_value_at_thread_exit(1);
        step = 1;
    });
    const int got = set.get() + packaged.get() + 100 * step.load();
    ends.join();
    return std::to_string(got);
}

inline std::string run_notify_at_exit() {
    std::mutex m;
    std::condition_variable changed;
    bool is_done = false;
    std::thread ends([&] {
        std::unique_lock<std::mutex> held(m);
        is_done = true;
        std::notify_all_at_thread_exit(changed, std::move(held));
    });
    {
        std::unique_lock<std::mutex> held(m);
        changed.wait(held, [&] { return is_done; });
    }
    ends.join();
    return "done";
}

#if defined(__cpp_lib_atomic_ref)
/// Two threads change one plain variable.
inline std::string run_atomic_ref() {
    long sum = 0;
    const auto add = [&](long by) {
        const std::atomic_ref<long> mine(sum);
        long old = mine.load();
        while (!mine.compare_exchange_weak(old, old + by)) {
        }
    };
    std::thread other(add, 2);
    add(1);
    other.join();
    std::atomic_ref<long> left(sum);
    left++;
    left |= 8;
    left.store(left.exchange(left.load() - 1, std::memory_order_relaxed));
    return std::to_string(left.fetch_add(1)) + " " + std::to_string(left);
}
#endif

}  // namespace std_programs
