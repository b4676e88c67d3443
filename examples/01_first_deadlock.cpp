// Two mutexes, locked in both orders: from a run that did not hang to a deadlock that repeats.
//
//     ./01_first_deadlock           runs both actions one after the other, on real locks
//     ./01_first_deadlock explore   tries the schedules, and says how it hangs
//     ./01_first_deadlock replay transfer-*.schedule
//
// The first prints, and does not hang:
//     possible deadlock: checking -> savings here, savings -> checking before
// The second confirms it, and ends with the command that repeats it. The ordered twin is sound.
//
// ctest: 01_native when=plain,asan run => possible deadlock: checking -> savings here
// ctest: 01_explore when=plain,asan exit=1 explore transfer => confirmed deadlock.*withdraw.*holds      savings.*waits for  checking.*replay: [^\n]*transfer-
// ctest: 01_tsan_sees_it_too when=tsan exit=66 run => lock-order-inversion
// ctest: 01_ordered_twin explore transfer_in_order => sound.*every schedule was tried
#include <cstring>

#include "wedge/main.hpp"
#include "wedge/wedge.hpp"

/// Two accounts. A transfer first locks the account that it takes from. That is the bug.
struct transfer {
    wedge::mutex checking{"checking"}, savings{"savings"};
    int checking_balance = 100, savings_balance = 100;

    void withdraw() {
        const wedge::guard from(savings);
        const wedge::guard to(checking);
        savings_balance -= 10;
        checking_balance += 10;
    }
    void deposit() {
        const wedge::guard from(checking);
        const wedge::guard to(savings);
        checking_balance -= 10;
        savings_balance += 10;
    }
    static constexpr auto actions = wedge::actions(wedge::action<&transfer::withdraw>{"withdraw"},
                                                   wedge::action<&transfer::deposit>{"deposit"});
};

/// The repaired twin: it always locks `checking` first.
struct transfer_in_order : transfer {
    void withdraw() {
        const wedge::guard to(checking);
        const wedge::guard from(savings);
        savings_balance -= 10;
        checking_balance += 10;
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&transfer_in_order::withdraw>{"withdraw"},
                       wedge::action<&transfer_in_order::deposit>{"deposit"});
};

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], "run") != 0)
        return wedge::main_of<transfer, transfer_in_order>(argc, argv);
    transfer accounts;  // an ordinary program: the order checker listens from start-up
    accounts.withdraw();
    accounts.deposit();
}
