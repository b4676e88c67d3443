#include <algorithm>

#include "explain/reader.hpp"

namespace wedge::explain {

const reader& kernel_reader();
const reader& tsan_reader();
const reader& valgrind_reader();
const reader& abseil_reader();
const reader& go_deadlock_reader();
const reader& java_reader();
const reader& gdb_reader();
const reader& wedge_reader();

std::span<const reader* const> all_readers() {
    static const reader* const all[] = {
        &kernel_reader(),      &tsan_reader(), &valgrind_reader(), &abseil_reader(),
        &go_deadlock_reader(), &java_reader(), &gdb_reader(),      &wedge_reader(),
    };
    return all;
}

std::vector<report> read_reports(const text_lines& text) {
    std::vector<report> found;
    for (const reader* const each : all_readers()) {
        const std::size_t before = found.size();
        each->find(text.all(), found);
        for (std::size_t i = before; i < found.size(); ++i) found[i].reader = each->name();
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const report& a, const report& b) { return a.first_line < b.first_line; });
    return found;
}

}  // namespace wedge::explain
