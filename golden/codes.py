"""Code tables of the small number types, and the one rounding rule they share.

The tables are the only place in the project that lists the values of E2M1, E2M3 and E4M3.
"""

import numpy as np

#: Value of every E2M1 magnitude code 0..7 (bit 3 of a nibble is the sign).
E2M1_VALUES = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])

#: Value of every E2M3 magnitude code 0..31: E2M1 code c is E2M3 code 4c.
E2M3_VALUES = np.concatenate(
    [np.arange(16) / 8, np.arange(8, 16) / 4, np.arange(8, 16) / 2],
)

#: E2M1 nibble -> signed integer in units of 1/2; the nibble of a negative zero gives -0.0.
E2M1_HALVES = (2 * np.concatenate([E2M1_VALUES, -E2M1_VALUES])).astype(np.float32)

#: Significand and exponent of every positive finite E4M3 code 0..126: their value is
#: significand * 2**exponent, subnormals below code 8.
E4M3_SIGNIFICANDS = np.array([code & 7 | (8 if code > 7 else 0) for code in range(127)], np.int32)
E4M3_EXPONENTS = np.array([max(code >> 3, 1) - 10 for code in range(127)], np.int32)

#: Value of every positive finite E4M3 code; the largest is 448.
E4M3_VALUES = np.ldexp(E4M3_SIGNIFICANDS.astype(np.float64), E4M3_EXPONENTS)

#: Code of an E4M3 scale that makes its group NaN.
E4M3_NAN = 127

#: Code of an E8M0 scale that makes its group NaN.
E8M0_NAN = 255

#: Exponent bias of E8M0: code e is the scale 2**(e - 127).
E8M0_BIAS = 127


def nearest_code(values, grid, unit=1.0):
    """Round magnitudes to the nearest point of a grid; a tie goes to the even code.

    Every decision compares a value with a midpoint, never with a rounded quotient; above the
    largest grid point the code saturates.

    Parameters
    ----------
    values : array of float64
        Magnitudes, not NaN.
    grid : array of float64
        Increasing grid magnitudes; the index is the code.
    unit : float
        Scale of the grid: the midpoints compared with are exact when `unit` has at most 45
        significant bits and no product leaves the normal range.

    Returns
    -------
    array of intp
        Codes, the shape of `values`.
    """
    grid = np.asarray(grid, dtype=np.float64)
    midpoints = (grid[1:] + grid[:-1]) / 2 * unit
    below = np.searchsorted(midpoints, values, side="left")
    reached = np.searchsorted(midpoints, values, side="right")
    tie_to_upper = (reached > below) & (below % 2 == 1)
    return below + tie_to_upper
