// Random scenarios: small ones, of few objects and several sorts of statements, so that tasks meet.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oracle {

/// The sorts of statements that a scenario may have.
inline constexpr std::array<std::string_view, 24> feature_names = {
    "locks",     "readers",    "try",         "timed",      "choose", "counters",
    "loops",     "conditions", "completions", "semaphores", "fences", "joins",
    "works",     "handlers",   "masks",       "ww",         "memory", "assert",
    "sequences", "queues",     "references",  "delays",     "nmi",    "processors"};
enum class feature : std::uint8_t {
    locks,
    readers,
    tried,
    timed,
    choose,
    counters,
    loops,
    conditions,
    completions,
    semaphores,
    fences,
    joins,
    works,
    handlers,
    masks,
    ww,
    memory,
    asserts,
    sequences,
    queues,
    references,
    delays,
    nmi,
    processors,
};

/// Makes the text of one scenario.
///
/// @tparam Random  has `below(n)`, from 0 to n - 1: a generator, or the bytes of a fuzz input
template <class Random>
class generator {
public:
    /// @param allowed  a bit for each feature
    /// @param always  the features that each scenario has
    generator(Random& random, std::uint32_t allowed, std::uint32_t always = 0)
        : random_(random), uses_(always) {
        // Few features at a time, or nothing ever meets.
        for (unsigned tries = 1 + below(7); tries != 0; --tries) {
            const std::uint32_t bit = 1U << below(feature_names.size());
            if ((allowed & bit) != 0) uses_ |= bit;
        }
        if ((allowed & 1U) != 0) uses_ |= 1U;
        constexpr std::uint32_t counters = 1U << static_cast<unsigned>(feature::counters);
        if (has(feature::conditions) || has(feature::loops)) uses_ |= allowed & counters;
        if (has(feature::queues) || has(feature::asserts) || has(feature::processors))
            uses_ |= counters;  // they test them
    }

    std::string scenario() {
        declare_objects();
        const unsigned threads = below(3) == 0 ? 3 : 2;
        const bool is_twin = threads == 2 && below(6) == 0;
        for (unsigned i = 0; i < threads; ++i) thread_names_.push_back("t" + std::to_string(i));
        for (unsigned i = 0; i < threads; ++i) {
            thread_ = i;
            body("thread t" + std::to_string(i) + (is_twin && i == 0 ? " x2" : "") +
                     (has(feature::processors) ? processor(!is_twin || i != 0) : ""),
                 4);
        }
        thread_ = threads;
        if (has(feature::references)) body(below(2) == 0 ? "refcount o" : "refcount o = 2", 2);
        if (has(feature::works)) body("work w", 3);
        if (has(feature::delays)) {
            constexpr const char* items[] = {"delayed_work p", "timer p", "timer p", "irq_work p"};
            body(items[item_], 3);
        }
        if (has(feature::handlers)) {
            body(below(2) == 0 ? "handler h hardirq threaded" : "handler h softirq", 2);
            if (below(4) == 0)
                body(below(2) == 0 ? "handler g hardirq threaded" : "handler g softirq", 2);
        }
        if (has(feature::nmi)) body("handler e nmi", 2);
        if (has(feature::memory)) {
            constexpr const char* needs[] = {"", "", " needs fs", " needs io"};
            if (below(4) != 0) body(std::string("shrinker s") + needs[below(4)], 2);
            if (below(6) == 0) body(std::string("shrinker v") + needs[below(4)], 2);
            if (below(3) == 0) body("notifier n", 2);
        }
        return text_;
    }

private:
    unsigned below(std::size_t n) {
        return static_cast<unsigned>(random_.below(static_cast<std::uint32_t>(n)));
    }
    bool has(feature which) const { return (uses_ >> static_cast<unsigned>(which) & 1U) != 0; }

    struct lock {
        std::string name;
        bool has_readers = false;
        bool is_fair = false;  ///< an rwsem
        bool is_ww = false;
    };

