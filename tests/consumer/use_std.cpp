// A user of wstd, which runs the checker on real threads.
#include <wedge/std.hpp>

int main() {
    wstd::mutex first;
    wstd::mutex second;
    int sum = 0;
    const auto add = [&](int by) {
        const wstd::scoped_lock held(first, second);
        sum += by;
    };
    wstd::thread other(add, 1);
    add(2);
    other.join();
    return sum == 3 ? 0 : 1;
}
