"""Runs a campaign: stimulus, gateware and check in one compiled library, a chunk at a time."""

import ctypes
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from amaranth.lib import wiring

from sim.engines import compiler, netlist

__all__ = ["Campaign", "Tally"]

_HERE = Path(__file__).parent
_CLASSES, _KEPT = 32, 8


class _Report(ctypes.Structure):
    """``Report`` of common.cc."""

    _fields_ = [
        ("cases", ctypes.c_uint64),
        ("wrong", ctypes.c_uint64),
        ("first_wrong", ctypes.c_uint64 * _KEPT),
        ("classes", ctypes.c_uint64 * _CLASSES),
    ]


@dataclass
class Tally:
    """What a campaign has found so far.

    Attributes
    ----------
    cases, wrong : int
    first_wrong : list of int
        Numbers of the first cases that were wrong.
    classes : dict
        Class of input or of result -> cases.
    seconds : float
    """

    cases: int = 0
    wrong: int = 0
    first_wrong: list[int] = field(default_factory=list)
    classes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Campaign:
    """Many cases of one component, made and checked in C++.

    Attributes
    ----------
    name : str
    what : str
        What is compared with what.
    source : str
        C++ file beside this one, which defines ``m2xfp_campaign``.
    component : callable
        Returns a new component.
    classes : tuple of str
        Names of the classes that the C++ counts. A class without a case fails the campaign.
    cases : int
        Cases of the full campaign; case ``n`` depends on its chunk and the seed alone.
    sample : int
        Cases of the short one.
    exhaustive : bool
        Whether ``cases`` is all there are.
    seed : int
    chunk : int
        Cases between two records.
    constants : dict
        Integers that the C++ needs.
    """

    name: str
    what: str
    source: str
    component: Callable[[], wiring.Component]
    classes: tuple[str, ...]
    cases: int
    sample: int
    exhaustive: bool = False
    seed: int = 20261123
    chunk: int = 1_000_000
    constants: Callable[[], dict[str, int]] = dict

    def library(self) -> tuple[Path, str]:
        """Compile the campaign; return the library and its `digest`."""
        verilog = netlist.verilog(self.component(), "top")
        return self.compile(verilog), self._digest(verilog)

    def digest(self) -> str:
        """Return a digest of all that the results depend on: gateware, stimulus and check."""
        return self._digest(netlist.verilog(self.component(), "top"))

    def _digest(self, verilog: str) -> str:
        return hashlib.sha256((verilog + self._code()).encode()).hexdigest()[:16]

    def compile(self, verilog: str) -> Path:
        """Compile the campaign with other Verilog of its component."""
        return compiler.library(verilog, self._code(), "top", share=False)

    def _code(self) -> str:
        values = "".join(f"enum {{ {k} = {v} }};\n" for k, v in self.constants().items())
        return (_HERE / "common.cc").read_text() + values + (_HERE / self.source).read_text()

    def run(self, library: Path, cases: int, tally: Tally) -> Iterator[Tally]:
        """Continue ``tally`` up to a number of cases; yield it after every chunk."""
        function = ctypes.CDLL(str(library)).m2xfp_campaign
        function.argtypes = [*[ctypes.c_uint64] * 3, ctypes.c_void_p]
        function.restype = None
        while tally.cases < cases:
            start = time.monotonic()
            report = _Report()
            count = min(self.chunk - tally.cases % self.chunk, cases - tally.cases)
            function(self.seed, tally.cases, count, ctypes.byref(report))
            tally.first_wrong += list(report.first_wrong[: min(report.wrong, _KEPT)])
            tally.cases += report.cases
            tally.wrong += report.wrong
            for name, seen in zip(self.classes, report.classes, strict=False):
                tally.classes[name] = tally.classes.get(name, 0) + seen
            tally.seconds += time.monotonic() - start
            yield tally
            if tally.wrong:
                return

    def run_all(self, library: Path, cases: int) -> Tally:
        """Run a number of cases from the first on, or up to the first chunk with a wrong one."""
        tally = Tally()
        for _ in self.run(library, cases, tally):
            pass
        return tally

    def missed(self, tally: Tally) -> list[str]:
        """Classes without a case."""
        return [name for name in self.classes if not tally.classes.get(name)]
