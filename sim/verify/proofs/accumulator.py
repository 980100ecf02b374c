"""The FP32 accumulator against the IEEE 754 addition of SMT-LIB and a naive wide integer."""

from functools import partial

import z3
from amaranth.hdl import Fragment, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl import accumulator, formats
from hdl.accumulator.term import TermRounder, rounded_layout
from hdl.formats import Format
from hdl.fp32 import Fp32

from ..checker import Checker
from ..cuts import Stub, replaced
from ..model import Model
from ..terms import bit, field
from .proof import BIT_VECTORS, Proof

FP32 = z3.Float32()


def term_rounding(check: Checker, format: Format) -> None:
    """Check that ``rounded`` is RNE_fp32(term), by integers in units of 2**-149."""
    bits, unit = format.significand_bits, format.unit_exponent
    model = Model(TermRounder(format))
    significand = z3.BitVec("significand", bits)
    exponent, nan = z3.BitVec("exponent", format.exponent_bits), z3.BitVec("nan", 1)
    state = model.pipeline(
        {"term": {0: z3.Concat(nan, exponent, significand)}},
        accumulator.Fp32Accumulator(format).partial_delay,
    )
    got = _rounded(model.value(state, "rounded"), format)

    negative = bit(significand, bits - 1)
    magnitude = z3.If(negative, -significand, significand)
    # 2**(exponent + unit) in units of 2**-149, the least FP32.
    wide = z3.SignExt(4, z3.ZeroExt(12, exponent)) + unit + 149
    dropped = z3.If(wide < 0, -wide, z3.BitVecVal(0, wide.size()))
    kept = _round_to_even(magnitude, dropped)
    raised = z3.If(wide < 0, z3.BitVecVal(0, wide.size()), wide)

    # The position of the leading one of kept * 2**raised, counted from 2**-149.
    zero = kept == 0
    check.prove("zero", got["significand"] == 0, zero, nan == 0)
    check.prove("NaN", got["nan"] == nan)
    check.prove("sign", got["sign"] == field(significand, bits - 1, 1), z3.Not(zero), nan == 0)
    leading = z3.BitVecVal(0, wide.size())
    top = kept
    for position in range(bits):
        found = bit(kept, position)
        leading = z3.If(found, z3.BitVecVal(position, wide.size()), leading)
        top = z3.If(found, kept << (bits - 1 - position), top)
    biased = leading + raised - 149 + 127
    finite = [z3.Not(zero), nan == 0]
    check.prove("significand", got["significand"] == top, *finite, biased < 255)
    check.prove(
        "exponent", z3.SignExt(wide.size() - 9, got["exponent"]) == biased, *finite, biased < 255
    )
    check.prove("infinity", (got["infinity"] == 1) == z3.And(*finite, biased >= 255), nan == 0)
    check.prove("zero's exponent", got["exponent"] == -256, zero, nan == 0)
    if unit < -149:
        check.cover("a subnormal tie", *finite, biased < 1, dropped == 1, bit(magnitude, 0))
        check.cover("an infinity", *finite, biased >= 255)
    check.cover("the least significand", *finite, biased < 255, kept == 1)


def addition(check: Checker, format: Format) -> None:
    """Check that ``total`` is the IEEE sum of ``partial`` and any FP32 that a term can be."""
    model = Model(_Adder(format))
    term, partial = z3.BitVecs("term partial", 32)
    infinite, nan = z3.BitVecs("infinite nan", 1)
    fits, rounded = _as_rounded(term, format)
    unit = accumulator.Fp32Accumulator(format)
    latency = unit.latency - unit.partial_delay
    state = model.pipeline(
        {"rounded": {0: z3.Concat(nan, infinite, rounded)}, "partial": {0: partial}}, latency
    )
    total = model.value(state, "total")
    is_nan = z3.And(field(partial, 23, 8) == 255, field(partial, 0, 23) != 0)
    is_infinite = z3.And(field(partial, 23, 8) == 255, field(partial, 0, 23) == 0)
    finite = [fits, infinite == 0, nan == 0, field(partial, 23, 8) != 255]
    exact = z3.fpAdd(z3.RNE(), z3.fpBVToFP(term, FP32), z3.fpBVToFP(partial, FP32))
    check.prove("IEEE sum", z3.fpToIEEEBV(exact) == total, *finite)

    sign = field(term, 31, 1)
    signed = z3.Concat(sign, z3.BitVecVal(0xFF << 23, 31))
    clash = z3.And(infinite == 1, is_infinite, sign != field(partial, 31, 1))
    bad = z3.Or(nan == 1, is_nan, clash)
    check.prove("NaN", total == 0x7FC00000, bad)
    check.prove("an infinite term", total == signed, infinite == 1, z3.Not(bad))
    check.prove("an infinite partial sum", total == partial, fits, is_infinite, z3.Not(bad))
    check.cover("cancellation to +0", *finite, total == 0, field(term, 0, 31) != 0)
    check.cover("a subnormal sum", *finite, field(total, 23, 8) == 0, field(total, 0, 23) == 5)
    check.cover("overflow", *finite, field(total, 23, 8) == 255)
    check.cover("a tie", *finite, field(term, 0, 31) == 0x33800000, partial == 0x3F800001)


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


def _rounded(word: z3.BitVecRef, format: Format) -> dict[str, z3.BitVecRef]:
    layout = rounded_layout(format)
    return {name: field(word, part.offset, part.width) for name, part in layout}


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


def _round_to_even(magnitude: z3.BitVecRef, dropped: z3.BitVecRef) -> z3.BitVecRef:
    """Round an integer to a multiple of 2**dropped, ties to even, and divide by it."""
    bits = magnitude.size()
    # With as many bits again below, a shift right keeps all that is dropped.
    far = z3.UGT(dropped, bits + 1)
    amount = z3.If(far, z3.BitVecVal(bits + 1, dropped.size()), dropped)
    wide = z3.Concat(z3.BitVecVal(0, 2), magnitude, z3.BitVecVal(0, bits + 1))
    size = wide.size()
    shift = z3.ZeroExt(size - amount.size(), amount)
    shifted = z3.LShR(wide, shift)
    half = z3.BitVecVal(1 << bits, size)
    below = shifted & ((1 << (bits + 1)) - 1)
    whole = z3.LShR(shifted, bits + 1)
    up = z3.Or(z3.UGT(below, half), z3.And(below == half, bit(whole, 0)))
    return field(z3.If(up, whole + 1, whole), 0, bits)


PROOFS = [
    Proof(
        "term rounding",
        "Fp32Accumulator",
        "The rounded term is RNE_fp32(S * 2^(e - 260)) for every 19-bit S and 9-bit e, or NaN.",
        BIT_VECTORS + "; the oracle shifts a wide integer and compares what is dropped with a half",
        "none",
        partial(term_rounding, format=formats.get("m2xfp")),
        (
            "accumulator: subnormal term truncated",
            "accumulator: subnormal term ties away",
        ),
    ),
    Proof(
        "FP32 addition",
        "Fp32Accumulator",
        "The total is IEEE 754 binary32 addition, round to nearest even, subnormals included, of "
        "the rounded term and the partial sum; every NaN is 0x7FC00000.",
        "SMT over bit vectors; the oracle is IEEE 754 addition of SMT-LIB, as z3 expands it",
        "the term has at most 19 significant bits, as term rounding proves",
        partial(addition, format=formats.get("m2xfp")),
        (
            "accumulator: no sticky bit",
            "accumulator: ties away from zero",
            "accumulator: subnormal sums are normalised",
            "accumulator: cancellation gives -0",
        ),
        quick=False,
    ),
]
