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
    return named(m, "winner", first(m, candidates)), Cat(*bits)


def first(m: Module, candidates: Value) -> Value:
    """Return the lowest set bit alone, by a prefix tree."""
    before = [Const(0, 1), *candidates[:-1]]
    reach = 1
    while reach < len(before):
        before = [
            named(m, f"before_{reach}_{i}", bit | before[i - reach]) if i >= reach else bit
            for i, bit in enumerate(before)
        ]
        reach *= 2
    return candidates & ~Cat(*before)


def select(one_hot: Value, values: Sequence[Value]) -> Value:
    """Return the value whose bit is set."""
    selected = 0
    for enable, value in zip(one_hot, values, strict=True):
        selected |= value & enable.replicate(len(value))
    return selected
