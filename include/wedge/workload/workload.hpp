// Workloads: shared state and the actions on it, as engines see them.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/core/task.hpp"
#include "wedge/workload/actions.hpp"
#include "wedge/workload/program.hpp"

namespace wedge {

/// A type whose objects are the shared state of an execution, constructed anew for each. It has
/// `static constexpr auto actions` (see wedge::actions).
///
/// Optional: `static constexpr const char* name`, and `void check() const`, which runs after all
/// tasks have ended. An exception from it is a finding.
template <class W>
concept workload = std::default_initializable<W> && requires {
    std::tuple_size<std::remove_cvref_t<decltype(W::actions)>>::value;
};

/// Several workloads as one argument of WEDGE_MAIN or WEDGE_FUZZ.
template <workload... Workloads>
struct workload_list {};

namespace detail {

/// The `workload_list` of the arguments. An argument may be a list itself.
template <class... Workloads>
struct listed {
    using type = workload_list<Workloads...>;
};
template <class... Workloads>
struct listed<workload_list<Workloads...>> {
    using type = workload_list<Workloads...>;
};
template <class... Workloads>
using listed_t = typename listed<Workloads...>::type;

/// Returns the compiler's spelling of a type, without namespaces and blanks.
template <class W>
std::string type_name() {
    std::string_view text = __PRETTY_FUNCTION__;
    text.remove_prefix(text.find("W = ") + 4);
    text = text.substr(0, text.find_first_of(";]"));
    std::string name;
    std::size_t word = 0;  // where the current component starts in `name`
    for (const char c : text) {
        if (c == ':') {
            name.resize(word);
        } else if (c != ' ') {
            name += c;
            if (c == '<' || c == ',' || c == '>') word = name.size();
        }
    }
    return name;
}

}  // namespace detail

template <workload W>
std::string workload_name() {
    if constexpr (requires { std::string(W::name); })
        return W::name;
    else
        return detail::type_name<W>();
}

template <workload W>
std::vector<std::string> action_names() {
    return std::apply([](const auto&... each) { return std::vector<std::string>{each.name...}; },
                      W::actions);
}

namespace detail {

/// While it lives, the calling task is marked as running this action.
class action_scope {
public:
    explicit action_scope(const char* name) noexcept : self_(current()), before_(self_.action) {
        self_.action = name;
    }
    action_scope(const action_scope&) = delete;
    action_scope& operator=(const action_scope&) = delete;
    ~action_scope() { self_.action = before_; }

private:
    task& self_;
    const char* const before_;
};

/// Calls the action with that number.
template <workload W>
void call_numbered(W& state, std::size_t number, std::uint32_t argument) {
    const auto call_if = [&]<auto Function>(std::size_t & left, const action<Function>& each) {
        if (left-- != 0) return;
        const action_scope running(each.name);
        call_action<Function>(state, argument);
    };
    std::apply(
        [&](const auto&... each) {
            std::size_t left = number;
            (call_if(left, each), ...);
        },
        W::actions);
}

}  // namespace detail

/// A workload without its type: how an engine makes its state, calls its actions and names it.
///
/// The engines are compiled once per program, so they see workloads through this table alone.
struct workload_type {
    std::string (*name)() = nullptr;
    std::vector<std::string> (*actions)() =
        nullptr;                  ///< their names, in the order of their numbers
    std::size_t size = 0;         ///< of the state, in bytes
    std::size_t alignment = 0;    ///< of the state, in bytes
    bool has_destructor = false;  ///< which runs code of the user's

    void (*construct)(void* storage) = nullptr;
    void (*destroy)(void* state) = nullptr;
    void (*check)(const void* state) = nullptr;
    void (*call)(void* state, std::size_t action, std::uint32_t argument) = nullptr;
};

template <workload W>
inline constexpr workload_type type_of{
    &workload_name<W>,
    &action_names<W>,
    sizeof(W),
    alignof(W),
    !std::is_trivially_destructible_v<W>,
    [](void* storage) { ::new (storage) W(); },
    [](void* state) { static_cast<W*>(state)->~W(); },
    [](const void* state) {
        if constexpr (requires(const W& of) { of.check(); }) static_cast<const W*>(state)->check();
    },
    [](void* state, std::size_t action, std::uint32_t argument) {
        detail::call_numbered(*static_cast<W*>(state), action, argument);
    },
};

/// Returns the program with one task per action, called with 0.
inline program default_program(const workload_type& of) {
    program result;
    for (std::string& name : of.actions()) result.push_back({call{std::move(name), 0}});
    return result;
}
template <workload W>
program default_program() {
    return default_program(type_of<W>);
}

/// A call whose action is given by its number.
struct numbered_call {
    std::size_t action;
    std::uint32_t argument;
};
using numbered_program = std::vector<std::vector<numbered_call>>;

/// Returns the program with the numbers of its actions.
///
/// @throws error  the workload has no such action
inline numbered_program numbered(const program& calls, const workload_type& of) {
    const std::vector<std::string> names = of.actions();
    const auto number_of = [&](const std::string& action) {
        for (std::size_t i = 0; i < names.size(); ++i)
            if (names[i] == action) return i;
        std::string all;
        for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
        detail::raise<error>("program: workload " + of.name() + " has no action '" + action +
                             "'; it has: " + all);
    };
    numbered_program result;
    for (const std::vector<call>& task : calls) {
        std::vector<numbered_call>& made = result.emplace_back();
        for (const call& each : task) made.push_back({number_of(each.action), each.arg});
    }
    return result;
}

/// Returns a number that changes when the name of the workload or the list of its actions changes.
inline std::uint64_t fingerprint(const workload_type& of) {
    std::uint64_t print = hash_text(of.name());
    for (const std::string& name : of.actions()) print = combine(print, hash_text(name));
    return print;
}

/// The state of a workload, made and destroyed any number of times in one place in memory.
class workload_state {
public:
    explicit workload_state(const workload_type& of)
        : type_(of), storage_(::operator new(of.size, std::align_val_t(of.alignment))) {}
    workload_state(const workload_state&) = delete;
    workload_state& operator=(const workload_state&) = delete;
    ~workload_state() {
        destroy();
        ::operator delete(storage_, std::align_val_t(type_.alignment));
    }

    void make() {
        type_.construct(storage_);
        exists_ = true;
    }
    /// A destructor that never returns has left its state for good: the next state takes its place.
    void destroy() {
        if (std::exchange(exists_, false)) type_.destroy(storage_);
    }
    void call(std::size_t action, std::uint32_t argument) {
        type_.call(storage_, action, argument);
    }
    void check() const { type_.check(storage_); }
    const workload_type& type() const noexcept { return type_; }

private:
    const workload_type& type_;
    void* const storage_;
    bool exists_ = false;
};

}  // namespace wedge