    void declare_objects() {
        const unsigned count = 1 + below(2);
        constexpr const char* kinds[] = {"mutex", "spinlock", "recursive_mutex", "rtmutex"};
        constexpr const char* shared[] = {"rwsem", "rwsem", "rwlock", "qrwlock"};
        // The language refuses some kinds beside processors.
        const bool is_shared = has(feature::processors);
        const bool must_sleep = is_shared && has(feature::conditions);
        for (unsigned i = 0; i < count; ++i) {
            lock made{std::string(1, static_cast<char>('a' + i))};
            made.has_readers = has(feature::readers) && below(3) != 0;
            std::string kind = made.has_readers ? shared[below(4)] : kinds[below(4)];
            if (must_sleep) kind = made.has_readers ? "rwsem" : "mutex";
            if (is_shared && kind == "rtmutex") kind = "spinlock";
            made.is_fair = kind == "rwsem";
            line("lock " + made.name + " " + kind);
            locks_.push_back(made);
        }
        if (has(feature::readers) && below(8) == 0) {
            line(below(2) == 0 ? "lock m map" : "lock m srcu");
            has_map_ = true;
        }
        if (has(feature::ww)) line("lock r ww_mutex x2");
        if (has(feature::memory)) declare_memory();
        if (has(feature::conditions)) line("condition c");
        if (has(feature::completions)) line("completion d");
        if (has(feature::semaphores)) line("semaphore s = " + std::to_string(below(2)));
        if (has(feature::fences)) line("fence f");
        item_ = below(4);
        if (is_shared && (item_ == 1 || item_ == 2)) item_ = 3;  // no timer
        if (has(feature::sequences)) line(below(2) == 0 ? "lock z seqcount" : "lock z seqlock");
        if (has(feature::queues)) line("wait_queue q");
        if (has(feature::counters)) {
            line("counter k = 0");
            line(std::string("counter j = 0") + (below(4) == 0 ? " local" : ""));
        }
    }

    /// The processor of a thread, and a priority that no other thread has.
    std::string processor(bool is_single) {
        if (below(6) == 0) return "";
        std::string text = below(8) == 0 ? " cpu 1" : " cpu 0";
        if (is_single && below(2) == 0)
            text += " fifo " + std::to_string(3 * (1 + below(3)) + thread_);
        return text;
    }

    void declare_memory() {
        const unsigned pages = 2 + below(3);
        const unsigned min = below(4) == 0 ? 1 + below(2) : 0;
        const unsigned low = std::min(pages, min + (below(2) == 0 ? 0 : below(3)));
        const unsigned high = std::min(pages, low + below(2));
        line("memory " + std::to_string(pages) + " pages " +
             (min == 0 ? "" : "min " + std::to_string(min) + " ") + "low " + std::to_string(low) +
             " high " + std::to_string(high));
    }

    void line(const std::string& text) { text_ += std::string(depth_ * 4, ' ') + text + "\n"; }

    /// A block behind `head`.
    template <class Inner>
    void braces(const std::string& head, Inner inner) {
        line(head + " {");
        ++depth_;
        inner();
        --depth_;
        line("}");
    }
    void body(const std::string& head, unsigned most) {
        held_.clear();
        loops_ = 0;
        is_in_notifier_ = head.starts_with("notifier");
        is_in_hook_ = is_in_notifier_ || head.starts_with("shrinker");
        left_ = most + 2;
        braces(head, [&] { statements(1 + below(most)); });
    }
    void statements(unsigned count) {
        for (unsigned i = 0; i < count && left_ > 0; ++i) statement();
    }
    /// A block in a branch: nothing, or a little.
    void branch(const std::string& head) {
        braces(head, [&] {
            if (depth_ < 5) statements(below(3));
        });
    }
    /// `else` behind a branch.
    void otherwise(bool always) {
        if (!always && below(2) == 0) return;
        text_.pop_back();
        text_ += " else {\n";
        ++depth_;
        if (depth_ < 5) statements(below(2));
        --depth_;
        line("}");
    }

    /// A section of a lock; in one of ten the lock is not released.
    void section() {
        if (has_map_ && below(6) == 0) {
            if (below(3) == 0) return line("sync m");
            line("read m");
            statements(below(2));
            return line("unlock m");
        }
        unsigned which = below(locks_.size());
        if (std::count(held_.begin(), held_.end(), locks_[which].name) != 0 && below(8) != 0)
            which = (which + 1) % static_cast<unsigned>(locks_.size());
        if (std::count(held_.begin(), held_.end(), locks_[which].name) != 0 && below(4) != 0)
            return line("yield");
        const lock& l = locks_[which];
        const bool is_read = l.has_readers && below(2) == 0;
        const std::string what = (is_read ? "read " : "lock ") + l.name;
        const unsigned how = below(6);
        held_.push_back(l.name);
        if (how < 2 && has(feature::tried)) {
            if (below(3) == 0) {
                line("try " + what);
                inside(l, is_read);
            } else {
                braces("try " + what, [&] { inside(l, is_read); });
                held_.pop_back();
                otherwise(false);
                return;
            }
        } else if (how == 2 && has(feature::timed)) {
            braces(what + " timed", [&] { inside(l, is_read); });
            held_.pop_back();
            otherwise(false);
            return;
        } else {
            line(what + (is_read && below(4) == 0 ? " recursive" : ""));
            inside(l, is_read);
        }
        held_.pop_back();
    }
    void inside(const lock& l, bool is_read) {
        if (depth_ < 5) statements(below(3));
        if (!is_read && l.is_fair && below(4) == 0) {
            line("downgrade " + l.name);
            if (depth_ < 5) statements(below(2));
        }
        if (below(40) != 0) line("unlock " + l.name);
    }

