"""One lane of the quantization engine rounds as the specification says."""

import z3
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.e2m1 import E2M1
from hdl.quantizer.align import Align
from hdl.quantizer.encode import SUBGROUP, ElementEncoder
from hdl.quantizer.unpack import FLOAT_TYPES, ROUNDABLE, Unpack

from ..checker import Checker
from ..model import Model
from ..terms import E2M1_HALVES, E2M3_EIGHTHS, bit, field, nearest
from .proof import BIT_VECTORS, Proof


class Lane(wiring.Component):
    """The way of one value through the engine, alone in its subgroup. Combinational.

    Attributes
    ----------
    value : In(width of dtype)
    largest : In(8)
        Largest exponent of the group, in FP32's bias.
    element : Out(E2M1)
    meta : Out(2)
    """

    def __init__(self, dtype: str):
        self._dtype = dtype
        super().__init__(
            {
                "value": In(FLOAT_TYPES[dtype].width),
                "largest": In(8),
                "element": Out(E2M1),
                "meta": Out(2),
            }
        )

    def elaborate(self, platform):
        """Connect the engine's own blocks; the other seven values are zero."""
        m = Module()
        m.submodules.unpack = unpack = Unpack(self._dtype)
        m.submodules.align = align = Align(SUBGROUP, ROUNDABLE)
        m.submodules.encoder = encoder = ElementEncoder(has_metadata=True)
        m.d.comb += [
            unpack.value.eq(self.value),
            align.values[0].eq(unpack.lane),
            align.largest.eq(self.largest),
            encoder.nan.eq(self.largest.all()),
            self.element.eq(encoder.elements[0]),
            self.meta.eq(encoder.meta),
        ]
        m.d.comb += [
            value.eq(aligned) for value, aligned in zip(encoder.values, align.aligned, strict=True)
        ]
        return m


#: Wide enough for every FP32 magnitude and every midpoint, in units of 2**-149.
_WIDTH = 288


def rounding(check: Checker) -> None:
    """Check every FP32 value beside every largest exponent of its group."""
    model = Model(Lane("fp32"))
    value, largest = z3.BitVec("value", 32), z3.BitVec("largest", 8)
    state = model.drive(model.fresh("s"), value=value, largest=largest)
    element, meta = model.value(state, "element"), model.value(state, "meta")
    code, exponent = field(element, 0, 3), field(value, 23, 8)

    subnormal = exponent == 0
    hidden = z3.If(subnormal, z3.BitVecVal(0, 1), z3.BitVecVal(1, 1))
    fraction = z3.ZeroExt(_WIDTH - 24, z3.Concat(hidden, field(value, 0, 23)))
    least = z3.If(subnormal, z3.BitVecVal(1, 8), exponent)
    magnitude = fraction << (z3.ZeroExt(_WIDTH - 8, least) - 1)
    # The spec's E + 127: floor(log2(amax)) - 2, not below 0.
    e = z3.If(z3.ULT(largest, 2), z3.BitVecVal(0, 8), largest - 2)
    power = z3.ZeroExt(_WIDTH - 8, e) + 149 - 127
    finite = [z3.ULE(exponent, largest), largest != 255]
    check.prove("E2M1 code", nearest(code, magnitude, power - 2, E2M1_HALVES), *finite)
    check.prove("sign", bit(element, 3) == bit(value, 31), *finite)
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


def nan_group(check: Checker) -> None:
    """Check that in a NaN group every element is +0 and the metadata is 1."""
    model = Model(Lane("fp32"))
    state = model.drive(model.fresh("s"), largest=z3.BitVecVal(255, 8))
    check.prove("element", model.value(state, "element") == 0)
    check.prove("metadata", model.value(state, "meta") == 1)
    check.cover("a NaN group", model.value(state, "value") == 0xFFC00000)


PROOFS = [
    Proof(
        "lane rounding",
        "QuantizationEngine",
        "For every FP32 value and every scale, the E2M1 code and the top-1's metadata are those "
        "between whose midpoints |x| lies, ties to even, saturated.",
        BIT_VECTORS,
        "the value is finite and no exponent of the group exceeds the largest",
        rounding,
        ("lane: ties away from zero", "lane: sticky bit dropped", "lane: metadata not clamped"),
    ),
    Proof(
        "lane of a NaN group",
        "QuantizationEngine",
        "Every element is +0 and the metadata is 1.",
        BIT_VECTORS,
        "none",
        nan_group,
        ("lane: NaN group keeps its values",),
    ),
]
