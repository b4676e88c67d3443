// The kernel's small words: types, error numbers, error pointers, lists, container_of, warnings.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "wedge/core/check.hpp"
#include "wedge/core/task.hpp"
#include "wedge/lock/atomic.hpp"

/// The kernel's names, for driver functions that are pasted into a program: see docs/linux.md. A
/// source writes `using namespace wedge::kernel;` before the driver's functions.
namespace wedge::kernel {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using __u8 = u8;
using __u16 = u16;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s32 = std::int32_t;
using s64 = std::int64_t;
using loff_t = std::int64_t;
using gfp_t = unsigned int;
using ssize_t = std::ptrdiff_t;
using dma_addr_t = std::uint64_t;

// Numbers that a system call never returns.
inline constexpr int ERESTARTSYS = 512;
inline constexpr int ENOTSUPP = 524;

inline constexpr unsigned PAGE_SHIFT = 12;
inline constexpr unsigned long PAGE_SIZE = 1UL << PAGE_SHIFT;
inline constexpr unsigned long PAGE_MASK = ~(PAGE_SIZE - 1);
inline constexpr unsigned long HZ = 250;
inline constexpr long MAX_SCHEDULE_TIMEOUT = 0x7fffffffffffffffL;

template <class T>
constexpr bool likely(const T& what) {
    return static_cast<bool>(what);
}
template <class T>
constexpr bool unlikely(const T& what) {
    return static_cast<bool>(what);
}

template <class A, class B>
constexpr auto min(A a, B b) {
    return a < static_cast<A>(b) ? a : static_cast<A>(b);
}
template <class A, class B>
constexpr auto max(A a, B b) {
    return static_cast<A>(b) < a ? a : static_cast<A>(b);
}
template <class T>
constexpr T clamp(T value, T low, T high) {
    return value < low ? low : high < value ? high : value;
}
template <class T, std::size_t N>
constexpr std::size_t array_size_of(const T (&)[N]) {
    return N;
}
inline constexpr std::size_t TASK_COMM_LEN = 16;
/// Copies a text and ends it; returns its length, or -E2BIG if it was cut.
inline long strscpy(char* to, const char* from, std::size_t size) noexcept {
    const std::size_t length = std::strlen(from);
    const std::size_t copied = min(length, size - 1);
    std::memcpy(to, from, copied);
    to[copied] = '\0';
    return copied == length ? static_cast<long>(length) : -E2BIG;
}
constexpr unsigned long PAGE_ALIGN(unsigned long bytes) {
    return (bytes + PAGE_SIZE - 1) & PAGE_MASK;
}

namespace detail {

/// Converts to a pointer to any type: C converts `void *` so.
struct any_pointer {
    void* to;
    template <class T>
    constexpr operator T*() const noexcept {
        return static_cast<T*>(to);
    }
};

/// False, but not before the template is instantiated.
template <class...>
inline constexpr bool is_supported = false;

/// The report of a WARN or BUG. Under control it is an exception of the execution, with the
/// schedule that leads there. A live program prints it, and goes on after a WARN.
inline void warn(bool is_fatal, const char* what, site where = site::current()) {
    const std::string text = std::string(is_fatal ? "BUG: " : "WARNING: ") + what;
    if (current().runtime != nullptr) {
        if (!current().runtime->is_giving_up()) ::wedge::detail::raise<std::logic_error>(text);
        return;
    }
    std::fprintf(stderr, "%s:%u: %s\n", where.file, where.line, text.c_str());
    if (is_fatal) std::abort();
}
template <class T>
bool warn_on(const T& condition, const char* text, site where) {
    if (static_cast<bool>(condition)) warn(false, text, where);
    return static_cast<bool>(condition);
}

}  // namespace detail

inline detail::any_pointer ERR_PTR(long error) noexcept {
    return {reinterpret_cast<void*>(error)};
}
inline long PTR_ERR(const void* at) noexcept {
    return reinterpret_cast<long>(at);
}
inline bool IS_ERR(const void* at) noexcept {
    return reinterpret_cast<unsigned long>(at) >= static_cast<unsigned long>(-4095L);
}
inline bool IS_ERR_OR_NULL(const void* at) noexcept {
    return at == nullptr || IS_ERR(at);
}
inline detail::any_pointer ERR_CAST(const void* at) noexcept {
    return {const_cast<void*>(at)};
}
inline int PTR_ERR_OR_ZERO(const void* at) noexcept {
    return IS_ERR(at) ? static_cast<int>(PTR_ERR(at)) : 0;
}

// Messages are dropped: their text would cost an exploration more than the locks.
template <class... Arguments>
void printk(const char*, const Arguments&...) {}
template <class... Arguments>
void pr_err(const char*, const Arguments&...) {}
template <class... Arguments>
void pr_warn(const char*, const Arguments&...) {}
template <class... Arguments>
void pr_info(const char*, const Arguments&...) {}
template <class... Arguments>
void pr_debug(const char*, const Arguments&...) {}
template <class... Arguments>
void pr_info_ratelimited(const char*, const Arguments&...) {}
template <class... Arguments>
void pr_warn_ratelimited(const char*, const Arguments&...) {}
template <class... Arguments>
void pr_err_ratelimited(const char*, const Arguments&...) {}
template <class... Arguments>
void dev_err_ratelimited(const Arguments&...) {}
template <class... Arguments>
void dev_err(const Arguments&...) {}
template <class... Arguments>
void dev_warn(const Arguments&...) {}
template <class... Arguments>
void dev_info(const Arguments&...) {}
template <class... Arguments>
void dev_dbg(const Arguments&...) {}
template <class... Arguments>
void drm_err(const Arguments&...) {}
template <class... Arguments>
void drm_warn(const Arguments&...) {}
template <class... Arguments>
void drm_dbg(const Arguments&...) {}
template <class... Arguments>
void DRM_ERROR(const Arguments&...) {}
template <class... Arguments>
void DRM_DEBUG(const Arguments&...) {}

struct device {
    void* driver_data = nullptr;
};
template <class T>
void dev_set_drvdata(struct device* of, T* data) {
    of->driver_data = data;
}
inline detail::any_pointer dev_get_drvdata(const struct device* of) {
    return {of->driver_data};
}

/// An integer whose accesses are explored (Linux: atomic_t, atomic64_t, atomic_long_t).
template <class T>
struct atomic_of {
    wedge::atomic<T> value;
    atomic_of(T first = 0) : value(first, "atomic_t") {}
    atomic_of(const atomic_of&) = delete;
    atomic_of& operator=(const atomic_of&) = delete;
};
using atomic_t = atomic_of<int>;
using atomic64_t = atomic_of<s64>;
using atomic_long_t = atomic_of<long>;

#define ATOMIC_INIT(first) (first)

template <class T>
T atomic_read(const atomic_of<T>* of, site where = site::current()) {
    return of->value.load(where);
}
template <class T>
void atomic_set(atomic_of<T>* of, std::type_identity_t<T> to, site where = site::current()) {
    of->value.store(to, where);
}
template <class T>
T atomic_add_return(std::type_identity_t<T> by, atomic_of<T>* of, site where = site::current()) {
    return of->value.fetch_add(by, where) + by;
}
template <class T>
T atomic_sub_return(std::type_identity_t<T> by, atomic_of<T>* of, site where = site::current()) {
    return of->value.fetch_sub(by, where) - by;
}
template <class T>
void atomic_add(std::type_identity_t<T> by, atomic_of<T>* of, site where = site::current()) {
    of->value.fetch_add(by, where);
}
template <class T>
void atomic_sub(std::type_identity_t<T> by, atomic_of<T>* of, site where = site::current()) {
    of->value.fetch_sub(by, where);
}
template <class T>
void atomic_inc(atomic_of<T>* of, site where = site::current()) {
    of->value.fetch_add(1, where);
}
template <class T>
void atomic_dec(atomic_of<T>* of, site where = site::current()) {
    of->value.fetch_sub(1, where);
}
template <class T>
T atomic_inc_return(atomic_of<T>* of, site where = site::current()) {
    return of->value.fetch_add(1, where) + 1;
}
template <class T>
T atomic_dec_return(atomic_of<T>* of, site where = site::current()) {
    return of->value.fetch_sub(1, where) - 1;
}
template <class T>
bool atomic_dec_and_test(atomic_of<T>* of, site where = site::current()) {
    return of->value.fetch_sub(1, where) == 1;
}
template <class T>
bool atomic_inc_not_zero(atomic_of<T>* of, site where = site::current()) {
    T known = of->value.load(where);
    while (known != 0)
        if (of->value.compare_exchange(known, known + 1, where)) return true;
    return false;
}
template <class T>
T atomic_xchg(atomic_of<T>* of, std::type_identity_t<T> to, site where = site::current()) {
    return of->value.exchange(to, where);
}
template <class T>
T atomic_cmpxchg(atomic_of<T>* of, std::type_identity_t<T> from, std::type_identity_t<T> to,
                 site where = site::current()) {
    of->value.compare_exchange(from, to, where);
    return from;
}
inline s64 atomic64_read(const atomic64_t* of, site where = site::current()) {
    return atomic_read(of, where);
}
inline s64 atomic64_inc_return(atomic64_t* of, site where = site::current()) {
    return atomic_inc_return(of, where);
}
inline s64 atomic64_add_return(s64 by, atomic64_t* of, site where = site::current()) {
    return atomic_add_return(by, of, where);
}

/// A doubly linked list whose elements contain their links (Linux: list_head).
struct list_head {
    list_head* next = this;
    list_head* prev = this;
};
inline void INIT_LIST_HEAD(list_head* list) noexcept {
    list->next = list->prev = list;
}
namespace detail {
inline void link(list_head* one, list_head* before, list_head* after) noexcept {
    one->prev = before;
    one->next = after;
    before->next = after->prev = one;
}
inline void unlink(list_head* one) noexcept {
    one->prev->next = one->next;
    one->next->prev = one->prev;
}
}  // namespace detail
inline void list_add(list_head* one, list_head* list) noexcept {
    detail::link(one, list, list->next);
}
inline void list_add_tail(list_head* one, list_head* list) noexcept {
    detail::link(one, list->prev, list);
}
/// Unlike list_del_init it may not be called twice: that is a BUG here as with LIST_POISON.
inline void list_del(list_head* one) {
    if (one->next == nullptr) detail::warn(true, "list_del of an element that was deleted");
    detail::unlink(one);
    one->next = one->prev = nullptr;
}
inline void list_del_init(list_head* one) noexcept {
    detail::unlink(one);
    INIT_LIST_HEAD(one);
}
inline void list_move(list_head* one, list_head* list) noexcept {
    detail::unlink(one);
    list_add(one, list);
}
inline void list_move_tail(list_head* one, list_head* list) noexcept {
    detail::unlink(one);
    list_add_tail(one, list);
}
inline bool list_empty(const list_head* list) noexcept {
    return list->next == list;
}
inline bool list_is_first(const list_head* one, const list_head* list) noexcept {
    return one->prev == list;
}
inline bool list_is_last(const list_head* one, const list_head* list) noexcept {
    return one->next == list;
}
/// Puts an element into the place of another one, which must not be used as an element afterwards.
inline void list_replace(list_head* old, list_head* made) noexcept {
    *made = *old;
    made->next->prev = made->prev->next = made;
}
inline void list_replace_init(list_head* old, list_head* made) noexcept {
    list_replace(old, made);
    INIT_LIST_HEAD(old);
}
inline bool list_is_singular(const list_head* list) noexcept {
    return !list_empty(list) && list->next == list->prev;
}
inline void list_splice_init(list_head* from, list_head* to) noexcept {
    if (list_empty(from)) return;
    from->prev->next = to->next;
    to->next->prev = from->prev;
    to->next = from->next;
    from->next->prev = to;
    INIT_LIST_HEAD(from);
}
/// As list_splice_init, but `from` must not be used afterwards.
inline void list_splice(list_head* from, list_head* to) noexcept {
    list_splice_init(from, to);
}
inline void list_splice_tail_init(list_head* from, list_head* to) noexcept {
    if (list_empty(from)) return;
    list_head* const last = from->prev;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    last->next = to;
    to->prev = last;
    INIT_LIST_HEAD(from);
}

}  // namespace wedge::kernel

