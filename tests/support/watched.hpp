// A checker that hears this thread alone, for tests of the order.
#pragma once

#include <string>

#include "wedge/order/checker.hpp"

/// While it lives, the running task's events go to its checker.
class watched {
public:
    watched() : before_(wedge::current().sink) { wedge::current().sink = &order_; }
    ~watched() { wedge::current().sink = before_; }
    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;

    const std::vector<wedge::finding>& findings() const { return order_.findings(); }

    /// Returns whether `wanted` was acquired while `held` was held.
    bool has_edge(const char* held, const char* wanted) const {
        const wedge::order_graph& graph = order_.graph();
        const auto from = graph.find_node(wedge::lock_class(held).id(), 0);
        const auto to = graph.find_node(wedge::lock_class(wanted).id(), 0);
        return from != wedge::order_graph::none && to != wedge::order_graph::none &&
               graph.find_edge(from, to) != wedge::order_graph::none;
    }

private:
    wedge::checker order_{wedge::evidence::classes};
    wedge::sink* const before_;
};
