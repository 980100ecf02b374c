import json
import re

import pytest

from golden.errors import MismatchError
from hdl import formats
from hdl.units import STUDIED
from synth import baseline, report, study, tools
from tests.golden.commands import m2xfp

RECORDED = {"generic decode m2xfp": {"gates": 100, "FF": 0}}


@pytest.mark.parametrize(
    ("measured", "lines"),
    [
        ({"gates": 101, "FF": 0}, []),
        ({"gates": 99, "FF": 0}, []),
        ({"gates": 102, "FF": 0}, ["gates is 102, recorded 100 (+2.0%)"]),
        ({"gates": 98, "FF": 0}, ["gates is 98, recorded 100 (-2.0%)"]),
        ({"gates": 100, "FF": 1}, ["FF is 1, recorded 0"]),
        ({"gates": 100, "LUT4": 7}, ["LUT4 is 7, not recorded"]),
        ({"gates": 100, "Fmax MHz": 80.0}, []),
    ],
)
def test_drift_beyond_one_percent(measured, lines):
    key = "generic decode m2xfp"
    assert baseline.drift(RECORDED, {key: measured}) == [f"{key}: {line}" for line in lines]


def test_a_unit_that_is_not_recorded_is_drift():
    lines = baseline.drift(RECORDED, {"generic core m2xfp": {"gates": 5}})
    assert lines == ["generic core m2xfp: gates is 5, not recorded"]


def test_the_verdict_names_other_versions():
    recorded = {"tools": {"yosys": "0.60"}, "figures": RECORDED}
    measured = {"generic decode m2xfp": {"gates": 120}}
    with pytest.raises(MismatchError) as failure:
        report.verdict(recorded, measured, {"yosys": "0.70"})
    assert str(failure.value).splitlines() == [
        "Synthesis drifted from the baseline:",
        "  generic decode m2xfp: gates is 120, recorded 100 (+20.0%)",
        "  yosys is 0.70, recorded with 0.60",
    ]


def test_equal_figures_give_equal_text():
    figures = {"b": {"x": 1.00049}, "a": {"y": 2}}
    assert baseline.text({}, figures) == baseline.text({}, dict(reversed(figures.items())))
    assert json.loads(baseline.text({"t": "1"}, figures)) == {
        "tools": {"t": "1"},
        "figures": {"a": {"y": 2}, "b": {"x": 1.0}},
    }


def test_the_command_fails_on_an_edited_baseline(tmp_path, monkeypatch):
    """The whole check on one unit and the real baseline: it passes, and fails once edited."""
    monkeypatch.setattr(study, "jobs", lambda targets: [study.Job("generic", "decode", "m2xfp")])
    monkeypatch.setattr(report, "COLUMNS", ())
    job = study.Job("generic", "decode", "m2xfp")
    figures = dict(job.measure().figures)
    file = tmp_path / "baseline.json"
    file.write_text(baseline.text(tools.versions(["generic"]), {job.key: figures}))
    status, out, _ = m2xfp("report", "--check", "--baseline", file)
    assert (status, out) == (0, "3 figures of 1 netlists hold within 1%\n")

    figures["gates"] = round(figures["gates"] * 0.95)
    file.write_text(baseline.text(tools.versions(["generic"]), {job.key: figures}))
    status, out, err = m2xfp("report", "--check", "--baseline", file)
    assert (status, out) == (1, "")
    assert re.search(r"generic decode m2xfp: gates is \d+, recorded \d+ \(\+\d\.\d%\)", err)


def test_an_unreadable_baseline_is_a_users_mistake(tmp_path):
    file = tmp_path / "baseline.json"
    status, _, err = m2xfp("report", "--check", "--baseline", file)
    assert status == 2
    assert err.startswith(f"m2xfp: error: Cannot read baseline {file}: ")
    file.write_text("{")
    assert m2xfp("report", "--check", "--baseline", file)[0] == 2


def test_the_baseline_knows_every_unit():
    recorded = baseline.load(baseline.FILE)["figures"]
    for target in ("generic", "ice40", "ecp5", "osu018"):
        for unit in STUDIED:
            assert recorded[f"{target} {unit} m2xfp"]
    for target in ("generic", "ecp5", "osu018"):
        for format in formats.names():
            assert recorded[f"{target} column {format}"]
