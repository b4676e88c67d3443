// Stresses shapes in which locks starve tasks, form convoys, or wedge: sound ones and broken twins.
//
//     stress_convoys stress starvation --roles '3: look | 1: change' --sweep 1,2,4,8
//
// clang-format off
// ctest: sound stress starvation try_convoy flush reservations --expect --threads 4 --seconds 300ms => reservations: clean
// ctest: flush_under_lock stress flush_under_lock --expect --threads 4 --seconds 1 --patience 300ms => flush_under_lock: [^\n]*, as expected
// ctest: lock_then_lock stress lock_then_lock --expect --threads 4 --seconds 1 => lock_then_lock: [^\n]*, as expected
// ctest: retries stress retries --expect --threads 2 --seconds 2 --patience 300ms => livelock: .*takes steps
// clang-format on
#include <array>
#include <cstdint>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/lock/work.hpp"
#include "wedge/lock/ww_mutex.hpp"
#include "wedge/main.hpp"

// TSan's own reports of lock orders are off: wedge reports them. TSan still reports data races.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
    return "detect_deadlocks=0";
}

namespace {

/// Many readers and few writers of one table. Neither side may starve.
struct starvation {
    wedge::shared_mutex lock{"table"};
    std::uint64_t first = 0;
    std::uint64_t second = 0;

    void look() {
        const wedge::shared_guard held(lock);
        if (first != second) throw wedge::error("a reader saw half a change");
    }
    void change() {
        const wedge::guard held(lock);
        ++first;
        ++second;
    }
    static constexpr wedge::result expects = wedge::result::sound;
    static constexpr auto actions = wedge::actions(wedge::action<&starvation::look>{"look"},
                                                   wedge::action<&starvation::change>{"change"});
};

/// A trylock under a lock, against the order: most of them fail while the other side is busy.
struct try_convoy {
    wedge::mutex list{"list"};
    wedge::mutex item{"item"};

    void shrink() {
        const wedge::guard all(list);
        const wedge::try_guard one(item);
        static_cast<void>(one);
    }
    void use() {
        const wedge::guard one(item);
        const wedge::guard all(list);
    }
    static constexpr wedge::result expects = wedge::result::sound;
    static constexpr auto actions = wedge::actions(wedge::action<&try_convoy::shrink>{"shrink"},
                                                   wedge::action<&try_convoy::use>{"use"});
};

/// A work item that takes a lock, and a flush of it. The broken twin flushes under that lock.
template <bool Broken>
struct flushing {
    wedge::mutex state{"device state"};
    std::uint64_t runs = 0;
    wedge::work update{[this] {
        const wedge::guard held(state);
        ++runs;
    }};

    void request() { update.queue(); }
    void stop() {
        if constexpr (Broken) {
            const wedge::guard held(state);
            update.flush();
        } else {
            update.flush();
        }
    }
    static constexpr const char* name = Broken ? "flush_under_lock" : "flush";
    static constexpr wedge::result expects =
        Broken ? wedge::result::deadlock : wedge::result::sound;
    static constexpr auto actions = wedge::actions(wedge::action<&flushing::request>{"request"},
                                                   wedge::action<&flushing::stop>{"stop"});
};

/// A submission that reserves eight of sixteen buffers in any order, under a ticket. The broken
/// twin takes two plain mutexes in any order.
struct reservations {
    wedge::ww_class of{"buffer"};
    std::array<wedge::ww_mutex, 16> buffers = make(of, std::make_index_sequence<16>());
    std::array<std::uint64_t, 16> uses{};

    template <std::size_t... I>
    static std::array<wedge::ww_mutex, 16> make(wedge::ww_class& in, std::index_sequence<I...>) {
        return {((void)I, wedge::ww_mutex(in))...};
    }
    void submit(std::uint32_t from) {
        wedge::transaction(of, [&](wedge::ww_ticket& ticket) {
            for (std::uint32_t i = 0; i < 8; ++i)
                if (buffers[(from * 5 + i * 7) % 16].lock(ticket) == wedge::ww_result::back_off)
                    return wedge::ww_result::back_off;
            for (std::uint32_t i = 0; i < 8; ++i) ++uses[(from * 5 + i * 7) % 16];
            return wedge::ww_result::ok;
        });
    }
    static constexpr wedge::result expects = wedge::result::sound;
    static constexpr auto actions = wedge::actions(wedge::action<&reservations::submit>{"submit"});
};
struct lock_then_lock {
    std::array<wedge::mutex, 2> buffers{};

    void submit(std::uint32_t from) {
        const wedge::guard one(buffers[from % 2]);
        const wedge::guard two(buffers[1 - from % 2]);
    }
    static constexpr wedge::result expects = wedge::result::deadlock;
    static constexpr auto actions =
        wedge::actions(wedge::action<&lock_then_lock::submit>{"submit"});
};

/// Each task retries a trylock of a lock that it holds itself in another hold: it never ends.
struct retries {
    wedge::mutex lock{"retried"};

    void retry() WEDGE_NO_THREAD_SAFETY {
        const wedge::guard held(lock);
        wedge::mutex own{"own"};
        own.lock();
        while (!own.try_lock()) {
        }
    }
    static constexpr wedge::result expects = wedge::result::livelock;
    static constexpr auto actions = wedge::actions(wedge::action<&retries::retry>{"retry"});
};

using flush = flushing<false>;
using flush_under_lock = flushing<true>;

}  // namespace

WEDGE_MAIN(starvation, try_convoy, flush, flush_under_lock, reservations, lock_then_lock, retries)
