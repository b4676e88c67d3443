// Makes a scenario smaller while a test still holds: delta debugging over its parts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/core/remove_runs.hpp"
#include "wedge/scenario/parse.hpp"
#include "wedge/scenario/print.hpp"

namespace wedge::scenario {

namespace detail {

inline void add_blocks(block& of, std::vector<block*>& all) {
    all.push_back(&of);
    for (statement& each : of.body)
        for (block& inner : each.blocks) add_blocks(inner, all);
}
/// Returns all blocks of a scenario, outer blocks first. Places in the list are valid for copies
/// too.
inline std::vector<block*> blocks_of(document& all) {
    std::vector<block*> blocks;
    for (declaration& each : all.all)
        if (has_body(each.what)) add_blocks(each.body, blocks);
    return blocks;
}

/// Replaces a statement by the statements of one of its blocks; without such a block, removes it.
inline void replace_by_block(block& in, std::size_t at, std::size_t which) {
    const auto place_of = [&] { return in.body.begin() + static_cast<std::ptrdiff_t>(at); };
    statement old = std::move(in.body[at]);
    in.body.erase(place_of());
    if (which >= old.blocks.size()) return;
    std::vector<statement>& inner = old.blocks[which].body;
    if (!inner.empty() && inner.front().before.empty()) inner.front().before = old.before;
    in.body.insert(place_of(), std::make_move_iterator(inner.begin()),
                   std::make_move_iterator(inner.end()));
}

inline bool speaks_of(const statement& each, const std::string& name) {
    return each.on.name == name || each.other.name == name || each.ticket.name == name ||
           each.left.counter == name || each.right.counter == name;
}

/// Removes what a block does with an object. Of a statement with branches the first one stays.
inline void erase_uses(block& in, const std::string& name) {
    for (std::size_t i = 0; i < in.body.size();) {
        if (speaks_of(in.body[i], name)) {
            replace_by_block(in, i, 0);
        } else {
            for (block& inner : in.body[i].blocks) erase_uses(inner, name);
            ++i;
        }
    }
}

}  // namespace detail

/// Removes tasks, objects, statements, branches, copies and instances, large parts first, until no
/// part can be removed. Comments go with their statements, except those at the top of the file. The
/// result is equal every time.
template <class Keeps>
class reducer {
public:
    /// @param keeps  (const document&) -> bool; asked only about scenarios that parse
    reducer(document all, Keeps keeps) : best_(std::move(all)), keeps_(std::move(keeps)) {
        top_.swap(best_.all.front().before);
        asked_.insert(hash_text(essence_of(best_)));
    }

    document run() {
        const auto pass = [&] {
            bool is_smaller = remove_declarations();
            is_smaller |= remove_objects();
            is_smaller |= lower_counts();
            is_smaller |= free_processors();
            is_smaller |= remove_statements();
            is_smaller |= remove_pairs();
            is_smaller |= remove_branches();
            is_smaller |= remove_instances();
            return is_smaller;
        };
        while (pass()) {
        }
        std::vector<std::string>& before = best_.all.front().before;
        if (top_.empty()) detail::trim_front(before);
        before.insert(before.begin(), top_.begin(), top_.end());
        return std::move(best_);
    }

private:
    /// Tries a candidate. A candidate that was tried before is not tried again.
    bool attempt(document&& tried) {
        const std::string text = to_string(tried);
        if (!asked_.insert(hash_text(essence_of(tried))).second) return false;
        try {
            static_cast<void>(parse(text, tried.path));
        } catch (const error&) {
            return false;
        }
        if (!keeps_(static_cast<const document&>(tried))) return false;
        best_ = std::move(tried);
        return true;
    }

    /// @param count  the number of parts
    /// @param remove  (document&, first, end)
    template <class Count, class Remove>
    bool remove_runs(Count count, Remove remove) {
        return wedge::remove_runs(count, [&](std::size_t first, std::size_t end) {
            document tried = best_;
            remove(tried, first, end);
            return attempt(std::move(tried));
        });
    }

    /// Removes declarations. Expectations stay: they say what the scenario is about.
    bool remove_declarations() {
        const auto removable = [](const document& in) {
            std::vector<std::size_t> all;
            for (std::size_t i = 0; i < in.all.size(); ++i)
                if (in.all[i].what != declares::expect) all.push_back(i);
            return all;
        };
        return remove_runs(
            [&] { return removable(best_).size(); },
            [&](document& tried, std::size_t first, std::size_t end) {
                const std::vector<std::size_t> all = removable(tried);
                for (std::size_t i = end; i-- > first;)
                    tried.all.erase(tried.all.begin() + static_cast<std::ptrdiff_t>(all[i]));
            });
    }

    /// Removes objects with all their uses: everywhere, then in single tasks.
    bool remove_objects() {
        bool is_smaller = false;
        for (std::size_t i = 0; i < best_.all.size();) {
            const declaration& object = best_.all[i];
            if (has_body(object.what) || object.name.empty()) {
                ++i;
                continue;
            }
            const std::string name = object.name;
            document without = best_;
            without.all.erase(without.all.begin() + static_cast<std::ptrdiff_t>(i));
            for (declaration& each : without.all) forget(each, name);
            std::erase_if(without.all, [](const declaration& each) {
                return each.what == declares::order && each.chain.size() < 2;
            });
            if (attempt(std::move(without))) {
                is_smaller = true;
                continue;
            }
            for (std::size_t task = 0; task < best_.all.size(); ++task) {
                document tried = best_;
                detail::erase_uses(tried.all[task].body, name);
                is_smaller |= attempt(std::move(tried));
            }
            ++i;
        }
        return is_smaller;
    }
    static void forget(declaration& in, const std::string& object) {
        detail::erase_uses(in.body, object);
        std::erase_if(in.chain, [&](const reference& each) { return each.name == object; });
    }

