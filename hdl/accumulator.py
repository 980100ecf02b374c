from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .bits import leading_zeros, named, shift_right_sticky
from .dot import term_layout
from .formats import Format
from .fp32 import INFINITY, QUIET_NAN, Fp32

#: Bits below the 24 of a significand while two numbers are added: guard, round, sticky.
_EXTRA = 3


class Unpacked(data.Struct):
    """An FP32 value with its hidden bit, or a special value.

    Members
    -------
    significand : unsigned(24)
        Top bit set unless zero or subnormal.
    exponent : unsigned(8)
        Biased; 1 for zero and subnormals, so the value is significand * 2**(exponent - 150).
    sign : unsigned(1)
    infinity, nan : unsigned(1)
    """

    significand: unsigned(24)
    exponent: unsigned(8)
    sign: unsigned(1)
    infinity: unsigned(1)
    nan: unsigned(1)


class TermRounder(wiring.Component):
    """Rounds a group's term to FP32: ``RNE_fp32(significand * 2**(exponent + unit))``.

    The significand has fewer than 24 bits, so only terms below the FP32 normal range round.
    Latency 2 cycles, throughput 1 a cycle; no stalls. Format spec, section 7.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    term : In(term_layout(format))
    rounded : Out(Unpacked)
    """

    latency = 2

    def __init__(self, format: Format):
        self._format = format
        super().__init__({"term": In(term_layout(format)), "rounded": Out(Unpacked)})

    def elaborate(self, platform):
        m = Module()
        bits = self._format.significand_bits - 1
        # A term whose unit is below 2**-149, FP32's least, is brought to that grid here. Units
        # above it are counted from it.
        grid = -149 - self._format.unit_exponent
        exponent = self.term.exponent
        below = exponent < grid
        distance = Signal(range(bits + 2))
        with m.If(exponent < grid - (bits + 1)):
            m.d.comb += distance.eq(bits + 1)
        with m.Elif(below):
            m.d.comb += distance.eq(grid - exponent)

        negative = self.term.significand[-1]
        wide = named(m, "wide", _spread(self.term.significand, distance, bits))
        kept, remainder = wide[bits + 1 :], wide[: bits + 1]
        half, rest = remainder[-1], remainder[:-1].any()
        round_up = half & (rest | kept[0])
        # Negation after rounding adds one unless rounding up took it: ~(x + 1) + 1 == ~x.
        magnitude = Signal(bits, reset_less=True)
        unit = Signal(range(2**self._format.exponent_bits - grid), reset_less=True)
        sign = Signal(reset_less=True)
        nan = Signal(reset_less=True)
        m.d.sync += [
            magnitude.eq((kept ^ negative.replicate(len(kept))) + (negative ^ round_up)),
            unit.eq(Mux(below, 0, exponent - grid)),
            sign.eq(negative),
            nan.eq(self.term.nan),
        ]

        rounded = Signal(Unpacked, reset_less=True)
        zeros = named(m, "zeros", leading_zeros(magnitude))
        shift = Signal(5)
        # To the top of 24 bits, or as far as the least exponent allows.
        to_top = zeros + (24 - bits)
        normal = unit >= to_top
        biased = (unit - to_top + 1).as_unsigned()
        m.d.comb += shift.eq(Mux(normal, to_top, unit))
        m.d.sync += [
            rounded.significand.eq(magnitude << shift),
            rounded.exponent.eq(Mux(normal & magnitude.any(), biased, 1)),
            rounded.sign.eq(sign),
            rounded.infinity.eq(normal & magnitude.any() & (biased[: len(unit)] >= 255)),
            rounded.nan.eq(nan),
        ]
        m.d.comb += self.rounded.eq(rounded)
        return m


def _spread(value, distance, bits):
    """Shift a signed value right into as many bits below it as it has."""
    return Cat(Const(0, bits + 1), value).as_signed() >> distance


