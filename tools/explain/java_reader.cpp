// Reads dumps of the threads of a Java machine, as jstack and a signal print them.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "explain/matching.hpp"
#include "explain/reader.hpp"

namespace wedge::explain {
namespace {

/// An object and its class, of `<0x1> (a A)` or `object 0x1, a A`.
struct java_object {
    std::string address;
    std::string type;
};

std::optional<java_object> object_in(std::string_view text) {
    const std::size_t at = text.find("0x");
    if (at == text.npos) return std::nullopt;
    java_object made{std::string(leading_address(text.substr(at))), {}};
    if (made.address.empty()) return std::nullopt;
    const std::string_view rest = text.substr(at + made.address.size());
    for (const std::string_view article : {"(a ", ", a "}) {
        if (!has(rest, article)) continue;
        const std::string_view type = behind(rest, article);
        const std::size_t end = type.find_first_of("),");
        if (end != type.npos) made.type = type.substr(0, end);  // else the line is cut
        break;
    }
    return made;
}

/// Returns the name in quotes at the beginning of a line; it may have quotes inside. Empty: none.
std::string_view quoted_name(std::string_view text) {
    if (!text.starts_with('"')) return {};
    const std::size_t end = text.rfind('"');
    return end == 0 ? std::string_view() : text.substr(1, end - 1);
}

/// A cycle that the machine has found itself: each thread waits for the next one.
struct summary_link {
    std::string task;
    java_object wanted;
    std::string owner;
};

/// One dump: its threads, and the deadlocks that the machine has found.
class java_dump {
public:
    explicit java_dump(std::span<const line> text) : text_(text) {}

    void read(std::vector<report>& found) {
        dump_.first_line = text_.front().number;
        dump_.last_line = text_.back().number;
        dump_.version = before(behind(text_.front().text, "Full thread dump "), ":");
        std::size_t i = 0;
        for (; i < text_.size(); ++i) {
            if (is_summary(text_[i].text)) break;
            take(trimmed(text_[i].text));
        }
        end_thread();
        read_summary(i);
        link_summary();
        name_locks();
        // Of threads that only rest, as those of a pool, nothing is to be told.
        const std::size_t before = found.size();
        std::vector<report> made;
        add_waits(dump_, made);
        for (report& each : made) {
            if (each.kind == "hung" && !has_blocked()) continue;
            if (is_cut_) each.lacks("the rest of `Found one Java-level deadlock`");
            found.push_back(std::move(each));
        }
        if (found.size() == before && is_cut_) {
            dump_.kind = "hung";
            dump_.has_happened = true;
            dump_.lacks("the rest of `Found one Java-level deadlock`");
            found.push_back(std::move(dump_));
        }
    }

    static bool is_summary(std::string_view text) { return has(text, "Java-level deadlock"); }

private:
    /// A line of a thread.
    void take(std::string_view text) {
        if (const std::string_view name = quoted_name(text); !name.empty()) {
            begin_thread(name, text);
            return;
        }
        if (dump_.tasks.empty()) return;
        task_state& task = dump_.tasks.back();
        const auto object = object_in(text);
        if (text.starts_with("at ")) {
            task.stack.emplace_back(text.substr(3));
        } else if (!object || !text.starts_with("- ")) {
            is_owned_ =
                is_owned_ ? !text.empty() : text.starts_with("Locked ownable synchronizers");
        } else if (is_owned_ && text.starts_with("- <")) {
            hold(task, *object);
        } else if (text.starts_with("- locked <")) {
            // A thread in wait() has let go of the monitor that the dump still lists.
            if (!rests_.contains(object->address)) hold(task, *object);
        } else if (text.starts_with("- waiting to lock <") ||
                   text.starts_with("- waiting to re-lock in wait() <")) {
            rests_.insert(object->address);
            want(task, *object, true);
        } else if (text.starts_with("- parking to wait for")) {
            if (!has(object->type, "ConditionObject")) want(task, *object, false);
        } else if (text.starts_with("- waiting on <")) {
            rests_.insert(object->address);
            rest_ = *object;
        }
    }

    /// A thread that waits for a notification and holds locks keeps others waiting.
    void end_thread() {
        if (dump_.tasks.empty() || !rest_) return;
        task_state& task = dump_.tasks.back();
        if (task.waits.empty() && !task.held.empty())
            task.waits.push_back(
                {"notification of " + rest_->type, {}, {}, place_of_acquire(task.stack), {}});
    }

    void begin_thread(std::string_view name, std::string_view text) {
        end_thread();
        rest_.reset();
        is_owned_ = false;
        rests_.clear();
        std::string unique(name);
        if (!known_.insert(unique).second) {
            const std::string_view number =
                leading_number(behind(text.substr(name.size() + 2), "#"));
            unique += " #" + std::string(number.empty() ? std::to_string(known_.size()) : number);
            known_.insert(unique);
        }
        dump_.tasks.push_back({std::move(unique), {}, {}, {}, true});
    }

