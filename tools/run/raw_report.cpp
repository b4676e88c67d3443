#include "run/raw_report.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <new>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wedge::run {
namespace {

std::string hexadecimal(std::uintptr_t value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
    return {digits, end};
}

run_counters unsaved;

/// Returns the number of this process among those that write into the directory.
std::uint64_t number_of_process(const std::string& directory) {
    const int file =
        ::open((directory + "/processes").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) return 1;
    // Each process appends a byte, and then stands behind it.
    const bool is_written = ::write(file, ".", 1) == 1;
    const ::off_t place = is_written ? ::lseek(file, 0, SEEK_CUR) : 1;
    ::close(file);
    return static_cast<std::uint64_t>(place);
}

run_counters* map_counters(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) return nullptr;
    void* place = MAP_FAILED;
    if (::ftruncate(file, sizeof(run_counters)) == 0)
        place = ::mmap(nullptr, sizeof(run_counters), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return place == MAP_FAILED ? nullptr : new (place) run_counters;
}

}  // namespace

run_counters* raw_report::open(const std::string& directory) {
    files_written_.clear();
    classes_written_.clear();
    text_.clear();
    const std::string start = directory + "/" + std::to_string(::getpid()) + ".";
    run_counters* made = nullptr;
    // A process that executes several programs keeps its number.
    constexpr unsigned programs_max = 1000;
    for (unsigned i = 0; i < programs_max && made == nullptr; ++i) {
        path_ = start + std::to_string(i);
        made = map_counters(path_ + ".counters");
        if (made == nullptr && errno != EEXIST) break;
    }
    if (made == nullptr) made = new (&unsaved) run_counters;
    made->pid = static_cast<std::uint64_t>(::getpid());
    made->number = number_of_process(directory);
    // The name as called, since several programs may be one file. Some programs write over it
    // later, so the child of a fork takes the name of its parent.
    if (program_.empty()) program_ = ::program_invocation_name;
    made->program[program_.copy(made->program, sizeof made->program - 1)] = '\0';
    return made;
}

void raw_report::flush() {
    const int file =
        ::open((path_ + ".raw").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const int target = file < 0 ? STDERR_FILENO : file;
    for (std::size_t done = 0; done < text_.size();) {
        const auto written = ::write(target, text_.data() + done, text_.size() - done);
        if (written <= 0) break;
        done += static_cast<std::size_t>(written);
    }
    if (file >= 0) ::close(file);
    text_.clear();
}

std::string raw_report::address(std::uintptr_t code) {
    const module_part* const part = modules_.find(code);
    if (part == nullptr) return "?:" + hexadecimal(code);
    if (files_written_.size() <= part->file) files_written_.resize(part->file + 1);
    if (!files_written_[part->file]) {
        files_written_[part->file] = true;
        // Before the line that is being written.
        const std::size_t line = text_.rfind('\n') + 1;
        text_.insert(line,
                     "F\t" + std::to_string(part->file) + "\t" + modules_.file_of(*part) + "\n");
    }
    return std::to_string(part->file) + ":" + hexadecimal(code - part->bias);
}

void raw_report::field(const std::string& text) {
    text_ += '\t';
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::uintptr_t code = 0;
        const char* const end = text.data() + text.size();
        // `{@ADDRESS}`, with an address in memory.
        if (text.compare(i, 2, "{@") == 0) {
            const char* const behind = std::from_chars(text.data() + i + 2, end, code, 16).ptr;
            text_ += "{@" + address(code);
            i = static_cast<std::size_t>(behind - text.data()) - 1;
            continue;
        }
        text_ += text[i] == '\n' || text[i] == '\t' ? ' ' : text[i];
    }
}

void raw_report::class_line(std::uint32_t id) {
    if (id == 0 || id >= classes_->size()) return;
    if (classes_written_.size() <= id) classes_written_.resize(id + 1);
    if (classes_written_[id]) return;
    classes_written_[id] = true;
    const class_origin& origin = (*classes_)[id];
    begin_line('C');
    field(std::to_string(id));
    field(std::string(1, origin.how));
    for (const std::uintptr_t each : origin.addresses) field(address(each));
    text_ += '\n';
}

void raw_report::use(const lock_use& lock) {
    field(std::to_string(lock.class_id));
    field(std::to_string(lock.instance));
    field(std::to_string(static_cast<unsigned>(lock.how)));
    field(std::to_string(static_cast<unsigned>(lock.with)));
    field(address(std::uintptr_t{lock.where.unused} << 32 | lock.where.line));
}

void raw_report::stack(const call_stack& calls) {
    begin_line('K');
    for (const void* call : calls) field(address(reinterpret_cast<std::uintptr_t>(call)));
    text_ += '\n';
}

void raw_report::classes_of(const finding& found) {
    for (const dependency& each : found.cycle) {
        class_line(each.held.class_id);
        class_line(each.wanted.class_id);
    }
    for (const auto* list : {&found.locks, &found.held})
        for (const lock_use& each : *list) class_line(each.class_id);
    // The guard's class is `{N}`.
    if (found.graded.guard.size() > 2)
        class_line(static_cast<std::uint32_t>(std::atoi(found.graded.guard.c_str() + 1)));
    for (const task_report& each : found.tasks)
        if (each.wanted) class_line(each.wanted->class_id);
}

void raw_report::add(const finding& found, const std::vector<class_origin>& classes, bool is_alone,
                     bool is_only_thread, const std::vector<call_stack>& stacks) {
    classes_ = &classes;
    classes_of(found);
    begin_line('B');
    for (const unsigned number :
         {static_cast<unsigned>(found.kind), static_cast<unsigned>(found.judged), found.cycles,
          static_cast<unsigned>(found.graded.needs_writer),
          static_cast<unsigned>(found.graded.one_task),
          static_cast<unsigned>(found.graded.class_only), static_cast<unsigned>(is_alone),
          static_cast<unsigned>(is_only_thread)})
        field(std::to_string(number));
    for (const auto& [letter, text] :
         {std::pair{'G', &found.graded.guard}, std::pair{'W', &found.what},
          std::pair{'R', &found.reason}, std::pair{'S', &found.signature},
          std::pair{'T', &found.task}}) {
        text_ += '\n';
        begin_line(letter);
        field(*text);
    }
    text_ += '\n';
    for (const dependency& each : found.cycle) {
        begin_line('E');
        use(each.held);
        use(each.wanted);
        field(each.task);
        text_ += '\n';
        stack(each.stack);
    }
    for (std::size_t i = 0; i < found.tasks.size(); ++i) {
        const task_report& each = found.tasks[i];
        begin_line('P');
        field(each.name);
        field(each.waits_for);
        field(address(std::uintptr_t{each.where.unused} << 32 | each.where.line));
        field(each.joins);
        text_ += '\n';
        stack(i < stacks.size() ? stacks[i] : call_stack());
    }
    for (const auto& [letter, list] : {std::pair{'L', &found.locks}, std::pair{'H', &found.held}})
        for (const lock_use& each : *list) {
            begin_line(letter);
            use(each);
            text_ += '\n';
        }
    if (!found.stack.empty()) stack(found.stack);
    begin_line('.');
    text_ += '\n';
    flush();
}

}  // namespace wedge::run