class Fp32Accumulator(wiring.Component):
    """Adds a group's term to an FP32 partial sum with one rounding, as format spec section 7.

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

    partial_delay = TermRounder.latency
    latency = TermRounder.latency + 4

    def __init__(self, format: Format):
        self._format = format
        super().__init__({"term": In(term_layout(format)), "partial": In(Fp32), "total": Out(Fp32)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.rounder = rounder = TermRounder(self._format)
        m.submodules.align = align = Align()
        m.submodules.add = add = Add()
        m.submodules.normalize = normalize = Normalize()
        m.submodules.round = rounding = Round()
        m.d.comb += [
            rounder.term.eq(self.term),
            align.term.eq(rounder.rounded),
            align.partial.eq(unpack(self.partial)),
            add.aligned.eq(align.aligned),
            normalize.exact.eq(add.exact),
            rounding.normalized.eq(normalize.normalized),
            self.total.eq(rounding.total),
        ]
        return m


def unpack(value):
    """Return the bits of an FP32 value as :class:`Unpacked`."""
    normal = value.exponent.any()
    special = value.exponent.all()
    fraction = value.fraction.any()
    return Cat(
        value.fraction,
        normal,
        value.exponent | Cat(~normal, Const(0, 7)),
        value.sign,
        special & ~fraction,
        special & fraction,
    )


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
        Significand of the operand with the larger exponent.
    small : unsigned(27)
        The other one with three extra bits below, the last one sticky.
    exponent : unsigned(8)
    sign : unsigned(1)
        Sign of the sum, before it is known whether the sum is zero.
    subtract : unsigned(1)
    swapped : unsigned(1)
        The small significand exceeds the big one; the exponents are equal then.
    special : Special
    """

    big: unsigned(24)
    small: unsigned(24 + _EXTRA)
    exponent: unsigned(8)
    sign: unsigned(1)
    subtract: unsigned(1)
    swapped: unsigned(1)
    special: Special


class Align(wiring.Component):
    """First stage of the addition: exponents compared, the smaller operand shifted right.

    Latency 1 cycle.
    """

    term: In(Unpacked)
    partial: In(Unpacked)
    aligned: Out(Aligned)

    def elaborate(self, platform):
        m = Module()
        term, partial = self.term, self.partial
        difference = Signal(signed(9))
        m.d.comb += difference.eq(term.exponent - partial.exponent)
        term_small = difference[-1]
        distance = Signal(8)
        m.d.comb += distance.eq(Mux(term_small, -difference, difference))
        big = Mux(term_small, partial.significand, term.significand)
        small = Mux(term_small, term.significand, partial.significand)
        far = distance[5:].any()
        amount = distance[:5] | far.replicate(5)
        shifted, sticky = shift_right_sticky(m, Cat(Const(0, _EXTRA - 1), small), amount)

        subtract = term.sign ^ partial.sign
        swapped = (difference == 0) & (partial.significand > term.significand)
        aligned = Signal(Aligned, reset_less=True)
        nan = term.nan | partial.nan | (term.infinity & partial.infinity & subtract)
        from_partial = Mux(term.infinity | partial.infinity, partial.infinity, term_small | swapped)
        m.d.sync += [
            aligned.big.eq(big),
            aligned.small.eq(Cat(sticky, shifted)),
            aligned.exponent.eq(Mux(term_small, partial.exponent, term.exponent)),
            aligned.sign.eq(Mux(from_partial, partial.sign, term.sign)),
            aligned.subtract.eq(subtract),
            aligned.swapped.eq(swapped),
            aligned.special.nan.eq(nan),
            aligned.special.infinity.eq(term.infinity | partial.infinity),
        ]
        m.d.comb += self.aligned.eq(aligned)
        return m


class Exact(data.Struct):
    """A sum before normalisation.

    Members
    -------
    magnitude : unsigned(28)
        Carry, 24 bits, guard, round, sticky.
    exponent : unsigned(8)
        Biased exponent of the bit below the carry.
    sign : unsigned(1)
    special : Special
    """

    magnitude: unsigned(24 + _EXTRA + 1)
    exponent: unsigned(8)
    sign: unsigned(1)
    subtract: unsigned(1)
    special: Special


