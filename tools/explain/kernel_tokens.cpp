#include "explain/kernel_tokens.hpp"

#include <algorithm>
#include <cctype>

#include "explain/matching.hpp"

namespace wedge::explain::kernel {

namespace {

constexpr std::size_t longest_name = 320;

bool is_mask(char c) {
    return c == '.' || c == '-' || c == '+' || c == '?';
}

/// The length of `{MASK}` at a place; 0: it is none.
std::size_t mask_size(std::string_view text) {
    std::size_t i = 1;
    std::size_t broken = 0;
    while (i < text.size() && i < 8 + broken &&
           (is_mask(text[i]) || (text[i] == ' ' && text[i - 1] == '-'))) {
        if (text[i] == ' ') ++broken;  // a mail breaks lines behind hyphens
        ++i;
    }
    return i >= 5 + broken && broken < 3 && i < text.size() && text[i] == '}' ? i + 1 : 0;
}

/// Where the parenthesis opens that closes at `close`; `none`: not in the stretch.
std::size_t opening(std::string_view text, std::size_t floor, std::size_t close) {
    if (close > longest_name) floor = std::max(floor, close - longest_name);
    int depth = 0;
    for (std::size_t i = close + 1; i > floor; --i) {
        if (text[i - 1] == ')') ++depth;
        if (text[i - 1] == '(' && --depth == 0) return i - 1;
    }
    return none;
}

/// The address or the `(ptrval)` in front of a name, and where it begins.
std::string instance_before(std::string_view text, std::size_t floor, std::size_t& begin) {
    std::size_t end = begin;
    if (end > floor && text[end - 1] == ' ') --end;
    std::size_t start = end;
    while (start > floor && text[start - 1] != ' ' && end - start < 24) --start;
    std::string_view word = text.substr(start, end - start);
    if (word.starts_with("[<") && word.ends_with(">]")) word = word.substr(2, word.size() - 4);
    if (word.starts_with("0x")) word.remove_prefix(2);
    const bool is_address = word.size() >= 8 && word.size() <= 16 &&
                            std::all_of(word.begin(), word.end(), is_hex_digit);
    const bool is_hidden = word == "(ptrval)" || word == "(____ptrval____)";
    if (!is_address && !is_hidden) return {};
    begin = start;
    return is_address ? std::string(word) : std::string();
}

std::string_view word_at(std::string_view text, std::size_t at) {
    if (at >= text.size()) return {};
    const std::size_t end = text.find(' ', at);
    return text.substr(at, end == none ? none : end - at);
}

bool is_source_place(std::string_view word) {
    const std::size_t colon = word.rfind(':');
    return colon != none && colon > 2 && colon + 1 < word.size() && is_digit(word[colon + 1]) &&
           word.substr(0, colon).find('.') != none && word.find('=') == none;
}

bool is_symbol_place(std::string_view word) {
    const std::size_t plus = word.find("+0x");
    return plus != none && plus > 0 && word.find("/0x", plus) != none;
}

/// Whether a word is the name of a function.
bool is_identifier(std::string_view word) {
    return !word.empty() && !is_digit(word.front()) &&
           std::all_of(word.begin(), word.end(), [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
           });
}

/// Whether the words at a place are a frame whose address a script has turned into places in the
/// source: `fn (kernel/fork.c:2639 kernel/fork.c:12)`.
bool is_decoded_frame(std::string_view text, std::size_t at, std::string_view word) {
    if (!is_identifier(word)) return false;
    const std::string_view next = word_at(text, at + word.size() + 1);
    return next.size() > 4 && next.front() == '(' && next.find(':') != none &&
           (next.find('.') != none || next.starts_with("(??:"));
}

/// A frame that begins at `at`, with its module or its line in the source; moves `at` behind it.
std::string frame_at(std::string_view text, std::size_t& at, std::size_t end) {
    std::string frame(word_at(text, at));
    at += frame.size() + 1;
    if (at < end) {
        const std::string_view next = word_at(text.substr(0, end), at);
        const bool is_module = next.size() > 2 && next.front() == '[' && next.back() == ']' &&
                               next != "[inline]" && next[1] != '<';
        if (is_module || is_source_place(next)) {
            frame += ' ';
            frame += next;
            at += next.size() + 1;
        }
    }
    return frame;
}

/// Where a place `, at: SYM` behind a lock ends; fills it in.
std::size_t read_place(std::string_view text, std::size_t at, std::size_t end, lock_use& lock) {
    std::size_t i = at;
    if (i < end && text[i] == ',') ++i;
    while (i < end && text[i] == ' ') ++i;
    if (text.substr(i, 3) != "at:") return at;
    i += 3;
    while (i < end && text[i] == ' ') ++i;
    if (text.substr(i, 2) == "[<") {
        const std::size_t close = text.substr(0, i + 26).find(">]", i);
        if (close == none) return at;
        i = close + 2;
        while (i < end && text[i] == ' ') ++i;
    }
    const std::string_view word = word_at(text.substr(0, end), i);
    if (word.empty()) return at;
    lock.at = frame_at(text.substr(0, end), i, end);
    return std::min(i, end);
}

/// Where `-{2:2}` behind a mask ends; fills it in.
std::size_t read_wait_type(std::string_view text, std::size_t at, std::size_t end, lock_use& lock) {
    std::size_t i = at;
    const auto skip_spaces = [&] {
        while (i < end && text[i] == ' ') ++i;
    };
    skip_spaces();
    if (i >= end || text[i] != '-') return at;
    ++i;
    skip_spaces();
    if (i >= end || text[i] != '{') return at;
    const std::size_t close = text.substr(0, std::min(end, i + 7)).find('}', i);
    if (close == none) return at;
    lock.wait_type = text.substr(i + 1, close - i - 1);
    return close + 1;
}

}  // namespace

std::string clean_name(std::string_view name) {
    std::string result;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool is_broken = name[i] == ' ' && i > 0 && name[i - 1] == '-';
        if (!is_broken) {
            result += name[i];
            continue;
        }
        // A mail breaks lines behind hyphens; a `>` that then begins a line looks like quoting.
        const std::string_view rest = name.substr(i + 1);
        if (!rest.starts_with(">") && !rest.starts_with("AF_")) result += '>';
    }
    // What a class prints about an instance is no part of the name: `btree l=0 inodes`.
    const std::size_t space = result.find(' ');
    if (space != std::string::npos && result.find('"') == std::string::npos) {
        std::size_t i = space + 1;
        while (i < result.size() && std::isalpha(static_cast<unsigned char>(result[i])) != 0) ++i;
        if (i > space + 1 && i < result.size() && result[i] == '=') result.resize(space);
    }
    while (!result.empty() && result.back() == ' ') result.pop_back();
    while (!result.empty() && result.front() == ' ') result.erase(0, 1);
    return result;
}

