from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..bits import leading_zeros, named, shift_left
from ..fabric import Fabric
from .add import Exact
from .align import EXTRA, Special


class Normalized(data.Struct):
    """A sum with its leading one at the top, unless subnormal.

    Members
    -------
    fraction : unsigned(23)
        Below the leading one, or all of a subnormal.
    half, rest : unsigned(1)
        The bit below the significand, and whether anything is below that.
    exponent : unsigned(8)
        Biased; 0 for zero and subnormals.
    sign : unsigned(1)
    special : Special
    """

    fraction: unsigned(23)
    half: unsigned(1)
    rest: unsigned(1)
    exponent: unsigned(8)
    sign: unsigned(1)
    special: Special


class Normalize(wiring.Component):
    """Third stage: the leading one brought to the top. Latency ``1 + fabric.cut`` cycles.

    Parameters
    ----------
    fabric : Fabric
    """

    exact: In(Exact)
    normalized: Out(Normalized)

    def __init__(self, fabric: Fabric):
        self._fabric = fabric
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        exact = self.exact
        # The carry is bit 0 of the count. A leading one where the exponent would be 0 ends it.
        last = len(exact.magnitude) - 1
        least = Cat(exact.room == last - bit for bit in range(last + 1))
        shift = named(m, "shift", leading_zeros(exact.magnitude | least))

        # The stage is cut here.
        exact = self._fabric.halves(m, exact, "exact")
        shift = self._fabric.halves(m, shift, "shift")
        shifted = shift_left(m, exact.magnitude, shift, exact.inverted)
        exponent = Signal(9)
        m.d.comb += exponent.eq((exact.exponent + 1 - shift) & shifted[-1].replicate(9))
        normalized = Signal(Normalized, reset_less=True)
        m.d.sync += [
            normalized.fraction.eq(shifted[EXTRA + 1 : -1]),
            normalized.half.eq(shifted[EXTRA]),
            normalized.rest.eq(shifted[:EXTRA].any()),
            normalized.exponent.eq(exponent),
            normalized.sign.eq(exact.sign),
            normalized.special.nan.eq(exact.special.nan),
            normalized.special.infinity.eq(exact.special.infinity | exponent[:8].all()),
        ]
        m.d.comb += self.normalized.eq(normalized)
        return m
