// The names of <future>, with the signatures of the standard.
#pragma once

#include <exception>
#include <functional>
#include <future>  // the error codes, the status and the launch policies
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "wedge/core/check.hpp"
#include "wedge/lock/atomic.hpp"
#include "wedge/lock/completion.hpp"
#include "wedge/std_like/thread.hpp"

namespace wedge::std_like {

using std::future_category;
using std::future_errc;
using std::future_error;
using std::future_status;
using std::launch;

template <class R>
class future;
template <class R>
class shared_future;

namespace parts {

/// How a result is kept: a reference as a pointer, void as an empty value.
template <class R>
using kept_result =
    std::conditional_t<std::is_void_v<R>, std::monostate,
                       std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*, R>>;

/// What a promise and its futures share: a result that comes once.
template <class R>
class future_state {
public:
    explicit future_state(site where) : is_set_(false, where), ready_(where) {}
    future_state(const future_state&) = delete;
    future_state& operator=(const future_state&) = delete;
    virtual ~future_state() = default;

    /// Keeps the result. Waiters see it once it is published.
    template <class Value>
    void keep_value(Value&& value, site where) {
        claim(where);
        value_.emplace(std::forward<Value>(value));
    }
    void keep_exception(std::exception_ptr thrown, site where) {
        claim(where);
        thrown_ = std::move(thrown);
    }
    void publish(site where) { ready_.complete_all(where); }
    /// Called when the promise is destroyed. Never throws under control, since a destructor calls
    /// it.
    void abandon(site where) {
        if (is_set_.exchange(true, where)) return;
        thrown_ = std::make_exception_ptr(future_error(future_errc::broken_promise));
        ready_.complete_all(where);
    }

    virtual void wait(site where) { ready_.wait(where); }
    template <class Clock, class Duration>
    future_status wait_until(const std::chrono::time_point<Clock, Duration>& end, site where) {
        if (is_deferred()) return future_status::deferred;
        return ready_.wait_until(end, where) ? future_status::ready : future_status::timeout;
    }
    virtual bool is_deferred() const noexcept { return false; }

    /// Returns the result. It must have come.
    kept_result<R>& result() {
        if (thrown_ != nullptr) std::rethrow_exception(thrown_);
        // A broken promise leaves no exception behind in a source that is built without them.
        if (!value_) detail::raise<future_error>(future_errc::broken_promise);
        return *value_;
    }
    void claim_future() {
        if (std::exchange(has_future_, true))
            detail::raise<future_error>(future_errc::future_already_retrieved);
    }

protected:
    void wait_ready(site where) { ready_.wait(where); }

private:
    void claim(site where) {
        if (is_set_.exchange(true, where))
            detail::raise<future_error>(future_errc::promise_already_satisfied);
    }

    basic_atomic<bool> is_set_;
    completion ready_;
    std::optional<kept_result<R>> value_;
    std::exception_ptr thrown_;
    bool has_future_ = false;
};

/// Calls a function and keeps what it returns.
template <class R, class Function>
void keep_result(future_state<R>& state, Function&& function, const site& where) {
    if constexpr (std::is_void_v<R>) {
        function();
        state.keep_value(std::monostate(), where);
    } else if constexpr (std::is_reference_v<R>) {
        state.keep_value(std::addressof(function()), where);
    } else {
        state.keep_value(function(), where);
    }
}

/// Calls a function and keeps what it returns or throws.
template <class R, class Function>
void keep_outcome(future_state<R>& state, Function&& function, site where) {
#if defined(__cpp_exceptions)
    std::exception_ptr thrown;
    try {
        keep_result(state, std::forward<Function>(function), where);
        return;
    } catch (const std::exception&) {
        thrown = std::current_exception();
    } catch (...) {
        // The exception that ends an abandoned execution passes.
        const task& self = current();
        if (self.runtime != nullptr && self.runtime->is_giving_up()) throw;
        thrown = std::current_exception();
    }
    state.keep_exception(std::move(thrown), where);
#else
    keep_result(state, std::forward<Function>(function), where);
#endif
}

/// Calls a function and publishes what it returns or throws.
template <class R, class Function>
void fulfil(future_state<R>& state, Function&& function, site where) {
    keep_outcome(state, std::forward<Function>(function), where);
    state.publish(where);
}

/// Publishes the result when the running thread ends.
template <class R>
void publish_at_exit(std::shared_ptr<future_state<R>> state, site where) {
    exit_scope::add([kept = std::move(state), where] { kept->publish(where); });
}

template <class R>
std::shared_ptr<future_state<R>> checked_state(std::shared_ptr<future_state<R>> state) {
    if (state == nullptr) detail::raise<future_error>(future_errc::no_state);
    return state;
}

/// What `future` and `shared_future` have in common.
template <class R>
class waiting_end {
public:
    bool valid() const noexcept { return state_ != nullptr; }
    void wait(site where = site::current()) const { checked_state(state_)->wait(where); }
    template <class Clock, class Duration>
    future_status wait_until(const std::chrono::time_point<Clock, Duration>& end,
                             site where = site::current()) const {
        return checked_state(state_)->wait_until(end, where);
    }
    template <class Rep, class Period>
    future_status wait_for(const std::chrono::duration<Rep, Period>& at_most,
                           site where = site::current()) const {
        return wait_until(std::chrono::steady_clock::now() + at_most, where);
    }

protected:
    waiting_end() noexcept = default;
    explicit waiting_end(std::shared_ptr<future_state<R>> state) : state_(std::move(state)) {}

