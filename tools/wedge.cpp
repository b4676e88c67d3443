// The wedge command.
//
// ctest: version --version => ^wedge 0\.1\.0\nbuilt by (clang|g\+\+) .*optimised.*, revision [^\n]*\n$
// ctest: list list => gpu_device<upstream>.*circular, recursive.*statements
// ctest: list_json list --json => "strategies":.*"findings":.*"events":.*"statements":
// ctest: hunt hunt --seconds 8 --out found device<upstream> device<imap_before_reclaim> device<blocking_shrinker> device<alloc_under_imap> => imap_before_reclaim>: deadlock.*blocking_shrinker>: deadlock.*alloc_under_imap>: deadlock.*replay: .*upstream>: nothing found.*4 workloads hunted, 4 as expected
// ctest: hunt_unknown exit=2 hunt upstraem => ^wedge: TARGET
// ctest: explore_unknown exit=2 explore nothing => ^wedge: TARGET
// ctest: replay_missing_file exit=2 replay nowhere.schedule => ^wedge: nowhere.schedule: No such file
// ctest: graph_format exit=2 graph a.wedge -o a.jpg => ^wedge: --out: a.jpg: a picture ends in
// ctest: minimize_missing_file exit=2 minimize nowhere.wedge => ^wedge: nowhere.wedge: No such file
// ctest: nightly_help nightly --help =/> default:[^\n]*default:
// ctest: unknown_option exit=2 list --jsn => ^wedge: list: unknown option --jsn \(did you mean --json\?\); see
// ctest: fuzz_word exit=2 fuzz shwo input => ^wedge: WHAT: there is no .shwo.; there is decode, encode, show
// ctest: manual manual --bash => explain\) words=.*complete -o filenames -F _wedge wedge
// ctest: manual_zsh manual --zsh => ^#compdef wedge\n.*--strategy.How to search.*_wedge
// ctest: manual_fish manual --fish => -n .__fish_seen_subcommand_from check. -l out -r -d
// ctest: manual_pages manual --man pages =/> .
// ctest: no_command exit=2 => ^wedge: a command is missing \(hunt, explore, replay, check, verify, minimize, fmt, graph, fuzz, stress, list, explain, run, predict, manual(, nightly, report)?\); see
// ctest: predict_missing_file exit=2 predict nowhere.trace => ^wedge: nowhere.trace: No such file
// ctest: run_no_program exit=2 run => ^wedge: run: a program is missing
#include "wedge/main.hpp"
#include "wedge/model/device_list.hpp"

#include "explain/explain_command.hpp"
#include "manual/manual_command.hpp"
#include "predict/predict_command.hpp"
#include "run/run_command.hpp"

#if defined(WEDGE_NIGHTLY)  // the build has SQLite and toml++
#include "nightly/nightly_command.hpp"
#include "report/report_command.hpp"
#endif

int main(int argc, char** argv) {
    const wedge::subcommand_maker more[] = {
        &wedge::explain::make_explain_command,
        &wedge::run::make_run_command,
        &wedge::predict::make_predict_command,
        &wedge::manual::make_manual_command,
#if defined(WEDGE_NIGHTLY)
        &wedge::nightly::make_nightly_command,
        &wedge::report_files::make_report_command,
#endif
    };
    return wedge::main_of<wedge::device_list>(argc, argv, more);
}
