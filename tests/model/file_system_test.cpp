#include "wedge/model/file_system.hpp"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"

namespace file_system_test {

using namespace wedge;

namespace {

/// A file system in a zone that holds the pages of one write.
template <std::uint8_t HandleScope>
struct disk {
    static constexpr zone_limits limits{.pages = 8, .min = 0, .low = 0, .high = 0};

    memory zone{limits};
    file_system files{zone, HandleScope};

    void write() { static_cast<void>(files.write(6)); }
    void commit() { files.commit(); }
    void read() {  // holds no handle, so it may evict inodes
        if (zone.alloc(6, gfp_kernel)) zone.free(6);
    }
    void check() const {
        if (zone.free_pages() + files.cached() != limits.pages)
            throw std::logic_error("pages are lost or counted twice");
    }
    static constexpr auto actions =
        wedge::actions(action<&disk::write>{"write"}, action<&disk::commit>{"commit"},
                       action<&disk::read>{"read"});
};

using repaired = disk<scope::nofs>;
using broken = disk<0>;

template <class Disk>
outcome tried(const char* text) {
    return explore<Disk>(parse_program(text), {.executions_max = 20'000});
}

const finding* circular_of(const outcome& of) {
    const auto found = std::find_if(of.findings.begin(), of.findings.end(), [](const finding& f) {
        return f.kind == finding_kind::circular;
    });
    return found == of.findings.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("file system: reclaim frees what the files have cached, and counts it once") {
    for (const char* text : {"write, read", "write, write", "write | read"}) {
        CAPTURE(std::string(text));
        const outcome done = tried<repaired>(text);
        CHECK(done.what == result::sound);
        CHECK(done.findings.empty());
    }
}

TEST_CASE("file system: an allocation within a handle that enters the file system hangs") {
    const char* const text = "write, write | commit";
    const outcome found = tried<broken>(text);
    CHECK(found.what == result::deadlock);
    const finding* const cycle = circular_of(found);
    REQUIRE(cycle != nullptr);
    CHECK(cycle->judged == verdict::confirmed);
    CHECK(replay<broken>(cycle->best).what == result::deadlock);

    const outcome sound = tried<repaired>(text);
    CHECK(sound.what == result::sound);
    CHECK(sound.findings.empty());
}

TEST_CASE("file system: the order checker finds it in one task that meets no commit") {
    CHECK(circular_of(tried<broken>("write, write")) != nullptr);
    CHECK(tried<repaired>("write, write").findings.empty());
}

}  // namespace file_system_test
