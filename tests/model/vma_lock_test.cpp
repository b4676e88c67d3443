#include "wedge/model/vma_lock.hpp"

#include <stdexcept>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"

using namespace wedge;

namespace {

/// Faults beside a change of the area. The change waits for areas under i_mmap, or only tries them.
template <bool tries>
struct areas {
    mmap_lock mm;
    vma_lock::sequence writes;
    vma_lock area{writes};
    shared_mutex i_mmap{"i_mmap_rwsem"};
    int readers = 0;
    bool is_changing = false;

    void read() {
        if (is_changing) throw std::logic_error("a reader within a change");
        const shared_guard tree(i_mmap);  // it allocates, and reclaim walks the tree
    }
    void fault() {
        if (area.try_read()) {
            read();
            area.end_read();
            return;
        }
        const shared_guard held(mm);
        read();
    }
    void change() {
        const guard held(mm);
        area.write();
        is_changing = true;
        { const guard tree(i_mmap); }
        is_changing = false;
        writes.end_writes();
    }
    /// khugepaged, which comes from the file's side.
    void collapse() {
        const guard tree(i_mmap);
        const try_guard held(mm);
        if (!held) return;
        if (tries)
            static_cast<void>(area.try_write());
        else
            area.write();
        writes.end_writes();
    }
    static constexpr auto actions =
        wedge::actions(action<&areas::fault>{"fault"}, action<&areas::change>{"change"},
                       action<&areas::collapse>{"collapse"});
};

}  // namespace

TEST_CASE("vma_lock: a fault takes it, unless the area is marked") {
    vma_lock::sequence writes;
    vma_lock one(writes);
    vma_lock other(writes);
    CHECK(one.try_read());
    CHECK(!one.try_write());
    one.end_read();
    one.write();
    CHECK(!one.try_read());
    CHECK(other.try_read());
    other.end_read();
    writes.end_writes();
    CHECK(one.try_read());
    one.end_read();
}

TEST_CASE("vma_lock: no fault runs within a change, in any schedule") {
    const outcome done = explore<areas<true>>(parse_program("fault | change | fault"));
    CHECK(done.what == result::sound);
}

TEST_CASE("vma_lock: under i_mmap areas are only tried") {
    const program calls = parse_program("fault | collapse");
    const outcome repaired = explore<areas<true>>(calls);
    CHECK(repaired.what == result::sound);
    CHECK(repaired.findings.empty());
    const outcome broken = explore<areas<false>>(calls);
    CHECK(broken.what == result::deadlock);
}
