// A user of the locks alone.
#include <wedge/wedge.hpp>

int main() {
    wedge::mutex a{"a"};
    a.lock();
    a.unlock();
}
