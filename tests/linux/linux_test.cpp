// The kernel's names: return codes, lists and pointers, and pairs of broken and repaired paths.
#include "wedge/linux.hpp"

#include <doctest/doctest.h>

#include "support/explored.hpp"
#include "support/watched.hpp"

namespace linux_test {

using namespace wedge::kernel;
using wedge::finding_kind;
using wedge::result;

namespace {

struct item {
    int key = 0;
    struct list_head link;
};

}  // namespace

TEST_CASE("linux: error pointers, container_of and lists") {
    struct item* const error = ERR_PTR(-ENOMEM);
    CHECK(IS_ERR(error));
    CHECK(PTR_ERR(error) == -ENOMEM);
    CHECK(IS_ERR_OR_NULL(nullptr));
    LIST_HEAD(all);
    struct item items[3];
    struct item *at, *after;
    int sum = 0;
    for (int i = 0; i < 3; ++i) {
        items[i].key = i + 1;
        list_add_tail(&items[i].link, &all);
    }
    CHECK(list_first_entry(&all, struct item, link) == &items[0]);
    list_for_each_entry_safe(at, after, &all, link) {
        sum = sum * 10 + at->key;
        if (at->key == 2) list_del_init(&at->link);
    }
    CHECK(sum == 123);
    list_for_each_entry_reverse(at, &all, link) sum = sum * 10 + at->key;
    CHECK(sum == 12331);
    CHECK(!list_empty(&all));
}

TEST_CASE("linux: memory is constructed, counted, and freed with its machine") {
    watched here;
    machine pc({.pages = 4});
    struct gadget {
        struct mutex lock;
        int value;
    };
    struct gadget* one = kzalloc(sizeof(*one), GFP_KERNEL);
    REQUIRE(one != nullptr);
    CHECK(one->value == 0);
    mutex_init(&one->lock);
    mutex_lock(&one->lock);
    CHECK(mutex_is_locked(&one->lock));
    lockdep_assert_held(&one->lock);
    mutex_unlock(&one->lock);
    void* large = kvmalloc(3 * PAGE_SIZE, GFP_KERNEL);
    CHECK(large != nullptr);
    CHECK(pc.memory().free_pages() == 1);
    void* const none = kmalloc(2 * PAGE_SIZE, GFP_NOWAIT);
    CHECK(none == nullptr);
    kvfree(large);
    CHECK(pc.memory().free_pages() == 4);
    CHECK(pc.blocks() == 1);
    CHECK(here.findings().empty());
}

TEST_CASE(
    "linux: a lock that is freed while it is held, a sleep and an allocation under a spinlock") {
    machine pc;
    watched here;
    struct guarded {
        spinlock_t lock;
    };
    struct guarded* one = kzalloc(sizeof(*one), GFP_KERNEL);
    spin_lock_init(&one->lock);
    unsigned long flags;
    spin_lock_irqsave(&one->lock, flags);
    kfree(kmalloc(8, GFP_ATOMIC));
    CHECK(here.findings().empty());
    kfree(kmalloc(8, GFP_KERNEL));
    REQUIRE(here.findings().size() == 1);
    CHECK(here.findings()[0].kind == finding_kind::wait_type);
    spin_unlock_irqrestore(&one->lock, flags);
    spin_lock(&one->lock);
    kfree(one);
    REQUIRE(here.findings().size() == 2);
    CHECK(here.findings()[1].kind == finding_kind::held_when_destroyed);
    wedge::current().held.clear();
}

TEST_CASE("linux: sections without preemption nest, and must not sleep") {
    machine pc;
    watched here;
    preempt_disable();
    preempt_disable();
    preempt_enable();
    CHECK(here.findings().empty());
    might_sleep();
    CHECK(here.findings().size() == 1);
    preempt_enable();
    might_sleep();
    CHECK(here.findings().size() == 1);
}

TEST_CASE("linux: sections without softirqs nest") {
    for (const bool is_nested : {true, false}) {
        machine pc;
        watched here;
        spinlock_t outer, inner;
        spin_lock_init(&outer);
        spin_lock_init(&inner);
        {
            const wedge::in_context interrupt(wedge::context::softirq);
            spin_lock(&outer);
            spin_unlock(&outer);
        }
        if (is_nested) local_bh_disable();
        spin_lock_bh(&inner);
        spin_unlock_bh(&inner);
        spin_lock(&outer);
        spin_unlock(&outer);
        if (is_nested) local_bh_enable();
        CHECK(here.findings().size() == (is_nested ? 0 : 1));
    }
}

TEST_CASE("linux: RCU sections must not sleep, and synchronize_rcu waits for them") {
    machine pc;
    watched here;
    rcu_read_lock();
    rcu_read_lock();
    rcu_read_unlock();
    CHECK(here.findings().empty());
    might_sleep();
    CHECK(here.findings().size() == 1);
    rcu_read_unlock();
    synchronize_rcu();
    CHECK(here.findings().size() == 1);
}

namespace {

/// A kernel thread that serves requests until it is stopped.
struct served {
    machine pc;
    struct mutex lock;
    wait_queue_head_t wait;
    atomic_t requests;
    struct completion done;
    bool was_interrupted = false;

