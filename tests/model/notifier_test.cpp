#include "wedge/model/notifier.hpp"

#include <stdexcept>

#include <doctest/doctest.h>

#include "wedge/lock/atomic.hpp"
#include "wedge/model/job_fence.hpp"
#include "wedge/model/userptr.hpp"

#include "support/explored.hpp"
#include "support/watched.hpp"

namespace notifier_test {
using namespace wedge;

namespace {

class counting final : public mmu_notifier {
public:
    explicit counting(bool sleeps) : sleeps_(sleeps) {}
    bool invalidate(bool may_block) override {
        if (sleeps_ && !may_block) return false;
        ++begun;
        return true;
    }
    void invalidated() override { ++ended; }
    int begun = 0;
    int ended = 0;

private:
    const bool sleeps_;
};

/// A notifier that allocates in its callback, or takes a lock under which others allocate.
class broken final : public mmu_notifier {
public:
    broken(memory& zone, mutex* lock) : zone_(zone), lock_(lock) {}
    bool invalidate(bool) override {
        if (lock_ == nullptr) {
            zone_.might_alloc(gfp_noio);
        } else {
            const guard held(*lock_);
        }
        return true;
    }

private:
    memory& zone_;
    mutex* const lock_;
};

/// A device that reads pages while the core takes them away, with the sequence or without it.
template <bool looks_again>
struct used_pages {
    memory zone;
    mmap_lock mm;
    notifier_list notifiers{zone};
    wedge::atomic<int> pages{1};  // 0: the pages are gone
    mutex lock{"notifier_lock"};
    notifier_sequence seq;
    class callback final : public mmu_notifier {
    public:
        explicit callback(used_pages& of) : of_(of) {}
        bool invalidate(bool) override {
            const guard held(of_.lock);
            of_.seq.begin();
            return true;
        }
        void invalidated() override { of_.seq.end(); }

    private:
        used_pages& of_;
    } driver{*this};

    used_pages() {
        const guard held(mm);
        notifiers.add(driver, mm);
    }
    void submit() {
        for (;;) {
            const std::uint32_t seen = seq.read_begin();
            const int collected = pages.load();
            if (collected == 0) return;
            const guard held(lock);
            if (looks_again && seq.read_retry(seen)) continue;
            if (pages.load() == 0) throw std::logic_error("the device uses pages that are gone");
            return;
        }
    }
    void swap_out() {
        notifiers.invalidate(true, [&] { pages.store(0); });
    }
    static constexpr auto actions = wedge::actions(action<&used_pages::submit>{"submit"},
                                                   action<&used_pages::swap_out>{"swap_out"});
};

/// Removes a notifier, under a lock that its callback takes or without it.
template <bool under_callbacks_lock>
struct unregistering {
    memory zone;
    mmap_lock mm;
    notifier_list notifiers{zone};
    mutex driver{"driver"};
    broken callback{zone, &driver};
    unregistering() {
        const guard held(mm);
        notifiers.add(callback, mm);
    }
    void invalidate() {
        notifiers.invalidate(true, [] {});
    }
    void close() {
        if (under_callbacks_lock) {
            const guard held(driver);
            notifiers.remove(callback);
        } else {
            notifiers.remove(callback);
        }
    }
    static constexpr auto actions = wedge::actions(action<&unregistering::invalidate>{"invalidate"},
                                                   action<&unregistering::close>{"close"});
};

/// A user buffer that a device works on, beside an invalidation.
struct user_buffer {
    memory zone;
    mmap_lock mm;
    notifier_list notifiers{zone};
    signalling_map map;
    job_fence busy{map};
    wedge::atomic<bool> is_there{true};
    struct wait {
        user_buffer& of;
        void operator()() const { of.busy.wait(); }
    };
    userptr<wait> buffer{wait{*this}};

    user_buffer() {
        const guard held(mm);
        notifiers.add(buffer, mm);
    }
    void device() {
        const signalling_section promise(map);
        busy.signal();
    }
    void submit() {
        const auto collect = [&] {
            const shared_guard held(mm);
            is_there.store(true);
            return zone.alloc(1, gfp_kernel);
        };
        buffer.use(
            collect, [](auto inner) { inner(); },
            [&] {
                if (!is_there.load()) throw std::logic_error("pages that are gone");
            });
    }
    void swap_out() {
        notifiers.invalidate(true, [&] { is_there.store(false); });
    }
    static constexpr auto actions = wedge::actions(action<&user_buffer::device>{"device"},
                                                   action<&user_buffer::submit>{"submit"},
                                                   action<&user_buffer::swap_out>{"swap_out"});
};

}  // namespace

TEST_CASE("notifier: all notifiers are called before the pages go") {
    memory zone;
    mmap_lock mm;
    notifier_list all(zone);
    counting one(false);
    counting sleepy(true);
    {
        const guard held(mm);
        all.add(one, mm);
        all.add(sleepy, mm);
    }
    int bodies = 0;
    const auto body = [&] {
        ++bodies;
        CHECK(one.begun == one.ended + 1);
    };
    CHECK(all.invalidate(true, body));
    CHECK(one.ended == 1);
    CHECK(sleepy.ended == 1);
    // A notifier that had let go is told that the invalidation is over.
    CHECK(!all.invalidate(false, body));
    CHECK(one.ended == 2);
    CHECK(sleepy.begun == 1);
    CHECK(bodies == 1);
    all.remove(sleepy);
    CHECK(all.invalidate(false, body));
    CHECK(bodies == 2);
}

TEST_CASE("notifier: registering needs the mmap lock for writing") {
    const watched order;
    memory zone;
    mmap_lock mm;
    notifier_list all(zone);
    counting one(false);
    {
        const shared_guard held(mm);
        all.add(one, mm);
    }
    REQUIRE(order.findings().size() == 1);
    CHECK(order.findings()[0].kind == finding_kind::not_held);
}

TEST_CASE("notifier: a callback must not allocate, nor take a lock held over an allocation") {
    for (const bool allocates : {true, false}) {
        const watched order;
        memory zone;
        mmap_lock mm;
        notifier_list all(zone);
        mutex lock("taken in the callback");
        broken callback(zone, allocates ? nullptr : &lock);
        {
            const guard held(mm);
            all.add(callback, mm);
        }
        all.invalidate(true, [] {});
        if (!allocates) {
            CHECK(order.findings().empty());
            const guard held(lock);
            zone.might_alloc(gfp_noio);
        }
        CHECK(!order.findings().empty());
    }
}

TEST_CASE("notifier: the sequence tells that the pages are gone") {
    CHECK(explored<used_pages<false>>().what == result::exception);
    CHECK(explored<used_pages<true>>().what == result::sound);
}

TEST_CASE("notifier: unregistering under a lock of the callback deadlocks") {
    CHECK(explored<unregistering<true>>().what == result::deadlock);
    CHECK(explored<unregistering<false>>().what == result::sound);
}

TEST_CASE("userptr: use by the device and removal by the core never overlap") {
    CHECK(explored<user_buffer>().what == result::sound);
}

}  // namespace notifier_test
