// A vector that stores its first elements in itself.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace wedge {

/// A vector of trivially copyable values. It allocates memory only for more than `N` elements, and
/// keeps that memory until it is destroyed.
///
/// It is made for the path of every step. A function that is hidden from the sanitizers cannot
/// inline the functions of std::vector, which are instrumented; it can inline these.
template <class T, std::size_t N>
class inline_vector {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__ && N > 0);

public:
    [[gnu::always_inline]] inline_vector() noexcept : data_(inside()) {}
    inline_vector(const inline_vector& other) : inline_vector() { assign(other); }
    inline_vector& operator=(const inline_vector& other) {
        if (this != &other) assign(other);
        return *this;
    }
    [[gnu::always_inline]] ~inline_vector() {
        if (data_ != inside()) [[unlikely]]
            delete[] reinterpret_cast<unsigned char*>(data_);
    }

    [[gnu::always_inline]] std::size_t size() const noexcept { return size_; }
    [[gnu::always_inline]] bool empty() const noexcept { return size_ == 0; }
    [[gnu::always_inline]] T* data() noexcept { return data_; }
    [[gnu::always_inline]] const T* data() const noexcept { return data_; }
    [[gnu::always_inline]] T* begin() noexcept { return data_; }
    [[gnu::always_inline]] T* end() noexcept { return data_ + size_; }
    [[gnu::always_inline]] const T* begin() const noexcept { return data_; }
    [[gnu::always_inline]] const T* end() const noexcept { return data_ + size_; }
    [[gnu::always_inline]] T& front() noexcept { return data_[0]; }
    [[gnu::always_inline]] const T& front() const noexcept { return data_[0]; }
    [[gnu::always_inline]] T& back() noexcept { return data_[size_ - 1]; }
    [[gnu::always_inline]] const T& back() const noexcept { return data_[size_ - 1]; }
    [[gnu::always_inline]] T& operator[](std::size_t i) noexcept { return data_[i]; }
    [[gnu::always_inline]] const T& operator[](std::size_t i) const noexcept { return data_[i]; }

    /// Constructs the new element in its place. A copy would wait for the stores of the original.
    template <class... Arguments>
    [[gnu::always_inline]] T& emplace_back(Arguments&&... arguments) {
        if (size_ == room_) [[unlikely]]
            grow(size_ + 1);
        return *new (data_ + size_++) T{std::forward<Arguments>(arguments)...};
    }
    [[gnu::always_inline]] void push_back(const T& value) { emplace_back(value); }
    [[gnu::always_inline]] void pop_back() noexcept { --size_; }
    [[gnu::always_inline]] void clear() noexcept { size_ = 0; }
    /// Keeps the first elements only.
    [[gnu::always_inline]] void truncate(std::size_t size) noexcept { size_ = size; }

    T& insert(T* place, const T& value) {
        const auto at = static_cast<std::size_t>(place - data_);
        const T copy = value;  // `value` may be an element of this vector
        if (size_ == room_) grow(size_ + 1);
        std::memmove(static_cast<void*>(data_ + at + 1), data_ + at, (size_ - at) * sizeof(T));
        ++size_;
        return *new (data_ + at) T(copy);
    }
    void erase(T* place) noexcept {
        const auto behind = static_cast<std::size_t>(end() - place) - 1;
        if (behind != 0) std::memmove(static_cast<void*>(place), place + 1, behind * sizeof(T));
        --size_;
    }

    friend bool operator==(const inline_vector& one, const inline_vector& other) {
        if (one.size_ != other.size_) return false;
        for (std::size_t i = 0; i < one.size_; ++i)
            if (!(one[i] == other[i])) return false;
        return true;
    }

private:
    [[gnu::always_inline]] T* inside() noexcept { return reinterpret_cast<T*>(inside_); }

    [[gnu::noinline, gnu::cold]] void grow(std::size_t least) {
        const std::size_t room = least < 2 * room_ ? 2 * room_ : least;
        auto* const larger = new unsigned char[room * sizeof(T)];
        std::memcpy(larger, data_, size_ * sizeof(T));
        if (data_ != inside()) delete[] reinterpret_cast<unsigned char*>(data_);
        data_ = reinterpret_cast<T*>(larger);
        room_ = room;
    }
    void assign(const inline_vector& other) {
        if (room_ < other.size_) grow(other.size_);
        std::memcpy(static_cast<void*>(data_), other.data_, other.size_ * sizeof(T));
        size_ = other.size_;
    }

    T* data_;
    std::size_t size_ = 0;
    std::size_t room_ = N;
    alignas(T) unsigned char inside_[N * sizeof(T)];
};

}  // namespace wedge
