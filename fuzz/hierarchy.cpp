// Fuzzes the lock hierarchy of a GPU driver under memory pressure: bytes choose the design, the
// program and the schedule. One design alone, from an empty corpus:
//
//     fuzz_hierarchy --design=imap_before_reclaim -max_total_time=60 build/corpus/hierarchy
#include "wedge/fuzz/libfuzzer.hpp"
#include "wedge/model/device.hpp"

// The first byte of an input is the place in this list: new designs go to its end.
WEDGE_FUZZ(wedge::device<wedge::design::upstream>,
           wedge::device<wedge::design::imap_before_reclaim>,
           wedge::device<wedge::design::blocking_shrinker>,
           wedge::device<wedge::design::alloc_under_imap>)
