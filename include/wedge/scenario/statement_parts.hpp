// What statements consist of: each part is parsed and printed here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/scenario/parse_block.hpp"

namespace wedge::scenario::detail {

template <class Enum, class Words>
std::string word_of(Enum value, const Words& words) {
    return std::string(words[static_cast<std::size_t>(value)]);
}
inline std::string text_of(const reference& of) {
    if (of.indexed == reference::index_sort::none) return of.name;
    std::string index = std::to_string(of.index);
    if (of.indexed == reference::index_sort::self) index = of.index == 0 ? "self" : "self+" + index;
    return of.name + "[" + index + "]";
}

namespace parts {

struct block {
    static void parse(block_parser& in, statement& made) { made.blocks.push_back(in.braces()); }
};
/// A block, and possibly a block after `else`.
struct branches {
    static void parse(block_parser& in, statement& made) { in.branches(made); }
};
/// Possibly `branches`.
struct possible_branches {
    static void parse(block_parser& in, statement& made) {
        in.may_follow({"{"});
        if (in.at.is("{")) in.branches(made);
    }
};
/// Blocks with `or` between them.
struct alternatives {
    static void parse(block_parser& in, statement& made) {
        made.blocks.push_back(in.braces());
        while (in.at.continues("or", made.blocks.back().closing)) {
            in.at.expect("or");
            made.blocks.push_back(in.braces());
        }
        in.may_follow({"or"});
    }
};
/// Possibly a block after `else`, and no other.
struct else_block {
    static void parse(block_parser& in, statement& made) {
        in.may_also_follow("else");
        in.else_branch(made);
    }
    static std::string print(const statement& each) {
        return std::string(each.blocks.empty() ? "" : " else");
    }
};

struct pages {
    static void parse(block_parser& in, statement& made) {
        made.number = in.at.number("a number of pages", 0, cursor::number_max);
    }
    static std::string print(const statement& each) { return " " + std::to_string(each.number); }
};
struct times {
    static void parse(block_parser& in, statement& made) {
        made.number = in.at.number("how often", 0, cursor::number_max);
    }
    static std::string print(const statement& each) { return " " + std::to_string(each.number); }
};
struct gfp {
    static void parse(block_parser& in, statement& made) {
        gfp_flags& flags = made.gfp;
        flags.base = static_cast<gfp_base>(in.at.one_of(gfp_words, "GFP flags as GFP_KERNEL"));
        while (in.at.accept("|"))
            flags.modifiers = static_cast<std::uint8_t>(
                flags.modifiers |
                1U << in.at.one_of(gfp_modifier_words,
                                   "NORETRY, RETRY_MAYFAIL, NOFAIL or NOLOCKDEP"));
        in.may_follow({"|"});
    }
    static std::string print(const statement& each) {
        std::string text = " " + word_of(each.gfp.base, gfp_words);
        for (std::size_t i = 0; i < gfp_modifier_words.size(); ++i)
            if ((each.gfp.modifiers >> i & 1U) != 0)
                text += "|" + std::string(gfp_modifier_words[i]);
        return text;
    }
};
struct scope {
    static void parse(block_parser& in, statement& made) {
        made.scopes =
            static_cast<std::uint8_t>(in.at.one_of(scope_words, "'nofs', 'noio' or 'noreclaim'"));
    }
    static std::string print(const statement& each) {
        return " " + word_of(each.scopes, scope_words);
    }
};

struct value {
    static void parse(block_parser& in, statement& made) { made.right = in.value(); }
    static std::string print(const statement& each) { return " " + text_of(each.right); }
};
struct equals_value {
    static void parse(block_parser& in, statement& made) {
        in.at.expect("=");
        made.right = in.value();
    }
    static std::string print(const statement& each) { return " = " + text_of(each.right); }
};
struct test {
    static void parse(block_parser& in, statement& made) {
        made.left = in.value();
        made.compared =
            static_cast<comparison>(in.at.one_of(comparison_words, "'==', '!=', '<' or '>'"));
        made.right = in.value();
    }
    static std::string print(const statement& each) { return " " + text_of_test(each); }
};

struct possibly_all {
    static void parse(block_parser& in, statement& made) {
        made.is_all = in.at.accept("all");
        if (!made.is_all) in.may_follow({"all"});
    }
    static std::string print(const statement& each) {
        return std::string(each.is_all ? " all" : "");
    }
};
struct possibly_threaded {
    static void parse(block_parser& in, statement& made) {
        made.is_threaded = in.at.accept("threaded");
    }
    static std::string print(const statement& each) {
        return std::string(each.is_threaded ? " threaded" : "");
    }
};
struct off_or_on {
    static void parse(block_parser& in, statement& made) {
        made.is_on = in.at.one_of(switch_words, "'off' or 'on'") == 1;
    }
    static std::string print(const statement& each) {
        return " " + word_of(each.is_on, switch_words);
    }
};

/// The name of a ticket, as the object of the statement.
struct ticket {
    static void parse(block_parser& in, statement& made) {
        made.on = in.named("the name of a ticket");
    }
    static std::string print(const statement& each) { return " " + each.on.name; }
};
struct class_of_ticket {
    static void parse(block_parser& in, statement& made) {
        in.may_follow({"class", "wait_die"});
        if (in.at.accept("class")) made.class_name = in.at.name("the name of a class");
        made.is_wait_die = in.at.accept("wait_die");
    }
    static std::string print(const statement& each) {
        return (each.class_name.empty() ? "" : " class " + each.class_name) +
               (each.is_wait_die ? " wait_die" : "");
    }
};
/// `with` a ticket, of an acquire.
struct with_ticket {
    static void parse(block_parser& in, statement& made) {
        made.is_slow = in.at.accept("slow");
        in.at.expect("with");
        made.ticket = in.named("the name of a ticket");
        in.may_follow({});
        if (!made.is_slow) else_block::parse(in, made);
    }
    static std::string print(const statement& each) {
        return (each.is_slow ? " slow with " : " with ") + each.ticket.name +
               else_block::print(each);
    }
};
/// How a lock is taken: with a ticket; or in a mode, inside of another lock, and perhaps not for
/// ever.
struct terms {
    static void parse(block_parser& in, statement& made) {
        if (made.is_read)
            in.may_follow({"recursive", "timed", "nest", "subclass"});
        else
            in.may_follow({"timed", "nest", "subclass", "with"});
        const bool can_have_ticket = !made.is_read && !made.is_tried;
        if (can_have_ticket && (in.at.is("with") || in.at.is("slow")))
            return with_ticket::parse(in, made);
        if (made.is_read) made.is_recursive = in.at.accept("recursive");
        for (;;) {
            if (made.other.name.empty() && in.at.accept("nest")) {
                made.other = in.used("the name of the lock that is held");
            } else if (!made.has_subclass && in.at.accept("subclass")) {
                made.has_subclass = true;
                made.number = in.at.number("a subclass", 0, 255);
            } else {
                break;
            }
        }
        if (!made.is_tried && in.at.accept("timed")) {
            made.is_timed = true;
            in.branches(made);
        } else if (made.is_read && !made.is_tried && in.at.is("{")) {
            made.blocks.push_back(in.braces());
        }
    }
    static std::string print(const statement& each) {
        if (!each.ticket.name.empty()) return with_ticket::print(each);
        std::string text = each.is_recursive ? " recursive" : "";
        if (!each.other.name.empty()) text += " nest " + text_of(each.other);
        if (each.has_subclass) text += " subclass " + std::to_string(each.number);
        return text + (each.is_timed ? " timed" : "");
    }
};
/// What a wait needs beside its object: the lock that is held, or the test that ends it.
struct waited_for {
    static void parse(block_parser& in, statement& made) {
        const token::sort behind = in.at.peek_second().what;
        const bool goes_on = behind == token::sort::word || behind == token::sort::number;
        made.is_exclusive = goes_on && in.at.accept("exclusive");
        made.has_test = made.is_exclusive || (goes_on && in.at.is("until"));
        if (made.has_test) {
            in.at.expect("until");
            test::parse(in, made);
        } else if (in.at.is_name() && !in.at.peek_second().is("{")) {
            made.other = in.used("the name of the lock that is held");
        }
    }
    static std::string print(const statement& each) {
        if (each.has_test)
            return (each.is_exclusive ? " exclusive until" : " until") + test::print(each);
        return each.other.name.empty() ? "" : " " + text_of(each.other);
    }
};
/// Possibly a block that runs if the wait gave up.
struct possible_end {
    static void parse(block_parser& in, statement& made) {
        in.may_follow({"timeout", "interrupted"});
        made.is_timed = in.at.accept("timeout");
        made.is_interruptible = !made.is_timed && in.at.accept("interrupted");
        if (made.is_timed || made.is_interruptible) made.blocks.push_back(in.braces());
    }
    static std::string print(const statement& each) {
        return std::string(each.is_timed           ? " timeout"
                           : each.is_interruptible ? " interrupted"
                                                   : "");
    }
};

}  // namespace parts

/// A part of a statement, behind its words and the name of its object.
struct part {
    void (*parse)(block_parser& in, statement& made) = nullptr;
    /// Returns the part with a blank before it. The printer prints blocks. May be null.
    std::string (*print)(const statement& each) = nullptr;
};

template <class Part>
constexpr part make_part() noexcept {
    if constexpr (requires { &Part::print; })
        return {&Part::parse, &Part::print};
    else
        return {&Part::parse, nullptr};
}
/// The parts of a statement, in the order of its text.
template <class... Parts>
constexpr std::array<part, 3> consists_of{make_part<Parts>()...};

}  // namespace wedge::scenario::detail
