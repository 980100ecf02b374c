from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Value

from ..bits import named


def largest(m: Module, values: Sequence[Value], name: str = "largest") -> Value:
    """Return the largest of several numbers of equal width, by a tree of pairs.

    Every node works from the top bit down and hands each bit on as soon as it is known, so the
    delay of the tree is that of one comparison plus a gate or two a level.

    Parameters
    ----------
    values
        At least one value.
    """
    level = 0
    while len(values) > 1:
        pairs = zip(values[::2], values[1::2], strict=False)
        winners = [_larger(m, f"{name}_{level}_{i}", a, b) for i, (a, b) in enumerate(pairs)]
        values = winners + list(values[2 * len(winners) :])
        level += 1
    return values[0]


def _larger(m: Module, name: str, a: Value, b: Value) -> Value:
    """Return the larger of two numbers; one is out once it lacks a bit that the other has."""
    a_out = b_out = Const(0, 1)
    bits = []
    for i in reversed(range(len(a))):
        bit = named(m, f"{name}_{i}", (a[i] & ~a_out) | (b[i] & ~b_out))
        bits.insert(0, bit)
        a_out = named(m, f"{name}_a_out_{i}", a_out | (bit & ~a[i]))
        b_out = named(m, f"{name}_b_out_{i}", b_out | (bit & ~b[i]))
    return Cat(*bits)


def at_least_two(m: Module, exponent: Value) -> Value:
    """Return an exponent raised to 2 if it is less: scale codes end at 0 (format spec, 5)."""
    low = named(m, "low", ~exponent[1:].any())
    return named(m, "reference", Cat(exponent[0] & ~low, exponent[1] | low, exponent[2:]))


def distance(m: Module, reference: Value, exponent: Value, nan: Value, name: str) -> Value:
    """Return how far an exponent is below a reference that is no less: 0 to 6, or 7 for more.

    In a NaN group it is 7 throughout, which makes zeros of all elements.

    From the top bit down to bit 3 the difference so far is 0, 1 or too large; the low bits then
    need a subtraction of three bits only.
    """
    same, one_less = Const(1, 1), Const(0, 1)
    for i in reversed(range(3, len(exponent))):
        same, one_less = (
            named(m, f"{name}_same_{i}", same & (exponent[i] | ~reference[i])),
            named(
                m,
                f"{name}_less_{i}",
                (same & reference[i] & ~exponent[i]) | (one_less & ~reference[i] & exponent[i]),
            ),
        )
    difference = named(m, f"{name}_low", (reference[:3] - exponent[:3])[:4])
    near = same | (one_less & difference[3])
    far = named(m, f"{name}_far", ~near | nan)
    return difference[:3] | far.replicate(3)
