// A reference count whose last put runs a release body in the context of the putter.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "wedge/core/check.hpp"
#include "wedge/core/stage.hpp"
#include "wedge/lock/atomic.hpp"
#include "wedge/lock/label.hpp"
#include "wedge/lock/pseudo_lock.hpp"

namespace wedge {

/// How long the release body of a reference count may wait. A put that may be the last one is then
/// forbidden where the task must not wait that long (rule 22).
enum class release_waits : std::uint8_t {
    unknown,  ///< puts are allowed in every context
    spins,    ///< it takes spinlocks: no put in a hardirq that is not threaded
    sleeps,   ///< it takes locks that sleep: no put under a spinlock or in an interrupt
};

/// The references to an object (Linux: kref, refcount_t). The last put runs a release body in the
/// putter's context, under all locks that the putter holds.
///
/// A put that is not the last one today may be the last one tomorrow. So each put states that the
/// release body may run here (rule 19b). One run with a last put under no lock, and one put under a
/// lock that the body takes, suffice for the finding. The body runs in a section of the pseudo-lock
/// `NAME release`. It may destroy the object that contains the count.
///
///     void put(buffer* of) { of->references.put([of] { delete of; }); }
///
/// Any task may call every function at any time. None of them blocks, except in the body.
template <class Level = default_level>
class basic_refcount {
public:
    explicit basic_refcount(std::uint32_t references = 1, label as = site::current(),
                            release_waits how = release_waits::unknown)
        : count_(references, as), release_(std::make_shared<release_section>(as, how)) {}
    basic_refcount(const basic_refcount&) = delete;
    basic_refcount& operator=(const basic_refcount&) = delete;

    /// Adds a reference. The caller has one, or a lock that keeps the last one from being put.
    ///
    /// @throws std::logic_error  the last reference was put already
    void get(site where = site::current()) {
        if (count_.fetch_add(1, where) == 0)
            detail::raise<std::logic_error>(
                "a reference is taken to an object that is being released");
    }
    /// Adds a reference, unless the last one was put already; returns whether it did.
    bool get_unless_zero(site where = site::current()) {
        stage_scope stage;
        for (std::uint32_t known = count_.load(where); known != 0;) {
            stage.set(known);
            if (count_.compare_exchange(known, known + 1, where)) return true;
        }
        return false;
    }

    /// Drops a reference. The last put runs the body.
    ///
    /// @return whether it was the last one; then the count may be gone
    /// @throws std::logic_error  there is no reference
    template <std::invocable Release>
    bool put(Release release, site where = site::current()) {
        const std::shared_ptr<release_section> section = release_;
        section->touch(mode::exclusive, where);
        if (!drop(where)) return false;
        run_in(*section, release, where);
        return true;
    }
    /// States that the last reference may be dropped here, as each put does.
    void might_put(site where = site::current()) { release_->touch(mode::exclusive, where); }
    /// Runs the body as the last put does, and leaves the count alone. For a model that decides by
    /// itself which put is the last one.
    template <std::invocable Release>
    void run_release(Release release, site where = site::current()) {
        const std::shared_ptr<release_section> section = release_;
        run_in(*section, release, where);
    }
    /// Returns whether the running task runs the release body.
    bool is_released_here() const noexcept { return release_->is_held(); }
    /// Drops a reference that is not the last one. If it is, it keeps it and returns false (Linux:
    /// refcount_dec_not_one). The release body cannot run here.
    bool put_not_last(site where = site::current()) {
        std::uint32_t known = count_.load(where);
        while (known > 1)
            if (count_.compare_exchange(known, known - 1, where)) return true;
        return false;
    }
    /// Drops a reference. If it is the last one, it takes the lock first and drops it under that
    /// lock, so that no task finds an object without references (Linux:
    /// refcount_dec_and_mutex_lock, kref_put_mutex).
    ///
    /// @return whether it was the last one; then the lock is held
    template <class Lock>
    bool put_and_lock(Lock& lock, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        if (put_not_last(where)) return false;
        lock.lock(where);
        if (drop(where)) return true;
        lock.unlock(where);
        return false;
    }

    /// Returns the number of references, which other tasks may change at once.
    std::uint32_t references(site where = site::current()) const { return count_.load(where); }
    /// Returns that number without a step. Under control, between two steps.
    std::uint64_t state() const noexcept { return count_.state(); }

private:
    static constexpr bool is_on = Level::value != level::off;

    class release_section : public basic_pseudo_lock<Level> {
    public:
        release_section(label as, release_waits how)
            : basic_pseudo_lock<Level>((name_of_class(as) + " release").c_str(),
                                       {.unchecked = true}, wait_type_of_body(how)) {}

    private:
        static std::string name_of_class(const label& as) {
            if constexpr (is_on)
                return as.cls().name();
            else
                return {};
        }
        static wait_type wait_type_of_body(release_waits how) noexcept {
            return how == release_waits::sleeps  ? wait_type::sleep
                   : how == release_waits::spins ? wait_type::spin
                                                 : wait_type::none;
        }
    };

    /// The release body runs while it lives.
    class hold {
    public:
        hold(release_section& section, site where) : section_(section), where_(where) {
            section_.acquire(mode::exclusive, where_);
        }
        ~hold() { section_.release(mode::exclusive, where_); }
        hold(const hold&) = delete;
        hold& operator=(const hold&) = delete;

    private:
        release_section& section_;
        const site where_;
    };

    template <class Release>
    static void run_in(release_section& section, Release& release, site where) {
        const hold in(section, where);
        release();
    }

    bool drop(site where) {
        const std::uint32_t before = count_.fetch_sub(1, where);
        if (before == 0) detail::raise<std::logic_error>("a reference is put that no task has");
        return before == 1;
    }

    mutable basic_atomic<std::uint32_t, Level> count_;
    std::shared_ptr<release_section> release_;  // outlives the object, if the body destroys it
};

using refcount = basic_refcount<>;

}  // namespace wedge
