// The second meaning of memory: allocations, and the passes of reclaim that they make.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "wedge/verify/state.hpp"

namespace wedge::verify {

/// What a task does with pages. `script::add_zone` has the counters and the roles: what kswapd
/// does, how it is woken, and the passes.
class zone {
public:
    explicit zone(standing& here) : all_(here.program), here_(here) {}

    std::int64_t& hidden(const char* name) {
        const std::size_t which = all_.objects.at(name).first;
        return all_.is_local[which] ? here_.me().locals[which] : here_.now.counters[which];
    }
    bool may_reclaim() { return hidden("pass.in") == 0 && hidden("scope.noreclaim") == 0; }

    void enter_scope(std::size_t at, int by) {
        hidden(("scope." + here_.word_at(at + 1)).c_str()) += by;
    }
    void free_pages(std::size_t at) {
        if (all_.pages >= 0) {
            std::int64_t& free = hidden("zone.free");
            const std::int64_t given = std::min(all_.number(at + 1), all_.pages - free);
            free += given;
            if (given > 0 && hidden("pass.in") != 0) hidden("pass.freed") = 1;
        }
        here_.move(at + 2);
    }
    /// Makes a pass, with the shrinkers that may run for these flags. Then the task is again where
    /// it stands, in the phase `passed`.
    void make_pass(const std::string& flags) {
        const bool has_io = flags != "GFP_NOIO" && hidden("scope.noio") == 0;
        const bool has_fs = has_io && flags != "GFP_NOFS" && hidden("scope.nofs") == 0;
        here_.call(has_fs ? "pass.fs" : has_io ? "pass.io" : "pass.none", here_.me().at);
        here_.me().frames.back().waits = phase::passed;
    }

    /// Returns whether an allocation comes to a visible step: a look at the free pages, or a yield.
    bool alloc_is_visible(std::size_t at) {
        const phase how = here_.me().waits;
        if (all_.pages < 0) return end_alloc(at, true), false;
        if (how != phase::passed) return true;
        const bool never_fails = has_flag(at, "NOFAIL");
        if (std::exchange(hidden("pass.freed"), 0) != 0)
            here_.me().waits =
                has_flag(at, "NORETRY") && !never_fails ? phase::last_look : phase::fresh;
        else if (never_fails)
            here_.me().waits = phase::yields;
        else
            return end_alloc(at, false), false;
        return true;
    }
    /// The statement `reclaim`, which is no step.
    void reclaim(std::size_t at) {
        if (here_.me().waits != phase::passed && may_reclaim()) return make_pass("GFP_KERNEL");
        hidden("pass.freed") = 0;
        here_.move(at + 1);
    }
    void alloc(std::size_t at) {
        std::int64_t& free = hidden("zone.free");
        const std::int64_t wanted = all_.number(at + 1);
        if (here_.me().waits == phase::yields) {
            here_.me().waits = phase::fresh;
        } else if (free - wanted >= all_.min) {
            free -= wanted;
            end_alloc(at, true);
            if (free < all_.low) here_.call("zone.wake", here_.me().at);
        } else if (here_.me().waits == phase::last_look) {
            end_alloc(at, false);
        } else if (is_among(here_.word_at(at + 2), "GFP_KERNEL GFP_NOFS GFP_NOIO") &&
                   may_reclaim()) {
            make_pass(here_.word_at(at + 2));
        } else if (has_flag(at, "NOFAIL")) {
            here_.me().waits = phase::yields;
        } else {
            end_alloc(at, false);
        }
    }
    /// Returns the place behind the flags of an allocation.
    std::size_t behind_flags(std::size_t at) const {
        while (is_among(here_.word_at(at), "| NORETRY RETRY_MAYFAIL NOFAIL NOLOCKDEP")) ++at;
        return at;
    }

private:
    bool has_flag(std::size_t at, const char* flag) const {
        const std::size_t end = behind_flags(at + 3);
        for (std::size_t i = at + 3; i < end; ++i)
            if (all_.is(i, flag)) return true;
        return false;
    }
    void end_alloc(std::size_t at, bool is_given) {
        at = behind_flags(at + 3);
        if (!all_.is(at, "else")) return here_.move(at);
        here_.move(is_given ? all_.words[at + 1].match + 1 : at + 2);
    }

    const script& all_;
    standing& here_;
};

}  // namespace wedge::verify
