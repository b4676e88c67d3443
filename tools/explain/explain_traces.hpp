// What `wedge explain` does with traces.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "explain/evidence.hpp"

namespace wedge::explain {

/// What the command line says about traces.
struct traces_call {
    std::vector<std::string> files;  ///< `-` is the standard input
    std::string input;               ///< what was read of that already, to its end; else empty
    evidence_options what;
    bool is_compare = false;  ///< of two files: the old one, then the new one
    bool as_json = false;
    std::string dot;  ///< becomes the digraph, if it is wanted
    bool wants_dot = false;
};

/// Returns whether a file begins like a trace. Pipes do not count: they cannot be read twice.
bool is_trace_file(const std::string& file);

/// Reads the traces, prints what they show, and draws `call.dot`.
///
/// @return 0: nothing is wrong; 1: there are findings
/// @throws trace_error  a file cannot be read or is no trace, or a name is unknown
int explain_traces(traces_call& call, std::FILE* out);

}  // namespace wedge::explain
