// How to go from a function's frame to its caller's, as the unwind tables of the program say.
#pragma once

#include "wedge/core/sanitizer.hpp"

// Sanitizers keep books of their own about stacks, so they need the C++ runtime's way.
#if defined(__x86_64__) && defined(__linux__) && defined(__LP64__) && !defined(WEDGE_ASAN) && \
    !defined(WEDGE_TSAN)
#define WEDGE_FRAME_RULES 1

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <unordered_map>

#include <unwind.h>

extern "C" {
// Of libgcc and of LLVM's libunwind; no header of theirs declares these.
struct wedge_unwind_bases {
    void* text;
    void* data;
    void* function;
};
const void* wedge_find_frame_entry(void* pc, wedge_unwind_bases* bases) __asm__("_Unwind_Find_FDE");
_Unwind_Reason_Code __gxx_personality_v0(int, _Unwind_Action, _Unwind_Exception_Class,
                                         _Unwind_Exception*, _Unwind_Context*);
}

namespace wedge::detail {

/// The registers that a called function leaves as they were: rbx, rbp, r12 to r15.
inline constexpr std::size_t kept_registers = 6;

/// What a function needs of its caller's frame. Offsets are from the frame's end: the value of the
/// stack pointer before the call.
struct frame_rule {
    static constexpr std::int32_t unsaved = 0;  ///< the register has its value still

    bool is_known = false;     ///< false: the frame can be left by an exception only
    bool is_from_rbp = false;  ///< the end is `offset` from rbp; else from the stack pointer
    std::int32_t offset = 0;
    std::array<std::int32_t, kept_registers> saved{};
    const void* clean_up = nullptr;  ///< the code that destroys its objects; null: it has none
};

/// Reads values of the tables. After a form that it does not know, `is_good` is false.
class table_reader {
public:
    using byte = unsigned char;

    table_reader(const byte* at, const void* data_base) : at_(at), data_base_(data_base) {}

    bool is_good() const noexcept { return is_good_; }
    void fail() noexcept { is_good_ = false; }
    const byte* at() const noexcept { return at_; }
    void skip(std::size_t bytes) noexcept { at_ += bytes; }

    template <class T>
    T fixed() noexcept {
        T value;
        std::memcpy(&value, at_, sizeof value);
        at_ += sizeof value;
        return value;
    }
    std::uint64_t unsigned_leb() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0;; shift += 7) {
            const byte next = *at_++;
            if (shift < 64) value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
            if ((next & 0x80) == 0) return value;
        }
    }
    std::int64_t signed_leb() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0;;) {
            const byte next = *at_++;
            if (shift < 64) value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
            shift += 7;
            if ((next & 0x80) != 0) continue;
            if (shift < 64 && (next & 0x40) != 0) value |= ~std::uint64_t{0} << shift;
            return static_cast<std::int64_t>(value);
        }
    }

    /// Reads a number in one of the encodings of the tables (DW_EH_PE_*).
    std::uint64_t encoded(byte how) noexcept {
        const byte* const here = at_;
        std::uint64_t value = number(how);
        if (value == 0) return 0;
        switch (how & 0x70) {
            case 0x00: break;
            case 0x10: value += address(here); break;
            case 0x30: value += address(data_base_); break;
            default: fail(); return 0;
        }
        if ((how & 0x80) != 0) std::memcpy(&value, reinterpret_cast<const void*>(value), 8);
        return value;
    }

private:
    static std::uint64_t address(const void* of) noexcept {
        return reinterpret_cast<std::uintptr_t>(of);
    }
    std::uint64_t number(byte how) noexcept {
        switch (how & 0x0f) {
            case 0x00:
            case 0x04:
            case 0x0c: return fixed<std::uint64_t>();
            case 0x01: return unsigned_leb();
            case 0x02: return fixed<std::uint16_t>();
            case 0x03: return fixed<std::uint32_t>();
            case 0x09: return static_cast<std::uint64_t>(signed_leb());
            case 0x0a: return static_cast<std::uint64_t>(std::int64_t{fixed<std::int16_t>()});
            case 0x0b: return static_cast<std::uint64_t>(std::int64_t{fixed<std::int32_t>()});
            default: fail(); return 0;
        }
    }

    const byte* at_;
    const void* data_base_;
    bool is_good_ = true;
};

/// A function's entry of the table .eh_frame, and the entry that it has in common with others.
///
/// System V ABI for AMD64, 4.2.4; Linux Standard Base, 10.6: exception frames.
class frame_entry {
public:
    using byte = table_reader::byte;

    /// @param pc  a return address
    explicit frame_entry(const void* pc) {
        wedge_unwind_bases bases{};
        // A call may be the last instruction of its function, so one byte before counts.
        entry_ = static_cast<const byte*>(
            wedge_find_frame_entry(const_cast<char*>(static_cast<const char*>(pc) - 1), &bases));
        if (entry_ == nullptr) return;
        function_ = reinterpret_cast<std::uintptr_t>(bases.function);
        data_base_ = bases.data;
        is_good_ = read_common() && read_own();
    }