    served() {
        mutex_init(&lock);
        init_waitqueue_head(&wait);
        init_completion(&done);
    }
    static int serve(served* self) {
        for (;;) {
            wait_event(self->wait, atomic_read(&self->requests) != 0 || kthread_should_stop());
            if (kthread_should_stop()) return 7;
            atomic_dec(&self->requests);
            mutex_lock(&self->lock);
            mutex_unlock(&self->lock);
            complete(&self->done);
        }
    }
    void ask(std::uint32_t is_under_lock) {
        struct task_struct* thread = kthread_run(serve, this, "server");
        if (is_under_lock != 0) mutex_lock(&lock);
        atomic_inc(&requests);
        wake_up(&wait);
        wait_for_completion(&done);
        if (is_under_lock != 0) mutex_unlock(&lock);
        WARN_ON(kthread_stop(thread) != 7);
    }
    void ask_interruptibly() {
        was_interrupted = wait_for_completion_interruptible(&done) == -ERESTARTSYS;
    }
    void finish() { complete_all(&done); }
    static constexpr auto actions =
        wedge::actions(wedge::action<&served::ask>{"ask"}, wedge::action<&served::finish>{"finish"},
                       wedge::action<&served::ask_interruptibly>{"ask_interruptibly"});
};

/// Two reservations under one context, with and without back-off.
template <bool BacksOff>
struct reserved {
    machine pc;
    struct dma_resv resv[2];
    reserved() {
        dma_resv_init(&resv[0]);
        dma_resv_init(&resv[1]);
    }
    void lock(std::uint32_t first) {
        struct dma_resv *a = &resv[first % 2], *b = &resv[(first + 1) % 2];
        struct ww_acquire_ctx ctx;
        ww_acquire_init(&ctx, &reservation_ww_class);
        WARN_ON(dma_resv_lock(a, &ctx));
        while (dma_resv_lock(b, &ctx) == -EDEADLK) {
            if (BacksOff) dma_resv_unlock(a);
            dma_resv_lock_slow(b, &ctx);
            if (!BacksOff) break;
            std::swap(a, b);
        }
        dma_resv_unlock(a);
        dma_resv_unlock(b);
        ww_acquire_fini(&ctx);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&reserved::lock>{"lock"});
};

/// Two objects whose reservations are taken at once, in any order.
struct locked_at_once {
    machine pc;
    struct drm_device dev;
    struct drm_gem_object objects[2];
    locked_at_once() {
        for (struct drm_gem_object& each : objects)
            drm_gem_private_object_init(&dev, &each, PAGE_SIZE);
    }
    void lock(std::uint32_t first) {
        struct drm_gem_object* both[2]{&objects[first % 2], &objects[(first + 1) % 2]};
        struct ww_acquire_ctx ctx;
        if (drm_gem_lock_reservations(both, 2, &ctx) != 0) return;
        dma_resv_assert_held(objects[0].resv);
        dma_resv_assert_held(objects[1].resv);
        drm_gem_unlock_reservations(both, 2, &ctx);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&locked_at_once::lock>{"lock"});
};

}  // namespace

TEST_CASE("linux: drm_gem_lock_reservations backs off by itself, and a signal ends it") {
    const wedge::outcome got = explored_fully<locked_at_once>("lock(0) | lock(1)");
    CHECK(got.what == result::sound);
    CHECK(got.findings.empty());
}

TEST_CASE("linux: a kernel thread is stopped out of its wait; asking under its lock hangs") {
    CHECK(explored_fully<served>("ask(0)").what == result::sound);
    CHECK(explored_fully<served>("ask(1)").what == result::deadlock);
    CHECK(explored_fully<served>("ask_interruptibly | finish").what == result::sound);
}

TEST_CASE("linux: -EDEADLK asks for a back-off") {
    CHECK(explored_fully<reserved<true>>("lock(0) | lock(1)").what == result::sound);
    const wedge::outcome wrong = explored_fully<reserved<false>>("lock(0) | lock(1)");
    CHECK(wrong.what == result::deadlock);
}

// Waits under a lock that the signaller takes first (rule 19d). One execution without a hang shows
// them; their hang is built from it.
namespace {

/// A device whose tasks wait for each other in all ways that the kernel has.
template <bool IsBroken>
struct awaited {
    machine pc;
    struct mutex lock;
    struct completion done;
    spinlock_t fence_lock;
    struct dma_fence fence;
    wait_queue_head_t queue;
    atomic_t users;

