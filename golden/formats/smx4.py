"""SMX4, the shared microexponents of Rouhani et al. (ISCA 2023) at four bits.

A group of 16 has one E8M0 scale, each pair of elements a one-bit microexponent t, each element a
sign and a two-bit magnitude m = 0..3: the value is sign * m * 2**(E - t), E = scale - 127.

- E: the scale rules of spec section 4 with the largest magnitude 3 = 1.5 * 2**1 for 6 and the
  power of two 2 for 4, so floor is E = floor(log2(amax)) - 1.
- t = 1 when both magnitudes of the pair are below 2**(E + 1), that is, when their exponents leave
  the top bit of m unused; otherwise 0.
- m = RNE(|x| / 2**(E - t)), ties to even, saturating at 3.

Element codes are three bits wide, the sign on top, and are packed without gaps (4 bits an element
with scale and microexponents). Metadata bit j is the microexponent of pair j.
"""

import numpy as np

from ..bins import magnitude_bits, sign_bits
from ..codes import E8M0_BIAS, E8M0_NAN
from ..number_format import Codes, NumberFormat, Operand
from ..scales import SCALE_RULES, power_of_two, scale_codes

#: Three-bit element code -> signed magnitude.
SIGNED = np.array([0, 1, 2, 3, -0.0, -1, -2, -3], np.float32)

#: Exponent of the largest element, 3 = 1.5 * 2**1.
LARGEST_EXPONENT = 1


class Smx4(NumberFormat):
    """SMX4: sign * m * 2**(scale - 127 - microexponent)."""

    name = "smx4"
    group = 16
    subgroup = 2
    element_bits = 3
    metadata_bits = 8
    scale_rules = tuple(SCALE_RULES)

    def encode(self, x, options):
        """Encode groups; see `NumberFormat.encode`."""
        dtype = x.dtype.type
        bits = magnitude_bits(x)
        scales = scale_codes(bits.max(axis=0), dtype, options.scale_rule, LARGEST_EXPONENT)
        scaled = bits.view(dtype) * power_of_two(E8M0_BIAS - scales, dtype)
        pairs = scaled.reshape(8, 2, -1)
        small = pairs.max(axis=1) < 2
        pairs *= np.where(small, dtype(2), dtype(1))[:, None]
        elements = np.minimum(np.rint(scaled), 3).astype(np.uint8)
        elements |= sign_bits(x) << np.uint8(2)
        metadata = np.packbits(small, axis=0, bitorder="little")
        return Codes(elements, scales.astype(np.uint8), metadata)

    def decode(self, elements, scales, metadata, role):
        """Decode groups to units of 1/2; see `NumberFormat.decode`."""
        small = np.unpackbits(metadata, axis=-1, bitorder="little")
        integers = SIGNED[elements] * (2 - small.repeat(2, axis=-1)).astype(np.float32)
        exponent = scales.astype(np.int32) - (E8M0_BIAS + 1)
        return Operand(integers, np.ones_like(exponent), exponent, scales == E8M0_NAN)


FORMAT = Smx4()
