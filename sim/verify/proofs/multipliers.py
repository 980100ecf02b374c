"""Subgroup dot product and group sum of M2XFP-SG against the naive sums."""

from functools import partial

import z3

from hdl import formats
from hdl.fabric import Fabric
from hdl.formats import Format

from ..checker import Checker
from ..cuts import HeapCut
from ..model import Model
from ..terms import E2M1_HALVES, bit, field, table
from .dot import Subgroup
from .groups import GroupRun, e8m0_scales, group_sum
from .heaps import BITS, heap_sum, integer, within
from .proof import COMPOSED, Proof

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
    cut = HeapCut(lambda: Subgroup(format))
    model = Model(cut)
    encoded = z3.BitVec("encoded", model.inputs["encoded"])
    weight = z3.BitVec("weight", model.inputs["weight"])
    names = [[f"heap_{number}_row_{i}" for i in range(2)] for number in range(len(cut.heaps))]
    rows = [[z3.BitVec(name, model.inputs[name]) for name in pair] for pair in names]
    free = {str(row): row for pair in rows for row in pair}
    state = model.drive(model.fresh("dot"), encoded=encoded, weight=weight, **free)
    largest = LARGEST_SUM[format.name]
    # In gates the products have a heap of their own, whose sum goes to that of the rows.
    *outer, products = range(len(cut.heaps))
    heap = cut.heaps[products]
    for lane, operand in enumerate(heap.operands):
        added = integer(model.value(state, f"heap_{products}_operand_{lane}"), operand)
        words = zip((encoded, weight), SPARE[format.name], strict=True)
        x, w = (_value(word, lane, spare) for word, spare in words)
        check.prove(f"product of lane {lane}", added == x * w)
        check.prove(f"bound of lane {lane}", within(x * w, largest // 8))
        check.cover(f"bound of lane {lane}", x * w == largest // 8)
    check.holds("lanes", len(heap.operands) == format.subgroup)
    check.holds("width", 1 << (heap.width - 1) > largest)
    for number in outer:
        check.holds("one operand", len(cut.heaps[number].operands) == 1)
        added = model.value(state, f"heap_{number}_operand_0")
        check.prove("sum of the products", added == rows[products][0] + rows[products][1])
    constants = [each.constant for each in cut.heaps]
    check.holds("offset", sum(constants) == 1 << (heap.width - 1), constants)
    check.prove("rows", model.value(state, "rows") == z3.Concat(rows[0][1], rows[0][0]))
    for each in cut.heaps:
        heap_sum(check, each)


def group(check: Checker, format: Format) -> None:
    """Check that the group sum is that of na * nw times each subgroup's, without overflow."""
    run = GroupRun(format)
    (heap,) = run.heaps
    largest, added = LARGEST_SUM[format.name], run.added(0, run.cycle)
    each = len(added) // format.subgroups
    for index in range(format.subgroups):
        total = run.total(index)
        na, nw = (_numerator(side, run.part(side, "multipliers"), index) for side in TERMS)
        scaled = sum(added[index * each : (index + 1) * each])
        reachable = z3.And(within(total, largest), na != 0, nw != 0)
        check.prove(f"na * nw times subgroup {index}", scaled == na * nw * total, reachable)
        check.prove(f"bound {index}", within(scaled, 40 * largest), reachable)
        check.cover(f"bound {index}", scaled == -40 * largest, reachable)
    check.holds("all are added", len(added) == each * format.subgroups)
    check.holds("offset", heap.constant % (1 << heap.width) == 0, heap.constant)
    group_sum(check, run, 4 * 40 * largest)
    e8m0_scales(check, run)


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


def _proofs(name: str, bounds: tuple[int, int], fabric: Fabric) -> list[Proof]:
    """Return the proofs of a variant of M2XFP-SG; bounds of subgroup and group sums."""
    format = formats.get(name, fabric)
    spare, luts = name == "m2xfp_sg_spare", fabric is Fabric.LUTS
    where = " in LUTs" if luts else ""
    return [
        Proof(
            f"subgroup dot product{where}, {name}",
            "SubgroupDot",
            f"For all codes of {name} the two rows add up to the sum of products plus 2^11; "
            f"|sum| <= {bounds[0]}.",
            COMPOSED,
            "none",
            partial(subgroup, format=format),
            ("M2XFP-SG spare code: 7 * 5 is 3",) if spare else ("dot: 3 x 3 is 11",),
        ),
        Proof(
            f"group sum{where}, {name}",
            "GroupDot",
            f"The significand is the sum of na * nw times the subgroup sums, |sum| <= {bounds[1]} "
            "< 2^18; the exponent is the sum of the scale codes; NaN if either is 255.",
            COMPOSED,
            "subgroup sums within their bound, as proved; multipliers are among the four of each "
            "side that decoding gives",
            partial(group, format=format),
            ("LUTs: multiplier of the next weights",)
            if luts
            else (
                "M2XFP-SG: 4 + 1 for 2 + 1",
                "M2XFP-SG: no carry of -1",
                "M2XFP-SG: multipliers of other rows",
            ),
        ),
    ]


PROOFS = [
    proof
    for fabric in Fabric
    for name, bounds in {"m2xfp_sg": (1152, 184320), "m2xfp_sg_spare": (1344, 215040)}.items()
    for proof in _proofs(name, bounds, fabric)
]
