// Traces of locks: what a kernel saw, not what it complained about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "explain/lock_graph.hpp"
#include "explain/report.hpp"

namespace wedge::explain {

/// A lock that tasks waited for.
struct contended_lock {
    std::string name;            ///< of the class, or its address and kind
    std::uint64_t waits = 0;     ///< how often a task waited
    std::uint64_t total_ns = 0;  ///< of all waits that ended
    std::uint64_t longest_ns = 0;
    std::vector<std::string> at;  ///< functions that waited, if the trace has them
};

/// What traces have shown. Several may be read into one.
struct observations {
    lock_graph order;
    std::vector<contended_lock> contended;
    std::vector<report> hangs;       ///< tasks that wait for each other when a trace ends
    std::vector<std::string> notes;  ///< what a reader should know of the traces, in sentences
    std::uint64_t events = 0;        ///< of locks
    std::uint64_t chains = 0;        ///< of `lockdep_chains`
    bool has_modes = false;          ///< the traces tell readers from writers
};

/// Input that is no trace, or an option that does not fit it.
class trace_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The kinds of traces.
enum class trace_kind : std::uint8_t { none, lockdep, chains, lock_stat, events, steps };

/// Tells the kind of a trace by its first lines. `none`: it is no trace, a report perhaps.
trace_kind kind_of_trace(std::string_view beginning);

/// Reads the lines of one trace. It keeps what the graph needs and no line.
class trace_reader {
public:
    trace_reader() = default;
    trace_reader(const trace_reader&) = delete;
    trace_reader& operator=(const trace_reader&) = delete;
    virtual ~trace_reader() = default;

    virtual void take(std::string_view line) = 0;
    /// Ends the trace. Nothing follows.
    virtual void finish() = 0;
};

/// `/proc/lockdep` and `/proc/lockdep_chains`.
std::unique_ptr<trace_reader> lockdep_reader(observations& into, std::string file);
std::unique_ptr<trace_reader> chains_reader(observations& into, std::string file);
/// `/proc/lock_stat`.
std::unique_ptr<trace_reader> lock_stat_reader(observations& into);
/// Events `lock:*` of ftrace, trace-cmd and perf.
std::unique_ptr<trace_reader> event_reader(observations& into);
/// Traces of `wedge run --record` and `stress --record` (docs/traces.md).
std::unique_ptr<trace_reader> step_reader(observations& into, std::string file);

/// Reads a trace to its end. Its memory does not grow with the length of the trace: lines are at
/// most 64 KiB, what stands behind that is left out.
///
/// @param name  of the file, for messages
/// @throws trace_error  it is no trace
void read_trace(std::istream& in, const std::string& name, observations& into);

/// Whether a name is of a lock that nobody can hold for writing, as `rcu_read_lock`.
bool is_only_read(std::string_view name);
/// Whether a name stands for no lock: a section or a wait that lockdep treats as one.
bool is_annotation(std::string_view name);

/// Marks the names that events give to several classes: events print no `#2`, and a dump that was
/// read as well shows that there is such a class.
void mark_shared_names(observations& seen);

}  // namespace wedge::explain