std::optional<found_lock> first_lock(std::string_view text, span_of in) {
    text = text.substr(0, in.end);
    in.end = text.size();
    for (std::size_t close = text.find("){", in.begin); close != none && close < in.end;
         close = text.find("){", close + 1)) {
        const std::size_t size = mask_size(text.substr(close + 1, 14));
        if (size == 0 || close + 1 + size > in.end) continue;
        const std::size_t open = opening(text, in.begin, close);
        if (open == none) continue;
        found_lock found;
        found.begin = open;
        found.name_begin = open + 1;
        found.name_end = close;
        found.lock.name = clean_name(text.substr(open + 1, close - open - 1));
        if (found.lock.name.empty()) continue;
        for (const char c : text.substr(close + 2, size - 2))
            if (c != ' ') found.lock.usage += c;
        found.lock.instance = instance_before(text, in.begin, found.begin);
        found.end = read_wait_type(text, close + 1 + size, in.end, found.lock);
        found.end = read_place(text, found.end, in.end, found.lock);
        return found;
    }
    return std::nullopt;
}

std::string task_before(std::string_view text, std::size_t floor, std::size_t end) {
    std::string_view before = text.substr(floor, end - floor);
    const auto trim = [&] {
        while (!before.empty() && before.back() == ' ') before.remove_suffix(1);
    };
    trim();
    if (before.ends_with("]")) {  // `[HC0[0]:SC1[1]:HE1:SE0]`
        const std::size_t open = before.rfind("[HC");
        if (open == none) return {};
        before = before.substr(0, open);
        trim();
    }
    std::size_t digits = before.size();
    while (digits > 0 && is_digit(before[digits - 1])) --digits;
    if (digits == before.size() || digits < 2 || before[digits - 1] != '/') return {};
    const std::size_t ruler = before.rfind("---");
    if (ruler != none) {
        if (before.substr(ruler + 3, 1) != " ") return {};  // the line's start is lost
        before.remove_prefix(ruler + 4);
    }
    while (!before.empty() && before.front() == ' ') before.remove_prefix(1);
    if (before.size() > 64) {  // longer than any task's name: take the last word
        const std::size_t space = before.rfind(' ');
        if (space != none) before.remove_prefix(space + 1);
    }
    return std::string(before);
}

