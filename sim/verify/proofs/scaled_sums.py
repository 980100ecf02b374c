"""Group sums of the formats without multipliers of subgroups: MXFP4 and NVFP4."""

from functools import partial

import z3

from hdl import formats
from hdl.fabric import Fabric
from hdl.formats import Format

from ..checker import Checker
from ..terms import bit, field
from .dot import LARGEST_PLAIN_SUM
from .groups import SIDES, GroupRun, e8m0_scales, group_sum
from .heaps import BITS, heap_sum, within
from .proof import COMPOSED, Proof

#: Significands of two E4M3 scales, at most: 15 / 8 each, in units of 1/64.
LARGEST_PRODUCT = 15 * 15
#: Bits of a product of two E4M3 scales in units of 2**-20 and of whatever is compared with it.
_EXACT = 48


def mxfp4(check: Checker, format: Format) -> None:
    """Check that the significand is the sum of the subgroup sums, without overflow."""
    run = GroupRun(format)
    _subgroups(check, run, 0, format)
    group_sum(check, run, format.subgroups * LARGEST_PLAIN_SUM)
    e8m0_scales(check, run)


def nvfp4(check: Checker, format: Format) -> None:
    """Check that significand and exponent are the sum times both E4M3 scales, or NaN."""
    run = GroupRun(format)
    outer, inner = run.heaps
    largest = format.subgroups * LARGEST_PLAIN_SUM
    _subgroups(check, run, 1, format)
    check.holds("width of the plain sum", 1 << (inner.width - 1) > largest)
    heap_sum(check, inner)

    total = z3.SignExt(BITS - inner.width, run.sum(1, 1 + format.fabric.cut))
    scales = [field(run.part(side, "scale"), 0, 7) for side in SIDES]
    left, right = (z3.ZeroExt(BITS - 4, _significand(scale)) for scale in scales)
    product, added = left * right, run.added(0, run.cycle)
    nan = z3.Or(*(scale == 127 for scale in scales))
    finite = [z3.Not(nan), within(total, largest)]
    # Times an integer is times the powers of two that it is the sum of.
    check.holds("bits of the product", 1 << len(added) > LARGEST_PRODUCT)
    check.prove("bits of the product", z3.ULE(product, LARGEST_PRODUCT), *finite)
    for index, term in enumerate(added):
        expected = z3.If(bit(product, index), total << index, z3.BitVecVal(0, BITS))
        check.prove(f"sum times bit {index} of the product", term == expected, *finite)
    check.cover("bound", sum(added) == -largest * LARGEST_PRODUCT, *finite)
    check.holds("offset", outer.constant == 0, outer.constant)
    group_sum(check, run, largest * LARGEST_PRODUCT)

    _, exponent, is_nan = run.fields()
    wide = z3.ZeroExt(_EXACT - BITS, product)
    # The unit of the exponent is 2**-22, with that of the sum, 1/4, and the scales' is 2**-20.
    got = wide << z3.ZeroExt(_EXACT - format.exponent_bits, exponent)
    exact = 4 * _units(scales[0]) * _units(scales[1])
    check.prove("product of the scales", got == exact, z3.Not(nan))
    check.prove("NaN", is_nan == nan)
    check.cover("subnormal scales", exact == 4 * 7 * 7, z3.Not(nan))
    check.cover("the largest scales", exact == 4 * (448 << 9) ** 2, z3.Not(nan))


def _subgroups(check: Checker, run: GroupRun, number: int, format: Format) -> None:
    """Check that in a heap the subgroup sums are added, and no more."""
    totals = [run.total(index) for index in range(format.subgroups)]
    reachable = [within(total, LARGEST_PLAIN_SUM) for total in totals]
    width = format.product_bits
    if format.fabric is Fabric.GATES:
        # The rows' carry is not dropped, so that their sum must not have one, as is proved.
        for row, total in zip(run.rows, totals, strict=True):
            rows = [z3.ZeroExt(BITS - width, field(row, start, width)) for start in (0, width)]
            reachable.append(rows[0] + rows[1] == total + (1 << (width - 1)))
    added = sum(run.added(number, 1 + format.fabric.cut)) + run.heaps[number].constant
    check.prove("sum of the subgroups", added == sum(totals), *reachable)
    largest = format.subgroups * LARGEST_PLAIN_SUM
    check.cover("the least sum", added == -largest, *reachable)


def _significand(code: z3.BitVecRef) -> z3.BitVecRef:
    """Return the significand of an E4M3 code without its sign, in units of 1/8."""
    hidden = z3.If(field(code, 3, 4) == 0, z3.BitVecVal(0, 1), z3.BitVecVal(1, 1))
    return z3.Concat(hidden, field(code, 0, 3))


def _units(code: z3.BitVecRef) -> z3.BitVecRef:
    """Return an E4M3 code without its sign in units of 2**-9, the least.

    It is (1 + m / 8) * 2**(e - 7), or m / 8 * 2**-6 where e is 0.
    """
    exponent = z3.ZeroExt(_EXACT - 4, field(code, 3, 4))
    fraction = z3.ZeroExt(_EXACT - 3, field(code, 0, 3))
    return z3.If(exponent == 0, fraction, (8 + fraction) << (exponent - 1))


def _proofs(fabric: Fabric) -> list[Proof]:
    """Return the proofs of both formats in one fabric."""
    luts = fabric is Fabric.LUTS
    where = " in LUTs" if luts else ""
    rows = "" if luts else "; rows that add up to them as integers, as proved"
    return [
        Proof(
            f"group sum{where}, mxfp4",
            "GroupDot",
            "The significand is the sum of the subgroup sums, |sum| <= 4608 < 2^13; the exponent "
            "is the sum of the scale codes; NaN if either is 255.",
            COMPOSED,
            "subgroup sums within 1152" + rows,
            partial(mxfp4, format=formats.get("mxfp4", fabric)),
            ("MXFP4: carry of the scales is lost", "MXFP4: offset of the rows stays"),
        ),
        Proof(
            f"group sum{where}, nvfp4",
            "GroupDot",
            "Significand times 2^(exponent - 22) is the exact sum, in units of 1/4, times both "
            "E4M3 scales, subnormal ones included, |significand| <= 518400 < 2^19; NaN if either "
            "is code 127; the sign bit of a scale is not looked at.",
            COMPOSED,
            "subgroup sums within 1152" + rows,
            partial(nvfp4, format=formats.get("nvfp4", fabric)),
            ("NVFP4: sum of the next group", "carry chains: sum one bit short")
            if luts
            else (
                "NVFP4: a subnormal scale has a hidden bit",
                "NVFP4: a subnormal scale is half of that",
                "NVFP4: NaN of the activations only",
            ),
        ),
    ]


PROOFS = [*_proofs(Fabric.GATES), *_proofs(Fabric.LUTS)]
