// Choices that a fuzz input answers.
#pragma once

#include <cstddef>
#include <cstdint>

/// Reads answers from the input; after its end, always 0.
class input_choices {
public:
    input_choices(const std::uint8_t* data, std::size_t size) : next_(data), end_(data + size) {}
    std::uint32_t below(std::uint32_t n) { return next_ == end_ ? 0 : *next_++ % n; }

private:
    const std::uint8_t* next_;
    const std::uint8_t* end_;
};