class Add(wiring.Component):
    """Second stage: the significands added or subtracted. Latency 1 cycle."""

    aligned: In(Aligned)
    exact: Out(Exact)

    def elaborate(self, platform):
        m = Module()
        aligned = self.aligned
        invert_big = aligned.swapped & aligned.subtract
        invert_small = ~aligned.swapped & aligned.subtract
        big = Cat(Const(0, _EXTRA), aligned.big)
        width = len(big)
        total = Signal(width + 2)
        m.d.comb += total.eq(
            (big ^ invert_big.replicate(width))
            + (aligned.small ^ invert_small.replicate(width))
            + aligned.subtract
        )
        exact = Signal(Exact, reset_less=True)
        m.d.sync += [
            # A difference is not negative, so its carry is the borrow that did not happen.
            exact.magnitude.eq(Cat(total[:width], total[width] & ~aligned.subtract)),
            exact.exponent.eq(aligned.exponent),
            exact.sign.eq(aligned.sign),
            exact.subtract.eq(aligned.subtract),
            exact.special.eq(aligned.special),
        ]
        m.d.comb += self.exact.eq(exact)
        return m


class Normalized(data.Struct):
    """A sum with its leading one at the top, unless subnormal.

    Members
    -------
    significand : unsigned(24)
    half, rest : unsigned(1)
        The bit below the significand, and whether anything is below that.
    exponent : unsigned(8)
        Biased; 0 for zero and subnormals.
    sign : unsigned(1)
    special : Special
    """

    significand: unsigned(24)
    half: unsigned(1)
    rest: unsigned(1)
    exponent: unsigned(8)
    sign: unsigned(1)
    special: Special


class Normalize(wiring.Component):
    """Third stage: the leading one brought to the top. Latency 1 cycle."""

    exact: In(Exact)
    normalized: Out(Normalized)

    def elaborate(self, platform):
        m = Module()
        exact = self.exact
        magnitude = exact.magnitude
        # Counted from the carry: zeros == 0 means the exponent goes up by one.
        zeros = named(m, "zeros", leading_zeros(magnitude))
        room = exact.exponent
        limited = zeros > room
        shift = Signal(5)
        m.d.comb += shift.eq(Mux(limited, room, zeros))
        shifted = Signal(len(magnitude))
        m.d.comb += shifted.eq(magnitude << shift)
        normalized = Signal(Normalized, reset_less=True)
        exponent = Signal(9)
        m.d.comb += exponent.eq(Mux(limited | ~shifted[-1], 0, exact.exponent + 1 - zeros))
        m.d.sync += [
            normalized.significand.eq(shifted[_EXTRA + 1 :]),
            normalized.half.eq(shifted[_EXTRA]),
            normalized.rest.eq(shifted[:_EXTRA].any()),
            normalized.exponent.eq(exponent),
            # An exact cancellation and a sum of unlike zeros is +0.
            normalized.sign.eq(exact.sign & (magnitude.any() | ~exact.subtract)),
            normalized.special.nan.eq(exact.special.nan),
            normalized.special.infinity.eq(exact.special.infinity | exponent[:8].all()),
        ]
        m.d.comb += self.normalized.eq(normalized)
        return m


class Round(wiring.Component):
    """Fourth stage: round to nearest even and pack. Latency 1 cycle."""

    normalized: In(Normalized)
    total: Out(Fp32)

    def elaborate(self, platform):
        m = Module()
        normalized = self.normalized
        fraction = normalized.significand[:23]
        round_up = normalized.half & (normalized.rest | fraction[0])
        # A carry out of the fraction moves on to the exponent, up to infinity.
        rounded = Cat(fraction, normalized.exponent) + round_up
        total = Signal(Fp32, reset_less=True)
        with m.If(normalized.special.nan):
            m.d.sync += total.eq(QUIET_NAN)
        with m.Elif(normalized.special.infinity):
            m.d.sync += total.eq(Cat(Const(INFINITY, 31), normalized.sign))
        with m.Else():
            m.d.sync += total.eq(Cat(rounded[:31], normalized.sign))
        m.d.comb += self.total.eq(total)
        return m
