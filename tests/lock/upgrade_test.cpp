// The upgradable lock: which modes exclude each other, and an upgrade that waits for itself.
#include <doctest/doctest.h>

#include "wedge/lock/upgrade_mutex.hpp"

#include "lock/both.hpp"

namespace upgrade_test {
using wedge::result;

TEST_CASE("an upgradable hold admits readers, no writer and no second upgradable hold") {
    wedge::upgrade_mutex m{"m"};
    const auto from_another_thread = [&](auto try_it) {
        bool is_taken = false;
        wedge::thread([&] { is_taken = try_it(); }).join();
        return is_taken;
    };
    const auto reads = [&] { return m.try_lock_shared() && (m.unlock_shared(), true); };
    const auto writes = [&] { return m.try_lock() && (m.unlock(), true); };
    const auto upgrades = [&] { return m.try_lock_upgrade() && (m.unlock_upgrade(), true); };
    CHECK(from_another_thread(writes));
    {
        wedge::upgrade_guard held(m);
        CHECK(from_another_thread(reads));
        CHECK_FALSE(from_another_thread(writes));
        CHECK_FALSE(from_another_thread(upgrades));
        held.upgrade();
        CHECK_FALSE(from_another_thread(reads));
    }
    m.lock();
    m.unlock_and_lock_upgrade();
    CHECK(from_another_thread(reads));
    CHECK_FALSE(from_another_thread(upgrades));
    m.unlock_upgrade_and_lock_shared();
    CHECK(from_another_thread(upgrades));
    CHECK_FALSE(from_another_thread(writes));
    m.unlock_shared();
    m.lock();
    m.unlock_and_lock_shared();
    CHECK(from_another_thread(reads));
    m.unlock_shared();
}

struct tables {
    wedge::upgrade_mutex data{"data"};
    wedge::mutex index{"index"};
    int version = 0;
};

/// A task upgrades under `index`, which a reader wants.
void upgrade_under_index(tables& of) {
    wedge::upgrade_guard held(of.data);
    const wedge::guard mine(of.index);
    held.upgrade();
    ++of.version;
}
void index_first(tables& of) {
    const wedge::guard mine(of.index);
    const wedge::shared_guard held(of.data);
}
void data_first(tables& of) {
    of.data.lock_shared();
    { const wedge::guard mine(of.index); }
    of.data.unlock_shared();
}
void upgrade_alone(tables& of) {
    wedge::upgrade_guard held(of.data);
    held.upgrade();
    const wedge::guard mine(of.index);
    ++of.version;
}

TEST_CASE("an upgrade under a lock that a reader wants hangs; before that lock it does not") {
    tables of;
    CHECK(both::controlled({[&] { upgrade_under_index(of); }, [&] { data_first(of); }}).what ==
          result::deadlock);
    CHECK(both::controlled({[&] { upgrade_alone(of); }, [&] { index_first(of); }}).what ==
          result::deadlock);
    tables fixed;
    const wedge::outcome out = both::controlled(
        {[&] { upgrade_alone(fixed); }, [&] { upgrade_alone(fixed); }, [&] { data_first(fixed); }});
    CHECK(out.what == result::sound);
    CHECK(out.exhausted);
    both::natively(
        {[&] { upgrade_alone(fixed); }, [&] { upgrade_alone(fixed); }, [&] { data_first(fixed); }});
}

}  // namespace upgrade_test
