from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..bits import increment
from ..fp32 import INFINITY, QUIET_NAN, Fp32
from .normalize import Normalized


class Pack(wiring.Component):
    """Fourth stage: round to nearest even and pack. Latency 1 cycle."""

    normalized: In(Normalized)
    total: Out(Fp32)

    def elaborate(self, platform):
        m = Module()
        normalized = self.normalized
        fraction = normalized.fraction
        round_up = normalized.half & (normalized.rest | fraction[0])
        # A carry out of the fraction moves on to the exponent, up to infinity.
        rounded = increment(m, Cat(fraction, normalized.exponent), round_up)
        total = Signal(Fp32, reset_less=True)
        with m.If(normalized.special.nan):
            m.d.sync += total.eq(QUIET_NAN)
        with m.Elif(normalized.special.infinity):
            m.d.sync += total.eq(Cat(Const(INFINITY, 31), normalized.sign))
        with m.Else():
            m.d.sync += total.eq(Cat(rounded[:31], normalized.sign))
        m.d.comb += self.total.eq(total)
        return m
