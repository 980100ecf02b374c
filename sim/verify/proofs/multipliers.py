"""Subgroup dot product and group sum of M2XFP-SG against the naive sums."""

from functools import partial

import z3

from hdl import dot, formats
from hdl.formats import Format, m2xfp_sg

from ..checker import Checker
from ..cuts import HeapCut
from ..model import Model
from ..terms import E2M1_HALVES, bit, field, table
from .accumulator import term_rounding
from .dot import BITS, Group, Subgroup, heap_sum, integer, within
from .proof import BIT_VECTORS, COMPOSED, Proof

#: Transcribed from docs/m2xfp_sg.md: numerators by index, values of nibble 8 in units of 1/2.
ACTIVATIONS, WEIGHTS = (4, 5, 3, 1), (8, 7, 6, 5)
SPARE = {"m2xfp_sg": (0, 0), "m2xfp_sg_spare": (14, 10)}

#: Largest subgroup sum in units of 1/4.
LARGEST_SUM = {"m2xfp_sg": 8 * 12 * 12, "m2xfp_sg_spare": 8 * 14 * 12}

#: Terms of both multipliers as the bits of `ActivationMultiplier` and `WeightMultiplier`, by index.
TERMS = {
    "activation": (3, (0b001, 0b101, 0b110, 0b100), ACTIVATIONS),
    "weight": (4, (0b0000, 0b0010, 0b0101, 0b1001), WEIGHTS),
}


def subgroup(check: Checker, format: Format) -> None:
    """Check that each lane is the page's product, and that the rows are their sum."""
    cut = HeapCut(m2xfp_sg, lambda: Subgroup(format))
    model = Model(cut)
    encoded = z3.BitVec("encoded", model.inputs["encoded"])
    weight = z3.BitVec("weight", model.inputs["weight"])
    state = model.drive(model.fresh("dot"), encoded=encoded, weight=weight)
    largest = LARGEST_SUM[format.name]
    for lane, operand in enumerate(cut.operands):
        added = integer(model.value(state, f"operand_{lane}"), operand)
        words = zip((encoded, weight), SPARE[format.name], strict=True)
        x, w = (_value(word, lane, spare) for word, spare in words)
        check.prove(f"product of lane {lane}", added == x * w)
        check.prove(f"bound of lane {lane}", within(x * w, largest // 8))
        check.cover(f"bound of lane {lane}", x * w == largest // 8)
    check.holds("lanes", len(cut.operands) == format.subgroup)
    check.holds("offset", cut.constant == 0, cut.constant)
    check.holds("width", 1 << (cut.width - 1) > largest)
    heap = [z3.BitVec(f"heap_{index}", cut.width) for index in range(2)]
    state = model.drive(state, heap_0=heap[0], heap_1=heap[1])
    rows = model.value(state, "rows")
    total = field(rows, 0, cut.width) + field(rows, cut.width, cut.width)
    check.prove("rows", total == heap[0] + heap[1] + (1 << (cut.width - 1)))
    heap_sum(check, cut)


def group(check: Checker, format: Format) -> None:
    """Check that the group sum is that of na * nw times each subgroup's, without overflow."""
    cut = HeapCut(dot, lambda: Group(format))
    model = Model(cut)
    width, largest = format.product_bits, LARGEST_SUM[format.name]
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
    for index, row in enumerate(rows):
        total = field(row, 0, width) + field(row, width, width) - (1 << (width - 1))
        total = z3.SignExt(BITS - width, total)
        na, nw = (_numerator(side, part(side, "multipliers"), index) for side in TERMS)
        mine = range(index * each, (index + 1) * each)
        scaled = sum(integer(model.value(added, f"operand_{i}"), cut.operands[i]) for i in mine)
        reachable = z3.And(within(total, largest), na != 0, nw != 0)
        check.prove(f"na * nw times subgroup {index}", scaled == na * nw * total, reachable)
        check.prove(f"bound {index}", within(scaled, 40 * largest), reachable)
        check.cover(f"bound {index}", scaled == -40 * largest, reachable)
    # No sum of these wraps around, and the heap's rows add up to it modulo its range.
    check.holds("width of the group sum", 1 << (cut.width - 1) > 4 * 40 * largest)
    check.holds("offset", cut.constant % (1 << cut.width) == 0, cut.constant)
    heap_sum(check, cut)

    term = model.value(done, "term")
    check.prove("group sum", field(term, 0, cut.width) == heap[0] + heap[1])
    scales = [part(side, "scale") for side in operands]
    nan = z3.Or(*(scale == 255 for scale in scales))
    left, right = (z3.ZeroExt(1, scale) for scale in scales)
    exponent = field(term, cut.width, format.exponent_bits)
    check.prove("sum of the scales", exponent == left + right, z3.Not(nan))
    check.prove("NaN", bit(term, cut.width + format.exponent_bits) == nan)
    check.cover("largest exponent", exponent == 508, z3.Not(nan))


def _numerator(side: str, terms: z3.BitVecRef, index: int) -> z3.BitVecRef:
    """Return the numerator of a subgroup; 0 for terms that no index is decoded to."""
    width, patterns, numerators = TERMS[side]
    mine = field(terms, width * index, width)
    chosen = z3.BitVecVal(0, BITS)
    for pattern, numerator in zip(patterns, numerators, strict=True):
        chosen = z3.If(mine == pattern, z3.BitVecVal(numerator, BITS), chosen)
    return chosen


def _value(word: z3.BitVecRef, lane: int, spare: int) -> z3.BitVecRef:
    """Return an element in units of 1/2."""
    magnitude = table(field(word, 4 * lane, 3), E2M1_HALVES, BITS)
    signed = z3.If(bit(word, 4 * lane + 3), -magnitude, magnitude)
    return z3.If(field(word, 4 * lane, 4) == 8, z3.BitVecVal(spare, BITS), signed)


def _proofs(name: str, bounds: tuple[int, int]) -> list[Proof]:
    """Return the proofs of a variant of M2XFP-SG; bounds of subgroup and group sums."""
    format = formats.get(name)
    spare = name == "m2xfp_sg_spare"
    return [
        Proof(
            f"subgroup dot product, {name}",
            "SubgroupDot",
            f"For all codes of {name} the two rows add up to the sum of products plus 2^11; "
            f"|sum| <= {bounds[0]}.",
            COMPOSED,
            "none",
            partial(subgroup, format=format),
            ("M2XFP-SG spare code: 7 * 5 is 3",) if spare else ("dot: 3 x 3 is 11",),
        ),
        Proof(
            f"group sum, {name}",
            "GroupDot",
            f"The significand is the sum of na * nw times the subgroup sums, |sum| <= {bounds[1]} "
            "< 2^18; the exponent is the sum of the scale codes; NaN if either is 255.",
            COMPOSED,
            "subgroup sums within their bound, as proved; multipliers are among the four of each "
            "side that decoding gives",
            partial(group, format=format),
            ("M2XFP-SG: 4 + 1 for 2 + 1", "M2XFP-SG: no carry of -1"),
        ),
        Proof(
            f"term rounding, {name}",
            "Fp32Accumulator",
            "The rounded term is RNE_fp32(S * 2^(e - 261)) for every 19-bit S and 9-bit e, or NaN.",
            BIT_VECTORS
            + "; the oracle shifts a wide integer and compares what is dropped with a half",
            "none",
            partial(term_rounding, format=format),
            ("accumulator: subnormal term truncated",),
        ),
    ]


PROOFS = [
    *_proofs("m2xfp_sg", (1152, 184320)),
    *_proofs("m2xfp_sg_spare", (1344, 215040)),
]
