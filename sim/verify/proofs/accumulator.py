"""FP32 addition of the accumulator against the IEEE 754 addition of SMT-LIB."""

from functools import partial

import z3
from amaranth.hdl import Fragment, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl import accumulator, formats
from hdl.accumulator.term import TermRounder, rounded_layout
from hdl.fabric import Fabric
from hdl.formats import Format
from hdl.fp32 import Fp32

from ..checker import Checker
from ..cuts import Stub, replaced
from ..model import Model
from ..terms import bit, field
from .proof import BIT_VECTORS, Proof

FP32 = z3.Float32()
#: The format whose terms have the most significant bits.
WIDEST = max(map(formats.get, formats.names()), key=lambda format: format.significand_bits)


def addition(check: Checker, format: Format) -> None:
    """Check that ``total`` is the IEEE sum of ``partial`` and any FP32 that a term can be."""
    partial, infinite, nan = z3.BitVec("partial", 32), *z3.BitVecs("infinite nan", 1)
    word = z3.BitVec("word", format.significand_bits + 10)
    total = _total(format, z3.Concat(nan, infinite, word), partial)
    special, fraction = field(partial, 23, 8) == 255, field(partial, 0, 23)
    is_nan, is_infinite = (z3.And(special, found) for found in (fraction != 0, fraction == 0))
    # What an infinite or NaN term has for an exponent means nothing.
    sign = field(word, format.significand_bits + 9, 1)
    signed = z3.Concat(sign, z3.BitVecVal(0xFF << 23, 31))
    clash = z3.And(infinite == 1, is_infinite, sign != field(partial, 31, 1))
    bad = z3.Or(nan == 1, is_nan, clash)
    check.prove("NaN", total == 0x7FC00000, bad)
    check.prove("an infinite term", total == signed, infinite == 1, z3.Not(bad))
    check.prove("an infinite partial sum", total == partial, is_infinite, z3.Not(bad))

    term = z3.BitVec("term", 32)
    fits, rounded = _as_rounded(term, format)
    total = z3.substitute(total, (word, rounded))
    finite = [fits, infinite == 0, nan == 0, z3.Not(special)]
    exact = z3.fpAdd(z3.RNE(), z3.fpBVToFP(term, FP32), z3.fpBVToFP(partial, FP32))
    check.prove("IEEE sum", z3.fpToIEEEBV(exact) == total, *finite)
    check.cover("cancellation to +0", *finite, total == 0, field(term, 0, 31) != 0)
    check.cover("a subnormal sum", *finite, field(total, 23, 8) == 0, field(total, 0, 23) == 5)
    check.cover("overflow", *finite, field(total, 23, 8) == 255)
    check.cover("a tie", *finite, field(term, 0, 31) == 0x33800000, partial == 0x3F800001)


def same_additions(check: Checker) -> None:
    """Check that all formats and fabrics add as the widest does, less bits of the term."""
    partial, flags = z3.BitVec("partial", 32), z3.BitVec("flags", 12)
    widest = WIDEST.significand_bits
    word = z3.BitVec("word", widest + 12)
    expected = _total(WIDEST, word, partial)
    for format in (formats.get(name, fabric) for fabric in Fabric for name in formats.names()):
        bits = format.significand_bits
        significand = z3.BitVec("significand", bits)
        total = _total(format, z3.Concat(flags, significand), partial)
        padded = z3.Concat(flags, significand, z3.BitVecVal(0, widest + 1 - bits))
        same = z3.substitute(expected, (word, field(padded, 1, widest + 12)))
        check.prove(f"{format.name} in {format.fabric.value}", total == same)
    check.cover("a sum", total == 0x40490FDA)


def _total(format: Format, rounded: z3.BitVecRef, partial: z3.BitVecRef) -> z3.BitVecRef:
    """Return the total, from registers of any content."""
    model, unit = Model(_Adder(format)), accumulator.Fp32Accumulator(format)
    inputs = {"rounded": {0: rounded}, "partial": {0: partial}}
    state = model.pipeline(inputs, unit.latency - unit.partial_delay)
    return model.value(state, "total")


class _Adder(wiring.Component):
    """The accumulator without its first part: what that would give is an input."""

    def __init__(self, format: Format):
        self._format = format
        super().__init__(
            {"rounded": In(rounded_layout(format)), "partial": In(Fp32), "total": Out(Fp32)}
        )

    def elaborate(self, platform):
        """Elaborate the accumulator with a stub in place of the `TermRounder`."""
        m = Module()
        stub = Stub(TermRounder(self._format))
        with replaced(accumulator, "TermRounder", lambda format: stub):
            unit = accumulator.Fp32Accumulator(self._format)
            m.submodules.unit = Fragment.get(unit, platform)
        m.d.comb += [
            stub.rounded.eq(self.rounded),
            unit.partial.eq(self.partial),
            self.total.eq(unit.total),
        ]
        return m


def _as_rounded(term: z3.BitVecRef, format: Format) -> tuple[z3.BoolRef, z3.BitVecRef]:
    """Return whether a finite FP32 fits the significand, and its fields as `rounded_layout`."""
    exponent, fraction = field(term, 23, 8), field(term, 0, 23)
    subnormal = exponent == 0
    significand = z3.Concat(z3.If(subnormal, z3.BitVecVal(0, 1), z3.BitVecVal(1, 1)), fraction)
    biased = z3.ZeroExt(1, z3.If(subnormal, z3.BitVecVal(1, 8), exponent))
    top, top_exponent = z3.BitVecVal(0, 24), z3.BitVecVal(-256, 9)
    for position in range(24):
        found = bit(significand, position)
        top = z3.If(found, significand << (23 - position), top)
        top_exponent = z3.If(found, biased - (23 - position), top_exponent)
    spare = 24 - format.significand_bits
    fits = z3.And(exponent != 255, field(top, 0, spare) == 0)
    return fits, z3.Concat(
        field(term, 31, 1), top_exponent, field(top, spare, format.significand_bits)
    )


PROOFS = [
    Proof(
        "FP32 addition",
        "Fp32Accumulator",
        "The total is IEEE 754 binary32 addition, round to nearest even, subnormals included, of "
        "the rounded term and the partial sum; every NaN is 0x7FC00000.",
        "SMT over bit vectors; the oracle is IEEE 754 addition of SMT-LIB, as z3 expands it",
        f"the gateware of {WIDEST.name}, whose terms have the most significant bits, "
        f"{WIDEST.significand_bits}, as term rounding proves",
        partial(addition, format=WIDEST),
        (
            "accumulator: no sticky bit",
            "accumulator: ties away from zero",
            "accumulator: subnormal sums are normalised",
            "accumulator: cancellation gives -0",
            "accumulator: far operands wrap around",
            "accumulator: overflow keeps its fraction",
            "accumulator: negative difference is one short",
            "accumulator: infinity minus infinity",
            "accumulator: NaN scale ignored",
        ),
        quick=False,
    ),
    Proof(
        "FP32 addition of all formats",
        "Fp32Accumulator",
        f"In gates and LUTs every format adds bit for bit as {WIDEST.name} in gates does, with "
        "zeros for the bits that its terms do not have.",
        BIT_VECTORS,
        "the sum of that one is as proved",
        same_additions,
        (
            "LUTs: half an alignment of the next cycle",
            "accumulator: short terms are too low",
        ),
    ),
]
