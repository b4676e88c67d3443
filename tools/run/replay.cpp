#include "run/replay.hpp"

#include <charconv>
#include <cstring>
#include <ctime>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "run/raw_report.hpp"

namespace wedge::run {
namespace {

std::int64_t now_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

constexpr std::int64_t patience_ns = 3'000'000'000;

bool is_request(trace_op op) noexcept {
    return op == trace_op::request || op == trace_op::request_read;
}

const char* name_of_op(trace_op op) noexcept {
    return trace_op_names[static_cast<std::size_t>(op)];
}

std::string read_whole(const std::string& path) {
    std::string text;
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return text;
    char part[4096];
    for (ssize_t count = 0; (count = ::read(file, part, sizeof part)) > 0;)
        text.append(part, static_cast<std::size_t>(count));
    ::close(file);
    return text;
}

/// Reads lines of numbers, which `wedge run` has checked.
class number_reader {
public:
    explicit number_reader(std::string_view text) : text_(text) {}

    bool is_at_end() const noexcept { return text_.empty(); }
    std::uint64_t next() {
        std::uint64_t value = 0;
        const char* const end = text_.data() + text_.size();
        const char* const behind = std::from_chars(text_.data(), end, value).ptr;
        text_.remove_prefix(static_cast<std::size_t>(behind - text_.data()));
        while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n')) text_.remove_prefix(1);
        return value;
    }
    std::uint32_t small() { return static_cast<std::uint32_t>(next()); }

private:
    std::string_view text_;
};

}  // namespace

std::unique_ptr<trace_follower> make_follower(const std::string& directory) {
    const std::string text = read_whole(directory + "/replay");
    if (text.empty()) return nullptr;
    number_reader numbers(text);
    if (numbers.next() != counters_of_run().number) return nullptr;
    std::vector<trace_event> events;
    while (!numbers.is_at_end()) {
        trace_event each;
        each.line = numbers.next();
        each.thread = numbers.small();
        each.op = static_cast<trace_op>(numbers.small());
        each.object = numbers.small();
        each.lock = numbers.small();
        events.push_back(each);
    }
    return std::make_unique<trace_follower>(std::move(events));
}

trace_follower::trace_follower(std::vector<trace_event> events) : events_(std::move(events)) {
    counters_of_run().to_follow.store(events_.size(), std::memory_order_relaxed);
}

void trace_follower::advance() {
    ++at_;
    counters_of_run().followed.store(at_, std::memory_order_relaxed);
}

void trace_follower::leave(const std::string& why) {
    has_left_ = true;
    run_counters& page = counters_of_run();
    page.why_left[why.copy(page.why_left, sizeof page.why_left - 1)] = '\0';
    page.left_at.store(events_[at_].line, std::memory_order_relaxed);
}

controlled_thread* trace_follower::next(controller& all) {
    while (is_active()) {
        const trace_event& expected = events_[at_];
        const auto known = threads_.find(expected.thread);
        controlled_thread* const who = known == threads_.end() ? nullptr : all.find(known->second);
        if (who == nullptr) {
            leave("thread " + std::to_string(expected.thread) +
                  (known == threads_.end() ? " has not been started" : " has ended"));
            return nullptr;
        }
        // A request without an acquire: the thread is to wait there.
        if (is_request(expected.op) && who->is_waiting && who->next.lock != nullptr &&
            who->next.waits != awaited::nothing) {
            advance();
            continue;
        }
        if (!all.is_enabled(*who)) return wait_for(all, who);
        if (!who->next.is_unrecorded || !retries_forever()) return who;
        leave("thread " + std::to_string(expected.thread) + " retries, and does no '" +
              name_of_op(expected.op) + "' there");
    }
    return nullptr;
}

bool trace_follower::retries_forever() {
    constexpr unsigned retries_max = 1000;
    const std::int64_t now = now_ns();
    if (retried_at_ != at_ || retries_ == 0) {
        retried_at_ = at_;
        retries_ = 0;
        retries_since_ = now;
    }
    return ++retries_ > retries_max && now - retries_since_ > patience_ns;
}

controlled_thread* trace_follower::wait_for(controller& all, controlled_thread* who) {
    constexpr std::int64_t short_ns = 10'000'000;
    const std::int64_t now = now_ns();
    if (arrivals_ != all.arrivals + at_ || waits_since_ == 0) {
        arrivals_ = all.arrivals + at_;
        waits_since_ = now;
    }
    const std::string name = "thread " + std::to_string(events_[at_].thread);
    bool is_anyone_elsewhere = false;
    for (const controlled_thread* each : all.live)
        is_anyone_elsewhere = is_anyone_elsewhere || !each->is_waiting || each->next.end != nullptr;
    // It may wait for what another thread does without an event, such as writing to a pipe.
    const bool may_tell = !is_anyone_elsewhere || now - waits_since_ >= short_ns;
    for (controlled_thread* const each : all.live)
        if (may_tell && each->is_waiting && each->next.is_unrecorded && all.is_enabled(*each))
            return each;
    if (is_anyone_elsewhere && now - waits_since_ < patience_ns) return nullptr;
    const std::string step = std::string("'") + name_of_op(events_[at_].op) + "'";
    if (who->is_waiting)
        leave(name + " has to wait, and cannot do " + step + " there");
    else
        leave(name + " comes to no step, and should do " + step + " there");
    return nullptr;
}

bool trace_follower::is_same(numbers& known, numbers& reverse, std::uint32_t here,
                             std::uint32_t there) {
    const auto one = known.try_emplace(there, here).first;
    const auto other = reverse.try_emplace(here, there).first;
    return one->second == here && other->second == there;
}

bool trace_follower::agrees(const trace_event& expected, std::uint32_t object, std::uint32_t lock) {
    switch (expected.op) {
        case trace_op::spawn: return threads_[expected.object] = object, true;
        case trace_op::end: return true;
        case trace_op::join:
            return threads_.count(expected.object) == 0 || threads_[expected.object] == object;
        case trace_op::notify:
        case trace_op::notify_all:
        case trace_op::up:
        case trace_op::down: return is_same(objects_, objects_back_, object, expected.object);
        case trace_op::wait:
        case trace_op::wake:
            return is_same(objects_, objects_back_, object, expected.object) &&
                   is_same(locks_, locks_back_, lock, expected.lock);
        default: return is_same(locks_, locks_back_, object, expected.object);
    }
}

void trace_follower::saw(std::uint32_t thread, const char* what, std::uint32_t object,
                         std::uint32_t lock) {
    if (!is_active() || std::strncmp(what, "request", std::strlen("request")) == 0) return;
    const trace_event& expected = events_[at_];
    const auto known = threads_.find(expected.thread);
    const bool is_right = known != threads_.end() && known->second == thread &&
                          std::strcmp(what, name_of_op(expected.op)) == 0;
    if (is_right && agrees(expected, object, lock)) return advance();
    std::string why = "thread " + std::to_string(thread) + " of this run did '" + what + "'";
    why += is_right ? " with another object than thread " : ", and thread ";
    why += std::to_string(expected.thread);
    leave(is_right ? why : why + " should do '" + name_of_op(expected.op) + "'");
}

void follow_event(std::uint32_t thread, const char* what, std::uint32_t object,
                  std::uint32_t lock) {
    if (the_controller == nullptr) return;
    const own_work mine;
    const controller_turn turn;
    if (the_controller->follower != nullptr)
        the_controller->follower->saw(thread, what, object, lock);
}

}  // namespace wedge::run
