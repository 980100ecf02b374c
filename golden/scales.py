"""E8M0 shared scales: the four scale rules of spec section 4, decided on integers.

With amax = m * 2**e, 1 <= m < 2, every rule is E = e - offset + (m > threshold): no logarithm
and no quotient, so nothing can be one off just below a power of two.
"""

from dataclasses import dataclass
from math import isqrt

import numpy as np

from .bins import unsigned_of
from .codes import E8M0_BIAS

#: Largest finite E8M0 code.
MAX_CODE = 254


@dataclass(frozen=True)
class ScaleRule:
    """One way to choose the exponent of a group from its largest magnitude.

    Attributes
    ----------
    squared_threshold : tuple of int or None
        Square of the threshold on the significand 1 <= m < 2, as (numerator, denominator);
        ``None``: the exponent never goes up.
    below : int
        Exponent steps below the floor rule where the significand does not exceed it.
    """

    squared_threshold: tuple[int, int] | None
    below: int

    def significand_limit(self, fraction_bits):
        """Return the largest fraction field that does not exceed the threshold."""
        if self.squared_threshold is None:
            return (1 << fraction_bits) - 1
        numerator, denominator = self.squared_threshold
        # floor(sqrt(n / d) * 2**f): a significand of f fraction bits exceeds the threshold
        # when, as an integer, it is greater.
        largest = isqrt((numerator << (2 * fraction_bits)) // denominator)
        return largest - (1 << fraction_bits)


#: The scale rules by name. With P the largest element magnitude (6 for E2M1, 1.5 * 2**2) and
#: Q the power of two below it: ceil(log2(amax / P)) goes up where m > 1.5; rtn1,
#: round(log2(amax / P)), where m**2 > 2 * 1.5**2 / 4; rtn2, round(log2(amax / Q)), where m**2 > 2.
SCALE_RULES = {
    "floor": ScaleRule(None, 0),
    "ceil": ScaleRule((9, 4), 0),
    "rtn1": ScaleRule((9, 8), 1),
    "rtn2": ScaleRule((2, 1), 0),
}


def scale_codes(amax, dtype, rule, largest_exponent):
    """Return the E8M0 code of every group, clamped to 0..254.

    Parameters
    ----------
    amax : array of uint32 or uint64
        Bit patterns of the largest magnitude of each group (sign 0).
    dtype : type
        The float type `amax` is a pattern of.
    rule : str
        A key of `SCALE_RULES`.
    largest_exponent : int
        Exponent of the largest element magnitude: 2 for E2M1 (6 = 1.5 * 2**2).

    Returns
    -------
    array of int32
        Codes, the shape of `amax`; 0 for an all-zero group. Groups with an infinity or NaN get
        some code that the caller overwrites.
    """
    info = np.finfo(dtype)
    chosen = SCALE_RULES[rule]
    carry = (1 << info.nmant) - 1 - chosen.significand_limit(info.nmant)
    raised = amax + unsigned_of(dtype)(carry)
    field = (raised >> unsigned_of(dtype)(info.nmant)).astype(np.int32)
    # A subnormal amax has field 0: its true exponent is lower still, and code 0 either way.
    bias = -int(info.minexp) + 1
    code = field - (bias + largest_exponent + chosen.below - E8M0_BIAS)
    return np.clip(code, 0, MAX_CODE)


def power_of_two(exponents, dtype):
    """Return 2**exponents exactly, subnormals included, as floats of `dtype`."""
    return np.ldexp(np.ones(exponents.shape, dtype), exponents)
