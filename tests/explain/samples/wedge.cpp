// Orders of locks that wedge's order checker reports while the program runs; `repaired` has none.
#include <string>

#define WEDGE_IMPLEMENT
#include <wedge/wedge.hpp>

namespace {

wedge::mutex accounts{"accounts"};
wedge::mutex journal{"journal"};
wedge::mutex pages{"pages"};
wedge::shared_mutex table{"table"};

template <class First, class Second>
void both(First& first, Second& second) {
    first.lock();
    second.lock();
    second.unlock();
    first.unlock();
}

template <class Function>
void in_thread(Function run) {
    wedge::thread(run).join();
}

}  // namespace

int main(int count, char** words) {
    const std::string how = count > 1 ? words[1] : "abba";
    if (how == "abba") {
        in_thread([] { both(accounts, journal); });
        in_thread([] { both(journal, accounts); });
    } else if (how == "three") {
        in_thread([] { both(accounts, journal); });
        in_thread([] { both(journal, pages); });
        in_thread([] { both(pages, accounts); });
    } else if (how == "shared") {
        in_thread([] {
            table.lock_shared();
            accounts.lock();
            accounts.unlock();
            table.unlock_shared();
        });
        in_thread([] { both(accounts, table); });
    } else {  // repaired
        in_thread([] { both(accounts, journal); });
        in_thread([] { both(accounts, journal); });
        in_thread([] { both(journal, pages); });
        in_thread([] { both(accounts, pages); });
    }
}
