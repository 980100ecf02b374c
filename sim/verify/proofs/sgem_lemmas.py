"""The encoder of multipliers (Sg-EM) against the specification, in lemmas between its registers.

Let y = |x| / 2^E and s = n / 2^shift, the multiplier. The encoder keeps Y, an integer in units of
2^-f, eight codes a multiplier, the sums of H * H and of H * Y over the lanes (H is the value of a
code in halves) and a score a multiplier. Every lemma takes the registers before it as free, so
together they hold of the whole pipeline, one cycle after the other:

1. Magnitude: Y is y exactly, or 0 where y < 2^(b - f), b being the fraction bits of the type. All
   lanes are alike.
2. Codes: each is RNE(Y / s) by midpoints in integers. Where Y is not y, y is below the least
   midpoint of every multiplier (the spare value is farther still), and so its code is 0, as that
   of Y = 0 is. So codes are RNE(y / s), and where a code is not 0, Y is y.
3. Sums: each product is H * Y, and the registers take the exact sums over eight lanes.
4. Scores: each is 2^(f+shift) times the sum of q * (q - 2y), where q = s * H / 2.
5. Choice: the lowest index of the least score; its codes and the signs of the values leave.
6. Identity: sums of (q - y)^2 differ between multipliers by what sums of q * (q - 2y) differ.

So the multiplier is the lowest index of the least squared error.
"""

import z3

from hdl.quantizer.encode import SUBGROUP

from ..checker import Checker
from ..floats import in_group, scale_power
from ..terms import E2M1_HALVES, field, nearest, table
from .sgem_unit import BITS, Choices, Unit, total, wide
from .subgroup import alone


def magnitudes(check: Checker, unit: Unit) -> None:
    """Lemma 1, for one lane; and that the others do as it does."""
    kind, f = unit.float, unit.fraction
    value = field(unit.values, 0, kind.width)
    y = unit.magnitude(unit.next, 0)
    power, exact = scale_power(unit.largest), kind.magnitude(value)
    kept = z3.ZeroExt(exact.size() - y.size(), y) << power - f
    # 2^-f times 2^fraction_bits is 2^(2 - depth).
    faint = z3.ULT(exact, z3.BitVecVal(1, exact.size()) << power + kind.fraction_bits - f)
    finite = [kind.finite(value), in_group(exact, unit.largest)]
    check.prove("magnitude", z3.Or(kept == exact, z3.And(y == 0, faint)), *finite)
    check.prove("sign", (unit.sign(unit.next, 0, 1) == 1) == kind.sign(value))
    check.cover("largest", y == (1 << f + 3) - (1 << f + 2 - kind.fraction_bits), *finite)
    check.cover("not kept", y == 0, exact != 0, *finite)
    for lane in range(SUBGROUP):
        single = field(unit.values, lane * kind.width, kind.width)
        first = unit.model.step(unit.enabled(values=alone(single), largest=unit.largest), "first")
        like = [unit.magnitude(unit.next, lane) == unit.magnitude(first, 0)]
        like.append(unit.sign(unit.next, lane, 1) == unit.sign(first, 0, 1))
        like += [unit.code(unit.next, lane, k, 1) == unit.code(first, 0, k, 1) for k in range(4)]
        check.prove(f"lane {lane} is like the first", z3.And(like))


def codes(check: Checker, unit: Unit) -> None:
    """Lemma 2."""
    choices, y = unit.choices, wide(unit.magnitude(unit.next, 0))
    for k, n in enumerate(choices.numerators):
        code = unit.code(unit.next, 0, k, 1)
        grid = [n * half for half in choices.halves]
        places = z3.BitVecVal(unit.places, BITS)
        goal = nearest(field(code, 0, 3), y, places, grid[: len(E2M1_HALVES)])
        if choices.spare:
            far = [_distance(y, z3.BitVecVal(value << unit.places + 1, BITS)) for value in grid]
            positive = unit.sign(unit.next, 0, 1) == 0
            closer = [z3.And(positive, z3.ULT(far[8], other)) for other in far[:8]]
            plain = z3.And([z3.Implies(code == c, z3.Not(closer[c])) for c in range(8)])
            plain = z3.And(z3.ULT(code, 8), goal, plain)
            goal = z3.If(code == 8, z3.And(closer), plain)
        check.prove(f"code under multiplier {k}", goal)
        for reached, value in enumerate(grid):
            # Magnitudes are below 8, which is not far enough for 6 times 7/4.
            below = max((other for other in grid if other < value), default=0)
            if (below + value) << unit.places < 8 << unit.fraction:
                check.cover(f"code {reached} under multiplier {k}", code == reached)
        # Magnitudes that are not kept are below 2^(fraction_bits - f).
        faint = 1 << unit.float.fraction_bits
        check.holds("faint values are 0", n << unit.places >= faint, n)


