#include "explain/lines.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "explain/matching.hpp"

namespace wedge::explain {

namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t';
}
bool is_letter(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

/// Reads the start of a line piece by piece. Each `skip_…` says whether the piece was there.
class prefix_reader {
public:
    explicit prefix_reader(std::string_view text) : text_(text) {}

    std::string_view rest() const { return text_.substr(at_); }
    std::size_t at() const { return at_; }
    void go_back(std::size_t at) { at_ = at; }
    bool is_at_end() const { return at_ == text_.size(); }
    char peek() const { return is_at_end() ? '\0' : text_[at_]; }

    bool skip(std::string_view word) {
        if (!rest().starts_with(word)) return false;
        at_ += word.size();
        return true;
    }
    std::size_t skip_spaces() { return skip_while(is_space); }
    template <class Predicate>
    std::size_t skip_while(Predicate holds, std::size_t most = 64) {
        const std::size_t start = at_;
        while (!is_at_end() && at_ - start < most && holds(text_[at_])) ++at_;
        return at_ - start;
    }
    /// `12:34:56`, with a fraction or not.
    bool skip_time() {
        const std::size_t start = at_;
        for (int i = 0; i < 3; ++i) {
            const std::size_t digits = skip_while(is_digit, 3);
            if (digits < 1 || digits > 2 || (i < 2 && !skip(":"))) return back_to(start);
        }
        if (peek() == '.' || peek() == ',') {
            ++at_;
            if (skip_while(is_digit) == 0) return back_to(start);
        }
        return true;
    }
    /// `2024-05-06` and the time, with a zone or not.
    bool skip_iso_date() {
        const std::size_t start = at_;
        if (skip_while(is_digit, 5) != 4 || !skip("-") || skip_while(is_digit, 3) != 2 ||
            !skip("-") || skip_while(is_digit, 3) != 2)
            return back_to(start);
        if (!skip("T") && skip_spaces() == 0) return back_to(start);
        if (!skip_time()) return back_to(start);
        if (skip("Z")) return true;
        if (peek() == '+' || peek() == '-') {
            ++at_;
            skip_while([](char c) { return is_digit(c) || c == ':'; }, 6);
        }
        return true;
    }
    /// `May  6 12:34:56`, with the day of the week and the year or without.
    bool skip_date() {
        const std::size_t start = at_;
        static constexpr std::string_view days = "MonTueWedThuFriSatSun";
        static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
        if (skip_name(days)) {
            skip(",");
            if (skip_spaces() == 0) return back_to(start);
        }
        if (!skip_name(months) || skip_spaces() == 0) return back_to(start);
        const std::size_t digits = skip_while(is_digit, 3);
        if (digits < 1 || digits > 2 || skip_spaces() == 0) return back_to(start);
        const std::size_t time = at_;
        if (skip_while(is_digit, 5) != 4 || skip_spaces() == 0) at_ = time;  // no year
        if (!skip_time()) return back_to(start);
        const std::size_t end = at_;
        if (skip_spaces() == 0 || skip_while(is_digit, 5) != 4) at_ = end;
        return true;
    }

private:
    bool back_to(std::size_t at) {
        at_ = at;
        return false;
    }
    bool skip_name(std::string_view all) {
        for (std::size_t i = 0; i < all.size(); i += 3)
            if (skip(all.substr(i, 3))) return true;
        return false;
    }
    std::string_view text_;
    std::size_t at_ = 0;
};

/// `[   12.345678]`, `[+0.004922]`, a date in brackets; `[ T12]` is a caller.
bool skip_stamp(prefix_reader& from) {
    const std::size_t start = from.at();
    if (!from.skip("[")) return false;
    from.skip_spaces();
    if (from.skip_iso_date() || from.skip_date() || from.skip_time()) {
        from.skip_spaces();
        if (from.skip("]")) return true;
        from.go_back(start);
        return false;
    }
    if (!from.skip("+")) from.skip("<");
    from.skip_spaces();
    const bool is_stamp =
        from.skip_while(is_digit) > 0 && from.skip(".") && from.skip_while(is_digit) >= 3;
    if (is_stamp) {
        if (from.peek() == '@' || from.peek() == ',')
            from.skip_while([](char c) { return c != ']'; }, 12);
        from.skip(">");
        if (from.skip("]")) return true;
    }
    from.go_back(start);
    return false;
}

/// `4,1234,12345678,-;`, as /dev/kmsg has it, with `,caller=T12` or not.
bool skip_record(prefix_reader& from, std::string_view& caller) {
    const std::size_t start = from.at();
    for (int i = 0; i < 3; ++i) {
        if (from.skip_while(is_digit, 20) > 0 && from.skip(",")) continue;
        from.go_back(start);
        return false;
    }
    if (!from.skip("-") && !from.skip("c") && !from.skip("+")) {
        from.go_back(start);
        return false;
    }
    if (from.skip(",caller=")) {
        const std::string_view rest = from.rest();
        caller = rest.substr(0, from.skip_while([](char c) { return c != ';'; }, 12));
    }
    if (from.skip(";")) return true;
    from.go_back(start);
    return false;
}

/// `12.345678]`: the rest of a stamp in which a line was broken.
bool skip_end_of_stamp(prefix_reader& from) {
    const std::size_t start = from.at();
    if (from.skip_while(is_digit, 7) > 0 && from.skip(".") && from.skip_while(is_digit, 7) == 6 &&
        from.skip("]"))
        return true;
    from.go_back(start);
    return false;
}

bool skip_caller(prefix_reader& from, std::string_view& caller) {
    const std::size_t start = from.at();
    if (from.skip("[")) {
        from.skip_spaces();
        const std::string_view rest = from.rest();
        if (from.skip("T") || from.skip("C")) {
            const std::size_t digits = from.skip_while(is_digit, 10);
            if (digits > 0 && from.skip("]")) {
                caller = rest.substr(0, digits + 1);
                return true;
            }
        }
    }
    from.go_back(start);
    return false;
}

/// `host kernel:`, after a date.
void skip_host(prefix_reader& from) {
    const std::string_view rest = from.rest().substr(0, 96);
    for (const std::string_view word : {"kernel:", "kernel[0]:"}) {
        const std::size_t found = rest.find(word);
        if (found == std::string_view::npos) continue;
        if (found > 0 && !is_space(rest[found - 1])) continue;
        if (rest.substr(0, found).find_first_of("(){}") != std::string_view::npos) continue;
        from.go_back(from.at() + found + word.size());
        from.skip(" ");
        return;
    }
}

/// `<4>`: the priority of a message.
bool skip_priority(prefix_reader& from) {
    const std::size_t start = from.at();
    if (from.skip("<") && from.skip_while(is_digit, 3) > 0 && from.skip(">")) return true;
    from.go_back(start);
    return false;
}

/// `kern  :warn  :`, as `dmesg -x` has it.
bool skip_facility(prefix_reader& from) {
    const std::size_t start = from.at();
    if (from.skip("kern") && from.skip_spaces() > 0 && from.skip(":") &&
        from.skip_while(is_letter) > 0) {
        from.skip_spaces();
        if (from.skip(":")) return true;
    }
    from.go_back(start);
    return false;
}

bool skip_kernel_word(prefix_reader& from) {
    if (!from.skip("kernel:")) return false;
    from.skip(" ");
    return true;
}

/// Takes all dress off the start of a line. Indentation that is not before dress stays.
std::string_view undressed(std::string_view text, std::string_view& caller) {
    prefix_reader from(text);
    for (;;) {
        const std::size_t start = from.at();
        from.skip_spaces();
        if (from.peek() == '>' || from.rest().starts_with("| ") || from.rest() == "|") {
            from.skip(from.rest().substr(0, 1));
            from.skip(" ");
            continue;
        }
        if (skip_priority(from) || skip_stamp(from) || skip_end_of_stamp(from) ||
            skip_facility(from) || skip_record(from, caller) || skip_caller(from, caller) ||
            skip_kernel_word(from)) {
            from.skip(" ");
            continue;
        }
        if (from.skip_iso_date() || from.skip_date()) {
            if (!from.is_at_end() && !is_space(from.peek()) && from.peek() != ':') {
                from.go_back(start);
                return from.rest();
            }
            from.skip(":");
            from.skip_spaces();
            skip_host(from);
            continue;
        }
        from.go_back(start);
        return from.rest();
    }
}

/// Whether a stamp of dmesg begins here: six digits behind the point, so that no text is taken for
/// one.
bool is_inner_stamp(std::string_view text) {
    std::size_t i = 1;
    while (i < text.size() && i < 20) {
        if (text[i] == ' ')
            ++i;
        else if (text.substr(i, 2) == "\xc2\xa0")
            i += 2;
        else
            break;
    }
    const std::size_t digits = i;
    while (i < text.size() && is_digit(text[i]) && i < 24) ++i;
    if (i == digits || i >= text.size() || text[i] != '.') return false;
    const std::size_t fraction = ++i;
    while (i < text.size() && is_digit(text[i]) && i < fraction + 7) ++i;
    return i == fraction + 6 && i < text.size() && text[i] == ']';
}

std::size_t entity(std::string_view text, char& meaning) {
    static constexpr std::pair<std::string_view, char> all[] = {
        {"&gt;", '>'},    {"&lt;", '<'},    {"&amp;", '&'},  {"&quot;", '"'}, {"&nbsp;", ' '},
        {"&#39;", '\''},  {"&#34;", '"'},   {"&#38;", '&'},  {"&#60;", '<'},  {"&#62;", '>'},
        {"&#x27;", '\''}, {"&apos;", '\''}, {"&#160;", ' '}, {"&#45;", '-'}};
    for (const auto& [name, character] : all) {
        if (!text.starts_with(name)) continue;
        meaning = character;
        return name.size();
    }
    return 0;
}

/// The length of a tag of HTML that bug trackers leave in a text; 0: there is none. `<TASK>` and
/// `<Interrupt>` are no tags.
std::size_t tag(std::string_view text) {
    std::size_t i = 1;
    if (i < text.size() && text[i] == '/') ++i;
    std::string name;
    while (i < text.size() && name.size() < 6 && is_letter(text[i]))
        name += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i++])));
    static constexpr std::string_view all[] = {"br",   "p",  "pre", "div", "span", "tt",
                                               "code", "li", "tr",  "td",  "font"};
    if (std::find(std::begin(all), std::end(all), name) == std::end(all)) return 0;
    if (i < text.size() && text[i] != '>' && text[i] != ' ' && text[i] != '/') return 0;
    const std::size_t close = text.find('>', i);
    return close == std::string_view::npos ? 0 : close + 1;
}

