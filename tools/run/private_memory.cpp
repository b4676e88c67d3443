// The memory of the preloaded library. It never calls the program's malloc: the program's allocator
// takes locks, whose hooks would wait for the library while the library waits for the allocator.
#include "run/private_memory.hpp"

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace wedge::run {
namespace {

// A block is a power of two with a header of 16 bytes that holds its size.
constexpr std::size_t header = 16;
constexpr unsigned least_bits = 5;
constexpr unsigned most_bits = 17;  // larger blocks are mapped one by one
constexpr std::size_t chunk_size = std::size_t{1} << 20;

struct free_block {
    free_block* next;
};

struct heap {
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
    free_block* lists[most_bits + 1]{};
    unsigned char* fresh = nullptr;
    std::size_t left = 0;
};
constinit heap shared;

void* map(std::size_t size) noexcept {
    void* const made =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) std::abort();  // the program is out of memory as well
    return made;
}

void* take(unsigned bits) noexcept {
    if (free_block* const known = shared.lists[bits]) {
        shared.lists[bits] = known->next;
        return known;
    }
    const std::size_t size = std::size_t{1} << bits;
    if (shared.left < size) {
        shared.fresh = static_cast<unsigned char*>(map(chunk_size));
        shared.left = chunk_size;
    }
    void* const made = shared.fresh;
    shared.fresh += size;
    shared.left -= size;
    return made;
}

}  // namespace

void lock_private_memory() noexcept {
    while (shared.busy.test_and_set(std::memory_order_acquire)) ::syscall(SYS_sched_yield);
}
void unlock_private_memory() noexcept {
    shared.busy.clear(std::memory_order_release);
}

void* allocate_private(std::size_t size) noexcept {
    const std::size_t whole = size + header;
    auto bits = static_cast<unsigned>(std::bit_width(whole - 1));
    if (bits < least_bits) bits = least_bits;
    unsigned char* block = nullptr;
    if (bits > most_bits) {
        block = static_cast<unsigned char*>(map(whole));
    } else {
        lock_private_memory();
        block = static_cast<unsigned char*>(take(bits));
        unlock_private_memory();
    }
    *reinterpret_cast<std::size_t*>(block) = bits > most_bits ? whole : bits;
    return block + header;
}

void release_private(void* memory) noexcept {
    if (memory == nullptr) return;
    unsigned char* const block = static_cast<unsigned char*>(memory) - header;
    const std::size_t size = *reinterpret_cast<std::size_t*>(block);
    if (size > most_bits) {
        ::munmap(block, size);
        return;
    }
    auto* const unused = reinterpret_cast<free_block*>(block);
    lock_private_memory();
    unused->next = shared.lists[size];
    shared.lists[size] = unused;
    unlock_private_memory();
}

}  // namespace wedge::run

// Hidden by exports.map: only the library's own code calls these.
void* operator new(std::size_t size) {
    return wedge::run::allocate_private(size);
}
void* operator new[](std::size_t size) {
    return wedge::run::allocate_private(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return wedge::run::allocate_private(size);
}
void* operator new(std::size_t size, std::align_val_t align) {
    // Over-aligned objects of the library live as long as the process, so they are not given back.
    const auto wanted = static_cast<std::size_t>(align);
    const auto raw = reinterpret_cast<std::uintptr_t>(wedge::run::allocate_private(size + wanted));
    return reinterpret_cast<void*>((raw + wanted - 1) & ~(wanted - 1));
}
void operator delete(void* memory) noexcept {
    wedge::run::release_private(memory);
}
void operator delete[](void* memory) noexcept {
    wedge::run::release_private(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    wedge::run::release_private(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    wedge::run::release_private(memory);
}
void operator delete(void*, std::align_val_t) noexcept {}
void operator delete(void*, std::size_t, std::align_val_t) noexcept {}