    awaited() {
        mutex_init(&lock);
        init_completion(&done);
        spin_lock_init(&fence_lock);
        dma_fence_init(&fence, nullptr, &fence_lock, 1, 1);
        init_waitqueue_head(&queue);
        atomic_set(&users, 1);
    }

    void pass_lock() {
        mutex_lock(&lock);
        mutex_unlock(&lock);
    }
    template <class Wait>
    void wait_with(Wait wait) {
        mutex_lock(&lock);
        if (!IsBroken) mutex_unlock(&lock);
        wait();
        if (IsBroken) mutex_unlock(&lock);
    }

    void finish() {
        pass_lock();
        complete(&done);
    }
    void flush() {
        wait_with([this] { wait_for_completion(&done); });
    }
    void retire() {
        pass_lock();
        dma_fence_signal(&fence);
    }
    void submit() {
        wait_with([this] { WARN_ON(dma_fence_wait(&fence, false) != 0); });
    }
    void leave() {
        pass_lock();
        atomic_dec(&users);
        wake_up(&queue);
    }
    void freeze() {
        wait_with([this] { wait_event(queue, atomic_read(&users) == 0); });
    }
    static constexpr auto actions = wedge::actions(
        wedge::action<&awaited::finish>{"finish"}, wedge::action<&awaited::flush>{"flush"},
        wedge::action<&awaited::retire>{"retire"}, wedge::action<&awaited::submit>{"submit"},
        wedge::action<&awaited::leave>{"leave"}, wedge::action<&awaited::freeze>{"freeze"});
    static constexpr const char* name = IsBroken ? "awaited_broken" : "awaited";
};

/// A task ends another one, or waits for its work, under a lock that the other takes.
template <bool IsBroken>
struct stopped {
    machine pc;
    struct mutex lock;
    wait_queue_head_t queue;
    atomic_t requests;
    struct work_struct work;

    stopped() {
        mutex_init(&lock);
        init_waitqueue_head(&queue);
        INIT_WORK(&work, [](struct work_struct* at) {
            struct stopped* const self = container_of(at, struct stopped, work);
            mutex_lock(&self->lock);
            mutex_unlock(&self->lock);
        });
    }
    static int serve(stopped* self) {
        wait_event(self->queue, atomic_read(&self->requests) != 0 || kthread_should_stop());
        mutex_lock(&self->lock);
        mutex_unlock(&self->lock);
        return 0;
    }
    void stop() {
        struct task_struct* thread = kthread_run(serve, this, "server");
        if (IS_ERR(thread)) return;
        atomic_inc(&requests);
        wake_up(&queue);
        if (IsBroken) mutex_lock(&lock);
        kthread_stop(thread);
        if (IsBroken) mutex_unlock(&lock);
    }
    void queue_it() { schedule_work(&work); }
    void flush() {
        if (IsBroken) mutex_lock(&lock);
        flush_work(&work);
        if (IsBroken) mutex_unlock(&lock);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&stopped::queue_it>{"queue_it"},
                                                   wedge::action<&stopped::flush>{"flush"},
                                                   wedge::action<&stopped::stop>{"stop"});
    static constexpr const char* name = IsBroken ? "stopped_broken" : "stopped";
};

/// Returns the cycles that were confirmed, and how the exploration ended. One execution is tried
/// for each seed, until it shows such a cycle or hangs.
template <wedge::workload W>
std::string confirmed_in(const char* program) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const wedge::outcome out = explored<W>(
            program, {.how = wedge::strategy::random, .seed = seed, .executions_max = 1});
        for (const wedge::finding& each : out.findings)
            if (each.kind == finding_kind::circular && each.judged == wedge::verdict::confirmed)
                return each.what;
    }
    return "";
}

