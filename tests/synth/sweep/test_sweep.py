import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hdl import formats
from hdl.tile import SystolicTile
from sim import gemm
from sim.cycles import operand_cycles
from synth.sweep import jobs, runners, store
from tests.golden.commands import assert_refused, m2xfp

ROOT = Path(__file__).parents[3]

#: Points that take a second each: two units of no logic and one that has some.
SMALL = """\
jobs = ["synth"]
[parameters]
unit = "decode"
target = "generic"
format = ["mxfp4", "nvfp4", "m2xfp"]
[pareto]
x = "gates"
y = "NAND2 (est.)"
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def records(path):
    text = path.read_text()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_for_every_point_and_a_plot(small, tmp_path):
    status, out, err = m2xfp("sweep", small)
    assert status == 0, err
    lines = records(small.with_suffix(".jsonl"))
    assert {line["parameters"]["format"] for line in lines} == {"mxfp4", "nvfp4", "m2xfp"}
    file = tmp_path / "figures.json"
    for line in lines:
        assert line["status"] == "done"
        format = line["parameters"]["format"]
        m2xfp("synth", "decode", "--target", "generic", "--format", format, "--json", file)
        assert line["figures"] == json.loads(file.read_text())["results"][0]["figures"]
    assert out.splitlines()[:4] == [
        "points  3: 3 run now, 0 failed",
        f"lines   {small.with_suffix('.jsonl')}",
        f"plot    {small.with_suffix('.svg')}",
        "best    2 of 3 in gates and NAND2 (est.):",
    ]
    assert "<svg" in small.with_suffix(".svg").read_text()
    assert err.count(": done") == 3


def test_points_of_the_file_are_not_run_again(small, monkeypatch):
    output = small.with_suffix(".jsonl")
    assert m2xfp("sweep", small)[0] == 0
    whole = output.read_bytes()
    picture = small.with_suffix(".svg").read_bytes()
    monkeypatch.setattr(runners, "local", None)
    status, out, err = m2xfp("sweep", small)
    assert (status, err) == (0, "")
    assert out.startswith("points  3: 0 run now, 0 failed\n")
    assert output.read_bytes() == whole
    assert small.with_suffix(".svg").read_bytes() == picture


def test_half_a_line_is_no_point(small):
    output = small.with_suffix(".jsonl")
    assert m2xfp("sweep", small)[0] == 0
    whole = output.read_bytes()
    kept = whole[: whole.index(b"\n") + 1]
    output.write_bytes(whole[: len(kept) + 40])
    status, out, _ = m2xfp("sweep", small, "--plot", small.with_suffix(".png"))
    assert status == 0
    assert out.startswith("points  3: 2 run now, 0 failed\n")
    assert output.read_bytes().startswith(kept)
    assert sorted(output.read_bytes().splitlines()) == sorted(whole.splitlines())
    assert small.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_an_interrupted_run_is_continued(tmp_path, number, status):
    path = tmp_path / "long.toml"
    path.write_text(SMALL.replace("[pareto]", f"period = {list(range(1, 41))}\n[pareto]"))
    # A shell that starts the tests in the background has them ignore SIGINT.
    code = """\
