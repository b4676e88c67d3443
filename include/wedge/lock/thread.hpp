// A thread that is a task: a std::thread in a live program, a task of the execution under control.
#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

#include "wedge/core/check.hpp"
#include "wedge/core/level.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/core/steps.hpp"

namespace wedge {

/// Lets other tasks run. A loop that waits for a flag calls it. It makes no progress by itself, so
/// the engine does not take it for progress.
inline void yield(site where = site::current()) {
    task& self = current();
    if (self.runtime != nullptr)
        self.runtime->perform(self, {.what = step::yield, .where = where});
    else
        std::this_thread::yield();
}

/// Like std::thread; join it before it is destroyed. An exception that leaves the body terminates a
/// live program; under control it ends the execution with that outcome.
class thread {
public:
    thread() noexcept = default;

    /// @param name  the name that reports print; null: `task N`
    template <class Body>
        requires std::invocable < std::decay_t<Body>
    & > explicit thread(Body&& body, const char* name = nullptr, site where = site::current()) {
        body_ = callable_of(std::forward<Body>(body));
        start(name, where, false);
    }
    /// Starts a daemon, which serves other tasks. Its body may wait forever for work, within an
    /// `idle_section`. Under control no task needs to join it; in a live program its owner must.
    template <class Body>
    static thread daemon(Body&& body, const char* name = nullptr, site where = site::current()) {
        thread made;
        made.body_ = callable_of(std::forward<Body>(body));
        made.start(name, where, true);
        return made;
    }
    thread(thread&& other) noexcept { swap(other); }
    thread& operator=(thread&& other) noexcept {
        thread moved(std::move(other));
        swap(moved);
        return *this;
    }
    ~thread() {
        if (!joinable()) return;
        const wedge::runtime* const engine = body_->is_controlled ? current().runtime : nullptr;
        if (engine != nullptr && (is_daemon_ || engine->is_giving_up())) return;
        std::terminate();
    }

    bool joinable() const noexcept { return body_ != nullptr; }

    /// Blocks until the body has returned.
    void join(site where = site::current()) {
        WEDGE_CHECK(joinable());
        task& self = current();
        detail::might_sleep(self, "the end of a thread", where);
        detail::emit(self, {.kind = event_kind::join, .payload = ordinal_, .where = where});
        if (body_->is_controlled) {
            self.runtime->perform(self, {.what = step::join, .other = ordinal_, .where = where});
            sanitizer::acquire(body_.get());
        } else {
            native_.join();
        }
        body_.reset();
    }

    /// Gives the thread up: it runs on, and no task joins it. It must still end. Under control an
    /// execution in which it waits forever is a deadlock.
    void detach(site = site::current()) {
        WEDGE_CHECK(joinable());
        if (!body_->is_controlled) native_.detach();
        body_.reset();
    }

    /// Returns whether the thread is a task of an execution. It must be joinable.
    bool is_controlled() const noexcept { return body_->is_controlled; }
    /// Returns the number of a controlled task.
    std::uint32_t ordinal() const noexcept { return ordinal_; }
    std::thread::id native_id() const noexcept { return native_.get_id(); }

private:
    struct shared_body {
        virtual ~shared_body() = default;
        virtual void call() = 0;
        bool is_controlled = false;
    };

    template <class Body>
    static std::shared_ptr<shared_body> callable_of(Body&& body) {
        struct callable final : shared_body {
            explicit callable(Body&& b) : body(std::forward<Body>(b)) {}
            void call() override { body(); }
            std::decay_t<Body> body;
        };
        return std::make_shared<callable>(std::forward<Body>(body));
    }

    void start(const char* name, site where, bool is_daemon) {
        is_daemon_ = is_daemon;
        task& self = current();
        if (self.runtime != nullptr) {
            self.runtime->perform(self, {.what = step::spawn, .where = where});
            body_->is_controlled = true;
            auto* const mine = new std::shared_ptr<shared_body>(body_);
            sanitizer::release(mine);
            ordinal_ = self.runtime->spawn(self, {&run_controlled, mine}, name, is_daemon);
        } else {
            native_ = std::thread([mine = body_, title = std::string(name ? name : "")] {
                if (!title.empty()) current().name = title;
                mine->call();
            });
        }
        detail::emit(self, {.kind = event_kind::spawn, .payload = ordinal_, .where = where});
    }

    static void run_controlled(void* data) {
        sanitizer::acquire(data);
        const std::unique_ptr<std::shared_ptr<shared_body>> mine(
            static_cast<std::shared_ptr<shared_body>*>(data));
        (*mine)->call();
        sanitizer::release(mine->get());
    }

    void swap(thread& other) noexcept {
        std::swap(body_, other.body_);
        std::swap(native_, other.native_);
        std::swap(ordinal_, other.ordinal_);
        std::swap(is_daemon_, other.is_daemon_);
    }

    std::shared_ptr<shared_body> body_;
    std::thread native_;
    std::uint32_t ordinal_ = 0;
    bool is_daemon_ = false;
};

}  // namespace wedge
