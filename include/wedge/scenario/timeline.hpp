// Repeats a schedule and notes what its tasks did.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "wedge/core/timeline.hpp"
#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/search/replay.hpp"

namespace wedge::scenario {

namespace detail {

/// Hears every event of an execution and notes those that a reader of its picture wants to see.
class timeline_listener final : public sink {
public:
    timeline_listener() : sink(reader::trace) {}

    void on(task& self, const event& step) noexcept override {
        const char* const does = word_of(step);
        if (does == nullptr || self.ordinal == no_task) return;
        timeline_step made{place_of(self), does, {}, is_shared(step.how), to_string(step.where)};
        if (row_of(step.kind).carries == payload::task) {
            made.object = "task " + std::to_string(step.payload);
        } else if (step.class_id != 0) {
            made.object = lock_class::from_id(step.class_id).name();
            instances_[made.object][step.instance] = 0;
        }
        uses_.push_back(step.instance);
        made_.steps.push_back(std::move(made));
    }

    /// Returns the timeline. Two locks of one class get numbers.
    timeline take() {
        for (auto& [name, numbers] : instances_) {
            std::size_t number = 0;
            for (auto& [instance, place] : numbers) place = ++number;
        }
        for (std::size_t i = 0; i < made_.steps.size(); ++i) {
            std::string& name = made_.steps[i].object;
            const auto known = instances_.find(name);
            if (known == instances_.end() || known->second.size() < 2) continue;
            name += "[" + std::to_string(known->second.at(uses_[i])) + "]";
        }
        return std::move(made_);
    }

private:
    static const char* word_of(const event& step) noexcept {
        switch (step.kind) {
            case event_kind::attempt: return "wants";
            case event_kind::acquired:
            case event_kind::try_acquired: return "takes";
            case event_kind::failed:
            case event_kind::try_failed: return "misses";
            case event_kind::released: return "releases";
            case event_kind::wait: return "waits";
            case event_kind::wake: return "wakes";
            case event_kind::notify: return "notifies";
            case event_kind::join: return "joins";
            case event_kind::context_enter: return "enters";
            case event_kind::context_leave: return "leaves";
            case event_kind::task_end: return "ends";
            default: return nullptr;
        }
    }

    std::size_t place_of(const task& self) {
        const auto [known, is_new] = places_.emplace(self.ordinal, made_.tasks.size());
        if (is_new) made_.tasks.push_back(self.title());
        return known->second;
    }

    timeline made_;
    std::vector<std::uint32_t> uses_;  // the instance of each step
    std::map<std::uint32_t, std::size_t> places_;
    std::map<std::string, std::map<std::uint32_t, std::size_t>> instances_;
};

}  // namespace detail

/// Repeats an execution and returns what its tasks did. It ends where the program leaves the
/// schedule.
inline timeline timeline_of(subject& what, const schedule& along) {
    detail::timeline_listener heard;
    schedule_replay how(along.decisions, replay_mode::strict);
    controller(what, substrate::automatic, &heard, along.decisions.size() + 1, along.open).run(how);
    return heard.take();
}

}  // namespace wedge::scenario
