"""Decode unit, subgroup dot product and group sum against the naive sums."""

from functools import partial

import z3
from amaranth.hdl import Fragment, Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl import dot, formats
from hdl.bit_heap import BitHeap
from hdl.decode import DecodeUnit
from hdl.dot import GroupDot, SubgroupDot
from hdl.formats import Format

from ..checker import Checker
from ..cuts import HeapCut, Stub, replaced
from ..diagrams import Operand, Sums
from ..model import Model
from ..terms import E2M1_HALVES, E2M3_EIGHTHS, bit, field, is_top, table
from .proof import COMPOSED, Proof

#: Bits of the terms that integers are compared in: more than any of them needs.
BITS = 24
#: Largest subgroup sum in units of 1/16: one refined element of 7.0 and seven of 6.0 times 6.0.
LARGEST_SUM = 56 * 12 + 7 * 48 * 12
#: Largest group sum in units of 1/64, with the multiplier 7/4.
LARGEST_GROUP = 4 * 7 * LARGEST_SUM


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


class _Heap(wiring.Component):
    """A bit heap of free operands."""

    def __init__(self, cut: HeapCut):
        self._cut = cut
        super().__init__(
            {
                **{f"operand_{i}": In(o.width) for i, o in enumerate(cut.operands)},
                "heap_0": Out(cut.width),
                "heap_1": Out(cut.width),
            }
        )

    def elaborate(self, platform):
        """Add the operands in the order in which the component added its own."""
        m = Module()
        heap = BitHeap(m, self._cut.width)
        for index, (operand, options) in enumerate(
            zip(self._cut.operands, self._cut.options, strict=True)
        ):
            value = getattr(self, f"operand_{index}")
            heap.add(value.as_signed() if operand.signed else value, operand.position, **options)
        heap.add_constant(self._cut.constant)
        for row, value in zip((self.heap_0, self.heap_1), heap.rows(), strict=True):
            m.d.comb += row.eq(value)
        return m


def heap_sum(check: Checker, cut: HeapCut) -> None:
    """Check that the rows of a component's heap add up to its operands, whatever these are."""
    sums = Sums(cut.operands)
    model = Model(_Heap(cut))
    operands = {f"operand_{index}": term for index, term in enumerate(sums.terms())}
    state = model.drive(model.fresh("heap"), **operands)
    rows = [model.value(state, f"heap_{index}") for index in range(2)]
    check.holds("sum of the heap's rows", sums.equal(rows, cut.constant))


def subgroup(check: Checker, format: Format) -> None:
    """Check that each lane, decoded and multiplied, is the specification's product."""
    cut = HeapCut(dot, lambda: Subgroup(format))
    model = Model(cut)
    encoded = z3.BitVec("encoded", model.inputs["encoded"])
    weight = z3.BitVec("weight", model.inputs["weight"])
    state = model.drive(model.fresh("dot"), encoded=encoded, weight=weight)
    added = [
        integer(model.value(state, f"operand_{index}"), operand)
        for index, operand in enumerate(cut.operands)
    ]
    refines = format.name == "m2xfp"
    unit = 4 if refines else 1  # of an E2M1 product: quarters in sixteenths
    first, corrections = added[: format.subgroup], added[format.subgroup :]
    products, refined = [], []
    for lane, operand in enumerate(first):
        x, w = (_halves(word, lane) for word in (encoded, weight))
        products.append(x * w * unit)
        check.prove(f"product of lane {lane}", operand == products[-1])
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
    check.cover("the largest plain product", products[0] == 12 * 12 * unit)
    # The rows stand for the sum plus half of their range.
    check.holds("offset", cut.constant == 1 << (format.product_bits - 1), cut.constant)
    rows = [z3.BitVec(f"row{index}", cut.width) for index in range(2)]
    state = model.drive(state, heap_0=rows[0], heap_1=rows[1])
    check.prove("rows", model.value(state, "rows") == z3.Concat(*reversed(rows)))
    check.holds("width", 1 << (format.product_bits - 1) > LARGEST_SUM or not refines)
    heap_sum(check, cut)