/// Whether a mail is still encoded as quoted-printable: soft line ends, that is `=` at the end.
bool is_quoted_printable(std::string_view text) {
    std::size_t soft = 0;
    for (std::size_t at = text.find("=\n"); at != std::string_view::npos;
         at = text.find("=\n", at + 2))
        if (at > 0 && text[at - 1] != '=' && text[at - 1] != '\n') ++soft;
    return soft >= 2 && (text.find("=3D") != std::string_view::npos ||
                         text.find("=20") != std::string_view::npos);
}

/// Decodes quoted-printable. A soft line end stays a line end of the count: it becomes `\v`.
std::string decoded(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            result += text[i];
        } else if (i + 1 < text.size() && text[i + 1] == '\n') {
            result += '\v';
            ++i;
        } else if (i + 2 < text.size() && is_hex_digit(text[i + 1]) && is_hex_digit(text[i + 2])) {
            result += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            result += '=';
        }
    }
    return result;
}

/// A stretch of the clean text that becomes a line.
struct stretch {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t number = 0;
};

/// Writes the clean text and where its lines are.
class cleaner {
public:
    explicit cleaner(std::string& clean) : clean_(clean) {}

    void take(std::string_view raw, std::size_t number) {
        number_ = number;
        begin_ = clean_.size();
        for (std::size_t i = 0; i < raw.size();) i += take_character(raw, i);
        end_line();
    }
    std::vector<stretch>& all() { return all_; }

private:
    std::size_t take_character(std::string_view raw, std::size_t i) {
        const char c = raw[i];
        if (c == '\r' || c == '\0' || c == '\v') return 1;
        if (c == '^' && raw.substr(i) == "^M") return 2;
        if (c == '&') {
            char meaning = 0;
            if (const std::size_t size = entity(raw.substr(i, 8), meaning)) {
                // An entity may be encoded twice: `&amp;gt;`.
                if (meaning == '&') {
                    const std::string again = "&" + std::string(raw.substr(i + size, 7));
                    char inner = 0;
                    if (const std::size_t inner_size = entity(again, inner); inner_size != 0) {
                        clean_ += inner;
                        return size + inner_size - 1;
                    }
                }
                clean_ += meaning;
                return size;
            }
        }
        if (c == '<') {
            if (const std::size_t size = tag(raw.substr(i, 200))) {
                const bool is_inside = raw.substr(i, 5) == "<span" ||
                                       raw.substr(i, 6) == "</span" ||
                                       raw.substr(i, 5) == "<font" || raw.substr(i, 6) == "</font";
                if (!is_inside) end_line();
                return size;
            }
        }
        if (c == '#' && raw.substr(i, 4) == "#012") {
            end_line();
            return 4;
        }
        if (c == '\x1b' && raw.substr(i, 2) == "\x1b[") {
            std::size_t size = 2;
            while (i + size < raw.size() && size < 16 && !is_letter(raw[i + size])) ++size;
            return size + 1 > raw.size() - i ? raw.size() - i : size + 1;
        }
        if (raw.substr(i, 2) == "\xc2\xa0") {
            clean_ += ' ';
            return 2;
        }
        if (raw.substr(i, 3) == "\xef\xbb\xbf" || raw.substr(i, 3) == "\xe2\x80\x8b") return 3;
        if (c == '[' && clean_.size() > begin_ && is_inner_stamp(raw.substr(i, 60)) && !is_prefix())
            end_line();
        clean_ += c == '\t' ? ' ' : c;
        return 1;
    }
    /// Whether what stands before a stamp is dress as well.
    bool is_prefix() const {
        if (clean_.size() - begin_ > 200) return false;  // no dress is that long
        std::string_view caller;
        return undressed(std::string_view(clean_).substr(begin_), caller)
                   .find_first_not_of(" \t") == std::string_view::npos;
    }
    void end_line() {
        all_.push_back({begin_, clean_.size(), number_});
        begin_ = clean_.size();
    }

