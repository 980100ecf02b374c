from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .align import EXTRA, Aligned, Special


class Exact(data.Struct):
    """A sum before normalisation.

    Members
    -------
    magnitude : unsigned(28)
        Carry, 24 bits, guard, round, sticky.
    room : unsigned(5)
        The exponent, or 31 when it is more than any shift.
    exponent : unsigned(8)
        Biased exponent of the bit below the carry.
    sign : unsigned(1)
    inverted : unsigned(1)
        The magnitude is one more: ones follow below it without end.
    special : Special
    """

    magnitude: unsigned(24 + EXTRA + 1)
    room: unsigned(5)
    exponent: unsigned(8)
    sign: unsigned(1)
    inverted: unsigned(1)
    special: Special


class Add(wiring.Component):
    """Second stage: the significands added or subtracted.

    Latency 1 cycle.
    """

    aligned: In(Aligned)
    exact: Out(Exact)

    def elaborate(self, platform):
        m = Module()
        aligned = self.aligned
        subtract = aligned.subtract
        big = Cat(Const(0, EXTRA), aligned.big)
        small = aligned.small ^ subtract.replicate(len(aligned.small))
        total = Signal(len(big) + 1)
        # The carry in comes from a bit below, which makes it one addition of two operands.
        m.d.comb += total.eq((Cat(subtract, big) + Cat(subtract, small)) >> 1)
        carry = total[-1]
        inverted = subtract & ~carry
        # The one that is missing after inversion is for the rounding to add: no bits below are
        # lost in a negative difference.
        magnitude = Signal(len(total))
        m.d.comb += magnitude.eq(Cat(total[:-1] ^ inverted.replicate(len(big)), carry & ~subtract))
        # An exact cancellation and a sum of unlike zeros is +0.
        cancelled = subtract & ~magnitude.any()
        finite = ~aligned.special.infinity
        exact = Signal(Exact, reset_less=True)
        m.d.sync += [
            exact.magnitude.eq(magnitude),
            exact.room.eq(aligned.exponent[:5] | aligned.exponent[5:].any().replicate(5)),
            exact.exponent.eq(aligned.exponent),
            exact.sign.eq(Mux(finite, (aligned.sign ^ inverted) & ~cancelled, aligned.sign)),
            exact.inverted.eq(inverted),
            exact.special.eq(aligned.special),
        ]
        m.d.comb += self.exact.eq(exact)
        return m
