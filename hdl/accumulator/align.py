from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..bits import shift_right_sticky
from ..formats import Format
from ..fp32 import Fp32
from .term import rounded_layout

#: Bits below the 24 of a significand while two numbers are added: guard, round, sticky.
EXTRA = 3


class Special(data.Struct):
    """What the result is when it is not the rounded sum.

    Members
    -------
    nan, infinity : unsigned(1)
    """

    nan: unsigned(1)
    infinity: unsigned(1)


class Aligned(data.Struct):
    """Two significands at one exponent.

    Members
    -------
    big : unsigned(24)
        Significand of the operand with the larger exponent, the partial sum's if equal.
    small : unsigned(27)
        The other one with three extra bits below, the last one sticky. It exceeds the big one
        only when these are zero.
    exponent : unsigned(8)
        Biased exponent of the top bits, at least 1.
    sign : unsigned(1)
        Sign of the big operand, or of the infinite one.
    subtract : unsigned(1)
    special : Special
    """

    big: unsigned(24)
    small: unsigned(24 + EXTRA)
    exponent: unsigned(8)
    sign: unsigned(1)
    subtract: unsigned(1)
    special: Special


class Align(wiring.Component):
    """First stage of the addition: exponents compared, the smaller operand shifted right.

    Latency ``1 + format.fabric.cut`` cycles.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    term : In(rounded_layout(format))
    partial : In(Fp32)
    aligned : Out(Aligned)
    """

    def __init__(self, format: Format):
        self._fabric = format.fabric
        super().__init__(
            {"term": In(rounded_layout(format)), "partial": In(Fp32), "aligned": Out(Aligned)}
        )

    def elaborate(self, platform):
        m = Module()
        term, partial = self.term, self.partial
        normal, special = partial.exponent.any(), partial.exponent.all()
        partial_infinity = special & ~partial.fraction.any()
        partial_nan = special & partial.fraction.any()
        partial_significand = Cat(partial.fraction, normal)
        partial_exponent = partial.exponent | ~normal
        term_significand = Cat(Const(0, 24 - len(term.significand)), term.significand)

        difference = Signal(signed(10))
        m.d.comb += difference.eq(partial_exponent - term.exponent)
        term_big = difference[-1]
        # ~difference is one less than the distance of a smaller partial sum, which therefore
        # starts out one bit lower.
        distance = difference[:-1] ^ term_big.replicate(9)
        small = Mux(term_big, partial_significand, term_significand << 1)
        subtract = term.sign ^ partial.sign
        early = Signal(Aligned)
        m.d.comb += [
            early.big.eq(Mux(term_big, term_significand, partial_significand)),
            early.exponent.eq(Mux(term_big, term.exponent, partial_exponent)),
            early.sign.eq(
                Mux(partial_infinity | ~(term.infinity | term_big), partial.sign, term.sign)
            ),
            early.subtract.eq(subtract),
            early.special.nan.eq(
                term.nan | partial_nan | (term.infinity & partial_infinity & subtract)
            ),
            early.special.infinity.eq(term.infinity | partial_infinity),
        ]

        # The stage is cut here.
        early = self._fabric.halves(m, early, "early")
        small = self._fabric.halves(m, small, "small")
        distance = self._fabric.halves(m, distance, "distance")
        shifted, sticky = shift_right_sticky(
            m, Cat(Const(0, EXTRA - 2), small), distance[:5], distance[5:].any()
        )
        aligned = Signal(Aligned, reset_less=True)
        m.d.sync += [aligned.eq(early), aligned.small.eq(Cat(sticky, shifted))]
        m.d.comb += self.aligned.eq(aligned)
        return m
