"""``m2xfp build`` up to Amaranth's plan: nothing is placed here."""

import re

import pytest

from synth.board import build as building
from synth.board import command
from synth.board.boards import BOARDS
from synth.yosys import SynthesisError
from tests.golden.commands import assert_refused, m2xfp


def built(folder, board, fmax):
    cells = BOARDS[board].cells
    return building.Built(folder / "m2xfp.bin", {cells: (4836, 5280)}, fmax)


@pytest.mark.parametrize(
    ("board", "family", "pins"),
    [
        ("ulx3s-85f", "synth_ecp5", {"rx": "M1", "tx": "L4"}),
        ("icebreaker", "synth_ice40", {"rx": "6", "tx": "9"}),
    ],
)
def test_plan(board, family, pins, monkeypatch):
    """The netlist goes through the tools of PyPI, with the UART and the clock on their pins."""
    plans = []
    monkeypatch.setattr(
        command, "build", lambda b, top, folder: plans.append(building.plan(b, top)) or stop()
    )

    def stop():
        raise SynthesisError("enough")

    assert m2xfp("build", board) == (1, "", "m2xfp: error: enough\n")
    files = {
        name: text if isinstance(text, str) else text.decode()
        for name, text in plans[0].files.items()
    }
    assert family in files["m2xfp.ys"]
    constraints = files.get("m2xfp.pcf") or files["m2xfp.lpf"]
    found = re.findall(r'(?:COMP|set_io) "?uart_0__([rt]x)__io"? (?:SITE )?"?(\w+)', constraints)
    assert dict(found) == pins


@pytest.mark.parametrize(("fmax", "status", "verdict"), [(24.3, 0, "PASS"), (11.9, 1, "FAIL")])
def test_verdict(tmp_path, monkeypatch, fmax, status, verdict):
    monkeypatch.setattr(command, "build", lambda *_: built(tmp_path, "icebreaker", fmax))
    assert m2xfp("build", "icebreaker") == (
        status,
        "board      icebreaker\n"
        "core       nvfp4, columns 1, rows 2, buffer groups 16\n"
        "LUTs       4836 of 5280 ICESTORM_LC\n"
        f"Fmax       {fmax} MHz\n"
        f"timing     {verdict} at 12 MHz\n"
        f"bitstream  {tmp_path / 'm2xfp.bin'}\n",
        "",
    )


def test_failed_build_leaves_what_was_there(tmp_path, monkeypatch):
    target = tmp_path / "out"
    target.mkdir()
    (target / "m2xfp.bin").write_text("old")

    def execute(steps, folder):
        (folder / "m2xfp.bin").write_text("new")
        raise SynthesisError("Build failed: ERROR: no")

    monkeypatch.setattr(building, "plan", lambda board, top: None)
    monkeypatch.setattr(building, "_execute", execute)
    status, out, err = m2xfp("build", "icebreaker", "--output", target)
    assert (status, out, err) == (1, "", "m2xfp: error: Build failed: ERROR: no\n")
    assert [path.read_text() for path in tmp_path.rglob("*.bin")] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_reason_of_a_failure():
    log = "Info: \t         ICESTORM_LC:    6083/   5280   115%\n"
    assert building.failure("x\nERROR: y\n", log) == (
        "Circuit does not fit: 6083 of 5280 ICESTORM_LC"
    )
    assert building.failure("x\nERROR: y\nz\n", "SB_IO: 3/ 39 7%") == "Build failed: ERROR: y"
    assert building.failure("", "") == "Build failed: no output"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--columns", 0], "Columns must be a positive integer, not 0"),
        (["--rows", 1], "Rows must be an integer from 2 to 65535, not 1"),
        (["--columns", 64], "Columns must be at most 63 behind a UART, not 64"),
        (["--baud", 0], "Baud rate must be a positive integer, not 0"),
    ],
)
def test_refused(tmp_path, options, message):
    assert_refused(tmp_path, message, "build", "icebreaker", *options)
