"""Rounding of a group's term to FP32 against a naive wide integer."""

from functools import partial

import z3

from hdl import formats
from hdl.accumulator import rounding_latency
from hdl.accumulator.term import TermRounder, rounded_layout
from hdl.fabric import Fabric
from hdl.formats import Format

from ..checker import Checker
from ..model import Model
from ..terms import bit, field
from .proof import BIT_VECTORS, Proof


def term_rounding(check: Checker, format: Format) -> None:
    """Check that ``rounded`` is RNE_fp32(term), by integers in units of 2**-149."""
    bits, unit = format.significand_bits, format.unit_exponent
    model = Model(TermRounder(format))
    significand = z3.BitVec("significand", bits)
    exponent, nan = z3.BitVec("exponent", format.exponent_bits), z3.BitVec("nan", 1)
    state = model.pipeline(
        {"term": {0: z3.Concat(nan, exponent, significand)}},
        rounding_latency(format),
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
    # A term that is rounded to zero keeps its sign; S = 0 has none.
    check.prove("sign", got["sign"] == field(significand, bits - 1, 1), nan == 0)
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
        check.cover("a negative zero", zero, negative, nan == 0)
    else:
        check.prove("normal and finite", z3.And(biased >= 1, biased < 255), *finite)
        check.prove("exact", kept == magnitude)
    check.cover("the least significand", *finite, biased < 255, kept == 1)


def _rounded(word: z3.BitVecRef, format: Format) -> dict[str, z3.BitVecRef]:
    layout = rounded_layout(format)
    return {name: field(word, part.offset, part.width) for name, part in layout}


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


def all_term_roundings(check: Checker, fabric: Fabric) -> None:
    """Check the term rounding of every format."""
    for name in formats.names():
        term_rounding(check, formats.get(name, fabric))


_COMPARES = "; the oracle shifts a wide integer and compares what is dropped with a half"


def _term_rounding(name: str, *mutants: str) -> Proof:
    format = formats.get(name)
    return Proof(
        "term rounding" if name == "m2xfp" else f"term rounding, {name}",
        "Fp32Accumulator",
        f"The rounded term is RNE_fp32(S * 2^(e - {-format.unit_exponent})) for every "
        f"{format.significand_bits}-bit S and {format.exponent_bits}-bit e, signed zeros included, "
        "or NaN" + ("." if format.unit_exponent < -149 else "; it is never subnormal or infinite."),
        BIT_VECTORS + _COMPARES,
        "none",
        partial(term_rounding, format=format),
        mutants,
    )


PROOFS = [
    _term_rounding(
        "m2xfp", "accumulator: subnormal term truncated", "accumulator: subnormal term ties away"
    ),
    _term_rounding("m2xfp_sg", "accumulator: subnormal term truncated"),
    _term_rounding("m2xfp_sg_spare", "accumulator: subnormal term truncated"),
    _term_rounding("mxfp4", "accumulator: subnormal term ties away"),
    _term_rounding("nvfp4", "accumulator: zero has an exponent"),
    Proof(
        "term rounding in LUTs",
        "Fp32Accumulator",
        "As in gates, for all formats, two cycles later.",
        BIT_VECTORS + _COMPARES,
        "none",
        partial(all_term_roundings, fabric=Fabric.LUTS),
        ("LUTs: a carry of the next term", "accumulator: subnormal term truncated"),
    ),
]
