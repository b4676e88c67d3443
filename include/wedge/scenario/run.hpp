// A scenario as something to explore: its threads, its kswapd, its shrinkers.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "wedge/base/hash.hpp"
#include "wedge/explore/subject.hpp"
#include "wedge/model/prime.hpp"
#include "wedge/scenario/interpreter.hpp"
#include "wedge/scenario/print.hpp"

namespace wedge::scenario {

/// The word by which a schedule names a scenario's file: its path, without blanks.
inline std::string schedule_word(const std::string& path) {
    std::string word;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte != 0x7f && c != '%') {
            word += c;
        } else {
            word += '%';
            word += "0123456789abcdef"[byte >> 4];
            word += "0123456789abcdef"[byte & 15];
        }
    }
    return word;
}

/// The path that `schedule_word` was made of.
inline std::string path_of_word(const std::string& word) {
    const auto digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    std::string path;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] == '%' && i + 2 < word.size() && digit(word[i + 1]) >= 0 &&
            digit(word[i + 2]) >= 0) {
            path += static_cast<char>(digit(word[i + 1]) * 16 + digit(word[i + 2]));
            i += 2;
        } else {
            path += word[i];
        }
    }
    return path;
}

/// What a scenario does, in a number: comments and blanks do not count.
inline std::uint64_t fingerprint_of(const document& all) {
    return hash_text(essence_of(all));
}

namespace detail {

inline bool uses_self(const block& in) {
    for (const statement& each : in.body) {
        if (each.on.indexed == reference::index_sort::self ||
            each.other.indexed == reference::index_sort::self)
            return true;
        for (const block& inner : each.blocks)
            if (uses_self(inner)) return true;
    }
    return false;
}

}  // namespace detail

/// All that runs in a scenario. Its state is made anew for every execution.
class scenario_subject final : public subject {
public:
    /// @param all  checked (`parse`); must outlive the subject
    /// @param walk  null: everything really happens
    explicit scenario_subject(const document& all, walk_guide* walk = nullptr)
        : all_(all), interpreter_(all, world_, first_copy_, walk) {
        for (const declaration& each : all.all) {
            if (each.what == declares::memory) zone_at_ = &each;
            if (each.what != declares::thread) continue;
            first_copy_[each.name] = static_cast<std::uint32_t>(threads_.size());
            for (std::uint32_t copy = 0; copy < each.count; ++copy)
                threads_.push_back({&each, copy});
        }
        for (const declaration& each : all.all)
            if (each.what == declares::shrinker)
                shrinkers_.push_back(std::make_unique<cache>(*this, each));
    }

    std::uint32_t tasks() const override {
        return static_cast<std::uint32_t>(threads_.size()) + (has_kswapd() ? 1 : 0);
    }
    std::string task_name(std::uint32_t number) const override {
        if (number >= threads_.size()) return "kswapd";
        const thread_of& mine = threads_[number];
        if (mine.copy == 0) return mine.what->name;
        return mine.what->name + "#" + std::to_string(mine.copy + 1);
    }

    void begin() override {
        world_.begin(all_);
        for (const std::unique_ptr<cache>& each : shrinkers_) world_.zone().add(*each);
        actors_.assign(tasks(), {});
        for (std::size_t i = 0; i < threads_.size(); ++i) actors_[i].copy = threads_[i].copy;
        running_ = threads_.size();
        state_orders();
    }

    void run(std::uint32_t number) override {
        if (number >= threads_.size()) return run_kswapd();
        interpreter_.run(*threads_[number].what, actors_[number]);
        // kswapd serves the threads; when none is left it is told to go.
        if (running_.fetch_sub(1, std::memory_order_relaxed) == 1 && has_kswapd())
            world_.zone().stop_kswapd(interpreter_.at(*threads_[number].what));
    }

    void check() override {}
    void end() override { world_.end(); }
    schedule blank() const override {
        return {schedule_word(all_.path), fingerprint_of(all_), {}, {}, {}};
    }