    /// Lowers counts: to one copy of a thread, to half, by one; and by one all equal counts at
    /// once, since a cycle of tasks and locks shrinks as a whole.
    bool lower_counts() {
        bool is_smaller = false;
        for (std::uint32_t many = tasks_max; many > 1; --many) {
            document tried = best_;
            for (declaration& each : tried.all)
                if (each.count == many) --each.count;
            is_smaller |= attempt(std::move(tried));
        }
        for (std::size_t i = 0; i < best_.all.size(); ++i) {
            if (best_.all[i].what != declares::thread) continue;
            for (bool is_lower = true; is_lower;) {
                is_lower = false;
                const std::uint32_t now = best_.all[i].count;
                for (const std::uint32_t fewer : {std::uint32_t{1}, now / 2, now - 1}) {
                    if (fewer == 0 || fewer == now || is_lower) continue;
                    document tried = best_;
                    tried.all[i].count = fewer;
                    is_lower = attempt(std::move(tried));
                }
                is_smaller |= is_lower;
            }
        }
        return is_smaller;
    }

    /// Gives threads processors of their own, or no priority.
    bool free_processors() {
        bool is_smaller = false;
        for (std::size_t i = 0; i < best_.all.size(); ++i) {
            if (!best_.all[i].has_cpu) continue;
            document tried = best_;
            tried.all[i].fifo = 0;
            if (best_.all[i].fifo != 0) is_smaller |= attempt(document(tried));
            tried.all[i].has_cpu = false;
            tried.all[i].cpu = 0;
            is_smaller |= attempt(std::move(tried));
        }
        return is_smaller;
    }

    bool remove_statements() {
        bool is_smaller = false;
        for (std::size_t n = 0; n < detail::blocks_of(best_).size(); ++n)
            is_smaller |=
                remove_runs([&] { return body(best_, n).size(); },
                            [&](document& tried, std::size_t first, std::size_t end) {
                                std::vector<statement>& all = body(tried, n);
                                all.erase(all.begin() + static_cast<std::ptrdiff_t>(first),
                                          all.begin() + static_cast<std::ptrdiff_t>(end));
                            });
        return is_smaller;
    }
    /// Returns a block by its place. A block that was removed with another one has no statements.
    std::vector<statement>& body(document& in, std::size_t block_number) {
        const std::vector<block*> all = detail::blocks_of(in);
        return block_number < all.size() ? all[block_number]->body : gone_;
    }

    /// Removes an acquire together with its release: neither can go alone.
    bool remove_pairs() {
        bool is_smaller = false;
        for (std::size_t n = 0; n < detail::blocks_of(best_).size(); ++n) {
            for (std::size_t i = 0; i < body(best_, n).size();) {
                document tried = best_;
                std::vector<statement>& all = body(tried, n);
                const auto first = all.begin() + static_cast<std::ptrdiff_t>(i);
                const auto last = std::find_if(first, all.end(), [&](const statement& each) {
                    return each.what == action::release && each.on == first->on;
                });
                const bool is_pair = first->what == action::acquire && last != all.end();
                if (is_pair) {
                    all.erase(last);
                    detail::replace_by_block(*detail::blocks_of(tried)[n], i, 0);
                }
                if (is_pair && attempt(std::move(tried)))
                    is_smaller = true;
                else
                    ++i;
            }
        }
        return is_smaller;
    }

    /// Replaces a statement with blocks by the contents of one block, or removes its last block.
    bool remove_branches() {
        bool is_smaller = false;
        for (std::size_t n = 0; n < detail::blocks_of(best_).size(); ++n) {
            for (std::size_t i = 0; i < body(best_, n).size();) {
                const std::size_t blocks = body(best_, n)[i].blocks.size();
                bool is_done = false;
                for (std::size_t which = 0; which <= blocks && blocks > 0 && !is_done; ++which) {
                    document tried = best_;
                    if (which < blocks)
                        detail::replace_by_block(*detail::blocks_of(tried)[n], i, which);
                    else
                        body(tried, n)[i].blocks.pop_back();
                    is_done = attempt(std::move(tried));
                }
                is_smaller |= is_done;
                if (!is_done) ++i;
            }
        }
        return is_smaller;
    }

    /// Removes instances that are never named; those after them move up.
    bool remove_instances() {
        bool is_smaller = false;
        for (std::size_t i = 0; i < best_.all.size(); ++i) {
            if (best_.all[i].what != declares::lock) continue;
            for (std::uint32_t gone = best_.all[i].count; gone-- > 0;) {
                if (best_.all[i].count == 1) break;
                document tried = best_;
                --tried.all[i].count;
                if (close_gap(tried, tried.all[i].name, gone))
                    is_smaller |= attempt(std::move(tried));
            }
        }
        return is_smaller;
    }
    /// @return whether the instance was named nowhere
    static bool close_gap(document& in, const std::string& lock, std::uint32_t gone) {
        bool is_free = true;
        const auto move_up = [&](reference& use) {
            if (use.name != lock || use.indexed == reference::index_sort::self) return;
            is_free = is_free && use.index != gone;
            if (use.index > gone) --use.index;
        };
        for (block* each : detail::blocks_of(in)) {
            for (statement& step : each->body) {
                move_up(step.on);
                move_up(step.other);
            }
        }
        return is_free;
    }

    document best_;
    Keeps keeps_;
    std::vector<std::string> top_;  // comments
    std::set<std::uint64_t> asked_;
    std::vector<statement> gone_;
};

}  // namespace wedge::scenario