    std::string number() { return std::to_string(below(2)); }
    std::string counter() { return below(3) == 0 ? "j" : "k"; }
    std::string test() {
        constexpr const char* signs[] = {" == ", " == ", " != ", " < ", " > "};
        return counter() + signs[below(5)] + (below(6) == 0 ? counter() : number());
    }
    void count() {
        switch (below(6)) {
            case 0: return line("add " + counter() + (below(3) == 0 ? " -1" : " 1"));
            case 1: {
                branch("if " + test());
                return otherwise(false);
            }
            default: return line("set " + counter() + " = " + number());
        }
    }
    void loop() {
        const unsigned which = below(8);
        if (which == 0 && loops_ > 0) return line("break");
        if (which == 1) return line("yield");
        if (which == 2) return line("progress");
        if (which == 3) return line(below(3) == 0 ? "return" : "yield");
        ++loops_;
        if (which == 4 || !has(feature::counters))
            branch("repeat 2");
        else if (which == 5)
            line("until " + test());
        else
            branch("while " + test());
        --loops_;
    }
    void condition() {
        if (below(2) == 0) return line(below(3) == 0 ? "notify c all" : "notify c");
        const std::string l = held_.empty() ? locks_[0].name : held_[below(held_.size())];
        const bool is_held = !held_.empty();
        if (!is_held) line("lock " + l);
        const bool is_timed = has(feature::timed) && below(2) == 0;
        const auto wait = [&] {
            if (is_timed)
                braces("wait c " + l + " timeout", [&] {
                    if (has(feature::counters) && below(2) == 0) line("set k = 1");
                });
            else
                line("wait c " + l);
        };
        if (below(2) == 0 && has(feature::counters))
            braces("while " + test(), wait);
        else
            wait();
        if (!is_held) line("unlock " + l);
    }
    /// A wait that a signal may end.
    bool is_interrupted() { return below(6) == 0; }
    void wait_for(const std::string& object) {
        if (object == "d" && is_interrupted()) return branch("wait d interrupted");
        if (has(feature::timed) && below(2) == 0)
            branch("wait " + object + " timeout");
        else
            line("wait " + object);
    }
    void wait_queue() {
        if (below(2) == 0) return line(below(3) == 0 ? "wake q all" : "wake q");
        const bool is_exclusive = below(2) == 0;
        const std::string what = is_exclusive ? "wait q exclusive until " : "wait q until ";
        if (is_interrupted()) return branch(what + test() + " interrupted");
        if (has(feature::timed) && !is_exclusive && below(2) == 0)
            return branch(what + test() + " timeout");
        line(what + test());
    }
    void refer() {
        switch (below(5)) {
            case 0: return line("get o");
            case 1: {
                branch("try get o");
                return otherwise(false);
            }
            case 2:
                line("try get o");
                if (depth_ < 5) statements(below(2));
                [[fallthrough]];
            default: return line("put o");
        }
    }
    void delay() {
        constexpr const char* whats[3][5] = {
            {"queue p", "queue p", "flush p", "cancel p", "drop p"},
            {"arm p", "arm p", "arm p", "cancel p", "drop p"},
            {"queue p", "queue p", "queue p", "flush p", "flush p"}};
        line(whats[item_ == 0 ? 0 : item_ == 3 ? 2 : 1][below(5)]);
    }
    void sequence() {
        if (below(2) == 0) return branch("read z");
        line("lock z");
        if (depth_ < 5) statements(below(3));
        if (below(40) != 0) line("unlock z");
    }
    void wound_wait() {
        const auto object = [&] { return "r[" + std::to_string(below(2)) + "]"; };
        if (below(5) == 0) {
            const std::string r = object();
            line("lock " + r);
            if (depth_ < 5) statements(below(2));
            return line("unlock " + r);
        }
        const unsigned first = below(2);
        braces("transaction x", [&] {
            line("lock r[" + std::to_string(first) + "] with x");
            if (depth_ < 5) statements(below(2));
            if (below(4) != 0) line("lock r[" + std::to_string(1 - first) + "] with x");
            if (depth_ < 5 && below(3) == 0) statements(1);
        });
    }
    void mask() {
        if (below(5) == 0) return branch(below(2) == 0 ? "hardirq threaded" : "softirq");
        constexpr const char* masks[] = {"bh", "irq", "irq", "preempt"};
        const std::string what = masks[below(4)];
        const unsigned nested = 1 + (below(3) == 0 ? 1U : 0U);
        for (unsigned i = 0; i < nested; ++i) line(what + " off");
        if (depth_ < 5) statements(1 + below(2));
        for (unsigned i = 0; i < nested; ++i) {
            if (below(10) != 0) line(what + " on");
            if (i == 0 && nested == 2 && depth_ < 5) statements(1);
        }
    }
    /// Polls, and keeps others from the processor.
    void contend() {
        switch (below(5)) {
            case 0: return line("until " + test());
            case 1: return line("set k = " + number());
            case 2:
                line("preempt off");
                if (below(3) == 0) {
                    line("preempt off");
                    line("preempt on");
                }
                if (depth_ < 5) statements(1 + below(2));
                if (below(10) != 0) line("preempt on");
                return;
            case 3: return section();
            default: return line("yield");
        }
    }
    void allocate() {
        constexpr const char* flags[] = {
            "GFP_KERNEL", "GFP_KERNEL",         "GFP_NOFS",          "GFP_NOIO",       "GFP_NOWAIT",
            "GFP_ATOMIC", "GFP_KERNEL|NORETRY", "GFP_KERNEL|NOFAIL", "GFP_NOFS|NOFAIL"};
        if (is_in_hook_ && below(2) == 0) return line("free 1");
        switch (below(8)) {
            case 0:
            case 1: return line("free " + std::to_string(1 + below(2)));
            case 2: return line("reclaim");
            case 3: return line(is_in_notifier_ ? "free 1" : "invalidate");
            case 4: {
                constexpr const char* scopes[] = {"scope nofs", "scope noio", "scope noreclaim"};
                return branch(scopes[below(3)]);
            }
            default: {
                const std::string what =
                    "alloc " + std::to_string(1 + below(2)) + " " + flags[below(9)];
                if (below(2) == 0) return line(what);
                branch(what + " else");
            }
        }
    }

