from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..bits import increment, leading_zeros, named, prefix_and
from ..formats import Format
from ..fp32 import BIAS, LEAST_EXPONENT
from ..term import term_layout

#: Shape of the biased exponent of a term that is finite and not zero: one below the FP32 normal
#: range has an exponent of 0 down to -22. Zero has the least of all.
_EXPONENT = signed(9)


def rounded_layout(format: Format) -> data.StructLayout:
    """Return the layout of a term that FP32 represents exactly.

    Members
    -------
    significand : unsigned(format.significand_bits)
        Top bit set unless zero.
    exponent : signed(9)
        Biased exponent of the top bit; not positive for zero and subnormals.
    sign : unsigned(1)
    infinity, nan : unsigned(1)
    """
    return data.StructLayout(
        {
            "significand": format.significand_bits,
            "exponent": _EXPONENT,
            "sign": 1,
            "infinity": 1,
            "nan": 1,
        }
    )


class TermRounder(wiring.Component):
    """Rounds a group's term to FP32: ``RNE_fp32(significand * 2**(exponent + unit))``.

    The significand has fewer than 24 bits, so only terms below the FP32 normal range round.
    Latency ``2 * (1 + format.fabric.cut)`` cycles, throughput 1 a cycle; no stalls. Format spec,
    section 7.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    term : In(term_layout(format))
    rounded : Out(rounded_layout(format))
    """

    def __init__(self, format: Format):
        self._format = format
        super().__init__({"term": In(term_layout(format)), "rounded": Out(rounded_layout(format))})

    def elaborate(self, platform):
        m = Module()
        format = self._format
        bits = format.significand_bits

        # First stage: the magnitude, rounded to a multiple of FP32's least subnormal.
        magnitude = Signal(bits, reset_less=True)
        # Biased exponent that a one in the top bit of the magnitude would have.
        highest = format.unit_exponent + bits - 1 + BIAS
        exponent = Signal(range(highest, highest + (1 << format.exponent_bits)), reset_less=True)
        sign = Signal(reset_less=True)
        nan = Signal(reset_less=True)
        grid = LEAST_EXPONENT - format.unit_exponent
        below = named(m, "below", Cat(self.term.exponent < grid - bit for bit in range(bits)))
        inverted, carry = _rounding(m, self.term.significand.as_unsigned(), below)
        term = format.fabric.halves(m, self.term, "term")
        below = format.fabric.halves(m, below, "below")
        inverted = format.fabric.halves(m, inverted, "inverted")
        carry = format.fabric.halves(m, carry, "carry")
        m.d.sync += [
            magnitude.eq(increment(m, inverted, carry) & ~below),
            exponent.eq(term.exponent + highest),
            sign.eq(term.significand[-1]),
            nan.eq(term.nan),
        ]

        # Second stage: the leading one to the top.
        rounded = Signal(rounded_layout(format), reset_less=True)
        zeros = named(m, "zeros", leading_zeros(magnitude))
        nonzero = named(m, "nonzero", magnitude.any())
        zeros, nonzero, magnitude, exponent, sign, nan = (
            format.fabric.halves(m, value, f"late_{name}")
            for name, value in {
                "zeros": zeros,
                "nonzero": nonzero,
                "magnitude": magnitude,
                "exponent": exponent,
                "sign": sign,
                "nan": nan,
            }.items()
        )
        top = named(m, "top", exponent - zeros)
        m.d.sync += [
            rounded.significand.eq(magnitude << zeros),
            rounded.exponent.eq(Mux(nonzero, top, -256)),
            rounded.sign.eq(sign),
            rounded.infinity.eq(nonzero & (top >= 255)),
            rounded.nan.eq(nan),
        ]
        m.d.comb += self.rounded.eq(rounded)
        return m


def _rounding(m, value, below):
    """Return what a signed value's magnitude, rounded to even where bits are dropped, comes from.

    Parameters
    ----------
    value : unsigned(n)
        A two's complement number.
    below : unsigned(n)
        Bits to drop: ones from bit 0 up.

    Returns
    -------
    inverted : unsigned(n)
    carry : unsigned(1)
        Their sum is the rounded magnitude, once the dropped bits are cleared.
    """
    negative = value[-1]
    # Whether each bit would round up as the highest one dropped.
    rest = ~prefix_and(m, ~value)
    rounds = value & (Cat(0, rest) | value >> 1)
    highest = below & ~(below >> 1)
    round_up = (rounds & highest).any()
    # Dropped bits are ones, through which a one added at the bottom gets to the lowest bit kept.
    # Negation adds one after inversion, unless rounding up took it: ~(x + 1) + 1 == ~x.
    kept = named(m, "kept", value ^ negative.replicate(len(value)) | below)
    return kept, named(m, "carry", negative ^ round_up)
