// A locking design of your own: what it changes, and what wedge finds in it.
//
//     ./02_own_design explore "device<my_shrinker>" --program "fault | fault(1)"
//     ./02_own_design hunt --seconds 10
//
// The first design saves a lookup: its shrinker waits for an object instead of skipping it. Each
// fault holds its object while it allocates, so two of them hang in reclaim. The second one walks
// mappings as kernels since 5.19 do, and is sound.
//
// ctest: 02_broken when=plain,asan exit=1 explore device<my_shrinker> --program "fault | fault(1)" => confirmed deadlock.*dma_resv.*replay:
// ctest: 02_sound explore device<my_walk> --program "fault | kswapd(1)" => sound.*every schedule was tried
#include "wedge/main.hpp"
#include "wedge/model/device.hpp"

/// As upstream, except for one line: the difference is the bug.
constexpr wedge::locking_design my_shrinker{.expects = wedge::result::deadlock,
                                            .shrinker_lock = wedge::design::how::block};

/// Reclaim only tries the lock of a mapping's tree, and leaves the page alone if it is busy.
constexpr wedge::locking_design my_walk{.rmap_lock = wedge::design::how::try_};

WEDGE_MAIN(wedge::device<my_shrinker>, wedge::device<my_walk>)
