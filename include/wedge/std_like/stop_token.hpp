// The names of <stop_token>, with the signatures of the standard.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "wedge/lock/atomic.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/internal_mutex.hpp"

namespace wedge::std_like {

namespace parts {

/// What the tokens, sources and callbacks of one stop share.
class stop_state {
public:
    /// A registered callback, in a list.
    struct callback {
        explicit callback(void (*run)(callback&)) : call(run) {}
        void (*call)(callback&);
        callback* next = nullptr;
        callback** before = nullptr;  // null: not in the list
        bool* is_destroyed = nullptr;
    };

    bool is_requested(site where) const { return requested_.load(where); }
    bool is_possible(site where) const { return sources_ != 0 || is_requested(where); }
    void add_source() noexcept { ++sources_; }
    void drop_source() noexcept { --sources_; }

    /// Calls all callbacks, on this task. Returns false if another call came first.
    bool request(site where) {
        list_.lock(where);
        if (requested_.exchange(true, where)) return list_.unlock(where), false;
        runner_ = &current();
        while (callback* const next = first_) {
            bool is_destroyed = false;
            remove(*next);
            running_ = next;
            next->is_destroyed = &is_destroyed;
            list_.unlock(where);
            next->call(*next);
            list_.lock(where);
            if (!is_destroyed) next->is_destroyed = nullptr;
            running_ = nullptr;
            finished_.notify_all(where);
        }
        list_.unlock(where);
        return true;
    }

    /// Registers a callback. If the stop was requested, calls it at once instead.
    void add(callback& made, site where) {
        {
            const guard held(list_, where);
            if (!requested_.load(where)) {
                if (sources_ == 0) return;
                made.next = first_;
                made.before = &first_;
                if (first_ != nullptr) first_->before = &made.next;
                first_ = &made;
                return;
            }
        }
        made.call(made);
    }

    /// Removes a callback. Waits until a call of it by another task has returned.
    void drop(callback& gone, site where) {
        const guard held(list_, where);
        if (gone.before != nullptr) return remove(gone);
        if (running_ != &gone) return;
        if (runner_ == &current()) {
            *gone.is_destroyed = true;
            return;
        }
        while (running_ == &gone) finished_.wait(held, where);
    }

private:
    static void remove(callback& gone) noexcept {
        *gone.before = gone.next;
        if (gone.next != nullptr) gone.next->before = gone.before;
        gone.before = nullptr;
    }

    mutable basic_atomic<bool> requested_{false, "stop requested"};
    detail::internal_mutex<> list_;
    condition finished_{lock_class("the end of a stop callback", {.keeps_mutex = true})};
    callback* first_ = nullptr;
    callback* running_ = nullptr;
    const task* runner_ = nullptr;
    std::atomic<std::uint32_t> sources_{0};
};

}  // namespace parts

/// As std::stop_token. Under control each look at it is a visible step.
class stop_token {
public:
    stop_token() noexcept = default;

    [[nodiscard]] bool stop_requested(site where = site::current()) const {
        return state_ != nullptr && state_->is_requested(where);
    }
    [[nodiscard]] bool stop_possible(site where = site::current()) const {
        return state_ != nullptr && state_->is_possible(where);
    }
    void swap(stop_token& other) noexcept { state_.swap(other.state_); }
    friend void swap(stop_token& a, stop_token& b) noexcept { a.swap(b); }
    friend bool operator==(const stop_token&, const stop_token&) = default;

private:
    friend class stop_source;
    template <class>
    friend class stop_callback;
    explicit stop_token(std::shared_ptr<parts::stop_state> state) : state_(std::move(state)) {}

    std::shared_ptr<parts::stop_state> state_;
};

struct nostopstate_t {
    explicit nostopstate_t() = default;
};
inline constexpr nostopstate_t nostopstate{};

/// As std::stop_source.
class stop_source {
public:
    stop_source() : state_(std::make_shared<parts::stop_state>()) { state_->add_source(); }
    explicit stop_source(nostopstate_t) noexcept {}
    stop_source(const stop_source& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) state_->add_source();
    }
    stop_source(stop_source&& other) noexcept = default;
    stop_source& operator=(stop_source other) noexcept {
        swap(other);
        return *this;
    }
    ~stop_source() {
        if (state_ != nullptr) state_->drop_source();
    }

    bool request_stop(site where = site::current()) {
        return state_ != nullptr && state_->request(where);
    }
    [[nodiscard]] stop_token get_token() const { return stop_token(state_); }
    [[nodiscard]] bool stop_requested(site where = site::current()) const {
        return state_ != nullptr && state_->is_requested(where);
    }
    [[nodiscard]] bool stop_possible() const noexcept { return state_ != nullptr; }
    void swap(stop_source& other) noexcept { state_.swap(other.state_); }
    friend void swap(stop_source& a, stop_source& b) noexcept { a.swap(b); }
    friend bool operator==(const stop_source& a, const stop_source& b) noexcept {
        return a.state_ == b.state_;
    }

private:
    std::shared_ptr<parts::stop_state> state_;
};

/// As std::stop_callback. Its destructor waits while another task runs the callback, so it must not
/// run under a lock that the callback takes.
template <class Callback>
class [[nodiscard]] stop_callback : private parts::stop_state::callback {
public:
    using callback_type = Callback;

    template <class C>
        requires std::is_constructible_v<Callback, C>
    explicit stop_callback(stop_token token, C&& function, site where = site::current())
        : callback([](callback& self) { static_cast<stop_callback&>(self).function_(); }),
          state_(std::move(token.state_)),
          function_(std::forward<C>(function)),
          where_(where) {
        if (state_ != nullptr) state_->add(*this, where);
    }
    stop_callback(const stop_callback&) = delete;
    stop_callback& operator=(const stop_callback&) = delete;
    ~stop_callback() {
        if (state_ != nullptr) state_->drop(*this, where_);
    }

private:
    std::shared_ptr<parts::stop_state> state_;
    Callback function_;
    site where_;
};
template <class Callback, class... Rest>
stop_callback(stop_token, Callback, Rest...) -> stop_callback<Callback>;

}  // namespace wedge::std_like
