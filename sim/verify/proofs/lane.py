"""One lane of the quantization engine rounds as the specification says."""

from functools import partial

import z3

from hdl.quantizer.encode import ElementEncoder

from ..checker import Checker
from ..floats import FLOATS, in_group, scale_power
from ..model import Model
from ..terms import E2M1_HALVES, E2M3_EIGHTHS, bit, field, nearest
from .proof import BIT_VECTORS, Proof
from .subgroup import Subgroup, alone


def rounding(check: Checker, dtype: str) -> None:
    """Check every value, alone in its subgroup, beside every largest exponent of its group."""
    kind = FLOATS[dtype]
    model = Model(Subgroup(dtype, ElementEncoder(has_metadata=True)))
    value, largest = z3.BitVec("value", kind.width), z3.BitVec("largest", 8)
    state = model.drive(model.fresh("s"), values=alone(value), largest=largest)
    element, meta = field(model.value(state, "elements"), 0, 4), model.value(state, "meta")
    code, magnitude = field(element, 0, 3), kind.magnitude(value)
    power = scale_power(largest)
    finite = [kind.finite(value), in_group(magnitude, largest)]
    check.prove("E2M1 code", nearest(code, magnitude, power - 2, E2M1_HALVES), *finite)
    check.prove("sign", bit(element, 3) == kind.sign(value), *finite)
    c6 = z3.BitVec("c6", 6)
    rounded = nearest(c6, magnitude, power - 4, E2M3_EIGHTHS)
    enc, base = c6 + 1, z3.ZeroExt(3, code) << 2
    clamped = z3.If(z3.ULT(enc, base), base, z3.If(z3.UGT(enc, base + 3), base + 3, enc))
    correct = [*finite, rounded, z3.ULT(c6, 32)]
    check.prove("metadata", meta == field(clamped, 0, 2), *correct)
    for expected in range(8):
        check.cover(f"code {expected}", code == expected, *finite)
    for expected in range(4):
        check.cover(f"metadata {expected}", meta == expected, *correct)


def _proof(dtype: str, name: str, mutants: tuple[str, ...]) -> Proof:
    return Proof(
        name,
        "QuantizationEngine",
        f"For every {dtype.upper()} value and every scale, the E2M1 code and the top-1's metadata "
        "are those between whose midpoints |x| lies, ties to even, saturated.",
        BIT_VECTORS,
        "the value is finite, its exponent does not exceed the largest of the group, and it is "
        "alone in its subgroup",
        partial(rounding, dtype=dtype),
        mutants,
        quick=False,
    )


PROOFS = [
    _proof(
        "fp32",
        "lane rounding",
        ("lane: ties away from zero", "lane: sticky bit dropped", "lane: metadata not clamped"),
    ),
    _proof("bf16", "lane rounding, bf16", ("lane: sticky bit dropped",)),
    _proof("fp16", "lane rounding, fp16", ("lane: FP16 subnormals are not normalised",)),
]