import signal, sys, golden.cli
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(golden.cli.main())
"""
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(
        [*command, "sweep", str(path), "--jobs", "1"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr.readline().startswith("[1/120] ")
    process.send_signal(number)
    process.communicate()
    assert process.returncode == status
    before = records(path.with_suffix(".jsonl"))
    assert 1 <= len(before) < 120
    assert {line["status"] for line in before} == {"done"}
    path.write_text(SMALL.replace("[pareto]", "period = [1, 2]\n[pareto]"))
    there = [line for line in before if line["parameters"]["period"] in (1, 2)]
    status, out, _ = m2xfp("sweep", path)
    assert status == 0
    assert out.startswith(f"points  6: {6 - len(there)} run now, 0 failed\n")
    assert records(path.with_suffix(".jsonl"))[: len(before)] == before


def test_a_failed_point_does_not_end_the_sweep(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(SMALL.replace('"decode"', '["decode", "quantizer"]').replace('"m2xfp"', ""))
    path.write_text(path.read_text().replace('"mxfp4", ', ""))
    status, out, err = m2xfp("sweep", path)
    assert status == 1
    assert out.startswith("points  2: 2 run now, 1 failed\n")
    lines = {line["parameters"]["unit"]: line for line in records(path.with_suffix(".jsonl"))}
    assert lines["decode"]["status"] == "done"
    assert lines["quantizer"]["status"] == "failed"
    message = lines["quantizer"]["message"]
    assert re.match(r"^\w+Error: Format must be .*nvfp4", message)
    assert message in err
    assert m2xfp("sweep", path)[:2] == (1, out.replace("2 run now", "0 run now"))
    assert len(records(path.with_suffix(".jsonl"))) == 2
    assert m2xfp("sweep", path, "--retry")[:2] == (1, out.replace("2 run now", "1 run now"))
    assert len(records(path.with_suffix(".jsonl"))) == 3


def test_a_process_that_dies_is_a_failed_point(small, monkeypatch):
    dies = "import os, sys; print('out of memory', file=sys.stderr, flush=True); os.abort()"
    monkeypatch.setattr(runners, "_WORKER", [sys.executable, "-c", dies])
    status, out, _ = m2xfp("sweep", small)
    assert status == 1
    assert out.startswith("points  3: 3 run now, 3 failed\n")
    assert "plot" not in out
    messages = {line["message"] for line in records(small.with_suffix(".jsonl"))}
    assert messages == {f"exit status {-signal.SIGABRT}: out of memory"}


def test_folders_of_the_same_name_do_no_harm(small, tmp_path, monkeypatch):
    (tmp_path / "synth").mkdir()
    (tmp_path / "synth" / "__init__.py").write_text("raise SystemExit(7)\n")
    monkeypatch.chdir(tmp_path)
    small.write_text(SMALL.replace('"mxfp4", "nvfp4", "m2xfp"', '"mxfp4"'))
    assert m2xfp("sweep", small)[0] == 0


def test_a_simulated_point():
    values = {"format": "m2xfp", "columns": 2, "rows": 16, "m": 3, "k": 64, "n": 3}
    values |= {"engine": "amaranth", "stall": 0.0, "seed": 1}
    found = jobs.outcome(["gemm"], values)
    assert found["status"] == "done"
    tile = SystolicTile(formats.get("m2xfp"), columns=2, rows=16)
    rate = 3 * 3 * 64 / operand_cycles(tile, 3, 3, 2)
    assert found["figures"]["MAC/cycle"] == round(rate, 3)
    assert found["figures"]["utilization"] == round(rate / 64, 5)


def test_a_wrong_result_is_a_failed_point(monkeypatch):
    untile = gemm.untile
    monkeypatch.setattr(gemm, "untile", lambda results, plan: -untile(results, plan))
    values = {"format": "mxfp4", "columns": 1, "rows": 16, "m": 2, "k": 32, "n": 1}
    values |= {"engine": "amaranth", "stall": 0.0, "seed": 1}
    assert jobs.outcome(["gemm"], values) == {
        "status": "failed",
        "message": "MismatchError: 2 of 2 outputs differ",
    }


def test_two_sweeps_do_not_share_a_file(tmp_path, small):
    output = small.with_suffix(".jsonl")
    with store.opened(output):
        message = f"Cannot write {output}: another sweep is writing it"
        assert_refused(tmp_path, message, "sweep", small)
    assert not output.exists()


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "3",
        "not JSON",
        '{"jobs": ["gemm"], "parameters": {}, "status": "done"}',
        '{"jobs": ["gemm"], "parameters": {}, "status": "lost", "figures": {}}',
    ],
)
def test_another_file_is_refused_and_left_alone(tmp_path, small, line):
    output = small.with_suffix(".jsonl")
    good = json.dumps({"jobs": ["gemm"], "parameters": {}, "status": "done", "figures": {}})
    output.write_text(f"{good}\n{line}\n")
    before = output.read_bytes()
    assert_refused(tmp_path, f"{output}, line 2 must be a point of a sweep", "sweep", small)
    assert output.read_bytes() == before


def test_an_axis_that_no_point_has(small):
    small.write_text(SMALL.replace('x = "gates"', 'x = "LUT4"'))
    status, _, err = m2xfp("sweep", small)
    assert status == 2
    names = "period, activity, placements, columns, rows, gates, FF, NAND2 (est.)"
    line = err.splitlines()[-1]
    assert line.startswith("m2xfp: error: Axis of the plot must be one of ")
    assert line.endswith(", not 'LUT4'")
    assert set(names.split(", ")) == set(line[46 : -len(", not 'LUT4'")].split(", "))
    assert len(records(small.with_suffix(".jsonl"))) == 3


def test_the_documented_example(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "sweep.md").read_text()
    config = (ROOT / "docs" / "sweep.toml").read_text()
    assert config in text
    printed = re.search(r"\$ m2xfp sweep docs/sweep.toml\n(.*?)```", text, re.S).group(1)
    (tmp_path / "docs").mkdir()
    for name in ("sweep.toml", "sweep.jsonl"):
        shutil.copyfile(ROOT / "docs" / name, tmp_path / "docs" / name)
    monkeypatch.chdir(tmp_path)
    assert m2xfp("sweep", "docs/sweep.toml") == (0, printed, "")
    assert sorted(os.listdir("docs")) == ["sweep.jsonl", "sweep.svg", "sweep.toml"]
