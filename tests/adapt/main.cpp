// Locks of other libraries under the checker and the explorer. A library that is not installed is
// skipped, and named.
//
// ctest: locks run => pthread: ok.*(absl: ok|absl: skipped).*(boost: ok|boost: skipped).*(tbb: ok|tbb: skipped).*(qt: ok|qt: skipped)
#include <cstdio>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "wedge/adapt/absl.hpp"
#include "wedge/adapt/boost.hpp"
#include "wedge/adapt/pthread.hpp"
#include "wedge/adapt/qt.hpp"
#include "wedge/adapt/tbb.hpp"
#include "wedge/explore.hpp"
#include "wedge/lock/guard.hpp"

namespace {

int failures = 0;

void expect(bool is_so, const char* what) {
    if (is_so) return;
    ++failures;
    std::printf("FAILED: %s\n", what);
}

/// Two locks of a type: the ordered use is sound, and the inverted one deadlocks.
template <class L>
void check_order(const char* name) {
    L a{"a"};
    L b{"b"};
    int sum = 0;
    const auto ordered = [&] {
        const wedge::guard first(a);
        const wedge::guard second(b);
        ++sum;
    };
    const auto inverted = [&] {
        const wedge::guard first(b);
        const wedge::guard second(a);
    };
    expect(wedge::explore({ordered, inverted}).what == wedge::result::deadlock, name);
    expect(wedge::explore({ordered, ordered}).what == wedge::result::sound, name);
    // On real threads the native lock excludes.
    sum = 0;
    const auto many = [&] {
        for (int i = 0; i < 1000; ++i) ordered();
    };
    std::thread other(many);
    many();
    other.join();
    expect(sum == 2000, name);
    a.lock();
    bool is_taken = true;
    std::thread([&] { is_taken = a.try_lock(); }).join();
    expect(!is_taken, name);
    a.unlock();
}

/// As `check_order`, and readers are together.
template <class L>
void check_readers(const char* name) {
    check_order<L>(name);
    L m{"m"};
    m.lock_shared();
    bool reads = false;
    bool writes = true;
    std::thread([&] {
        reads = m.try_lock_shared();
        if (reads) m.unlock_shared();
        writes = m.try_lock();
    }).join();
    expect(reads && !writes, name);
    m.unlock_shared();
}

void result_of(const char* library, int failures_before) {
    if (failures == failures_before) std::printf("%s: ok\n", library);
}

[[maybe_unused]] void skip(const char* library) {
    std::printf("%s: skipped, its headers are not installed\n", library);
}

void check_pthread() {
    const int before = failures;
    check_order<wedge::adapt::pthread_mutex>("pthread_mutex");
    check_order<wedge::adapt::pthread_spinlock>("pthread_spinlock");
    check_readers<wedge::adapt::pthread_rwlock>("pthread_rwlock");
    result_of("pthread", before);
}

void check_absl() {
#if __has_include(<absl/synchronization/mutex.h>) && !defined(WITHOUT_ABSL)
    const int before = failures;
    check_readers<wedge::adapt::absl_mutex>("absl_mutex");
    result_of("absl", before);
#else
    skip("absl");
#endif
}

void check_boost() {
#if __has_include(<boost/thread/mutex.hpp>) && !defined(WITHOUT_BOOST)
    const int before = failures;
    check_order<wedge::adapt::boost_mutex>("boost_mutex");
    check_readers<wedge::adapt::boost_shared_mutex>("boost_shared_mutex");
    check_readers<wedge::adapt::boost_upgrade_mutex>("boost_upgrade_mutex");
    result_of("boost", before);
#else
    skip("boost");
#endif
}

void check_tbb() {
#if __has_include(<oneapi/tbb/spin_rw_mutex.h>) && !defined(WITHOUT_TBB)
    const int before = failures;
    check_order<wedge::adapt::tbb_spin_mutex>("tbb_spin_mutex");
    check_readers<wedge::adapt::tbb_spin_rw_mutex>("tbb_spin_rw_mutex");
    result_of("tbb", before);
#else
    skip("tbb");
#endif
}

void check_qt() {
#if __has_include(<QtCore/QMutex>) && !defined(WITHOUT_QT)
    const int before = failures;
    check_order<wedge::adapt::qt_mutex>("qt_mutex");
    check_readers<wedge::adapt::qt_rwlock>("qt_rwlock");
    result_of("qt", before);
#else
    skip("qt");
#endif
}

}  // namespace

int main() {
    check_pthread();
    check_absl();
    check_boost();
    check_tbb();
    check_qt();
    return failures == 0 ? 0 : 1;
}