def group(check: Checker) -> None:
    """Check that M2XFP's group sum is that of (4 + k) times each subgroup's, without overflow."""
    format = formats.get("m2xfp")
    cut = HeapCut(dot, lambda: Group(format))
    model = Model(cut)
    width = format.product_bits
    rows = [z3.BitVec(f"rows_{index}", 2 * width) for index in range(format.subgroups)]
    heap = [z3.BitVec(f"heap_{index}", cut.width) for index in range(2)]
    operands = {
        side: [z3.BitVec(f"{side}_{cycle}", model.inputs[side]) for cycle in range(3)]
        for side in ("activation", "weight")
    }
    inputs = {f"rows_{index}": {0: value} for index, value in enumerate(rows)}
    inputs |= {f"heap_{index}": {1: value} for index, value in enumerate(heap)}
    inputs |= {side: dict(enumerate(words)) for side, words in operands.items()}
    added = model.pipeline(inputs, 1)
    done = model.pipeline(inputs, format.dot_latency)

    def part(side: str, name: str) -> z3.BitVecRef:
        """Return a part of an operand, which trails the elements by its own delay."""
        place = getattr(format, side)[name]
        return field(operands[side][format.delays[name]], place.offset, place.width)

    each = len(cut.operands) // format.subgroups
    scaled = []
    for index, row in enumerate(rows):
        total = field(row, 0, width) + field(row, width, width) - (1 << (width - 1))
        total = z3.SignExt(BITS - width, total)
        k = z3.ZeroExt(BITS - 2, field(part("weight", "multipliers"), 2 * index, 2))
        mine = range(index * each, (index + 1) * each)
        terms = [integer(model.value(added, f"operand_{i}"), cut.operands[i]) for i in mine]
        reachable = within(total, LARGEST_SUM)
        check.prove(f"(4 + k) times subgroup {index}", sum(terms) == (4 + k) * total, reachable)
        check.prove(f"bound {index}", within(sum(terms), LARGEST_GROUP // 4), reachable)
        check.cover(f"bound {index}", sum(terms) == -LARGEST_GROUP // 4, reachable)
        scaled.append(terms)
    # No sum of these wraps around, and the heap's rows add up to it modulo its range.
    check.holds("width of the group sum", 1 << (cut.width - 1) > LARGEST_GROUP)
    check.holds("offset", cut.constant % (1 << cut.width) == 0, cut.constant)
    heap_sum(check, cut)

    term = model.value(done, "term")
    check.prove("group sum", field(term, 0, cut.width) == heap[0] + heap[1])
    scales = [part(side, "scale") for side in operands]
    nan = z3.Or(*(scale == 255 for scale in scales))
    exponent = field(term, cut.width, format.exponent_bits)
    left, right = (z3.ZeroExt(1, scale) for scale in scales)
    check.prove("sum of the scales", exponent == left + right, z3.Not(nan))
    check.prove("NaN", bit(term, cut.width + format.exponent_bits) == nan)
    check.cover("largest exponent", exponent == 508, z3.Not(nan))


class Group(wiring.Component):
    """A group dot product around its subgroups, whose rows are inputs."""

    def __init__(self, format: Format):
        self._format = format
        rows = data.ArrayLayout(format.product_bits, 2)
        members = {f"rows_{index}": In(rows) for index in range(format.subgroups)}
        super().__init__(members | dict(GroupDot(format).signature.members))

    def elaborate(self, platform):
        """Elaborate the group with a stub for each subgroup."""
        m = Module()
        stubs = []

        def make_stub(format):
            stubs.append(Stub(SubgroupDot(format)))
            return stubs[-1]

        with replaced(dot, "SubgroupDot", make_stub):
            unit = GroupDot(self._format)
            m.submodules.unit = Fragment.get(unit, platform)
        for index, stub in enumerate(stubs):
            m.d.comb += stub.rows.eq(getattr(self, f"rows_{index}"))
        m.d.comb += [
            unit.activation.eq(self.activation),
            unit.weight.eq(self.weight),
            self.term.eq(unit.term),
        ]
        return m


def integer(value: z3.BitVecRef, operand: Operand) -> z3.BitVecRef:
    """Return what an operand adds to a heap, as a wide integer."""
    extend = z3.SignExt if operand.signed else z3.ZeroExt
    return extend(BITS - operand.width, value) << operand.position


def within(value: z3.BitVecRef, bound: int) -> z3.BoolRef:
    """Return whether a signed value is at most a bound in magnitude."""
    return z3.And(value <= bound, value >= -bound)


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
        "For all codes of MXFP4 and NVFP4 the two rows add up to the sum of products plus 2^11.",
        COMPOSED,
        "none",
        partial(subgroup, format=formats.get("mxfp4")),
        ("dot: negation forgets to add one",),
    ),
    Proof(
        "group sum",
        "GroupDot",
        "The significand is the sum of (4 + k) times the subgroup sums, |sum| <= 131712 < 2^18; "
        "the exponent is the sum of the scale codes; NaN if either is 255.",
        COMPOSED,
        "subgroup sums within 4704, as proved",
        group,
        ("group: multiplier bits swapped", "group: scale of another cycle"),
    ),
]
