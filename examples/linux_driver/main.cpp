// The driver under the explorer and the fuzzer. docs/linux.md shows what to type.
//
//     ./linux_driver explore copies_late --program "submit(0) | fault | munmap"
//     ./linux_driver hunt --seconds 10
//
// ctest: clean_explored when=plain explore clean --program "submit(0) | reset" => sound.*every schedule was tried
// ctest: copies_late_explored when=plain exit=1 explore copies_late --program "submit(0)" => confirmed deadlock
// ctest: allocates_in_job_explored when=plain exit=1 explore allocates_in_job --program "submit(2)" => confirmed deadlock
// ctest: cancels_under_lock_explored when=plain exit=1 explore cancels_under_lock --program "submit(0) | reset" => confirmed deadlock.*reset_lock
// ctest: copies_late_fuzzed when=plain exit=1 hunt copies_late --seconds 20 => engine +fuzz
// ctest: allocates_in_job_fuzzed when=plain exit=1 hunt allocates_in_job --seconds 20 => engine +fuzz
// ctest: cancels_under_lock_fuzzed when=plain exit=1 hunt cancels_under_lock --seconds 20 => engine +fuzz
#include "wedge/main.hpp"

#include "workload.hpp"

WEDGE_MAIN(clean, copies_late, allocates_in_job, cancels_under_lock)
