// A user of exploration.
#include <wedge/explore/explore.hpp>

int main() {
    wedge::explore({[] {}, [] {}});
}
