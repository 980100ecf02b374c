"""Placement and routing by nextpnr of PyPI, over several seeds."""

import importlib.metadata
import json
import logging
import os
import re
import statistics
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import wasm
from .yosys import SynthesisError

__all__ = ["Device", "PathPoint", "Placement", "place", "version"]

_log = logging.getLogger(__name__)

#: What mappers append to the name of the signal whose logic they map.
_MAPPED = re.compile(r"_(TRELLIS_|LUT4_|CCU2C_|PFUMX_|L6MUX21_|SB_).*")


@dataclass(frozen=True)
class Device:
    """A device and the wheel that places for it.

    Members
    -------
    name
        As tables show it, speed grade included.
    package
        Import name of the wheel.
    function
        Its entry point.
    arguments
        Device, package and speed for the command line.
    """

    name: str
    package: str
    function: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class PathPoint:
    """One step of a critical path.

    Members
    -------
    signal
        Net; one that the mapper made is named after the signal it was made for.
    delay_ns
        Delay of the cell before the net and of the net.
    sources
        Lines of Python, as ``folder/file.py:line``, of the net or of the signal it is named after.
    """

    signal: str
    delay_ns: float
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Placement:
    """What nextpnr reports over several seeds.

    Members
    -------
    fmax_mhz
        Seed -> highest clock frequency after routing.
    utilization
        Resource -> (used, available), of the seed nearest to the median.
    path
        Critical path of that seed.
    """

    device: str
    fmax_mhz: dict[int, float]
    utilization: dict[str, tuple[int, int]]
    path: tuple[PathPoint, ...]

    @property
    def median_mhz(self) -> float:
        """Median over the seeds."""
        return statistics.median(self.fmax_mhz.values())

    @property
    def figures(self) -> dict[str, float]:
        """Headline figures by column title."""
        values = self.fmax_mhz.values()
        return {"Fmax MHz": self.median_mhz, "min": min(values), "max": max(values)}


def _python_lines(sources: list[str]) -> tuple[str, ...]:
    """Keep the Python lines: ``hdl/dot.py:41`` of a path that ends in that, without columns."""
    lines = []
    for source in sources:
        file, _, position = source.rpartition(":")
        if file.endswith(".py"):
            line = position.split("-")[0].split(".")[0]
            lines.append("/".join(Path(file).parts[-2:]) + ":" + line)
    return tuple(dict.fromkeys(lines))


def _declared(folder: Path) -> dict[str, tuple[str, ...]]:
    """Signal of the placed netlist -> lines of Python it comes from."""
    modules = json.loads((folder / "netlist.json").read_text())["modules"].values()
    return {
        name: _python_lines(net["attributes"]["src"].split("|"))
        for module in modules
        for name, net in module["netnames"].items()
        if "src" in net["attributes"]
    }


def _critical_path(report: dict, declared: dict[str, tuple[str, ...]]) -> tuple[PathPoint, ...]:
    """Points of the worst path between flip-flops; steps within one signal are one point."""
    paths = [
        path["path"]
        for path in report["critical_paths"]
        if path["from"].startswith("posedge") and path["to"].startswith("posedge")
    ]
    worst = max(paths, key=lambda path: sum(step["delay"] for step in path))
    delays = defaultdict(float)
    lines = defaultdict(dict)
    pending = 0.0
    for step in worst:
        pending += step["delay"]
        if step["type"] == "routing":
            signal = _MAPPED.sub("", step["net"])
            base = re.sub(r"\[\d+\]$", "", signal)
            sources = _python_lines(step.get("sources", [])) or declared.get(base, ())
            lines[signal].update(dict.fromkeys(sources))
            delays[signal] += pending
            pending = 0.0
    points = [PathPoint(name, round(ns, 3), tuple(lines[name])) for name, ns in delays.items()]
    return (*points, PathPoint("set-up", round(pending, 3), ()))


def _one(device: Device, folder: Path, seed: int) -> dict:
    report = f"report-{seed}.json"
    options = ["--seed", str(seed), "--report", report, "--log", f"nextpnr-{seed}.log", "--quiet"]
    arguments = [*device.arguments, "--json", "netlist.json", *options]
    process = wasm.run(device.package, device.function, arguments, folder)
    if process.returncode:
        errors = [line for line in process.stderr.splitlines() if line.startswith("ERROR")]
        raise SynthesisError(f"nextpnr failed: {errors[-1] if errors else process.returncode}")
    result = json.loads((folder / report).read_text())
    _log.info("%s, seed %d: %.1f MHz", device.name, seed, _fmax(result))
    return result


def _fmax(report: dict) -> float:
    return min(clock["achieved"] for clock in report["fmax"].values())


def place(device: Device, folder: Path, seeds: int) -> Placement:
    """Place and route ``netlist.json`` in ``folder`` with seeds 1 to ``seeds``.

    Raises
    ------
    SynthesisError
        If nextpnr fails, as when the design does not fit.
    """
    numbers = range(1, seeds + 1)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = list(pool.map(lambda seed: _one(device, folder, seed), numbers))
    fmax = {seed: round(_fmax(report), 2) for seed, report in zip(numbers, reports, strict=True)}
    middle = statistics.median_low(fmax.values())
    report = next(r for r, value in zip(reports, fmax.values(), strict=True) if value == middle)
    utilization = {
        resource: (count["used"], count["available"])
        for resource, count in report["utilization"].items()
        if count["used"]
    }
    path = _critical_path(report, _declared(folder))
    return Placement(device.name, fmax, utilization, path)


def version(device: Device) -> str:
    """Version of the wheel that places for a device."""
    return importlib.metadata.version(device.package)
