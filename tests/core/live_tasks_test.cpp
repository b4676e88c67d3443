#include "wedge/core/live_tasks.hpp"

#include <cstdio>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <unistd.h>

#include "wedge/wedge.hpp"

namespace live_tasks_test {

/// Returns what `dump_held` prints.
std::string dumped() {
    std::FILE* const file = std::tmpfile();
    std::fflush(stderr);
    const int before = ::dup(2);
    ::dup2(::fileno(file), 2);
    wedge::dump_held();
    std::fflush(stderr);
    ::dup2(before, 2);
    ::close(before);
    std::rewind(file);
    std::string text;
    for (int c = 0; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
    std::fclose(file);
    return text;
}

TEST_CASE("dump_held: it prints the locks that each live thread holds, and no others") {
    wedge::mutex mine("dumped by me");
    wedge::shared_mutex other("dumped by another");
    mine.lock();
    std::thread reader([&] {
        other.lock_shared();
        const std::string all = dumped();
        CHECK(all.find("  holds dumped by me #") != std::string::npos);
        CHECK(all.find("  holds dumped by another #") != std::string::npos);
        CHECK(all.find("(shared) taken at core/live_tasks_test.cpp:") != std::string::npos);
        other.unlock_shared();
    });
    reader.join();
    mine.unlock();
    CHECK(dumped().find("dumped by") == std::string::npos);
}

}  // namespace live_tasks_test