    std::string& clean_;
    std::vector<stretch> all_;
    std::size_t begin_ = 0;
    std::size_t number_ = 0;
};

}  // namespace

text_lines::text_lines(std::string text) : raw_(std::move(text)) {
    if (is_quoted_printable(raw_)) raw_ = decoded(raw_);
    clean_.reserve(raw_.size());
    cleaner to(clean_);
    std::vector<std::pair<std::size_t, std::size_t>> raw_lines;
    for (std::size_t at = 0; at < raw_.size();) {
        std::size_t end = raw_.find('\n', at);
        if (end == std::string::npos) end = raw_.size();
        raw_lines.emplace_back(at, end - at);
        const std::string_view raw = std::string_view(raw_).substr(at, end - at);
        to.take(raw, raw_lines.size());
        at = end + 1;
    }
    lines_.reserve(to.all().size());
    std::size_t shown = 1;  // a soft line end of quoted-printable is a line of the file
    std::size_t counted = 0;
    for (const stretch& each : to.all()) {
        for (; counted + 1 < each.number; ++counted) {
            const std::string_view passed =
                std::string_view(raw_).substr(raw_lines[counted].first, raw_lines[counted].second);
            ++shown;
            for (const char c : passed) shown += c == '\v';
        }
        line one;
        const auto& [start, size] = raw_lines[each.number - 1];
        one.raw = std::string_view(raw_).substr(start, size);
        one.number = shown;
        std::string_view clean = std::string_view(clean_).substr(each.begin, each.end - each.begin);
        one.text = undressed(clean, one.caller);
        while (!one.text.empty() && is_space(one.text.back())) one.text.remove_suffix(1);
        // A line was broken in a stamp, behind its bracket.
        if (one.text == "[" || one.text.ends_with(" [")) one.text.remove_suffix(1);
        lines_.push_back(one);
    }
}

}  // namespace wedge::explain
