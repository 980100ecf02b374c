"""How much the error of each weight counts, as integers: comparisons of weighted errors are exact.

Errors are only ever compared inside a group, so every group is scaled on its own: with m the
largest importance of the group and e the exponent for which 2**(e - 1) <= m < 2**e, weight k counts
RNE(importance[k] * 2**(20 - e)), an integer from 0 to 2**20.
"""

import numpy as np

from .errors import InputError, InputTypeError

#: Binary digits of the largest count of a group.
COUNT_BITS = 20


def counts(importance, length, group):
    """Round importances to the integers that errors are multiplied with.

    Parameters
    ----------
    importance : array of shape (length,)
        Non-negative finite floats.
    length : int
        Elements along K.
    group : int
        Elements of a group.

    Returns
    -------
    int64 array of shape (length / group, group)
        From 0 to 2**20; all 0 where a group has no importance.

    Raises
    ------
    InputError
        When `importance` has another shape, or an entry that is negative or not finite.
    InputTypeError
        When it is not an array of floats.
    """
    importance = np.asarray(importance)
    if not np.issubdtype(importance.dtype, np.floating):
        raise InputTypeError(f"Importance must be floats, not {importance.dtype.name}")
    if importance.shape != (length,):
        raise InputError(f"Importance must have shape ({length},), not {importance.shape}")
    wrong = ~(np.isfinite(importance) & (importance >= 0))
    if wrong.any():
        first = int(wrong.argmax())
        raise InputError(
            f"Importance must not be negative, infinite or NaN, but entry {first} is "
            f"{importance[first]}"
        )
    groups = importance.astype(np.float64).reshape(-1, group)
    _, exponent = np.frexp(groups.max(axis=1, keepdims=True))
    return np.rint(np.ldexp(groups, COUNT_BITS - exponent)).astype(np.int64)


def columns(counted, first, count):
    """Return the counts (group, count) of consecutive groups of a matrix, from group `first`."""
    return np.ascontiguousarray(counted.take(range(first, first + count), axis=0, mode="wrap").T)
