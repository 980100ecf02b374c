"""MXFP4 of OCP Microscaling: E2M1 elements, one E8M0 scale a group of 32, no metadata."""

from functools import cache

import numpy as np

from ..bins import bin_indices, bin_values, magnitude_bits, sign_bits
from ..codes import E2M1_HALVES, E2M1_VALUES, E8M0_BIAS, E8M0_NAN, nearest_code
from ..number_format import Codes, NumberFormat, Operand
from ..scales import SCALE_RULES, power_of_two, scale_codes

#: Exponent of the largest element, 6 = 1.5 * 2**2.
LARGEST_EXPONENT = 2


@cache
def _code_table(dtype):
    return nearest_code(bin_values(dtype), E2M1_VALUES).astype(np.uint8)


class Mxfp4(NumberFormat):
    """MXFP4: sign * E2M1 * 2**(scale - 127)."""

    name = "mxfp4"
    group = 32
    subgroup = 32
    scale_rules = tuple(SCALE_RULES)

    def encode(self, x, options):
        """Encode groups; see `NumberFormat.encode`."""
        dtype = x.dtype.type
        magnitude = magnitude_bits(x)
        scales = scale_codes(magnitude.max(axis=0), dtype, options.scale_rule, LARGEST_EXPONENT)
        scaled = magnitude.view(dtype) * power_of_two(E8M0_BIAS - scales, dtype)
        elements = _code_table(dtype).take(bin_indices(scaled))
        elements |= sign_bits(x) << np.uint8(3)
        return Codes(elements, scales.astype(np.uint8), np.empty((0, x.shape[1]), np.uint8))

    def decode(self, elements, scales, metadata, role):
        """Decode groups to units of 1/2; see `NumberFormat.decode`."""
        exponent = scales.astype(np.int32) - (E8M0_BIAS + 1)
        return Operand(E2M1_HALVES[elements], np.ones_like(exponent), exponent, scales == E8M0_NAN)


FORMAT = Mxfp4()
