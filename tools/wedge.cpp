// The wedge command.
//
// ctest: version --version => ^wedge 0\.1\.0\n$
// ctest: list list => circular, recursive
// ctest: list_json list --json => "strategies":.*"findings":.*"events":
// ctest: explore_without_workload exit=2 explore => ^wedge: explore: this program has no workload
// ctest: replay_missing_file exit=2 replay nowhere.schedule => ^wedge: nowhere.schedule: No such file
// ctest: unknown_option exit=2 list --jsn => ^wedge: list: unknown option --jsn \(did you mean --json\?\); see
// ctest: no_command exit=2 => ^wedge: a command is missing \(explore, replay, list\); see
#include "wedge/main/main.hpp"

WEDGE_MAIN()