// The address of the member of an object at an arbitrary place gives the member's offset also where
// the standard leaves offsetof open.
#define container_of(at, type, member)                                                  \
    (reinterpret_cast<__typeof__(type)*>(                                               \
        reinterpret_cast<char*>(const_cast<std::remove_cv_t<__typeof__(*(at))>*>(at)) - \
        (reinterpret_cast<char*>(                                                       \
             &reinterpret_cast<__typeof__(type)*>(std::uintptr_t{65536})->member) -     \
         reinterpret_cast<char*>(std::uintptr_t{65536}))))

#define LIST_HEAD(name) ::wedge::kernel::list_head name
#define list_entry(at, type, member) container_of(at, type, member)
#define list_first_entry(list, type, member) list_entry((list)->next, type, member)
#define list_last_entry(list, type, member) list_entry((list)->prev, type, member)
#define list_next_entry(at, member) list_entry((at)->member.next, __typeof__(*(at)), member)
#define list_first_entry_or_null(list, type, member) \
    (::wedge::kernel::list_empty(list) ? nullptr : list_first_entry(list, type, member))
#define list_for_each(at, list) for (at = (list)->next; at != (list); at = at->next)
#define list_for_each_safe(at, after, list) \
    for (at = (list)->next, after = at->next; at != (list); at = after, after = at->next)