    void hold(task_state& task, const java_object& what) {
        if (what.address == last_held_) return;  // a monitor is listed once for each entry
        task.held.push_back({what.type,
                             what.address,
                             {},
                             {},
                             task.stack.empty() ? "" : task.stack.back(),
                             acquire_mode::write});
    }
    void want(task_state& task, const java_object& what, bool is_monitor) {
        if (!task.waits.empty()) return;
        task.waits.push_back(
            {what.type, what.address, {}, place_of_acquire(task.stack), acquire_mode::write});
        if (is_monitor) ++blocked_;
    }
    bool has_blocked() const { return blocked_ > 0; }

    /// Reads `"A": / waiting to lock monitor 0x1 (object 0x2, a X), / which is held by "B"`.
    void read_summary(std::size_t i) {
        if (i >= text_.size()) return;
        bool is_ended = false;
        std::string task;
        std::optional<java_object> wanted;
        for (; i < text_.size(); ++i) {
            const std::string_view text = trimmed(text_[i].text);
            if (has(text, "Java stack information for the threads")) {
                is_ended = true;
                if (const auto next = next_summary(i)) {
                    i = *next;
                    is_ended = false;
                    continue;
                }
                break;
            }
            if (text.starts_with("waiting to lock monitor")) {
                wanted = object_in(has(text, "(object ") ? behind(text, "(object ") : text);
            } else if (text.starts_with("waiting for ownable synchronizer")) {
                wanted = object_in(text);
            } else if (text.starts_with("which is held by") ||
                       text.starts_with("in JNI, which is held by")) {
                const std::string_view owner = quoted_name(trimmed(behind(text, "held by")));
                if (!task.empty() && wanted && !owner.empty())
                    links_.push_back({task, *wanted, std::string(owner)});
                wanted.reset();
            } else if (text.starts_with('"')) {
                task = quoted_name(text);
                wanted.reset();
            }
        }
        is_cut_ = !is_ended;
    }
    std::optional<std::size_t> next_summary(std::size_t i) const {
        for (++i; i < text_.size(); ++i)
            if (is_summary(text_[i].text)) return i;
        return std::nullopt;
    }

    /// What the machine says about owners goes to the threads of the dump.
    void link_summary() {
        std::map<std::string, std::size_t> by_name;
        for (std::size_t i = 0; i < dump_.tasks.size(); ++i)
            by_name.emplace(dump_.tasks[i].task, i);
        const auto thread = [&](const std::string& name) -> task_state& {
            const auto [place, is_new] = by_name.emplace(name, dump_.tasks.size());
            if (is_new) dump_.tasks.push_back({name, {}, {}, {}, false});
            return dump_.tasks[place->second];
        };
        for (const summary_link& link : links_) {
            thread(link.task);  // before its owner, as the list has it
            task_state& owner = thread(link.owner);
            const bool is_known = std::any_of(
                owner.held.begin(), owner.held.end(),
                [&](const lock_use& lock) { return lock.instance == link.wanted.address; });
            if (!is_known)
                owner.held.push_back(
                    {link.wanted.type, link.wanted.address, {}, {}, {}, acquire_mode::write});
            task_state& waiter = thread(link.task);
            if (waiter.waits.empty())
                waiter.waits.push_back(
                    {link.wanted.type, link.wanted.address, {}, {}, acquire_mode::write});
            if (waiter.waits.front().instance == link.wanted.address)
                waiter.waits.front().owner = link.owner;
        }
        if (!links_.empty()) ++blocked_;
    }

    /// A class is the name of a lock. Where objects of one class are different locks, each gets its
    /// address.
    void name_locks() {
        tell_instances_apart(dump_, [](const std::string& instance) {
            return "@" +
                   instance.substr(std::min(instance.find_first_not_of("0x"), instance.size()));
        });
    }

    std::span<const line> text_;
    report dump_;
    std::set<std::string> known_;
    std::set<std::string> rests_;  // monitors that the thread waits on, and so does not hold
    std::optional<java_object> rest_;
    std::vector<summary_link> links_;
    std::string last_held_;
    std::size_t blocked_ = 0;
    bool is_owned_ = false;
    bool is_cut_ = false;
};

class java final : public reader {
public:
    const char* name() const override { return "Java"; }

    void find(std::span<const line> text, std::vector<report>& found) const override {
        constexpr std::string_view heading = "Full thread dump ";
        for (std::size_t i = 0; i < text.size();) {
            // A mail may quote the deadlock alone.
            std::size_t end = i + 1;
            const bool is_dump = has(text[i].text, heading);
            if (is_dump || java_dump::is_summary(text[i].text)) {
                while (end < text.size() && !has(text[end].text, heading) &&
                       !has(text[end].text, "deadlock."))
                    ++end;
                if (end < text.size() && has(text[end].text, "deadlock.")) ++end;
                java_dump(text.subspan(i, end - i)).read(found);
            }
            i = end;
        }
    }
};

}  // namespace

const reader& java_reader() {
    static const java only;
    return only;
}

}  // namespace wedge::explain
