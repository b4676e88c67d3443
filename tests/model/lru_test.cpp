#include "wedge/model/lru.hpp"

#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/lock/mutex.hpp"

#include "support/explored.hpp"

using namespace wedge;

namespace {

struct object {
    mutex lock{"object"};
    bool is_cached = true;  // guarded by lock
};

/// Two walks and an owner that uses an object.
template <bool blocks>
struct walked {
    object bos[2];
    lru<object> list;
    walked() {
        for (object& each : bos) list.move_to_tail(each);
    }
    void shrink() {
        if (blocks) {
            list.first_locked([](object& each) WEDGE_NO_THREAD_SAFETY {
                each.lock.lock();
                each.lock.unlock();
                return false;
            });
        }
        list.walk([](object& each) {
            if (const try_guard held(each.lock); held) each.is_cached = false;
            return true;
        });
    }
    void use() {
        const guard held(bos[0].lock);
        bos[0].is_cached = true;
        list.move_to_tail(bos[0]);
    }
    static constexpr auto actions =
        wedge::actions(action<&walked::shrink>{"shrink"}, action<&walked::use>{"use"});
};

/// As `walked`, without a list lock: what was true before the object's lock may not be true under
/// it.
template <bool looks_again>
struct lock_free {
    object bo;
    lock_free_lru<object, 2> list;
    bool is_gone = false;  // guarded by the object's lock
    lock_free() { list.add(bo); }

    void shrink() {
        list.walk([](object& each) { return each.lock.try_lock(); },
                  [this](object& each) WEDGE_NO_THREAD_SAFETY {
                      const bool may_free = !looks_again || !is_gone;
                      const bool is_freed_twice = may_free && is_gone;
                      if (may_free) is_gone = true;
                      each.lock.unlock();
                      if (is_freed_twice) throw std::logic_error("freed twice");
                      return true;
                  });
    }
    void close() {
        list.remove(bo);
        const guard held(bo.lock);
        is_gone = true;
    }
    static constexpr auto actions =
        wedge::actions(action<&lock_free::shrink>{"shrink"}, action<&lock_free::close>{"close"});
};

}  // namespace

TEST_CASE("lru: a walk visits the least recently used object first, each object once") {
    object a, b, c;
    lru<object> list;
    std::vector<object*> seen;
    const auto see = [&](object& each) {
        seen.push_back(&each);
        return seen.size() != 2;
    };
    for (object* each : {&a, &b, &c}) list.move_to_tail(*each);
    list.move_to_tail(a);
    list.move_to_tail(a);
    list.walk(see);
    CHECK(seen == std::vector{&b, &c});
    list.remove(b);
    seen.clear();
    list.walk(see);
    CHECK(seen == std::vector{&c, &a});
    CHECK(list.first_locked([](object& each) { return each.lock.try_lock(); }) == &c);
    CHECK(list.first_locked([](object& each) { return each.lock.try_lock(); }) == &a);
    CHECK(list.first_locked([](object& each) { return each.lock.try_lock(); }) == nullptr);
    a.lock.unlock();
    c.lock.unlock();
}

TEST_CASE("lru: an object that moves during a walk is in the list once") {
    object a, b;
    lru<object> list;
    list.move_to_tail(a);
    list.move_to_tail(b);
    list.walk([&](object& each) {
        if (&each == &a) list.move_to_tail(a);
        return &each != &b;
    });
    std::vector<object*> seen;
    list.walk([&](object& each) {
        seen.push_back(&each);
        return true;
    });
    CHECK(seen == std::vector{&b, &a});
}

TEST_CASE("lru: waiting for an object with the list locked deadlocks, trying does not") {
    CHECK(explored_fully<walked<true>>().what == result::deadlock);
    CHECK(explored_fully<walked<false>>().what == result::sound);
}

TEST_CASE("lock_free_lru: a task that got the lock looks again") {
    CHECK(explored_fully<lock_free<false>>().what == result::exception);
    CHECK(explored_fully<lock_free<true>>().what == result::sound);
}

TEST_CASE("lock_free_lru: it takes as many objects as fit, and walks go round") {
    object a, b, c;
    lock_free_lru<object, 2> list;
    CHECK(list.add(a));
    CHECK(list.add(b));
    CHECK(!list.add(c));
    std::vector<object*> seen;
    const auto try_lock = [](object& each) { return each.lock.try_lock(); };
    const auto see = [&](object& each) {
        seen.push_back(&each);
        each.lock.unlock();
        return false;
    };
    list.walk(try_lock, see);
    list.walk(try_lock, see);
    CHECK(seen == std::vector{&a, &b});
    list.remove(a);
    CHECK(list.add(c));
}