    bool is_good() const noexcept { return is_good_; }
    std::uintptr_t function() const noexcept { return function_; }
    const void* data_base() const noexcept { return data_base_; }
    std::uint64_t personality() const noexcept { return personality_; }
    std::uint64_t handlers() const noexcept { return handlers_; }
    std::uint64_t code_align() const noexcept { return code_align_; }
    std::int64_t data_align() const noexcept { return data_align_; }

    const byte* first_common() const noexcept { return common_begin_; }
    const byte* end_common() const noexcept { return common_end_; }
    const byte* first_own() const noexcept { return own_begin_; }
    const byte* end_own() const noexcept { return own_end_; }

private:
    static constexpr byte omitted = 0xff;

    static std::uint32_t word(const byte* at) noexcept {
        std::uint32_t value = 0;
        std::memcpy(&value, at, sizeof value);
        return value;
    }

    bool read_common() {
        std::int32_t back = 0;
        std::memcpy(&back, entry_ + 4, sizeof back);
        const byte* const common = entry_ + 4 - back;
        common_end_ = common + 4 + word(common);
        table_reader in(common + 8, data_base_);
        const auto version = in.fixed<byte>();
        const char* const letters = reinterpret_cast<const char*>(in.at());
        in.skip(std::strlen(letters) + 1);
        code_align_ = in.unsigned_leb();
        data_align_ = in.signed_leb();
        const std::uint64_t return_column = version == 1 ? in.fixed<byte>() : in.unsigned_leb();
        if (return_column != 16 || letters[0] != 'z') return false;
        const std::uint64_t size = in.unsigned_leb();
        common_begin_ = in.at() + size;
        for (const char* each = letters + 1; *each != '\0' && in.is_good(); ++each) {
            if (*each == 'P') {
                const auto how = in.fixed<byte>();
                personality_ = in.encoded(how);
            } else if (*each == 'L') {
                handlers_how_ = in.fixed<byte>();
            } else if (*each == 'R') {
                pc_how_ = in.fixed<byte>();
            } else {
                return false;  // such as the frame of a signal
            }
        }
        return in.is_good();
    }

    bool read_own() {
        own_end_ = entry_ + 4 + word(entry_);
        table_reader in(entry_ + 8, data_base_);
        in.encoded(pc_how_);
        in.encoded(pc_how_ & 0x0f);
        const std::uint64_t size = in.unsigned_leb();
        own_begin_ = in.at() + size;
        if (handlers_how_ != omitted && size != 0) handlers_ = in.encoded(handlers_how_);
        return in.is_good();
    }

    const byte* entry_ = nullptr;
    const void* data_base_ = nullptr;
    std::uintptr_t function_ = 0;
    const byte* common_begin_ = nullptr;
    const byte* common_end_ = nullptr;
    const byte* own_begin_ = nullptr;
    const byte* own_end_ = nullptr;
    std::uint64_t code_align_ = 1;
    std::int64_t data_align_ = 1;
    byte pc_how_ = 0;
    byte handlers_how_ = omitted;
    std::uint64_t personality_ = 0;
    std::uint64_t handlers_ = 0;
    bool is_good_ = false;
};

/// The row of a function's table that holds at one instruction: where the frame ends, and where
/// registers are saved. DWARF 5, 6.4.2: call frame instructions.
class frame_row {
public:
    /// @param pc  a return address
    frame_row(const frame_entry& of, const void* pc)
        : of_(of), pc_(reinterpret_cast<std::uintptr_t>(pc)) {
        run(of.first_common(), of.end_common());
        first_ = now_;
        run(of.first_own(), of.end_own());
    }

    /// Returns what the row says. The frame of a function that is called as usual ends behind its
    /// return address.
    frame_rule rule() const {
        frame_rule made;
        if (!is_good_ || now_.saved[16] != -8) return made;
        if (now_.end_register != rsp && now_.end_register != rbp) return made;
        made.is_known = true;
        made.is_from_rbp = now_.end_register == rbp;
        made.offset = static_cast<std::int32_t>(now_.end_offset);
        constexpr std::size_t numbers[kept_registers] = {3, rbp, 12, 13, 14, 15};
        for (std::size_t i = 0; i < kept_registers; ++i)
            made.saved[i] = static_cast<std::int32_t>(now_.saved[numbers[i]]);
        return made;
    }

private:
    static constexpr std::uint64_t rbp = 6;
    static constexpr std::uint64_t rsp = 7;

    struct row {
        std::uint64_t end_register = 0;
        std::int64_t end_offset = 0;
        std::array<std::int64_t, 17> saved{};  // offsets by register; 0: not saved
    };

    void save(std::uint64_t which, std::int64_t offset) {
        if (which < now_.saved.size()) now_.saved[which] = offset * of_.data_align();
    }
    void restore(std::uint64_t which) {
        if (which < now_.saved.size()) now_.saved[which] = first_.saved[which];
    }
    void advance(std::uint64_t by) { location_ += by * of_.code_align(); }

