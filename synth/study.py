"""What the report measures: every unit on every target, each in a process of its own."""

import logging
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from hdl import export, formats
from hdl.units import STUDIED, UNITS, UnitParameters

from . import cache, scaling
from .flows import TARGETS
from .flows.osu018 import RECIPES

__all__ = ["RECIPES_USED", "ROWS", "SEEDS", "Job", "Scaling", "jobs", "measure_all"]

_log = logging.getLogger(__name__)

#: Rows of partial sums of the tiles that are measured: few, for they are flip-flops in gates.
ROWS = 16

#: Placements of the units whose clock frequency is measured.
SEEDS = 5

#: Units that are compared between formats, and the one that is placed.
_COMPARED = ("decode", "subgroup", "column")
_PLACED = ("tile",)

#: Recipes of osu018 that the report tries on all but the smallest unit, from small to fast.
RECIPES_USED = ("compact", "balanced", "quick")


@dataclass(frozen=True)
class Job:
    """One unit on one target."""

    target: str
    unit: str
    format: str
    seeds: int = 0

    @property
    def key(self) -> str:
        """Name of the job's figures in the baseline."""
        return f"{self.target} {self.unit} {self.format}"

    def measure(self):
        """Run the flow and return its result."""
        format = formats.get(self.format, TARGETS[self.target].FABRIC)
        component = UNITS[self.unit](UnitParameters(format, columns=1, rows=ROWS))
        options = {}
        if self.target == "osu018":
            recipes = list(RECIPES) if self.unit == "decode" else list(RECIPES_USED)
            options = {"blocks": self.unit == "column", "recipes": recipes}
        elif self.target != "generic":
            options = {"seeds": self.seeds}
        return cache.remember(
            f"{self} {options} {export.rtlil(component, self.unit)}",
            lambda: TARGETS[self.target].run(component, self.unit, **options),
        )


@dataclass(frozen=True)
class Scaling:
    """A tile of some columns in generic gates, by kind of block."""

    columns: int
    format: str = "m2xfp"

    @property
    def key(self) -> str:
        """Name of the job's figures in the baseline."""
        return f"generic tile {self.format} {self.columns} columns"

    def measure(self) -> "Areas":
        """Map the tile and return the areas of its blocks."""
        rtlil = scaling.tile_rtlil(self.format, self.columns, ROWS)
        return Areas(cache.remember(rtlil, lambda: scaling.tile_areas(rtlil)))


@dataclass(frozen=True)
class Areas:
    """Kind of block -> estimated NAND2 equivalents; ``total`` for the whole."""

    figures: dict[str, float]


def jobs(targets: Iterable[str], *, seeds: int = 0) -> Iterator[Job]:
    """Yield one job a unit and target, for other formats where they are compared."""
    for target in targets:
        for unit in STUDIED:
            for format in formats.names():
                if format == "m2xfp" or (unit in _COMPARED and target != "ice40"):
                    placed = target == "ecp5" and unit in _PLACED and format == "m2xfp"
                    yield Job(target, unit, format, seeds if placed else 0)


def measure_all(work: Iterable[Job | Scaling]) -> dict:
    """Measure on all processors; return job -> result in the order of ``work``."""
    work = list(work)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        # Units are listed from the smallest; the largest should not start last.
        futures = {pool.submit(job.measure): job for job in reversed(work)}
        for number, future in enumerate(as_completed(futures), start=1):
            future.result()
            _log.info("%d of %d: %s", number, len(work), futures[future].key)
        done = {job: future.result() for future, job in futures.items()}
    return {job: done[job] for job in work}
