"""schema.py WEDGE ROOT: the JSON of the commands follows docs/wedge.schema.json."""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("skipped: no python3-jsonschema")
    sys.exit(77)

wedge, root = sys.argv[1], pathlib.Path(sys.argv[2])
check = jsonschema.Draft202012Validator(json.loads((root / "docs/wedge.schema.json").read_text()))
designs = root / "corpora/scenarios"


def objects(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


with tempfile.TemporaryDirectory() as out:
    commands = [
        ["check", "--json", "--out", out, str(designs / "abba.wedge"), str(designs / "gate_lock.wedge")],
        ["explore", "--json", "--out", out, str(designs / "abba.wedge")],
        ["hunt", "--json", "--seconds", "2", "--out", out, str(designs / "abba.wedge")],
        ["explain", "--json", str(root / "corpora/explain_text/kswapd_one_line")],
    ]
    seen = []
    for command in commands:
        ran = subprocess.run([wedge, *command], capture_output=True, text=True, check=False)
        assert ran.returncode in (0, 1), ran.stderr
        found = objects(ran.stdout)
        assert found, f"{command[0]} prints no JSON"
        assert all(each["command"] == command[0] for each in found), found
        seen += found
    records = sorted(pathlib.Path(out).glob("*.finding.json"))
    assert records, "no record of a finding"
    for record in records:
        seen += objects(record.read_text())
    schedules = sorted(pathlib.Path(out).glob("*.schedule"))
    ran = subprocess.run([wedge, "replay", "--json", schedules[0]], capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    seen += objects(ran.stdout)
    steps = [f["timeline"]["steps"] for each in seen for f in each.get("findings", []) if "timeline" in f]
    assert any(steps), "no record has the steps of its schedule"
    for each in seen:
        check.validate(each)

    # SARIF and the trace, as far as their readers insist on.
    for name in ("x.sarif", "x.trace.json", "x.xml", "x.html"):
        subprocess.run([wedge, "report", out, "-o", f"{out}/{name}"], check=True, capture_output=True)
    sarif = json.loads(pathlib.Path(out, "x.sarif").read_text())
    assert sarif["version"] == "2.1.0"
    rules = {rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]}
    results = sarif["runs"][0]["results"]
    assert results
    for result in results:
        assert result["ruleId"] in rules
        assert result["partialFingerprints"]["signature/v1"]
        for location in result["locations"]:
            assert location["physicalLocation"]["region"]["startLine"] > 0
    flows = [r["codeFlows"][0]["threadFlows"] for r in results if "codeFlows" in r]
    assert any(len(threads) == 2 for threads in flows), "no thread flow per task"
    assert json.loads(pathlib.Path(out, "x.trace.json").read_text())["traceEvents"]
print(f"{len(seen)} objects are valid")
