"""FP32 accumulation of exact group sums, bit for bit as format spec section 7."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..formats import Format
from ..fp32 import Fp32
from ..term import term_layout
from .add import Add
from .align import Align
from .normalize import Normalize
from .pack import Pack
from .term import TermRounder

__all__ = ["Fp32Accumulator", "accumulation_latency", "rounding_latency"]


def rounding_latency(format: Format) -> int:
    """Return the cycles from a term to the partial sum it is added to."""
    return 2 * (1 + format.fabric.cut)


def accumulation_latency(format: Format) -> int:
    """Return the cycles from a term to the sum: rounding, alignment, addition, two more stages."""
    return rounding_latency(format) + 4 + 2 * format.fabric.cut


class Fp32Accumulator(wiring.Component):
    """Adds a group's term to an FP32 partial sum, each rounded once (format spec, section 7).

    ``total = RNE_fp32(partial + RNE_fp32(term))``: IEEE 754 with subnormals and infinities.
    Any NaN result is the quiet NaN 0x7FC00000. The term is needed :attr:`partial_delay` cycles
    before the partial sum that it is added to. Throughput is one addition a cycle; no stalls.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    term : In(term_layout(format))
    partial : In(Fp32)
        Partial sum, :attr:`partial_delay` cycles after its term.
    total : Out(Fp32)
        Sum, :attr:`latency` cycles after the term.
    partial_delay : int
    latency : int
    """

    def __init__(self, format: Format):
        self._format = format
        super().__init__({"term": In(term_layout(format)), "partial": In(Fp32), "total": Out(Fp32)})

    @property
    def partial_delay(self) -> int:
        """Cycles from a term to the partial sum it is added to."""
        return rounding_latency(self._format)

    @property
    def latency(self) -> int:
        """Cycles from a term to the sum."""
        return accumulation_latency(self._format)

    def elaborate(self, platform):
        m = Module()
        m.submodules.rounder = rounder = TermRounder(self._format)
        m.submodules.align = align = Align(self._format)
        m.submodules.add = add = Add()
        m.submodules.normalize = normalize = Normalize(self._format.fabric)
        m.submodules.pack = pack = Pack()
        m.d.comb += [
            rounder.term.eq(self.term),
            align.term.eq(rounder.rounded),
            align.partial.eq(self.partial),
            add.aligned.eq(align.aligned),
            normalize.exact.eq(add.exact),
            pack.normalized.eq(normalize.normalized),
            self.total.eq(pack.total),
        ]
        return m
