// Memory that is freed or unloaded: the locks in it are gone, though no destructor says so.
#include "run/session.hpp"

using namespace wedge::run;

#define WEDGE_HOOK extern "C" [[gnu::visibility("default")]]

namespace {

[[gnu::noinline]] void forget_in_block(void* block) noexcept {
    if (!real.knows_block_sizes) return;
    const std::size_t size = real.malloc_usable_size(block);
    hook_scope mine;
    if (mine) locks.forget_range(block, size);
}

}  // namespace

WEDGE_HOOK void free(void* block) noexcept {
    need_real_functions();
    // Large blocks have their locks anywhere.
    if (block != nullptr && locks.has_heap_locks()) forget_in_block(block);
    real.free(block);
}

WEDGE_HOOK void* realloc(void* block, std::size_t size) noexcept {
    need_real_functions();
    if (block == nullptr || !locks.has_heap_locks() || !real.knows_block_sizes)
        return real.realloc(block, size);
    const std::size_t before = real.malloc_usable_size(block);
    const auto place = reinterpret_cast<std::uintptr_t>(block);
    void* const moved = real.realloc(block, size);
    if (reinterpret_cast<std::uintptr_t>(moved) == place || (moved == nullptr && size != 0))
        return moved;
    // The block may belong to another thread by now; its locks are then forgotten, and known again
    // when they are next used.
    if (hook_scope mine; mine) locks.forget_range(reinterpret_cast<void*>(place), before);
    return moved;
}

WEDGE_HOOK int munmap(void* begin, std::size_t size) noexcept {
    need_real_functions();
    if (locks.has_heap_locks())
        if (hook_scope mine; mine) locks.forget_range(begin, size);
    return real.munmap(begin, size);
}

WEDGE_HOOK int dlclose(void* handle) noexcept {
    need_real_functions();
    const int result = real.dlclose(handle);
    if (hook_scope mine; mine) note_unloaded();
    return result;
}
