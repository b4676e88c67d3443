#include "main/fake_program.hpp"

#include "wedge/main.hpp"

called call_program(std::span<const wedge::workload_entry> workloads,
                    std::span<const char* const> arguments) {
    std::vector<const char*> words{"./bin/bank"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    char* texts[2] = {nullptr, nullptr};
    std::size_t sizes[2] = {0, 0};
    std::FILE* const out = ::open_memstream(&texts[0], &sizes[0]);
    std::FILE* const err = ::open_memstream(&texts[1], &sizes[1]);
    called result;
    result.status =
        wedge::run_main(static_cast<int>(words.size()), words.data(), workloads, out, err);
    std::fclose(out);
    std::fclose(err);
    result.out.assign(texts[0], sizes[0]);
    result.err.assign(texts[1], sizes[1]);
    std::free(texts[0]);
    std::free(texts[1]);
    return result;
}
