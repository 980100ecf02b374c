"""MXFP4 of OCP Microscaling: E2M1 elements, one E8M0 scale a group of 32, no metadata."""

from functools import cache

import numpy as np

from ..bins import bin_indices, bin_values, unsigned_of
from ..codes import E2M1_VALUES, E8M0_BIAS, E8M0_NAN, nearest_code
from ..number_format import Codes, NumberFormat, Operand
from ..scales import SCALE_RULES, power_of_two, scale_codes

#: E2M1 nibble -> signed integer in units of 1/2.
HALVES = (2 * np.concatenate([E2M1_VALUES, -E2M1_VALUES])).astype(np.float32)


@cache
def _code_table(dtype):
    return nearest_code(bin_values(dtype), E2M1_VALUES).astype(np.uint8)


class Mxfp4(NumberFormat):
    """MXFP4: sign * E2M1 * 2**(scale - 127)."""

    name = "mxfp4"
    group = 32
    subgroup = 32
    scale_rules = tuple(SCALE_RULES)
    nan_scale = E8M0_NAN

    def encode(self, x, options):
        """Encode groups; see `NumberFormat.encode`."""
        dtype = x.dtype.type
        unsigned = unsigned_of(dtype)
        bits = x.view(unsigned)
        magnitude = bits & (~unsigned(0) >> unsigned(1))
        scales = scale_codes(magnitude.max(axis=0), dtype, options.scale_rule, 2)
        scaled = magnitude.view(dtype) * power_of_two(E8M0_BIAS - scales, dtype)
        elements = _code_table(dtype).take(bin_indices(scaled))
        elements |= np.signbit(x).view(np.uint8) << np.uint8(3)
        return Codes(elements, scales.astype(np.uint8), np.empty((0, x.shape[1]), np.uint8))

    def decode(self, elements, scales, metadata, role):
        """Decode groups to units of 1/2; see `NumberFormat.decode`."""
        exponent = scales.astype(np.int32) - (E8M0_BIAS + 1)
        return Operand(HALVES[elements], np.ones_like(exponent), exponent, scales == E8M0_NAN)


FORMAT = Mxfp4()
