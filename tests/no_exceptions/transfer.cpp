#include "no_exceptions/transfer.hpp"

#include "wedge/linux.hpp"
#include "wedge/model.hpp"
#include "wedge/std.hpp"

#if defined(__cpp_exceptions)
#error "this file is to be built with -fno-exceptions"
#endif

// Each function of a template is used, so that it is compiled without exceptions too.
template class wedge::std_like::promise<int>;
template class wedge::std_like::future<int>;
template class wedge::std_like::unique_lock<wedge::std_like::mutex>;

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
