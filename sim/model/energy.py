"""Energy as ranges: this project's synthesis scaled to a node, and published memory figures.

Sources, whose figures are nowhere else in the project:

- [S] A. Stillmaker and B. Baas, "Scaling equations for the accurate prediction of CMOS device
  performance from 180 nm to 7 nm", Integration 58 (2017), 74-81: the energy polynomials. The
  coefficients were taken from their transcription in nodeScale (UCLA NanoCAD Laboratory).
- [H] M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014: cache
  access of 64 bits at 45 nm and 0.9 V: 8 KB 10 pJ, 32 KB 20 pJ, 1 MB 100 pJ; DRAM 1.3 to 2.6 nJ.
- [O] M. O'Connor et al., "Fine-Grained DRAM", MICRO-50 (2017): an HBM2 access, 3.92 pJ a bit.
"""

from dataclasses import dataclass
from functools import cache

from synth import baseline

__all__ = ["MEMORIES", "NODES", "Events", "Range", "joules", "node_factor", "picojoules"]


@dataclass(frozen=True)
class Range:
    """The least and the most that a quantity may be."""

    low: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float) -> "Range":
        return Range(self.low * factor, self.high * factor)


#: [S]: node and kind of transistor -> coefficients of V squared, V and 1.
_POLYNOMIALS = {
    180: [(0, 24.64, -17.98)],
    45: [(1.018, -0.3107, 0.1539), (1.103, -0.362, 0.2767)],
    32: [(0.8367, -0.4341, 0.1701), (0.9559, -0.7823, 0.471)],
    20: [(0.373, -0.1582, 0.04104), (0.2632, -0.14, 0.06841)],
}

#: Node -> the nodes of [S] whose figures, of both kinds of transistor, bracket it.
NODES = {180: (180,), 45: (45,), 32: (32,), 28: (32, 20), 20: (20,)}

#: Supply in V: osu018's own, and the one all other nodes are taken at.
_SUPPLIES = {180: 1.8}
_SUPPLY = 0.9

#: Off-chip memory -> pJ a bit.
MEMORIES = {"hbm2": Range(3.92, 3.92), "dram": Range(1300 / 64, 2600 / 64)}

#: [H]: pJ a bit of on-chip memories at 45 nm: the columns' own, and the buffers, which lie
#: between 32 KB and 1 MB.
_SMALL, _BUFFER = Range(10 / 64, 10 / 64), Range(20 / 64, 100 / 64)


def _factors(node: int) -> Range:
    volts = _SUPPLIES.get(node, _SUPPLY)
    found = [a * volts**2 + b * volts + c for near in NODES[node] for a, b, c in _POLYNOMIALS[near]]
    return Range(min(found), max(found))


def node_factor(node: int, reference: int) -> Range:
    """Return the energy of an operation at one node in units of that at another."""
    this, other = _factors(node), _factors(reference)
    if node == reference:
        return Range(1, 1)
    return Range(this.low / other.high, this.high / other.low)


@cache
def picojoules(unit: str, format: str) -> float | None:
    """Return the energy a cycle of a unit in osu018, or None if it was not measured.

    Power at the least period times that period: 0.1 transitions a net and cycle.
    """
    figures = baseline.load(baseline.FILE)["figures"].get(f"osu018 {unit} {format}")
    return figures and figures["power mW"] * figures["period ns"]


@dataclass(frozen=True)
class Events:
    """What happens in a layer, as far as it costs energy.

    Attributes
    ----------
    column_cycles : float
        Cycles times columns; columns without work are not switched off.
    decodes : float
        Subgroups of activations that are decoded.
    quantized : float
        Groups of results that the quantization engine makes.
    small, buffer, off_chip : float
        Bits to and from the columns' partial sums, the buffers, and memory.
    """

    column_cycles: float
    decodes: float
    quantized: float
    small: float
    buffer: float
    off_chip: float


def joules(events: Events, format: str, node: int, memory: str) -> dict[str, Range] | None:
    """Return kind of energy -> joules, or None for a format whose column was not measured.

    The engine is M2XFP's for every format: no other is recorded.
    """
    column, decode = picojoules("column", format), picojoules("decode", format)
    engine = picojoules("quantizer", "m2xfp")
    if column is None or decode is None or engine is None:
        return None
    logic, sram = node_factor(node, 180), node_factor(node, 45)
    on_chip = Range(_SMALL.low * sram.low, _SMALL.high * sram.high) * events.small
    on_chip += Range(_BUFFER.low * sram.low, _BUFFER.high * sram.high) * events.buffer
    found = {
        "columns": logic * (column * events.column_cycles),
        "decode": logic * (decode * events.decodes),
        "engine": logic * (engine * events.quantized),
        "on-chip memory": on_chip,
        "off-chip memory": MEMORIES[memory] * events.off_chip,
    }
    return {kind: energy * 1e-12 for kind, energy in found.items()}