    void run(const table_reader::byte* from, const table_reader::byte* end) {
        table_reader in(from, nullptr);
        location_ = of_.function();
        while (is_good_ && in.at() < end && location_ < pc_) {
            const auto what = in.fixed<table_reader::byte>();
            const std::uint64_t low = what & 0x3f;
            switch (what & 0xc0) {
                case 0x40: advance(low); break;
                case 0x80: save(low, static_cast<std::int64_t>(in.unsigned_leb())); break;
                case 0xc0: restore(low); break;
                default: run_other(low, in); break;
            }
        }
    }
    void run_other(std::uint64_t what, table_reader& in) {
        const auto next = [&] { return in.unsigned_leb(); };
        const auto next_offset = [&] { return static_cast<std::int64_t>(in.unsigned_leb()); };
        switch (what) {
            case 0x00: break;  // nop
            case 0x02: advance(in.fixed<std::uint8_t>()); break;
            case 0x03: advance(in.fixed<std::uint16_t>()); break;
            case 0x04: advance(in.fixed<std::uint32_t>()); break;
            case 0x05: {  // offset_extended
                const std::uint64_t which = next();
                save(which, next_offset());
                break;
            }
            case 0x06: restore(next()); break;
            case 0x08: save(next(), 0); break;  // same_value
            case 0x0a: remember(); break;
            case 0x0b: recall(); break;
            case 0x0c: now_.end_register = next(), now_.end_offset = next_offset(); break;
            case 0x0d: now_.end_register = next(); break;
            case 0x0e: now_.end_offset = next_offset(); break;
            case 0x2e: is_good_ = next() == 0; break;  // the size of pushed arguments
            default: is_good_ = false; break;          // expressions, and what nobody emits here
        }
    }
    void remember() {
        is_good_ = depth_ < remembered_.size();
        if (is_good_) remembered_[depth_++] = now_;
    }
    void recall() {
        is_good_ = depth_ != 0;
        if (is_good_) now_ = remembered_[--depth_];
    }

    const frame_entry& of_;
    const std::uintptr_t pc_;
    std::uintptr_t location_ = 0;
    row now_;
    row first_;
    std::array<row, 4> remembered_{};
    std::size_t depth_ = 0;
    bool is_good_ = true;
};

/// What a function does when an exception leaves one of its calls: the C++ runtime's table of it
/// (Itanium C++ ABI: Exception Handling, level 2; gcc's unwind-c++.h).
class clean_up_table {
public:
    /// @param pc  a return address
    clean_up_table(const frame_entry& of, const void* pc) {
        if (of.handlers() == 0) {
            is_plain_ = true;
            return;
        }
        if (of.personality() != reinterpret_cast<std::uintptr_t>(&__gxx_personality_v0)) return;
        table_reader in(reinterpret_cast<const byte*>(of.handlers()), of.data_base());
        const auto start_how = in.fixed<byte>();
        const std::uint64_t start = start_how == omitted ? of.function() : in.encoded(start_how);
        if (in.fixed<byte>() != omitted) in.unsigned_leb();  // where the types are
        const auto how = in.fixed<byte>();
        const std::uint64_t size = in.unsigned_leb();
        const byte* const end = in.at() + size;
        const std::uint64_t at = reinterpret_cast<std::uintptr_t>(pc) - 1 - of.function();
        while (in.is_good() && in.at() < end) {
            const std::uint64_t begin = in.encoded(how);
            const std::uint64_t length = in.encoded(how);
            const std::uint64_t code = in.encoded(how);
            const std::uint64_t action = in.unsigned_leb();
            if (at < begin) return;  // no exception may leave this call
            if (at - begin >= length) continue;
            if (code != 0) code_ = reinterpret_cast<const void*>(start + code);
            is_plain_ = in.is_good() && (code == 0 || cleans_up_only(end, action));
            return;
        }
    }

    /// Returns whether no handler is tried, and the exception may leave the function.
    bool is_plain() const noexcept { return is_plain_; }
    const void* code() const noexcept { return code_; }

private:
    using byte = table_reader::byte;
    static constexpr byte omitted = 0xff;

    static bool cleans_up_only(const byte* actions, std::uint64_t action) {
        if (action == 0) return true;
        table_reader in(actions + action - 1, nullptr);
        for (;;) {
            if (in.signed_leb() != 0) return false;
            const byte* const here = in.at();
            const std::int64_t next = in.signed_leb();
            if (next == 0) return true;
            in = table_reader(here + next, nullptr);
        }
    }

    bool is_plain_ = false;
    const void* code_ = nullptr;
};

/// The rules of return addresses, each decoded once. For one thread.
class frame_rules {
public:
    const frame_rule& of(const void* pc) {
        const auto known = known_.find(pc);
        if (known != known_.end()) return known->second;
        return known_[pc] = decoded(pc);
    }

private:
    static frame_rule decoded(const void* pc) {
        const frame_entry entry(pc);
        if (!entry.is_good()) return {};
        const clean_up_table objects(entry, pc);
        if (!objects.is_plain()) return {};
        frame_rule made = frame_row(entry, pc).rule();
        made.clean_up = objects.code();
        return made;
    }

    std::unordered_map<const void*, frame_rule> known_;
};

}  // namespace wedge::detail

#endif