#define list_for_each_entry(at, list, member)                                         \
    for (at = list_first_entry(list, __typeof__(*at), member); &at->member != (list); \
         at = list_next_entry(at, member))
#define list_for_each_entry_reverse(at, list, member)                                \
    for (at = list_last_entry(list, __typeof__(*at), member); &at->member != (list); \
         at = list_entry(at->member.prev, __typeof__(*at), member))
#define list_for_each_entry_safe(at, after, list, member)      \
    for (at = list_first_entry(list, __typeof__(*at), member), \
        after = list_next_entry(at, member);                   \
         &at->member != (list); at = after, after = list_next_entry(after, member))
#define list_for_each_entry_continue_reverse(at, list, member)                             \
    for (at = list_entry(at->member.prev, __typeof__(*at), member); &at->member != (list); \
         at = list_entry(at->member.prev, __typeof__(*at), member))

#define min_t(type, a, b) (::wedge::kernel::min(static_cast<type>(a), static_cast<type>(b)))
#define max_t(type, a, b) (::wedge::kernel::max(static_cast<type>(a), static_cast<type>(b)))
#define ARRAY_SIZE(array) (::wedge::kernel::array_size_of(array))
#define BIT(n) (1UL << (n))
#define WARN_ON(condition) \
    (::wedge::kernel::detail::warn_on((condition), #condition, ::wedge::site::current()))
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#define WARN(condition, ...) WARN_ON(condition)
#define WARN_ONCE(condition, ...) WARN_ON(condition)
#define drm_WARN_ON(device, condition) WARN_ON(condition)
#define BUG_ON(condition)                                               \
    do {                                                                \
        if (condition) ::wedge::kernel::detail::warn(true, #condition); \
    } while (0)
#define BUG() ::wedge::kernel::detail::warn(true, "BUG")
#define BUILD_BUG_ON(condition) static_assert(!(condition))
#define READ_ONCE(what) (what)
#define WRITE_ONCE(what, value) ((what) = (value))
#define __user
#define __iomem
#define __rcu
#define __percpu
#define __must_check
#define __maybe_unused [[maybe_unused]]
#define __always_unused [[maybe_unused]]
#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define smp_mb() ((void)0)
#define smp_rmb() ((void)0)
#define smp_wmb() ((void)0)
#define cond_resched() ::wedge::yield()
#define cpu_relax() ::wedge::yield()