    std::shared_ptr<future_state<R>> state_;
};

struct future_maker;

}  // namespace parts

/// As std::future. Waits for a completion, which reports name after the line of the promise.
template <class R>
class future : public parts::waiting_end<R> {
public:
    future() noexcept = default;
    future(future&&) noexcept = default;
    future& operator=(future&&) noexcept = default;

    R get(site where = site::current()) {
        const auto state = parts::checked_state(std::move(this->state_));
        state->wait(where);
        auto& result = state->result();
        if constexpr (std::is_reference_v<R>)
            return *result;
        else if constexpr (!std::is_void_v<R>)
            return std::move(result);
    }
    shared_future<R> share() noexcept { return shared_future<R>(std::move(*this)); }

private:
    friend parts::future_maker;
    friend shared_future<R>;
    using parts::waiting_end<R>::waiting_end;
};

/// As std::shared_future.
template <class R>
class shared_future : public parts::waiting_end<R> {
public:
    shared_future() noexcept = default;
    shared_future(future<R>&& other) noexcept : parts::waiting_end<R>(std::move(other.state_)) {}

    std::conditional_t<std::is_void_v<R> || std::is_reference_v<R>, R,
                       std::add_lvalue_reference_t<std::add_const_t<R>>>
    get(site where = site::current()) const {
        const auto state = parts::checked_state(this->state_);
        state->wait(where);
        auto& result = state->result();
        if constexpr (std::is_reference_v<R>)
            return *result;
        else if constexpr (!std::is_void_v<R>)
            return result;
    }
};

namespace parts {

struct future_maker {
    template <class R>
    static future<R> of(std::shared_ptr<future_state<R>> state) {
        return future<R>(std::move(state));
    }
};

/// What the promises of all results have in common.
template <class R>
class promise_end {
public:
    promise_end(promise_end&& other) noexcept = default;
    promise_end& operator=(promise_end&& other) noexcept {
        promise_end moved(std::move(other));
        state_.swap(moved.state_);
        return *this;
    }
    ~promise_end() {
        if (state_ != nullptr) state_->abandon({});
    }

    future<R> get_future() {
        checked_state(state_)->claim_future();
        return future_maker::of<R>(state_);
    }
    void set_exception(std::exception_ptr thrown, site where = site::current()) {
        const auto state = checked_state(state_);
        state->keep_exception(std::move(thrown), where);
        state->publish(where);
    }
    void set_exception_at_thread_exit(std::exception_ptr thrown, site where = site::current()) {
        const auto state = checked_state(state_);
        state->keep_exception(std::move(thrown), where);
        publish_at_exit(state, where);
    }
    void swap(promise_end& other) noexcept { state_.swap(other.state_); }

protected:
    explicit promise_end(site where) : state_(std::make_shared<future_state<R>>(where)) {}

    template <class Value>
    void set(Value&& value, site where) {
        const auto state = checked_state(state_);
        state->keep_value(std::forward<Value>(value), where);
        state->publish(where);
    }
    template <class Value>
    void set_at_exit(Value&& value, site where) {
        const auto state = checked_state(state_);
        state->keep_value(std::forward<Value>(value), where);
        publish_at_exit(state, where);
    }

    std::shared_ptr<future_state<R>> state_;
};

}  // namespace parts

/// As std::promise.
template <class R>
class promise : public parts::promise_end<R> {
public:
    promise(site where = site::current()) : parts::promise_end<R>(where) {}

    void set_value(const R& value, site where = site::current()) { this->set(value, where); }
    void set_value(R&& value, site where = site::current()) { this->set(std::move(value), where); }
    void set_value_at_thread_exit(const R& value, site where = site::current()) {
        this->set_at_exit(value, where);
    }
    void set_value_at_thread_exit(R&& value, site where = site::current()) {
        this->set_at_exit(std::move(value), where);
    }
};
template <class R>
class promise<R&> : public parts::promise_end<R&> {
public:
    promise(site where = site::current()) : parts::promise_end<R&>(where) {}

    void set_value(R& value, site where = site::current()) {
        this->set(std::addressof(value), where);
    }
    void set_value_at_thread_exit(R& value, site where = site::current()) {
        this->set_at_exit(std::addressof(value), where);
    }
};
template <>
class promise<void> : public parts::promise_end<void> {
public:
    promise(site where = site::current()) : parts::promise_end<void>(where) {}

