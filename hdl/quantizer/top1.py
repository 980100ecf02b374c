from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Value, unsigned

from ..bits import named


def top_one(m: Module, codes: Sequence[Value]) -> tuple[Value, Value]:
    """Find the largest of several codes, the lowest index among equals.

    By elimination: from the top bit down, keep the candidates that have the bit if any has.

    Returns
    -------
    winner : Value
        One-hot.
    code : Value
        The largest code.
    """
    candidates = Const(-1, unsigned(len(codes)))
    bits = []
    for bit in reversed(range(len(codes[0]))):
        column = Cat(code[bit] for code in codes)
        present = named(m, f"present_{bit}", (candidates & column).any())
        bits.insert(0, present)
        kept = candidates & (column | ~present.replicate(len(codes)))
        candidates = named(m, f"candidates_{bit}", kept)
    return named(m, "winner", lowest(candidates)), Cat(*bits)


def lowest(candidates: Value) -> Value:
    """Return the lowest set bit alone."""
    return Cat(bit & ~candidates[:i].any() for i, bit in enumerate(candidates))


def select(one_hot: Value, values: Sequence[Value]) -> Value:
    """Return the value whose bit is set."""
    selected = 0
    for enable, value in zip(one_hot, values, strict=True):
        selected |= value & enable.replicate(len(value))
    return selected
