// The names of <thread>, with the signatures of the standard.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>

#include "wedge/lock/thread.hpp"
#include "wedge/std_like/stop_token.hpp"
#include "wedge/std_like/thread_exit.hpp"

namespace wedge::std_like {

/// As std::thread::id. Under control it is the number of a task of the execution.
class thread_id {
public:
    thread_id() noexcept = default;

    friend bool operator==(const thread_id& a, const thread_id& b) noexcept {
        return a.native_ == b.native_ && a.task_ == b.task_;
    }
    friend std::strong_ordering operator<=>(const thread_id& a, const thread_id& b) noexcept {
        if (a.task_ != b.task_) return a.task_ <=> b.task_;
        return a.native_ < b.native_    ? std::strong_ordering::less
               : a.native_ == b.native_ ? std::strong_ordering::equal
                                        : std::strong_ordering::greater;
    }
    template <class Char, class Traits>
    friend std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out,
                                                        const thread_id& id) {
        if (id.task_ != 0) return out << "task " << id.task_ - 1;
        return out << id.native_;
    }

    /// Returns the id of the running thread or task.
    static thread_id of_this() noexcept {
        const task& self = current();
        thread_id made;
        if (self.runtime != nullptr)
            made.task_ = self.ordinal + std::uint64_t{1};
        else
            made.native_ = std::this_thread::get_id();
        return made;
    }
    static thread_id of(const wedge::thread& other) noexcept {
        thread_id made;
        if (other.is_controlled())
            made.task_ = other.ordinal() + std::uint64_t{1};
        else
            made.native_ = other.native_id();
        return made;
    }
    std::size_t hash() const noexcept {
        return std::hash<std::thread::id>()(native_) ^ static_cast<std::size_t>(task_);
    }

private:
    std::thread::id native_;
    std::uint64_t task_ = 0;  // the ordinal of a controlled task, plus 1
};

/// As std::thread.
///
/// A detached thread must still end. Under control an execution in which it waits forever is a
/// deadlock.
class thread {
public:
    using id = thread_id;

    thread() noexcept = default;
    template <class Function>
        requires(!std::is_same_v<std::remove_cvref_t<Function>, thread>)
    explicit thread(Function&& function, site where = site::current())
        : of_(bound(std::forward<Function>(function)), nullptr, where) {}
    template <class Function, class First, class... Args>
        requires(!std::is_same_v<std::remove_cvref_t<Function>, thread> &&
                 !std::is_same_v<std::remove_cvref_t<First>, site>)
    explicit thread(Function&& function, First&& first, Args&&... args)
        : of_(bound(std::forward<Function>(function), std::forward<First>(first),
                    std::forward<Args>(args)...),
              nullptr, site{}) {}
    thread(thread&& other) noexcept = default;
    thread& operator=(thread&& other) noexcept = default;

    bool joinable() const noexcept { return of_.joinable(); }
    void join(site where = site::current()) { of_.join(where); }
    void detach(site where = site::current()) { of_.detach(where); }
    id get_id() const noexcept { return joinable() ? id::of(of_) : id(); }
    void swap(thread& other) noexcept { std::swap(of_, other.of_); }
    friend void swap(thread& a, thread& b) noexcept { a.swap(b); }

    /// Under control 2, so that a program does the same on every machine.
    static unsigned hardware_concurrency() noexcept {
        return current().runtime != nullptr ? 2 : std::thread::hardware_concurrency();
    }

private:
    template <class... Parts>
    static auto bound(Parts&&... parts) {
        return [all = std::tuple<std::decay_t<Parts>...>(std::forward<Parts>(parts)...)]() mutable {
            parts::exit_scope at_end;
            std::apply([](auto&&... each) { std::invoke(std::move(each)...); }, std::move(all));
            at_end.run();
        };
    }

    wedge::thread of_;
};

/// As std::jthread: requests a stop and joins when it is destroyed.
class jthread {
public:
    using id = thread_id;

    jthread() noexcept : stop_(nostopstate) {}
    template <class Function, class... Args>
        requires(!std::is_same_v<std::remove_cvref_t<Function>, jthread>)
    explicit jthread(Function&& function, Args&&... args)
        : stop_(),
          of_(started(stop_.get_token(), std::forward<Function>(function),
                      std::forward<Args>(args)...)) {}
    jthread(jthread&& other) noexcept = default;
    jthread& operator=(jthread&& other) noexcept {
        if (this == &other) return *this;
        stop_and_join();
        stop_ = std::move(other.stop_);
        of_ = std::move(other.of_);
        return *this;
    }
    ~jthread() { stop_and_join(); }

    bool joinable() const noexcept { return of_.joinable(); }
    void join(site where = site::current()) { of_.join(where); }
    void detach(site where = site::current()) { of_.detach(where); }
    id get_id() const noexcept { return of_.get_id(); }
    void swap(jthread& other) noexcept {
        stop_.swap(other.stop_);
        of_.swap(other.of_);
    }
    friend void swap(jthread& a, jthread& b) noexcept { a.swap(b); }
    stop_source get_stop_source() const noexcept { return stop_; }
    stop_token get_stop_token() const noexcept { return stop_.get_token(); }
    bool request_stop(site where = site::current()) { return stop_.request_stop(where); }
    static unsigned hardware_concurrency() noexcept { return thread::hardware_concurrency(); }

private:
    template <class Function, class... Args>
    static thread started(stop_token token, Function&& function, Args&&... args) {
        if constexpr (std::is_invocable_v<std::decay_t<Function>, stop_token,
                                          std::decay_t<Args>...>)
            return thread(std::forward<Function>(function), std::move(token),
                          std::forward<Args>(args)...);
        else
            return thread(std::forward<Function>(function), std::forward<Args>(args)...);
    }
    void stop_and_join() {
        if (!joinable()) return;
        request_stop({});
        join({});
    }

    stop_source stop_;
    thread of_;
};

namespace this_thread {

inline thread_id get_id() noexcept {
    return thread_id::of_this();
}
inline void yield(site where = site::current()) {
    wedge::yield(where);
}
/// Under control time is virtual: other tasks may run, and the sleep ends when the engine chooses.
template <class Clock, class Duration>
void sleep_until(const std::chrono::time_point<Clock, Duration>& end,
                 site where = site::current()) {
    if (current().runtime != nullptr)
        wedge::yield(where);
    else
        std::this_thread::sleep_until(end);
}
template <class Rep, class Period>
void sleep_for(const std::chrono::duration<Rep, Period>& time, site where = site::current()) {
    if (current().runtime != nullptr)
        wedge::yield(where);
    else
        std::this_thread::sleep_for(time);
}

}  // namespace this_thread
}  // namespace wedge::std_like

template <>
struct std::hash<wedge::std_like::thread_id> {
    std::size_t operator()(const wedge::std_like::thread_id& id) const noexcept {
        return id.hash();
    }
};