def _distance(a: z3.BitVecRef, b: z3.BitVecRef) -> z3.BitVecRef:
    return z3.If(z3.UGE(a, b), a - b, b - a)


def sums(check: Checker, unit: Unit) -> None:
    """Lemma 3."""
    halves = unit.choices.halves
    for k in range(4):
        each = unit.codes(unit.now, k, 1)
        exist = unit.exist(each)
        squares = total([table(code, [h * h for h in halves], 8) for code in each])
        check.prove(f"squares {k}", wide(unit.get(unit.next, f"squares_{k}")) == squares, *exist)
        products = [unit.get(unit.now, f"product_{lane}_{k}") for lane in range(SUBGROUP)]
        for lane, (code, product) in enumerate(zip(each, products, strict=True)):
            y = wide(unit.magnitude(unit.now, lane))
            exact = z3.BitVecVal(0, BITS)
            for value, half in enumerate(halves):
                exact = z3.If(code == value, y * half, exact)
            check.prove(f"product {lane} {k}", wide(product) == exact, *unit.exist([code]))
        summed = wide(unit.get(unit.next, f"products_{k}"))
        check.prove(f"products {k}", summed == total(products))
    check.prove("codes", unit.get(unit.next, "codes_2") == unit.get(unit.now, "codes_1"))


def scores(check: Checker, unit: Unit) -> None:
    """Lemma 4."""
    for k, n in enumerate(unit.choices.numerators):
        names = f"squares_{k}", f"products_{k}"
        squares, products = (wide(unit.get(unit.now, name)) for name in names)
        inner, score = (
            z3.SignExt(BITS - value.size(), value)
            for value in (unit.get(unit.now, f"inner_{k}"), unit.get(unit.next, f"score_{k}"))
        )
        check.prove(f"score {k} over n", inner == (squares * n << unit.places) - products)
        check.prove(f"score {k}", score == inner * n)
        check.cover(f"a positive score {k}", score > 0)
        check.cover(f"a negative score {k}", score < 0)
    check.prove("codes", unit.get(unit.next, "codes_3") == unit.get(unit.now, "codes_2"))


def choice(check: Checker, unit: Unit) -> None:
    """Lemma 5."""
    chosen = unit.model.value(unit.now, "meta")
    each = [unit.get(unit.now, f"score_{k}") for k in range(4)]
    each = [z3.SignExt(BITS - score.size(), score) for score in each]
    for k, score in enumerate(each):
        least = [score < other for other in each[:k]] + [score <= other for other in each[k:]]
        check.prove(f"least score {k}", z3.And(least), chosen == k)
        check.cover(f"tie of {k}", chosen == k, score == each[-1])
    elements, nan = (unit.model.value(unit.now, name) for name in ("elements", "nan"))
    for k in range(4):
        for lane, code in enumerate(unit.codes(unit.now, k, 3)):
            sign = unit.sign(unit.now, lane, 3) & ~nan
            element = field(elements, 4 * lane, 4)
            expected = _nibble(unit.choices, sign, code)
            given = [chosen == k, *unit.exist([code])]
            check.prove(f"element {lane} under multiplier {k}", element == expected, *given)


def _nibble(choices: Choices, sign: z3.BitVecRef, code: z3.BitVecRef) -> z3.BitVecRef:
    """Return an element; with a spare code, zero has no sign, and its negative is the spare."""
    if not choices.spare:
        return z3.Concat(sign, code)
    plain = z3.Concat(sign, field(code, 0, 3))
    return z3.If(z3.Or(code == 0, code == 8), code, plain)