    /// One run of the order pass: a block alone, and for a shrinker the flags of its reclaimer.
    struct walk_visit {
        const declaration* what = nullptr;
        std::uint32_t copy = 0;
        std::uint32_t ordinal = 0;
        gfp reclaimer = gfp::none;
    };

    /// Every thread once (every copy, if it matters which), then every shrinker once for each
    /// mask under which it may run.
    std::vector<walk_visit> visits() const {
        std::vector<walk_visit> all;
        for (std::uint32_t i = 0; i < threads_.size(); ++i) {
            const thread_of& each = threads_[i];
            if (each.copy == 0 || detail::uses_self(each.what->body))
                all.push_back({each.what, each.copy, i, gfp::none});
        }
        std::uint32_t ordinal = tasks();
        for (const std::unique_ptr<cache>& each : shrinkers_) {
            for (const gfp flags : {gfp_kernel, gfp_nofs, gfp_noio})
                if (each->may_run(flags)) all.push_back({&each->what(), 0, ordinal, flags});
            ++ordinal;
        }
        return all;
    }

    /// Makes one visit, in the current task.
    void walk(const walk_visit& visit) {
        actor who;
        who.copy = visit.copy;
        if (visit.reclaimer == gfp::none) return interpreter_.run(*visit.what, who);
        const reclaim_order::section inside(world_.order(), visit.reclaimer,
                                            interpreter_.at(*visit.what));
        interpreter_.run(*visit.what, who);
    }

    /// The locks of the scenario by their ordinals, as reports name them: `resv[1]`.
    std::map<std::uint32_t, std::string> lock_titles() const {
        std::map<std::uint32_t, std::string> titles;
        std::uint32_t ordinal = 0;  // locks are made first, in the order of the file
        for (const declaration& each : all_.all) {
            if (each.what != declares::lock) continue;
            for (std::uint32_t i = 0; i < each.count; ++i)
                titles[++ordinal] =
                    each.count == 1 ? each.name : each.name + "[" + std::to_string(i) + "]";
        }
        return titles;
    }

private:
    struct thread_of {
        const declaration* what;
        std::uint32_t copy;
    };

    class cache final : public shrinker {
    public:
        cache(scenario_subject& of, const declaration& what) : of_(of), what_(what) {}
        const declaration& what() const noexcept { return what_; }

        bool may_run(gfp effective) const override {
            return what_.needs == needs::nothing ||
                   has(effective, what_.needs == needs::fs ? gfp::fs : gfp::io);
        }
        void scan() override { of_.interpreter_.run(what_, of_.actors_[current().ordinal]); }

    private:
        scenario_subject& of_;
        const declaration& what_;
    };

    bool has_kswapd() const noexcept { return zone_at_ != nullptr; }

    void run_kswapd() {
        const site where = interpreter_.at(*zone_at_);
        while (world_.zone().wait_for_kswapd_wake(where)) world_.zone().balance(where);
    }

    void state_orders() {
        const name_table names(all_);
        for (const declaration& each : all_.all) {
            if (each.what != declares::order) continue;
            std::vector<primed_lock> order;
            for (const reference& next : each.chain) {
                const declaration* const lock = names.object(next.name);
                order.push_back({lock == nullptr ? detail::interned(next.name)
                                                 : detail::interned(detail::class_text(*lock))});
            }
            prime(order, interpreter_.at(each));
        }
    }

    const document& all_;
    const declaration* zone_at_ = nullptr;
    std::vector<thread_of> threads_;
    std::map<std::string, std::uint32_t> first_copy_;
    std::vector<std::unique_ptr<cache>> shrinkers_;
    world world_;
    interpreter interpreter_;
    std::vector<actor> actors_;  // by task
    std::atomic<std::size_t> running_{0};
};

}  // namespace wedge::scenario
