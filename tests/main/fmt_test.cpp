#include <filesystem>

#include <doctest/doctest.h>

#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "main/sample_scenarios.hpp"

namespace fmt_test {

constexpr const char* crooked = "lock a mutex;thread one   x2{lock a # first\nunlock a}\n";
constexpr const char* straight =
    "lock a mutex\nthread one x2 {\n    lock a  # first\n    unlock a\n}\n";
constexpr const char* wrong = "lock a mutex\nthread one {\n    lok a\n}\n";

TEST_CASE("fmt: prints the canonical text and leaves the file unchanged") {
    const scratch_folder here;
    wedge::write_text("a.wedge", crooked);
    const called result = call_program({}, {"fmt", "a.wedge"});
    CHECK(result.status == 0);
    CHECK(result.out == straight);
    CHECK(wedge::read_text("a.wedge") == crooked);
}

TEST_CASE(
    "fmt: --in-place rewrites files that differ, keeps permissions and links, and is idempotent") {
    namespace fs = std::filesystem;
    const scratch_folder here;
    wedge::make_folder("all");
    wedge::write_text("all/a.wedge", crooked);
    wedge::write_text("target", crooked);
    fs::permissions("target", fs::perms::owner_read | fs::perms::owner_write);
    fs::create_symlink("../target", "all/b.wedge");
    const called result = call_program({}, {"fmt", "--in-place", "all"});
    CHECK(result.status == 0);
    CHECK(result.out == "");
    CHECK(wedge::read_text("all/a.wedge") == straight);
    CHECK(wedge::read_text("target") == straight);
    CHECK(fs::is_symlink("all/b.wedge"));
    CHECK(fs::status("target").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    const fs::file_time_type before = fs::last_write_time("all/a.wedge");
    CHECK(call_program({}, {"fmt", "-i", "all"}).status == 0);
    CHECK(fs::last_write_time("all/a.wedge") == before);
}

TEST_CASE("fmt: --check names files that differ, exits with 1, and writes nothing") {
    const scratch_folder here;
    wedge::write_text("a.wedge", crooked);
    wedge::write_text("b.wedge", straight);
    const called result = call_program({}, {"fmt", "--check", "a.wedge", "b.wedge"});
    CHECK(result.status == 1);
    CHECK(result.out == "a.wedge\n");
    CHECK(wedge::read_text("a.wedge") == crooked);
    CHECK(call_program({}, {"fmt", "--check", "b.wedge"}).status == 0);
}

TEST_CASE("fmt: a file with an error stays unchanged, and the other files are formatted") {
    const scratch_folder here;
    wedge::write_text("a.wedge", wrong);
    wedge::write_text("b.wedge", crooked);
    const called result = call_program({}, {"fmt", "-i", "a.wedge", "b.wedge", "nowhere.wedge"});
    CHECK(result.status == 2);
    CHECK(result.err ==
          "bank: a.wedge:3:5: found 'lok', expected a statement (did you mean 'lock'?)\n"
          "bank: nowhere.wedge: No such file or directory\n");
    CHECK(wedge::read_text("a.wedge") == wrong);
    CHECK(wedge::read_text("b.wedge") == straight);
}

}  // namespace fmt_test
