// A real program under memory pressure: each `new` may have to reclaim, and may fail.
//
//     ./04_pressure_on_new explore under_its_lock
//
// The cache makes room for itself when memory is short, and waits for its lock to do so; but it
// allocates with the lock held. wedge sees that without a machine short of memory, and shows that
// it hangs. The one that allocates first is sound, whichever `new` fails.
//
// ctest: 04_broken when=plain,asan exit=1 explore under_its_lock => confirmed deadlock.*cache.*reclaim
// ctest: 04_sound explore before_its_lock => sound.*every schedule was tried
#include <list>
#include <string>

#include "wedge/main.hpp"
#include "wedge/model/replace_new.hpp"

struct cache : wedge::shrinker {
    wedge::memory zone;
    wedge::heap_of heap{zone};
    wedge::mutex lock{"cache"};
    std::list<std::string> entries;  // by lock

    cache() {
        zone.add(*this);
        zone.set({.fail_allocations = true, .force_reclaim = true});
    }
    void scan() override {
        const wedge::guard held(lock);
        entries.clear();
    }
    static std::list<std::string> made(const char* text) {
        const wedge::heap_section counts;
        try {
            return {std::string(100, *text)};
        } catch (const std::bad_alloc&) {
            return {};
        }
    }
};

struct under_its_lock : cache {
    void add() {
        const wedge::guard held(lock);
        entries.splice(entries.end(), made("a"));
    }
    static constexpr auto actions = wedge::actions(wedge::action<&under_its_lock::add>{"add"});
};

struct before_its_lock : cache {
    void add() {
        std::list<std::string> one = made("a");
        const wedge::guard held(lock);
        entries.splice(entries.end(), one);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&before_its_lock::add>{"add"});
};

WEDGE_MAIN(under_its_lock, before_its_lock)
