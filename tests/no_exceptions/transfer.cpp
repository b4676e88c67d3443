#include "no_exceptions/transfer.hpp"

#if defined(__cpp_exceptions)
#error "this file is to be built with -fno-exceptions"
#endif

void transfer::ab() {
    const alive mine;
    const wedge::guard first(a);
    const wedge::guard second(b);
}
void transfer::ba() {
    const alive mine;
    const wedge::guard first(b);
    const wedge::guard second(a);
}