std::vector<std::string> frames_of(std::string_view text, span_of in) {
    std::vector<std::string> frames;
    text = text.substr(0, in.end);
    in.end = text.size();
    std::size_t before_start = none;  // the last two words, for `fn file.c:1 [inline]`
    std::size_t last_start = none;
    bool is_guess = false;
    for (std::size_t at = in.begin; at < in.end && frames.size() < 128;) {
        const std::string_view word = word_at(text.substr(0, in.end), at);
        if (word.empty()) {
            ++at;
            continue;
        }
        if (word == "?") {
            is_guess = true;
        } else if (word == "[inline]" && before_start != none && last_start != none &&
                   is_source_place(word_at(text, last_start))) {
            frames.push_back(std::string(word_at(text, before_start)) + " " +
                             std::string(word_at(text, last_start)));
        } else if (is_decoded_frame(text, at, word)) {
            std::string frame(word);
            frame += ' ';
            frame += word_at(text, at + word.size() + 1);
            if (!frame.ends_with(')')) frame += ')';
            if (!is_guess) frames.push_back(std::move(frame));
            is_guess = false;
        } else if (is_symbol_place(word)) {
            std::string frame = frame_at(text, at, in.end);
            if (!is_guess) frames.push_back(std::move(frame));
            is_guess = false;
            before_start = last_start = none;
            continue;
        }
        before_start = last_start;
        last_start = at;
        at += word.size() + 1;
    }
    return frames;
}

acquire_mode mode_of(const std::vector<std::string>& stack) {
    struct {
        std::string_view function;
        acquire_mode mode;
    } static constexpr known[] = {
        {"down_read", acquire_mode::read},
        {"down_write", acquire_mode::write},
        {"percpu_down_read", acquire_mode::read},
        {"percpu_down_write", acquire_mode::write},
        {"__percpu_down_read", acquire_mode::read},
        {"_raw_read_lock", acquire_mode::recursive_read},
        {"_read_lock", acquire_mode::recursive_read},
        {"_raw_write_lock", acquire_mode::write},
        {"_write_lock", acquire_mode::write},
        {"__mutex_lock", acquire_mode::write},
        {"mutex_lock", acquire_mode::write},
        {"_raw_spin_lock", acquire_mode::write},
        {"_spin_lock", acquire_mode::write},
        {"__ww_mutex_lock", acquire_mode::write},
        {"mmap_read_lock", acquire_mode::read},
        {"mmap_write_lock", acquire_mode::write},
        {"__might_fault", acquire_mode::read},
        {"might_fault", acquire_mode::read},
    };
    std::size_t looked_at = 0;
    for (const std::string& frame : stack) {
        for (const auto& [function, mode] : known)
            if (std::string_view(frame).starts_with(function)) return mode;
        if (++looked_at == 6) break;
    }
    return acquire_mode::unknown;
}

namespace {

/// `no locks held by TASK.`
held_list empty_list(std::string_view text, std::size_t name) {
    held_list list;
    const std::size_t stop = std::min(text.size(), name + 80);
    const std::string_view near = text.substr(0, stop);
    const std::size_t dot = near.find(". ", name);
    const std::size_t close = dot != none ? dot : std::min(stop, near.find(' ', name));
    list.state.task = text.substr(name, close - name);
    if (list.state.task.ends_with('.')) list.state.task.pop_back();
    list.state.is_held_known = true;
    list.end = close;
    return list;
}

/// The number that ends at `end`; `none`: there is none.
std::size_t number_before(std::string_view text, std::size_t end) {
    std::size_t start = end;
    while (start > 0 && is_digit(text[start - 1]) && end - start < 3) --start;
    if (start == end) return none;
    std::size_t number = 0;
    for (; start < end; ++start) number = number * 10 + static_cast<std::size_t>(text[start] - '0');
    return number;
}

/// Reads the entries ` #0: LOCK, at: PLACE` of a list.
void read_entries(std::string_view text, held_list& list) {
    constexpr std::size_t longest_gap = 160;  // of text that another CPU has printed between them
    std::size_t last_number = none;
    for (;;) {
        const std::size_t entry = text.substr(0, list.end + longest_gap).find('#', list.end);
        if (entry == none) return;
        std::size_t colon = entry + 1;
        while (colon < text.size() && is_digit(text[colon]) && colon < entry + 4) ++colon;
        const std::size_t number = number_before(text, colon);
        if (number == none || colon >= text.size() || text[colon] != ':') return;
        if (last_number != none && number < last_number) return;
        // The next task's list may begin with the same number.
        if (text.substr(list.end, entry - list.end).find("held by ") != none) return;
        const std::optional<found_lock> lock =
            first_lock(text, {colon, std::min(text.size(), colon + 480)});
        if (!lock || lock->begin > colon + 48) return;
        // Inlined functions repeat the entry. Another lock of that number is of another list.
        if (number != last_number)
            list.state.held.push_back(lock->lock);
        else if (lock->lock.name != list.state.held.back().name)
            list.is_whole = false;
        last_number = number;
        list.end = lock->end;
    }
}

}  // namespace

