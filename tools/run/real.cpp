#include "run/real.hpp"

namespace wedge::run {

constinit real_functions real{};

namespace {

template <class Function>
void find(Function& target, const char* name) noexcept {
    target = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

/// An allocator that replaces `free` alone would give the C library's `malloc_usable_size` blocks
/// that it does not know.
bool are_of_one_library(void* one, void* other) noexcept {
    Dl_info first{};
    Dl_info second{};
    return one != nullptr && other != nullptr && ::dladdr(one, &first) != 0 &&
           ::dladdr(other, &second) != 0 && first.dli_fbase == second.dli_fbase;
}

}  // namespace

void find_real_functions() noexcept {
#define WEDGE_RUN_FIND(name) find(real.name, #name);
    WEDGE_RUN_REAL(WEDGE_RUN_FIND)
#undef WEDGE_RUN_FIND
    real.knows_block_sizes = are_of_one_library(reinterpret_cast<void*>(real.free),
                                                reinterpret_cast<void*>(real.malloc_usable_size));
    real.has_all = true;
}

}  // namespace wedge::run
