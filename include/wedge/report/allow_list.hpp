// A list of known findings that a program or a nightly run may show: each with its reason, the
// person who answers for it, and the day on which it expires.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/core/finding.hpp"

namespace wedge {

/// One known finding of an allow list.
struct allowed_finding {
    std::string signature;    ///< as reports print it (core/signature.hpp)
    std::string reason;       ///< why the finding is tolerated
    std::string owner;        ///< who answers for the entry
    std::string expires;      ///< the last day on which the entry holds: `2027-03-31`
    std::string workload;     ///< the only workload or scenario, or the end of its path; empty: any
    std::string where;        ///< `FILE:LINE` of its signature
    std::size_t matched = 0;  ///< how many findings it has allowed
};

/// Returns the day of today in UTC: `2026-11-29`. Days compare as texts.
inline std::string today() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32];
    const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
    return {text, length};
}

namespace detail {

/// Returns whether a text is a day of the Gregorian calendar, written `YYYY-MM-DD`.
inline bool is_day(std::string_view text) noexcept {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    const auto number = [&](std::size_t from, std::size_t length) {
        int value = 0;
        for (const char digit : text.substr(from, length)) {
            if (digit < '0' || digit > '9') return -1;
            value = value * 10 + (digit - '0');
        }
        return value;
    };
    const int year = number(0, 4);
    const int month = number(5, 2);
    const int day = number(8, 2);
    if (year < 0 || month < 1 || month > 12 || day < 1) return false;
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return day <= days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

/// Reads the text of an allow list.
class allow_list_reader {
public:
    allow_list_reader(std::string_view text, std::string file)
        : text_(text), file_(std::move(file)) {}

    std::vector<allowed_finding> read() {
        while (!text_.empty()) {
            ++line_;
            const std::size_t length = std::min(text_.find('\n'), text_.size());
            take(text_.substr(0, length));
            text_.remove_prefix(std::min(length + 1, text_.size()));
        }
        finish();
        return std::move(all_);
    }

private:
    static std::string_view trimmed(std::string_view text) noexcept {
        constexpr std::string_view blanks = " \t\r";
        const std::size_t first = text.find_first_not_of(blanks);
        if (first == std::string_view::npos) return {};
        return text.substr(first, text.find_last_not_of(blanks) - first + 1);
    }

    void take(std::string_view line) {
        const std::string_view content = trimmed(line);
        if (content.empty()) return finish();
        if (content.front() == '#') return;
        const std::size_t colon = content.find(':');
        const std::string key(content.substr(0, std::min(colon, content.size())));
        const std::string value(
            colon == std::string_view::npos ? "" : trimmed(content.substr(colon + 1)));
        std::string* const place = place_of(key);
        if (place == nullptr)
            fail(line_,
                 "expected `signature: `, `reason: `, `owner: `, `expires: ` or `workload: `, "
                 "found '" +
                     key + "'");
        if (value.empty()) fail(line_, "'" + key + "' has no value");
        if (!is_open_) first_line_ = line_;
        is_open_ = true;
        if (!place->empty()) fail(line_, "'" + key + "' stands twice in this entry");
        *place = value;
        if (key == "signature") entry_.where = file_ + ":" + std::to_string(line_);
        if (key == "expires" && !is_day(value))
            fail(line_, "expected a day such as 2027-03-31, found '" + value + "'");
    }

    std::string* place_of(std::string_view key) noexcept {
        return key == "signature"  ? &entry_.signature
               : key == "reason"   ? &entry_.reason
               : key == "owner"    ? &entry_.owner
               : key == "expires"  ? &entry_.expires
               : key == "workload" ? &entry_.workload
                                   : nullptr;
    }

    /// Ends the entry at a blank line or at the end of the file.
    void finish() {
        if (!is_open_) return;
        for (const auto& [key, value] :
             {std::pair<const char*, const std::string&>{"signature", entry_.signature},
              {"reason", entry_.reason},
              {"owner", entry_.owner},
              {"expires", entry_.expires}})
            if (value.empty()) fail(first_line_, std::string("this entry has no '") + key + "'");
        for (const allowed_finding& each : all_)
            if (each.signature == entry_.signature && each.workload == entry_.workload)
                fail(first_line_, "this signature is already allowed at " + each.where);
        all_.push_back(std::exchange(entry_, {}));
        is_open_ = false;
    }

    [[noreturn]] void fail(std::size_t line, const std::string& why) const {
        throw error(file_ + ":" + std::to_string(line) + ": " + why);
    }

    std::string_view text_;
    std::string file_;
    std::size_t line_ = 0;
    std::size_t first_line_ = 0;  // of the entry that is being read
    bool is_open_ = false;
    allowed_finding entry_;
    std::vector<allowed_finding> all_;
};

}  // namespace detail

/// The known findings of a program. Findings are compared by signature, so an entry survives other
/// builds, other lines and other schedules. An entry must say why, who and until when.
///
///     wedge::allow_list known(text, "known_findings.txt");   // docs/allow_list.md has the format
///     if (!known.allows(found.signature)) report(found);
///     for (const std::string& each : known.complaints()) print(each);
///
/// An entry that has expired allows nothing. Not for several threads at once.
class allow_list {
public:
    allow_list() = default;
    /// @param file   what messages call the text
    /// @param today  the day on which entries are judged
    /// @throws error  `FILE:LINE: …`: the text is no allow list
    explicit allow_list(std::string_view text, std::string file = "allow list",
                        std::string today = wedge::today())
        : today_(std::move(today)),
          entries_(detail::allow_list_reader(text, std::move(file)).read()) {}

    /// Returns whether an entry that has not expired has this signature, and counts the match.
    ///
    /// @param subject  the workload or scenario of the finding
    bool allows(std::string_view signature, std::string_view subject = {}) {
        bool is_allowed = false;
        for (allowed_finding& each : entries_) {
            if (each.signature != signature) continue;
            if (!is_about(each, subject)) continue;
            ++each.matched;
            is_allowed = is_allowed || !is_expired(each);
        }
        return is_allowed;
    }

    /// Returns whether an entry allows one of the signatures of a finding, and counts the matches
    /// of all of them.
    bool allows_any(std::initializer_list<std::string_view> signatures,
                    std::string_view subject = {}) {
        bool is_allowed = false;
        for (const std::string_view each : signatures)
            is_allowed = allows(each, subject) || is_allowed;
        return is_allowed;
    }

    bool is_expired(const allowed_finding& entry) const { return entry.expires < today_; }
    const std::vector<allowed_finding>& entries() const noexcept { return entries_; }

    /// Returns one line for each entry that has expired or has matched no finding yet. Call it at
    /// the end of a run.
    ///
    /// @param is_whole  false: the run was ended early, so that no entry need have matched
    std::vector<std::string> complaints(bool is_whole = true) const {
        std::vector<std::string> lines;
        for (const allowed_finding& each : entries_) {
            if (is_expired(each))
                lines.push_back(each.where + ": expired on " + each.expires + " (" + each.owner +
                                "): " + each.signature);
            else if (is_whole && each.matched == 0)
                lines.push_back(each.where + ": matched no finding, remove it (" + each.owner +
                                "): " + each.signature);
        }
        return lines;
    }

private:
    /// A file may be named by the end of its path, since commands and nights begin in other
    /// directories.
    static bool is_about(const allowed_finding& entry, std::string_view subject) {
        return entry.workload.empty() || entry.workload == subject ||
               subject.ends_with("/" + entry.workload);
    }

    std::string today_;
    std::vector<allowed_finding> entries_;
};

}  // namespace wedge
