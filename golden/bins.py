"""Table look-up on float bit patterns, exact at every midpoint of the small formats.

A non-negative float is reduced to its exponent, its first six fraction bits and one sticky
bit (is any later bit set?). The reduced pattern is the table index. A midpoint of E2M1, of
E2M3, or of E2M1 times (1 + k/4) has at most six fraction bits, so it owns a pattern whose
sticky bit is 0, and every pattern whose sticky bit is 1 lies strictly between two midpoints:
looking the code up decides exactly as comparing with the midpoints does.
"""

from functools import cache

import numpy as np

#: Fraction bits of an index: six kept as they are, and the sticky bit.
INDEX_FRACTION_BITS = 7

_UNSIGNED = {np.dtype(np.float32): np.uint32, np.dtype(np.float64): np.uint64}


def unsigned_of(dtype):
    """Return the unsigned integer type as wide as float32 or float64."""
    return _UNSIGNED[np.dtype(dtype)]


def magnitude_bits(values):
    """Return the bit patterns of the magnitudes of C-contiguous floats: the sign bit cleared."""
    unsigned = unsigned_of(values.dtype)
    return values.view(unsigned) & (~unsigned(0) >> unsigned(1))


def sign_bits(values):
    """Return 1 for every negative float, a negative zero included, as uint8."""
    return np.signbit(values).view(np.uint8)


def bin_indices(values):
    """Return the table index of non-negative, C-contiguous floats.

    Parameters
    ----------
    values : array of float32 or float64
        Sign bits are 0. NaN gets an index too.

    Returns
    -------
    array of intp
        Index into a table of `make_table` for the same float type.
    """
    shift = np.finfo(values.dtype).nmant - INDEX_FRACTION_BITS
    unsigned = unsigned_of(values.dtype)
    bits = values.view(unsigned)
    below = unsigned((1 << shift) - 1)
    sticky = bits & below
    sticky += below  # carries into the last index bit unless every bit below it is 0
    sticky |= bits
    sticky >>= unsigned(shift)
    return sticky.astype(np.intp)


@cache
def bin_values(dtype):
    """Return one float64 member of every bin; inf and NaN patterns give the largest finite.

    Parameters
    ----------
    dtype : type
        ``numpy.float32`` or ``numpy.float64``.
    """
    info = np.finfo(dtype)
    shift = info.nmant - INDEX_FRACTION_BITS
    patterns = np.arange(1 << (info.iexp + INDEX_FRACTION_BITS), dtype=unsigned_of(dtype))
    members = (patterns << unsigned_of(dtype)(shift)).view(dtype).astype(np.float64)
    members[~np.isfinite(members)] = info.max
    return members
