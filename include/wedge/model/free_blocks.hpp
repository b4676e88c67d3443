// The free pages of a zone, in blocks of powers of two.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include <sched.h>

namespace wedge {

/// The number of free blocks of each order (Linux: free_area).
///
/// Blocks have no addresses, so their neighbours are unknown: pages that are freed separately stay
/// separate until they are compacted. The kernel would join some of them at once, so large blocks
/// are rarer here than there, never more frequent. It uses relaxed atomics, which order nothing
/// else.
class free_blocks {
public:
    static constexpr unsigned orders = 11;  // Linux: MAX_ORDER

    explicit free_blocks(std::uint32_t pages) { put(pages); }

    /// Adds pages. Pages that come together were one piece, as far as powers of two go.
    void put(std::uint32_t pages) noexcept {
        while (pages != 0) {
            const unsigned order =
                std::min(orders, static_cast<unsigned>(std::bit_width(pages))) - 1;
            const std::uint32_t blocks = pages >> order;
            blocks_[order].fetch_add(blocks, std::memory_order_relaxed);
            pages -= blocks << order;
        }
    }

    /// Takes pages wherever they are, from the smallest blocks first. The caller knows that there
    /// are enough; the wait is only for a thread that is about to put pages back.
    void take(std::uint32_t pages) noexcept {
        for (unsigned order = 0; pages != 0; order = (order + 1) % orders) {
            const std::uint32_t size = 1U << order;
            while (pages != 0 && take_one(order)) {
                if (size > pages) put(size - pages);
                pages -= size > pages ? pages : size;
            }
            if (pages != 0 && order + 1 == orders) ::sched_yield();
        }
    }

    /// Takes a block from the smallest one that is large enough; returns false if there is none.
    bool take_block(unsigned order) noexcept {
        for (unsigned from = order; from < orders; ++from) {
            if (!take_one(from)) continue;
            put((1U << from) - (1U << order));
            return true;
        }
        return false;
    }

    /// Joins the free pages to the largest blocks that they can form. Returns whether a block has
    /// grown.
    bool compact() noexcept {
        bool has_joined = false;
        for (unsigned order = 0; order + 1 < orders; ++order)
            while (take_one(order)) {
                if (!take_one(order)) {
                    blocks_[order].fetch_add(1, std::memory_order_relaxed);
                    break;
                }
                blocks_[order + 1].fetch_add(1, std::memory_order_relaxed);
                has_joined = true;
            }
        return has_joined;
    }

private:
    bool take_one(unsigned order) noexcept {
        std::uint32_t before = blocks_[order].load(std::memory_order_relaxed);
        while (before != 0)
            if (blocks_[order].compare_exchange_weak(before, before - 1, std::memory_order_relaxed))
                return true;
        return false;
    }

    std::array<std::atomic<std::uint32_t>, orders> blocks_{};
};

}  // namespace wedge
