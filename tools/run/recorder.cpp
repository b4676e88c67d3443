#include "run/recorder.hpp"

#include <charconv>
#include <unordered_map>
#include <unordered_set>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/modules.hpp"
#include "run/raw_report.hpp"
#include "run/replay.hpp"

namespace wedge::run {
namespace {

struct recorder {
    std::string path;
    std::string text;
    module_map modules;
    std::unordered_map<std::uintptr_t, std::uint32_t> sites;
    std::unordered_map<const void*, std::uint32_t> objects;
    std::unordered_set<std::uint32_t> locks;    // by instance
    std::unordered_set<std::uint32_t> threads;  // by ordinal
    std::unordered_map<::pthread_t, std::uint32_t> handles;
};

recorder* the = nullptr;
constinit std::atomic_flag busy = ATOMIC_FLAG_INIT;

/// By plain system calls: the functions of these names are points where a thread may be cancelled.
void write_out() noexcept {
    const long file = ::syscall(SYS_openat, AT_FDCWD, (the->path + ".trace").c_str(),
                                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    for (std::size_t done = 0; file >= 0 && done < the->text.size();) {
        const long written =
            ::syscall(SYS_write, file, the->text.data() + done, the->text.size() - done);
        if (written <= 0) break;
        done += static_cast<std::size_t>(written);
    }
    if (file >= 0) ::syscall(SYS_close, file);
    the->text.clear();
}

void add_number(std::uint64_t value, int base = 10) {
    char digits[24];
    the->text.append(digits, std::to_chars(digits, digits + sizeof digits, value, base).ptr);
}

/// Appends `FILE+0xOFFSET`.
void add_address(std::uintptr_t code) {
    if (const module_part* const part = the->modules.find(code)) {
        the->text += the->modules.file_of(*part) + "+0x";
        add_number(code - part->bias, 16);
    } else {
        the->text += "0x";
        add_number(code, 16);
    }
}

std::uint32_t number_of_site(const site& where) {
    const std::uintptr_t code = address_of(where);
    if (code == 0) return 0;
    const auto [known, is_new] =
        the->sites.try_emplace(code, static_cast<std::uint32_t>(the->sites.size()) + 1);
    if (is_new) {
        the->text += "site ";
        add_number(known->second);
        the->text += ' ';
        add_address(code);
        the->text += '\n';
    }
    return known->second;
}

void introduce(const task& self) {
    if (!the->threads.insert(self.ordinal).second) return;
    the->text += "thread ";
    add_number(self.ordinal);
    the->text += ' ' + self.name.substr(0, self.name.find(" ({@")) + '\n';
}

void introduce(lock_record& lock) {
    const lock_identity& known = lock.identity();
    if (!the->locks.insert(known.instance()).second) return;
    the->text += "lock ";
    add_number(known.instance());
    the->text += std::string(" ") + name_of(known.kind()) + ' ';
    if (lock.is_on_heap)
        the->text +=
            lock_class::from_id(known.class_id()).name() + '#' + std::to_string(known.instance());
    else
        add_address(reinterpret_cast<std::uintptr_t>(lock.address.load()));
    the->text += '\n';
}

void finish(const task& self, const char* what, std::uint32_t object, std::uint32_t place) {
    add_number(self.ordinal);
    the->text += ' ';
    the->text += what;
    the->text += ' ';
    add_number(object);
    if (place != 0) {
        the->text += " @";
        add_number(place);
    }
    the->text += '\n';
    constexpr std::size_t full = std::size_t{1} << 18;
    if (the->text.size() > full) write_out();
}

class turn {
public:
    turn() noexcept { lock_recorder(); }
    ~turn() { unlock_recorder(); }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
};

/// Conditions and semaphores have numbers of their own.
std::uint32_t number_of(const void* object) {
    return the->objects.try_emplace(object, static_cast<std::uint32_t>(the->objects.size()) + 1)
        .first->second;
}

std::string first_lines() {
    std::string text = "wedge-trace 1\n";
    // `wedge run --replay` follows the trace in the process with this number.
    if (counters_of_run().number > 1)
        text += "# process " + std::to_string(counters_of_run().number) + " of the run\n";
    return text;
}

}  // namespace

void start_recorder(const std::string& path) {
    if (!plan.records) return;
    the = new recorder;
    the->path = path;
    the->text = first_lines();
}

void flush_recorder() noexcept {
    if (the == nullptr) return;
    const turn mine;
    write_out();
}

void lock_recorder() noexcept {
    while (busy.test_and_set(std::memory_order_acquire)) ::syscall(SYS_sched_yield);
}
void update_recorder() {
    if (the != nullptr) the->modules.update();
}
void unlock_recorder() noexcept {
    busy.clear(std::memory_order_release);
}

void fork_recorder(const std::string& path) {
    if (the == nullptr) return;
    the = new recorder;
    the->path = path;
    the->text = first_lines();
}

void record_now(const task& self, const char* what, std::uint32_t object, const site& where) {
    const turn mine;
    introduce(self);
    const std::uint32_t place = number_of_site(where);
    finish(self, what, object, place);
    follow_event(self.ordinal, what, object);
}

void record_begin(const task& self) {
    const turn mine;
    the->handles[::pthread_self()] = self.ordinal;
    introduce(self);
}

void record_join(const task& self, ::pthread_t thread, const site& where) {
    const turn mine;
    const auto known = the->handles.find(thread);
    if (known == the->handles.end()) return;
    introduce(self);
    const std::uint32_t place = number_of_site(where);
    finish(self, "join", known->second, place);
    follow_event(self.ordinal, "join", known->second);
}

void record_lock_now(const task& self, const char* what, lock_record& lock, const site& where) {
    const turn mine;
    introduce(self);
    introduce(lock);
    const std::uint32_t place = number_of_site(where);
    finish(self, what, lock.identity().instance(), place);
    follow_event(self.ordinal, what, lock.identity().instance());
}

void record_wait_now(const task& self, const char* what, const void* condition, lock_record& lock,
                     const site& where) {
    const turn mine;
    introduce(self);
    introduce(lock);
    const std::uint32_t place = number_of_site(where);
    const std::uint32_t number = number_of(condition);
    const std::string step = std::string(what) + ' ' + std::to_string(number);
    finish(self, step.c_str(), lock.identity().instance(), place);
    follow_event(self.ordinal, what, number, lock.identity().instance());
}

void record_object_now(const task& self, const char* what, const void* object, const site& where) {
    const turn mine;
    introduce(self);
    const std::uint32_t place = number_of_site(where);
    const std::uint32_t number = number_of(object);
    finish(self, what, number, place);
    follow_event(self.ordinal, what, number);
}

}  // namespace wedge::run