std::optional<held_list> next_held_list(std::string_view text, span_of in) {
    text = text.substr(0, in.end);
    for (std::size_t at = text.find("held by ", in.begin); at != none;
         at = text.find("held by ", at + 1)) {
        const std::string_view before = text.substr(in.begin, at - in.begin);
        const bool is_plural = before.ends_with(" locks ");
        if (!is_plural && !before.ends_with(" lock ")) continue;
        const std::size_t number_end = at - (is_plural ? 7 : 6);
        const std::size_t name = at + 8;
        if (text.substr(0, number_end).ends_with("no")) return empty_list(text, name);
        const std::size_t count = number_before(text, number_end);
        if (count == none) continue;
        // A name may hold `:`, so the list's colon is the one behind `/` and the number.
        const auto ends_task = [&](std::size_t end) {
            std::size_t digits = end;
            while (digits > name && is_digit(text[digits - 1])) --digits;
            return digits < end && digits > name && text[digits - 1] == '/';
        };
        const std::size_t stop = name + 80;
        const std::string_view near = text.substr(0, stop);
        std::size_t colon = near.find(':', name);
        while (colon < stop &&
               !(ends_task(colon) && (colon + 1 >= text.size() || text[colon + 1] == ' ')))
            colon = near.find(':', colon + 1);
        if (colon == none) continue;
        held_list list;
        list.state.task = text.substr(name, colon - name);
        list.state.is_held_known = true;
        list.end = colon + 1;
        read_entries(text, list);
        list.is_whole = list.is_whole && list.state.held.size() == count;
        return list;
    }
    return std::nullopt;
}

namespace {

/// Whether a word is a release of a kernel: `2.6.26-rc1`.
bool is_version(std::string_view word) {
    const std::size_t point = word.find('.');
    return point != none && point < 3 && is_digit(word[0]) && point + 1 < word.size() &&
           is_digit(word[point + 1]) && word.find("--") == none &&
           std::all_of(word.begin(), word.end(), [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                      std::string_view("._+-~@:").find(c) != none;
           });
}

}  // namespace

kernel_release release_behind(std::string_view text, span_of in) {
    text = text.substr(0, in.end);
    in.end = text.size();
    const auto begins_build = [](std::string_view word) {
        return word.size() > 1 && word.front() == '#';
    };
    std::string_view before;
    for (std::size_t at = in.begin; at < in.end;) {
        const std::string_view word = word_at(text, at);
        const std::string_view next = word_at(text, at + word.size() + 1);
        if (is_version(word)) {
            kernel_release found{std::string(word), true};
            // A line may be broken in it: the build's number follows, as `#1`.
            const std::string_view third = word_at(text, at + word.size() + next.size() + 2);
            if (!begins_build(next) && begins_build(third) && next.size() > 1 &&
                next.find_first_of("(){}[]:") == none)
                found.name += next;
            else
                found.is_sure = begins_build(next) || next == "Not" || next == "Tainted:";
            return found;
        }
        // Some builds give the release no number: `syzkaller #0 Not tainted`.
        const std::string_view rest = text.substr(std::min(text.size(), at + word.size()), 48);
        if (begins_build(word) && is_identifier(before) && rest.find("ainted") != none)
            return {std::string(before), true};
        if (!word.empty()) before = word;
        at += word.size() + 1;
    }
    return {};
}

std::string version_of(std::string_view text, span_of in) {
    return release_behind(text, in).name;
}

std::string traced_task(std::string_view text, span_of in) {
    text = text.substr(0, in.end);
    in.end = text.size();
    const auto number_behind = [&](std::size_t at) {
        std::string digits;
        while (at < in.end && is_digit(text[at]) && digits.size() < 10) digits += text[at++];
        return digits;
    };
    const auto name_behind = [&](std::size_t at) {
        std::size_t end = at;
        for (const std::string_view stop : {" Not tainted", " Tainted:", " Kdump:"}) {
            const std::size_t found = text.find(stop, at);
            if (found != none && found < at + 40 && (end == at || found < end)) end = found;
        }
        if (end == at || end > in.end) end = std::min(in.end, text.find(' ', at));
        return std::string(text.substr(at, end - at));
    };
    const std::size_t pid = text.find(" PID: ", in.begin);
    if (pid < in.end) {
        const std::size_t name = text.find(" Comm: ", pid);
        const std::string number = number_behind(pid + 6);
        if (name < in.end && name < pid + 40 && !number.empty())
            return name_behind(name + 7) + "/" + number;
    }
    const std::size_t old = text.find("Pid: ", in.begin);
    if (old < in.end) {
        const std::size_t name = text.find(", comm: ", old);
        const std::string number = number_behind(old + 5);
        if (name < in.end && name < old + 24 && !number.empty())
            return name_behind(name + 8) + "/" + number;
    }
    return {};
}

}  // namespace wedge::explain::kernel
