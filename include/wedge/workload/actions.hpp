// The actions of a workload: a list of named member functions.
#pragma once

#include <cstdint>
#include <tuple>

namespace wedge {

/// An action of a workload: a member function with no parameter, or with one integer.
///
///     static constexpr auto actions = wedge::actions(
///         wedge::action<&eviction::fault>{"fault"}, wedge::action<&eviction::evict>{"evict"});
template <auto Function>
struct action {
    const char* name;
};

namespace detail {

template <class>
struct action_traits;
template <class W, class R>
struct action_traits<R (W::*)()> {
    static constexpr bool has_argument = false;
    static constexpr bool is_noexcept = false;
};
template <class W, class R, class A>
struct action_traits<R (W::*)(A)> {
    static constexpr bool has_argument = true;
    static constexpr bool is_noexcept = false;
};
template <class W, class R>
struct action_traits<R (W::*)() noexcept> {
    static constexpr bool has_argument = false;
    static constexpr bool is_noexcept = true;
};
template <class W, class R, class A>
struct action_traits<R (W::*)(A) noexcept> {
    static constexpr bool has_argument = true;
    static constexpr bool is_noexcept = true;
};

template <auto Function, class W>
void call_action(W& state, std::uint32_t argument) {
    if constexpr (action_traits<decltype(Function)>::has_argument)
        static_cast<void>((state.*Function)(argument));
    else
        static_cast<void>((state.*Function)());
}

}  // namespace detail

/// Lists the actions of a workload. Programs and reports number them in this order.
template <auto... Functions>
constexpr auto actions(action<Functions>... each) {
    static_assert((!detail::action_traits<decltype(Functions)>::is_noexcept && ...),
                  "an action must not be noexcept: an execution that is given up unwinds it by an "
                  "exception");
    return std::tuple(each...);
}

}  // namespace wedge
