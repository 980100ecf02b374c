"""Decode unit and subgroup dot product against the naive sums."""

from functools import partial

import z3
from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl import export, formats
from hdl.decode import DecodeUnit
from hdl.dot import SubgroupDot
from hdl.fabric import Fabric
from hdl.formats import Format

from ..checker import Checker
from ..cuts import HeapCut
from ..model import Model
from ..terms import E2M1_HALVES, E2M3_EIGHTHS, bit, field, is_top, table
from .heaps import BITS, heap_sum, integer, within
from .proof import COMPOSED, Proof

#: Largest subgroup sum in units of 1/16: one refined element of 7.0 and seven of 6.0 times 6.0.
LARGEST_SUM = 56 * 12 + 7 * 48 * 12
#: The same of MXFP4 and NVFP4, in units of 1/4.
LARGEST_PLAIN_SUM = 8 * 12 * 12


class Subgroup(wiring.Component):
    """Decode unit and subgroup dot product."""

    def __init__(self, format: Format):
        self._format = format
        super().__init__(
            {
                "encoded": In(format.encoded_subgroup),
                "weight": In(format.weight_subgroup),
                "rows": Out(data.ArrayLayout(format.product_bits, 2)),
            }
        )

    def elaborate(self, platform):
        """Connect the two."""
        m = Module()
        m.submodules.decode = decode = DecodeUnit(self._format)
        m.submodules.dot = unit = SubgroupDot(self._format)
        m.d.comb += [
            decode.encoded.eq(self.encoded),
            unit.activation.eq(decode.operand),
            unit.weight.eq(self.weight),
            self.rows.eq(unit.rows),
        ]
        return m


def subgroup(check: Checker, format: Format) -> None:
    """Check that each lane, decoded and multiplied, is the specification's product."""
    cut = HeapCut(lambda: Subgroup(format))
    (heap,) = cut.heaps
    model = Model(cut)
    encoded = z3.BitVec("encoded", model.inputs["encoded"])
    weight = z3.BitVec("weight", model.inputs["weight"])
    state = model.drive(model.fresh("dot"), encoded=encoded, weight=weight)
    added = [
        integer(model.value(state, f"heap_0_operand_{index}"), operand)
        for index, operand in enumerate(heap.operands)
    ]
    refines = format.name == "m2xfp"
    unit = 4 if refines else 1  # of an E2M1 product: quarters in sixteenths
    each = len(added) // format.subgroup
    corrections = added[each * format.subgroup :]
    products, refined = [], []
    for lane in range(format.subgroup):
        x, w = (_halves(word, lane) for word in (encoded, weight))
        products.append(x * w * unit)
        mine = added[each * lane : each * (lane + 1)]
        check.prove(f"product of lane {lane}", sum(mine) == products[-1])
        refined.append(_refined(encoded, lane) * w if refines else products[-1])
    if refines:
        tops = [is_top(encoded, lane) for lane in range(format.subgroup)]
        count = sum(z3.If(top, z3.BitVecVal(1, 4), 0) for top in tops)
        check.prove("one top-1", count == 1)
        for lane, top in enumerate(tops):
            difference = refined[lane] - products[lane]
            check.prove(f"correction of lane {lane}", sum(corrections) == difference, top)
            check.prove(f"bound of lane {lane}", within(refined[lane], 56 * 12))
            check.prove(f"plain lane {lane}", within(products[lane], 48 * 12))
            check.cover(f"a step down in lane {lane}", top, difference == -24 * unit)
        check.cover("the largest element", refined[0] == 56 * 12, tops[0])
    else:
        check.holds("no corrections", not corrections)
        check.holds("the same circuit in NVFP4", _circuit(format) == _circuit(_nvfp4(format)))
    check.cover("the largest plain product", products[0] == 12 * 12 * unit)
    # The rows stand for the sum plus half of their range.
    check.holds("offset", heap.constant == 1 << (format.product_bits - 1), heap.constant)
    rows = [z3.BitVec(f"row{index}", heap.width) for index in range(2)]
    state = model.drive(state, heap_0_row_0=rows[0], heap_0_row_1=rows[1])
    check.prove("rows", model.value(state, "rows") == z3.Concat(*reversed(rows)))
    largest = LARGEST_SUM if refines else LARGEST_PLAIN_SUM
    check.holds("width", 1 << (format.product_bits - 1) > largest)
    # In gates the group adds up these rows as they are.
    heap_sum(check, heap, whole=not refines and format.fabric is Fabric.GATES)


def _nvfp4(format: Format) -> Format:
    return formats.get("nvfp4", format.fabric)


def _circuit(format: Format) -> str:
    return export.rtlil(Subgroup(format), "top")


def _code(word: z3.BitVecRef, lane: int) -> z3.BitVecRef:
    return field(word, 4 * lane, 3)


def _signed(word: z3.BitVecRef, lane: int, magnitude: z3.BitVecRef) -> z3.BitVecRef:
    return z3.If(bit(word, 4 * lane + 3), -magnitude, magnitude)


def _halves(word: z3.BitVecRef, lane: int) -> z3.BitVecRef:
    return _signed(word, lane, table(_code(word, lane), E2M1_HALVES, BITS))


def _refined(word: z3.BitVecRef, lane: int) -> z3.BitVecRef:
    """Return an element in eighths, refined by the metadata if it is the top-1."""
    code = z3.ZeroExt(4, _code(word, lane)) << 2
    below = code + z3.ZeroExt(5, field(word, 32, 2)) - 1
    fine = z3.If(below < 0, z3.BitVecVal(0, 7), below)
    code = z3.If(is_top(word, lane), fine, code)
    return _signed(word, lane, table(code, E2M3_EIGHTHS, BITS))


PROOFS = [
    Proof(
        "subgroup dot product",
        "DecodeUnit, SubgroupDot",
        "For all codes, metadata and weights of M2XFP the two rows add up to the sum of the eight "
        "exact products plus 2^13; |sum| <= 4704.",
        COMPOSED,
        "none; the heap's lemma takes all bits of its operands as free",
        partial(subgroup, format=formats.get("m2xfp")),
        (
            "decode: top-1 is the last of equals",
            "decode: a step down from zero",
            "dot: 3 x 3 is 11",
            "dot: carry is an AND of two",
        ),
    ),
    Proof(
        "subgroup dot product, mxfp4",
        "SubgroupDot",
        "For all codes of MXFP4 and NVFP4 the two rows add up, as integers, to the sum of products "
        "plus 2^11; |sum| <= 1152.",
        COMPOSED,
        "none",
        partial(subgroup, format=formats.get("mxfp4")),
        ("dot: negation forgets to add one",),
    ),
    Proof(
        "subgroup dot product in LUTs",
        "DecodeUnit, SubgroupDot",
        "As in gates, one cycle later.",
        COMPOSED,
        "none; the heap's lemma takes all bits of its operands as free",
        partial(subgroup, format=formats.get("m2xfp", Fabric.LUTS)),
        (
            "carry chains: carry in of one operand only",
            "dot: 2.0 is looked up as 2.5",
        ),
    ),
    Proof(
        "subgroup dot product in LUTs, mxfp4",
        "SubgroupDot",
        "For all codes of MXFP4 and NVFP4 the two rows add up, modulo 2^12, to the sum of products "
        "plus 2^11, one cycle later.",
        COMPOSED,
        "none",
        partial(subgroup, format=formats.get("mxfp4", Fabric.LUTS)),
        ("carry chains: sum one bit short", "dot: inversion is all of a negation"),
    ),
]