def waiting(check: Checker, unit: Unit) -> None:
    """Check that while the ranks do not move on, all registers keep what they have."""
    state = unit.model.drive(unit.now, enable=z3.BitVecVal(0, 1))
    later = unit.model.step(state, "later")
    names = [f"y_reg_{lane}" for lane in range(SUBGROUP)]
    names += [f"codes_{rank}" for rank in (1, 2, 3)]
    names += [f"{name}_{k}" for name in ("squares", "products", "score") for k in range(4)]
    for name in names:
        check.prove(f"{name} waits", unit.get(later, name) == unit.get(state, name))


def special(check: Checker, unit: Unit) -> None:
    """Check NaN groups and zeros, from values to elements."""
    elements, meta = _result(unit, unit.values, z3.BitVecVal(255, 8))
    check.prove("elements of a NaN group", elements == 0)
    check.prove("multiplier of a NaN group", meta == 0)
    signs = [z3.BitVec(f"sign_{lane}", 1) for lane in range(SUBGROUP)]
    nothing = z3.BitVecVal(0, unit.float.width - 1)
    zeros = z3.Concat([part for sign in reversed(signs) for part in (sign, nothing)])
    elements, meta = _result(unit, zeros, unit.largest)
    none = z3.BitVecVal(0, unit.choices.code_bits)
    expected = z3.Concat([_nibble(unit.choices, sign, none) for sign in reversed(signs)])
    check.prove("elements of zeros", elements == expected, unit.largest != 255)
    check.prove("multiplier of zeros", meta == 0)


def examples(check: Checker, unit: Unit) -> None:
    """Show for each multiplier values that it encodes without error, and no other does."""
    choices = unit.choices
    for k, n in enumerate(choices.numerators):
        halves = [1, 2, 3, 4, 6, -8, 0, choices.spare]
        # Magnitudes are below 8.
        halves = [h if abs(h) * n < 16 << choices.shift else 0 for h in halves]
        values = [unit.float.encode(h * n / (2 << choices.shift)) for h in halves]
        codes = [choices.halves.index(abs(h)) | (h < 0) << 3 for h in halves]
        elements, meta = _result(
            unit,
            z3.Concat([z3.BitVecVal(value, unit.float.width) for value in reversed(values)]),
            z3.BitVecVal(127 + 2, 8),
        )
        word = sum(code << 4 * lane for lane, code in enumerate(codes))
        check.cover(f"no error with multiplier {k}", meta == k, elements == word)


def _result(
    unit: Unit, values: z3.BitVecRef, largest: z3.BitVecRef
) -> tuple[z3.BitVecRef, z3.BitVecRef]:
    """Return the elements and the metadata of values that pass all ranks."""
    enable = dict.fromkeys(range(4), z3.BitVecVal(1, 1))
    inputs = {"values": {0: values}, "largest": {0: largest}, "enable": enable}
    state = unit.model.pipeline(inputs, 3)
    return unit.model.value(state, "elements"), unit.model.value(state, "meta")


def identity(check: Checker, unit: Unit) -> None:
    """Lemma 6, by expanding polynomials: a score is the error but for what all have in common."""
    halves, exact = (z3.Reals([f"{name}_{lane}" for lane in range(SUBGROUP)]) for name in "hy")
    f, shift = unit.fraction, unit.choices.shift
    for k, n in enumerate(unit.choices.numerators):
        errors = [
            (z3.Q(n, 2 << shift) * h - y) ** 2 - y * y for h, y in zip(halves, exact, strict=True)
        ]
        squares = sum(h * h for h in halves)
        products = sum(h * y * (1 << f) for h, y in zip(halves, exact, strict=True))
        score = n * ((n << unit.places) * squares - products)
        rest = z3.simplify(sum(errors) * (1 << f + shift) - score, som=True)
        check.holds(f"error of multiplier {k}", rest.eq(z3.RealVal(0)), rest)
