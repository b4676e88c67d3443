// The keys of chains, and the events that a sink does not need because of them.
#include "wedge/core/chain_key.hpp"

#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/contexts.hpp"
#include "wedge/core/rng.hpp"
#include "wedge/core/steps.hpp"

namespace {

using wedge::chain_key;
using wedge::evidence;
using wedge::flags;
using wedge::held_lock;
using wedge::mode;

void hold(const chain_key& key, wedge::task& self, held_lock next) {
    next.chain = key.of(self, next);
    self.held.push(next);
}

struct counting final : wedge::sink {
    counting() : sink(wedge::reader::order, &chains) {}
    void on(wedge::task& self, const wedge::event& step) noexcept override {
        if (step.kind == wedge::event_kind::attempt) {
            ++attempts;
            chains.known.insert(self.chain);
        }
        if (step.kind == wedge::event_kind::released) ++releases;
    }
    wedge::validated_chains chains{chain_key(evidence::classes), {}};
    int attempts = 0;
    int releases = 0;
};

}  // namespace

TEST_CASE("chain key: everything that a verdict depends on changes the key") {
    const held_lock plain{.class_id = 2, .instance = 7};
    std::vector<held_lock> others(7, plain);
    others[0].class_id = 3;
    others[1].how = mode::shared;
    others[2].with = flags::tried;
    others[3].subclass = 1;
    others[4].allows = wedge::wait_type::spin;
    others[5].context = 1;
    others[6].with = flags::nest;
    others[6].payload = 9;
    for (const evidence kept : {evidence::classes, evidence::exact}) {
        const chain_key key(kept);
        std::set<std::uint64_t> keys;
        wedge::task self;
        hold(key, self, {.class_id = 1, .instance = 1});
        keys.insert(key.of(self, plain));
        for (const held_lock& other : others) CHECK(keys.insert(key.of(self, other)).second);
        self.contexts.irqs_are_off = true;
        CHECK(keys.insert(key.of(self, plain)).second);
        self.contexts.irqs_are_off = false;
        self.contexts.bh_depth = 1;
        CHECK(keys.insert(key.of(self, plain)).second);
        self.contexts.bh_depth = 0;
        CHECK_FALSE(keys.insert(key.of(self, plain)).second);
    }
}

TEST_CASE("chain key: instances matter with exact evidence, and within one class") {
    for (const evidence kept : {evidence::classes, evidence::exact}) {
        const chain_key key(kept);
        wedge::task self;
        hold(key, self, {.class_id = 1, .instance = 1});
        const auto of = [&](std::uint32_t class_id, std::uint32_t instance) {
            return key.of(self, {.class_id = class_id, .instance = instance});
        };
        CHECK((of(2, 5) == of(2, 6)) == (kept == evidence::classes));
        CHECK(of(1, 5) != of(1, 6));
        CHECK(of(65, 5) != of(1, 5));  // shares a counter of `held_locks` with class 1
    }
}

TEST_CASE(
    "chain key: the plain way and the general one agree, and a hold that went leaves no trace") {
    evidence kept{};
    SUBCASE("classes") {
        kept = evidence::classes;
    }
    SUBCASE("exact") {
        kept = evidence::exact;
    }
    const chain_key key(kept);
    wedge::rng random(1);
    int plain = 0;
    for (int round = 0; round < 2000; ++round) {
        wedge::task self;
        wedge::task without;
        const std::uint32_t depth = random.below(6);
        const std::uint32_t dropped = random.below(depth + 1);
        for (std::uint32_t i = 0; i < depth; ++i) {
            held_lock next{.class_id = 1 + random.below(8), .instance = random.below(100)};
            if (random.below(3) == 0) next.how = mode::shared;
            hold(key, self, next);
            if (i != dropped) hold(key, without, next);
        }
        if (dropped < depth) {
            key.rebuild(self, dropped, &self.held[dropped]);
            self.held.erase(&self.held[dropped]);
        }
        const held_lock next{.class_id = 1 + random.below(8), .instance = random.below(100)};
        REQUIRE(key.of(self, next) == key.of(without, next));
        const bool is_exact = kept == evidence::exact;
        if (is_exact ? !key.is_plain_and_exact(self, next) : !key.is_plain(self, next)) continue;
        ++plain;
        REQUIRE((is_exact ? key.of_exact(self, next) : chain_key::of_plain(self, next)) ==
                key.of(self, next));
    }
    CHECK(plain > 500);
}

TEST_CASE("held locks: may_hold_class is never false for a held class") {
    wedge::rng random(2);
    wedge::held_locks held;
    for (int step = 0; step < 3000; ++step) {
        if (held.empty() || random.below(2) == 0)
            held.push({.class_id = random.below(200), .instance = random.below(9)});
        else if (random.below(3) == 0)
            held.pop();
        else
            held.erase(&held[random.below(static_cast<std::uint32_t>(held.size()))]);
        for (const held_lock& each : held) REQUIRE(held.may_hold_class(each.class_id));
        if (held.size() > 40) held.clear();
    }
    held.clear();
    for (std::uint32_t id = 0; id < 200; ++id) CHECK_FALSE(held.may_hold_class(id));
}

TEST_CASE(
    "steps: a sink hears once of a chain, and of releases that are out of order or not plain") {
    counting heard;
    wedge::task self;
    self.sink = &heard;
    wedge::lock_identity a(wedge::lock_kind::mutex, wedge::lock_class("steps a"));
    wedge::lock_identity b(wedge::lock_kind::mutex, wedge::lock_class("steps b"));
    const auto take = [&](wedge::lock_identity& lock, flags with = flags::none) {
        wedge::detail::attempt(self, lock, {.with = with});
        wedge::detail::acquired(self, lock, {.with = with});
    };
    const auto drop = [&](wedge::lock_identity& lock) {
        wedge::detail::released(self, lock, mode::exclusive, {});
    };
    for (int i = 0; i < 3; ++i) {
        take(a);
        take(b);
        drop(b);
        drop(a);
    }
    CHECK(heard.attempts == 2);
    CHECK(heard.releases == 0);
    take(a);
    take(b);
    drop(a);
    CHECK(heard.releases == 1);
    drop(b);
    take(a);
    take(b, flags::nest);
    drop(b);
    CHECK(heard.attempts == 3);
    CHECK(heard.releases == 2);
    drop(a);
    drop(a);
    CHECK(heard.releases == 3);
    CHECK(self.held.empty());
}