    void set_value(site where = site::current()) { this->set(std::monostate(), where); }
    void set_value_at_thread_exit(site where = site::current()) {
        this->set_at_exit(std::monostate(), where);
    }
};
template <class R>
void swap(promise<R>& a, promise<R>& b) noexcept {
    a.swap(b);
}

template <class>
class packaged_task;

/// As std::packaged_task.
template <class R, class... Args>
class packaged_task<R(Args...)> {
public:
    packaged_task() noexcept = default;
    template <class Function>
        requires(!std::is_same_v<std::remove_cvref_t<Function>, packaged_task>)
    explicit packaged_task(Function&& function, site where = site::current())
        : call_(
              std::make_unique<callable<std::decay_t<Function>>>(std::forward<Function>(function))),
          state_(std::make_shared<parts::future_state<R>>(where)) {}
    packaged_task(packaged_task&&) noexcept = default;
    packaged_task& operator=(packaged_task&& other) noexcept {
        packaged_task moved(std::move(other));
        swap(moved);
        return *this;
    }
    ~packaged_task() {
        if (state_ != nullptr) state_->abandon({});
    }

    bool valid() const noexcept { return state_ != nullptr; }
    future<R> get_future() {
        parts::checked_state(state_)->claim_future();
        return parts::future_maker::of<R>(state_);
    }
    void operator()(Args... args) {
        const auto state = parts::checked_state(state_);
        parts::fulfil<R>(*state, [&]() -> R { return call_->run(std::forward<Args>(args)...); },
                         {});
    }
    void make_ready_at_thread_exit(Args... args) {
        const auto state = parts::checked_state(state_);
        parts::keep_outcome<R>(*state,
                               [&]() -> R { return call_->run(std::forward<Args>(args)...); }, {});
        parts::publish_at_exit(state, {});
    }
    void reset(site where = site::current()) {
        parts::checked_state(state_)->abandon(where);
        state_ = std::make_shared<parts::future_state<R>>(where);
    }
    void swap(packaged_task& other) noexcept {
        call_.swap(other.call_);
        state_.swap(other.state_);
    }
    friend void swap(packaged_task& a, packaged_task& b) noexcept { a.swap(b); }

private:
    struct any_callable {
        virtual ~any_callable() = default;
        virtual R run(Args... args) = 0;
    };
    template <class Function>
    struct callable final : any_callable {
        template <class F>
        explicit callable(F&& f) : function(std::forward<F>(f)) {}
        R run(Args... args) override { return std::invoke(function, std::forward<Args>(args)...); }
        Function function;
    };

    std::unique_ptr<any_callable> call_;
    std::shared_ptr<parts::future_state<R>> state_;
};

namespace parts {

/// The state of an `async` on a thread of its own, which the last owner joins.
template <class R, class Call>
class async_state final : public future_state<R> {
public:
    async_state(Call call, site where) : future_state<R>(where), call_(std::move(call)) {
        runner_ = thread([this, where] { fulfil<R>(*this, call_, where); }, where);
    }
    ~async_state() override {
        if (runner_.joinable()) runner_.join({});
    }

private:
    Call call_;
    thread runner_;
};

/// The state of a deferred `async`, which the first task that waits runs.
template <class R, class Call>
class deferred_state final : public future_state<R> {
public:
    deferred_state(Call call, site where)
        : future_state<R>(where), is_started_(false, where), call_(std::move(call)) {}

    void wait(site where) override {
        if (!is_started_.exchange(true, where)) fulfil<R>(*this, call_, where);
        this->wait_ready(where);
    }
    bool is_deferred() const noexcept override { return !is_started_.load({}); }

private:
    basic_atomic<bool> is_started_;
    Call call_;
};

}  // namespace parts

/// As std::async. The default policy starts a thread, as the usual implementations do.
template <class Function, class... Args>
auto async(launch policy, Function&& function, Args&&... args) {
    using result = std::invoke_result_t<std::decay_t<Function>, std::decay_t<Args>...>;
    auto call =
        [all = std::tuple<std::decay_t<Function>, std::decay_t<Args>...>(
             std::forward<Function>(function), std::forward<Args>(args)...)]() mutable -> result {
        return std::apply([](auto&&... each) -> result { return std::invoke(std::move(each)...); },
                          std::move(all));
    };
    using call_type = decltype(call);
    std::shared_ptr<parts::future_state<result>> state;
    if ((policy & launch::async) == launch::async)
        state = std::make_shared<parts::async_state<result, call_type>>(std::move(call), site{});
    else
        state = std::make_shared<parts::deferred_state<result, call_type>>(std::move(call), site{});
    return parts::future_maker::of<result>(std::move(state));
}
template <class Function, class... Args>
    requires(!std::is_same_v<std::remove_cvref_t<Function>, launch>)
auto async(Function&& function, Args&&... args) {
    return std_like::async(launch::async | launch::deferred, std::forward<Function>(function),
                           std::forward<Args>(args)...);
}

}  // namespace wedge::std_like
