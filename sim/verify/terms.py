"""Words of the format specification as z3 terms: tables and the rule of rounding."""

from collections.abc import Sequence

import z3

__all__ = [
    "E2M1_HALVES",
    "E2M3_EIGHTHS",
    "bit",
    "field",
    "is_top",
    "least",
    "nearest",
    "table",
    "wide",
]

#: Transcribed from the format specification, section 1; not taken from the code under test.
E2M1_HALVES = (0, 1, 2, 3, 4, 6, 8, 12)
E2M3_EIGHTHS = (*range(16), *range(16, 32, 2), *range(32, 64, 4))


def field(word: z3.BitVecRef, offset: int, width: int) -> z3.BitVecRef:
    """Return ``width`` bits of a word from bit ``offset`` up."""
    return z3.Extract(offset + width - 1, offset, word)


def bit(word: z3.BitVecRef, index: int) -> z3.BoolRef:
    """Return whether a bit is set."""
    return field(word, index, 1) == 1


def wide(word: z3.BitVecRef, width: int) -> z3.BitVecRef:
    """Return a number without sign in more bits."""
    return z3.ZeroExt(width - word.size(), word)


def least(word: z3.BitVecRef, most: int) -> z3.BitVecRef:
    """Return a number without sign, but at most some other."""
    return z3.If(z3.ULT(word, most), word, z3.BitVecVal(most, word.size()))


def table(index: z3.BitVecRef, values: Sequence[int], width: int) -> z3.BitVecRef:
    """Return ``values[index]``; the last one for larger indices."""
    chosen = z3.BitVecVal(values[-1], width)
    for position in reversed(range(len(values) - 1)):
        chosen = z3.If(index == position, z3.BitVecVal(values[position], width), chosen)
    return chosen


def is_top(elements: z3.BitVecRef, lane: int) -> z3.BoolRef:
    """Return whether an element of a subgroup has the largest code, and none before it the same."""
    codes = [field(elements, 4 * other, 3) for other in range(8)]
    before = [z3.ULT(other, codes[lane]) for other in codes[:lane]]
    after = [z3.ULE(other, codes[lane]) for other in codes[lane + 1 :]]
    return z3.And(*before, *after)


def nearest(
    code: z3.BitVecRef, magnitude: z3.BitVecRef, shift: z3.BitVecRef, grid: Sequence[int]
) -> z3.BoolRef:
    """Return whether ``code`` is the rounded magnitude: where between midpoints it has to lie.

    The midpoints on either side of code c are half of ``grid[c - 1] + grid[c]`` and of
    ``grid[c] + grid[c + 1]``. On a midpoint the even code is right; the largest code has no upper
    end.

    Parameters
    ----------
    code
        A code of the grid; what is said of larger ones means nothing.
    magnitude
        Wide enough for every midpoint.
    shift
        2**shift is half a unit of ``grid``, in units of ``magnitude``.
    """
    width = magnitude.size()
    last = len(grid) - 1
    lower = [grid[value - 1] + grid[value] for value in range(1, last + 1)]
    low = table(code, [0, *lower], width) << shift
    high = table(code, [*lower, 0], width) << shift
    even = z3.Not(bit(code, 0))
    above = z3.If(even, z3.UGE(magnitude, low), z3.UGT(magnitude, low))
    below = z3.If(even, z3.ULE(magnitude, high), z3.ULT(magnitude, high))
    return z3.And(z3.Or(code == 0, above), z3.Or(code == last, below))
