// The orders that Linux documents or has recorded, compared with what the device does on
// `upstream`.
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/model/gpu_device.hpp"
#include "wedge/model/vm_device.hpp"
#include "wedge/order/checker.hpp"

using namespace wedge;

namespace {

struct row {
    std::string outer, inner, relation, reason;
};

std::vector<row> rows() {
    std::ifstream file(std::string(TESTS_DIR) + "/model/hierarchy.csv");
    std::vector<row> all;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#') continue;
        std::istringstream words(line);
        row& made = all.emplace_back();
        std::getline(words, made.outer, ',');
        std::getline(words, made.inner, ',');
        std::getline(words, made.relation, ',');
        std::getline(words, made.reason);
    }
    return all;
}

/// The order checker of all threads. It also notes which locks were taken by trying.
class witness final : public sink {
public:
    witness()
        : sink(reader::order),
          before_(current().sink),
          process_(detail::process_sink.exchange(this)) {
        current().sink = this;
    }
    ~witness() {
        current().sink = before_;
        detail::process_sink.store(process_);
    }
    void on(task& self, const event& what) noexcept override {
        if (what.kind == event_kind::try_acquired) {
            const std::lock_guard turn(busy_);
            for (const held_lock& each : self.held) tried_.insert({each.class_id, what.class_id});
        }
        order_.on(self, what);
    }

    bool has_edge(const row& of) const {
        const order_graph& graph = order_.graph();
        const auto from = graph.find_node(lock_class(of.outer.c_str()).id(), 0);
        const auto to = graph.find_node(lock_class(of.inner.c_str()).id(), 0);
        return from != order_graph::none && to != order_graph::none &&
               graph.find_edge(from, to) != order_graph::none;
    }
    bool has_tried(const row& of) const {
        return tried_.count(
                   {lock_class(of.outer.c_str()).id(), lock_class(of.inner.c_str()).id()}) != 0;
    }
    /// Returns whether both locks were taken, in any order.
    bool knows_both(const row& of) const {
        const order_graph& graph = order_.graph();
        return graph.find_node(lock_class(of.outer.c_str()).id(), 0) != order_graph::none &&
               graph.find_node(lock_class(of.inner.c_str()).id(), 0) != order_graph::none;
    }
    const std::vector<finding>& findings() const { return order_.findings(); }

private:
    checker order_{evidence::classes};
    std::mutex busy_;
    std::set<std::pair<std::uint32_t, std::uint32_t>> tried_;
    wedge::sink* const before_;
    wedge::sink* const process_;
};

/// Runs every action often enough for each choice to fall each way. Only the worker of the jobs
/// runs at the same time.
void run_all() {
    for (std::uint32_t i = 0; i < 20; ++i) {
        gpu_device<design::upstream> gpu;
        gpu.submit_user();
        gpu.fault(i);
        gpu.hog();
        gpu.create(i);
        gpu.submit(i);
        gpu.flip();
        gpu.close(i);
        gpu.mmap();
        gpu.madvise(i);
        gpu.kswapd(1);
        gpu.evict(i);
        gpu.unmap();
        gpu.truncate();
        gpu.submit_user();
        gpu.recover();
        gpu.submit(i);
        gpu.timeout();
        gpu.swap_out();
        gpu.suspend();
        gpu.check();
        vm_device<design::upstream> mapped;
        mapped.bind(i);
        mapped.exec();
        mapped.evict(i);
        mapped.exec();
        mapped.recover();
        mapped.suspend();
        mapped.check();
    }
}

}  // namespace

TEST_CASE("hierarchy: the device on upstream shows the orders of Linux, and no forbidden one") {
    const witness all;
    run_all();
    CHECK(all.findings().empty());
    for (const finding& each : all.findings()) MESSAGE(each.what);
    const std::vector<row> facts = rows();
    CHECK(facts.size() > 80);
    const std::set<std::string> relations{"must", "never", "try", "absent", "elsewhere"};
    for (const row& each : facts) {
        CAPTURE(each.outer);
        CAPTURE(each.inner);
        CAPTURE(each.reason);
        CHECK(relations.count(each.relation) == 1);
        if (each.relation == "absent") CHECK(!all.knows_both(each));
        // Otherwise the row would check nothing.
        if (each.relation == "never") CHECK(all.knows_both(each));
        if (each.relation == "must") CHECK(all.has_edge(each));
        if (each.relation == "never") CHECK(!all.has_edge(each));
        if (each.relation == "try") CHECK(all.has_tried(each));
        if (each.relation == "try" && each.outer == "reclaim") CHECK(!all.has_edge(each));
    }
}