void check_silent(const wedge::outcome& all) {
    CHECK(all.findings.empty());
    CHECK(all.what == result::sound);
}

}  // namespace

TEST_CASE("linux: a completion, a fence and a wait queue under a lock of their signaller") {
    using broken = awaited<true>;
    CHECK(confirmed_in<broken>("finish | flush") ==
          "&lock -> completion &done here, completion &done -> &lock before");
    CHECK(confirmed_in<broken>("retire | submit") ==
          "&lock -> completion dma_fence here, completion dma_fence -> &lock before");
    CHECK(confirmed_in<broken>("leave | freeze") ==
          "&lock -> condition &queue here, condition &queue -> &lock before");
    for (const char* program : {"finish | flush", "retire | submit", "leave | freeze"})
        check_silent(explored_fully<awaited<false>>(program));
}

TEST_CASE("linux: a thread is stopped, and a work flushed, under a lock that it takes") {
    using broken = stopped<true>;
    CHECK(confirmed_in<broken>("stop") ==
          "&lock -> the end of server here, the end of server -> &lock before");
    CHECK(confirmed_in<broken>("queue_it | flush") ==
          "&work -> &lock here, &lock -> &work before");  // rule 19a
    check_silent(explored_fully<stopped<false>>("stop"));
    check_silent(explored_fully<stopped<false>>("queue_it | flush"));
}

namespace {

/// A request that an answer or its time ends, beside a removal that keeps users out.
template <bool waits_under_lock>
struct removable {
    wedge::kernel::machine pc;
    struct percpu_rw_semaphore users {
        "&users"
    };
    struct mutex lock {
        "&lock"
    };
    struct completion answer {
        "&answer"
    };
    struct list_head requests {
        &requests, &requests
    };
    struct list_head one {};
    struct list_head other {};

    void ask() {
        percpu_down_read(&users);
        // The answer came; a wait that its time or a signal has ended asks for nothing.
        if (wait_for_completion_interruptible_timeout(&answer, min_t(u16, 5, 70000)) > 0) {
            mutex_lock(&lock);
            if (list_empty(&requests)) list_add(&one, &requests);
            mutex_unlock(&lock);
        }
        percpu_up_read(&users);
    }
    void tell() { complete(&answer); }
    void remove() {
        if (waits_under_lock) mutex_lock(&lock);
        percpu_down_write(&users);
        if (!waits_under_lock) mutex_lock(&lock);
        if (!list_empty(&requests)) {
            list_replace_init(&one, &other);
            WARN_ON(!list_is_first(&other, &requests) || !list_is_last(&other, &requests));
            WARN_ON(!list_empty(&one));
        }
        if (!waits_under_lock) mutex_unlock(&lock);
        percpu_up_write(&users);
        if (waits_under_lock) mutex_unlock(&lock);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&removable::ask>{"ask"},
                                                   wedge::action<&removable::tell>{"tell"},
                                                   wedge::action<&removable::remove>{"remove"});
};

}  // namespace

TEST_CASE("linux: users of a percpu_rw_semaphore are kept out under a lock that they take") {
    CHECK(explored_fully<removable<true>>("ask | tell | remove").what == result::deadlock);
    check_silent(explored_fully<removable<false>>("ask | tell | remove"));
}

}  // namespace linux_test