    void statement() {
        --left_;
        for (unsigned tries = 0; tries < 64; ++tries) {
            const auto which = static_cast<feature>(below(feature_names.size() + 4));
            if (static_cast<unsigned>(which) >= feature_names.size()) {
                if (!has(feature::locks)) continue;
                return section();
            }
            if (!has(which)) continue;
            switch (which) {
                case feature::locks:
                case feature::readers:
                case feature::tried:
                case feature::timed: return section();
                case feature::choose: {
                    branch("choose");
                    text_.pop_back();
                    text_ += " or {\n";
                    ++depth_;
                    if (depth_ < 5) statements(below(2));
                    --depth_;
                    return line("}");
                }
                case feature::counters: return count();
                case feature::loops: return loop();
                case feature::conditions: return condition();
                case feature::completions:
                    if (below(5) < 3) return line(below(2) == 0 ? "complete d all" : "complete d");
                    return wait_for("d");
                case feature::semaphores: return line(below(5) < 3 ? "up s" : "down s");
                case feature::fences:
                    if (below(5) < 3) return line("signal f");
                    return wait_for("f");
                case feature::joins:
                    if (below(2) == 0) return line("yield");
                    return line("join " + thread_names_[(thread_ + 1) % thread_names_.size()]);
                case feature::works: {
                    constexpr const char* whats[] = {"queue w", "queue w", "flush w", "cancel w"};
                    return line(whats[below(4)]);
                }
                case feature::processors: return contend();
                case feature::nmi:
                case feature::handlers: return line("yield");
                case feature::masks: return mask();
                case feature::ww: return wound_wait();
                case feature::memory: return allocate();
                case feature::sequences: return sequence();
                case feature::queues: return wait_queue();
                case feature::references: return refer();
                case feature::delays: return delay();
                case feature::asserts: return line("assert " + test());
            }
        }
    }

    Random& random_;
    std::uint32_t uses_ = 0;
    std::string text_;
    unsigned depth_ = 0;
    std::vector<lock> locks_;
    std::vector<std::string> held_;
    std::vector<std::string> thread_names_;
    std::size_t thread_ = 0;
    unsigned loops_ = 0, left_ = 0, item_ = 0;
    bool has_map_ = false, is_in_hook_ = false, is_in_notifier_ = false;
};

}  // namespace oracle
