// Reads /proc/lockdep and /proc/lockdep_chains.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "explain/matching.hpp"
#include "explain/trace.hpp"

namespace wedge::explain {
namespace {

/// Returns the key of hexadecimal digits at the beginning of a text. Empty: there is none.
std::string_view leading_key(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size() && is_hex_digit(text[size])) ++size;
    return size < 4 ? std::string_view() : text.substr(0, size);
}

/// The classes of one dump by their keys. Keys tell classes apart that have one name, but another
/// boot has other keys.
class dump_classes {
public:
    explicit dump_classes(lock_graph& order) : order_(order) {}

    std::uint32_t class_of(std::string_view key, std::string_view name) {
        // Without the right to see pointers all keys are zeros.
        if (key.find_first_not_of('0') == key.npos) return order_.class_of(name);
        const auto known = by_key_.find(std::string(key));
        if (known != by_key_.end()) return known->second;
        const auto [owner, is_new] = by_name_.emplace(std::string(name), std::string(key));
        std::string unique(name);
        if (!is_new && owner->second != key) unique += " [" + std::string(key) + "]";
        const std::uint32_t made = order_.class_of(unique);
        if (made != lock_graph::none) by_key_.emplace(std::string(key), made);
        return made;
    }

private:
    lock_graph& order_;
    std::unordered_map<std::string, std::uint32_t> by_key_;
    std::unordered_map<std::string, std::string> by_name_;  // the key that has the name as it is
};

/// A line of a class: `KEY OPS: 8 FD: 1 BD: 2 +.+.: NAME`.
struct class_line {
    std::string_view key;
    std::string_view name;
    std::uint64_t acquires = 0;
};

/// Takes a field `word` and its number off the beginning of a text.
std::optional<std::uint64_t> take_field(std::string_view& text, std::string_view word) {
    const std::string_view rest = trimmed(text);
    if (!rest.starts_with(word)) return std::nullopt;
    const std::string_view value = trimmed(rest.substr(word.size()));
    const std::string_view number = leading_number(value);
    if (number.empty() || number.size() > 18) return std::nullopt;
    text = value.substr(number.size());
    return std::stoull(std::string(number));
}

std::optional<class_line> class_line_in(std::string_view text) {
    class_line made;
    made.key = leading_key(text);
    if (made.key.empty()) return std::nullopt;
    std::string_view rest = text.substr(made.key.size());
    if (!rest.starts_with(' ') && !rest.starts_with(':')) return std::nullopt;
    made.acquires = take_field(rest, "OPS:").value_or(0);
    take_field(rest, "FD:");
    take_field(rest, "BD:");
    const std::size_t colon = rest.find(": ");
    if (colon == rest.npos) return std::nullopt;
    for (const char c : trimmed(rest.substr(0, colon)))  // what is left is the usage
        if (c != '.' && c != '+' && c != '-' && c != '?') return std::nullopt;
    made.name = trimmed(rest.substr(colon + 2));
    if (made.name.empty()) return std::nullopt;
    return made;
}

/// Reads `[KEY] NAME`.
std::optional<class_line> bracket_in(std::string_view text) {
    if (!text.starts_with('[')) return std::nullopt;
    class_line made;
    made.key = leading_key(text.substr(1));
    const std::string_view rest = text.substr(std::min(text.size(), 1 + made.key.size()));
    if (made.key.empty() || !rest.starts_with("] ")) return std::nullopt;
    made.name = trimmed(rest.substr(2));
    if (made.name.empty()) return std::nullopt;
    return made;
}

class lockdep final : public trace_reader {
public:
    lockdep(observations& into, std::string file)
        : into_(into), file_(std::move(file)), classes_(into.order) {}

    void take(std::string_view text) override {
        const std::string_view inner = trimmed(text);
        if (inner.starts_with("->")) {
            const auto next = bracket_in(trimmed(inner.substr(2)));
            if (!next) {
                ++damaged_;
                return;
            }
            const std::uint32_t to = classes_.class_of(next->key, next->name);
            if (to != lock_graph::none) into_.order.at(to).is_written |= !is_only_read(next->name);
            if (current_ == lock_graph::none)
                ++damaged_;
            else
                into_.order.add(current_, to, any_modes, 0, {});
            return;
        }
        if (inner.empty()) {
            current_ = lock_graph::none;
            return;
        }
        const auto head = class_line_in(inner);
        if (!head) {
            damaged_ += inner.starts_with("all lock classes:") ? 0 : 1;
            return;
        }
        current_ = classes_.class_of(head->key, head->name);
        if (current_ == lock_graph::none) return;
        into_.order.at(current_).is_written |= !is_only_read(head->name);
        into_.order.at(current_).acquires += head->acquires;
    }

    void finish() override {
        if (damaged_ > 0)
            into_.notes.push_back(file_ + ": " + std::to_string(damaged_) +
                                  (damaged_ == 1 ? " line is" : " lines are") +
                                  " no part of a dump, so the order may lack dependencies.");
    }

private:
    observations& into_;
    std::string file_;
    dump_classes classes_;
    std::uint32_t current_ = lock_graph::none;
    std::size_t damaged_ = 0;
};

/// Chains say which locks one task held at once, the outermost first.
class chains final : public trace_reader {
public:
    chains(observations& into, std::string file)
        : into_(into), file_(std::move(file)), classes_(into.order) {}

    void take(std::string_view text) override {
        text = trimmed(text);
        if (text.starts_with("(buggered)"))
            into_.notes.push_back(file_ + ": the kernel ran out of chains, so some are missing.");
        const auto next = bracket_in(text);
        if (!next) {
            if (text.empty() || text.starts_with("irq_context")) outer_ = lock_graph::none;
            return;
        }
        const std::uint32_t inner = classes_.class_of(next->key, next->name);
        if (inner == lock_graph::none) return;
        into_.order.at(inner).is_written |= !is_only_read(next->name);
        if (outer_ == lock_graph::none)
            ++into_.chains;
        else if (outer_ != inner)
            into_.order.add(outer_, inner, any_modes, 1, {});
        outer_ = inner;
    }

    void finish() override {}

private:
    observations& into_;
    std::string file_;
    dump_classes classes_;
    std::uint32_t outer_ = lock_graph::none;
};

}  // namespace

std::unique_ptr<trace_reader> lockdep_reader(observations& into, std::string file) {
    return std::make_unique<lockdep>(into, std::move(file));
}
std::unique_ptr<trace_reader> chains_reader(observations& into, std::string file) {
    return std::make_unique<chains>(into, std::move(file));
}

}  // namespace wedge::explain
