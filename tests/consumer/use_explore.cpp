// A user of exploration.
#include <wedge/explore.hpp>

int main() {
    wedge::explore({[] {}, [] {}});
}
