"""A subgroup of the quantization engine: its eight values do as each does when it is alone."""

from functools import partial

import z3
from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.quantizer.align import Align
from hdl.quantizer.encode import SUBGROUP, ElementEncoder, Encoder
from hdl.quantizer.unpack import FLOAT_TYPES, Unpack

from ..checker import Checker
from ..floats import FLOATS
from ..model import Model
from ..terms import field, is_top
from .proof import BIT_VECTORS, Proof


class Front(wiring.Component):
    """The way of eight values to their encoder, beside the largest exponent of their group.

    Parameters
    ----------
    dtype : str
    exact : bool
        Whether the encoder takes exact significands.

    Attributes
    ----------
    values : In(ArrayLayout(width of dtype, 8))
    largest : In(8)
        In FP32's bias.
    aligned : Out
        What `Align` gives.
    """

    def __init__(self, dtype: str, *, exact: bool = False):
        self._units = [Unpack(dtype, exact=exact) for _ in range(SUBGROUP)]
        self._align = Align(SUBGROUP, self._units[0].lane.significand.shape().width)
        super().__init__(
            {
                "values": In(data.ArrayLayout(FLOAT_TYPES[dtype].width, SUBGROUP)),
                "largest": In(8),
                "aligned": Out(self._align.aligned.shape()),
            }
        )

    def elaborate(self, platform):
        """Connect the blocks."""
        m = Module()
        m.submodules.align = align = self._align
        for i, (unit, value) in enumerate(zip(self._units, self.values, strict=True)):
            m.submodules[f"unpack_{i}"] = unit
            m.d.comb += [unit.value.eq(value), align.values[i].eq(unit.lane)]
        m.d.comb += [align.largest.eq(self.largest), self.aligned.eq(align.aligned)]
        return m


class Subgroup(wiring.Component):
    """The way of eight values through the engine, without its ranks around the encoder.

    Parameters
    ----------
    dtype : str
    encoder : Encoder
    exact : bool
        Whether the encoder takes exact significands.

    Attributes
    ----------
    values : In(ArrayLayout(width of dtype, 8))
    largest : In(8)
        Largest exponent of the group, in FP32's bias.
    enable : In(1)
    nan : Out(1)
        What the encoder hears when its outputs come.
    elements : Out(ArrayLayout(E2M1, 8))
    meta : Out(2)
    """

    def __init__(self, dtype: str, encoder: Encoder, *, exact: bool = False):
        self._front, self._encoder = Front(dtype, exact=exact), encoder
        super().__init__(
            {
                "values": In(self._front.values.shape()),
                "largest": In(8),
                "enable": In(1),
                "nan": Out(1),
                "elements": Out(encoder.elements.shape()),
                "meta": Out(2),
            }
        )

    def elaborate(self, platform):
        """Connect the blocks."""
        m = Module()
        m.submodules.front = front = self._front
        m.submodules.encoder = encoder = self._encoder
        nan = self.largest.all()
        for rank in range(encoder.latency):
            later = Signal(name=f"nan_{rank}")
            with m.If(self.enable):
                m.d.sync += later.eq(nan)
            nan = later
        m.d.comb += [
            front.values.eq(self.values),
            front.largest.eq(self.largest),
            encoder.values.eq(front.aligned),
            self.nan.eq(nan),
            encoder.nan.eq(self.nan),
            encoder.enable.eq(self.enable),
            self.elements.eq(encoder.elements),
            self.meta.eq(encoder.meta),
        ]
        return m


def alone(value: z3.BitVecRef) -> z3.BitVecRef:
    """Return the values of a subgroup of which all but the first are zero."""
    return z3.ZeroExt((SUBGROUP - 1) * value.size(), value)


def top_one(check: Checker, dtype: str) -> None:
    """Check that elements are those of lanes alone, and the metadata that of the top-1 alone."""
    model = Model(Subgroup(dtype, ElementEncoder(has_metadata=True)))
    width = FLOATS[dtype].width
    values, largest = z3.BitVec("values", SUBGROUP * width), z3.BitVec("largest", 8)
    state = model.drive(model.fresh("s"), values=values, largest=largest)
    elements, meta = model.value(state, "elements"), model.value(state, "meta")
    for lane in range(SUBGROUP):
        value = field(values, width * lane, width)
        single = model.drive(state, values=alone(value))
        element = field(model.value(single, "elements"), 0, 4)
        check.prove(f"element of lane {lane}", field(elements, 4 * lane, 4) == element)
        top = is_top(elements, lane)
        check.prove(f"metadata of lane {lane}", meta == model.value(single, "meta"), top)
        for expected in range(4):
            check.cover(f"metadata {expected} of lane {lane}", top, meta == expected)
    equal = [field(elements, 4 * lane, 3) == 7 for lane in (2, 5)]
    check.cover("equals", is_top(elements, 2), *equal, meta != 3)


def nan_group(check: Checker, dtype: str) -> None:
    """Check that in a NaN group every element is +0 and the metadata is 1."""
    model = Model(Subgroup(dtype, ElementEncoder(has_metadata=True)))
    state = model.drive(model.fresh("s"), largest=z3.BitVecVal(255, 8))
    check.prove("elements", model.value(state, "elements") == 0)
    check.prove("metadata", model.value(state, "meta") == 1)
    check.cover("all NaN", ~model.value(state, "values") == 0)


PROOFS = [
    Proof(
        "top-1 of a subgroup",
        "QuantizationEngine",
        "For all eight FP32 values and every scale, each element is the one that its value has "
        "alone, and the metadata is that of the value with the largest code, the first among "
        "equals, alone.",
        BIT_VECTORS,
        "none",
        partial(top_one, dtype="fp32"),
        ("lane: top-1 is the last of equals",),
    ),
    Proof(
        "subgroup of a NaN group",
        "QuantizationEngine",
        "Every element is +0 and the metadata is 1, whatever the eight values.",
        BIT_VECTORS,
        "none",
        partial(nan_group, dtype="fp32"),
        ("lane: NaN group keeps its values",),
    ),
]
